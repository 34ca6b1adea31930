"""Values of the table: checked against the dictionary, written to export cells, read back from them.

`validate` gives the canonical value, in the types of `schema.value.Value`; `encode` and `decode` are inverse of
each other on canonical values.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

from rag.redcap.scalars import InvalidValue, bounded, read_date, read_datetime, read_number, read_time, rounded
from rag.redcap.wording import fold
from schema.value import Value
from schema.variable import Variable, VariableKind

__all__ = ["InvalidValue", "columns", "decode", "encode", "read_bound", "row_model", "validate"]

_YES = frozenset({"1", "oui", "o", "vrai", "v", "yes", "y", "true", "t"})
_NO = frozenset({"0", "non", "n", "faux", "f", "no", "false"})
_TICKED = frozenset({"1", "checked", "coche", "oui", "x", "true", "vrai", "yes"})
_UNTICKED = frozenset({"0", "unchecked", "non coche", "non", "false", "faux", "no", ""})
_EMAIL = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+")
_PHONE = re.compile(r"\+?[0-9 ().-]+")
_ZIPCODE = re.compile(r"(?=.*[0-9])[0-9A-Za-z][0-9A-Za-z -]{1,8}[0-9A-Za-z]")
_WHOLE_FLOAT = re.compile(r"(-?[0-9]+)[.,]0+")


def validate(variable: Variable, value: object) -> Value:
    """The canonical value of a typed or textual one.

    Numbers are rounded half up to the declared decimals, then compared with the bounds (both included). Choices are
    given by code or by label (case and accents aside); a code wins over a label that reads the same. Seconds are
    dropped unless the variable keeps them; a date variable drops a time of day.

    Raises:
        InvalidValue: the dictionary does not allow the value; the reason never holds the value's text.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        raise InvalidValue("empty")
    typed = _typed(variable, value)
    _check_bounds(variable, typed)
    return typed


def read_bound(variable: Variable, bound: str) -> Value:
    """A minimum or maximum as the dictionary writes it, comparable with the variable's values.

    Raises:
        InvalidValue: it cannot be read, or the variable's kind has no order.
    """
    if variable.kind in (VariableKind.INTEGER, VariableKind.NUMBER):
        return float(read_number(bound))
    if variable.kind in (VariableKind.DATE, VariableKind.DATETIME, VariableKind.TIME):
        return _typed(variable, bound)
    raise InvalidValue("this kind of variable has no bounds")


def columns(variables: Iterable[Variable]) -> list[str]:
    """Export columns, in dictionary order; a checkbox has one per choice."""
    return [name for variable in variables for name in _columns(variable)]


def encode(variable: Variable, value: Value | None) -> dict[str, str]:
    """Export cells of a canonical value, by column name; all empty when there is none.

    Dates are written year first whatever order the dictionary displays: it is the one form that REDCap imports
    without a setting ("14/06/2021" needs the D/M/Y option, and the default one would swap day and month silently).
    """
    if variable.kind is VariableKind.CHECKBOX:
        ticked = value if isinstance(value, tuple) else ()
        return {
            column: "" if value is None else str(int(choice.code in ticked))
            for column, choice in zip(_columns(variable), variable.choices, strict=True)
        }
    return {variable.name: "" if value is None else _cell(variable, value)}


def decode(variable: Variable, cells: Mapping[str, str]) -> Value | None:
    """The value held by export cells, None when they are empty or absent.

    Tolerant of what spreadsheets do: dates year first or in the declared order, comma or dot, "12.0" for an integer,
    labels for codes, a checkbox in one cell ("1,3").

    Raises:
        InvalidValue: a cell holds what the dictionary does not allow.
    """
    if variable.kind is not VariableKind.CHECKBOX:
        text = cells.get(variable.name, "").strip()
        return validate(variable, text) if text else None
    held = {column: fold(cells.get(column, "")) for column in _columns(variable)}
    if not any(held.values()):
        text = cells.get(variable.name, "").strip()
        return validate(variable, text) if text else None
    for column, mark in held.items():
        if mark not in _TICKED | _UNTICKED:
            raise InvalidValue(f"column {column!r} of a checkbox holds neither 1 nor 0")
    return tuple(
        choice.code
        for column, choice in zip(_columns(variable), variable.choices, strict=True)
        if held[column] in _TICKED
    )


def row_model(variables: Iterable[Variable]) -> type[BaseModel]:
    """A pydantic model of one row: a field per variable, by its name (alias), None where the cell is empty.

    Fields are checked by `validate`; an unknown variable is an error. Input is kept out of error messages.
    Read it back with ``model_dump(by_alias=True)``.
    """
    fields: dict[str, Any] = {
        # Aliases, because a variable may be called "json", "copy" or "model_config".
        f"field_{i}": (_annotation(variable), Field(default=None, alias=variable.name, description=variable.label))
        for i, variable in enumerate(variables)
    }
    return create_model("Row", __config__=ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True), **fields)


def _columns(variable: Variable) -> list[str]:
    if variable.kind is not VariableKind.CHECKBOX:
        return [variable.name]
    return [f"{variable.name}___{_column_code(choice.code)}" for choice in variable.choices]


def _column_code(code: str) -> str:
    # REDCap's own rule: "-" and "." become "_", capitals small, the rest is dropped.
    return re.sub(r"[^a-z0-9_]", "", re.sub(r"[-.]", "_", code.lower()))


def _typed(variable: Variable, value: object) -> Value:
    match variable.kind:
        case VariableKind.INTEGER:
            return _integer(value)
        case VariableKind.NUMBER:
            number = _decimal(value)
            # "+ 0.0" turns a rounded -0.0 into 0.0.
            return float(number if variable.decimals is None else rounded(number, variable.decimals)) + 0.0
        case VariableKind.DATE:
            return _date(variable, value)
        case VariableKind.DATETIME:
            return _datetime(variable, value)
        case VariableKind.TIME:
            return _time(variable, value)
        case VariableKind.YESNO | VariableKind.TRUEFALSE:
            return _yes_or_no(variable, value)
        case VariableKind.CHOICE:
            return _code(variable, value)
        case VariableKind.CHECKBOX:
            return _codes(variable, value)
        case VariableKind.NOTES | VariableKind.TEXT | VariableKind.EMAIL | VariableKind.PHONE | VariableKind.ZIPCODE:
            return _text(variable, value)


def _decimal(value: object) -> Decimal:
    if isinstance(value, str):
        return read_number(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidValue("not a number")
    return bounded(Decimal(repr(float(value))) if isinstance(value, float) else Decimal(value))


def _integer(value: object) -> int:
    number = _decimal(value)
    if number != number.to_integral_value():
        raise InvalidValue("not a whole number")
    return int(number)


def _date(variable: Variable, value: object) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    if not isinstance(value, str):
        raise InvalidValue("not a date")
    try:
        return read_date(value, variable.date_order)
    except InvalidValue:
        # A spreadsheet writes "2021-06-14 00:00:00"; without a time of day the first reason is the right one.
        if " " not in value.strip() and "T" not in value:
            raise
        return read_datetime(value, variable.date_order, seconds=False).date()


def _datetime(variable: Variable, value: object) -> dt.datetime:
    if isinstance(value, dt.datetime):
        if value.tzinfo is not None:
            raise InvalidValue("a time with a time zone; give the local time")
        return value.replace(microsecond=0, second=value.second if variable.seconds else 0)
    if not isinstance(value, str):
        raise InvalidValue("not a date with its time of day")
    return read_datetime(value, variable.date_order, seconds=variable.seconds)


def _time(variable: Variable, value: object) -> dt.time:
    if isinstance(value, dt.time):
        if value.tzinfo is not None:
            raise InvalidValue("a time with a time zone; give the local time")
        return value.replace(microsecond=0, second=value.second if variable.seconds else 0)
    if not isinstance(value, str):
        raise InvalidValue("not a time of day")
    return read_time(value, seconds=variable.seconds)


def _yes_or_no(variable: Variable, value: object) -> str:
    text = fold(_code_text(value))
    if text in _YES:
        return "1"
    if text in _NO:
        return "0"
    return _code(variable, value)


def _code_text(value: object) -> str:
    """The text of a code: 2 and 2.0, as a spreadsheet gives them, are "2"; True is "1"."""
    if isinstance(value, bool | int):
        return str(int(bounded(Decimal(value))))
    if isinstance(value, float):
        value = str(value)
    if not isinstance(value, str):
        raise InvalidValue("neither a code nor a label of the choices")
    return value.strip()


def _code(variable: Variable, value: object) -> str:
    text = _code_text(value)
    whole = _WHOLE_FLOAT.fullmatch(text)
    for wanted in (text, whole[1]) if whole else (text,):
        if any(choice.code == wanted for choice in variable.choices):
            return wanted
    for attribute in ("code", "label"):
        found = [choice.code for choice in variable.choices if fold(getattr(choice, attribute)) == fold(text)]
        if len(found) == 1:
            return found[0]
    accepted = ", ".join(choice.code for choice in variable.choices)
    raise InvalidValue(f"neither a code nor a label of the choices; accepted codes: {accepted}")


def _codes(variable: Variable, value: object) -> tuple[str, ...]:
    ticked: set[str]
    if isinstance(value, tuple | list | set | frozenset):
        ticked = {_code(variable, item) for item in value}
    else:
        try:
            ticked = {_code(variable, value)}
        except InvalidValue:
            if not isinstance(value, str):
                raise
            ticked = {_code(variable, part) for part in re.split(r"[|;,]", value) if part.strip()}
    return tuple(choice.code for choice in variable.choices if choice.code in ticked)


def _text(variable: Variable, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float | dt.date | dt.time):
        raise InvalidValue("not a text")
    text = str(bounded(Decimal(value)) if isinstance(value, int) else value).replace("\r\n", "\n").replace("\r", "\n")
    # Lone surrogates cannot be written as UTF-8; control characters break tables.
    text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    text = text.strip() if variable.kind is VariableKind.NOTES else " ".join(text.split())
    if not text:
        raise InvalidValue("empty")
    if variable.kind is VariableKind.EMAIL and not _EMAIL.fullmatch(text):
        raise InvalidValue("not an e-mail address")
    if variable.kind is VariableKind.PHONE and not (_PHONE.fullmatch(text) and 6 <= sum(map(str.isdigit, text)) <= 15):
        raise InvalidValue("not a phone number")
    if variable.kind is VariableKind.ZIPCODE and not _ZIPCODE.fullmatch(text):
        raise InvalidValue("not a postal code")
    return text


def _check_bounds(variable: Variable, value: Value) -> None:
    for bound, below in ((variable.minimum, True), (variable.maximum, False)):
        if bound is None:
            continue
        limit = read_bound(variable, bound)
        if (value < limit) if below else (value > limit):  # type: ignore[operator]
            raise InvalidValue(f"below the minimum {bound}" if below else f"above the maximum {bound}")


def _cell(variable: Variable, value: Value) -> str:
    match value:
        case dt.datetime():
            return value.isoformat(sep=" ", timespec="seconds" if variable.seconds else "minutes")
        case dt.date():
            return value.isoformat()
        case dt.time():
            return value.isoformat(timespec="seconds" if variable.seconds else "minutes")
        case float():
            number = Decimal(repr(value))
            if variable.decimals is not None:
                text = f"{rounded(number, variable.decimals):f}"
            else:
                text = f"{number.to_integral_value() if number == number.to_integral_value() else number:f}"
            return text.replace(".", variable.decimal_mark)
        case _:
            return str(value)


def _annotation(variable: Variable) -> Any:
    # Any: a Literal of codes known only once the dictionary is read is beyond a static checker.
    literal: Any = Literal
    coded: Any = literal[tuple(choice.code for choice in variable.choices)] if variable.choices else str
    types: dict[VariableKind, Any] = {
        VariableKind.INTEGER: int,
        VariableKind.NUMBER: float,
        VariableKind.DATE: dt.date,
        VariableKind.DATETIME: dt.datetime,
        VariableKind.TIME: dt.time,
        VariableKind.CHECKBOX: tuple.__class_getitem__((coded, ...)),
    }
    held = types.get(variable.kind, coded)

    def check(value: object) -> Value | None:
        return None if value is None else validate(variable, value)

    return Annotated[held | None, BeforeValidator(check)]
