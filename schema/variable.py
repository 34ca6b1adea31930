"""Variables of a research table, as its dictionary declares them, and the question that asks for one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


class VariableKind(StrEnum):
    """How a variable's value is written. The names follow REDCap's field and validation types."""

    TEXT = "text"
    NOTES = "notes"
    INTEGER = "integer"
    NUMBER = "number"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    EMAIL = "email"
    PHONE = "phone"
    ZIPCODE = "zipcode"
    CHOICE = "choice"  # radio and dropdown
    YESNO = "yesno"
    TRUEFALSE = "truefalse"
    CHECKBOX = "checkbox"


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of a closed question: the code that the table holds and its label."""

    code: str
    label: str


@dataclass(frozen=True, slots=True)
class Variable:
    """One column of the table to fill.

    Args:
        label: the question as written in the dictionary.
        note: the annotation rule ("Field Note"); "" when there is none.
        unit: unit named in the label, as written ("mmol/L", "kg/m²"); "" when there is none.
        minimum, maximum: inclusive bounds, as typed in the dictionary (dates in its own order); None if open.
        decimals: digits kept after the decimal mark (number_1dp → 1); None when free.
        decimal_mark: "." or "," as the export must write it.
        date_order: "ymd", "dmy" or "mdy" for dates and datetimes; "" otherwise.
        seconds: the datetime or time carries seconds.
        choices: codes and labels, in order, of choice, yesno, truefalse and checkbox variables.
        branching: REDCap branching logic, "" when the variable always applies.
    """

    name: str
    label: str
    kind: VariableKind
    form: str = ""
    section: str = ""
    note: str = ""
    choices: tuple[Choice, ...] = ()
    unit: str = ""
    minimum: str | None = None
    maximum: str | None = None
    decimals: int | None = None
    decimal_mark: str = "."
    date_order: str = ""
    seconds: bool = False
    branching: str = ""
    required: bool = False
    identifier: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a retriever or a reader: one variable of one patient, read no later than ``as_of``.

    A question in free words has no variable; its words are in ``text``. ``concepts`` are those that its words name, by
    their identifiers, where they were looked for.
    """

    patient_id: str
    variable: Variable | None = None
    text: str = ""
    as_of: dt.date | None = None
    concepts: tuple[str, ...] = ()
