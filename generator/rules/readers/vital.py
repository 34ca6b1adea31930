"""Whether and when the patient died: a death that is written, or a visit at which the patient was alive."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass

from generator.rules.annotate import Annotated
from generator.rules.chronology import days_of
from generator.rules.cite import Cite, clause
from generator.rules.context import context_of
from generator.rules.episode import Phase
from generator.rules.events import event_concepts
from generator.rules.matcher import Hit
from generator.rules.phrases import anywhere, closing, opening
from generator.rules.plan import Plan
from generator.rules.reading import SILENT, Answer, PatientView
from generator.rules.stay import FOLLOW_UP, is_kind, is_summary, written_day
from generator.rules.text import fold
from generator.rules.when import told_day
from schema.study import Policy
from schema.value import Status

#: A visit "à 3 mois" takes place from 2 months on; any other document proves life only from nearly the whole time.
_VISIT_SHARE, _ANY_SHARE = 0.65, 0.9
_LATE_VISIT = dt.timedelta(days=45)
_OF_ANOTHER = closing("death.of_another", 45)
_OF_ANOTHER_AFTER = opening("death.of_another", 14, digits=False)
#: "La fille nous apprend que le patient est décédé": the subject has changed.
_PATIENT = re.compile(r"\b(?:que|patiente?|malade|monsieur|madame|m\.|mr|mme|il|elle)\b")
_SUPPOSED = closing("death.supposed", 25)
_NOT_SEEN = anywhere("alive.not_seen")
#: How far before the words of a death the relative who tells it may be named.
_INFORMANT_REACH = 300
_TELLS = (
    r"(?:nous|m'|m |apprend|appris|informe|annonce|dit|indique|signale|rapporte|previent|explique|confirme|precise|"
    r"declare)"
)
_REACHED = r"(?:appel\w*|joint\w*|interlocut\w*|contact\w*|telephon\w*|repond\w*|source|selon|d'apres|aupres|par)"


def _kin(informants: str, dead: str) -> tuple[re.Pattern[str], tuple[re.Pattern[str], re.Pattern[str]]]:
    """A relative who speaks, and what the dead patient is to them, before and after the words of death."""
    speaks = rf"\b{_REACHED}\W+(?:\w+\W+){{0,3}}?(?:{informants})\b|\b(?:{informants})\b[^;\n]{{0,45}}?\b{_TELLS}"
    own = rf"\b(?:sa|son|leur|ma|mon|notre)\s(?:{dead})\b"
    return re.compile(speaks), (re.compile(rf"{own}[^.;\n]{{0,20}}$"), re.compile(rf"^\s*de\s{own}"))


_SPOUSES = "epouse|epoux|femme|mari|conjointe?|compagnon|compagne|concubine?"
#: Who speaks, and what the patient is to them.
_KIN = (
    _kin("fille|fils|enfants?|gendre|belle-fille", "mere|pere|maman|papa|belle-mere|beau-pere"),
    _kin(_SPOUSES, _SPOUSES),
    _kin("petite-fille|petit-fils|petits-enfants", "grand-mere|grand-pere"),
    _kin("niece|neveu", "tante|oncle"),
    _kin("soeur|frere", "soeur|frere"),
)
#: The worst grade of the Rankin scale is death: "mRS à 3 mois : 6", a ticked 6; not "Rankin à 6 mois", "(0 à 6)".
_RANKIN_OF_DEAD = re.compile(
    r"\b(?:mrs|rankin)\b(?:(?:[^.;\n\d]|\b\d+\s?(?:mois|jours|j)\b|\b[mj]\s?\d+\b|\(0\s?(?:a|-)\s?6\)){0,40}?"
    r"(?:[:=]|\b(?:a|est|cote\w*|de|score)\b)\s*6\b(?!\s?(?:mois|m\b|/|sem|ans?)|[.,/]\d|\s?-\s?\d)"
    r"|[^\n]{0,80}?(?:\[\s?x\s?\]|[☒☑■])\s?6\b)"
)
#: Words of a visit, the plainest first.
_SEEN = (anywhere("alive.seen"), anywhere("alive.shown"))


@dataclass(frozen=True, slots=True)
class Death:
    """A death of the patient.

    ``day`` is None when no complete date is told: it then lies from ``earliest`` to ``latest``, as far as the documents
    bound it. ``in_stay``: before the discharge.
    """

    day: dt.date | None
    cites: tuple[Cite, ...]
    in_stay: bool
    earliest: dt.date | None = None
    latest: dt.date | None = None


@dataclass(frozen=True, slots=True)
class _Told:
    """What one place tells of a death: its day, or the days between which it lies."""

    day: dt.date | None
    cite: Cite
    phase: Phase
    earliest: dt.date | None = None
    latest: dt.date | None = None


def find_death(view: PatientView) -> Death | None:
    """The death that the documents tell, with the day that most of them give."""
    told = [item for document in view.documents for item in _deaths(view, document)]
    if not told:
        return None
    dated = [item.day for item in told if item.day]
    day = max(dict.fromkeys(dated), key=dated.count) if dated else None
    cites = [item.cite for item in told if item.day == day] + [item.cite for item in told if item.day != day]
    episode = view.timeline.episode
    if day is not None:
        in_stay = episode.discharge is None or day <= episode.discharge
    else:
        in_stay = any(item.phase <= Phase.DISCHARGE for item in told)
    earliest = max((item.earliest for item in told if item.earliest), default=None)
    latest = min((item.latest for item in told if item.latest), default=None)
    return Death(day, tuple(cites[:3]), in_stay, earliest, latest)


def _deaths(view: PatientView, document: Annotated) -> Iterator[_Told]:
    phase, written = view.timeline.document_phase(document), written_day(document)
    if phase is Phase.BEFORE:
        return
    if phase is Phase.FOLLOW_UP:
        for match in document.finditer(_RANKIN_OF_DEAD):
            yield _Told(None, clause(document, match.start(), match.end()), phase, latest=written)
    concepts = event_concepts("death")
    days = {timed.hit: timed for timed in sorted(days_of(document, concepts), key=lambda timed: -timed.cost)}
    for concept in concepts:
        for hit in document.find(concept):
            if not (_is_patients(document, hit) or (phase is Phase.FOLLOW_UP and _told_by_kin(document, hit))):
                continue
            timed = days.get(hit)
            day = told_day(view.timeline, document, timed.mention) if timed else None
            if day and (day < view.timeline.earliest or (written and day > written)):
                continue
            start, end = hit.start, hit.end
            if timed and day:
                start, end = min(start, timed.mention.start), max(end, timed.mention.end)
            earliest, latest = _bounds(document, hit)
            yield _Told(day, clause(document, start, end), phase, earliest, latest or written)


def _bounds(document: Annotated, hit: Hit) -> tuple[dt.date | None, dt.date | None]:
    """The first and last day of the month or year that the sentence gives: "décédé en octobre 2022"."""
    for mention in document.dates_in(hit.end, document.sentences[hit.sentence][1]):
        if mention.date and not mention.date.is_complete:
            return mention.date.earliest(), mention.date.latest()
    return None, None


def _told_by_kin(document: Annotated, hit: Hit) -> bool:
    """Whether a relative tells of the death of the relative that the patient is to them.

    "Appel de sa fille : elle m'apprend que sa mère est décédée": the daughter's mother is the patient. "Elle m'apprend
    que son mari est décédé", said by the patient, is not.
    """
    low, high = document.sentences[hit.sentence]
    text = document.folded
    before, after = text[low : hit.start], text[hit.end : high]
    if context_of(document, hit).negated or context_of(document, hit).hypothetical:
        return False
    for informant, dead in _KIN:
        named = dead[0].search(before) or dead[1].match(after)
        if named and informant.search(text, max(0, hit.start - _INFORMANT_REACH), hit.start):
            return True
    return False


def _is_patients(document: Annotated, hit: Hit) -> bool:
    if document.section_of(hit.start).kind in (
        "antecedents",
        "antecedents_familiaux",
        "facteurs_risque",
        "mode_de_vie",
    ):
        return False
    context = context_of(document, hit)
    low, high = document.sentences[hit.sentence]
    before, after = document.folded[low : hit.start], document.folded[hit.end : high]
    if not context.affirmed and not (context.planned or context.declined):
        return False
    other = _OF_ANOTHER.search(before)
    if (other and not _PATIENT.search(other[0])) or _SUPPOSED.search(before):
        return False
    # "décès ?" asks; "décès de son frère" says nothing of the patient.
    return not (after.lstrip().startswith("?") or _OF_ANOTHER_AFTER.match(after))


def read_vital(view: PatientView, plan: Plan) -> Answer:
    """Dead or not at the moment asked: within n months, or by the end of the stay.

    Alive is answered only where a document shows the patient alive late enough, or leaving the hospital.
    """
    dead, alive = _codes(plan)
    death = view.once("death", find_death)
    episode = view.timeline.episode
    horizon = _horizon(view, plan)
    if death:
        if plan.policy in (Policy.DURING_STAY, Policy.AT_DISCHARGE):
            within = death.in_stay
        else:
            known = _within(death, horizon)
            if known is None:
                return SILENT
            within = known
        return Answer(Status.FOUND, dead if within else alive, death.cites, 0.95)
    cites: tuple[Cite, ...] = ()
    if plan.policy not in (Policy.DURING_STAY, Policy.AT_DISCHARGE):
        cites = tuple(cite for document in view.documents if (cite := _alive(view, document, plan.offset or 0.0)))
    if not cites and not plan.offset:
        cites = view.readable(episode.discharge_cites)
    return Answer(Status.STATED_ABSENT, alive, cites[:3], 0.93) if cites else SILENT


def _within(death: Death, horizon: dt.date | None) -> bool | None:
    """Whether the death came by the horizon; None when the documents leave it open."""
    if horizon is None:
        return True
    if death.day:
        return death.day <= horizon
    if death.earliest and death.earliest > horizon:
        return False
    # A visit "à 3 mois" is held a few weeks late; from a much later one nothing is known of the horizon.
    return True if death.latest is None or death.latest <= horizon + _LATE_VISIT else None


def _codes(plan: Plan) -> tuple[str, str]:
    """The codes of "dead" and "alive", by the choices' labels; "1" and "0" for a plain yes or no."""
    for choice in plan.variable.choices:
        if re.match(r"dece|mort|dcd", fold(choice.label)):
            living = next(
                (c.code for c in plan.variable.choices if re.match(r"vivant|en vie|alive", fold(c.label))), "0"
            )
            return choice.code, living
    no = next((c.code for c in plan.variable.choices if fold(c.label).startswith("non")), "0")
    yes = next((c.code for c in plan.variable.choices if fold(c.label).startswith("oui")), "1")
    return yes, no


def _horizon(view: PatientView, plan: Plan) -> dt.date | None:
    """The last day that counts, with the few days that "trois mois" leaves open; None when the label sets none."""
    admission = view.timeline.episode.admission
    if admission is None or not plan.offset:
        return None
    return admission + dt.timedelta(days=round(plan.offset * 1.02) + 1)


def _alive(view: PatientView, document: Annotated, offset: float) -> Cite | None:
    """Where a document shows the patient alive ``offset`` days after the admission; None when it does not."""
    day, admission = written_day(document), view.timeline.episode.admission
    if day is None or admission is None or is_summary(document):
        return None
    if view.timeline.document_phase(document) is not Phase.FOLLOW_UP:
        return None
    visit = is_kind(document, FOLLOW_UP)
    if (day - admission).days < (_VISIT_SHARE if visit else _ANY_SHARE) * offset:
        return None
    if _NOT_SEEN.search(document.folded):
        return None
    seen = next((match for pattern in _SEEN for match in document.finditer(pattern)), None)
    return clause(document, seen.start(), seen.end()) if seen else None
