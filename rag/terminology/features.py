"""What is known of a candidate before it is kept or left: one row of numbers."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping

from rag.terminology.candidates import Candidate
from rag.terminology.counts import Counts, Found, Place, pair, word_parts
from rag.terminology.reading import Reading

_UNKNOWN = -1.0


class Rows:
    """The rows of one text's candidates.

    Args:
        found: `Names.found` of this text.
        types: a number for each semantic type (`number_types`).
    """

    def __init__(self, reading: Reading, counts: Counts, found: Found, types: Mapping[str, int]) -> None:
        self._reading = reading
        self._counts = counts
        self._types = types
        self._found = found
        self._times = Counter(name for _, _, name in found)
        self._firsts = [first for first, _, _ in found]
        self._longest = max((stop - first for first, stop, _ in found), default=0)
        self._places: dict[tuple[tuple[Place, ...], str], list[float]] = {}

    def row(self, candidate: Candidate) -> list[float]:
        """The features of one candidate."""
        reading = self._reading
        edges = (reading.words[candidate.stop - 1], reading.words[candidate.first])
        return [
            *self._use(candidate),
            *self._kept_place(candidate),
            *self._concept(candidate),
            *(number for word in edges for number in self._word(word)),
        ]

    def _use(self, candidate: Candidate) -> list[float]:
        """How annotated texts use the name."""
        counts, name, prose = self._counts, candidate.source, self._reading.prose
        seen, marked = _sum(counts.seen, name), _sum(counts.marked, name)
        inside, marked_inside = counts.seen_inside[name], counts.marked_inside[name]
        written = self._reading.written(candidate.first, candidate.stop)
        annotated = counts.written.get(written)
        return [
            seen,
            marked,
            share(marked, seen),
            counts.seen[prose][name],
            share(counts.marked[prose][name], counts.seen[prose][name]),
            counts.seen[not prose][name],
            share(counts.marked[not prose][name], counts.seen[not prose][name]),
            counts.seen_written[written],
            share(annotated.total() if annotated else 0, counts.seen_written[written]),
            inside,
            share(marked_inside, inside),
            share(marked - marked_inside, seen - inside),
            counts.unnamed[prose][candidate.key],
            _sum(counts.unnamed, candidate.key),
        ]

    def _kept_place(self, candidate: Candidate) -> list[float]:
        """`_place`, once for all the concepts of a place."""
        at = candidate.places, candidate.key
        if at not in self._places:
            self._places[at] = self._place(candidate)
        return self._places[at]

    def _place(self, candidate: Candidate) -> list[float]:
        """Where it stands."""
        reading, counts = self._reading, self._counts
        first, stop = candidate.first, candidate.stop
        start, end = reading.span(first, stop)
        written = reading.text[start:end]
        near = self._near(first, stop)
        longer = [one for one in near if one[0] <= first and stop <= one[1]]
        shorter = [one for one in near if first <= one[0] and one[1] <= stop]
        crossing = any(a < first < b < stop or first < a < stop < b for a, b, _ in near)
        held = [
            (counts.marked_in[pair(one[2], candidate.key)], counts.seen_in[pair(one[2], candidate.key)])
            for one in longer
        ]
        before, after = reading.around(first, stop)
        return [
            stop - first,
            len(written),
            len(longer),
            len(shorter),
            crossing,
            max((share(_sum(counts.marked, one[2]), _sum(counts.seen, one[2])) for one in longer), default=_UNKNOWN),
            share(sum(m for m, _ in held), sum(s for _, s in held)) if held else _UNKNOWN,
            sum(s for _, s in held),
            written[0].isupper(),
            written.isupper() and len(written) > 1,
            reading.keys[first].isdigit(),
            share(counts.before_marked[before], counts.before[before], 5),
            counts.before[before],
            share(counts.after_marked[after], counts.after[after], 5),
            counts.after[after],
            reading.depths[first],
            self._times[candidate.key],
            reading.prose,
            len(reading.keys),
            not before[0].isalnum(),
            not after[0].isalnum(),
            len(candidate.places),
        ]

    def _concept(self, candidate: Candidate) -> list[float]:
        """What is known of this concept under this name."""
        counts, prose = self._counts, self._reading.prose
        here = counts.concepts[prose].get(candidate.source, _NONE)
        written = counts.written.get(self._reading.written(candidate.first, candidate.stop), _NONE)
        return [
            candidate.rivals,
            share(candidate.annotations, candidate.all),
            candidate.annotations,
            candidate.all,
            share(here[candidate.concept], here.total()),
            share(written[candidate.concept], written.total()),
            self._types.get(counts.types.get(candidate.concept, ""), _UNKNOWN),
            candidate.kind,
            candidate.likeness,
        ]

    def _word(self, word: str) -> list[float]:
        """How far this word, and others with the same endings and beginning, are words that annotators mark."""
        counts = self._counts
        own = counts.whole_words.get(word)
        rest = [
            (counts.parts[part] - (own is not None), counts.parts_marked.get(part, 0.0) - (own or 0.0))
            for part in word_parts(word) or _NO_PARTS
        ]
        return [*(share(marked, times) for times, marked in rest), rest[-1][0], _UNKNOWN if own is None else own]

    def _near(self, first: int, stop: int) -> list[tuple[int, int, str]]:
        """The names that touch tokens [first, stop) and are not they."""
        low = bisect_left(self._firsts, first - self._longest)
        some = self._found[low : bisect_left(self._firsts, stop)]
        return [one for one in some if one[1] > first and (one[0], one[1]) != (first, stop)]


_NONE: Counter[str] = Counter()
_NO_PARTS = ("", "", "")


def number_types(counts: Counts) -> dict[str, int]:
    """A number for each semantic type of the annotations."""
    return {name: place for place, name in enumerate(sorted(set(counts.types.values())))}


def share(part: float, whole: float, doubt: float = 1.0) -> float:
    """A share pulled towards one half by ``doubt`` further cases; one half when nothing was seen."""
    return (part + doubt / 2) / (whole + doubt)


def _sum(both: tuple[Counter[str], Counter[str]], name: str) -> int:
    return both[0][name] + both[1][name]
