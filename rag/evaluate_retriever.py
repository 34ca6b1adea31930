"""Main path of `retriever evaluate`: documents and evidence -> questions -> rankings of each method -> figures."""

from __future__ import annotations

import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from eval.evidence import EvidenceFile, Quote, read_evidence
from eval.retrieval import UNLABELLED, Figures, Query, Scores, score_question
from eval.retrieval_plots import TimelineView, write_plots
from eval.retrieval_report import RetrievalReport, report_on, write_report
from eval.tables import write_rows
from rag.compared_retrievers import COMPARED, Case
from rag.concepts import ConceptReader
from rag.corpus.build import build_document
from rag.corpus.read import read_documents
from rag.redcap.dictionary import read_dictionary
from rag.settings import load_study, nearest_hint
from rag.terminology.bundled import open_terminology
from retriever.embed import Encoder, HashedNgramEncoder, SentenceTransformerEncoder
from retriever.index import DenseIndex
from retriever.passages import passages
from retriever.query import query_text
from retriever.retrieve import Retriever
from schema.document import Document, PatientRecord, Span
from schema.passage import Passage
from schema.problem import InputError, Problem
from schema.study import Study
from schema.variable import Question, Variable

Report = Callable[[Problem], None]
#: The texts as given, by (patient, document).
Texts = Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class EvaluateRequest:
    """What to measure, and on what.

    Args:
        methods: names of `COMPARED`, the first of which is compared with each other one; () for all of them.
        encoder: folder of a sentence encoder; the default one when None.
        patient: whose timeline is drawn; that of most documents when None.
    """

    documents: Path
    dictionary: Path
    evidence: Path
    study: Path | None = None
    methods: tuple[str, ...] = ()
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
    methods = _known(request.methods)
    dictionary = read_dictionary(request.dictionary)
    problems = list(dictionary.problems)
    study = load_study(request.study, dictionary.variables, problems.append)
    records = _records(request.documents, problems.append)
    texts = {(r.patient_id, d.document_id): d.source_text for r in records for d in r.documents}
    evidence = read_evidence(request.evidence)
    problems += evidence.problems
    left_out: Counter[str] = Counter({"lines that are not evidence": len(evidence.problems)})
    asked = _queries(evidence, request.evidence.name, dictionary.variables, texts, problems.append, left_out)
    if not asked:
        what = "no quote of it was found in the documents, so that nothing can be measured."
        raise InputError(*problems, Problem(str(request.evidence), what, "Check that the files go together."))
    variables = {variable.name: variable for variable in dictionary.variables}
    reader = ConceptReader(open_terminology())
    questions = _Questions(variables, study, reader)
    encoder = _encoder(request.encoder)
    measured = _Measured(methods, questions)
    used = [record for record in records if record.patient_id in asked]
    drawn = _drawn(request.patient, used)
    with closing(DenseIndex.in_memory(encoder)) as index:
        for record in tqdm(used, unit="patient", disable=not request.progress):
            found = measured.add(Case(record, reader, index), asked[record.patient_id])
            if record is drawn:
                timeline = _timeline(methods[0], record, asked[record.patient_id], found)
    return Evaluation(
        scores=measured.scores(),
        timeline=timeline,
        patients=len(used),
        documents=sum(len(record.documents) for record in used),
        passages=measured.passages,
        encoder=encoder.name,
        left_out={why: count for why, count in left_out.items() if count},
        problems=tuple(problems),
    )


class _Questions:
    """The questions of a dictionary, the concepts of each read once."""

    def __init__(self, variables: Mapping[str, Variable], study: Study, reader: ConceptReader) -> None:
        self._variables = variables
        self._study = study
        self._concepts = {
            name: reader.named_in(query_text(Question("", variable), study.variables.get(name)))
            for name, variable in variables.items()
        }

    def ask(self, retriever: Retriever, variable: str, k: int) -> list[Passage]:
        """What a retriever finds for a variable of its patient."""
        question = Question(retriever.record.patient_id, self._variables[variable], concepts=self._concepts[variable])
        return retriever.retrieve(question, k, self._study.variables.get(variable))


class _Measured:
    """The figures of every method, patient after patient."""

    def __init__(self, methods: Sequence[str], questions: _Questions) -> None:
        self._questions = questions
        self._queries: list[Query] = []
        self._figures: dict[str, list[Figures]] = {method: [] for method in methods}
        self._seconds = dict.fromkeys(methods, 0.0)
        self.passages = 0

    def add(self, case: Case, queries: Sequence[Query]) -> list[list[Passage]]:
        """Ask every method about one patient; gives what the first of them found for each question."""
        documents = {document.document_id: document for document in case.record.documents}
        pool = [_located(p.span, documents) for document in case.record.documents for p in passages(document)]
        self.passages += len(pool)
        self._queries += queries
        by_method: list[list[list[Passage]]] = []
        for method, rows in self._figures.items():
            retriever = COMPARED[method].make(case)
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
    remedy = nearest_hint(patient, [record.patient_id for record in records]) or "Give one of them, or none."
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


def _known(methods: Sequence[str]) -> tuple[str, ...]:
    for name in methods:
        if name not in COMPARED:
            remedy = nearest_hint(name, COMPARED) or f"Known methods are {', '.join(COMPARED)}."
            raise InputError(Problem("--methods", f"knows no method {name!r}.", remedy))
    return tuple(dict.fromkeys(methods)) or tuple(COMPARED)


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


def _queries(
    evidence: EvidenceFile,
    file: str,
    variables: Sequence[Variable],
    texts: Texts,
    on_problem: Report,
    left_out: Counter[str],
) -> dict[str, list[Query]]:
    """The questions by patient. Rows of one cell are put together; a quote that is not found is said and counted."""
    names = {variable.name for variable in variables}
    patients = {patient for patient, _ in texts}
    spans: defaultdict[tuple[str, str], list[Span]] = defaultdict(list)
    kinds: dict[tuple[str, str], str] = {}

    def leave_out(line: int, why: str, what: str, remedy: str) -> None:
        left_out[why] += 1
        on_problem(Problem(f"{file}, line {line}", what, remedy))

    for line, row in zip(evidence.lines, evidence.rows, strict=True):
        if row.variable not in names:
            what = f"variable {row.variable!r} is not in the dictionary."
            leave_out(line, "rows of unknown variables", what, nearest_hint(row.variable, names) or "Check its name.")
            continue
        if row.patient_id not in patients:
            what = f"patient {row.patient_id!r} has no document."
            leave_out(line, "rows of unknown patients", what, "Check the identifier, or give their documents.")
            continue
        cell = (row.patient_id, row.variable)
        for number, quote in enumerate(row.evidence, start=1):
            text = texts.get((row.patient_id, quote.document_id))
            if text is None:
                what = f"quote {number} is of document {quote.document_id!r}, which this patient does not have."
                leave_out(line, "quotes of unknown documents", what, "Check the identifier of the document.")
            elif (span := locate_quote(quote, text)) is None:
                what = f"quote {number} is not in document {quote.document_id!r} word for word."
                leave_out(line, "quotes not found", what, "Copy it from the document as it is.")
            elif span not in spans[cell]:
                spans[cell].append(span)
        if row.kind:
            kinds.setdefault(cell, row.kind)
    queries: defaultdict[str, list[Query]] = defaultdict(list)
    for (patient, variable), found in spans.items():
        if found:
            kind = kinds.get((patient, variable), UNLABELLED)
            queries[patient].append(Query(patient, variable, kind, tuple(found)))
    return queries


def locate_quote(quote: Quote, text: str) -> Span | None:
    """Where a quote stands in its document: at its own positions where they are right, else where its words come first.

    Line ends and runs of spaces count as one space.
    """
    if quote.start is not None and quote.end is not None and quote.quote == text[quote.start : quote.end] != "":
        return Span(quote.document_id, quote.start, quote.end)
    words = quote.quote.split()
    match = re.search(r"\s+".join(map(re.escape, words)), text) if words else None
    return Span(quote.document_id, *match.span()) if match else None


def _located(span: Span, documents: Mapping[str, Document]) -> Span:
    """A place in the text that is read, as a place in the text as given."""
    return documents[span.document_id].locate(span.start, span.end)
