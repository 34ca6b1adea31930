"""What a generator may read of a record: the passages that a retriever finds for each variable.

A `Retrieval` says how, and travels between processes; a `PassageFinder` is made from it in the process that reads.
"""

from __future__ import annotations

import datetime as dt
import functools
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rag.concepts import ConceptReader
from rag.redcap import branching
from rag.terminology.bundled import open_terminology
from rag.variable_words import words_of
from retriever.retrieve import HybridRetriever, Method, Retriever
from schema.concept import ConceptMention
from schema.document import PatientRecord
from schema.passage import Passage
from schema.problem import InputError, Problem
from schema.study import Study
from schema.variable import Question, Variable

if TYPE_CHECKING:  # they take seconds to import, and neither the whole record nor BM25 has use for them
    from retriever.embed import Encoder
    from retriever.index import DenseIndex
    from retriever.model import TemporalModel

T = TypeVar("T")

#: Passages read for a variable: docs/retrieval.md has the figures.
PASSAGES = 10


class RetrieverName(StrEnum):
    """What is read for a variable."""

    ALL = "all"  # the whole record
    BM25 = "bm25"  # passages, by shared words
    HYBRID = "hybrid"  # passages, by words, vectors and concepts
    TEMPORAL = "temporal"  # passages, by a model that reads them in the order of time

    @property
    def reads_vectors(self) -> bool:
        """Whether it needs an encoder and an index."""
        return self in (RetrieverName.HYBRID, RetrieverName.TEMPORAL)


@dataclass(frozen=True, slots=True)
class Retrieval:
    """How passages are found.

    Args:
        passages: passages read for a variable, at least 1.
        encoder: folder of an encoder; None: the one that comes with the program.
        model: folder of a temporal model; None: the one that comes with the program.
        index: folder, or URL of a Chroma server, that keeps vectors for the next run; None: they are forgotten with
            the patient.
    """

    retriever: RetrieverName = RetrieverName.ALL
    passages: int = PASSAGES
    encoder: Path | None = None
    model: Path | None = None
    index: str | None = None

    def described(self) -> str:
        """All that decides which passages are found, in words; "" when the whole record is read.

        Raises:
            InputError: the encoder or the model cannot be used, or do not go together.
        """
        if self.retriever is RetrieverName.ALL:
            return ""
        named = [self.retriever.value, f"{self.passages} passages"]
        if self.retriever.reads_vectors:
            encoder = open_encoder(self.encoder)
            named.append(f"encoder {encoder.name}")
            if model := _open_model(self, encoder):
                named.append(f"model {model.name}")
        return ", ".join(named)


#: Nothing is searched.
WHOLE_RECORD = Retrieval()


@functools.lru_cache(maxsize=1)
def open_encoder(folder: Path | None) -> Encoder:
    """The encoder of a folder; the one that comes with the program when None.

    Raises:
        InputError: the folder holds none.
    """
    from retriever.embed import SentenceTransformerEncoder, shipped_encoder

    if folder is None:
        return shipped_encoder()
    if not folder.is_dir():
        what, remedy = "is not a folder.", "Give the folder that holds the encoder's config.json to --encoder."
        raise InputError(Problem(str(folder), what, remedy))
    return SentenceTransformerEncoder(folder)


def fill_index(retrieval: Retrieval, records: Iterable[PatientRecord], on_problem: Callable[[Problem], None]) -> None:
    """Put the vectors of a cohort in the index that is kept, if any; what it holds already is not encoded again.

    Raises:
        InputError: the encoder or the index cannot be used, or do not go together.
    """
    if retrieval.index is None or not retrieval.retriever.reads_vectors:
        return
    from retriever.index import open_index

    with closing(open_index(open_encoder(retrieval.encoder), retrieval.index, on_problem)) as index:
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
        self._vectors = _Vectors(retrieval) if retrieval.retriever.reads_vectors else None
        self._opening = {v.name: branching.parse(v.branching).names for v in variables if v.branching}
        words = words_of(variables, study)
        named = self._vectors.concepts.named_by(variables, study) if self._vectors else {}
        self._asked = [(v, words[v.name], named.get(v.name, ())) for v in variables]

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
        named = self._vectors.concepts.named_in(question) if self._vectors else ()
        asked = Question(record.patient_id, text=question, concepts=named)
        return self._search(record, lambda retriever: retriever.retrieve(asked, most))

    def _search(self, record: PatientRecord, find: Callable[[Retriever], T]) -> T:
        if self._vectors is None:
            return find(HybridRetriever(record, method=Method.BM25))
        return self._vectors.search(record, find)


class _Vectors:
    """What the retrievers that read vectors need: an encoder, concepts, an index, perhaps a model."""

    def __init__(self, retrieval: Retrieval) -> None:
        from retriever.index import open_index

        self._encoder = open_encoder(retrieval.encoder)
        self._model = _open_model(retrieval, self._encoder)
        self._kept = open_index(self._encoder, retrieval.index, _unsaid) if retrieval.index else None
        self.concepts = ConceptReader(open_terminology())
        _use_one_thread()

    def search(self, record: PatientRecord, find: Callable[[Retriever], T]) -> T:
        """What ``find`` gives with the retriever of a patient."""
        from retriever.index import DenseIndex

        named = {document.document_id: self.concepts.mentions(document) for document in record.documents}
        if self._kept is not None:
            try:
                return find(self._retriever(record, self._kept, named))
            except LookupError:
                pass  # another run has since put other documents of these names in the index
        with closing(DenseIndex.in_memory(self._encoder)) as index:
            index.upsert(record.documents)
            return find(self._retriever(record, index, named))

    def _retriever(
        self, record: PatientRecord, index: DenseIndex, named: Mapping[str, Sequence[ConceptMention]]
    ) -> Retriever:
        if self._model is None:
            return HybridRetriever(record, index, Method.HYBRID_CONCEPTS, named)
        from retriever.temporal import TemporalRetriever

        return TemporalRetriever(record, index, self._model, named)


def _open_model(retrieval: Retrieval, encoder: Encoder) -> TemporalModel | None:
    """The temporal model, where the retriever is one; InputError when it reads the vectors of another encoder."""
    if retrieval.retriever is not RetrieverName.TEMPORAL:
        return None
    from retriever.model import TemporalModel

    model = TemporalModel.load(retrieval.model)
    if model.encoder_name != encoder.name:
        what = f"was trained on the vectors of {model.encoder_name!r}; this run uses those of {encoder.name!r}."
        remedy = "Give that encoder to --encoder, or train a model on this one: cohort-rag retriever train."
        raise InputError(Problem(str(retrieval.model or "the temporal model"), what, remedy))
    return model


def _use_one_thread() -> None:
    """Processes that share a machine gain nothing by threads, and no sum must depend on how many there are."""
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


def _unsaid(_: Problem) -> None:
    """What is wrong with an index is said when it is filled."""
