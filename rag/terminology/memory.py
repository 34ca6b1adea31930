"""A dictionary of ordinary size held in memory, for speed: each place of a text is walked down a tree of tokens."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from rag.terminology.model import Match, Term, TermIndex
from rag.terminology.tokens import key
from schema.concept import Concept

#: Names that are held; a larger dictionary stays on the disk.
LARGEST = 200_000

_NAME = ""  # no token is empty: what stands under it in a node is the name that ends there


class MemoryIndex:
    """A `TermIndex` over the names of another one."""

    def __init__(self, index: TermIndex, terms: Sequence[Term]) -> None:
        self._index = index
        self._terms = terms
        by_key: dict[str, list[Term]] = {}
        for term in terms:
            by_key.setdefault(key(term.text), []).append(term)
        by_key.pop("", None)
        self._by_key = {
            # As `StoredIndex.lookup` gives them: by rank, the preferred and the most counted first.
            name: tuple(sorted(some, key=lambda term: (term.rank, not term.preferred, -term.weight)))
            for name, some in by_key.items()
        }
        self._root: dict[str, Any] = {}
        for name, some in self._by_key.items():
            node = self._root
            for token in name.split():
                node = node.setdefault(token, {})
            node[_NAME] = some

    def matches(self, keys: Sequence[str]) -> Iterator[Match]:
        """Every name that stands as consecutive ``keys``, by first token, longest first; they may overlap."""
        count = len(keys)
        for first, node in enumerate(map(self._root.get, keys)):
            if node is None:
                continue
            found: list[Match] = []
            stop = first + 1
            while node is not None:
                if terms := node.get(_NAME):
                    found.append(Match(first, stop, terms))
                node = node.get(keys[stop]) if stop < count else None
                stop += 1
            yield from reversed(found)

    def lookup(self, key: str) -> tuple[Term, ...]:
        """The names whose normalized tokens, joined by a space, are ``key``; best first."""
        return self._by_key.get(key, ())

    def concept(self, concept_id: str) -> Concept:
        """A concept by its identifier; KeyError when there is none."""
        return self._index.concept(concept_id)

    def terms(self) -> Iterator[Term]:
        """Every name."""
        return iter(self._terms)


def in_memory(index: TermIndex) -> TermIndex:
    """The same dictionary, held in memory unless it is large."""
    terms = list(itertools.islice(index.terms(), LARGEST + 1))
    return MemoryIndex(index, terms) if len(terms) <= LARGEST else index
