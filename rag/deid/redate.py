"""Dates in French, written again in the form in which they stand, moved.

A date moves by whole weeks, so that weekdays named beside it stay true. A month or a year alone moves by the same
length rounded to whole months or years: two dates of one precision keep their distance exactly.
"""

from __future__ import annotations

import datetime as dt
import re

from rag.deid.calendar import (
    BETWEEN_DIGITS,
    MONTHS,
    DateGroup,
    Part,
    Reference,
    WrittenDate,
    date_groups,
    day_of,
    is_spaced,
    lone_day,
    to_day,
)
from rag.deid.spelling import french_number, shaped, small, unaccented

_DAYS_PER_YEAR, _DAYS_PER_MONTH = 365.2425, 30.436875
_SHORT = ("janv", "févr", "mars", "avr", "mai", "juin", "juil", "août", "sept", "oct", "nov", "déc")
_SHORTEST = ("jan", "fév", *_SHORT[2:])

_Edit = tuple[int, int, str]


def shift_dates(text: str, days: int, reference: Reference) -> str | None:
    """The span with every date in it moved by ``days``; None when it holds no date that can be read.

    What is not a date (weekday, time of day, link words) stays as it is.
    """
    spaced = is_spaced(text)
    plain = BETWEEN_DIGITS.sub("", text) if spaced else text
    edits = [edit for written in date_groups(plain, reference) for edit in _moved(plain, written, days, reference)]
    if not edits:
        return None
    for start, end, new in reversed(edits):
        plain = plain[:start] + new + plain[end:]
    return re.sub(r"(?<=\d)(?=\d)", " ", plain) if spaced else plain


def shift_lone_day(text: str, days: int, reference: Reference) -> str | None:
    """A day of the month by itself ("le 18"), taken to be the last one before the document; None without its date."""
    date = lone_day(text)
    if date is None or date.day is None or reference.written_on is None:
        return None
    written, day = reference.written_on, date.day.value
    month = written.replace(day=1) if day <= written.day else written.replace(day=1) - dt.timedelta(days=1)
    moved = day_of(month.year, month.month, day) + dt.timedelta(days=days)
    start, end, new = _day_edit(text, date, moved.day)
    return text[:start] + new + text[end:]


def shift_month(year: int, month: int, days: int) -> tuple[int, int]:
    """A month moved by as many whole months as ``days`` hold."""
    months = year * 12 + month - 1 + round(days / _DAYS_PER_MONTH)
    return months // 12, months % 12 + 1


def shift_year(year: int, days: int) -> int:
    """A year moved by as many whole years as ``days`` hold."""
    return year + round(days / _DAYS_PER_YEAR)


def _moved(text: str, written: DateGroup, days: int, reference: Reference) -> list[_Edit]:
    """The edits that move one date and its borrowers, in order."""
    date, borrowers = written
    if not date.month:
        assert date.year
        return [_year_edit(text, date.year, shift_year(date.year.value, days))]
    if not date.day:
        year, month = shift_month(date.year.value if date.year else 2000, date.month.value, days)
        return _in_order(_month_edit(text, date, month), date.year and _year_edit(text, date.year, year))
    step = dt.timedelta(days=days)
    new = to_day(date, reference) + step
    edits = []
    for borrower in borrowers:
        early = _early_day(borrower, new - step, reference) + step
        start, end, day = _day_edit(text, borrower, early.day)
        edits.append((start, end, day + _lent(text, date, early, new)))
    return edits + _in_order(
        _day_edit(text, date, new.day),
        _month_edit(text, date, new.month),
        date.year and _year_edit(text, date.year, new.year),
    )


def _early_day(borrower: WrittenDate, lender: dt.date, reference: Reference) -> dt.date:
    """The day of a borrower: in the month of its lender, or in the one before ("du 28 au 2/01")."""
    assert borrower.day
    day = to_day(borrower, reference)
    before = lender.replace(day=1) - dt.timedelta(days=1)
    return day if day <= lender else day_of(before.year, before.month, borrower.day.value)


def _lent(text: str, date: WrittenDate, early: dt.date, late: dt.date) -> str:
    """What a borrower must write for itself once it no longer lies in the month of the date after it."""
    assert date.month and date.day
    if (early.year, early.month) == (late.year, late.month):
        return ""
    _, _, month = _month_edit(text, date, early.month)
    first, second = sorted((date.day, date.month))
    link = text[first.end : second.start]
    if date.year is None or early.year == late.year:
        return link + month
    _, _, year = _year_edit(text, date.year, early.year)
    return link + month + text[date.month.end : date.year.start] + year if date.year > date.month else link + month


def _in_order(*edits: _Edit | None) -> list[_Edit]:
    return sorted(edit for edit in edits if edit)


def _day_edit(text: str, date: WrittenDate, day: int) -> _Edit:
    assert date.day
    start, end, _ = date.day
    old = text[start:end]
    if old[-1:].isalpha() and not old[:1].isdigit() and len(old) > 2:
        return start, end, shaped(old, "premier" if day == 1 else french_number(day))
    if date.named:
        if day == 1 and (old.endswith("er") or not old.startswith("0")):
            return start, end, "1er"
        return start, end, f"{day:02d}" if old.startswith("0") else str(day)
    return start, end, f"{day:02d}" if end - start == 2 else str(day)


def _month_edit(text: str, date: WrittenDate, month: int) -> _Edit:
    assert date.month
    start, end, _ = date.month
    old = text[start:end]
    if not date.named:
        return start, end, f"{month:02d}" if end - start == 2 else str(month)
    low = small(old)
    whole = len(low) == len(MONTHS[date.month.value - 1]) and not text.startswith(".", end)
    new = (MONTHS if whole else _SHORTEST if len(low) == 3 else _SHORT)[month - 1]
    natural = MONTHS[date.month.value - 1][: len(low)]
    accented = unaccented(old) != old or unaccented(natural) == natural
    return start, end, shaped(old, new if accented else unaccented(new))


def _year_edit(text: str, part: Part, year: int) -> _Edit:
    start, end, _ = part
    old = text[start:end]
    digits = old.lstrip("'’")
    if len(digits) == 4 and not digits.isalpha():
        return start, end, str(year)
    if len(digits) == 2:
        return start, end, f"{old[:-2]}{year % 100:02d}"
    return start, end, shaped(old, _year_in_words(small(old), year))


def _year_in_words(like: str, year: int) -> str:
    century, rest = divmod(year, 100)
    like = like if "cent" in like else "mil neuf cent"
    head = "deux mille" if century == 20 else re.sub(r"(?<=cent).*", "", like)
    return f"{head} {french_number(rest)}" if rest else head
