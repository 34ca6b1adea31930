"""What every loader gives, and how it says which rows it could not use."""

from __future__ import annotations

import hashlib
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from rag.terminology.model import Term, TermIndex
from schema.concept import Code
from schema.problem import Problem

Report = Callable[[Problem], None]

_SAID_PER_FILE = 20
#: ISO 639-2, in its two forms, to 639-1.
_LANGUAGES = {
    **{"fre": "fr", "fra": "fr", "eng": "en", "ger": "de", "deu": "de", "spa": "es", "ita": "it"},
    **{"dut": "nl", "nld": "nl", "por": "pt"},
}
_LONGEST_NAME = 1000  # characters; SNOMED CT allows 255, UMLS has a few longer


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that a source says of one concept; it may say more of it in later entries.

    An entry without terms adds to a concept that has terms already; it is dropped for any other concept, so that a
    loader gives the terms first.

    Args:
        terms: ``rank`` counts from 0 within the source.
        semantic_types, codes: most specific first, the vocabulary's own code first.
    """

    concept_id: str
    terms: tuple[Term, ...] = ()
    semantic_types: tuple[str, ...] = ()
    codes: tuple[Code, ...] = ()


class Source(ABC):
    """One vocabulary, or one table."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is and where it was read, for `info`."""

    @property
    def version(self) -> str:
        """The release; "" when nothing tells it."""
        return ""

    @abstractmethod
    def fingerprint(self) -> str:
        """A hash of every byte that is read."""

    @abstractmethod
    def entries(self, report: Report) -> Iterator[Entry]:
        """Read it, in one pass and in bounded memory. Rows that cannot be used are reported and passed over.

        Raises:
            InputError: nothing can be read.
        """

    def extras(self, index: TermIndex) -> Mapping[str, bytes]:
        """What else the dictionary file keeps of it, by name (`TermStore.extra`).

        Args:
            index: the names of all sources.
        """
        return {}


class RowProblems:
    """The defects of one file's rows: the first ones are said one by one, the others are counted."""

    def __init__(self, file: str, report: Report) -> None:
        self._file = file
        self._report = report
        self._lost = self._doubted = 0

    def __enter__(self) -> RowProblems:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        remedy = "Correct the defects said above, then build again to see what remains."
        for count, fate in ((self._lost, "left out"), (self._doubted, "kept, with a doubt")):
            if count > _SAID_PER_FILE:
                more = f"{count - _SAID_PER_FILE} more rows were {fate}."
                self._report(Problem(self._file, more, remedy, lost=fate == "left out"))

    def lost(self, row: int, what: str, remedy: str) -> None:
        """A row that was left out. ``row`` counts lines from 1."""
        self._lost += 1
        if self._lost <= _SAID_PER_FILE:
            self._report(Problem(f"{self._file}, line {row}", what, remedy))

    def doubt(self, row: int, what: str, remedy: str) -> None:
        """A row that was used all the same."""
        self._doubted += 1
        if self._doubted <= _SAID_PER_FILE:
            self._report(Problem(f"{self._file}, line {row}", what, remedy, lost=False))


def read_lines(file: BinaryIO, problems: RowProblems) -> Iterator[tuple[int, str]]:
    """The lines of a text with their numbers from 1, line ends kept, blank lines passed over.

    UTF-16 by its mark, else UTF-8; a line that is not UTF-8 is read as Windows-1252, and said: files glued together
    from several exports mix both.
    """
    start = file.read(2)
    if start in (b"\xff\xfe", b"\xfe\xff"):
        content = (start + file.read()).decode("utf-16", "replace")  # as spreadsheets save a table: small
        yield from ((n, line) for n, line in enumerate(content.split("\n"), 1) if line.strip())
        return
    first = (start + file.readline()).splitlines(keepends=True)  # two lines when the first one is blank
    for number, raw in enumerate(chain(first, file), 1):
        try:
            line = raw.decode("utf-8")
        except UnicodeDecodeError:
            line = raw.decode("cp1252", "replace")
            what = "is not UTF-8; it was read as Windows-1252."
            problems.doubt(number, what, "Check its accents, and save the file again in UTF-8.")
        if number == 1:
            line = line.removeprefix("\ufeff")
        if line.strip():
            yield number, line


def clean_name(text: str) -> str:
    """A name on one line: composed accents, single blanks, no control character; "" when nothing is left to match."""
    plain = unicodedata.normalize("NFC", text)
    if not plain.isprintable():
        plain = "".join(" " if c.isspace() else c for c in plain if c.isspace() or c.isprintable())
    return " ".join(plain.split()) if any(map(str.isalnum, plain)) else ""


def checked_name(text: str, row: int, problems: RowProblems) -> str | None:
    """The name of a row, cleaned, or None when it has none (said)."""
    name = clean_name(text)
    if not name:
        problems.lost(row, "has no name (empty, or signs alone).", "Fill it in, or remove the row.")
        return None
    if len(name) > _LONGEST_NAME:
        what = f"has a name of {len(name)} characters (at most {_LONGEST_NAME})."
        problems.lost(row, what, "Look for a quote or a line end that is missing.")
        return None
    return name


def language_code(written: str) -> str:
    """ISO 639-1 where it is known: "FRE", "fra", "fr-FR" → "fr"; else what was written, in small letters."""
    code = written.strip().lower().replace("_", "-").split("-")[0]
    return _LANGUAGES.get(code, code)


def hash_files(files: Iterable[Path]) -> str:
    """SHA-256 over the contents of files, in the order given."""
    total = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()
