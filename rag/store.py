"""The only file that writes the data of a run (its exports aside, which are made from them).

A run folder holds ``run.sqlite`` (results, append-only by run: nothing is updated or deleted) and, while a run is
unfinished, ``.work/spool.sqlite``: the documents by patient, so that a source in any order can be read patient by
patient in flat memory. The spool holds the patients' texts: it is readable by its owner alone and removed once
the run is finished.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from schema.concept import Code, CodeSystem
from schema.document import RawDocument
from schema.problem import InputError, Problem
from schema.run import Fingerprint, RunManifest
from schema.value import Evidence, ExtractedValue, Status, Value

_WORK = ".work"

_RUN_TABLES = """
CREATE TABLE IF NOT EXISTS run (
    number INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL, fingerprint TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS finished (number INTEGER PRIMARY KEY, manifest TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS patient (
    number INTEGER, place INTEGER, patient_id TEXT NOT NULL, PRIMARY KEY (number, place)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS source (
    number INTEGER, place INTEGER, position INTEGER, document_id TEXT NOT NULL, type TEXT NOT NULL,
    written_on TEXT NOT NULL, PRIMARY KEY (number, place, position)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cell (
    number INTEGER, place INTEGER, position INTEGER, variable TEXT NOT NULL, status TEXT NOT NULL, value TEXT,
    confidence REAL NOT NULL, evidence TEXT NOT NULL, candidates TEXT NOT NULL, explanation TEXT NOT NULL,
    PRIMARY KEY (number, place, position)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS code (
    number INTEGER, place INTEGER, position INTEGER, rank INTEGER, system TEXT NOT NULL, code TEXT NOT NULL,
    PRIMARY KEY (number, place, position, rank)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS problem (
    number INTEGER, place INTEGER, source TEXT NOT NULL, what TEXT NOT NULL, remedy TEXT NOT NULL,
    lost INTEGER NOT NULL, UNIQUE (number, source, what, remedy));
"""

_SPOOL_TABLES = """
CREATE TABLE patient (place INTEGER PRIMARY KEY, patient_id TEXT NOT NULL UNIQUE);
CREATE TABLE document (
    place INTEGER, sequence INTEGER, document_id TEXT, text TEXT, date TEXT, type TEXT, title TEXT, origin TEXT,
    PRIMARY KEY (place, sequence)) WITHOUT ROWID;
CREATE TABLE problem (source TEXT, what TEXT, remedy TEXT, lost INTEGER);
CREATE TABLE complete (documents INTEGER, source TEXT);
"""


@dataclass(frozen=True, slots=True)
class Source:
    """A document that was read: what is needed to cite it. ``written_on`` is "" when its date is not known."""

    document_id: str
    type: str
    written_on: str


@dataclass(frozen=True, slots=True)
class PatientResult:
    """All that was read of one patient: a value per variable, in the dictionary's order.

    Args:
        place: the patient's rank, from 0, in the order in which the documents first name the patients.
        sources: the documents read, oldest first.
        problems: doubts about this patient's documents.
    """

    place: int
    patient_id: str
    values: tuple[ExtractedValue, ...]
    sources: tuple[Source, ...] = ()
    problems: tuple[Problem, ...] = ()


class Spool:
    """The documents of a run, by patient, in the order in which the patients were first seen."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._base = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()

    @classmethod
    def write(cls, run: Path, source: str, documents: Iterable[RawDocument], problems: list[Problem]) -> Spool:
        """Store every document, then the problems that reading them added to ``problems``.

        ``source`` is the hash of what the documents were read from.
        """
        path = _spool_path(run)
        discard_work(run)
        path.parent.mkdir(parents=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            with contextlib.closing(sqlite3.connect(path)) as base:
                _fill_spool(base, source, documents, problems)
        except InputError:
            discard_work(run)
            raise
        except sqlite3.OperationalError as error:
            discard_work(run)
            what, remedy = (
                f"cannot be written ({error}).",
                "Check that you may write there, and the room left on the disk.",
            )
            raise InputError(Problem(str(run), what, remedy)) from error
        return cls(path)

    @classmethod
    def find(cls, run: Path, source: str) -> Spool | None:
        """The complete spool of ``source`` that an interrupted run left, or None."""
        path = _spool_path(run)
        if not path.is_file():
            return None
        spool = cls(path)
        with contextlib.suppress(sqlite3.DatabaseError):  # killed while it was being written
            if spool._base.execute("SELECT 1 FROM complete WHERE source = ?", (source,)).fetchone():
                return spool
        spool._base.close()
        return None

    @property
    def documents(self) -> int:
        """How many documents are stored."""
        (count,) = self._base.execute("SELECT documents FROM complete").fetchone()
        return int(count)

    @property
    def patients(self) -> int:
        """How many patients are stored: their places are 0 … patients - 1."""
        (count,) = self._base.execute("SELECT count(*) FROM patient").fetchone()
        return int(count)

    def problems(self) -> list[Problem]:
        """What was wrong with the documents when they were read."""
        return [_problem(row) for row in self._base.execute("SELECT * FROM problem")]

    def patient_id(self, place: int) -> str:
        """The patient at ``place``."""
        (patient_id,) = self._base.execute("SELECT patient_id FROM patient WHERE place = ?", (place,)).fetchone()
        return str(patient_id)

    def raw_documents(self, place: int) -> list[RawDocument]:
        """The documents of the patient at ``place``, in the order of the source."""
        patient_id = self.patient_id(place)
        rows = self._base.execute(
            "SELECT document_id, text, date, type, title, origin FROM document WHERE place = ? ORDER BY sequence",
            (place,),
        )
        return [RawDocument(patient_id, *row) for row in rows]


def _fill_spool(
    base: sqlite3.Connection, source: str, documents: Iterable[RawDocument], problems: list[Problem]
) -> None:
    # A spool cut short is written again from the start, so nothing is gained by syncing or journaling it.
    base.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _SPOOL_TABLES)
    places: dict[str, int] = {}
    counts: list[int] = []
    for raw in documents:
        place = places.setdefault(raw.patient_id, len(places))
        if place == len(counts):
            counts.append(0)
            base.execute("INSERT INTO patient VALUES (?, ?)", (place, raw.patient_id))
        row = (raw.document_id, raw.text, raw.date, raw.type, raw.title, raw.origin)
        base.execute("INSERT INTO document VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (place, counts[place], *row))
        counts[place] += 1
    base.executemany("INSERT INTO problem VALUES (?, ?, ?, ?)", map(_problem_row, problems))
    base.execute("INSERT INTO complete VALUES (?, ?)", (sum(counts), source))
    base.commit()


class RunStore:
    """The results of the runs written in one folder. One process at a time may hold it open.

    Raises:
        InputError: another fill holds the folder, or ``run.sqlite`` is not a run store.
    """

    def __init__(self, run: Path) -> None:
        self.run = run
        self.number = 0
        run.mkdir(mode=0o700, parents=True, exist_ok=True)  # it quotes the patients' documents
        path = run / "run.sqlite"
        self._base = sqlite3.connect(path, timeout=1.0, isolation_level=None)
        try:
            # The exclusive lock falls with its process, whatever kills it: no stale lock file to explain away.
            self._base.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = NORMAL")
            self._base.executescript(f"BEGIN IMMEDIATE; {_RUN_TABLES} COMMIT;")
        except sqlite3.OperationalError as error:
            self._base.close()
            what, remedy = f"cannot be written ({error}).", "Check that you may write there, and the room left."
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                what, remedy = "another fill is writing here.", "Wait for it to end, or give another folder to --out."
            raise InputError(Problem(str(path), what, remedy)) from error
        except sqlite3.DatabaseError as error:
            self._base.close()
            raise InputError(Problem(str(path), "is not a run store.", "Give another folder to --out.")) from error

    def __enter__(self) -> RunStore:
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()

    def latest(self) -> tuple[Fingerprint, bool] | None:
        """What the newest run was made of and whether it is finished; None before any run. Selects that run."""
        row = self._base.execute(
            "SELECT run.number, fingerprint, manifest IS NOT NULL FROM run LEFT JOIN finished USING (number) "
            "ORDER BY run.number DESC LIMIT 1"
        ).fetchone()
        if row is None:
            return None
        self.number = int(row[0])
        return Fingerprint.model_validate_json(row[1]), bool(row[2])

    def start(self, fingerprint: Fingerprint, now: dt.datetime) -> None:
        """Open a new run and select it. Results of earlier runs stay."""
        (last,) = self._base.execute("SELECT coalesce(max(number), 0) FROM run").fetchone()
        self.number = int(last) + 1
        run_id = f"{now:%Y%m%dT%H%M%SZ}-{self.number}"
        created_at = now.isoformat(timespec="seconds")
        row = (self.number, run_id, created_at, fingerprint.model_dump_json())
        self._base.execute("INSERT INTO run VALUES (?, ?, ?, ?)", row)

    def identity(self) -> tuple[str, str]:
        """The selected run's run_id and created_at."""
        row = self._base.execute("SELECT run_id, created_at FROM run WHERE number = ?", (self.number,)).fetchone()
        return str(row[0]), str(row[1])

    def done(self) -> set[int]:
        """Places of the patients whose results are stored."""
        rows = self._base.execute("SELECT place FROM patient WHERE number = ?", (self.number,))
        return {place for (place,) in rows}

    def add(self, result: PatientResult) -> None:
        """Store one patient, all or nothing."""
        key = (self.number, result.place)
        cells = [(*key, position, *_cell_row(value)) for position, value in enumerate(result.values)]
        codes = [
            (*key, position, rank, code.system.value, code.code)
            for position, value in enumerate(result.values)
            for rank, code in enumerate(value.codes)
        ]
        sources = [(*key, i, s.document_id, s.type, s.written_on) for i, s in enumerate(result.sources)]
        self._base.execute("BEGIN")
        self._base.execute("INSERT INTO patient VALUES (?, ?, ?)", (*key, result.patient_id))
        self._base.executemany("INSERT INTO source VALUES (?, ?, ?, ?, ?, ?)", sources)
        self._base.executemany("INSERT INTO cell VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", cells)
        self._base.executemany("INSERT INTO code VALUES (?, ?, ?, ?, ?, ?)", codes)
        self._insert_problems(result.problems, result.place)
        self._base.execute("COMMIT")

    def add_problems(self, problems: Iterable[Problem]) -> None:
        """Store what was wrong with the inputs of the run; a problem already stored is not stored twice."""
        self._base.execute("BEGIN")
        self._insert_problems(problems, None)
        self._base.execute("COMMIT")

    def _insert_problems(self, problems: Iterable[Problem], place: int | None) -> None:
        rows = [(self.number, place, *_problem_row(problem)) for problem in problems]
        self._base.executemany("INSERT OR IGNORE INTO problem VALUES (?, ?, ?, ?, ?, ?)", rows)

    def problems(self) -> list[Problem]:
        """Problems of the inputs first, then of each patient in order."""
        rows = self._base.execute(
            "SELECT source, what, remedy, lost FROM problem WHERE number = ? ORDER BY place NULLS FIRST, rowid",
            (self.number,),
        )
        return [_problem(row) for row in rows]

    def result(self, place: int) -> PatientResult:
        """The stored patient at ``place``, without the problems."""
        key = (self.number, place)
        (patient_id,) = self._base.execute(
            "SELECT patient_id FROM patient WHERE number = ? AND place = ?", key
        ).fetchone()
        cells = self._base.execute(
            "SELECT variable, status, value, confidence, evidence, candidates, explanation FROM cell "
            "WHERE number = ? AND place = ? ORDER BY position",
            key,
        )
        sources = self._base.execute(
            "SELECT document_id, type, written_on FROM source WHERE number = ? AND place = ? ORDER BY position", key
        )
        codes: dict[int, list[Code]] = {}
        for position, system, code in self._base.execute(
            "SELECT position, system, code FROM code WHERE number = ? AND place = ? ORDER BY position, rank", key
        ):
            codes.setdefault(position, []).append(Code(CodeSystem(system), code))
        values = tuple(_cell(patient_id, row, tuple(codes.get(i, ()))) for i, row in enumerate(cells))
        return PatientResult(place, patient_id, values, tuple(Source(*row) for row in sources))

    def counts(self) -> dict[str, int]:
        """Number of stored cells by status."""
        rows = self._base.execute(
            "SELECT status, count(*) FROM cell WHERE number = ? GROUP BY status ORDER BY status", (self.number,)
        )
        return dict(rows.fetchall())

    def finish(self, manifest: RunManifest) -> None:
        """Mark the selected run as finished; a run that is already finished keeps its first manifest."""
        self._base.execute("INSERT OR IGNORE INTO finished VALUES (?, ?)", (self.number, manifest.model_dump_json()))


def new_drafts(run: Path) -> Path:
    """An empty folder for the exports under way."""
    drafts = run / _WORK / "drafts"
    shutil.rmtree(drafts, ignore_errors=True)
    drafts.mkdir(parents=True)
    return drafts


def answers_path(run: Path) -> Path:
    """The file that keeps what a language model answered, while the run is unfinished."""
    return run / _WORK / "answers.sqlite"


def discard_work(run: Path) -> None:
    """Remove what a run keeps while it is unfinished, the copy of the documents first of all."""
    shutil.rmtree(run / _WORK, ignore_errors=True)


def _spool_path(run: Path) -> Path:
    return run / _WORK / "spool.sqlite"


def _problem_row(problem: Problem) -> tuple[str, str, str, bool]:
    return problem.where, problem.what, problem.remedy, problem.lost


def _problem(row: tuple[str, str, str, int]) -> Problem:
    return Problem(row[0], row[1], row[2], bool(row[3]))


def _cell_row(value: ExtractedValue) -> tuple[object, ...]:
    return (
        value.variable,
        value.status.value,
        None if value.value is None else _dump(value.value),
        value.confidence,
        json.dumps([(e.document_id, e.start, e.end, e.quote) for e in value.evidence], ensure_ascii=False),
        json.dumps([_dump(candidate) for candidate in value.candidates], ensure_ascii=False),
        value.explanation,
    )


def _cell(
    patient_id: str, row: tuple[str, str, str | None, float, str, str, str], codes: tuple[Code, ...]
) -> ExtractedValue:
    variable, status, value, confidence, evidence, candidates, explanation = row
    return ExtractedValue(
        patient_id=patient_id,
        variable=variable,
        status=Status(status),
        value=None if value is None else _load(value),
        confidence=confidence,
        evidence=tuple(Evidence(*item) for item in json.loads(evidence)),
        candidates=tuple(_load(candidate) for candidate in json.loads(candidates)),
        explanation=explanation,
        codes=codes,
    )


def _dump(value: Value) -> str:
    """A typed value as text that says its type, so that "2" and 2, or a date and a text, come back as they were."""
    if isinstance(value, tuple):
        return "codes:" + json.dumps(value, ensure_ascii=False)
    if isinstance(value, dt.date | dt.time):  # a datetime is a date
        return f"{type(value).__name__}:{value.isoformat()}"
    return f"{type(value).__name__}:{value}"


def _load(text: str) -> Value:
    kind, _, body = text.partition(":")
    match kind:
        case "codes":
            return tuple(json.loads(body))
        case "date":
            return dt.date.fromisoformat(body)
        case "datetime":
            return dt.datetime.fromisoformat(body)
        case "time":
            return dt.time.fromisoformat(body)
        case "int":
            return int(body)
        case "float":
            return float(body)
        case "str":
            return body
    raise ValueError(f"unknown type of stored value: {kind!r}")
