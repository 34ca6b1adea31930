"""A document cut where its sections and sentences end: what every passage is made of, whatever its length."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise

from schema.document import Document

#: (start, end, number of words)
Unit = tuple[int, int, int]

_WORD = re.compile(r"\S+")


def blocks_of(document: Document) -> Iterator[tuple[str, str, int, int]]:
    """The text cut at every border of a section: (title and kind of the innermost section or "", start, end)."""
    text, sections = document.text, document.sections
    borders = sorted({0, len(text), *(s.start for s in sections), *(s.end for s in sections)})
    for start, end in pairwise(borders):
        around = [section for section in sections if section.start <= start < section.end]
        innermost = max(around, key=lambda section: section.start, default=None)
        yield (innermost.title, innermost.kind, start, end) if innermost else ("", "", start, end)


def units_of(document: Document, start: int, end: int, most: int) -> Iterator[Unit]:
    """The sentences of one block, trimmed, cut at ``most`` words; text outside every sentence is a unit too."""
    sentences = document.sentences
    first = max(bisect_right(sentences, (start,)) - 1, 0)
    borders = {start, end}
    for left, right in sentences[first:]:
        if left >= end:
            break
        borders.update(border for border in (left, right) if start < border < end)
    for left, right in pairwise(sorted(borders)):
        words = [match.span() for match in _WORD.finditer(document.text, left, right)]
        for i in range(0, len(words), most):
            piece = words[i : i + most]
            yield piece[0][0], piece[-1][1], len(piece)
