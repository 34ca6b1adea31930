"""Main path: a question about one patient -> the passages of that patient that answer it best."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from retriever.concepts import ConceptIndex
from retriever.lexical import LexicalIndex
from retriever.passages import passages
from retriever.query import query_text
from retriever.timeline import surely_written_by
from schema.concept import ConceptMention
from schema.document import PatientRecord
from schema.passage import Passage
from schema.study import VariableHints
from schema.variable import Question

if TYPE_CHECKING:  # chromadb takes a second to import, and BM25 alone has no use for it
    from retriever.embed import Vectors
    from retriever.index import DenseIndex

#: The constant of reciprocal rank fusion, as in its paper.
RRF_K = 60


class Method(StrEnum):
    """How passages are ranked."""

    BM25 = "bm25"
    DENSE = "dense"
    HYBRID = "hybrid"  # both, by reciprocal rank fusion
    CONCEPTS = "concepts"  # those that the question and the passage name
    HYBRID_CONCEPTS = "hybrid+concepts"  # all three, by reciprocal rank fusion

    @property
    def reads_words(self) -> bool:
        """Whether it ranks by shared words."""
        return self in (Method.BM25, Method.HYBRID, Method.HYBRID_CONCEPTS)

    @property
    def reads_vectors(self) -> bool:
        """Whether it ranks by vectors, and needs an index of them."""
        return self in (Method.DENSE, Method.HYBRID, Method.HYBRID_CONCEPTS)

    @property
    def reads_concepts(self) -> bool:
        """Whether it ranks by concepts, and needs those of the record and of the question."""
        return self in (Method.CONCEPTS, Method.HYBRID_CONCEPTS)


class Retriever(Protocol):
    """Finds passages in the record of one patient."""

    record: PatientRecord

    def retrieve(self, question: Question, k: int = 10, hints: VariableHints | None = None) -> list[Passage]:
        """The k best passages for a question, best first; see `HybridRetriever.retrieve`."""
        ...


@dataclass(frozen=True, slots=True)
class _View:
    """What may be read as of one day: passages by document_id then start, and their indexes."""

    passages: Sequence[Passage]
    lexical: LexicalIndex
    vectors: Vectors | None  # (n, dimension); None when the method has no use for them
    concepts: ConceptIndex


class HybridRetriever:
    """Finds passages in the record of one patient. Holds that patient's passages and nothing of any other.

    Args:
        record: the patient's documents.
        index: where the vectors of these documents are; they must have been upserted. BM25 and concepts do without.
        method: how passages are ranked.
        concepts: mentions by document_id, which the passages then carry.

    Raises:
        ValueError: a document of another patient in the record, or no index for a method that needs one.
        LookupError: from `retrieve`, when a document is not in the index as it is now.
    """

    def __init__(
        self,
        record: PatientRecord,
        index: DenseIndex | None = None,
        method: Method = Method.HYBRID,
        concepts: Mapping[str, Sequence[ConceptMention]] | None = None,
    ) -> None:
        if any(document.patient_id != record.patient_id for document in record.documents):
            raise ValueError(f"the record of patient {record.patient_id} holds a document of another patient")
        if index is None and method.reads_vectors:
            raise ValueError(f"method {method.value!r} needs an index of vectors; give one, or use 'bm25'")
        if concepts is None and method.reads_concepts:
            raise ValueError(f"method {method.value!r} needs the concepts of the record; give them, or use 'hybrid'")
        self.record = record
        self._index = index if method.reads_vectors else None
        self._method = method
        self._concepts = concepts or {}
        self._views: dict[dt.date | None, _View] = {}

    def retrieve(self, question: Question, k: int = 10, hints: VariableHints | None = None) -> list[Passage]:
        """The k best passages for a question, best first, with ``score``, ``rank`` (from 1) and ``method`` set.

        With ``question.as_of``, only documents surely written by that day are read, and word frequencies are
        theirs alone: an undated document, or one dated "2021" when as_of is in June 2021, is left out, since it
        may come from the future. Fewer than k passages are returned when BM25 finds no word in the others. Ties
        go by document_id, then start.

        Raises:
            ValueError: the question is about another patient, or k is not positive.
        """
        if question.patient_id != self.record.patient_id:
            raise ValueError(f"asked about {question.patient_id}, but this is the record of {self.record.patient_id}")
        if k < 1:
            raise ValueError(f"k is {k}; ask for at least one passage")
        query = query_text(question, hints)
        view = self._view(question.as_of)
        rankings: list[NDArray[np.intp]] = []
        scores: NDArray[np.floating] = np.zeros(len(view.passages))
        if self._method.reads_words:
            scores = view.lexical.scores(query)
            rankings.append(_ranked(scores)[: np.count_nonzero(scores)])
        if view.vectors is not None and self._index is not None:
            scores = view.vectors @ self._index.query_vector(query)
            rankings.append(_ranked(scores))
        if self._method.reads_concepts:
            scores = view.concepts.scores(question.concepts)
            rankings.append(_ranked(scores)[: np.count_nonzero(scores)])
        if len(rankings) > 1:
            scores = fused(rankings, len(view.passages))
            rankings = [_ranked(scores)]
        return [
            replace(view.passages[i], score=float(scores[i]), rank=rank, method=self._method.value)
            for rank, i in enumerate(rankings[0][:k], start=1)
        ]

    def _view(self, as_of: dt.date | None) -> _View:
        if as_of not in self._views:
            documents = [d for d in self.record.documents if surely_written_by(d, as_of)]
            found = [p for d in documents for p in passages(d, self._concepts.get(d.document_id, ()))]
            found.sort(key=lambda passage: passage.span)
            vectors = self._index.vectors(self.record.patient_id, found) if self._index else None
            self._views[as_of] = _View(found, LexicalIndex(found), vectors, ConceptIndex(found))
        return self._views[as_of]


def fused(rankings: Sequence[NDArray[np.intp]], size: int) -> NDArray[np.float64]:
    """Reciprocal rank fusion (Cormack, Clarke and Buettcher 2009): sum over rankings of 1 / (60 + rank).

    Args:
        rankings: for each method the positions it found, best first; one it did not find adds nothing.
        size: number of positions.

    Returns:
        The score of each position, shape (size,).
    """
    scores = np.zeros(size)
    for ranking in rankings:
        scores[ranking] += 1 / (RRF_K + np.arange(1, len(ranking) + 1))
    return scores


def _ranked(scores: NDArray[np.floating]) -> NDArray[np.intp]:
    """Positions by falling score; scores equal to six decimals keep their order (they differ by rounding only)."""
    return np.argsort(-np.round(scores, 6), kind="stable")
