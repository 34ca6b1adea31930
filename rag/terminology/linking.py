"""Main path of linking a name by itself: text -> the concepts nearest in writing and meaning -> re-ranked.

For what no dictionary holds as it is written: the span of another recognizer, a label, a question. Mentions in running
text are `rag.terminology.linker`'s.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.terminology.model import TermIndex
from rag.terminology.reading import function_words
from rag.terminology.similar import NameEncoder, Similar, SimilarNames
from rag.terminology.tokens import keys
from schema.concept import Concept

if TYPE_CHECKING:
    from rag.terminology.rerank import Reranker

#: What orders names that are about equally like: none of these outweighs a clear difference of likeness.
_PREFERRED, _TYPE, _CONTEXT, _RANK = 0.03, 0.1, 0.1, 0.01
_LAST_RANK = 5


@dataclass(frozen=True, slots=True)
class Link:
    """A concept that a text may name, by its nearest name.

    Args:
        likeness: of the text and that name, in [0, 1].
        score: what the links are ordered by; with a re-ranker, its probability among those given.
    """

    concept: Concept
    name: str
    likeness: float
    score: float


class ConceptLinker:
    """Links names to the concepts of a dictionary. Built once; immutable.

    Args:
        encoder: also compares meanings.
        reranker: orders the nearest concepts, in place of the vocabulary's precedence, types and context.
    """

    def __init__(self, index: TermIndex, encoder: NameEncoder | None = None, reranker: Reranker | None = None) -> None:
        self._index = index
        self._similar = SimilarNames(index, encoder)
        self._reranker = reranker

    def link(
        self, text: str, *, start: int = 0, end: int | None = None, types: Collection[str] = (), limit: int = 10
    ) -> list[Link]:
        """The concepts that text[start:end] may name, best first.

        Args:
            text: the sentence around the name, or the name alone.
            types: semantic types that are looked for; the others come after.
            limit: how many concepts are looked at.
        """
        end = len(text) if end is None else end
        (found,) = self._similar.nearest([text[start:end]], limit)
        concepts = [self._index.concept(one.term.concept_id) for one in found]
        if self._reranker is not None and found:
            from rag.terminology.rerank import Pair, described, in_context

            context = in_context(text, start, end)
            pairs = [
                Pair(context, described(concept, one.term.text)) for concept, one in zip(concepts, found, strict=True)
            ]
            scores: list[float] = self._reranker.shares(pairs).tolist()
        else:
            around = set(keys(text[:start])) | set(keys(text[end:]))
            scores = [_score(one, concept, around, types) for concept, one in zip(concepts, found, strict=True)]
        links = [
            Link(concept, one.term.text, one.likeness, score)
            for concept, one, score in zip(concepts, found, scores, strict=True)
        ]
        return sorted(links, key=lambda link: -link.score)


def _score(one: Similar, concept: Concept, around: Collection[str], types: Collection[str]) -> float:
    words = set(keys(concept.label)) - function_words() - set(keys(one.term.text))
    said = len(words.intersection(around)) / max(1, len(words))
    return (
        one.likeness
        + _PREFERRED * one.term.preferred
        + _TYPE * (not types or any(name in types for name in concept.semantic_types))
        + _CONTEXT * said
        - _RANK * min(one.term.rank, _LAST_RANK)
    )
