"""The retrievers that `retriever evaluate` compares, baselines and ablations included: one line each in `COMPARED`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property, partial

import numpy as np

from rag.compared_models import PARTS, Learned, Models
from rag.concepts import ConceptReader
from retriever.index import DenseIndex
from retriever.lexical import LexicalIndex
from retriever.model import TemporalModel
from retriever.passages import passages
from retriever.prior import PRIORS, Counts, Prior, traits_of
from retriever.query import query_text
from retriever.retrieve import HybridRetriever, Method, Retriever
from retriever.timeline import EncodedTimeline, encode_timeline
from schema.concept import ConceptMention
from schema.document import PatientRecord
from schema.passage import Passage
from schema.study import VariableHints
from schema.variable import Question

_SEED = 0


@dataclass(frozen=True)
class Case:
    """One patient as retrievers need them; concepts are read and vectors made the first time that one is asked for."""

    record: PatientRecord
    reader: ConceptReader
    shared_index: DenseIndex
    shared_spelling: DenseIndex

    @cached_property
    def concepts(self) -> Mapping[str, Sequence[ConceptMention]]:
        """Mentions by document_id."""
        return {document.document_id: self.reader.mentions(document) for document in self.record.documents}

    @cached_property
    def index(self) -> DenseIndex:
        """The index, once it holds this patient's documents."""
        self.shared_index.upsert(self.record.documents)
        return self.shared_index

    @cached_property
    def spelling(self) -> DenseIndex:
        """The same, of vectors that need no trained encoder."""
        self.shared_spelling.upsert(self.record.documents)
        return self.shared_spelling

    @cached_property
    def timeline(self) -> EncodedTimeline:
        """The passages in order of time, without vectors."""
        return encode_timeline(self.record, lambda found: np.zeros((len(found), 0), dtype=np.float32), self.concepts)

    @cached_property
    def shuffled(self) -> PatientRecord:
        """The same documents with their dates dealt out at random, hence in another order: seeded by the patient."""
        documents = self.record.documents
        seed = [_SEED, *self.record.patient_id.encode()]
        drawn = np.random.default_rng(seed).permutation(len(documents))
        dates = [documents[i].written_on for i in drawn]
        dealt = [replace(document, written_on=date) for document, date in zip(documents, dates, strict=True)]
        return PatientRecord.of(self.record.patient_id, dealt)


#: Makes the retriever of one patient.
Make = Callable[[Case, Learned], Retriever]


class Need(StrEnum):
    """What some methods cannot be made without: said to the user, after "needs"."""

    TABLE = "--table"
    MODEL = "--model, or --table and --fit-patients"
    ABLATIONS = "--ablations"
    ENCODER = "a trained encoder"


@dataclass(frozen=True, slots=True)
class Compared:
    """One line of the table.

    Args:
        needs: what it cannot be made without, of `Need`.
        ablation: the temporal retriever without one of its parts, not a baseline.
    """

    make: Make
    needs: Need | None = None
    ablation: bool = False


class RecencyRetriever:
    """The latest document first, from its beginning; undated documents last. Reads nothing of the question."""

    def __init__(self, record: PatientRecord) -> None:
        self.record = record
        dated = [document for document in record.documents if document.written_on]
        undated = [document for document in record.documents if not document.written_on]
        self._passages = [passage for document in (*reversed(dated), *undated) for passage in passages(document)]

    def retrieve(self, question: Question, k: int = 10, hints: VariableHints | None = None) -> list[Passage]:
        """See `retriever.retrieve.Retriever`; ``as_of`` is not read."""
        return [
            replace(passage, score=1 / rank, rank=rank, method="recency")
            for rank, passage in enumerate(self._passages[:k], start=1)
        ]


class PriorRetriever:
    """BM25 times how much more often a variable is written in documents of that kind than anything is.

    Args:
        own: what this patient brought to the prior, to be left out.
    """

    def __init__(self, case: Case, prior: Prior, own: Mapping[str, Counts]) -> None:
        self.record = case.record
        self._prior = prior
        self._own = own
        self._passages = case.timeline.passages
        self._traits = traits_of(case.timeline)
        self._lexical = LexicalIndex(self._passages)

    def retrieve(self, question: Question, k: int = 10, hints: VariableHints | None = None) -> list[Passage]:
        """See `retriever.retrieve.Retriever`; ``as_of`` is not read."""
        odds = self._prior.of(question, self._traits, self._own)[:, PRIORS.index("kind")]
        scores = self._lexical.scores(query_text(question, hints)) * np.exp(odds)
        order = np.argsort(-scores, kind="stable")[: np.count_nonzero(scores)]
        return [
            replace(self._passages[i], score=float(scores[i]), rank=rank, method="bm25+prior")
            for rank, i in enumerate(order[:k], start=1)
        ]


def _by_prior(case: Case, learned: Learned) -> Retriever:
    if learned.prior is None:
        raise ValueError("nothing was learned from a table")
    return PriorRetriever(case, learned.prior, learned.own.get(case.record.patient_id, {}))


def _by_recency(case: Case, _: Learned) -> Retriever:
    return RecencyRetriever(case.record)


def _by_method(method: Method, case: Case, _: Learned) -> Retriever:
    index = case.index if method.reads_vectors else None
    return HybridRetriever(case.record, index, method, case.concepts if method.reads_concepts else None)


def _by_spelling(method: Method, case: Case, _: Learned) -> Retriever:
    return HybridRetriever(case.record, case.spelling, method, case.concepts if method.reads_concepts else None)


def _temporal(case: Case, learned: Learned) -> Retriever:
    return _in_time(case, case.record, _models(learned).whole)


def _shuffled(case: Case, learned: Learned) -> Retriever:
    return _in_time(case, case.shuffled, _models(learned).whole)


def _without(part: str, case: Case, learned: Learned) -> Retriever:
    return _in_time(case, case.record, _models(learned).without[part])


def _in_time(case: Case, record: PatientRecord, model: TemporalModel) -> Retriever:
    from retriever.temporal import TemporalRetriever

    return TemporalRetriever(record, case.index, model, case.concepts)


def _models(learned: Learned) -> Models:
    if learned.models is None:
        raise ValueError("no temporal model was given or trained")
    return learned.models


#: By name, in the order of the tables; the first one is compared with the others.
COMPARED: Mapping[str, Compared] = {
    "temporal": Compared(_temporal, Need.MODEL),
    "temporal-shuffled": Compared(_shuffled, Need.MODEL, ablation=True),
    **{f"temporal-no-{part}": Compared(partial(_without, part), Need.ABLATIONS, ablation=True) for part in PARTS},
    **{method.value: Compared(partial(_by_method, method)) for method in reversed(Method)},
    **{
        f"{method.value}-spelling": Compared(partial(_by_spelling, method), Need.ENCODER)
        for method in reversed(Method)
        if method.reads_vectors
    },
    "bm25+prior": Compared(_by_prior, Need.TABLE),
    "recency": Compared(_by_recency),
}
