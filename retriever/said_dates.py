"""Dates as sentences point at them: "du 12", "le 12/06", "en juin 2021", "il y a 3 jours".

Texts are folded: lower case, no accents.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

_MONTHS = ("jan", "fev", "mar", "avr", "mai", "juin", "juil", "aou", "sep", "oct", "nov", "dec")
_NUMBERS = {"un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "six": 6}
_DAYS = {"j": 1, "s": 7, "m": 30, "a": 365}

_MONTH = (
    r"(?:janv?|janvier|fevr?|fevrier|mars|avr|avril|mai|juin|juil|juillet|aout|sept?|septembre|oct|octobre"
    r"|nov|novembre|dec|decembre)\b"
)
_DATE = re.compile(
    r"\b(?P<iso>(?:19|20)\d\d-\d\d-\d\d)\b"
    # "12/06", "12/06/21", "12.06.2021"; not "à 3/6", a score, nor "1.5", a number
    r"|(?<![\d/.,-])(?<!\ba )(?P<day>\d{1,2})"
    r"(?:/(?P<month>\d{1,2})(?:/(?P<year>\d{4}|\d\d))?|[.-](?P<month_>\d{1,2})[.-](?P<year_>\d{4}|\d\d))(?![\d/])"
    rf"|\b(?:(?P<named_day>\d{{1,2}})(?:er)?\s+)?(?P<named>{_MONTH})\.?(?:\s+(?P<named_year>\d{{4}}))?"
    rf"|\b(?:du|le|au)\s+(?P<alone>\d{{1,2}})(?:er)?\b(?![/.,-]*\d)(?!\s*{_MONTH})"
    r"(?!\s*(?:mg|g\b|ml|h\b|%|ans?\b|jours?|j\b|mois|semaines?|cp|comprim|fois|x\b))"
)
_AGO = re.compile(rf"\bil y a\s+(\d{{1,3}}|{'|'.join(_NUMBERS)})\s+(jours?|semaines?|mois|ans?)\b")


@dataclass(frozen=True, slots=True)
class SaidDate:
    """What is said of a date, in part or in whole; a year of two digits is read up to 2069."""

    day: int | None = None
    month: int | None = None
    year: int | None = None

    def fits(self, date: dt.date) -> bool:
        """Whether a day may be meant."""
        said = ((self.day, date.day), (self.month, date.month), (self.year, date.year))
        return all(mine is None or mine == its for mine, its in said)


def said_dates(text: str) -> list[tuple[int, int, SaidDate]]:
    """The dates of a text with their [start, end), in order; numbers that are no date of a calendar left out."""
    found = ((match.start(), match.end(), _said(match)) for match in _DATE.finditer(text))
    return [(start, end, date) for start, end, date in found if date is not None]


def said_ago(text: str) -> int | None:
    """How many days ago a text says, None when it does not; a month is 30 days."""
    ago = _AGO.search(text)
    return None if ago is None else (_NUMBERS.get(ago[1]) or int(ago[1])) * _DAYS[ago[2][0]]


def _said(match: re.Match[str]) -> SaidDate | None:
    parts = match.groupdict()
    if parts["iso"]:
        year, month, day = parts["iso"].split("-")
    elif parts["named"]:
        named = next(i for i, month in enumerate(_MONTHS, start=1) if parts["named"].startswith(month))
        year, month, day = parts["named_year"], str(named), parts["named_day"]
    else:
        year, month = parts["year"] or parts["year_"], parts["month"] or parts["month_"]
        day = parts["day"] or parts["alone"]
    date = SaidDate(*(int(part) if part else None for part in (day, month, year)))
    if date.year is not None and date.year < 100:
        date = SaidDate(date.day, date.month, date.year + (2000 if date.year < 70 else 1900))
    try:
        dt.date(date.year or 2000, date.month or 1, 1 if date.day is None else date.day)
    except ValueError:
        return None
    return date
