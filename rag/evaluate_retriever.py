"""Main path of `retriever evaluate`: documents and evidence -> questions -> rankings of each method -> figures."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
from tqdm import tqdm

from eval.evidence import read_evidence
from eval.retrieval import Figures, Query, Scores, score_question
from eval.retrieval_plots import TimelineView, write_plots
from eval.retrieval_report import RetrievalReport, report_on, write_report
from eval.tables import write_rows
from rag.compared_retrievers import COMPARED, Case, Learned, Questions, learn
from rag.concepts import ConceptReader
from rag.corpus.build import build_document
from rag.corpus.read import read_documents
from rag.known_answers import known_answers
from rag.redcap.dictionary import Dictionary, read_dictionary
from rag.settings import load_study, nearest_hint
from rag.supervision import read_rows
from rag.terminology.bundled import open_terminology
from retriever.embed import Encoder, HashedNgramEncoder, SentenceTransformerEncoder
from retriever.index import DenseIndex
from retriever.passages import passages
from schema.document import Document, PatientRecord, Span
from schema.passage import Passage
from schema.problem import InputError, Problem

Report = Callable[[Problem], None]


@dataclass(frozen=True, slots=True)
class EvaluateRequest:
    """What to measure, and on what.

    Args:
        methods: names of `COMPARED`, the first of which is compared with each other one; () for all that can be made.
        table: what `bm25+prior` learns from: the rows of other patients than the one asked about.
        fit_patients, test_patients: patterns of identifiers ("D1*"): learn from the first, ask about the second.
        crossed: then the reverse too, the questions of both being put together.
        encoder: folder of a sentence encoder; the default one when None.
        patient: whose timeline is drawn; that of most documents when None.
    """

    documents: Path
    dictionary: Path
    evidence: Path
    study: Path | None = None
    methods: tuple[str, ...] = ()
    table: Path | None = None
    fit_patients: str | None = None
    test_patients: str | None = None
    crossed: bool = False
    encoder: Path | None = None
    patient: str | None = None
    progress: bool = False


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
    methods = _known(request)
    dictionary = read_dictionary(request.dictionary)
    problems = list(dictionary.problems)
    study = load_study(request.study, dictionary.variables, problems.append)
    records = _records(request.documents, problems.append)
    folds = _folds(request, [record.patient_id for record in records])
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
    rows = _rows(request, dictionary, problems.append)
    reader = ConceptReader(open_terminology())
    questions = Questions(dictionary.variables, study, reader)
    encoder = _encoder(request.encoder)
    measured = _Measured(methods, questions)
    bar = tqdm(total=len(used), unit="patient", disable=not request.progress)
    with bar, closing(DenseIndex.in_memory(encoder)) as index:
        cases = {record.patient_id: Case(record, reader, index) for record in records}
        for fold in folds:
            learned = learn([cases[patient] for patient in fold.fit], rows, questions)
            for record in used:
                if record.patient_id not in fold.test:
                    continue
                found = measured.add(cases[record.patient_id], learned, asked[record.patient_id])
                if record is drawn:
                    timeline = _timeline(methods[0], record, asked[record.patient_id], found)
                bar.update()
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


class _Measured:
    """The figures of every method, patient after patient."""

    def __init__(self, methods: Sequence[str], questions: Questions) -> None:
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
            found = [self._questions.ask(retriever, query.variable, max(len(pool), 1)) for query in queries]
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


@dataclass(frozen=True, slots=True)
class _Fold:
    """Patients to learn from and patients to ask about, by identifier."""

    fit: tuple[str, ...]
    test: frozenset[str]


def _folds(request: EvaluateRequest, patients: Sequence[str]) -> list[_Fold]:
    """Without a pattern of patients to learn from: one fold, where a patient's own row is left out by other means."""
    test = _matching("--test-patients", request.test_patients, patients)
    if request.fit_patients is None:
        if request.crossed:
            remedy = "Give both --fit-patients and --test-patients."
            raise InputError(Problem("--crossed", "has no two groups of patients to cross.", remedy))
        return [_Fold(tuple(patients), frozenset(test))]
    fit = _matching("--fit-patients", request.fit_patients, patients)
    if both := sorted(set(fit) & set(test)):
        what = f"also takes patients of --fit-patients ({', '.join(both[:3])}{'…' if both[3:] else ''})."
        raise InputError(Problem("--test-patients", what, "Give patterns without a patient in common."))
    folds = [_Fold(fit, frozenset(test))]
    return [*folds, _Fold(test, frozenset(fit))] if request.crossed else folds


def _matching(option: str, pattern: str | None, patients: Sequence[str]) -> tuple[str, ...]:
    found = tuple(p for p in patients if pattern is None or fnmatchcase(p, pattern))
    if not found:
        remedy = f"Identifiers look like {', '.join(patients[:3])}; * stands for any characters."
        raise InputError(Problem(option, f"no patient's identifier is like {pattern!r}.", remedy))
    return found


def _rows(request: EvaluateRequest, dictionary: Dictionary, on_problem: Report) -> Mapping[str, Mapping[str, str]]:
    if request.table is None:
        return {}
    rows, problems = read_rows(request.table, dictionary)
    for problem in problems:
        on_problem(problem)
    return rows


def _known(request: EvaluateRequest) -> tuple[str, ...]:
    """The methods asked for, or all those that what was given suffices for."""
    given = {"": True, "--table": request.table is not None}
    for name in request.methods:
        if name not in COMPARED:
            remedy = nearest_hint(name, COMPARED) or f"Known methods are {', '.join(COMPARED)}."
            raise InputError(Problem("--methods", f"knows no method {name!r}.", remedy))
        if not given[COMPARED[name].needs]:
            what = f"{name!r} cannot be made without {COMPARED[name].needs}."
            raise InputError(Problem("--methods", what, f"Give {COMPARED[name].needs}, or leave the method out."))
    possible = (name for name, compared in COMPARED.items() if given[compared.needs])
    return tuple(dict.fromkeys(request.methods or possible))


def _records(documents: Path, on_problem: Report) -> list[PatientRecord]:
    by_patient: defaultdict[str, list[Document]] = defaultdict(list)
    for raw in read_documents(documents, on_problem):
        by_patient[raw.patient_id].append(build_document(raw, on_problem))
    return [PatientRecord.of(patient, found) for patient, found in sorted(by_patient.items())]


def _encoder(folder: Path | None) -> Encoder:
    if folder is None:
        return HashedNgramEncoder()
    try:
        return SentenceTransformerEncoder(folder)
    except (OSError, ValueError) as error:
        what, remedy = "does not hold an encoder.", "Give the folder that holds its config.json to --encoder."
        raise InputError(Problem(str(folder), what, remedy)) from error


def _located(span: Span, documents: Mapping[str, Document]) -> Span:
    """A place in the text that is read, as a place in the text as given."""
    return documents[span.document_id].locate(span.start, span.end)
