"""Any table of names: CSV with a heading row, or one JSON object per line. Columns go by name (`columns.yml`)."""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rag.terminology.loaders.source import (
    Entry,
    Report,
    RowProblems,
    Source,
    checked_name,
    clean_name,
    hash_files,
    language_code,
    read_lines,
)
from rag.terminology.model import Term
from rag.terminology.vocabulary import read_yaml
from schema.concept import Code, CodeSystem
from schema.problem import InputError, Problem

_NAMES = Path(__file__).with_name("columns.yml")
_DELIMITERS = ",;\t|"
_JSON = (".jsonl", ".ndjson", ".json")
#: Several values in one cell.
_BETWEEN = re.compile(r"[|;\n]")
_CUI = re.compile(r"C\d{7}")
_REMEDY = (
    "Name them: term (or libelle, label), code or concept_id, and if you have them synonyms, system, language, "
    "semantic_type, preferred, rank, weight, snomed, icd10, atc, cui."
)

#: A row: what each of our columns holds. Codes are under the name of their `CodeSystem`.
_Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TableSource(Source):
    """One table.

    Args:
        languages: ISO 639-1; names said to be in another language are left out.
        language: of the names whose row says none.
        system: the vocabulary of the codes whose row says none.
    """

    path: Path
    languages: Sequence[str] = ("fr", "en")
    language: str = "fr"
    system: CodeSystem = CodeSystem.LOCAL

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    def fingerprint(self) -> str:
        """A hash of the file."""
        return hash_files([self.path])

    def entries(self, report: Report) -> Iterator[Entry]:
        """One entry for each row.

        Raises:
            InputError: it is not a table, or has no column of names or none of codes.
        """
        check_text_file(self.path)
        rows = self._json_rows if self.path.suffix.lower() in _JSON else self._csv_rows
        with RowProblems(self.path.name, report) as problems:
            for number, row in rows(problems):
                entry = self._entry(number, row, problems)
                if entry:
                    yield entry

    def _entry(self, number: int, row: _Row, problems: RowProblems) -> Entry | None:
        codes = self._codes(number, row, problems)
        concept_id = clean_name(row.get("concept_id", "")) or (codes[0].code if codes else "")
        if not concept_id:
            problems.lost(number, "has no code and no concept_id.", "Fill one in, or remove the row.")
            return None
        name = checked_name(row.get("text", ""), number, problems)
        if not name:
            return None
        if not codes and _CUI.fullmatch(concept_id):
            codes = (Code(CodeSystem.UMLS, concept_id),)
        language = language_code(row.get("language", "")) or self.language
        if language not in self.languages:
            return None
        preferred = _fold(row.get("preferred", "")) in _known()[2]
        rank, weight = (_number(row.get(column, ""), column, number, problems) for column in ("rank", "weight"))
        others = [clean_name(part) for part in _BETWEEN.split(row.get("synonyms", ""))]
        # Among several names of a row, the label is the one to show.
        terms = [Term(name, concept_id, language, preferred or any(others), rank, weight)]
        terms += [
            Term(other, concept_id, language, rank=rank) for other in dict.fromkeys(others) if other not in ("", name)
        ]
        types = tuple(filter(None, (part.strip() for part in _BETWEEN.split(row.get("semantic_type", "")))))
        return Entry(concept_id, tuple(terms), types, codes)

    def _codes(self, number: int, row: _Row, problems: RowProblems) -> tuple[Code, ...]:
        system = self.system
        if written := _fold(row.get("system", "")):
            known = _known()[1].get(written)
            if known is None:
                what = "names a vocabulary that is not known; its code was kept as a local one."
                problems.doubt(number, what, "Write SNOMEDCT, ICD10, ATC, UMLS or LOCAL.")
            system = known or CodeSystem.LOCAL
        cells = [(system, row.get("code", "")), *((other, row.get(other.value, "")) for other in CodeSystem)]
        codes = (Code(kind, part.strip()) for kind, cell in cells for part in _BETWEEN.split(cell) if part.strip())
        return tuple(dict.fromkeys(codes))

    def _csv_rows(self, problems: RowProblems) -> Iterator[tuple[int, _Row]]:
        with self.path.open("rb") as file:
            lines = read_lines(file, problems)
            first = next(lines, None)
            if first and first[1].lower().startswith("sep="):  # Excel's own first line
                first = next(lines, None)
            if not first:
                raise InputError(
                    Problem(self.path.name, "is empty.", "Give a table with a heading row and rows below.")
                )
            header, delimiter = _header(self.path, first[1])
            at = _Counted(lines)
            cells = csv.reader(at, delimiter=delimiter, strict=True)
            while True:
                try:
                    row = next(cells, None)
                except csv.Error as error:
                    problems.lost(
                        at.number, f"ends no valid row ({error}).", "Close its quotes, and double those inside."
                    )
                    continue
                if row is None:
                    return
                if any(row[len(header) :]):
                    what = f"has {len(row)} cells; the heading has {len(header)}."
                    problems.lost(at.number, what, f"Put names that hold {delimiter!r} between double quotes.")
                    continue
                yield at.number, {column: cell for column, cell in zip(header, row, strict=False) if column}

    def _json_rows(self, problems: RowProblems) -> Iterator[tuple[int, _Row]]:
        with self.path.open("rb") as file:
            usable = False
            for number, line in read_lines(file, problems):
                try:
                    row = json.loads(line)
                except (ValueError, RecursionError):
                    row = None
                if not isinstance(row, dict):
                    problems.lost(number, "is not a JSON object.", "Write one complete object per line.")
                    continue
                if not usable:
                    _check_columns(self.path, [_column(name) for name in row], list(row))
                    usable = True
                yield number, {column: _written(value) for name, value in row.items() if (column := _column(name))}


class _Counted(Iterator[str]):
    """Lines, with the number of the last one that was taken."""

    def __init__(self, lines: Iterator[tuple[int, str]]) -> None:
        self._lines = lines
        self.number = 0

    def __next__(self) -> str:
        self.number, line = next(self._lines)
        return line


def check_text_file(path: Path) -> None:
    """Refuse what is no text before reading it.

    Raises:
        InputError: a folder, a missing or empty file, a spreadsheet, a binary.
    """
    remedy = "Save the table as CSV (UTF-8) and give that file."
    if not path.is_file():
        what = "is a folder, not a table." if path.is_dir() else "does not exist."
        raise InputError(Problem(str(path), what, "Give a .csv or .jsonl file."))
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise InputError(Problem(path.name, "is a spreadsheet or a zip, not a text.", remedy))
    if head.count(0) * 50 > len(head) and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(Problem(path.name, "is not a text.", remedy))


def _header(path: Path, line: str) -> tuple[list[str], str]:
    """Our columns in a heading ("" for the others), and the delimiter that gives the most of them."""
    best: tuple[list[str], list[str], str] = ([], [], ",")
    for delimiter in _DELIMITERS:
        names = next(csv.reader([line], delimiter=delimiter), [])
        columns = [_column(name) for name in names]
        if (sum(map(bool, columns)), len(columns)) > (sum(map(bool, best[0])), len(best[0])):
            best = (columns, names, delimiter)
    _check_columns(path, best[0], best[1])
    return _without_repeats(best[0]), best[2]


def _check_columns(path: Path, columns: Sequence[str], names: Sequence[str]) -> None:
    systems = {system.value for system in CodeSystem}
    lacks = [] if "text" in columns else ["a column of names"]
    lacks += [] if {"code", "concept_id", *systems} & set(columns) else ["a column of codes"]
    if lacks:
        found = ", ".join(name.strip()[:30] for name in names[:20])
        raise InputError(Problem(path.name, f"lacks {' and '.join(lacks)}; its columns are: {found}.", _REMEDY))


def _without_repeats(columns: Sequence[str]) -> list[str]:
    """The first of the columns that mean the same keeps its meaning."""
    return [column if column not in columns[:place] else "" for place, column in enumerate(columns)]


def _column(name: str) -> str:
    """Our name of a column, "" when it is none of ours."""
    folded = _fold(name)
    columns, systems, _ = _known()
    return columns.get(folded) or (systems[folded].value if folded in systems else "")


def _fold(text: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def _written(value: Any) -> str:
    if isinstance(value, list):
        return "|".join(map(_written, value))
    return "" if value is None else str(value)


def _number(text: str, column: str, number: int, problems: RowProblems) -> int:
    text = text.strip()
    if not text or text.isdecimal():
        return int(text or 0)
    problems.doubt(number, f"holds no whole number in {column}; 0 was taken.", "Write a number from 0.")
    return 0


@lru_cache(maxsize=1)
def _known() -> tuple[dict[str, str], dict[str, CodeSystem], frozenset[str]]:
    """Our column by its folded names, vocabularies by theirs, and the folded ways to say yes."""
    names = read_yaml(_NAMES)
    columns = {alias: column for column, aliases in names["columns"].items() for alias in aliases}
    systems = {alias: CodeSystem(system) for system, aliases in names["systems"].items() for alias in aliases}
    return columns, systems, frozenset(names["yes"])
