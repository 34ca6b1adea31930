"""The dictionary file: names, concepts and codes of a terminology in one SQLite file, written once and then read.

`rag.terminology.build` writes it; `rag.terminology.index` finds its names in a text.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.terminology.model import Term
from schema.concept import Code, CodeSystem, Concept
from schema.problem import InputError, Problem

#: SQLite's own marks of a file type: whose file it is, and the version of its tables.
APPLICATION_ID = 0x43525454
FORMAT = 1

TABLES = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE concept (number INTEGER PRIMARY KEY, concept_id TEXT NOT NULL UNIQUE, label TEXT NOT NULL DEFAULT '');
CREATE TABLE semantic_type (
    concept INTEGER, position INTEGER, name TEXT, PRIMARY KEY (concept, name)) WITHOUT ROWID;
CREATE TABLE code (
    concept INTEGER, position INTEGER, system TEXT, code TEXT, PRIMARY KEY (concept, system, code)) WITHOUT ROWID;
CREATE TABLE term (
    number INTEGER PRIMARY KEY, concept INTEGER NOT NULL, text TEXT NOT NULL, language TEXT NOT NULL,
    preferred INTEGER NOT NULL, rank INTEGER NOT NULL, weight INTEGER NOT NULL, UNIQUE (concept, text, language));
CREATE TABLE extra (name TEXT PRIMARY KEY, data BLOB NOT NULL);
"""

_TERM = "SELECT text, concept_id, language, preferred, rank, weight FROM term JOIN concept ON concept.number = concept"
#: Of the names of one concept, best first. Of the concepts of one name, precedence decides first (`terms_at`).
BEST_NAME = "preferred DESC, rank, weight DESC, term.number"
_AT_ONCE = 500  # parameters of one query; SQLite takes 999 in its oldest builds


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """Where names came from. ``sha256`` is of everything that was read."""

    name: str
    version: str
    sha256: str
    terms: int


@dataclass(frozen=True, slots=True)
class TerminologyInfo:
    """What a dictionary holds.

    Args:
        version: as given at the build, else the first digits of ``content``.
        content: SHA-256 of its concepts, names and codes: two equal dictionaries have the same.
        languages, semantic_types, systems: number of terms by language, of concepts by type, of codes by vocabulary.
    """

    version: str
    content: str
    sources: tuple[SourceInfo, ...]
    concepts: int
    terms: int
    languages: Mapping[str, int]
    semantic_types: Mapping[str, int]
    systems: Mapping[str, int]


class TermStore:
    """An open dictionary file. A forked process opens it anew: SQLite's connections do not survive a fork."""

    def __init__(self, path: Path, base: sqlite3.Connection, info: TerminologyInfo) -> None:
        self.path = path
        self.info = info
        self._opened = base
        self._process = os.getpid()
        self._inherited: sqlite3.Connection | None = None

    @classmethod
    def open(cls, path: Path) -> TermStore:
        """Open a dictionary for reading.

        Raises:
            InputError: it is missing, cut short, of another format, or no dictionary at all.
        """
        if not path.is_file():
            what = "is a folder, not a terminology file." if path.is_dir() else "does not exist."
            raise InputError(Problem(str(path), what, "Build it: cohort-rag terminology build … --out FILE."))
        return cls(path, *_opened(path))

    def close(self) -> None:
        """Release the file."""
        self._base.close()

    def _rows(self, query: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self._base.execute(query, values)
        except sqlite3.DatabaseError:
            raise damaged(self.path) from None

    @property
    def _base(self) -> sqlite3.Connection:
        if self._process != os.getpid():
            base, info = _opened(self.path)
            if info != self.info:
                what = "was replaced by another dictionary while it was in use."
                raise InputError(Problem(str(self.path), what, "Start again."))
            self._inherited = self._opened  # held, not closed: it is the parent's
            self._opened, self._process = base, os.getpid()
        return self._opened

    def concept(self, concept_id: str) -> Concept:
        """A concept by its identifier.

        Raises:
            KeyError: there is none.
        """
        query = "SELECT number, label FROM concept WHERE concept_id = ?"
        row = next(self._rows(query, (concept_id,)), None)
        if row is None:
            raise KeyError(concept_id)
        number, label = row
        types = "SELECT name FROM semantic_type WHERE concept = ? ORDER BY position"
        codes = "SELECT system, code FROM code WHERE concept = ? ORDER BY position"
        return Concept(
            concept_id,
            label,
            tuple(name for (name,) in self._rows(types, (number,))),
            tuple(Code(CodeSystem(system), code) for system, code in self._rows(codes, (number,))),
        )

    def terms(self) -> Iterator[Term]:
        """Every name, by concept in the order in which the sources first name them."""
        return map(_term, self._rows(f"{_TERM} ORDER BY term.number"))

    def terms_at(self, numbers: Sequence[int]) -> tuple[Term, ...]:
        """The terms of these numbers (`texts`), by rank; of one rank, the preferred and the most counted first."""
        rows: list[tuple[tuple[int, int, int, int], Term]] = []
        for first in range(0, len(numbers), _AT_ONCE):
            some = numbers[first : first + _AT_ONCE]
            marks = ",".join("?" * len(some))
            query = _TERM.replace("SELECT ", "SELECT term.number, ", 1) + f" WHERE term.number IN ({marks})"
            for number, *row in self._rows(query, some):
                term = _term(row)
                rows.append(((term.rank, not term.preferred, -term.weight, number), term))
        return tuple(term for _, term in sorted(rows, key=lambda row: row[0]))

    def texts(self) -> Iterator[tuple[int, str]]:
        """The number and the text of every term, by number."""
        return self._rows("SELECT number, text FROM term ORDER BY number")

    def extra(self, name: str) -> bytes | None:
        """What `put_extra`, or a loader, kept under a name."""
        row = next(self._rows("SELECT data FROM extra WHERE name = ?", (name,)), None)
        return bytes(row[0]) if row else None

    def fingerprint(self) -> str:
        """A hash of the content and of the extras: of everything that decides what is found in a text."""
        total = hashlib.sha256(self.info.content.encode())
        for name, data in self._rows("SELECT name, data FROM extra ORDER BY name"):
            total.update(f"\0{name}\0{hashlib.sha256(data).hexdigest()}".encode())
        return total.hexdigest()

    def put_extra(self, name: str, data: bytes) -> None:
        """Keep bytes in the file, in the place of what it kept under that name.

        Raises:
            InputError: the file cannot be written.
        """
        try:
            with closing(sqlite3.connect(self.path)) as base, base:
                base.execute("INSERT OR REPLACE INTO extra VALUES (?, ?)", (name, data))
        except sqlite3.OperationalError as error:
            what = f"cannot be written ({error})."
            raise InputError(Problem(str(self.path), what, "Copy it to a place where you may write.")) from None


def damaged(path: Path) -> InputError:
    """What is said of a dictionary that cannot be read."""
    return InputError(Problem(str(path), "is damaged, or was cut short.", "Copy it again, or build it again."))


def _opened(path: Path) -> tuple[sqlite3.Connection, TerminologyInfo]:
    base = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
    try:
        _check(path, base)
        about = dict(base.execute("SELECT key, value FROM about"))
        return base, _info(json.loads(about["info"]))
    except (sqlite3.DatabaseError, KeyError, ValueError, TypeError):
        base.close()
        raise damaged(path) from None
    except InputError:
        base.close()
        raise


def _check(path: Path, base: sqlite3.Connection) -> None:
    try:
        (owner,) = base.execute("PRAGMA application_id").fetchone()
    except sqlite3.DatabaseError:
        with path.open("rb") as file:
            if file.read(16) == b"SQLite format 3\0":
                raise
        owner = 0
    if owner != APPLICATION_ID:
        remedy = "Give the file that cohort-rag terminology build wrote with --out."
        raise InputError(Problem(str(path), "is not a terminology file.", remedy))
    (version,) = base.execute("PRAGMA user_version").fetchone()
    if version != FORMAT:
        what = f"is in format {version}; this program reads format {FORMAT}."
        raise InputError(Problem(str(path), what, "Build it again with this program."))
    size = base.execute("PRAGMA page_count").fetchone()[0] * base.execute("PRAGMA page_size").fetchone()[0]
    if size != path.stat().st_size:
        raise damaged(path)


def _info(values: dict[str, Any]) -> TerminologyInfo:
    sources = tuple(SourceInfo(**source) for source in values.pop("sources"))
    return TerminologyInfo(sources=sources, **values)


def _term(row: Sequence[Any]) -> Term:
    text, concept_id, language, preferred, rank, weight = row
    return Term(text, concept_id, language, bool(preferred), rank, weight)
