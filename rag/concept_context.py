"""What a document says of the concepts it names: denied, doubted, another person's, past, on which side.

The context comes from `generator.rules.context`, which the rules that fill a table use too; what is added here is what
a concept needs beyond it: the past (a list of history, an old date, "ancien") and the side of the body.
"""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace

from generator.rules.annotate import Annotated
from generator.rules.context import context_at
from generator.rules.cues import PREFIX, cue_forms
from generator.rules.lexicon import load_lexicon
from generator.rules.matcher import Matcher
from generator.rules.mentions import PRESENT, bounds, clause, dated_before, said_long_ago
from generator.rules.readers.side import SIDE_WORD
from generator.rules.statements import LINE
from rag.terminology.kinds import Kind, kind_of
from schema.concept import ConceptMention, Side
from schema.document import DateKind, DateMention, Document

#: A date this much older than the document is no longer that of the episode which the document tells.
_PAST = dt.timedelta(days=31)
_PAST_REACH = 25
#: "Infarctus à 60 ans", "HTA depuis l'âge de 40 ans".
_AT_AGE = re.compile(r"[^,;.\n\d]{0,25}?\b(?:a|vers|depuis) (?:l'age de )?\d{1,2} ans\b")
#: "non connue", "jamais connu".
_NOT_PAST = re.compile(r"\b(?:non|pas|jamais|peu)\s(?:\w+\s)?$")
_HISTORY_SECTIONS = ("antecedents", "facteurs_risque", "antecedents_familiaux")
#: Words between a concept and its side: "hémiparésie brachio-faciale droite", "sténose de la carotide interne gauche".
_SIDE_REACH = 45
_SIDE_STOP = re.compile(r"[,;:.()\n|!?]|\b(?:avec|et|mais|puis|sans|ni|ou|chez|depuis|sous|car|donc)\b|\d")
#: "gauche > droit", "droite et gauche": the second side of one mention.
_OTHER_SIDE = re.compile(r"\s*(?:et|ou|puis|[/+=<>≥≤-]|plus que)\s*(?:à\s|a\s)?")
_SIDES = {"left": Side.LEFT, "right": Side.RIGHT, "both": Side.BOTH}
#: "Diabétique refusant l'hospitalisation".
_REFUSED = re.compile(r"[^,;:.\n]{0,25}?\brefus")
#: "L'AVC n'a pas été thrombolysé".
_NOT_DONE = re.compile(r"\bn'(?:a|ont|avait|est) pas\b|\bne (?:sont|seront|sera|fut) pas\b")
#: What has gone was there: "aphasie disparue", "l'aphasie a totalement régressé", "disparition de l'aphasie".
_HAS_GONE = re.compile(
    r"(?: [\w'-]+){0,3}? (?:(?:a|ont|avait|avaient|est|sont|etait|etaient|ayant) )?(?:(?:\w+ment|depuis|deja) ){0,2}"
    r"(?:disparue?s?|resolue?s?|resoluti[fv]e?s?|amendee?s?|"
    r"(?:completement|totalement|entierement) (?:regresse|recupere)e?s?|"
    r"(?:regresse|recupere)e?s? (?:completement|totalement|entierement))\b"
)
_GONE_IS_DENIED = re.compile(r"\b(?:non|pas|jamais|partiellement|incompletement|peu)\b|\bn'(?:a|ont|est)\b")
_GOING_OF = re.compile(
    r"\b(?:disparition|resolution)(?: (?:complete|totale|rapide|spontanee|quasi|progressive|\w+ment)){0,2} "
    r"(?:de la|de l'|des|du|de|d'|de son|de sa|de ses) ?$"
)
_ITEM = re.compile(r" ?:")
_DOUBTS = re.compile(r"\W*(?:hypotheses?|dd|diagnostics? differentiels?|suspicions?)(?: \w+){0,2} ?:")
_DENIED_LIST = re.compile(
    r"(?:\s*(?:,|\bet\b|\bou\b)\s*[\w'-]+(?:\s[\w'-]+){0,2}?){1,6}\s"
    r"(?P<denied>(?:(?:sont|restent|etaient|reviennent)\s)?(?:toute?s\s)?"
    r"(?:negati[fv]e?s|absente?s|eliminee?s|ecartee?s|exclue?s)\b)"
)
_BETWEEN = re.compile(r",|\b(?:et|ou)\b")
_AT = re.compile(r" (?:\w+ ){0,2}chez (?:l'|le |la |son |sa |un |une )?")
_OTHER_REACH = 40
_ACTS = frozenset({Kind.PROCEDURE, Kind.DRUG, Kind.DEVICE})
#: Of these a side is never said: a drug, a score, something measured, a way of life.
_SIDELESS = frozenset({Kind.DRUG, Kind.SCALE, Kind.MEASURE, Kind.OTHER})


class ContextReader:
    """Says what a document says of its mentions. Built once; immutable."""

    def __init__(self) -> None:
        forms = dict(cue_forms())
        for name, entry in load_lexicon("concepts").items():
            if entry.get("kind") in ("measure", "score"):  # "NIHSS : 0" counts nothing of what follows
                forms[name] = tuple(entry["forms"])
        self._matcher = Matcher({name: group for name, group in forms.items() if group})

    def annotate(self, document: Document) -> Annotated:
        """The document with the cues and numbers that `read` looks up."""
        return Annotated(document, self._matcher)

    def read(self, annotated: Annotated, mentions: Sequence[ConceptMention]) -> tuple[ConceptMention, ...]:
        """The mentions, with what is said of each; their order is kept.

        ``hypothetical`` is also what is planned, ``negated`` also what was planned and then declined; ``family``
        what is said of any other person.
        """
        kinds = [kind_of(mention.concept) for mention in mentions]
        named = _starts(m for m, kind in zip(mentions, kinds, strict=True) if kind is not Kind.ANATOMY)
        acts = _starts(m for m, kind in zip(mentions, kinds, strict=True) if kind in _ACTS)
        return tuple(
            self._said(annotated, mention, kind, named, acts) for mention, kind in zip(mentions, kinds, strict=True)
        )

    def _said(
        self, annotated: Annotated, mention: ConceptMention, kind: Kind, named: Sequence[int], acts: Sequence[int]
    ) -> ConceptMention:
        start, end = mention.start, mention.end
        sentence = annotated.sentence_of(start)
        context = context_at(annotated, start, end, sentence)
        is_thing = kind in (Kind.DIAGNOSIS, Kind.ANATOMY)  # neither planned nor declined
        if is_thing and context.negated and _is_said_of_an_act(annotated, start, end, acts):
            before = annotated.without_rest(annotated.sentences[sentence][0], end)
            context = context_at(before, start, end, sentence)
        declined = not (is_thing or context.negated) and (
            context.declined or (kind in _ACTS and _is_declined_as_item(annotated, start, end, acts))
        )
        gone = _has_gone(annotated, end) if kind is Kind.DIAGNOSIS else None
        going = kind is Kind.DIAGNOSIS and _is_of_its_going(annotated, start)
        planned = context.planned and not (is_thing or context.negated or declined)
        return replace(
            mention,
            negated=(context.negated and not (going or gone is False))
            or declined
            or _is_denied_in_list(annotated, start, end, named),
            hypothetical=context.hypothetical or planned or _is_listed_as_doubt(annotated, start, end),
            family=context.family or context.other_person or _is_at_anothers(annotated, end),
            history=bool(going or gone) or _is_past(annotated, start, end),
            side=None if kind in _SIDELESS else _side_of(annotated, mention, named),
        )


def _starts(mentions: Iterable[ConceptMention]) -> list[int]:
    return sorted({start for mention in mentions for start, _ in mention.fragments})


def _is_said_of_an_act(annotated: Annotated, start: int, end: int, acts: Sequence[int]) -> bool:
    """Whether a denial after a disease is that of what was not done for it: "AVC récusé pour la thrombectomie"."""
    _, high = clause(annotated, start, end)
    if _REFUSED.match(annotated.folded, end, high):
        return True
    following = bisect_left(acts, end)
    if following == len(acts) or acts[following] >= high:
        return False
    declined = annotated.within(f"{PREFIX}declined", end, acts[following])
    return any(True for _ in declined) or _NOT_DONE.search(annotated.folded, end, acts[following]) is not None


def _is_declined_as_item(annotated: Annotated, start: int, end: int, acts: Sequence[int]) -> bool:
    """Whether a list says after a colon that it was not done: "Thrombolyse : discutée, non faite"."""
    if not _ITEM.match(annotated.folded, end):
        return False
    _, high = bounds(annotated, start, end, LINE)
    following = bisect_left(acts, end)
    high = min(high, acts[following]) if following < len(acts) else high
    return any(True for _ in annotated.within(f"{PREFIX}declined", end, high))


def _is_denied_in_list(annotated: Annotated, start: int, end: int, named: Sequence[int]) -> bool:
    """Whether a plural after a list of names denies all of them: "VIH, VHB, VHC négatives"."""
    _, high = annotated.sentences[annotated.sentence_of(start)]
    listed = _DENIED_LIST.match(annotated.folded, end, high)
    if listed is None:
        return False
    last = bisect_left(named, listed.start("denied")) - 1
    return (
        last >= 0 and named[last] > end and not _BETWEEN.search(annotated.folded, named[last], listed.start("denied"))
    )


def _is_listed_as_doubt(annotated: Annotated, start: int, end: int) -> bool:
    """Whether its line opens with a word of doubt: "Hypothèses : AIT, migraine"."""
    low, _ = bounds(annotated, start, end, LINE)
    return _DOUBTS.match(annotated.folded, low, start) is not None


def _is_at_anothers(annotated: Annotated, end: int) -> bool:
    """Whether a person who is not the patient is named as the one who has it: "grippe chez l'épouse"."""
    others = annotated.within(f"{PREFIX}other_person", end, end + _OTHER_REACH)
    return any(_AT.fullmatch(annotated.folded, end, other.start) for other in others)


def _is_past(annotated: Annotated, start: int, end: int) -> bool:
    """Whether it is told as history: in its section or list, called old, or dated long before the document."""
    if _in_section_of_history(annotated, start):
        return True
    line_low, _ = bounds(annotated, start, end, LINE)
    lists = annotated.within(f"{PREFIX}list.history", line_low, start)
    if any(not PRESENT.search(annotated.folded, cue.end, start) for cue in lists):
        return True
    low, high = clause(annotated, start, end)
    beside = annotated.within(f"{PREFIX}past", max(low, start - _PAST_REACH), min(high, end + _PAST_REACH))
    if any(not _NOT_PAST.search(annotated.folded, low, cue.start) for cue in beside):
        return True
    if said_long_ago(annotated, end, high) or _AT_AGE.match(annotated.folded, end, high):
        return True
    written = annotated.document.written_on
    day = written.to_date() if written else None
    if day is None:
        return False
    # "Le 12/02/2021, premier AIT": a comma may follow the date.
    if dated_before(annotated, (start, end), (line_low, high), day - _PAST, _day_of):
        return True
    told = (m for m in annotated.dates_in(low, start) if not PRESENT.search(annotated.folded, m.end, start))
    return any((then := _day_of(m)) is not None and then < day - _PAST for m in told)


def _has_gone(annotated: Annotated, end: int) -> bool | None:
    """Whether its clause says that it is over: "aphasie disparue à H2"; None when it says nothing of its end.

    Of one that "n'a pas disparu", what the clause denies is the going.
    """
    _, high = clause(annotated, end, end)
    gone = _HAS_GONE.match(annotated.folded, end, high)
    return None if gone is None else not _GONE_IS_DENIED.search(gone.group())


def _is_of_its_going(annotated: Annotated, start: int) -> bool:
    """Whether it is named as what goes: "disparition de l'aphasie"."""
    low, _ = clause(annotated, start, start)
    return _GOING_OF.search(annotated.folded[low:start]) is not None


def _in_section_of_history(annotated: Annotated, start: int) -> bool:
    """Whether a section of history holds the place; "ATCD : HTA. Adressé pour AVC": its first line may leave it."""
    if not annotated.in_section(start, _HISTORY_SECTIONS):
        return False
    opening = annotated.folded[annotated.section_of(start).start : start]
    return "\n" in opening or not PRESENT.search(opening)


def _day_of(mention: DateMention) -> dt.date | None:
    if mention.date is None or mention.kind in (DateKind.CLOCK, DateKind.DAY_OFFSET):
        return None
    return mention.date.latest()


def _side_of(annotated: Annotated, mention: ConceptMention, starts: Sequence[int]) -> Side | None:
    """The side in the mention's own words, or the first one after it before any other mention or stop."""
    text = annotated.document.text
    end = mention.end
    _, sentence_end = annotated.sentences[annotated.sentence_of(mention.start)]
    for start, stop in mention.fragments:
        if own := SIDE_WORD.search(text, start, stop):
            return _with_other(text, own, sentence_end)
    following = bisect_right(starts, end - 1)
    limit = starts[following] if following < len(starts) else len(text)
    limit = min(limit, sentence_end, end + _SIDE_REACH)
    side = SIDE_WORD.search(text, end, limit)
    if side is None or _SIDE_STOP.search(annotated.folded, end, side.start()):
        return None
    return _with_other(text, side, sentence_end)


def _with_other(text: str, side: re.Match[str], limit: int) -> Side:
    joint = _OTHER_SIDE.match(text, side.end(), limit)
    other = SIDE_WORD.match(text, joint.end(), limit) if joint else None
    if other and other.lastgroup != side.lastgroup:
        return Side.BOTH
    return _SIDES[side.lastgroup or "both"]
