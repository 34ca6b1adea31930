"""Numbers, dates and times of day written as text, read without guessing.

A two-digit year, a missing time of day or an ambiguous thousands mark is refused, never completed.
Messages hold no part of the text: it may come from a patient's document.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Decimal, localcontext

#: Beyond this, a float no longer holds every whole number.
LARGEST = Decimal(10) ** 15
_LONGEST = 400

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,3}(?: [0-9]{3})+|[0-9]+)(?:[.,][0-9]+)?(?:[eE][+-]?[0-9]{1,3})?|[+-]?[.,][0-9]+")
_ISO_DATE = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})")
_DAY_FIRST_DATE = re.compile(r"([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4})")
_CLOCK = re.compile(
    r"([0-9]{1,2}) ?: ?([0-9]{2})(?: ?: ?([0-9]{2})(?:\.[0-9]+)?)?"
    r"|([0-9]{1,2}) ?h(?: ?([0-9]{2})(?: ?(?:mn|min|m)(?: ?([0-9]{2}) ?s?)?)?)?",
    re.IGNORECASE,
)
_DATE_THEN_CLOCK = re.compile(r"([0-9./-]+)(?:T| à | a | )\s*(.+)", re.IGNORECASE)


class InvalidValue(ValueError):  # noqa: N818 - it says what the value is, as the table's status does
    """The dictionary does not allow this value. The message gives the reason and never the text itself."""


def read_number(text: str) -> Decimal:
    """``12,5``, ``12.5``, ``-3``, ``1 234,5`` (thousands apart by a space), ``3.1e-2``.

    Raises:
        InvalidValue: anything else, or a figure beyond ±10^15.
    """
    text = " ".join(text.replace("\u2212", "-").split())
    if len(text) > _LONGEST or not _NUMBER.fullmatch(text):
        raise InvalidValue("not a number; write digits with at most one decimal mark, such as 12.5 or 12,5")
    return bounded(Decimal(text.replace(" ", "").replace(",", ".")))


def bounded(number: Decimal) -> Decimal:
    """The number itself when it is finite and not beyond ±10^15; raises InvalidValue otherwise."""
    if not number.is_finite() or abs(number) > LARGEST:
        raise InvalidValue("not a number that a table can hold (infinite, undefined or beyond 10^15)")
    return number


def rounded(number: Decimal, decimals: int) -> Decimal:
    """Rounded half up (away from zero), as people round by hand: 6.25 → 6.3 with one decimal."""
    with localcontext() as context:
        context.prec = _LONGEST + 1000  # the longest text with the largest exponent
        return number.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def read_date(text: str, order: str) -> dt.date:
    """A full date. Year first is always read year-month-day; year last is month-day-year only if ``order`` is "mdy".

    Raises:
        InvalidValue: not a full date of the calendar with a four-digit year.
    """
    text = text.strip()
    if iso := _ISO_DATE.fullmatch(text):
        year, month, day = iso.groups()
    elif last := _DAY_FIRST_DATE.fullmatch(text):
        day, month, year = last.groups()
        if order == "mdy":
            day, month = month, day
    else:
        raise InvalidValue("not a full date; write YYYY-MM-DD")
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        raise InvalidValue("a date that is not in the calendar; check day and month") from None


def read_time(text: str, *, seconds: bool) -> dt.time:
    """``09:10``, ``9h10``, ``9 h``, ``09:10:30``; seconds are dropped unless the variable keeps them.

    Raises:
        InvalidValue: not a time of day between 00:00 and 23:59.
    """
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        raise InvalidValue("not a time of day; write HH:MM")
    parts = match.groups()
    hour, minute, second = parts[:3] if parts[0] else parts[3:]
    try:
        return dt.time(int(hour), int(minute or 0), int(second or 0) if seconds else 0)
    except ValueError:
        raise InvalidValue("not a time of day between 00:00 and 23:59") from None


def read_datetime(text: str, order: str, *, seconds: bool) -> dt.datetime:
    """A date and a time of day, such as ``2021-06-14 09:10``, ``14/06/2021 à 9h10``.

    Raises:
        InvalidValue: either is missing or cannot be read.
    """
    match = _DATE_THEN_CLOCK.fullmatch(" ".join(text.split()))
    if match is None:
        read_date(text, order)  # says so when there is no date either
        raise InvalidValue("a date without its time of day; write YYYY-MM-DD HH:MM")
    return dt.datetime.combine(read_date(match[1], order), read_time(match[2], seconds=seconds))
