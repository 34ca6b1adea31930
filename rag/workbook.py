"""The table as a spreadsheet, with a sheet of evidence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from rag import wording
from rag.redcap import values
from rag.redcap.dictionary import Dictionary
from rag.store import PatientResult, Source
from rag.xlsx import Book, Cell, Sheet
from schema.value import Evidence, ExtractedValue, Status, Value
from schema.variable import Variable

_HEADINGS = (
    "patient", "variable", "label", "value", "meaning", "status", "confidence", "candidates",
    "document", "type", "date", "start", "end", "quote", "explanation",
)  # fmt: skip


class WorkbookWriter:
    """Sheet "table" has a row per patient, sheet "evidence" a row per cell and document cited.

    Cells about which the documents say nothing, or that branching closes, have no row of evidence.
    """

    def __init__(self, dictionary: Dictionary, path: Path) -> None:
        self._variables = dictionary.variables
        self._book = Book(path)
        headings = [dictionary.record_id, *values.columns(dictionary.variables)]
        self._table = Sheet(self._book, "table", headings)
        self._evidence = Sheet(self._book, "evidence", _HEADINGS)

    def add(self, result: PatientResult) -> None:
        """Write one patient."""
        cells: list[Cell] = [result.patient_id]
        for variable, found in zip(self._variables, result.values, strict=True):
            cells += _table_cells(variable, found.value)
        self._table.add(cells)
        for row in _evidence_rows(self._variables, result):
            self._evidence.add(row)

    def close(self, created: dt.datetime) -> None:
        """Write the file; no patient can be added. ``created`` is the date that it shows as its own."""
        self._book.close(created)


def _table_cells(variable: Variable, value: Value | None) -> list[Cell]:
    """Numbers and dates as the spreadsheet's own; the rest as the table writes it; a checkbox has several cells."""
    if value is None or isinstance(value, str | tuple):
        return list(values.encode(variable, value).values())
    return [value]


def _evidence_rows(variables: tuple[Variable, ...], result: PatientResult) -> Iterator[tuple[Cell, ...]]:
    sources = {source.document_id: source for source in result.sources}
    for variable, found in zip(variables, result.values, strict=True):
        if found.status in (Status.NOT_MENTIONED, Status.NOT_APPLICABLE) and not found.evidence:
            continue
        cell = (result.patient_id, variable.name, variable.label, *_described(variable, found))
        for evidence in found.evidence or (None,):
            yield (*cell, *_cited(evidence, sources), found.explanation)


def _described(variable: Variable, found: ExtractedValue) -> tuple[Cell, ...]:
    coded = wording.coded(variable, found.value)
    text = ",".join(coded) if isinstance(coded, list) else coded
    meaning, candidates = wording.meaning(variable, found.value), wording.listed(variable, found.candidates)
    return text, meaning, found.status.value, round(found.confidence, 2), candidates


def _cited(evidence: Evidence | None, sources: dict[str, Source]) -> tuple[Cell, ...]:
    if evidence is None:
        return (None,) * 6
    source = sources[evidence.document_id]
    return (evidence.document_id, source.type, source.written_on, evidence.start, evidence.end, evidence.quote)
