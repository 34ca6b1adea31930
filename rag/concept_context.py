"""What a document says of the concepts it names: denied, doubted, another person's, past, on which side.

The context comes from `generator.rules.context`, which the rules that fill a table use too; what is added here is what
a concept needs beyond it: the past (a list of history, an old date, "ancien") and the side of the body.
"""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_right
from collections.abc import Sequence
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
        named = [mention for mention in mentions if kind_of(mention.concept) is not Kind.ANATOMY]
        starts = sorted({start for mention in named for start, _ in mention.fragments})
        return tuple(self._said(annotated, mention, starts) for mention in mentions)

    def _said(self, annotated: Annotated, mention: ConceptMention, starts: Sequence[int]) -> ConceptMention:
        start, end = mention.start, mention.end
        context = context_at(annotated, start, end, annotated.sentence_of(start))
        declined = context.declined and not context.negated
        return replace(
            mention,
            negated=context.negated or declined,
            hypothetical=context.hypothetical or (context.planned and not (declined or context.negated)),
            family=context.family or context.other_person,
            history=_is_past(annotated, start, end),
            side=_side_of(annotated, mention, starts),
        )


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
    if kind_of(mention.concept) in _SIDELESS:
        return None
    text = annotated.document.text
    for start, end in mention.fragments:
        if own := SIDE_WORD.search(text, start, end):
            return _with_other(text, own, end)
    end = mention.end
    following = bisect_right(starts, end - 1)
    limit = starts[following] if following < len(starts) else len(text)
    _, sentence_end = annotated.sentences[annotated.sentence_of(mention.start)]
    limit = min(limit, sentence_end, end + _SIDE_REACH)
    side = SIDE_WORD.search(text, end, limit)
    if side is None or _SIDE_STOP.search(annotated.folded, end, side.start()):
        return None
    return _with_other(text, side, min(sentence_end, side.end() + _SIDE_REACH))


def _with_other(text: str, side: re.Match[str], limit: int) -> Side:
    joint = _OTHER_SIDE.match(text, side.end(), limit)
    other = SIDE_WORD.match(text, joint.end(), limit) if joint else None
    if other and other.lastgroup != side.lastgroup:
        return Side.BOTH
    return _SIDES[side.lastgroup or "both"]
