"""Concepts whose names are like a text: by its letters, and by its meaning where an encoder is at hand.

Letters: TF-IDF of 2- to 4-letter pieces of words, cosine. Meaning: cosine of the vectors of an encoder of names, such
as SapBERT (Liu et al., NAACL 2021), kept in a local folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.terminology.model import Term, TermIndex
from rag.terminology.tokens import fold, tokenize
from schema.problem import InputError, Problem

#: A vocabulary is held in memory: some 2 kB by name, and an encoder reads each name once.
_LARGEST = 1_000_000
_ROWS = 256  # texts compared at once
_LEAST = 0.1  # cosine under which names have nothing in common

Vectors = NDArray[np.float32]


class NameEncoder(Protocol):
    """Turns names into vectors of norm 1, (N, D); `retriever.embed.SentenceTransformerEncoder` is one."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """The vectors of texts."""


@dataclass(frozen=True, slots=True)
class Similar:
    """A concept, by the name of it that is nearest to a text; ``likeness`` is the larger of the cosines, in [0, 1]."""

    term: Term
    likeness: float


class SimilarNames:
    """The names of a dictionary, to be searched by likeness. Built once; immutable."""

    def __init__(self, index: TermIndex, encoder: NameEncoder | None = None) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._terms = _all_terms(index)
        names = [_spelt(term.text) for term in self._terms]
        self._vectorizer = TfidfVectorizer(
            analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, lowercase=False, dtype=np.float32
        )
        self._matrix = self._vectorizer.fit_transform(names).T.tocsr()  # (pieces, names)
        self._encoder = encoder
        self._vectors = encoder.encode([term.text for term in self._terms]) if encoder else None  # (names, D)

    def nearest(self, texts: Sequence[str], limit: int = 10) -> list[list[Similar]]:
        """For each text, up to ``limit`` concepts, nearest first; each concept once, by its nearest name."""
        found: list[list[Similar]] = []
        for first in range(0, len(texts), _ROWS):
            some = texts[first : first + _ROWS]
            likeness = (self._vectorizer.transform(list(map(_spelt, some))) @ self._matrix).toarray()  # (T, names)
            if self._encoder is not None and self._vectors is not None:
                likeness = np.maximum(likeness, self._encoder.encode(some) @ self._vectors.T)
            found += [self._best(row, limit) for row in likeness]
        return found

    def _best(self, row: Vectors, limit: int) -> list[Similar]:
        best: dict[str, Similar] = {}
        # Equal names stand in the vocabulary's order: the sort is stable.
        for place in np.argsort(-row, kind="stable"):
            likeness = float(row[place])
            if likeness < _LEAST or len(best) == limit:
                break
            term = self._terms[place]
            best.setdefault(term.concept_id, Similar(term, min(1.0, likeness)))
        return list(best.values())


def _all_terms(index: TermIndex) -> list[Term]:
    terms: list[Term] = []
    for term in index.terms():
        terms.append(term)
        if len(terms) > _LARGEST:
            what = f"has more than {_LARGEST:,} names, too many to be compared by likeness."
            remedy = "Build a smaller one: --languages, --vocabularies."
            raise InputError(Problem("the terminology", what, remedy))
    return terms


def _spelt(text: str) -> str:
    return " ".join(fold(text[token.start : token.end]) for token in tokenize(text))
