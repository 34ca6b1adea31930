"""A place in a document that backs a value."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from generator.rules.annotate import Annotated
from schema.value import Evidence


@dataclass(frozen=True, slots=True)
class Cite:
    """A stretch of one document that backs a value; positions in ``document.document.text``."""

    document: Annotated
    start: int
    end: int

    def evidence(self) -> Evidence:
        """The quote, at its place in the text as given by the user."""
        document = self.document.document
        span = document.locate(self.start, self.end)
        return Evidence(span.document_id, span.start, span.end, document.source_text[span.start : span.end])


def spread(cites: Iterable[Cite], most: int, second: Callable[[Annotated], bool] = lambda _: False) -> tuple[Cite, ...]:
    """The first cite of each document, in the order given, then the others: a value told twice is better backed.

    The first cite of a document that ``second`` holds for comes no later than second: the discharge summary, beside
    the report of the act.
    """
    distinct = list(dict.fromkeys(cites))
    first = {cite.document.document.document_id: cite for cite in reversed(distinct)}.values()
    distinct.sort(key=lambda cite: cite not in first)
    promoted = next((cite for cite in distinct[1:] if second(cite.document)), None)
    if promoted is not None and not second(distinct[0].document):
        distinct.remove(promoted)
        distinct.insert(1, promoted)
    return tuple(distinct[:most])


_CUT = ".;\n|"
_SOFT_CUT = ",:()"
_LONGEST = 120


def clause(document: Annotated, start: int, end: int) -> Cite:
    """The clause around [start, end): the whole sentence when it is short, else up to the nearest punctuation."""
    low, high = document.sentences[document.sentence_of(start)]
    high = max(high, end)
    text = document.folded
    if high - low > _LONGEST:
        room = max(0, _LONGEST - (end - start))
        low = _open(text, start, max(low, start - room // 2))
        high = _close(text, end, min(high, end + room // 2))
    while low < start and (text[low].isspace() or text[low] in ".,;:|)-•*"):
        low += 1
    while high > end and (text[high - 1].isspace() or text[high - 1] in ",;:|(-"):
        high -= 1
    return Cite(document, low, high)


def _open(text: str, start: int, low: int) -> int:
    for marks in (_CUT, _SOFT_CUT):
        cut = max(text.rfind(mark, low, start) for mark in marks)
        if cut >= 0:
            return cut + 1
    space = text.find(" ", low, start)
    return start if space < 0 else space + 1


def _close(text: str, end: int, high: int) -> int:
    if end >= high:
        return end
    for marks in (_CUT, _SOFT_CUT):
        cuts = [cut for mark in marks if (cut := text.find(mark, end, high)) >= 0]
        if cuts:
            return min(cuts)
    space = text.rfind(" ", end, high)
    return end if space < 0 else space
