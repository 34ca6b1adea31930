"""Position maps: from the readable text back to the text as given.

A map is a few straight runs, not one number per character: cleaning copies long stretches unchanged, so a
document of 1,500 characters needs a handful of runs.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, overload


class Edit(NamedTuple):
    """Replace ``text[start:end]`` by ``new``."""

    start: int
    end: int
    new: str


@dataclass(frozen=True, slots=True)
class OffsetMap(Sequence[int]):
    """``map[i]`` is the offset, in the text before cleaning, of character ``i`` of the text after it.

    Args:
        length: number of characters after cleaning.
        starts: where each run begins after cleaning; ascending, the first is 0.
        sources: where each run begins before cleaning.
    """

    length: int
    starts: tuple[int, ...] = (0,)
    sources: tuple[int, ...] = (0,)

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[int]: ...
    def __getitem__(self, index: int | slice) -> int | Sequence[int]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self.length))]
        if index < 0:
            index += self.length
        if not 0 <= index < self.length:
            raise IndexError(f"position {index} is outside a text of {self.length} characters")
        run = bisect_right(self.starts, index) - 1
        return self.sources[run] + index - self.starts[run]

    def after(self, later: OffsetMap) -> OffsetMap:
        """The map of two cleanings, ``self`` having been done first and ``later`` on its result."""
        starts: list[int] = []
        sources: list[int] = []
        ends = (*later.starts[1:], later.length)
        for start, end, middle in zip(later.starts, ends, later.sources, strict=True):
            run = bisect_right(self.starts, middle) - 1
            while run < len(self.starts):
                at = max(self.starts[run], middle)
                if at - middle >= end - start:
                    break
                starts.append(start + at - middle)
                sources.append(self.sources[run] + at - self.starts[run])
                run += 1
        return OffsetMap(later.length, tuple(starts) or (0,), tuple(sources) or (0,))


def apply(text: str, edits: Iterable[Edit]) -> tuple[str, OffsetMap]:
    """Apply edits, given in order and without overlap, and say where every character came from.

    Characters of a replacement that is longer than what it replaces all come from its last character.
    """
    pieces: list[str] = []
    starts = [0]
    sources = [0]
    position = length = 0

    def run_begins(source: int) -> None:
        if starts[-1] == length:
            sources[-1] = source
        else:
            starts.append(length)
            sources.append(source)

    for start, end, new in edits:
        pieces.append(text[position:start])
        length += start - position
        for i, character in enumerate(new):
            run_begins(min(start + i, end - 1))
            pieces.append(character)
            length += 1
        position = end
        run_begins(end)
    pieces.append(text[position:])
    return "".join(pieces), OffsetMap(length + len(text) - position, tuple(starts), tuple(sources))
