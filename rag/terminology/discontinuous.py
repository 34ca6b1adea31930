"""Names in several pieces: coordinations that say a part once, and names with words put inside.

"insuffisance rénale et cardiaque" also says "insuffisance … cardiaque"; "artères et veines rénales" also says
"artères … rénales"; "sténose serrée de la carotide" says "sténose … de la carotide".
"""

from __future__ import annotations

import functools
import itertools
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from rag.terminology.model import TermIndex
from rag.terminology.reading import Reading
from rag.terminology.tokens import keys

Place = tuple[int, int]

_LEFT, _RIGHT = 6, 4  # words looked at on each side
_MOST_SKIPPED = 4  # words of a shared part's first sibling
_MOST_INSIDE = 2  # words put inside a name
_PREPOSITIONS = ("de", "à", "par", "en", "sur")


#: A token that no name holds: it keeps the windows of one search apart.
_BORDER = "\n"


class Pieces:
    """The names of a dictionary, to be found in two pieces.

    Args:
        seams: the pairs of neighbouring keys of its names (`seams_of`), which spare most searches; None when they are
            too many to be held.
    """

    def __init__(self, index: TermIndex, seams: Collection[tuple[str, str]] | None) -> None:
        self._index = index
        self._seams = seams

    def find(self, reading: Reading) -> list[tuple[tuple[Place, ...], str]]:
        """The names that stand in two pieces: token spans, and the name's key; each once, by place."""
        tokens = reading.keys
        joined: list[str] = []
        starts: list[int] = []
        windows: list[tuple[Place, Place]] = []
        for left, right in _junctions(tokens):
            if self._seams is None or (tokens[left[1] - 1], tokens[right[0]]) in self._seams:
                starts.append(len(joined))
                windows.append((left, right))
                joined += [*tokens[left[0] : left[1]], *tokens[right[0] : right[1]], _BORDER]
        found: dict[tuple[Place, ...], str] = {}
        for match in self._index.matches(joined) if joined else ():
            at = bisect_right(starts, match.first) - 1
            (start, end), (other, _) = windows[at]
            first, stop = match.first - starts[at], match.stop - starts[at]
            if first < end - start < stop:
                places = ((start + first, end), (other, other + stop - (end - start)))
                found.setdefault(places, " ".join(joined[match.first : match.stop]))
        return sorted(found.items())


def seams_of(names: Iterable[str]) -> set[tuple[str, str]]:
    """The pairs of neighbouring keys of names, given by key."""
    return {pair for name in names for pair in itertools.pairwise(name.split())}


def _junctions(tokens: list[str]) -> Iterator[tuple[Place, Place]]:
    """Two windows whose end and start, put together, may be a name."""
    links = _links()
    for place, word in enumerate(tokens):
        if word in links:
            start, end = _start(tokens, place), _end(tokens, place + 1)
            if start == place or end == place + 1:
                continue
            # Shared beginning: "insuffisance [rénale et] cardiaque".
            for stop in range(max(start + 1, place - _MOST_SKIPPED), place):
                yield (start, stop), (place + 1, end)
            # Shared ending: "artères [et veines] rénales".
            for first in range(place + 2, min(place + 2 + _MOST_SKIPPED, end)):
                yield (start, place), (first, end)
        elif word in _PREPOSITIONS:
            # "sténose [serrée] de la carotide"
            for inside in range(1, _MOST_INSIDE + 1):
                stop = place - inside
                if stop > 0 and all(tokens[other][0].isalpha() for other in range(stop - 1, place)):
                    yield (max(_start(tokens, place), stop - 1), stop), (place, _end(tokens, place))


def _start(tokens: list[str], place: int) -> int:
    start = place
    while start > max(0, place - _LEFT) and (tokens[start - 1][0].isalnum() or tokens[start - 1] in _links()):
        start -= 1
    return start


def _end(tokens: list[str], place: int) -> int:
    end = place
    while end < min(len(tokens), place + _RIGHT) and tokens[end][0].isalnum():
        end += 1
    return end


@functools.cache
def _links() -> frozenset[str]:
    """The keys of ``coordinations_fr.txt``."""
    lines = Path(__file__).with_name("coordinations_fr.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in keys(line))
