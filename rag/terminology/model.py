"""What a terminology is made of, and what the matcher asks of its index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from schema.concept import Concept


@dataclass(frozen=True, slots=True)
class Term:
    """One name of one concept.

    Args:
        text: as the vocabulary writes it.
        language: ISO 639-1 ("fr", "en"); "" when unknown.
        preferred: the vocabulary prefers this name of the concept in this language.
        rank: precedence of the source, 0 first (UMLS MRRANK, or the order in which sources were loaded).
        weight: number of times this name was seen with this concept in annotated text; 0 when never counted.
    """

    text: str
    concept_id: str
    language: str = "fr"
    preferred: bool = False
    rank: int = 0
    weight: int = 0


class Match(NamedTuple):
    """Tokens [first, stop) of a text are, once normalized, a name of ``terms``' concepts."""

    first: int
    stop: int
    terms: tuple[Term, ...]


class TermIndex(Protocol):
    """Names by their normalized tokens (`rag.terminology.tokens`)."""

    def matches(self, keys: Sequence[str]) -> Iterator[Match]:
        """Every name that stands as consecutive ``keys``, by first token, longest first; they may overlap."""

    def lookup(self, key: str) -> tuple[Term, ...]:
        """The names whose normalized tokens, joined by a space, are ``key``."""

    def concept(self, concept_id: str) -> Concept:
        """A concept by its identifier; KeyError when there is none."""

    def terms(self) -> Iterator[Term]:
        """Every name."""
