"""The retrievers that `retriever evaluate` compares, baselines and ablations included: one line each in `COMPARED`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from rag.concepts import ConceptReader
from retriever.index import DenseIndex
from retriever.passages import passages
from retriever.retrieve import HybridRetriever, Method, Retriever
from schema.concept import ConceptMention
from schema.document import Document, PatientRecord
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
    def shuffled(self) -> PatientRecord:
        """The same documents with their dates dealt out at random, hence in another order: seeded by the patient."""
        documents = self.record.documents
        seed = [_SEED, *self.record.patient_id.encode()]
        drawn = np.random.default_rng(seed).permutation(len(documents))
        dates = [documents[i].written_on for i in drawn]
        dealt = [replace(document, written_on=date) for document, date in zip(documents, dates, strict=True)]
        return PatientRecord.of(self.record.patient_id, dealt)


#: Makes the retriever of one patient.
Make = Callable[[Case], Retriever]


@dataclass(frozen=True, slots=True)
class Compared:
    """One line of the table.

    Args:
        ablation: the temporal retriever without one of its parts, not a baseline.
    """

    make: Make
    ablation: bool = False


class RecencyRetriever:
    """The latest document first, from its beginning; undated documents last. Reads nothing of the question."""

    def __init__(self, record: PatientRecord) -> None:
        self.record = record
        dated = [document for document in record.documents if document.written_on]
        undated = [document for document in record.documents if not document.written_on]
        self._documents: list[Document] = [*reversed(dated), *undated]

    def retrieve(self, question: Question, k: int = 10, hints: VariableHints | None = None) -> list[Passage]:
        """See `retriever.retrieve.Retriever`; ``as_of`` is not read."""
        found = [passage for document in self._documents for passage in passages(document)]
        return [
            replace(passage, score=1 / rank, rank=rank, method="recency")
            for rank, passage in enumerate(found[:k], start=1)
        ]


def _ranked_by(method: Method, case: Case) -> Retriever:
    index = case.index if method.reads_vectors else None
    return HybridRetriever(case.record, index, method, case.concepts if method.reads_concepts else None)


#: By name, in the order of the tables; the first one is compared with the others.
COMPARED: Mapping[str, Compared] = {
    **{method.value: Compared(partial(_ranked_by, method)) for method in reversed(Method)},
    "recency": Compared(lambda case: RecencyRetriever(case.record)),
}
