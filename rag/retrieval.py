"""What a generator may read of a record: the passages that a retriever finds for each variable.

A `Retrieval` says how, and travels between processes; a `PassageFinder` is made from it in the process that reads.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rag.concepts import ConceptReader
from rag.redcap import branching
from rag.terminology.bundled import open_terminology
from retriever.query import query_text
from retriever.retrieve import HybridRetriever, Method, Retriever
from schema.concept import ConceptMention
from schema.document import PatientRecord
from schema.passage import Passage
from schema.problem import InputError, Problem
from schema.study import Study, VariableHints
from schema.variable import Question, Variable

if TYPE_CHECKING:  # they take seconds to import, and neither the whole record nor BM25 has use for them
    from retriever.embed import Encoder
    from retriever.index import DenseIndex

T = TypeVar("T")

#: Passages read for a variable: docs/retrieval.md has the figures.
PASSAGES = 10


class RetrieverName(StrEnum):
    """What is read for a variable."""

    ALL = "all"  # the whole record
    BM25 = "bm25"  # passages, by shared words
    HYBRID = "hybrid"  # passages, by words, vectors and concepts

    @property
    def reads_vectors(self) -> bool:
        """Whether it needs an encoder and an index."""
        return self not in (RetrieverName.ALL, RetrieverName.BM25)


@dataclass(frozen=True, slots=True)
class Retrieval:
    """How passages are found.

    Args:
        passages: passages read for a variable, at least 1.
        encoder: folder of an encoder; None: the default one.
        index: folder where vectors are kept for the next run; None: they are forgotten with the patient.
    """

    retriever: RetrieverName = RetrieverName.ALL
    passages: int = PASSAGES
    encoder: Path | None = None
    index: Path | None = None

    def load_encoder(self) -> Encoder | None:
        """The encoder; None where the retriever has no use for one.

        Raises:
            InputError: the folder holds none.
        """
        if not self.retriever.reads_vectors:
            return None
        from retriever.embed import HashedNgramEncoder, SentenceTransformerEncoder

        if self.encoder is None:
            return HashedNgramEncoder()
        try:
            return SentenceTransformerEncoder(self.encoder)
        except (OSError, ValueError) as error:
            what, remedy = "does not hold an encoder.", "Give the folder that holds its config.json to --encoder."
            raise InputError(Problem(str(self.encoder), what, remedy)) from error

    def described(self) -> str:
        """All that decides which passages are found; "" when the whole record is read.

        Raises:
            InputError: the encoder cannot be used.
        """
        if self.retriever is RetrieverName.ALL:
            return ""
        named = [self.retriever.value, f"{self.passages} passages"]
        if encoder := self.load_encoder():
            named.append(f"encoder {encoder.name}")
        return ", ".join(named)


#: Nothing is searched.
WHOLE_RECORD = Retrieval()


def fill_index(retrieval: Retrieval, records: Iterable[PatientRecord], on_problem: Callable[[Problem], None]) -> None:
    """Put the vectors of a cohort in the index that is kept, if any; what it holds already is not encoded again.

    Raises:
        InputError: the encoder or the index cannot be used.
    """
    encoder = retrieval.load_encoder()
    if encoder is None or retrieval.index is None:
        return
    from retriever.index import DenseIndex

    with closing(DenseIndex.in_folder(encoder, retrieval.index, on_problem)) as index:
        for record in records:
            index.upsert(record.documents)


class PassageFinder:
    """Finds what is to be read for each variable. Made once, in the process that uses it.

    Raises:
        InputError: the encoder or the index cannot be used.
    """

    def __init__(self, retrieval: Retrieval, variables: Sequence[Variable], study: Study) -> None:
        self._retriever = retrieval.retriever
        self._passages = retrieval.passages
        self._encoder = retrieval.load_encoder()
        self._kept = _kept(retrieval, self._encoder)
        self._reader = ConceptReader(open_terminology()) if self._encoder else None
        self._opening = {v.name: branching.parse(v.branching).names for v in variables if v.branching}
        self._asked: list[tuple[Variable, VariableHints | None, tuple[str, ...]]] = []
        for variable in variables:
            hints = study.variables.get(variable.name)
            self._asked.append((variable, hints, self._named(query_text(Question("", variable), hints))))

    def passages_for(self, record: PatientRecord, as_of: dt.date | None = None) -> Mapping[str, list[Passage]] | None:
        """The passages to read, best first, by variable name; None: the whole record.

        A variable whose answer opens others by branching logic is read in theirs too: what tells the hour of a
        thrombolysis tells that there was one.

        Args:
            as_of: only documents surely written by that day are read.
        """
        if self._retriever is RetrieverName.ALL:
            return None
        patient, most = record.patient_id, self._passages

        def find(retriever: Retriever) -> dict[str, list[Passage]]:
            return {
                variable.name: retriever.retrieve(Question(patient, variable, "", as_of, concepts), most, hints)
                for variable, hints, concepts in self._asked
            }

        return self._with_those_opened(self._search(record, find))

    def _with_those_opened(self, found: dict[str, list[Passage]]) -> dict[str, list[Passage]]:
        read = {name: {passage.span: passage for passage in passages} for name, passages in found.items()}
        for name, opening in self._opening.items():
            for opener in opening & found.keys():
                for passage in found[name]:
                    read[opener].setdefault(passage.span, passage)
        return {name: list(passages.values()) for name, passages in read.items()}

    def answers(self, record: PatientRecord, question: str, most: int) -> list[Passage]:
        """The passages that answer a question in French best, best first; at most ``most``."""
        asked = Question(record.patient_id, text=question, concepts=self._named(question))
        return self._search(record, lambda retriever: retriever.retrieve(asked, most))

    def _named(self, words: str) -> tuple[str, ...]:
        return self._reader.named_in(words) if self._reader else ()

    def _search(self, record: PatientRecord, find: Callable[[Retriever], T]) -> T:
        if self._encoder is None or self._reader is None:
            return find(HybridRetriever(record, method=Method.BM25))
        concepts = {document.document_id: self._reader.mentions(document) for document in record.documents}
        if self._kept is not None:
            try:
                return find(_hybrid(record, self._kept, concepts))
            except LookupError:
                pass  # another run has put other documents of that name in the index since
        from retriever.index import DenseIndex

        with closing(DenseIndex.in_memory(self._encoder)) as index:
            index.upsert(record.documents)
            return find(_hybrid(record, index, concepts))


def _hybrid(record: PatientRecord, index: DenseIndex, concepts: Mapping[str, Sequence[ConceptMention]]) -> Retriever:
    return HybridRetriever(record, index, Method.HYBRID_CONCEPTS, concepts)


def _kept(retrieval: Retrieval, encoder: Encoder | None) -> DenseIndex | None:
    if encoder is None or retrieval.index is None:
        return None
    from retriever.index import DenseIndex

    return DenseIndex.in_folder(encoder, retrieval.index, lambda _: None)
