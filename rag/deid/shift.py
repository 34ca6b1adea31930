"""By how many days the dates of a patient move, and what becomes of ages that few people reach."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from rag.deid.keys import Secret
from rag.deid.spelling import shaped, small

#: Ages over this one are written as one more (the limit of the HIPAA Safe Harbor rule).
OLDEST_TOLD = 89
_GROUPED, _GROUPED_IN_WORDS = "90", "quatre-vingt-dix"
_FIRST_YEAR, _LAST_YEAR = 1900, 2100  # in which dates must stay, for those who read them
_TRIES = 400
_OLD = r"(?:9[1-9]|1[0-2]\d)"
_OLD_IN_WORDS = (
    r"(?:quatre[ -]vingt[ -](?:onze|douze|treize|quatorze|quinze|seize|dix[ -](?:sept|huit|neuf))"
    r"|cent(?:[ -](?:et )?[a-z-]+)?)"
)
_AGE = re.compile(
    rf"(?<![\d.,/:])(?P<figures>{_OLD})(?=\s?ans?(?![a-z])|\s?a(?=[,;).\-/\n]|\s*\Z))"
    rf"|(?<![a-z])age(?:e?\sde)?\s?[:=]?\s?(?P<after>{_OLD})(?![\d.,/:]|\s?(?:mois|jours?|semaines?|j|h)(?![a-z]))"
    rf"|(?<![a-z])(?P<words>{_OLD_IN_WORDS})(?=\s?ans(?![a-z]))"
)


class OldAge(NamedTuple):
    """An age over 89 at [start, end), and what to write in its place."""

    start: int
    end: int
    new: str


def old_ages(text: str) -> Iterator[OldAge]:
    """Ages over 89, in order: figures or words before "ans", figures after "âge" or "âgée de"."""
    for match in _AGE.finditer(small(text)):
        name = match.lastgroup or ""
        start, end = match.span(name)
        new = shaped(text[start:end], _GROUPED_IN_WORDS) if name == "words" else _GROUPED
        yield OldAge(start, end, new)


def age_on(born: dt.date, day: dt.date) -> int:
    """Completed years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def grouped_birth(born: dt.date, days: Iterable[dt.date]) -> dt.date:
    """A birth date that makes its bearer 90 on the first of ``days`` on which they are older than 89."""
    first = min((day for day in days if age_on(born, day) > OLDEST_TOLD), default=None)
    if first is None:
        return born
    year = born.year + age_on(born, first) - OLDEST_TOLD - 1
    return born.replace(year=year, day=28) if (born.month, born.day) == (2, 29) else born.replace(year=year)


def possible_shifts(
    secret: Secret, patient_id: str, births: Collection[dt.date], days: Collection[dt.date], weeks: tuple[int, int]
) -> Iterator[int]:
    """Days by which a patient's dates may move, best first, at least one: whole weeks, drawn from the secret.

    They move backwards, unless that leaves the 20th century. Ages stay what they were: a shift that changes an age on
    one of ``days``, for a year has not always as many days as another, is only given when all others do.

    Args:
        births: birth dates as they will be moved.
        weeks: least and most.
    """
    least, most = weeks
    every = [*births, *days]
    age_changing = []
    for attempt in range(_TRIES):
        sign = -1 if attempt < _TRIES // 2 else 1
        length = 7 * (least + secret.number(patient_id, "shift", str(attempt)) % (most - least + 1))
        step = dt.timedelta(days=sign * length)
        if any(not _FIRST_YEAR <= (day + step).year <= _LAST_YEAR for day in every):
            continue
        if all(age_on(born + step, day + step) == age_on(born, day) for born in births for day in days):
            yield step.days
        else:
            age_changing.append(step.days)
    yield from age_changing or [-7 * least]
