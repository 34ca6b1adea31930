"""Times of day, in figures and in words, told from lengths of time: "9h et demie", "dix-neuf heures vingt", "midi"."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

from rag.corpus import date_words as words
from rag.corpus.date_match import Context, Found, joins
from schema.document import DateKind


def clock_at(hour: int, minute: int) -> Found | None:
    """The time of day; minutes below zero count back from the hour."""
    if hour >= 24:
        return None
    hour, minute = divmod((hour * 60 + minute) % (24 * 60), 60)
    return Found(DateKind.CLOCK, clock=dt.time(hour, minute))


def _colon(match: re.Match[str], context: Context) -> Found | None:
    return clock_at(int(match["colon_h"]), int(match["colon_min"]))


def _hour(match: re.Match[str], context: Context) -> Found | None:
    """A time of day, a number of hours after an event ("à 24 heures"), or a length of time (nothing)."""
    digits, minute, part = match["hour_h"], match["hour_min"], match["hour_part"]
    written_small = digits[0] != "0"
    return _time_of_day(int(digits), _number(minute) if minute else _part(part), written_small, match, context)


def _said(match: re.Match[str], context: Context) -> Found | None:
    """An hour in words: "dix-neuf heures vingt", "huit heures et demie"."""
    minute, part = match["said_min"], match["said_part"]
    return _time_of_day(_number(match["said_h"]), _number(minute) if minute else _part(part), True, match, context)


def _time_of_day(
    hour: int, minute: int | None, written_small: bool, match: re.Match[str], context: Context
) -> Found | None:
    """The time of day that an hour means, if any; ``written_small``: a small one may be a length of time ("2 h")."""
    before = context.before(match)
    if words.COMPARISON.search(before) or words.DISTANCE_AFTER.match(context.low, match.end()):
        return None  # "un délai inférieur à 4h30", "à une heure et demie de route"
    announced = words.CLOCK_CUE.search(before) is not None
    if hour >= 24:
        return (
            Found(DateKind.DAY_OFFSET, offset_days=hour / 24)
            if announced and minute is None and before.endswith("à ")
            else None
        )
    clock = clock_at(hour, minute or 0)
    if announced:
        return clock
    if words.DURATION_CUE.search(before):
        return None
    small = hour < 7 and written_small
    near_duration = words.WEAK_DURATION_CUE.search(before) or words.WEAK_DURATION_AFTER.match(context.low, match.end())
    if near_duration and (small or minute is None):
        return None
    if small and before.endswith(", "):
        return None  # "24/11, 1 h 52" is as well a length of time
    if minute is None:
        beside_date = bool(context.mentions) and joins(context.mentions[-1], match.start(), context.low)
        line_start = not before or before.rstrip(" -–•*").endswith("\n")
        if not beside_date and not line_start:
            return None
    return clock


def _number(text: str) -> int:
    """A number in digits or in words, whose words add up: "vingt-cinq"."""
    return int(text) if text.isdigit() else sum(words.SPELLED.get(word, 0) for word in text.replace("-", " ").split())


def _part(text: str | None) -> int | None:
    """The minutes of "et demie", "moins le quart": negative before the hour; None without such words."""
    if text is None:
        return None
    sign = -1 if text.startswith(" moins") else 1
    return sign * _number(text.split()[-1] if text[-1].isdigit() else text)


def _noon(match: re.Match[str], context: Context) -> Found | None:
    announced = re.search(r"(?<!\w)(?:à|a|vers|avant|après|jusqu'à|de) \Z", context.before(match))
    hour, part, minute = (12 if match["noon_w"] == "midi" else 0), _part(match["noon_part"]), match["noon_min"]
    if not announced and part is None:
        return None  # "matin, midi et soir" is how often a drug is taken
    return clock_at(hour, part or (_number(minute) if minute else 0))


#: Groups of the date pattern that this module reads.
CLOCK_READERS: dict[str, Callable[[re.Match[str], Context], Found | None]] = {
    "colon": _colon, "hour": _hour, "noon": _noon, "said": _said,
}  # fmt: skip
