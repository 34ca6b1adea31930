"""Export to the OMOP Common Data Model 5.4 (https://ohdsi.github.io/CommonDataModel/cdm54.html), as CSV or Parquet.

Written: NOTE, NOTE_NLP, CONDITION_OCCURRENCE and MEASUREMENT, with every column of ``omop_cdm54.csv`` in its order and
type, and ``person_id.csv``, the number given to each patient. Codes go to the source values. Their OMOP concepts are
looked up in the vocabulary of the receiving database, which is not distributed here: every concept_id that needs it
is 0, as the model prescribes for what is not mapped.
"""

from __future__ import annotations

import csv
import datetime as dt
import functools
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from schema.concept import Code, CodeSystem

#: "NLP" and "EHR note" of the vocabulary "Type Concept", which every OMOP database has.
NLP_TYPE, NOTE_TYPE = 32858, 32831
_UNMAPPED = 0
_NOTES, _EVENTS = ("note", "note_nlp"), ("condition_occurrence", "measurement")
_ROWS_PER_GROUP = 5_000
#: Fits a 64-bit integer, and is written back as it is.
_WHOLE = re.compile(r"[1-9]\d{0,17}")
_PERSONS = "person_id.csv"


class Format(StrEnum):
    """How the tables are written."""

    CSV = "csv"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class Term:
    """A mention, for NOTE_NLP.

    Args:
        start: code point of the document as given.
        snippet: the words around it.
        exists: said of the patient, as a fact.
        past: told as history.
        modifiers: what else is said of it, by name.
    """

    start: int
    text: str
    snippet: str
    codes: tuple[Code, ...]
    exists: bool
    past: bool
    modifiers: Mapping[str, str]


class OmopWriter:
    """The tables under way; `publish` shows them all at once.

    Args:
        folder: where they are to be, made if missing.
        drafts: an empty folder on the same disk.
        today: NOTE_NLP's ``nlp_date``.
        patients: every patient_id that will come.
        notes: the document_id of every document that will come, in order, to write NOTE and NOTE_NLP too.
    """

    def __init__(
        self,
        folder: Path,
        drafts: Path,
        today: dt.date,
        form: Format,
        patients: Sequence[str],
        notes: Sequence[str] | None = None,
    ) -> None:
        drafts.mkdir(parents=True, exist_ok=True)
        self._folder, self._drafts, self._today = folder, drafts, today
        self._tables = {
            name: _open_table(name, drafts, form) for name in (*(_NOTES if notes is not None else ()), *_EVENTS)
        }
        self._persons = dict(zip(patients, numbered(patients), strict=True))
        self._notes = iter(numbered(notes or ()))
        self._system = f"cohort-rag {metadata.version('cohort-rag')}"

    def add_note(self, patient_id: str, document_id: str, date: dt.date | None, title: str, text: str) -> int:
        """Add a document; NOTE needs its day: a document without one has a number, and no row."""
        number = next(self._notes)
        if date is not None:
            self._tables["note"].add(
                note_id=number,
                person_id=self._persons[patient_id],
                note_date=date,
                note_type_concept_id=NOTE_TYPE,
                note_class_concept_id=_UNMAPPED,
                note_title=title or None,
                note_text=text,
                encoding_concept_id=_UNMAPPED,
                language_concept_id=_UNMAPPED,
                note_source_value=document_id,
            )
        return number

    def add_term(self, note_id: int, term: Term) -> None:
        """Add a mention of a document."""
        codes = {f"code_{code.system.value}": code.code for code in term.codes}
        modifiers = {**codes, **term.modifiers}
        self._tables["note_nlp"].add(
            note_nlp_id=self._tables["note_nlp"].next_id(),
            note_id=note_id,
            section_concept_id=_UNMAPPED,
            snippet=term.snippet,
            offset=str(term.start),
            lexical_variant=term.text,
            note_nlp_concept_id=_UNMAPPED,
            note_nlp_source_concept_id=_UNMAPPED,
            nlp_system=self._system,
            nlp_date=self._today,
            term_exists="Y" if term.exists else "N",
            term_temporal="past" if term.past else "present",
            term_modifiers=";".join(f"{name}={value}" for name, value in modifiers.items()) or None,
        )

    def add_condition(self, patient_id: str, date: dt.date, codes: Sequence[Code], status: str = "") -> None:
        """Add a condition of a patient, on the day of the document that tells it; nothing where it has no code."""
        source = source_value(codes)
        if source is None:
            return
        self._tables["condition_occurrence"].add(
            condition_occurrence_id=self._tables["condition_occurrence"].next_id(),
            person_id=self._persons[patient_id],
            condition_concept_id=_UNMAPPED,
            condition_start_date=date,
            condition_type_concept_id=NLP_TYPE,
            condition_status_concept_id=_UNMAPPED,
            condition_source_value=source,
            condition_source_concept_id=_UNMAPPED,
            condition_status_source_value=status or None,
        )

    def add_measurement(self, patient_id: str, date: dt.date, source: str, value: float, unit: str) -> None:
        """Add a measured value; ``source`` is a code, or the name of the variable."""
        self._tables["measurement"].add(
            measurement_id=self._tables["measurement"].next_id(),
            person_id=self._persons[patient_id],
            measurement_concept_id=_UNMAPPED,
            measurement_date=date,
            measurement_type_concept_id=NLP_TYPE,
            value_as_number=value,
            unit_concept_id=_UNMAPPED,
            measurement_source_value=source,
            measurement_source_concept_id=_UNMAPPED,
            unit_source_value=unit or None,
            value_source_value=f"{value:g}",
        )

    def publish(self) -> None:
        """Complete the tables and put them in their folder."""
        paths = [table.close() for table in self._tables.values()]
        with (self._drafts / _PERSONS).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(("person_id", "person_source_value"))
            writer.writerows((number, patient_id) for patient_id, number in self._persons.items())
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in (*paths, self._drafts / _PERSONS):
            path.replace(self._folder / path.name)
        shutil.rmtree(self._drafts)


def numbered(names: Sequence[str]) -> list[int]:
    """Their own numbers, where all are different whole numbers, as in tables that come from OMOP; else 1, 2, 3…"""
    if all(_WHOLE.fullmatch(name) for name in names) and len(set(names)) == len(names):
        return [int(name) for name in names]
    return list(range(1, len(names) + 1))


def source_value(codes: Sequence[Code]) -> str | None:
    """The code that stands for a concept in a source value: that of ICD-10 where there is one."""
    first = next((code for code in codes if code.system is CodeSystem.ICD10), codes[0] if codes else None)
    return first.code if first else None


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    arrow: pa.DataType
    longest: int | None


@functools.cache
def _columns() -> dict[str, tuple[_Column, ...]]:
    """The columns of each table, by ``omop_cdm54.csv``."""
    types = {
        "integer": pa.int64(), "float": pa.float64(), "date": pa.date32(), "datetime": pa.timestamp("us"),
        "text": pa.string(),
    }  # fmt: skip
    found: dict[str, list[_Column]] = {}
    with Path(__file__).with_name("omop_cdm54.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            longest = int(row["type"][8:-1]) if row["type"].startswith("varchar(") else None
            column = _Column(row["column"], types.get(row["type"], pa.string()), longest)
            found.setdefault(row["table"], []).append(column)
    return {name: tuple(columns) for name, columns in found.items()}


class _Table:
    """One table under way."""

    def __init__(self, name: str) -> None:
        self._columns = _columns()[name]
        self._names = frozenset(column.name for column in self._columns)
        self._count = 0

    def next_id(self) -> int:
        """The number of a new row."""
        self._count += 1
        return self._count

    def add(self, **values: Any) -> None:
        """Add a row; what is not given is empty."""
        unknown = values.keys() - self._names
        if unknown:
            raise ValueError(f"no such column: {', '.join(sorted(unknown))}")
        self._write({column.name: _cut(values.get(column.name), column.longest) for column in self._columns})

    def _write(self, row: dict[str, Any]) -> None:
        raise NotImplementedError

    def close(self) -> Path:
        """Complete the file; its path."""
        raise NotImplementedError


class _CsvTable(_Table):
    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name)
        self._path = folder / f"{name}.csv"
        self._stream: TextIO = self._path.open("w", encoding="utf-8", newline="")
        self._rows = csv.DictWriter(self._stream, [column.name for column in self._columns])
        self._rows.writeheader()

    def _write(self, row: dict[str, Any]) -> None:
        self._rows.writerow(row)

    def close(self) -> Path:
        self._stream.close()
        return self._path


class _ParquetTable(_Table):
    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name)
        self._path = folder / f"{name}.parquet"
        self._schema = pa.schema([pa.field(column.name, column.arrow) for column in self._columns])
        self._file = pq.ParquetWriter(self._path, self._schema)
        self._group: list[dict[str, Any]] = []

    def _write(self, row: dict[str, Any]) -> None:
        self._group.append(row)
        if len(self._group) == _ROWS_PER_GROUP:
            self._flush()

    def _flush(self) -> None:
        self._file.write_table(pa.Table.from_pylist(self._group, self._schema))
        self._group.clear()

    def close(self) -> Path:
        self._flush()
        self._file.close()
        return self._path


def _open_table(name: str, folder: Path, form: Format) -> _Table:
    return _CsvTable(name, folder) if form is Format.CSV else _ParquetTable(name, folder)


def _cut(value: Any, longest: int | None) -> Any:
    return value[:longest] if longest is not None and isinstance(value, str) else value
