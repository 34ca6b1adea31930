"""Closed questions with several answers: which choice do the documents support?

The study file may say more with these settings:

``order``    codes, the one that stands for the whole first: where one kind of document supports several, the first
             that is well supported wins (a carotid and an M1 occlusion: the carotid)
``anywhere`` codes that win in whatever document they stand ("en tandem")
``both``     code that stands for two others together ("Combinée")
``denials``  words after an answer that deny it ("M1 perméable")
``until``    forms after which a document speaks of later events
``latest``   the last document that concludes answers, and in it the last conclusion
``undecided`` code that answers where the last conclusion leaves two others open ("FA ou athérome")
``denied``    true: a preferred document that denies several of the answers says "none of them"
``elsewhere`` words of which one must stand in the sentence where the document is none of ``document_types``
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from generator.rules.annotate import Annotated
from generator.rules.choices import BESIDE
from generator.rules.cite import Cite, clause, spread
from generator.rules.context import context_of
from generator.rules.episode import Phase
from generator.rules.plan import Plan
from generator.rules.policies import vote
from generator.rules.readers.answers import Mention, kind_rank, mentions, none_code
from generator.rules.readers.clauses import clause_of, is_stale
from generator.rules.readers.leaving import leaving_summaries
from generator.rules.readers.measure import excluded
from generator.rules.reading import SILENT, Answer, PatientView, Reading
from generator.rules.text import fold
from schema.study import Policy
from schema.value import Status

#: How much more an answer that needs no other word weighs than one that stands beside the question's words.
_ALONE = 1.5
_UNSURE = 0.35
#: Who died went nowhere else.
_DEATH, _DEATH_LABEL = 4.0, re.compile(r"dece[sd]|mort")
#: "dans l'attente d'une place de SSR", "SSR puis retour à domicile": where the patient goes only afterwards.
_LATER = re.compile(
    r"\b(?:en attente|l'attente|attendant|avant|demande\w*|dossiers?|projet\w*|inscri\w+|envisag\w+|en vue|"
    r"puis|secondaire\w*|ulterieur\w*|a terme|ensuite|apres accord|si besoin|objectif|souhait\w*|discut\w*)\b"
    r"[^,;:.()]{0,60}$"
)
_NOT_YET = 0.05
_VAGUE_LABEL = re.compile(r"\bautres?\b|hopital|transfert|mutation")
_AT_ADMISSION = {Phase.ADMISSION: 3.0, Phase.DISCHARGE: 2.0, Phase.FOLLOW_UP: 0.0}
_AT_DISCHARGE = {Phase.DISCHARGE: 3.0, Phase.STAY: 1.0, Phase.DAY1: 0.5}
_CONCLUDING = ("conclusion", "devenir", "diagnostic", "motif_sortie")
_MOST_CITES = 3
#: Words that replace an earlier conclusion, and words that leave two answers open.
_REVISED = re.compile(
    r"\b(?:desormais|finalement|en definitive|dorenavant|reclass\w+|maintenant|depuis lors|a la sortie)\b"
)
_LIKELY = re.compile(r"\b(?:probable\w*|vraisembl\w+|plausible|en faveur d|le plus souvent|compatible)")
_OPEN = re.compile(r"\b(?:ou|soit|versus|vs)\b")
_NOTHING = re.compile(r"\W*(?:ras|r\.a\.s|rien a signaler|sans particularite)\W*")
_EXCEPT = re.compile(
    r"[;.]|\b(?:sauf|hormis|en dehors|excepte|mais|a part|autre que|si ce n'est|hors|avec|cependant|toutefois|puis)\b"
)
#: Share of the best support from which a choice of higher order wins.
_ENOUGH = 0.35


@dataclass(frozen=True, slots=True)
class _Found:
    """A mention with its weight and the document's rank among those that the study prefers (0: first)."""

    mention: Mention
    weight: float
    tier: int

    @property
    def cite(self) -> Cite:
        return clause(self.mention.document, self.mention.start, self.mention.end)


def read_choice(view: PatientView, plan: Plan) -> Answer:
    """The choice best supported at the plan's moment; CONFLICTING when two are; silence when none is plainly said."""
    found = [f for document in view.documents for f in _found(view, plan, document)]
    none = none_code(plan)
    positive = [f for f in found if f.mention.code != none]
    chosen = _settled(view, plan, positive)
    if chosen is not None:
        return _backed(view, plan, chosen, positive)
    if none is None:
        return SILENT
    cites = [f.cite for f in found if f.mention.code == none]
    cites += [cite for document in view.documents for cite in _denied_questions(view, plan, document)]
    cites = cites or _denied_answers(view, plan)
    if not cites:
        return SILENT
    return Answer(Status.STATED_ABSENT, none, spread(cites, _MOST_CITES, view.timeline.is_discharge), 0.85)


def _backed(view: PatientView, plan: Plan, chosen: Answer, found: Sequence[_Found]) -> Answer:
    """The answer with the places of other documents that say the same."""
    if chosen.status is not Status.FOUND or plan.policy is Policy.FIRST:
        return chosen
    agreeing = sorted((f for f in found if f.mention.code == chosen.value), key=lambda f: -f.weight)
    cites = spread([*chosen.cites, *(f.cite for f in agreeing)], _MOST_CITES, view.timeline.is_discharge)
    return dataclasses.replace(chosen, cites=cites)


def supported(view: PatientView, plan: Plan) -> Iterator[tuple[str, Cite]]:
    """Every choice affirmed at the plan's moment, with its quote; "none of them" where the question is denied."""
    none = none_code(plan)
    for document in view.documents:
        for found in _found(view, plan, document):
            yield found.mention.code, found.cite
        if none is not None:
            for cite in _denied_questions(view, plan, document):
                yield none, cite


def _settled(view: PatientView, plan: Plan, found: Sequence[_Found]) -> Answer | None:
    if not found:
        return None
    if plan.policy is Policy.FIRST:
        return _first(view, found)
    anywhere = plan.hints.settings.get("anywhere")
    if isinstance(anywhere, tuple) and (winner := next((f for f in found if f.mention.code in anywhere), None)):
        return _answer(winner.mention.code, found)
    best = min(f.tier for f in found)
    found = [f for f in found if f.tier == best]
    if plan.hints.settings.get("latest") or plan.policy is Policy.LAST:
        return _last_conclusion(plan, found)
    codes = {f.mention.code for f in found}
    both = plan.hints.settings.get("both")
    if isinstance(both, str) and (both in codes or len(codes) > 1):
        return _answer(both, found, several=True)
    if order := _order(plan):
        support = {code: sum(f.weight for f in found if f.mention.code == code) for code in codes}
        enough = _ENOUGH * max(support.values())
        for code in order:
            if support.get(code, 0.0) >= enough:
                return _answer(code, found)
    return vote([_reading(view, f) for f in sorted(found, key=lambda f: -f.weight)])


def _order(plan: Plan) -> tuple[str, ...]:
    """Codes by rank, the first to win; "le plus élevé" and its like rank the choices of the dictionary."""
    codes = tuple(choice.code for choice in plan.variable.choices)
    if plan.policy in (Policy.HIGHEST, Policy.LOWEST):
        return codes if plan.policy is Policy.LOWEST else codes[::-1]
    order = plan.hints.settings.get("order")
    return order if isinstance(order, tuple) else ()


def _last_conclusion(plan: Plan, found: Sequence[_Found]) -> Answer:
    """What the last conclusion of the last document says, as a whole sentence."""
    last = found[-1].mention.document
    found = [f for f in found if f.mention.document is last]
    found = [f for f in found if last.section_of(f.mention.start).kind in _CONCLUDING] or found
    low, high = last.sentences[last.sentence_of(found[-1].mention.start)]
    sentence = [f for f in found if low <= f.mention.start < high]
    codes = {f.mention.code for f in sentence}
    undecided = plan.hints.settings.get("undecided")
    if isinstance(undecided, str) and len(codes) > 1 and not _REVISED.search(last.folded, low, high):
        first, final = sentence[0].mention, sentence[-1].mention
        if undecided in codes or _OPEN.search(last.folded[first.start : final.end]):
            return _answer(undecided, sentence, several=True)
    return _answer(found[-1].mention.code, found)


def _answer(code: str, found: Sequence[_Found], several: bool = False) -> Answer:
    """The code, backed by its heaviest mentions (``several``: by one mention of each choice it stands for)."""
    backing = [f for f in found if f.mention.code == code]
    if several and not backing:
        backing = list({f.mention.code: f for f in reversed(found)}.values())
    backing.sort(key=lambda f: -f.weight)
    cites = tuple(f.cite for f in backing[:_MOST_CITES])
    return Answer(Status.FOUND, code, cites, 0.9 if backing[0].weight >= 1 else 0.7)


def _reading(view: PatientView, found: _Found) -> Reading:
    mention = found.mention
    low, high = clause_of(mention.document, mention.start, mention.end)
    moment = view.timeline.moment(mention.document, mention.start, mention.end, low, high)
    return Reading(mention.code, (found.cite,), moment, found.weight)


def _found(view: PatientView, plan: Plan, document: Annotated) -> Iterator[_Found]:
    if excluded(document, plan):
        return
    fit = _fit(view, plan, document)
    if fit == 0.0:
        return
    stop = _until(plan, document)
    none = none_code(plan)
    tier = kind_rank(document, plan.hints.document_types)
    undecided = plan.hints.settings.get("undecided")
    named = mentions(view, plan, document)
    for mention in named:
        if mention.start >= stop:
            return
        if mention.code != none and (mention.denied or _is_within_denial(mention, named, none)):
            continue
        if tier == len(plan.hints.document_types) and not _is_about(plan, mention):
            continue
        weight = fit * (_ALONE if mention.alone else 1.0)
        if mention.unsure and mention.code != undecided:
            if plan.policy is not Policy.AT_DISCHARGE and not _is_likely(plan, mention):
                continue
            weight *= _UNSURE
        if document.section_of(mention.start).kind in _CONCLUDING:
            weight *= 1.5
        if plan.policy is Policy.AT_DISCHARGE:
            weight *= _discharge_weight(plan, mention, named)
        yield _Found(mention, weight, tier)


def _is_within_denial(mention: Mention, named: Sequence[Mention], none: str | None) -> bool:
    """Whether "none of them" opens the sentence that goes on to name the answer: "Aucune complication : …"."""
    document = mention.document
    sentence = document.sentence_of(mention.start)
    return any(
        other.code == none
        and not other.denied
        and other.end <= mention.start
        and document.sentence_of(other.start) == sentence
        and not _EXCEPT.search(document.folded, other.end, mention.start)
        for other in named
    )


def _discharge_weight(plan: Plan, mention: Mention, named: Sequence[Mention]) -> float:
    """More at the end of a letter, where it tells where the patient goes; most for a death: who died went nowhere.

    "En rééducation à l'hôpital de Berck": a vague place yields to a precise one of its sentence.
    """
    document = mention.document
    label = next((fold(choice.label) for choice in plan.variable.choices if choice.code == mention.code), "")
    if _DEATH_LABEL.match(label):
        return 2 * _DEATH
    sentence = document.sentence_of(mention.start)
    if _comes_later(mention):
        return _NOT_YET
    if _VAGUE_LABEL.search(label) and any(
        other.code != mention.code
        and not (other.denied or _comes_later(other))
        and document.sentence_of(other.start) == sentence
        for other in named
    ):
        return 0.1
    return 1.0 + mention.start / max(1, len(document.folded))


def _comes_later(mention: Mention) -> bool:
    document = mention.document
    low, _ = document.sentences[document.sentence_of(mention.at)]
    return _LATER.search(document.folded, low, mention.at) is not None


def _is_about(plan: Plan, mention: Mention) -> bool:
    """Whether a sentence of a document that is not the question's own speaks of it at all."""
    words = plan.hints.settings.get("elsewhere")
    if not isinstance(words, tuple):
        return True
    document = mention.document
    low, high = document.sentences[document.sentence_of(mention.start)]
    pattern = "|".join(re.escape(fold(word)) for word in words)
    return re.search(rf"\b(?:{pattern})", document.folded[low:high]) is not None


def _is_likely(plan: Plan, mention: Mention) -> bool:
    """Whether a doubt still concludes: "origine cardio-embolique probable"."""
    if plan.policy is not Policy.LAST:
        return False
    low, high = clause_of(mention.document, mention.start, mention.end)
    return _LIKELY.search(mention.document.folded, low, high) is not None


def _until(plan: Plan, document: Annotated) -> int:
    """Where a document stops speaking of what the question asks; its end when the study does not say."""
    forms = plan.hints.settings.get("until")
    if not isinstance(forms, tuple):
        return len(document.folded)
    places = (re.search(rf"(?<!\w){re.escape(fold(form))}", document.folded) for form in forms)
    return min((place.start() for place in places if place), default=len(document.folded))


def _fit(view: PatientView, plan: Plan, document: Annotated) -> float:
    """How well a document written in its phase can answer at the plan's moment (0: not at all)."""
    phase = view.timeline.document_phase(document)
    if plan.policy is Policy.BEFORE:
        return 1.0 if phase is not Phase.FOLLOW_UP else 0.3
    if phase is Phase.BEFORE:
        return 0.0
    if plan.policy is Policy.AT_FOLLOW_UP:
        return 1.0 if phase is Phase.FOLLOW_UP else 0.0
    if plan.policy is Policy.AT_DISCHARGE:
        later_unit = phase is Phase.DISCHARGE and document not in leaving_summaries(view)
        return 0.0 if later_unit else _AT_DISCHARGE.get(phase, 0.0)
    if plan.policy is Policy.AT_ADMISSION:
        return _AT_ADMISSION.get(phase, 1.0)
    if phase is Phase.FOLLOW_UP:
        return 1.0 if plan.hints.settings.get("latest") or plan.policy is Policy.LAST else 0.4
    return 1.5 if phase is Phase.DISCHARGE else 1.0


def _denied_questions(view: PatientView, plan: Plan, document: Annotated) -> Iterator[Cite]:
    """Where the question itself is denied: "pas d'occlusion", "aucune complication"."""
    if excluded(document, plan) or _fit(view, plan, document) == 0.0:
        return
    for anchor in plan.anchors:
        for hit in document.find(anchor):
            if context_of(document, hit).negated and not is_stale(view, document, hit.start, hit.end):
                yield clause(document, hit.start, hit.end)


def _denied_answers(view: PatientView, plan: Plan) -> list[Cite]:
    """Where a document that the study prefers denies answers one by one: "pas d'extravasation, pas de dissection".

    To deny one answer is not to deny the others: two must be. A sentence that only says "RAS" denies all.
    """
    if not plan.hints.settings.get("denied"):
        return []
    kinds = plan.hints.document_types
    for document in view.documents:
        if kind_rank(document, kinds) == len(kinds) or not _fit(view, plan, document):
            continue
        denied = {
            code: hit
            for code, concept in plan.choices.items()
            for hit in (*document.find(concept), *document.find(concept + BESIDE))
            if context_of(document, hit).negated
        }
        if len(denied) > 1:
            return [clause(document, hit.start, hit.end) for hit in denied.values()]
        denials = (span for span in document.sentences if _NOTHING.fullmatch(document.folded, *span))
        if nothing := next((span for span in denials if document.is_readable(*span)), None):
            return [clause(document, *nothing)]
    return []


def _first(view: PatientView, found: Sequence[_Found]) -> Answer:
    """The earliest choice: by day, then by the clock where it is written, else by order of the text."""
    dated = [(*_when(view, f.mention), f) for f in found]
    first_day = min(day for day, _, _ in dated)
    same_day = [(clock, f) for day, clock, f in dated if day == first_day]
    codes = {f.mention.code for _, f in same_day}
    if len(codes) > 1:
        same_day = [(clock, f) for clock, f in same_day if clock] or same_day
        same_day.sort(key=lambda item: item[0] or dt.time.max)
    code = same_day[0][1].mention.code
    return _answer(code, [f for _, f in same_day if f.mention.code == code])


def _when(view: PatientView, mention: Mention) -> tuple[dt.date, dt.time | None]:
    """Day and time of what a mention tells: those of its clause, else those of its document.

    A discharge summary without a date in the clause tells of the stay at large: it comes after all dated documents.
    """
    document = mention.document
    low, high = clause_of(document, mention.start, mention.end)
    dates = document.dates_in(low, high)
    clock = next((d.clock for d in dates if d.clock), None)
    day = next((day for d in dates if (day := view.timeline.day_of(d))), None)
    if day is None:
        if view.timeline.document_phase(document) in (Phase.DISCHARGE, Phase.FOLLOW_UP):
            return dt.date.max, clock
        written = document.document.written_on
        day = written.to_date() if written else None
    if clock is None and mention.start < _HEADER:
        clock = next((d.clock for d in document.document.dates if d.clock and d.start < _HEADER), None)
    return day or dt.date.max, clock


#: The head of a report, whose date and time are those of the examination.
_HEADER = 350
