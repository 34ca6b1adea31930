"""The table as a spreadsheet, with a sheet of evidence. Texts are written as texts, so that none runs as a formula."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from rag import wording
from rag.redcap import values
from rag.redcap.dictionary import Dictionary
from rag.store import PatientResult, Source
from schema.value import Evidence, ExtractedValue, Status, Value
from schema.variable import Variable

#: Reads every patient of the run again, from the first.
Results = Callable[[], Iterator[PatientResult]]

_SHEET_ROWS = 1_048_576  # Excel's limits
_CELL_CHARACTERS = 32_767
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_HEADINGS = (
    "patient", "variable", "label", "value", "meaning", "status", "confidence",
    "document", "type", "date", "start", "end", "quote", "explanation",
)  # fmt: skip
_Content = str | int | float | dt.date | dt.time | None


def write_workbook(path: Path, dictionary: Dictionary, results: Results) -> None:
    """Write sheet "table" (a row per patient) and sheet "evidence" (a row per cell and document cited).

    Cells about which the documents say nothing, or that branching closes, have no row of evidence.
    """
    book = Workbook(write_only=True)
    table = book.create_sheet("table")
    _append(table, (dictionary.record_id, *values.columns(dictionary.variables)))
    variables = {variable.name: variable for variable in dictionary.variables}
    for result in results():
        cells = (cell for value in result.values for cell in _table_cells(variables[value.variable], value.value))
        _append(table, (result.patient_id, *cells))
    sheet = book.create_sheet("evidence")
    _append(sheet, _HEADINGS)
    rows = (row for result in results() for row in _evidence_rows(variables, result))
    for number, row in enumerate(rows):
        if number and number % (_SHEET_ROWS - 1) == 0:
            sheet = book.create_sheet("evidence")  # openpyxl numbers the sheets of the same name
            _append(sheet, _HEADINGS)
        _append(sheet, row)
    book.save(path)


def _append(sheet: WriteOnlyWorksheet, row: Iterable[_Content]) -> None:
    sheet.append([_text(sheet, cell) if isinstance(cell, str) else cell for cell in row])


def _text(sheet: WriteOnlyWorksheet, text: str) -> Cell:
    cell: Cell = WriteOnlyCell(sheet, _ILLEGAL.sub("", text)[:_CELL_CHARACTERS])
    cell.data_type = "s"  # openpyxl makes a formula of a text that begins with "="
    return cell


def _table_cells(variable: Variable, value: Value | None) -> list[_Content]:
    """Numbers and dates as the spreadsheet's own; the rest as the table writes it; a checkbox has several cells."""
    if value is None or isinstance(value, str | tuple):
        return [cell or None for cell in values.encode(variable, value).values()]
    return [value]


def _evidence_rows(variables: dict[str, Variable], result: PatientResult) -> Iterator[tuple[_Content, ...]]:
    sources = {source.document_id: source for source in result.sources}
    for found in result.values:
        if found.status in (Status.NOT_MENTIONED, Status.NOT_APPLICABLE) and not found.evidence:
            continue
        variable = variables[found.variable]
        cell = (result.patient_id, variable.name, variable.label, *_described(variable, found))
        for evidence in found.evidence or (None,):
            yield (*cell, *_cited(evidence, sources), found.explanation)


def _described(variable: Variable, found: ExtractedValue) -> tuple[_Content, ...]:
    coded = wording.coded(variable, found.value)
    text = ",".join(coded) if isinstance(coded, list) else coded
    return text, wording.meaning(variable, found.value), found.status.value, round(found.confidence, 2)


def _cited(evidence: Evidence | None, sources: dict[str, Source]) -> tuple[_Content, ...]:
    if evidence is None:
        return (None,) * 6
    source = sources[evidence.document_id]
    return (evidence.document_id, source.type, source.written_on, evidence.start, evidence.end, evidence.quote)
