"""Names in several pieces: coordinations that say a part once, and names with words put inside.

"insuffisance rénale et cardiaque" also says "insuffisance … cardiaque"; "artères et veines rénales" also says
"artères … rénales"; "sténose serrée de la carotide" says "sténose … de la carotide".
"""

from __future__ import annotations

import functools
import itertools
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from pathlib import Path

from rag.terminology.model import TermIndex
from rag.terminology.reading import Reading
from rag.terminology.tokens import keys

Place = tuple[int, int]

_LEFT, _RIGHT = 6, 4  # words looked at on each side
_MOST_SKIPPED = 4  # words of a shared part's first sibling
_MOST_INSIDE = 2  # words put inside a name
_PREPOSITIONS = frozenset(("de", "à", "par", "en", "sur"))


#: A token that no name holds: it keeps the windows of one search apart.
_BORDER = "\n"


class Seams:
    """The neighbouring keys of names, given by key.

    Attributes:
        before, after: by key, those that stand before it, and after it, in some name.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.before: dict[str, set[str]] = {}
        self.after: dict[str, set[str]] = {}
        for name in names:
            for left, right in itertools.pairwise(name.split()):
                self.before.setdefault(right, set()).add(left)
                self.after.setdefault(left, set()).add(right)


class Pieces:
    """The names of a dictionary, to be found in two pieces.

    Args:
        seams: those of its names, which spare most searches; None when they are too many to be held.
    """

    def __init__(self, index: TermIndex, seams: Seams | None) -> None:
        self._index = index
        self._seams = seams

    def find(self, reading: Reading) -> list[tuple[tuple[Place, ...], str]]:
        """The names that stand in two pieces: token spans, and the name's key; each once, by place."""
        tokens = reading.keys
        joined: list[str] = []
        starts: list[int] = []
        windows: list[tuple[Place, Place]] = []
        for left, right in self._junctions(tokens):
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

    def _junctions(self, tokens: list[str]) -> Iterator[tuple[Place, Place]]:
        """Two windows whose end and start, put together, may be a name."""
        links = _links()
        joints = links | _PREPOSITIONS
        for place in [place for place, word in enumerate(tokens) if word in joints]:
            if tokens[place] in links:
                if 0 < place < len(tokens) - 1 and self._may_join(tokens[place - 1], tokens[place + 1]):
                    yield from self._around_link(tokens, place)
                continue
            # "sténose [serrée] de la carotide"
            for stop in self._stops(tokens, place - _MOST_INSIDE, place, tokens[place])[::-1]:
                if all(tokens[other][0].isalpha() for other in range(stop - 1, place)):
                    yield (max(_start(tokens, place), stop - 1), stop), (place, _end(tokens, place))

    def _around_link(self, tokens: list[str], place: int) -> Iterator[tuple[Place, Place]]:
        after = place + 1
        # Shared beginning: "insuffisance [rénale et] cardiaque".
        cuts = [(stop, after) for stop in self._stops(tokens, place - _MOST_SKIPPED, place, tokens[after])]
        # Shared ending: "artères [et veines] rénales".
        cuts += [(place, first) for first in self._firsts(tokens, tokens[place - 1], after + 1)]
        if cuts:
            start, end = _start(tokens, place), _end(tokens, after)
            yield from (((start, stop), (first, end)) for stop, first in cuts if start < stop and first < end)

    def _may_join(self, before: str, after: str) -> bool:
        """Whether the tokens around a link may end, or begin, one of two pieces: a test that costs little."""
        if not after[0].isalnum():
            return False
        return self._seams is None or after in self._seams.before or before in self._seams.after

    def _stops(self, tokens: list[str], least: int, most: int, right: str) -> list[int]:
        """The places in [least, most) whose token before may stand before ``right`` in a name."""
        places = range(max(1, least), most)
        if self._seams is None:
            return list(places)
        lefts = self._seams.before.get(right)
        return [stop for stop in places if tokens[stop - 1] in lefts] if lefts else []

    def _firsts(self, tokens: list[str], left: str, least: int) -> list[int]:
        """The places from ``least`` on whose token may stand after ``left`` in a name."""
        places = range(least, min(least + _MOST_SKIPPED, len(tokens)))
        if self._seams is None:
            return list(places)
        rights = self._seams.after.get(left)
        return [first for first in places if tokens[first] in rights] if rights else []


def _start(tokens: list[str], place: int) -> int:
    start, least, links = place, max(0, place - _LEFT), _links()
    while start > least and (tokens[start - 1][0].isalnum() or tokens[start - 1] in links):
        start -= 1
    return start


def _end(tokens: list[str], place: int) -> int:
    end, most = place, min(len(tokens), place + _RIGHT)
    while end < most and tokens[end][0].isalnum():
        end += 1
    return end


@functools.cache
def _links() -> frozenset[str]:
    """The keys of ``coordinations_fr.txt``."""
    lines = Path(__file__).with_name("coordinations_fr.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in keys(line))
