"""The retrievers that `retriever evaluate` compares, baselines and ablations included: one line each in `COMPARED`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np

from rag.concepts import ConceptReader
from rag.supervision import anchor_of
from rag.variable_words import words_of
from retriever.index import DenseIndex
from retriever.lexical import LexicalIndex
from retriever.passages import passages
from retriever.prior import PRIORS, Counts, Prior, Traits, count, traits_of
from retriever.query import query_text
from retriever.retrieve import HybridRetriever, Method, Retriever
from retriever.timeline import EncodedTimeline, encode_timeline
from retriever.weak import WeakLabels, Weights
from schema.concept import ConceptMention
from schema.document import Document, PatientRecord
from schema.passage import Passage
from schema.study import Study, VariableHints
from schema.variable import Question, Variable

_SEED = 0


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned from a table.

    Args:
        prior: where each variable is usually written; None without a table.
        own: what each patient brought to ``prior``, left out when that patient is asked about.
    """

    prior: Prior | None = None
    own: Mapping[str, Mapping[str, Counts]] = field(default_factory=dict)


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


class Questions:
    """The questions of a dictionary, the concepts of each read once."""

    def __init__(self, variables: Sequence[Variable], study: Study, reader: ConceptReader) -> None:
        self._variables = variables
        self._hints = study.variables
        self._words = words_of(variables, study)
        self._asked = {variable.name: self._question(variable, reader) for variable in variables}

    def ask(self, retriever: Retriever, variable: str, k: int) -> list[Passage]:
        """What a retriever finds for a variable of its patient."""
        question = replace(self._asked[variable], patient_id=retriever.record.patient_id)
        return retriever.retrieve(question, k, self._hints.get(variable))

    def weak(self, found: Sequence[Passage], row: Mapping[str, str]) -> dict[str, Weights]:
        """By wording of a variable, how compatible each passage of a patient is with the value in the patient's row."""
        labels = WeakLabels(found, anchor_of(self._variables, row))
        return {
            query_text(self._asked[variable.name]): labels.positives(
                variable, row[variable.name], self._words[variable.name], self._asked[variable.name].concepts
            )
            for variable in self._variables
            if row.get(variable.name)
        }

    def _question(self, variable: Variable, reader: ConceptReader) -> Question:
        words = query_text(Question("", variable), self._hints.get(variable.name))
        return Question("", variable, concepts=reader.named_in(words))


def learn(cases: Sequence[Case], rows: Mapping[str, Mapping[str, str]], questions: Questions) -> Learned:
    """Learn where variables are written from the patients who have a row, by coded value of each variable."""
    taught: dict[str, tuple[list[Traits], dict[str, Weights]]] = {}
    for case in cases:
        if row := rows.get(case.record.patient_id):
            timeline = case.timeline
            taught[case.record.patient_id] = (traits_of(timeline), questions.weak(timeline.passages, row))
    if not taught:
        return Learned()
    own = {patient: count(traits, weights) for patient, (traits, weights) in taught.items()}
    return Learned(Prior.learned(taught.values()), own)


#: Makes the retriever of one patient.
Make = Callable[[Case, Learned], Retriever]


@dataclass(frozen=True, slots=True)
class Compared:
    """One line of the table.

    Args:
        needs: an option of the command without which it cannot be made; "" for none.
        ablation: the temporal retriever without one of its parts, not a baseline.
    """

    make: Make
    needs: str = ""
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


#: By name, in the order of the tables; the first one is compared with the others.
COMPARED: Mapping[str, Compared] = {
    **{method.value: Compared(partial(_by_method, method)) for method in reversed(Method)},
    "bm25+prior": Compared(_by_prior, needs="--table"),
    "recency": Compared(_by_recency),
}
