"""The table of known identities: what the data warehouse knows of each patient."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from functools import lru_cache

from rag.deid.dates import find_dates
from rag.deid.gazetteer import read_yaml
from rag.deid.spelling import small
from schema.phi import KnownIdentity, PhiLabel
from schema.problem import InputError, Problem

_DELIMITERS = ";,\t|"
_NAMES = (
    "patient_id, nom, nom_naissance, prenom, date_naissance, adresse, zip, ville, tel, mail, ipp, nda, secu, hopital"
)


def parse_identities(name: str, text: str, on_problem: Callable[[Problem], None]) -> dict[str, KnownIdentity]:
    """Read a table of identities; a patient may have several rows.

    Args:
        name: of the file, for messages.
        text: a table delimited by semicolon, comma, tab or bar, with a heading row. Headings are read whatever their
            case, accents and marks; columns of other names are said to be left out.

    Raises:
        InputError: there is no column for the patient, or none for an identity.
    """
    text = text.lstrip("\ufeff")
    if text[:4].lower() == "sep=":  # Excel's own first line
        text = text.partition("\n")[2]
    headings = _headings()
    delimiter = max(_DELIMITERS, key=lambda mark: sum(_plain(cell) in headings for cell in _first_row(text, mark)))
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = next(rows, [])
    except csv.Error:
        header = []
    if not header:
        what, remedy = "is empty, or its first row cannot be read.", f"Begin it with a row of names: {_NAMES}."
        raise InputError(Problem(name, what, remedy))
    columns = [headings.get(_plain(cell), "") for cell in header]
    if None not in columns or not any(columns):
        what = f"has no column for the patient or none for an identity, among {', '.join(map(repr, header[:20]))}."
        raise InputError(Problem(name, what, f"Name the columns {_NAMES}; patient_id and one more are enough."))
    unknown = [cell for cell, column in zip(header, columns, strict=True) if column == "" and cell.strip()]
    if unknown:
        what = f"columns that are not read: {', '.join(map(repr, unknown))}."
        on_problem(Problem(name, what, f"Name the columns {_NAMES}.", lost=False))
    found: dict[str, dict[tuple[PhiLabel, str], None]] = {}
    for where, cells in _cells(name, rows, on_problem):
        if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
            what = f"it has {len(cells)} cells, the header has {len(columns)}."
            on_problem(Problem(where, what, f"Put cells that hold {delimiter!r} between double quotes."))
            continue
        held = [(column, cell.strip()) for column, cell in zip(columns, cells, strict=False) if cell.strip()]
        patient = next((cell for column, cell in held if column is None), "")
        values = [(column, cell) for column, cell in held if isinstance(column, PhiLabel)]
        births = [cell for label, cell in values if label is PhiLabel.DATE_NAISSANCE]
        if not all(any(date.day for date in find_dates(cell)) for cell in births):
            what = "its date of birth is not read as a date; it is looked for as it is written."
            on_problem(Problem(where, what, "Write it as 1945-03-12 or 12/03/1945.", lost=False))
        if not patient:
            on_problem(Problem(where, "it has no patient_id.", "Say whose identity it is."))
        elif not values:
            on_problem(Problem(where, "it holds no identity.", "Fill a column, or remove the row."))
        else:
            found.setdefault(patient, {}).update(dict.fromkeys(values))
    return {patient: KnownIdentity(patient, tuple(values)) for patient, values in found.items()}


@lru_cache(maxsize=1)
def _headings() -> dict[str, PhiLabel | None]:
    """Labels by heading; None for the patient."""
    data = read_yaml("identity_columns.yml")
    return {
        _plain(form): None if name == "patient" else PhiLabel(name) for name, forms in data.items() for form in forms
    }


def _first_row(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return []


def _plain(heading: str) -> str:
    return "".join(character for character in small(heading) if character.isalnum())


def _cells(
    name: str, rows: Iterator[list[str]], on_problem: Callable[[Problem], None]
) -> Iterator[tuple[str, list[str]]]:
    number = 1
    while True:
        number += 1
        where = f"{name}, row {number}"
        try:
            cells = next(rows, None)
        except csv.Error as error:
            on_problem(Problem(where, f"its quotes do not match ({error}).", "Double the quotes inside a cell."))
            continue
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield where, cells
