"""Ask about one patient: a variable by its name, or a question in French."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rag.corpus.read import patient_ids, read_documents
from rag.generators import RULES, Generation, ready
from rag.patient import MakeGenerator, PatientReader, build_generator, build_record, codes_of
from rag.questions import match_question
from rag.redcap import branching
from rag.redcap.dictionary import read_dictionary
from rag.retrieval import WHOLE_RECORD, PassageFinder, Retrieval, RetrieverName, fill_index
from rag.settings import load_study, nearest_hint
from schema.document import Document, PatientRecord, RawDocument
from schema.problem import InputError, Problem
from schema.study import Study
from schema.value import ExtractedValue
from schema.variable import Variable

_PASSAGES = 3
_PATIENTS_NAMED = 5


@dataclass(frozen=True, slots=True)
class AskRequest:
    """Either ``variable`` (a name of the dictionary) or ``question`` (in French) is given.

    Args:
        retrieval: what of the record is read; where all is, passages are shown as found by `RetrieverName.HYBRID`.
        generation: what reads it.
    """

    documents: Path
    dictionary: Path
    patient_id: str
    study: Path | None = None
    variable: str | None = None
    question: str | None = None
    retrieval: Retrieval = WHOLE_RECORD
    generation: Generation = RULES


@dataclass(frozen=True, slots=True)
class Citation:
    """``context[start - offset : end - offset]`` is the quote, in the document's text as given.

    Args:
        start, end: positions of the quote in the document as given.
        context: the sentences around the quote.
        offset: position of the context in the document as given.
        date: of the document, "" when unknown.
    """

    document_id: str
    type: str
    date: str
    start: int
    end: int
    context: str
    offset: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What the documents say.

    Args:
        variable: the variable asked for, or the one the question was understood as; None when no variable fits.
        others: other variables that the question may mean, nearest first.
        found: the value read for ``variable``.
        citations: the evidence of ``found``.
        passages: where to look, best first; only for a question to which no variable gives a value.
        problems: doubts about the dictionary, the study file and the patient's documents.
    """

    patient_id: str
    question: str | None
    variable: Variable | None
    others: tuple[Variable, ...]
    found: ExtractedValue | None
    citations: tuple[Citation, ...]
    passages: tuple[Citation, ...]
    problems: tuple[Problem, ...]


def ask(request: AskRequest, make_generator: MakeGenerator | None = None) -> Answer:
    """Answer from the documents of one patient.

    Args:
        make_generator: builds what reads, instead of what ``request.generation`` asks for.

    Raises:
        InputError: the inputs cannot be read, or the patient or the variable is unknown (near names are suggested).
    """
    dictionary = read_dictionary(request.dictionary)
    problems = list(dictionary.problems)
    study = load_study(request.study, dictionary.variables, problems.append)
    if request.question is None:
        matches = [_named(request, dictionary.variables)]
    else:
        matches = match_question(request.question, dictionary.variables, study)
    record = build_record(_patient_documents(request, problems.append), problems.append)
    retrieval = request.retrieval
    fill_index(retrieval, [record], problems.append)
    variable, others = (matches[0], tuple(matches[1:])) if matches else (None, ())
    found = None
    if variable:
        reading = ready(request.generation)
        problems += reading.doubts
        read = _read_with(variable, dictionary.variables)
        generator = build_generator(make_generator or reading.make, read, study, request.study)
        above = request.generation.above
        reader = PatientReader(read, generator, codes_of(read, study), reading.calibration, above)
        passages = PassageFinder(retrieval, dictionary.variables, study).passages_for(record)
        found = next(value for value in reader.read(record, passages) if value.variable == variable.name)
    citations = _citations(record, found) if found else ()
    return Answer(
        patient_id=record.patient_id,
        question=request.question,
        variable=variable,
        others=others,
        found=found,
        citations=citations,
        passages=_passages(record, request.question, retrieval) if request.question and not citations else (),
        problems=tuple(problems),
    )


def _read_with(variable: Variable, variables: Sequence[Variable]) -> list[Variable]:
    """The variable and those on whose values its branching logic makes it depend, in the order of the dictionary."""
    named = {v.name: branching.parse(v.branching).names for v in variables if v.branching}
    needed, left = {variable.name}, [variable.name]
    while left:
        new = named.get(left.pop(), frozenset()) - needed
        needed |= new
        left += new
    return [v for v in variables if v.name in needed]


def _named(request: AskRequest, variables: Sequence[Variable]) -> Variable:
    for variable in variables:
        if variable.name == request.variable:
            return variable
    name = request.variable or ""
    remedy = nearest_hint(name, (v.name for v in variables)) or "Give a name of its first column."
    raise InputError(Problem(str(request.dictionary), f"declares no variable {name!r} to fill.", remedy))


def _patient_documents(request: AskRequest, on_problem: Callable[[Problem], None]) -> list[RawDocument]:
    problems: list[Problem] = []
    found = list(read_documents(request.documents, problems.append, request.patient_id))
    if not found:
        what = f"holds no usable document of patient {request.patient_id!r}."
        raise InputError(*problems, Problem(str(request.documents), what, _other_patients(request)))
    for problem in problems:
        on_problem(problem)
    return found


def _other_patients(request: AskRequest) -> str:
    known = patient_ids(request.documents)
    if request.patient_id in known:
        return "Mend or replace this patient's files."
    if not known:
        return "Give a folder that holds a sub-folder for each patient."
    return nearest_hint(request.patient_id, known) or f"Its first patients are {', '.join(known[:_PATIENTS_NAMED])}."


def _citations(record: PatientRecord, found: ExtractedValue) -> tuple[Citation, ...]:
    documents = {document.document_id: document for document in record.documents}
    return tuple(_citation(documents[e.document_id], e.start, e.end) for e in found.evidence)


def _citation(document: Document, start: int, end: int) -> Citation:
    sentences = (document.locate(*sentence) for sentence in document.sentences)
    around = [span for span in sentences if span.start < end and span.end > start]
    first = min([start, *(span.start for span in around)])
    last = max([end, *(span.end for span in around)])
    date = str(document.written_on or "")
    context = document.source_text[first:last]
    return Citation(document.document_id, document.type, date, start, end, context, first)


def _passages(record: PatientRecord, question: str, retrieval: Retrieval) -> tuple[Citation, ...]:
    if retrieval.retriever is RetrieverName.ALL:
        retrieval = replace(retrieval, retriever=RetrieverName.HYBRID)
    found = PassageFinder(retrieval, (), Study()).answers(record, question, _PASSAGES)
    documents = {document.document_id: document for document in record.documents}
    places = [(documents[p.span.document_id], p.span) for p in found]
    located = [(document, document.locate(span.start, span.end)) for document, span in places]
    return tuple(_citation(document, span.start, span.end) for document, span in located)
