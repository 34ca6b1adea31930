"""Values told by reference: "NIHSS inchangé" holds no number, and answers with the one told before."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from retriever.weak_text import Hit, Record, vocabulary

#: How far from the words of a variable those of reference stand, in characters.
_BESIDE = 30
#: The least weight of the words of a variable that a reference may stand beside.
_PLAIN = 0.5


class Reference(NamedTuple):
    """``place`` says that nothing has changed since the passage ``since``, by position in the record."""

    place: Hit
    since: int


def references(
    record: Record, cues: Sequence[Sequence[Hit]], same: Collection[int], other: Collection[int], *, treated: bool
) -> Iterator[Reference]:
    """Places that refer to the value: the last value told before them, of this variable, is that one.

    Args:
        cues: the words of the variable, by passage.
        same, other: passages that tell the value, and another one.
        treated: the value is a treatment: "même traitement" names no drug.
    """
    told = sorted({*same, *other} - ({*same} & {*other}) | {*same}, key=lambda i: _order(record, i))
    for place in _places(record, cues, treated=treated):
        before = [i for i in told if _order(record, i) < _order(record, place.passage) and i != place.passage]
        if before and before[-1] in same:
            yield Reference(place, before[-1])


def _order(record: Record, passage: int) -> tuple[int, str, int]:
    """The time of a passage: the day of its document, then its place; undated documents come last."""
    held = record.passages[passage].passage
    day = held.written_on.earliest().toordinal() if held.written_on else 10**7
    return day, held.span.document_id, held.span.start


def _places(record: Record, cues: Sequence[Sequence[Hit]], *, treated: bool) -> Iterator[Hit]:
    words = vocabulary()
    treatment = words.lists["treatment"]
    for i, read in enumerate(record.passages):
        names = [cue for cue in cues[i] if cue.weight >= _PLAIN]
        if treated:
            names += [Hit(i, match.start(), match.end(), 1.0) for match in treatment.finditer(read.folded)]
        for name in names:
            low, high = read.sentence(name.start)
            start, end = max(low, name.start - _BESIDE), min(high, name.end + _BESIDE)
            if words.unchanged.search(read.folded, start, end):
                yield name
                break
