"""The main path: documents -> spool -> values by patient -> store -> table."""

from __future__ import annotations

import datetime as dt
import functools
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tqdm import tqdm

from generator.protocol import Generator
from rag.calibration import Calibration
from rag.corpus.read import read_documents
from rag.deid.keys import read_shifts
from rag.fingerprint import fingerprint, versions
from rag.generators import RULES, Generation, Ready, ready
from rag.omop import Format, OmopWriter
from rag.omop_values import add_values
from rag.patient import MakeGenerator, PatientReader, build_generator, build_record, codes_of, inferences
from rag.redcap.dictionary import read_dictionary
from rag.retrieval import WHOLE_RECORD, PassageFinder, Retrieval, fill_index
from rag.settings import load_study
from rag.store import PatientResult, RunStore, Source, Spool, answers_path, discard_work, new_drafts
from rag.tables import Exports
from rag.workers import CHUNK, Failure, MakeReader, ReadPlace, read_all
from schema.problem import InputError, Problem, describe_break
from schema.run import Fingerprint, RunManifest
from schema.study import Study
from schema.value import ExtractedValue, Status
from schema.variable import Variable


class Mode(StrEnum):
    """What to do with an earlier run in the same folder."""

    NEW = "new"  # refuse to touch it
    RESUME = "resume"  # go on with it
    FRESH = "fresh"  # start again; its results stay in the store


@dataclass(frozen=True, slots=True)
class FillRequest:
    """The arguments of one fill.

    Args:
        documents: folder or file, as `rag.corpus.read.read_documents` takes it.
        out: the run's folder; made if missing.
        omop: folder of tables of the OMOP model, when they are wanted; written in ``omop_format``.
        deid_key: key of the de-identified documents: dates of the table are moved back with it.
        retrieval: what of a record is read.
        generation: what reads it.
        workers: number of processes that read patients, at least 1.
        progress: show a progress bar on stderr.
    """

    documents: Path
    dictionary: Path
    out: Path
    study: Path | None = None
    deid_key: Path | None = None
    omop: Path | None = None
    omop_format: Format = Format.CSV
    retrieval: Retrieval = WHOLE_RECORD
    generation: Generation = RULES
    workers: int = 1
    mode: Mode = Mode.NEW
    progress: bool = False


@dataclass(frozen=True, slots=True)
class FillReport:
    """What a fill did; ``failed`` holds one problem for each patient on whom the program broke, or whose questions the
    language model could not be asked.
    """

    manifest: RunManifest
    problems: tuple[Problem, ...]
    failed: tuple[Problem, ...]

    def summary(self) -> list[str]:
        """What the run gave, in a few lines for a person."""
        run = self.manifest
        filled = sum(run.cells.get(status.value, 0) for status in Status if status.fills)
        by_status = ", ".join(f"{name} {count}" for name, count in sorted(run.cells.items()))
        lines = [
            f"{run.patients} patients, {run.documents} documents, {run.variables} variables in {run.seconds:.1f} s",
            f"{filled} of {sum(run.cells.values())} cells filled ({by_status})",
        ]
        if self.failed:
            lines.append(f"{len(self.failed)} patients failed; run again with --resume to retry them alone")
        return lines


def fill(request: FillRequest, make_generator: MakeGenerator | None = None) -> FillReport:
    """Fill the table of a cohort and write it, with its evidence, in ``request.out``.

    Args:
        make_generator: builds what reads, instead of what ``request.generation`` asks for.

    Raises:
        InputError: nothing can be filled, or the folder holds another run (the message says what to do).
    """
    started = time.monotonic()
    _check_paths(request)
    dictionary = read_dictionary(request.dictionary)
    problems = list(dictionary.problems)
    study = load_study(request.study, dictionary.variables, problems.append)
    reading = ready(request.generation, answers_path(request.out))
    make = make_generator or reading.make
    generator = build_generator(make, dictionary.variables, study, request.study)
    shifts = read_shifts(request.deid_key) if request.deid_key else None
    retriever = request.retrieval.described()
    inputs = fingerprint(
        request.documents, request.dictionary, request.study, request.deid_key, retriever, reading.described
    )
    problems += _doubts(reading, request, inputs, dictionary.variables)
    failed: list[Problem] = []
    unfinished: list[PatientResult] = []
    with RunStore(request.out) as store, _open_run(store, inputs, request) as spool:
        store.add_problems([*problems, *spool.problems()])
        run_id, created_at = store.identity()
        today = dt.datetime.fromisoformat(created_at).date()  # that of the first session, so that a resumed run agrees
        variables = dictionary.variables
        of_index = _fill_index(store, spool, today, request)
        taken = (reading.calibration, request.generation.above)
        make_reader = functools.partial(
            _make_reader, spool.path, variables, study, generator, today, shifts, request.retrieval, *taken
        )
        drafts = new_drafts(request.out)
        exports = Exports(dictionary, drafts)
        omop = _omop(request, drafts / "omop", today, spool)
        undated = 0
        for result in _results(store, spool, make_reader, request):
            if isinstance(result, Failure):
                failed.append(_failure_problem(spool, result))
                unfinished.append(_failed_cells(spool, result, dictionary.variables))
                exports.add(unfinished[-1])
            else:
                if unasked := _unasked(result):
                    failed.append(unasked)
                    unfinished.append(result)
                exports.add(result)
                undated += add_values(omop, variables, result) if omop else 0
        if undated:
            store.add_problems([_without_day(undated)])
        if omop:
            omop.publish()
        said = (*store.problems(), *(problem for result in unfinished for problem in result.problems), *failed)
        manifest = RunManifest(
            run_id=run_id,
            created_at=created_at,
            seconds=round(time.monotonic() - started, 3),
            fingerprint=inputs,
            versions=versions(),
            arguments=_arguments(request, reading),
            patients=spool.patients,
            documents=spool.documents,
            variables=len(dictionary.variables),
            cells=_count_cells(store, unfinished),
            problems=len(said),
            failed_patients=len(failed),
        )
        exports.publish(request.out, said, manifest)
        if not failed:
            store.finish(manifest)
            discard_work(request.out)
    return FillReport(manifest, (*of_index, *said), tuple(failed))


def _fill_index(store: RunStore, spool: Spool, today: dt.date, request: FillRequest) -> list[Problem]:
    """Encode what is to be read, where vectors are kept: one process writes them, then all may read them."""
    problems: list[Problem] = []
    if request.retrieval.index is not None and request.retrieval.retriever.reads_vectors:
        done = store.done()
        left = [place for place in range(spool.patients) if place not in done]
        places = tqdm(left, "index", unit="patient", disable=not request.progress)
        records = (build_record(spool.raw_documents(place), _unsaid, today) for place in places)
        fill_index(request.retrieval, records, problems.append)
    return problems


def _unsaid(_: Problem) -> None:
    """What is wrong with a document is said when it is read."""


def _omop(request: FillRequest, drafts: Path, today: dt.date, spool: Spool) -> OmopWriter | None:
    if request.omop is None:
        return None
    patients = [spool.patient_id(place) for place in range(spool.patients)]
    return OmopWriter(request.omop, drafts, today, request.omop_format, patients)


def _check_paths(request: FillRequest) -> None:
    if not request.documents.exists():
        what, remedy = "does not exist.", "Check the path given to --documents."
        raise InputError(Problem(str(request.documents), what, remedy))
    if request.out.exists() and not request.out.is_dir():
        raise InputError(Problem(str(request.out), "is a file.", "Give the path of a folder to --out."))
    if request.omop is not None and request.omop.exists() and not request.omop.is_dir():
        raise InputError(Problem(str(request.omop), "is a file.", "Give the path of a folder to --omop."))
    if request.out.resolve().is_relative_to(request.documents.resolve()):
        what = "lies inside the folder of the documents: its tables would be read as documents."
        raise InputError(Problem(str(request.out), what, "Give a folder elsewhere to --out."))
    if request.generation.offline is not None and request.workers > 1:
        what, remedy = "holds the model in one process.", "Leave out --workers, or serve the model: cohort-rag serve."
        raise InputError(Problem("--offline", what, remedy))


def _open_run(store: RunStore, inputs: Fingerprint, request: FillRequest) -> Spool:
    """Select the run to work on, a new one or the interrupted one, and give its documents by patient."""
    resumed = _can_resume(store, inputs, request)
    spool = Spool.find(request.out, inputs.documents) if resumed else None
    if spool is None:
        problems: list[Problem] = []
        documents = read_documents(request.documents, problems.append)
        spool = Spool.write(request.out, inputs.documents, documents, problems)
    if not resumed:
        store.start(inputs, dt.datetime.now(dt.UTC))
    return spool


def _can_resume(store: RunStore, inputs: Fingerprint, request: FillRequest) -> bool:
    """Whether there is a run to go on with; raises InputError when the request does not say what to do with it."""
    latest = None if request.mode is Mode.FRESH else store.latest()
    if latest is None:
        return False
    earlier, finished = latest
    if request.mode is Mode.NEW:
        what = f"already holds {'a finished' if finished else 'an unfinished'} run."
        remedy = "Add --resume to go on with it, --fresh to start again, or give another folder to --out."
        raise InputError(Problem(str(request.out), what, remedy))
    changed = earlier.differences(inputs)
    if changed:
        what = f"this run cannot be resumed: changed since it was started: {', '.join(changed)}."
        remedy = "Put back what it was started with, or start again with --fresh."
        raise InputError(Problem(str(request.out), what, remedy))
    return True


def _make_reader(
    spool: Path,
    variables: tuple[Variable, ...],
    study: Study,
    generator: Generator,
    today: dt.date,
    shifts: Mapping[str, int] | None,
    retrieval: Retrieval,
    calibration: Calibration | None,
    above: float,
) -> ReadPlace[PatientResult]:
    """Runs in the process that will read the patients."""
    reader = PatientReader(variables, generator, codes_of(variables, study), calibration, above)
    finder = PassageFinder(retrieval, variables, study)
    documents = Spool(spool)

    def read_place(place: int) -> PatientResult | Failure:
        try:
            problems: list[Problem] = []
            record = build_record(documents.raw_documents(place), problems.append, today)
            problems += inferences(record)
            sources = tuple(Source(d.document_id, d.type, str(d.written_on or "")) for d in record.documents)
            if shifts is not None and record.patient_id not in shifts:
                problems.append(_without_key(record.patient_id))
            shift_days = (shifts or {}).get(record.patient_id, 0)
            values = reader.read(record, finder.passages_for(record), shift_days)
            problems += [_broken_cell(value) for value in values if value.status is Status.FAILED]
            problems += _cut(record.patient_id, values)
            return PatientResult(place, record.patient_id, values, sources, tuple(problems))
        except Exception as error:
            return Failure(place, describe_break(error))

    return read_place


def _without_key(patient_id: str) -> Problem:
    what = "it is not in the key of the de-identification; its dates stay those of the documents."
    return Problem(f"patient {patient_id!r}", what, "Give the key that deidentify wrote with these documents.")


def _without_day(values: int) -> Problem:
    what = f"{values} values are told by documents without a date; they are in the table, not in the OMOP tables."
    return Problem("OMOP tables", what, "Give the documents their dates.", lost=False)


def _broken_cell(value: ExtractedValue) -> Problem:
    return Problem(
        f"patient {value.patient_id!r}, variable {value.variable!r}",
        f"the program broke on this cell ({value.explanation}); it is empty, the patient's other cells are kept.",
        "Report this message.",
    )


def _cut(patient_id: str, values: Sequence[ExtractedValue]) -> Iterator[Problem]:
    cut = sum(value.status is Status.TRUNCATED for value in values)
    if cut:
        what = f"the record, or the answer, is too long for the language model: {cut} cells are empty."
        remedy = "Show passages instead of the record (--retriever), or serve the model with a longer context."
        yield Problem(f"patient {patient_id!r}", what, remedy)


def _results(
    store: RunStore, spool: Spool, make_reader: MakeReader[PatientResult], request: FillRequest
) -> Iterator[PatientResult | Failure]:
    """Every patient in order: from the store those of an earlier session, the others read, then stored."""
    done = store.done()
    places = range(spool.patients)
    fork = not request.retrieval.retriever.reads_vectors  # the threads of an encoder do not survive it
    left = [place for place in places if place not in done]
    chunk = (
        1 if request.generation.generator.asks_model else CHUNK
    )  # a patient takes seconds: its result is kept at once
    read = read_all(left, make_reader, request.workers, fork, chunk)
    for place in tqdm(places, unit="patient", disable=not request.progress):
        result = store.result(place) if place in done else next(read)
        if place not in done and isinstance(result, PatientResult) and _unasked(result) is None:
            store.add(result)
        yield result


def _failed_cells(spool: Spool, failure: Failure, variables: Sequence[Variable]) -> PatientResult:
    patient_id = spool.patient_id(failure.place)
    cells = tuple(ExtractedValue(patient_id, variable.name, Status.FAILED) for variable in variables)
    return PatientResult(failure.place, patient_id, cells)


def _failure_problem(spool: Spool, failure: Failure) -> Problem:
    return Problem(
        f"patient {spool.patient_id(failure.place)!r}",
        f"the program broke on this patient ({failure.reason}); the row is empty.",
        "Run the same command with --resume to try again; if it breaks again, report this message.",
    )


def _unasked(result: PatientResult) -> Problem | None:
    """What is said of a patient whose questions could not all be asked: it is not kept, and is tried again."""
    unasked = sum(value.status is Status.SERVER_ERROR for value in result.values)
    if not unasked:
        return None
    what = f"the server of the language model could not be reached for {unasked} of its {len(result.values)} cells."
    remedy = "Start it again (cohort-rag serve), then run the same command with --resume: what was answered is kept."
    return Problem(f"patient {result.patient_id!r}", what, remedy)


def _doubts(reading: Ready, request: FillRequest, inputs: Fingerprint, variables: Sequence[Variable]) -> list[Problem]:
    if reading.calibration is None:
        return list(reading.doubts)
    where = str(request.generation.calibration)
    return [*reading.doubts, *reading.calibration.doubts(where, reading.name, inputs.dictionary, variables)]


def _count_cells(store: RunStore, unfinished: Sequence[PatientResult]) -> dict[str, int]:
    counts = Counter(value.status.value for result in unfinished for value in result.values)
    return dict(Counter(store.counts()) + counts)


def _arguments(request: FillRequest, reading: Ready) -> dict[str, str]:
    return {
        "documents": str(request.documents),
        "dictionary": str(request.dictionary),
        "study": str(request.study or ""),
        "deid_key": str(request.deid_key or ""),
        "retriever": request.retrieval.retriever.value,
        "passages": str(request.retrieval.passages),
        "encoder": str(request.retrieval.encoder or ""),
        "model": str(request.retrieval.model or ""),
        "index": request.retrieval.index or "",
        "generator": reading.name,
        "calibration": str(request.generation.calibration or ""),
        "above": str(request.generation.above),
        "out": str(request.out),
        "workers": str(request.workers),
        "mode": request.mode.value,
    }
