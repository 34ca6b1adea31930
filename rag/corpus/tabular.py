"""Documents in a table: one row each, in CSV, Parquet or JSON lines, with our columns or those of OMOP's NOTE."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from rag.corpus.decode import encoding_of
from schema.document import RawDocument
from schema.problem import InputError, Problem

Report = Callable[[Problem], None]

_DELIMITERS = ",;\t|"
_LONGEST_CELL = 1 << 24  # characters; a longer cell is a quote that was never closed
_BATCH = 256  # rows of Parquet held at once

#: Where each field of a document is found: the first of these columns that holds something.
_PLAIN = {name: (name,) for name in ("patient_id", "document_id", "text", "date", "type", "title")}
#: OMOP common data model 5.4, table NOTE. Its concept identifiers name no kind of document that a reader knows.
_OMOP = {
    "patient_id": ("person_id",),
    "document_id": ("note_id",),
    "text": ("note_text",),
    "date": ("note_datetime", "note_date"),
    "type": ("note_source_value",),
    "title": ("note_title",),
}
_REQUIRED = ("patient_id", "text")


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one table, by field: names as the table writes them, best first."""

    names: Mapping[str, tuple[str, ...]]

    @classmethod
    def among(cls, header: list[str]) -> Columns | None:
        """The columns of a header, whatever their case; None when patient or text has none."""
        written = {name.strip().lstrip("\ufeff").lower(): name for name in reversed(header)}
        for layout in (_PLAIN, _OMOP):
            if all(layout[field][0] in written for field in _REQUIRED):
                return cls({f: tuple(written[n] for n in names if n in written) for f, names in layout.items()})
        return None

    def document(self, row: Mapping[str, object], origin: str) -> RawDocument:
        """The document of one row; what is missing is "" or None.

        Raises:
            ValueError: the text is not a text.
        """
        values = {field: self._value(row, names) for field, names in self.names.items()}
        kind = values["type"]
        return RawDocument(
            patient_id=values["patient_id"] or "",
            document_id=values["document_id"] or "",
            text=values["text"] or "",
            date=values["date"],
            type=None if kind is None or kind.isdigit() else kind,
            title=values["title"],
            origin=origin,
        )

    def _value(self, row: Mapping[str, object], names: tuple[str, ...]) -> str | None:
        for name in names:
            value = row.get(name)
            if value is not None and value != "" and value == value:  # NaN differs from itself
                return _written(value, is_text=names is self.names["text"])
        return None


def _written(value: object, is_text: bool) -> str:
    if isinstance(value, str):
        return value
    if is_text or isinstance(value, (bool, list, dict)):
        raise ValueError(f"{type(value).__name__} found where text was expected")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # an identifier that passed through a spreadsheet
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    return str(value)


def _missing_columns(path: Path, header: list[str]) -> InputError:
    return InputError(
        Problem(
            path.name,
            f"no patient_id and text columns among {', '.join(map(repr, header[:20]))}.",
            "Name the columns patient_id, document_id, date, type, title, text "
            "(or as OMOP's NOTE table: person_id, note_id, note_date, note_title, note_text).",
        )
    )


def _row(columns: Columns, row: Mapping[str, object], origin: str, report: Report) -> Iterator[RawDocument]:
    try:
        yield columns.document(row, origin)
    except ValueError as error:
        report(Problem(origin, f"{error}.", "Write the identifiers, the date and the text as strings."))


def _encoding(path: Path, report: Report) -> str:
    encoding = encoding_of(path)
    if encoding.damaged:
        what = "some bytes are not valid UTF-8; they are read as '�'."
        report(Problem(path.name, what, "Export the file again in UTF-8.", lost=False))
    return encoding.name


def read_jsonl(path: Path, report: Report) -> Iterator[RawDocument]:
    """One JSON object per line."""
    with path.open(encoding=_encoding(path, report), errors="replace", newline="\n") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            origin = f"{path.name}, line {number}"
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                report(Problem(origin, "it is not valid JSON.", "Write one complete JSON object per line."))
                continue
            columns = Columns.among(list(row)) if isinstance(row, dict) else None
            if columns is None:
                what = "it is not an object with patient_id and text."
                report(Problem(origin, what, "Write patient_id, document_id and text on every line."))
                continue
            yield from _row(columns, row, origin, report)


def read_csv(path: Path, report: Report) -> Iterator[RawDocument]:
    """A CSV table with a header; the delimiter (comma, semicolon, tab or bar) is the one that gives its columns.

    Rows are counted as a spreadsheet shows them: the header is row 1.

    Raises:
        InputError: a column is missing.
    """
    csv.field_size_limit(_LONGEST_CELL)
    with path.open(encoding=_encoding(path, report), errors="replace", newline="") as file:
        first = file.readline()
        if first.lower().startswith("sep="):  # Excel's own first line
            first = file.readline()
        delimiter = max(_DELIMITERS, key=lambda mark: _columns_given_by(first, mark))
        rows = csv.reader(chain([first], file), delimiter=delimiter, strict=True)
        header = next(rows, [])
        columns = Columns.among(header)
        if columns is None:
            raise _missing_columns(path, header)
        required = max(header.index(columns.names[field][0]) for field in _REQUIRED) + 1
        number = 1
        while True:
            number += 1
            origin = f"{path.name}, row {number}"
            try:
                cells = next(rows, None)
            except csv.Error as error:
                what = f"its quotes do not match ({error})."
                report(Problem(origin, what, "Put the text between double quotes, and double those inside it."))
                continue
            if cells is None:
                return
            if not cells:
                continue
            if not required <= len(cells) <= len(header):
                what = f"it has {len(cells)} cells, the header has {len(header)}."
                report(
                    Problem(origin, what, f"Put texts that hold {delimiter!r} or line breaks between double quotes.")
                )
                continue
            yield from _row(columns, dict(zip(header, cells, strict=False)), origin, report)


def _columns_given_by(header: str, delimiter: str) -> tuple[int, int]:
    """How many of our columns a delimiter gives, and how many columns in all."""
    try:
        names = next(csv.reader([header], delimiter=delimiter), [])
    except csv.Error:
        return (0, 0)
    found = Columns.among(names)
    return (sum(map(len, found.names.values())) if found else 0, len(names))


def read_parquet(path: Path, report: Report) -> Iterator[RawDocument]:
    """A Parquet file, a few hundred rows at a time.

    Raises:
        InputError: the file is not Parquet, or a column is missing.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    remedy = "Export the file again."
    try:
        file = pq.ParquetFile(path)
    except pa.ArrowException as error:
        raise InputError(Problem(path.name, "it is not a readable Parquet file.", remedy)) from error
    with file:
        header = list(file.schema_arrow.names)
        columns = Columns.among(header)
        if columns is None:
            raise _missing_columns(path, header)
        wanted = [name for names in columns.names.values() for name in names]
        number = 0
        try:
            for batch in file.iter_batches(batch_size=_BATCH, columns=wanted):
                for row in batch.to_pylist():
                    number += 1
                    yield from _row(columns, row, f"{path.name}, row {number}", report)
        except (pa.ArrowException, OSError):
            report(Problem(path.name, f"it is damaged after row {number}; the rows that follow are lost.", remedy))
