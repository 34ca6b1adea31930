"""The retriever as LlamaIndex sees it, for those who build their own chain around it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from retriever.retrieve import Retriever
from schema.passage import Passage
from schema.variable import Question


class PatientRetriever(BaseRetriever):
    """Answers LlamaIndex queries, in free words, with passages of one patient.

    LlamaIndex's global ``Settings`` are neither read nor changed, so no language model is looked for. Each node
    holds a passage's text; its metadata give document_id, ``start`` and ``end`` in the text the user gave
    (``Document.source_text``, end excluded), date ("" when unknown), type and section.

    Args:
        retriever: the patient's retriever, of any kind (`HybridRetriever`, `TemporalRetriever`…).
        k: number of passages to return.
        as_of: read no document written later.
        named_in: the concepts that a query names, for a method that reads concepts.
    """

    def __init__(
        self,
        retriever: Retriever,
        k: int = 10,
        as_of: dt.date | None = None,
        named_in: Callable[[str], tuple[str, ...]] | None = None,
    ) -> None:
        super().__init__()
        self._retriever = retriever
        self._documents = {document.document_id: document for document in retriever.record.documents}
        self._k = k
        self._as_of = as_of
        self._named_in = named_in

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        patient = self._retriever.record.patient_id
        words = query_bundle.query_str
        concepts = self._named_in(words) if self._named_in else ()
        question = Question(patient, text=words, as_of=self._as_of, concepts=concepts)
        return [self._node(passage) for passage in self._retriever.retrieve(question, self._k)]

    def _node(self, passage: Passage) -> NodeWithScore:
        span = self._documents[passage.span.document_id].locate(passage.span.start, passage.span.end)
        node = TextNode(
            id_=f"{passage.patient_id}/{span.document_id}/{span.start}-{span.end}",
            text=passage.text,
            metadata={
                "document_id": span.document_id,
                "start": span.start,
                "end": span.end,
                "date": str(passage.written_on or ""),
                "type": passage.document_type,
                "section": passage.section,
            },
        )
        return NodeWithScore(node=node, score=passage.score)
