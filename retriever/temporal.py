"""Main path: a question about one patient -> the passages that answer it, read in the order of the patient's time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from retriever.embed import Vectors
from retriever.index import DenseIndex
from retriever.model import ReadTimeline, TemporalModel
from retriever.query import query_text
from retriever.select import select
from retriever.timeline import encode_timeline
from schema.concept import ConceptMention
from schema.document import PatientRecord
from schema.passage import Passage
from schema.problem import InputError, Problem
from schema.study import VariableHints
from schema.variable import Question

METHOD = "temporal"


class TemporalRetriever:
    """Finds passages of one patient, each document read in the light of those before it.

    Args:
        record: the patient's documents.
        index: where the vectors of these documents are; they must have been upserted.
        model: trained on vectors of the same encoder.
        concepts: mentions by document_id; without them one source of evidence is missing.

    Raises:
        InputError: the model was trained on another encoder.
        LookupError: from `retrieve`, when a document is not in the index as it is now.
    """

    def __init__(
        self,
        record: PatientRecord,
        index: DenseIndex,
        model: TemporalModel,
        concepts: Mapping[str, Sequence[ConceptMention]] | None = None,
    ) -> None:
        if index.encoder.name != model.encoder_name:
            what = f"was trained on encoder {model.encoder_name!r}; this run uses {index.encoder.name!r}."
            raise InputError(Problem("temporal model", what, "Give that encoder, or a model trained on this one."))
        self.record = record
        self._index = index
        self._model = model
        self._concepts = concepts or {}
        self._views: dict[dt.date | None, ReadTimeline] = {}

    def retrieve(self, question: Question, k: int = 10, hints: VariableHints | None = None) -> list[Passage]:
        """See `retriever.retrieve.HybridRetriever.retrieve`; `retriever.select` says which k are kept."""
        if question.patient_id != self.record.patient_id:
            raise ValueError(f"asked about {question.patient_id}, but this is the record of {self.record.patient_id}")
        if k < 1:
            raise ValueError(f"k is {k}; ask for at least one passage")
        timeline = self._view(question.as_of).timeline
        if not timeline.passages:
            return []
        scores = self.scores(question, hints)
        chosen = select(scores, timeline, k, query_text(question, hints))
        return [
            replace(timeline.passages[i], score=float(scores[i]), rank=rank, method=METHOD)
            for rank, i in enumerate(chosen, start=1)
        ]

    def scores(self, question: Question, hints: VariableHints | None = None) -> Vectors:
        """The score of every passage that may be read, in the timeline's order: shape (N,)."""
        read = self._view(question.as_of)
        scores: Vectors = self._model.score(read, [question], [hints], self._encode)[0]
        return scores

    def _view(self, as_of: dt.date | None) -> ReadTimeline:
        if as_of not in self._views:
            timeline = encode_timeline(self.record, self._vectors, self._concepts, as_of)
            self._views[as_of] = self._model.read(timeline)
        return self._views[as_of]

    def _vectors(self, passages: Sequence[Passage]) -> Vectors:
        vectors: Vectors = self._index.vectors(self.record.patient_id, passages)
        return vectors

    def _encode(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._index.query_vector(text) for text in texts])
