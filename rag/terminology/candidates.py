"""Main path of what a text may mention: names as they stand, their variants, and names in several pieces."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz import fuzz

from rag.terminology.abbreviations import defined
from rag.terminology.counts import Found, Names, Place
from rag.terminology.discontinuous import Pieces, Seams
from rag.terminology.memory import LARGEST
from rag.terminology.model import TermIndex
from rag.terminology.reading import Reading
from rag.terminology.remember import Remembered
from rag.terminology.variants import Kind, Sources, Variants


class Candidate(NamedTuple):
    """Tokens of a text that may name a concept.

    Args:
        places: token spans [first, stop), in order; several for a name in several pieces.
        key: what stands there; ``source`` is the name that it is taken for.
        concept: an identifier, or several joined (`rag.terminology.counts.JOIN`).
        likeness: of ``key`` and ``source``, in [0, 1].
        annotations: how often annotated texts give ``concept`` to the names that stand for it here; ``all`` is the
            same for any concept.
        rivals: number of concepts for these tokens.
    """

    places: tuple[Place, ...]
    key: str
    source: str
    concept: str
    kind: Kind
    likeness: float
    annotations: int
    all: int
    rivals: int

    @property
    def first(self) -> int:
        """The first token."""
        return self.places[0][0]

    @property
    def stop(self) -> int:
        """After the last token."""
        return self.places[-1][1]


#: The fields of a `Candidate` from ``source`` on.
_Meaning = tuple[str, str, Kind, float, int, int, int]
_MOST_MEANINGS = 1 << 16  # writings of names that are remembered

#: Says how likely each of several candidates of one place is; the shares sum to 1.
Judge = Callable[[Reading, Sequence[Candidate]], Sequence[float]]


class Finder:
    """Finds what texts may mention. Built once; immutable.

    Args:
        words: keys of words that are no typing error although no name holds them.
    """

    def __init__(self, names: Names, words: Collection[str] = ()) -> None:
        self.names = names
        self._variants: Variants | None = None
        seams = None
        if is_small(names.index):
            every = list(names.all())
            self._variants = Variants(every, words)
            seams = Seams(name for name, _ in every)
        self._pieces = Pieces(names.index, seams)
        self._exact: Remembered[str, tuple[_Meaning, ...]] = Remembered(
            lambda name: self._find_meanings(name, ((name, Kind.EXACT),)), _MOST_MEANINGS
        )
        self._meanings = lru_cache(maxsize=_MOST_MEANINGS)(self._find_meanings)

    def find(self, reading: Reading, found: Found) -> Iterator[Candidate]:
        """Every concept that every span of a text may name.

        Args:
            found: `Names.found` of this text.
        """
        for first, stop, name in found:
            for meaning in self._exact[name]:
                yield Candidate(((first, stop),), name, *meaning)
        taken = {(first, stop) for first, stop, _ in found}
        for first, stop, sources in self._variants.find(reading) if self._variants else ():
            taken.add((first, stop))
            yield from self._of(((first, stop),), reading.key(first, stop), sources)
        for places, name in self._pieces.find(reading):
            yield from self._of(places, name, ((name, Kind.APART),))
        for place, long_form in defined(reading):
            if place not in taken:
                yield from self._of((place,), reading.key(*place), ((long_form, Kind.ABBREVIATED),))

    def _of(self, places: tuple[Place, ...], key: str, sources: Sources) -> Iterator[Candidate]:
        for meaning in self._meanings(key, sources):
            yield Candidate(places, key, *meaning)

    def _find_meanings(self, key: str, sources: Sources) -> tuple[_Meaning, ...]:
        """One candidate for each concept, by its name that is nearest to what is written; less its place and key."""
        best: dict[str, tuple[Kind, float, str]] = {}
        annotations: Counter[str] = Counter()
        for source, kind in sources:
            likeness = 1.0 if source == key else fuzz.ratio(key, source) / 100
            for concept, times in self.names.concepts(source).items():
                annotations[concept] += times
                rank = (kind, -likeness, source)
                if concept not in best or rank < best[concept]:
                    best[concept] = rank
        total = annotations.total()
        return tuple(
            (source, concept, kind, -unlike, annotations[concept], total, len(best))
            for concept, (kind, unlike, source) in best.items()
        )


def is_small(index: TermIndex) -> bool:
    """Whether all names of a dictionary can be held in memory, for their variants."""
    return sum(1 for _ in itertools.islice(index.terms(), LARGEST + 1)) <= LARGEST
