"""The REDCap functions that branching logic may call, on operands already read. Any empty operand gives ""."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal

from rag.redcap.scalars import InvalidValue, read_date, read_datetime, rounded

#: "" is empty. A truth value reads as 1 or 0.
Operand = str | float | bool

_NUMBER = re.compile(r"-?(?:[0-9]{1,300}(?:\.[0-9]+)?|\.[0-9]+)")
# Seconds in a unit, as REDCap counts years and months.
_UNITS = {"y": 365.2425 * 86400, "M": 30.44 * 86400, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}


def number_of(operand: Operand) -> float | None:
    """The operand as a number, None when it is empty or a text."""
    if isinstance(operand, str):
        return float(operand) if _NUMBER.fullmatch(operand) else None
    return float(operand)


def _numbers(operands: tuple[Operand, ...]) -> list[float]:
    return [number for operand in operands if (number := number_of(operand)) is not None]


def _round(operand: Operand, decimals: Operand = 0.0) -> Operand:
    number, places = number_of(operand), number_of(decimals)
    if number is None or places is None or not 0 <= places <= 15 or abs(number) > 1e15:
        return ""
    return float(rounded(Decimal(repr(number)), int(places)))


def _moment(operand: Operand, order: str) -> dt.datetime | None:
    text = str(operand)
    try:
        return read_datetime(text, order, seconds=True)
    except InvalidValue:
        pass
    try:
        return dt.datetime.combine(read_date(text, order), dt.time())
    except InvalidValue:
        return None


def _datediff(start: Operand, end: Operand, unit: Operand, *options: Operand) -> Operand:
    """Time between two dates in ``unit``; never negative unless an option is true. An option may name a date order."""
    order = next((option for option in options if option in ("ymd", "dmy", "mdy")), "ymd")
    signed = any(option is True or option == "true" for option in options)
    first, second = _moment(start, str(order)), _moment(end, str(order))
    if first is None or second is None or unit not in _UNITS:
        return ""
    difference = (second - first).total_seconds() / _UNITS[str(unit)]
    return difference if signed else abs(difference)


#: By name in small letters: the function, its fewest and its most arguments.
FUNCTIONS: dict[str, tuple[Callable[..., Operand], int, int]] = {
    "abs": (lambda x: "" if number_of(x) is None else abs(number_of(x) or 0.0), 1, 1),
    "datediff": (_datediff, 3, 5),
    "isblankormissingcode": (lambda x: x == "", 1, 1),
    "max": (lambda *xs: max(_numbers(xs), default=""), 1, 99),
    "mean": (lambda *xs: sum(_numbers(xs)) / len(_numbers(xs)) if _numbers(xs) else "", 1, 99),
    "min": (lambda *xs: min(_numbers(xs), default=""), 1, 99),
    "round": (_round, 1, 2),
    "sum": (lambda *xs: sum(_numbers(xs)) if _numbers(xs) else "", 1, 99),
}
