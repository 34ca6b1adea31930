"""A text with some of its spans replaced, and positions taken from one text to the other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Replacement(NamedTuple):
    """Write ``new`` in place of ``text[start:end]``."""

    start: int
    end: int
    new: str


@dataclass(frozen=True, slots=True)
class DeidentifiedText:
    """The text after its replacements. Positions are code points, end excluded.

    Args:
        original_length: code points of the text before.
        replaced: (start, end) before and (start, end) after of each replacement, in order.
    """

    text: str
    original_length: int
    replaced: tuple[tuple[int, int, int, int], ...]

    def to_original(self, start: int, end: int) -> tuple[int, int]:
        """Where ``text[start:end]`` stood. A position inside a replacement stands for the whole of it."""
        return self._across(start, end, len(self.text), (2, 3, 0, 1))

    def from_original(self, start: int, end: int) -> tuple[int, int]:
        """Where [start, end) of the original stands in ``text``; inside a replacement, the whole of it."""
        return self._across(start, end, self.original_length, (0, 1, 2, 3))

    def _across(self, start: int, end: int, length: int, order: tuple[int, int, int, int]) -> tuple[int, int]:
        if not 0 <= start <= end <= length:
            raise ValueError(f"[{start}, {end}) is not in a text of {length} characters")
        from_start, from_end, to_start, to_end = order
        places = []
        for position, is_end in ((start, False), (end, True)):
            # A boundary belongs to no replacement: an end at its start comes before it, a start at its end after it.
            index = bisect_right(self.replaced, position - is_end, key=lambda row: row[from_start]) - 1
            if index < 0:
                places.append(position)
                continue
            row = self.replaced[index]
            if position < row[from_end] or (is_end and position == row[from_end]):
                places.append(row[to_end] if is_end else row[to_start])
            else:
                places.append(position - row[from_end] + row[to_end])
        return places[0], max(places)


def apply(text: str, replacements: Sequence[Replacement]) -> DeidentifiedText:
    """Replace spans, given in order.

    Raises:
        ValueError: they overlap, are empty, or lie outside the text.
    """
    pieces: list[str] = []
    rows = []
    position = length = 0
    for start, end, new in replacements:
        if not position <= start < end <= len(text):
            raise ValueError(f"[{start}, {end}) is empty, out of order, or outside a text of {len(text)} characters")
        pieces += (text[position:start], new)
        length += start - position
        rows.append((start, end, length, length + len(new)))
        length += len(new)
        position = end
    pieces.append(text[position:])
    return DeidentifiedText("".join(pieces), len(text), tuple(rows))
