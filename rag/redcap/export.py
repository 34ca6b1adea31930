"""Tables of values: a REDCap export or a hand-made table in, the REDCap import file out."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from rag.redcap.csvfile import CsvFile, read_csv
from rag.redcap.dictionary import Dictionary
from rag.redcap.values import InvalidValue, columns, decode, encode
from schema.problem import InputError, Problem
from schema.value import Value
from schema.variable import Variable, VariableKind

Row = dict[str, Value | None]

_EVENTS = ("redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance")
_ADDED_BY_REDCAP = re.compile(r"redcap_[a-z_]+|\w+_complete|\w+_timestamp")
_FREE_TEXT = (VariableKind.TEXT, VariableKind.NOTES, VariableKind.EMAIL, VariableKind.PHONE, VariableKind.ZIPCODE)
_FIGURES = re.compile(r"[+-]?[0-9][0-9 .,()-]*")
# At the start of a cell, and after what a spreadsheet set to another delimiter (";" in French) takes for its start.
_FORMULA = re.compile(r"(^|[;\t\n])(?='*[=+\-@])")
_GUARDED = re.compile(r"(^|[;\t\n])'(?='*[=+\-@])")


def read_table(path: Path, dictionary: Dictionary) -> tuple[dict[str, Row], tuple[Problem, ...]]:
    """Read a table: record id → variable name → value, None where the cell is empty or cannot be read.

    A variable that has no column is absent from every row, which is not the same as an empty cell.

    Rows of one record that differ by event or instance are laid over one another: the first value written wins and a
    second, different one is a problem. Otherwise a second row of the same record is left out, with a problem.

    Raises:
        InputError: the file cannot be read, or has no column for the record id.
    """
    file = read_csv(path)
    problems: list[Problem] = []
    header = _header(file, dictionary, problems)
    variables = [variable for variable in dictionary.variables if _has_column(variable, header)]
    layered = any(column in _EVENTS for column in header)
    table: dict[str, Row] = {}
    for number, cells in file.rows:
        where = f"{file.name}, row {number}"
        if any(cells[len(file.header) :]):
            what = (
                f"has {len(cells)} cells under {len(file.header)} headings, so its values may stand in wrong columns."
            )
            problems.append(Problem(where, what, "Put quotes around cells that hold the delimiter."))
            continue
        held = dict(zip(header, cells, strict=False))
        record = " ".join(held.get(dictionary.record_id, "").split())  # a line end in it would end its row elsewhere
        if not record:
            problems.append(Problem(where, "has no record id.", f"Fill its column {dictionary.record_id!r}."))
        elif record in table and not layered:
            what = f"is a second row of record {record!r}; the first one is kept."
            problems.append(Problem(where, what, "Keep one row for each record."))
        else:
            row = {variable.name: _read(where, variable, held, problems) for variable in variables}
            table[record] = _laid_over(where, table[record], row, problems) if record in table else row
    return table, tuple(problems)


class TableWriter:
    """Writes the import file: the record id, then every variable in dictionary order; LF, rows as they come.

    Free text that a spreadsheet would run as a formula is preceded by an apostrophe, which `read_table` takes away;
    figures and phone numbers are left alone. Record ids stay as they are, even '=1+1': REDCap must find its record
    again, and no quoting would stop a spreadsheet. Open table.xlsx, not this file, in a spreadsheet.

    Args:
        file: opened in UTF-8 with ``newline=""``.
    """

    def __init__(self, file: TextIO, dictionary: Dictionary) -> None:
        self._variables = dictionary.variables
        self._known = {variable.name for variable in dictionary.variables}
        self._writer = csv.writer(file, lineterminator="\n")
        self._writer.writerow([dictionary.record_id, *columns(dictionary.variables)])

    def add(self, record: str, row: Mapping[str, Value | None]) -> None:
        """Write one record from its values by variable name.

        Raises:
            KeyError: the row holds a variable that the dictionary does not declare.
        """
        if unknown := sorted(row.keys() - self._known):
            raise KeyError(f"not in the dictionary: {', '.join(unknown)}")
        cells = [record]
        for variable in self._variables:
            cells += [guard(variable, cell) for cell in encode(variable, row.get(variable.name)).values()]
        self._writer.writerow(cells)


def guard(variable: Variable, cell: str) -> str:
    """The cell with an apostrophe wherever a spreadsheet would begin a formula; only free text can hold one."""
    if variable.kind not in _FREE_TEXT or _FIGURES.fullmatch(cell):
        return cell
    return _FORMULA.sub(r"\1'", cell)


def unguard(variable: Variable, cell: str) -> str:
    """The inverse of `guard`."""
    return _GUARDED.sub(r"\1", cell) if variable.kind in _FREE_TEXT else cell


def _header(file: CsvFile, dictionary: Dictionary, problems: list[Problem]) -> list[str]:
    """The headings in the dictionary's own spelling; "" for a column that is not read. Adds what is wrong with them."""
    expected = [dictionary.record_id, *columns(dictionary.variables)]
    silent = {skipped.name for skipped in dictionary.skipped} | set(_EVENTS)
    in_one_cell = [variable.name for variable in dictionary.variables if variable.kind is VariableKind.CHECKBOX]
    spelling = {name.lower(): name for name in (*silent, *in_one_cell, *expected)}
    header: list[str] = []
    for heading in file.header:
        name = spelling.get(heading.lower(), "")
        if name and name in header:
            what = f"has two columns {heading!r}; the first one is read."
            problems.append(Problem(file.name, what, "Rename or delete the other."))
            name = ""
        elif not name and heading and not _ADDED_BY_REDCAP.fullmatch(heading.lower()):
            what = f"has a column {heading!r} that the dictionary does not declare; it is not read."
            problems.append(Problem(file.name, what, "Name columns as the dictionary names variables."))
        header.append(name)
    if dictionary.record_id not in header:
        what = f"has no column {dictionary.record_id!r} for the record id."
        raise InputError(Problem(file.name, what, "Name the column as the first field of the dictionary."))
    absent = [variable.name for variable in dictionary.variables if not _has_column(variable, header)]
    if absent:
        what = f"has no column for {len(absent)} variables of the dictionary: {', '.join(absent)}."
        problems.append(Problem(file.name, what, "Add the columns, or leave it so.", lost=False))
    return header


def _has_column(variable: Variable, header: list[str]) -> bool:
    return not {variable.name, *columns([variable])}.isdisjoint(header)


def _read(where: str, variable: Variable, cells: Mapping[str, str], problems: list[Problem]) -> Value | None:
    names = (variable.name, *columns([variable]))
    held = {name: unguard(variable, cells[name]) for name in names if name in cells}
    try:
        return decode(variable, held)
    except InvalidValue as reason:
        what = f"holds a value that the dictionary does not allow: {reason}."
        problems.append(Problem(f"{where}, variable {variable.name!r}", what, "Mend the cell; it is read as empty."))
        return None


def _laid_over(where: str, first: Row, second: Row, problems: list[Problem]) -> Row:
    for name, value in second.items():
        if None not in (value, first[name]) and value != first[name]:
            what = "differs from an earlier event or instance of the same record; the earlier value is kept."
            problems.append(Problem(f"{where}, variable {name!r}", what, "Export the one event that the study reads."))
    return {name: second[name] if value is None else value for name, value in first.items()}
