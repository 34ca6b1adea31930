"""Main path of normalization: documents -> spool -> concepts by patient -> journal -> concepts.jsonl, OMOP tables."""

from __future__ import annotations

import datetime as dt
import functools
import json
import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from rag.concepts import ConceptReader, ConceptReading
from rag.corpus.read import read_documents
from rag.fingerprint import hash_code, hash_tree
from rag.journal import Journal
from rag.omop import Format, OmopWriter
from rag.omop_concepts import add_document
from rag.patient import build_record, inferences
from rag.store import Spool
from rag.terminology.bundled import open_terminology
from rag.workers import Failure, ReadPlace, read_all
from schema.document import Document
from schema.problem import InputError, Problem, describe_break

Line = dict[str, Any]

#: What the summary counts, in its order, and how many concepts it names.
_SAID = ("affirmed", "negated", "hypothetical", "family", "history", "coded")
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class NormalizeRequest:
    """The arguments of one normalization.

    Args:
        documents: folder or file, as `rag.corpus.read.read_documents` takes it.
        out: file of the concepts, JSON lines.
        terminology: dictionary file; the bundled stroke terminology when None.
        reranker: folder of a model that chooses between the concepts of a name, when one is wanted.
        omop: folder of the OMOP tables, when they are wanted.
        omop_format: how the OMOP tables are written.
        workers: number of processes that read patients, at least 1.
        resume: go on with an interrupted run.
        progress: show a progress bar on stderr.
    """

    documents: Path
    out: Path
    terminology: Path | None = None
    reranker: Path | None = None
    omop: Path | None = None
    omop_format: Format = Format.CSV
    workers: int = 1
    resume: bool = False
    progress: bool = False

    @property
    def work(self) -> Path:
        """The folder that holds what is finished while the run is not."""
        return self.out.with_name(f".{self.out.name}.work")


@dataclass(frozen=True, slots=True)
class NormalizeReport:
    """What a normalization did.

    Args:
        terminology: its file name and version.
        counts: mentions by what is said of them ("mentions" for all, "affirmed", "negated", …).
        concepts: mentions by label of their concept.
        failed: one problem for each patient on whom the program broke; their documents are not in the output.
    """

    terminology: str
    seconds: float
    patients: int
    documents: int
    counts: Counter[str]
    concepts: Counter[str]
    problems: tuple[Problem, ...]
    failed: tuple[Problem, ...]

    def summary(self) -> list[str]:
        """What was done, in a few lines for a person."""
        said = ", ".join(f"{name} {self.counts[name]}" for name in _SAID if self.counts[name])
        often = ", ".join(f"{label} {count}" for label, count in self.concepts.most_common(_SHOWN))
        lines = [
            f"{self.patients} patients, {self.documents} documents in {self.seconds:.1f} s, with {self.terminology}",
            f"{self.counts['mentions']} mentions of {len(self.concepts)} concepts ({said})",
            *([f"most often   {often}"] if often else []),
        ]
        if self.failed:
            lines.append(f"{len(self.failed)} patients failed; run again with --resume to retry them alone")
        return lines


def normalize(request: NormalizeRequest) -> NormalizeReport:
    """Write the concepts of every document of a corpus, with their positions in the text as given.

    Raises:
        InputError: nothing can be done (the message says what to mend).
    """
    started = time.monotonic()
    _check_paths(request)
    dictionary = open_terminology(request.terminology, progress=request.progress).store
    problems: list[Problem] = []
    journal, spool = _open_work(request, dictionary.fingerprint(), problems)
    failed: list[Problem] = []
    today = dt.datetime.now(dt.UTC).date()
    with spool:
        make_reader = functools.partial(_make_reader, spool.path, request.terminology, request.reranker, today)
        left = [place for place in range(spool.patients) if place not in journal.places]
        results = read_all(left, make_reader, request.workers)
        done = spool.patients - len(left)
        for result in tqdm(results, total=spool.patients, initial=done, unit="patient", disable=not request.progress):
            if isinstance(result, Failure):
                failed.append(_failure_problem(spool, result))
            else:
                journal.add(result["place"], result)
        problems += spool.problems()
        counts, concepts, documents = _publish(request, journal, spool, problems, today)
        patients = spool.patients - len(failed)
    journal.close()
    if not failed:
        shutil.rmtree(request.work)
    seconds = round(time.monotonic() - started, 3)
    file = request.terminology.name if request.terminology else "the bundled terminology"
    named = f"{file} {dictionary.info.version}".strip()
    return NormalizeReport(named, seconds, patients, documents, counts, concepts, (*problems, *failed), tuple(failed))


def _check_paths(request: NormalizeRequest) -> None:
    if not request.documents.exists():
        raise InputError(Problem(str(request.documents), "does not exist.", "Check the path given to --documents."))
    if request.reranker is not None and not request.reranker.is_dir():
        remedy = "Give to --reranker a folder that terminology train wrote."
        raise InputError(Problem(str(request.reranker), "is not a folder.", remedy))
    if request.out.is_dir():
        raise InputError(Problem(str(request.out), "is a folder.", "Give the path of a file to --out."))
    if request.omop is not None and request.omop.exists() and not request.omop.is_dir():
        raise InputError(Problem(str(request.omop), "is a file.", "Give the path of a folder to --omop."))
    for option, path in (("--out", request.out), ("--omop", request.omop)):
        source = request.documents.resolve()
        if path is not None and path.resolve().is_relative_to(source):
            what = "is, or lies among, the documents themselves."
            raise InputError(Problem(str(path), what, f"Give a path elsewhere to {option}."))
    request.out.parent.mkdir(parents=True, exist_ok=True)


def _open_work(request: NormalizeRequest, terminology: str, problems: list[Problem]) -> tuple[Journal, Spool]:
    """The finished patients and the documents of the run, those of the interrupted one where it goes on."""
    if not request.resume:
        shutil.rmtree(request.work, ignore_errors=True)
    request.work.mkdir(mode=0o700, exist_ok=True)
    made_of = {"documents": hash_tree(request.documents), "terminology": terminology, "code": hash_code()}
    if request.reranker is not None:
        made_of["reranker"] = hash_tree(request.reranker)
    journal = Journal(request.work / "journal.jsonl", made_of)
    spool = Spool.find(request.work, made_of["documents"])
    if spool is None:
        documents = read_documents(request.documents, problems.append)
        try:
            spool = Spool.write(request.work, made_of["documents"], documents, problems)
        except InputError:
            journal.close()
            shutil.rmtree(request.work)  # without a document there is nothing to go on with
            raise
        problems.clear()  # the spool gives them, to a resumed run too
    return journal, spool


def _make_reader(spool: Path, terminology: Path | None, reranker: Path | None, today: dt.date) -> ReadPlace[Line]:
    """Runs in the process that will read the patients: an open database does not pass from one to another."""
    reader = ConceptReader(open_terminology(terminology), reranker)
    documents = Spool(spool)

    def read_place(place: int) -> Line | Failure:
        try:
            problems: list[Problem] = []
            record = build_record(documents.raw_documents(place), problems.append, today)
            problems += inferences(record)
            lines = [document_line(document, reader.read(document)) for document in record.documents]
            return {"place": place, "documents": lines, "problems": [asdict(problem) for problem in problems]}
        except Exception as error:
            return Failure(place, describe_break(error))

    return read_place


def document_line(document: Document, readings: Sequence[ConceptReading]) -> Line:
    """One line of concepts.jsonl. Positions are code points of the text as given, end excluded."""
    return {
        "patient_id": document.patient_id,
        "document_id": document.document_id,
        "date": str(document.written_on) if document.written_on else None,
        "type": document.type,
        "title": document.title,
        "concepts": [_concept(document, reading) for reading in readings],
    }


def _concept(document: Document, reading: ConceptReading) -> Line:
    mention = reading.mention
    spans = [document.locate(start, end) for start, end in mention.fragments]
    codes: dict[str, str] = {}
    for code in mention.concept.codes:
        codes.setdefault(code.system.value, code.code)
    measured = {} if reading.value is None else {"value": reading.value, "unit": reading.unit}
    return {
        "start": spans[0].start,
        "end": spans[-1].end,
        "fragments": [[span.start, span.end] for span in spans],
        "text": " ".join(document.source_text[span.start : span.end] for span in spans),
        "concept_id": mention.concept.concept_id,
        "label": mention.concept.label,
        "types": list(mention.concept.semantic_types),
        "codes": codes,
        "negated": mention.negated,
        "hypothetical": mention.hypothetical,
        "family": mention.family,
        "history": mention.history,
        "side": mention.side.value if mention.side else None,
        "score": round(mention.score, 4),
        **measured,
    }


def _failure_problem(spool: Spool, failure: Failure) -> Problem:
    return Problem(
        f"patient {spool.patient_id(failure.place)!r}",
        f"the program broke on this patient ({failure.reason}); the documents are left out.",
        "Run the same command with --resume to try again; if it breaks again, report this message.",
    )


def _publish(
    request: NormalizeRequest, journal: Journal, spool: Spool, problems: list[Problem], today: dt.date
) -> tuple[Counter[str], Counter[str], int]:
    """Write the outputs from the journal, each put in its place in one step."""
    counts: Counter[str] = Counter()
    concepts: Counter[str] = Counter()
    documents = 0
    omop = _omop(request.omop, request, journal, spool, today) if request.omop else None
    draft = request.work / "concepts.jsonl"
    with draft.open("w", encoding="utf-8", newline="\n") as stream:
        for row in journal:
            problems += [Problem(**problem) for problem in row["problems"]]
            texts = {raw.document_id: raw.text for raw in spool.raw_documents(row["place"])} if omop else {}
            for line in row["documents"]:
                stream.write(json.dumps(line, ensure_ascii=False) + "\n")
                documents += 1
                _count(line, counts, concepts)
                if omop:
                    add_document(omop, line, texts[line["document_id"]])
    if omop:
        omop.publish()
    draft.replace(request.out)
    return counts, concepts, documents


def _omop(folder: Path, request: NormalizeRequest, journal: Journal, spool: Spool, today: dt.date) -> OmopWriter:
    patients = [spool.patient_id(place) for place in range(spool.patients)]
    notes = [line["document_id"] for row in journal for line in row["documents"]]
    return OmopWriter(folder, request.work / "omop", today, request.omop_format, patients, notes)


def _count(line: Line, counts: Counter[str], concepts: Counter[str]) -> None:
    for concept in line["concepts"]:
        concepts[concept["label"]] += 1
        counts["mentions"] += 1
        counts["coded"] += bool(concept["codes"])
        counts["affirmed"] += not (concept["negated"] or concept["hypothetical"] or concept["family"])
        counts.update(name for name in ("negated", "hypothetical", "family", "history") if concept[name])
