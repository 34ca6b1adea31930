"""Main path of `retriever evaluate`: documents and evidence -> questions -> rankings of each method -> figures."""

from __future__ import annotations

import functools
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from eval.evidence import read_evidence
from eval.retrieval import DEEPEST, Figures, Query, Scores, score_question
from eval.retrieval_plots import TimelineView, write_plots
from eval.retrieval_report import RetrievalReport, report_on, write_report
from eval.tables import write_rows
from rag.compared_models import Learned, Models, learn_prior, read_models, train_models
from rag.compared_retrievers import COMPARED, Case, Need
from rag.concepts import ConceptReader
from rag.corpus.build import build_document
from rag.corpus.read import read_documents
from rag.evaluation_plan import EvaluateRequest, Fold, folds_of, methods_of
from rag.known_answers import known_answers
from rag.redcap.dictionary import Dictionary, read_dictionary
from rag.retrieval import open_encoder
from rag.settings import load_study, nearest_hint
from rag.supervision import read_rows
from rag.terminology.bundled import open_terminology
from rag.train_retriever import Teacher
from rag.variable_words import words_of
from retriever.embed import Encoder, HashedNgramEncoder
from retriever.index import DenseIndex
from retriever.passages import passages
from retriever.retrieve import Retriever
from retriever.train import Lesson
from schema.document import Document, PatientRecord, Span
from schema.passage import Passage
from schema.problem import InputError, Problem
from schema.study import Study
from schema.variable import Question, Variable

Report = Callable[[Problem], None]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured.

    Args:
        patients, documents, passages: of the records that were asked about.
        encoder: its name.
        left_out: rows and quotes of the evidence that could not be used, counted by why.
        timeline: what the first method found for one patient.
    """

    scores: Scores
    timeline: TimelineView
    patients: int
    documents: int
    passages: int
    encoder: str
    left_out: Mapping[str, int]
    problems: tuple[Problem, ...]


def evaluate_retriever(request: EvaluateRequest) -> Evaluation:
    """Ask every method for every (patient, variable) that has a quote in its documents.

    Raises:
        InputError: an input cannot be read, a method is unknown, or no quote at all is found in the documents.
    """
    encoder = open_encoder(request.encoder)
    methods = methods_of(request, trained_encoder=not isinstance(encoder, HashedNgramEncoder))
    dictionary = read_dictionary(request.dictionary)
    problems = list(dictionary.problems)
    study = load_study(request.study, dictionary.variables, problems.append)
    records = _records(request.documents, problems.append)
    folds = folds_of(request, [record.patient_id for record in records])
    texts = {(r.patient_id, d.document_id): d.source_text for r in records for d in r.documents}
    evidence = read_evidence(request.evidence)
    problems += evidence.problems
    asked, left_out = known_answers(evidence, request.evidence.name, dictionary.variables, texts, problems.append)
    tested = {patient for fold in folds for patient in fold.test}
    used = [record for record in records if record.patient_id in asked and record.patient_id in tested]
    if not used:
        what = "no quote of it was found in the documents, so that nothing can be measured."
        raise InputError(*problems, Problem(str(request.evidence), what, "Check that the files go together."))
    drawn = _drawn(request.patient, used)
    learning = _Learning(request, methods, dictionary, study, encoder, {r.patient_id: r for r in records})
    problems += learning.problems
    reader = ConceptReader(open_terminology())
    measured = _Measured(methods, _Questions(dictionary.variables, study, reader))
    spelling = DenseIndex.in_memory(HashedNgramEncoder())
    with closing(DenseIndex.in_memory(encoder)) as index, closing(spelling):
        bar = tqdm(total=len(used), unit="patient", disable=not request.progress)
        for place, fold in enumerate(folds):
            learned = learning.before(place, fold)
            for record in used:
                if record.patient_id in fold.test:
                    case = Case(record, reader, index, spelling)
                    found = measured.add(case, learned, asked[record.patient_id])
                    if record is drawn:
                        timeline = _timeline(methods[0], record, asked[record.patient_id], found)
                    bar.update()
        bar.close()
    return Evaluation(
        scores=measured.scores(),
        timeline=timeline,
        patients=len(used),
        documents=sum(len(record.documents) for record in used),
        passages=measured.passages,
        encoder=encoder.name,
        left_out=left_out,
        problems=tuple(problems),
    )


class _Learning:
    """What is learned before the questions about each group of patients; nothing where no method has use for it.

    Raises:
        InputError: the table cannot be read, or the report's folder holds trained models already.
    """

    def __init__(
        self,
        request: EvaluateRequest,
        methods: Sequence[str],
        dictionary: Dictionary,
        study: Study,
        encoder: Encoder,
        records: Mapping[str, PatientRecord],
    ) -> None:
        self._request = request
        self._needs = {COMPARED[method].needs for method in methods}
        self._encoder = encoder
        self._records = records
        self._rows: Mapping[str, Mapping[str, str]] = {}
        self.problems: tuple[Problem, ...] = ()
        if request.table:
            self._rows, self.problems = read_rows(request.table, dictionary)
        self._teacher = functools.cache(lambda: Teacher(dictionary.variables, study, encoder))
        self._lesson = functools.cache(self._taught)
        self._models = request.out / "models"
        if self._trains and self._models.exists():
            remedy = f"Choose another --out, or measure them again: --model {self._models}/*."
            raise InputError(Problem(str(self._models), "holds trained models already.", remedy))

    @property
    def _trains(self) -> bool:
        return Need.MODEL in self._needs and self._request.trains

    def before(self, place: int, fold: Fold) -> Learned:
        """What is learned from the patients of one fold, the ``place``-th."""
        lessons: list[Lesson] = []
        if Need.TABLE in self._needs or self._trains:
            lessons = [self._lesson(patient) for patient in fold.fit if self._rows.get(patient)]
            if not lessons:
                what = "has no row of the patients to learn from."
                raise InputError(
                    Problem(str(self._request.table), what, "Check that identifiers are the same in both.")
                )
        return learn_prior(lessons, self._models_of(place, lessons))

    def _models_of(self, place: int, lessons: Sequence[Lesson]) -> Models | None:
        request, ablations = self._request, Need.ABLATIONS in self._needs
        if not self._needs & {Need.MODEL, Need.ABLATIONS}:
            return None
        if self._trains:
            start = None if request.new else read_models(request.start, ablations)
            return train_models(lessons, self._encoder, start, ablations, self._models / str(place + 1))
        return read_models(request.models[min(place, len(request.models) - 1)] if request.models else None, ablations)

    def _taught(self, patient: str) -> Lesson:
        return self._teacher().lesson(self._records[patient], self._rows[patient], str(self._request.documents))


class _Questions:
    """The questions of a dictionary, the concepts of each read once."""

    def __init__(self, variables: Sequence[Variable], study: Study, reader: ConceptReader) -> None:
        self._hints = words_of(variables, study)
        named = reader.named_by(variables, study)
        self._asked = {v.name: Question("", v, concepts=named[v.name]) for v in variables}

    def ask(self, retriever: Retriever, variable: str, k: int) -> list[Passage]:
        """What a retriever finds for a variable of its patient."""
        question = replace(self._asked[variable], patient_id=retriever.record.patient_id)
        return retriever.retrieve(question, k, self._hints.get(variable))


class _Measured:
    """The figures of every method, patient after patient."""

    def __init__(self, methods: Sequence[str], questions: _Questions) -> None:
        self._questions = questions
        self._queries: list[Query] = []
        self._figures: dict[str, list[Figures]] = {method: [] for method in methods}
        self._seconds = dict.fromkeys(methods, 0.0)
        self.passages = 0

    def add(self, case: Case, learned: Learned, queries: Sequence[Query]) -> list[list[Passage]]:
        """Ask every method about one patient; gives what the first of them found for each question."""
        documents = {document.document_id: document for document in case.record.documents}
        pool = [_located(p.span, documents) for document in case.record.documents for p in passages(document)]
        self.passages += len(pool)
        self._queries += queries
        by_method: list[list[list[Passage]]] = []
        for method, rows in self._figures.items():
            retriever = COMPARED[method].make(case, learned)
            started = time.perf_counter()
            found = [self._questions.ask(retriever, query.variable, DEEPEST) for query in queries]
            self._seconds[method] += time.perf_counter() - started
            by_method.append(found)
            for query, ranked in zip(queries, found, strict=True):
                rows.append(score_question(query, [_located(p.span, documents) for p in ranked], pool))
        return by_method[0]

    def scores(self) -> Scores:
        """All of them."""
        return Scores(
            tuple(self._queries), {method: np.array(rows) for method, rows in self._figures.items()}, self._seconds
        )


def write_evaluation(evaluation: Evaluation, out: Path) -> RetrievalReport:
    """Work out the figures and write the report's files, `problems.csv` included, in a folder made when absent."""
    corpus = (
        f"{len(evaluation.scores.queries)} questions about {evaluation.patients} patients "
        f"({evaluation.documents} documents, {evaluation.passages} passages), encoder {evaluation.encoder}"
    )
    remarks = [f"left out: {count} {why}" for why, count in evaluation.left_out.items()]
    ablations = [name for name, compared in COMPARED.items() if compared.ablation]
    report = report_on(evaluation.scores, corpus, ablations, remarks)
    write_report(report, evaluation.scores, out)
    write_plots(report, evaluation.timeline, out)
    rows = ([problem.where, problem.what, problem.remedy] for problem in evaluation.problems)
    write_rows(out / "problems.csv", ("where", "what", "remedy"), rows)
    return report


def _drawn(patient: str | None, records: Sequence[PatientRecord]) -> PatientRecord:
    """The patient whose timeline is drawn."""
    if patient is None:
        return max(records, key=lambda record: len(record.documents))
    for record in records:
        if record.patient_id == patient:
            return record
    what = f"{patient!r} is not among the patients that have evidence."
    known = [record.patient_id for record in records]
    remedy = nearest_hint(patient, known) or f"They are like {', '.join(known[:3])}."
    raise InputError(Problem("--patient", what, remedy))


def _timeline(
    method: str, record: PatientRecord, queries: Sequence[Query], found: Sequence[Sequence[Passage]]
) -> TimelineView:
    column = {document.document_id: i for i, document in enumerate(record.documents)}
    scores = np.full((len(queries), len(column)), np.nan)
    gold = np.zeros(scores.shape, dtype=np.bool_)
    for i, (query, ranked) in enumerate(zip(queries, found, strict=True)):
        for passage in ranked:
            j = column[passage.span.document_id]
            scores[i, j] = np.fmax(scores[i, j], passage.score)
        gold[i, [column[quote.document_id] for quote in query.quotes]] = True
    labels = tuple(f"{document.written_on or 'no date'} {document.type}" for document in record.documents)
    variables = tuple(query.variable for query in queries)
    return TimelineView(method, record.patient_id, labels, variables, scores, gold)


def _records(documents: Path, on_problem: Report) -> list[PatientRecord]:
    by_patient: defaultdict[str, list[Document]] = defaultdict(list)
    for raw in read_documents(documents, on_problem):
        by_patient[raw.patient_id].append(build_document(raw, on_problem))
    return [PatientRecord.of(patient, found) for patient, found in sorted(by_patient.items())]


def _located(span: Span, documents: Mapping[str, Document]) -> Span:
    """A place in the text that is read, as a place in the text as given."""
    return documents[span.document_id].locate(span.start, span.end)
