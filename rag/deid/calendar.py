"""Dates in French, read in the words of one span: their parts, with their places, and the days that they mean."""

from __future__ import annotations

import calendar as gregorian
import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from rag.deid.spelling import NUMBER_WORDS, french_number, read_number, small, unaccented

FIRST_YEAR, LAST_YEAR = 1850, 2150  # what a date in a hospital document may be, moved or not
_AHEAD = 31  # days after the document: further ahead, a date without a year lies in the year before

MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
_MONTH_FORMS = {
    form: number
    for number, forms in enumerate(
        (
            "janvier janv jan", "fevrier fevr fev", "mars mar", "avril avr", "mai", "juin jun",
            "juillet juill juil jul", "aout aou", "septembre sept sep", "octobre oct", "novembre nov", "decembre dec",
        ),
        start=1,
    )
    for form in forms.split()
}  # fmt: skip
_MONTH = rf"(?:{'|'.join(sorted(_MONTH_FORMS, key=len, reverse=True))})(?![a-z])"
_DAY_WORDS = {"premier": 1, **{unaccented(french_number(n)).replace("-", " "): n for n in range(2, 32)}}
_DAY_WORD = "|".join(sorted((form.replace(" ", "[ -]") for form in _DAY_WORDS), key=len, reverse=True))
_DAY = rf"(?:[0-3]?\d(?!\d)(?:er\b)?|(?<![a-z])(?:{_DAY_WORD})(?![a-z]))"
_YEAR_IN_WORDS = (
    rf"(?:deux[ -]mille|mil(?:le)?[ -]neuf[ -]cents?|dix[ -]neuf[ -]cents?)(?:[ -](?:et[ -])?{NUMBER_WORDS})?(?![a-z])"
)
_CENTURY = r"(?:19|20)\d\d(?!\d)"
_GAP = r"[\s\-./,]{0,3}"
# "12 mars, 14 avril" and "12 mars 10h30" hold no year 14 or 10.
_SHORT_YEAR = rf"'?\d\d(?!\d)(?!{_GAP}(?:er)?{_GAP}{_MONTH})(?!\s?[h:/])"
_ALONE = r"(?<!\d)(?<!\d[.,])"

#: One date; at the same place the first form wins. Named parts: d(ay), m(onth), n(ame of the month), y(ear).
_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"{_ALONE}(?P<y>\d{{4}})\s?(?P<s>[/.|\-–])\s?(?P<m>\d\d?)\s?(?P=s)\s?(?P<d>\d\d?)(?!\d)",
        rf"{_ALONE}(?P<d>\d\d?)\s?(?P<s>[/.|\-–])\s?(?P<m>\d\d?)\s?(?P=s)\s?(?P<y>\d{{4}}|\d\d)(?!\d)",
        rf"{_ALONE}(?P<d>\d\d?)\s(?P<m>\d\d)\s(?P<y>\d{{4}}|\d\d)(?!\d|\s?[h:])",
        rf"{_ALONE}(?P<d>{_DAY}){_GAP}(?P<n>{_MONTH})(?:{_GAP}(?P<y>\d{{4}}(?!\d)|{_SHORT_YEAR}|{_YEAR_IN_WORDS}))?",
        rf"(?<![a-z])(?P<n>{_MONTH}){_GAP}(?:de )?(?P<y>{_CENTURY}|{_SHORT_YEAR}|{_YEAR_IN_WORDS})",
        r"(?<!\d)(?P<y>(?:19|20)\d\d)(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])(?!\d)",
        r"(?<!\d)(?P<d>0[1-9]|[12]\d|3[01])[\s/.|\-–]?(?P<m>0[1-9]|1[0-2])[\s/.|\-–]?(?P<y>(?:19|20)\d\d)(?!\d)",
        r"(?<!\d)(?P<d>0[1-9]|[12]\d|3[01])[/.|\-–]?(?P<m>0[1-9]|1[0-2])[/.|\-–]?(?P<y>\d\d)(?!\d|\s?[h:])",
        rf"{_ALONE}(?P<m>\d\d?)\s?[/.|\-–]\s?(?P<y>{_CENTURY})",
        rf"{_ALONE}(?P<d>\d\d?)\s?(?P<s>[/.|\-–])\s?(?P<m>\d\d?)(?!\d)",
        rf"(?<!\d)(?P<y>{_CENTURY})",
        r"(?<!\w)(?P<y>'\d\d)(?!\d)",
        rf"(?<![a-z])(?P<y>{_YEAR_IN_WORDS})",
        rf"(?<![a-z])(?P<n>{_MONTH})",
    )
)
#: "du 3 au 11/09", "14, 15 et 16 juin": a day right before a date, whose month it borrows.
_BORROWER = re.compile(rf"(?P<d>{_DAY})\s*(?:,|/|-|–|(?<![a-z])(?:au|et|a|ou)(?![a-z]))\s*(?:le\s+)?(?:\w+di\s+)?$")
_SPACED = re.compile(r"(?:\D*\d(?!\d))+\D*")
BETWEEN_DIGITS = re.compile(r"(?<=\d)\s(?=\d)")
#: Letters that a scanner reads in place of digits.
_MISREAD = re.compile(r"(?<=\d)[olibzs](?=[\d/.|\-]|$)|(?<![a-z])[olibzs](?=\d)|(?<=[/.|\-])[oli](?=[/.|\-\d])")
_MEANT = {"o": "0", "l": "1", "i": "1", "b": "8", "z": "2", "s": "5"}
_WORD = re.compile(r"[a-z]{5,}")
_WRONG_LETTERS = 2


@dataclass(frozen=True, slots=True)
class Reference:
    """What completes a date: the day of its document (None when unknown), and years that the reader knows better.

    ``years`` are those of the dates that the same document writes without one, by (month, day).
    """

    written_on: dt.date | None = None
    years: Mapping[tuple[int, int], int] = field(default_factory=dict)

    def year_of(self, month: int, day: int) -> int:
        """The year of a date written without it: the known one, else the one nearest before the document."""
        known = self.years.get((month, day))
        if known is not None:
            return known
        if self.written_on is None:
            return 2000  # nothing tells; that year has a 29 February
        for year in (self.written_on.year + 1, self.written_on.year):
            if (day_of(year, month, day) - self.written_on).days <= _AHEAD:
                return year
        return self.written_on.year - 1

    def century(self, two_digits: int) -> int:
        """The year of two digits: the latest that is not after the one that follows the document's."""
        latest = self.written_on.year + 1 if self.written_on else 2049
        year = latest - latest % 100 + two_digits
        return year if year <= latest else year - 100


class Part(NamedTuple):
    """One written part of a date: its place in the span and its value."""

    start: int
    end: int
    value: int


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """One date as a span writes it; a part that is not written is None. ``named``: the month is a word."""

    day: Part | None
    month: Part | None
    year: Part | None
    named: bool


class DateGroup(NamedTuple):
    """A date, and the days right before it that borrow its month."""

    date: WrittenDate
    borrowers: tuple[WrittenDate, ...]


def complete_dates(text: str, reference: Reference) -> list[dt.date]:
    """The whole dates written in a span."""
    plain = BETWEEN_DIGITS.sub("", text) if is_spaced(text) else text
    found = []
    for date, borrowers in date_groups(plain, reference):
        if date.day and date.month and date.year:
            found += [to_day(one, reference) for one in (*borrowers, date)]
    return found


def dates_extent(text: str, reference: Reference) -> tuple[int, int] | None:
    """Where the dates of a span lie, from the first to the last, without weekday or time of day around them."""
    places = [
        place
        for date, borrowers in date_groups(text, reference)
        for one in (*borrowers, date)
        for part in (one.day, one.month, one.year)
        if part
        for place in (part.start, part.end)
    ]
    return (min(places), max(places)) if places else None


def lone_day(text: str) -> WrittenDate | None:
    """The day of the month that a span holds and nothing else ("18"), None for any other span."""
    match = re.fullmatch(rf"\s*(?P<d>{_DAY})\s*", _prepared(text))
    value = _number(match["d"]) if match else None
    if match is None or value is None or not 1 <= value <= 31:
        return None
    return WrittenDate(Part(*match.span("d"), value), None, None, named=True)


def is_spaced(text: str) -> bool:
    """Whether the digits stand apart ("1 2 / 0 3 / 2 0 2 1")."""
    return sum(map(str.isdigit, text)) > 3 and _SPACED.fullmatch(text) is not None


def _prepared(text: str) -> str:
    """The text in small letters without accents, as long as it was, misread digits and misspelt months mended."""
    low = _MISREAD.sub(lambda letter: _MEANT[letter[0]], small(text).replace("’", "'"))
    return _WORD.sub(lambda word: _meant_month(word[0]), low)


def _meant_month(word: str) -> str:
    """The month of as many letters that a word resembles ("jnillet"), or the word."""
    if word in _MONTH_FORMS:
        return word
    for month in map(unaccented, MONTHS):
        wrong = sum(a != b for a, b in zip(word, month, strict=False)) if len(month) == len(word) else len(word)
        if wrong <= _WRONG_LETTERS < len(word) - 2:
            return month
    return word


def day_of(year: int, month: int, day: int) -> dt.date:
    """The day, or the month's last when the calendar has none such (30 February)."""
    return dt.date(year, month, min(day, gregorian.monthrange(year, month)[1]))


def date_groups(text: str, reference: Reference) -> Iterator[DateGroup]:
    """The dates of a span whose digits stand together, in order."""
    low = _prepared(text)
    position = 0
    while True:
        found = min(_first_of_each_form(low, position, reference), key=lambda one: one[0].start(), default=None)
        if found is None:
            return
        match, date = found
        borrowers = tuple(_borrowers(low, position, match.start(), date)) if date.day and date.month else ()
        yield DateGroup(date, borrowers)
        position = match.end()


def _first_of_each_form(low: str, position: int, reference: Reference) -> Iterator[tuple[re.Match[str], WrittenDate]]:
    for form in _FORMS:
        match = form.search(low, position)
        while match:
            date = _read(match, reference)
            if date is not None:
                yield match, date
                break
            match = form.search(low, match.start() + 1)


def _borrowers(low: str, since: int, until: int, lender: WrittenDate) -> list[WrittenDate]:
    found: list[WrittenDate] = []
    while match := _BORROWER.search(low[since:until]):
        value = _number(match["d"])
        if value is None or not 1 <= value <= 31:
            break
        start, end = match.span("d")
        found.insert(0, replace(lender, day=Part(since + start, since + end, value)))
        until = since + start
    return found


def _read(match: re.Match[str], reference: Reference) -> WrittenDate | None:
    """The date of a match, None when the calendar has none such."""
    parts = match.groupdict()
    named = bool(parts.get("n"))
    values = {
        "d": _number(parts["d"]) if parts.get("d") else None,
        "n": _MONTH_FORMS[parts["n"]] if named else None,
        "m": int(parts["m"]) if parts.get("m") else None,
        "y": _year(parts["y"], reference) if parts.get("y") else None,
    }
    day, name, month, year = (None if v is None else Part(*match.span(k), v) for k, v in values.items())
    month = name or month
    if (
        (day and not 1 <= day.value <= 31)
        or (month and not 1 <= month.value <= 12)
        or (year and not FIRST_YEAR <= year.value <= LAST_YEAR)
    ):
        return None
    return WrittenDate(day, month, year, named)


def _number(written: str) -> int | None:
    digits = written.removesuffix("er")
    return int(digits) if digits.isdigit() else _DAY_WORDS.get(written.replace("-", " "))


def _year(written: str, reference: Reference) -> int:
    digits = written.lstrip("'")
    if not digits.isdigit():
        return read_number(written) or 0
    return int(digits) if len(digits) == 4 else reference.century(int(digits))


def to_day(date: WrittenDate, reference: Reference) -> dt.date:
    """The day of a date that has at least a day and a month."""
    assert date.day and date.month
    year = date.year.value if date.year else reference.year_of(date.month.value, date.day.value)
    return day_of(year, date.month.value, date.day.value)
