"""Dates and times in French notes: found in one pass, resolved against the note's date when they are incomplete."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

from rag.corpus import date_words as words
from rag.corpus.clocks import CLOCK_READERS, clock_at
from rag.corpus.date_match import LOOK_BACK, Context, Found, joins
from schema.document import DateKind, DateMention, PartialDate

# A yearless date lies before the note, or this little after it; what is planned may lie further ahead, but
# "sonde jusqu'au 22/06" in a note of 25/06 is past all the same.
_AHEAD = dt.timedelta(days=31)
_AHEAD_WHEN_PLANNED = dt.timedelta(days=275)
_CLOCK_TO_DATE = re.compile(r" (?:le|du) (?:\w+di )?")
_SAME_DAY = re.compile(r"(?:,|,? soit|,? le|,? \()? ?(?:le )?")


def find_dates(text: str, written_on: PartialDate | None) -> tuple[DateMention, ...]:
    """Every date, day offset and time of day of ``text``, in order, without overlap.

    A date without a year takes the one that puts it nearest before the note (or a few weeks after it, or later
    when the words around it speak of something planned). "hier", "il y a 3 jours" count from ``written_on``;
    without it they keep their place but have no date. "la veille", "le lendemain" count from the last date of
    the same line when there is one. A date that is not in the calendar (30/02/2021) gives no mention, nor does
    a blood pressure, a score, a telephone number or a length of time.
    """
    low = text.lower()
    if len(low) != len(text):  # "İ" and a few others grow when lower-cased
        low = "".join(character.lower()[0] for character in text)
    if "’" in low:
        low = low.replace("’", "'")
    low = words.MISREAD.sub(lambda letter: "0" if letter[0] == "o" else "1", low)
    mentions: list[DateMention] = []
    context = Context(text, low, written_on, mentions)
    for match in words.TOKEN.finditer(low):
        found = _READERS[match.lastgroup or ""](match, context)
        if found is None:
            continue
        start, end = match.start(), match.end()
        if match.lastgroup in _HAVE_WEEKDAY:
            weekday = words.WEEKDAY_BEFORE.search(context.before(match))
            if weekday:
                start -= len(weekday[0])
            _lend_month(start, found, context)
        if found.date is not None and mentions and _explains(mentions[-1], start, low):
            last = mentions[-1]
            mentions[-1] = DateMention(last.start, last.end, last.kind, found.date, last.clock)
        if found.kind is DateKind.CLOCK and mentions and joins(mentions[-1], start, low):
            last = mentions[-1]
            mentions[-1] = DateMention(last.start, end, last.kind, last.date, found.clock, last.offset_days)
        else:
            mentions.append(DateMention(start, end, *found))
    return tuple(_attach_clocks_before(mentions, low))


def _explains(last: DateMention, start: int, low: str) -> bool:
    """Whether the date that begins at ``start`` says which day the words before it mean: "le lendemain, 4 avril"."""
    return (
        last.kind is DateKind.RELATIVE
        and low.startswith(tuple(words.NARRATED_DAY_WORDS), last.start)
        and _SAME_DAY.fullmatch(low, last.end, start) is not None
    )


def _attach_clocks_before(mentions: list[DateMention], low: str) -> list[DateMention]:
    """Join "09h10 le 14/06" where the date has no time of its own."""
    joined: list[DateMention] = []
    for mention in mentions:
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.kind is DateKind.CLOCK
            and mention.clock is None
            and _follows_clock(mention, low[last.end : mention.start])
        ):
            joined[-1] = DateMention(last.start, mention.end, mention.kind, mention.date, last.clock)
        else:
            joined.append(mention)
    return joined


def _follows_clock(mention: DateMention, gap: str) -> bool:
    """Whether the date is that of the time before it: "09h10 le 14/06", "20h14 hier"."""
    if mention.kind is DateKind.RELATIVE:
        return gap == " " and mention.date is not None and mention.date.is_complete
    return mention.kind is DateKind.ABSOLUTE and _CLOCK_TO_DATE.fullmatch(gap) is not None


def _lend_month(start: int, found: Found, context: Context) -> None:
    """In "du 22 au 29 octobre 2019", read the 22 too; in "du 28/12 au 05/01/2020" nothing is lent."""
    date = found.date
    if date is None or date.day is None:
        return
    window = max(0, start - LOOK_BACK)
    day = words.DAY_BEFORE.search(context.low[window:start])
    if day is None:
        return
    earlier = _calendar(date.year, date.month, int(day[2]))
    if earlier is not None and earlier < date:
        context.mentions.append(DateMention(window + day.start(1), window + day.end(1), DateKind.ABSOLUTE, earlier))


def _calendar(year: int, month: int | None = None, day: int | None = None) -> PartialDate | None:
    """The date, or None when the calendar has none such or no patient's note could speak of it."""
    if not 1900 <= year <= 2100:
        return None
    try:
        return PartialDate(year, month, day)
    except ValueError:
        return None


def _century(two_digits: int, written_on: PartialDate | None) -> int:
    """The year meant by two digits: the latest one that is not after the year that follows the note.

    Without a note date, 50 and above are taken to be of the 20th century.
    """
    latest = written_on.year + 1 if written_on else 2049
    year = latest - latest % 100 + two_digits
    return year if year <= latest else year - 100


def _year(digits: str, written_on: PartialDate | None) -> int:
    digits = digits.lstrip("'")
    return int(digits) if len(digits) == 4 else _century(int(digits), written_on)


def _month(word: str) -> int:
    folded = word.replace("é", "e").replace("û", "u")
    return words.MONTHS.get(folded[:3]) or words.MONTHS[folded[:4]]


def _absolute(date: PartialDate | None) -> Found | None:
    return None if date is None else Found(DateKind.ABSOLUTE, date)


def _iso(match: re.Match[str], context: Context) -> Found | None:
    found = _absolute(_calendar(int(match["iso_y"]), int(match["iso_m"]), int(match["iso_d"])))
    clock = clock_at(int(match["iso_h"]), int(match["iso_min"])) if match["iso_h"] else None
    return found._replace(clock=clock.clock) if found and clock else found


def _dmy(match: re.Match[str], context: Context) -> Found | None:
    day, month, year = match["dmy_d"], match["dmy_m"], match["dmy_y"]
    if match["dmy_s"] == "." and len(year) == 2 and len(day + month) < 4 and not _is_announced(match, context):
        return None  # "2.1.10" is a heading's number
    if len(year) == 2 and words.MEASURE_CUE.search(context.before(match)) and not _is_announced(match, context):
        return None  # "Apgar 10/10/10"
    return _absolute(_calendar(_year(year, context.written_on), int(month), int(day)))


def _text(match: re.Match[str], context: Context) -> Found | None:
    month, day = _month(match["text_m"]), int(match["text_d"])
    if match["text_y"]:
        return _absolute(_calendar(_year(match["text_y"], context.written_on), month, day))
    return _absolute(_yearless(day, month, match, context))


def _my(match: re.Match[str], context: Context) -> Found | None:
    return _absolute(_calendar(int(match["my_y"]), int(match["my_m"])))


def _is_announced(match: re.Match[str], context: Context) -> bool:
    return words.DATE_CUE.search(context.before(match)) is not None


def _dm(match: re.Match[str], context: Context) -> Found | None:
    """Day and month alone. "16/9", "4/5" and "17/10" also write pressures and scores: those need a word of date."""
    day, month = int(match["dm_d"]), int(match["dm_m"])
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return None
    before = context.before(match)
    if words.MEASURE_AFTER.match(context.low, match.end()):
        return None
    if not words.DATE_CUE.search(before):
        two_digits = len(match["dm_d"]) == len(match["dm_m"]) == 2
        if match["dm_s"] != "/" or not two_digits or words.MEASURE_CUE.search(before):
            return None
        if match["dm_d"][0] != "0" and match["dm_m"][0] != "0" and day <= month:
            return None  # "10/12" may be a score; "25/11" cannot
    return _absolute(_yearless(day, month, match, context))


def _yearless(day: int, month: int, match: re.Match[str], context: Context) -> PartialDate | None:
    """The year nearest before the note, the coming one when the words speak of what is planned."""
    note = context.written_on
    if note is None:
        return None
    ahead = _AHEAD_WHEN_PLANNED if words.FUTURE_CUE.search(context.before(match)) else _AHEAD
    dates = (_calendar(note.year + shift, month, day) for shift in (1, 0, -1))
    return next((date for date in dates if date and date.earliest() - note.latest() <= ahead), None)


def _year_alone(match: re.Match[str], context: Context) -> Found | None:
    """A year by itself: after "en", "depuis", "(" …, or closing a phrase; 2000 alone is as often a dose."""
    year = int(match["year"])
    before, low, end = context.before(match), context.low, match.end()
    if words.UNIT_AFTER.match(low, end) or words.NOT_A_YEAR_BEFORE.search(before):
        return None
    if not words.YEAR_CUE.search(before):
        late = context.written_on is not None and year > context.written_on.year + 1
        closes = words.YEAR_BARE_BEFORE.search(before) and words.YEAR_BARE_AFTER.match(low, end)
        if late or year == 2000 or not closes:
            return None
    return _absolute(_calendar(year))


def _month_alone(match: re.Match[str], context: Context) -> Found | None:
    word, note = match["month_m"], context.written_on
    if match["month_y"]:
        return _absolute(_calendar(int(match["month_y"]), _month(word)))
    if note is None or word in ("sept", "nov", "dec", "oct", "jan", "mar"):
        return None
    month = _month(word)
    if match["month_rel"]:
        ahead = match["month_rel"] == "prochain"
        same_year = month > (note.month or 12) if ahead else month < (note.month or 12)
        return _absolute(_calendar(note.year if same_year else note.year + (1 if ahead else -1), month))
    if not words.MONTH_CUE.search(context.before(match)):
        return None
    months_ahead = month - (note.month or 12)
    planned = words.FUTURE_CUE.search(context.before(match)) is not None
    if planned and months_ahead < 0:
        return _absolute(_calendar(note.year + 1, month))
    if planned or months_ahead <= 2:
        return _absolute(_calendar(note.year, month))
    return _absolute(_calendar(note.year - 1, month))


def _shifted(date: PartialDate | None, days: int) -> PartialDate | None:
    day = date.to_date() if date else None
    return PartialDate.of(day + dt.timedelta(days=days)) if day else None


def _day_word(match: re.Match[str], context: Context) -> Found | None:
    days = next(days for word, days in _DAY_WORDS if match["day"].startswith(word))
    return Found(DateKind.RELATIVE, _shifted(context.written_on, days) if days else context.written_on)


_DAY_WORDS = sorted(words.DAY_WORDS.items(), key=lambda item: -len(item[0]))


def _narrated_day(match: re.Match[str], context: Context) -> Found | None:
    line_start = context.low.rfind("\n", 0, match.start()) + 1
    anchor = context.written_on
    for mention in reversed(context.mentions):
        if mention.start < line_start:
            break
        if mention.kind is not DateKind.CLOCK and mention.date is not None and mention.date.is_complete:
            anchor = mention.date
            break
    return Found(DateKind.RELATIVE, _shifted(anchor, words.NARRATED_DAY_WORDS[match["narrated_w"]]))


def _span(match: re.Match[str], context: Context) -> Found | None:
    """ "il y a 3 jours", "depuis deux mois", "dans un an", and "à 3 mois", which counts from an unnamed event."""
    count = words.NUMBERS.get(match["span_n"]) or int(match["span_n"])
    unit, word = match["span_u"][0], match["span_w"]
    before = context.before(match) if word == "à" else ""
    if word == "à" and not words.GOES_BACK.search(before):
        if words.AGE_AFTER.match(context.low, match.end()) or words.COMPARISON.search(before + "à "):
            return None
        days = {"j": 1.0, "s": 7.0, "m": 365.25 / 12}.get(unit)
        return None if days is None else Found(DateKind.DAY_OFFSET, offset_days=round(count * days))
    sign = 1 if word in ("dans", "d'ici") else -1
    return Found(DateKind.RELATIVE, _moved(context.written_on, sign * count, unit))


def _moved(date: PartialDate | None, count: int, unit: str) -> PartialDate | None:
    """``date`` moved by ``count`` days (unit "j"), weeks "s", months "m" or years "a", as precise as the words are."""
    if date is None:
        return None
    if unit == "a":
        return _calendar(date.year + count)
    if date.month is None:
        return None
    if unit == "m":
        months = date.year * 12 + date.month - 1 + count
        return _calendar(months // 12, months % 12 + 1)
    return _shifted(date, count * (7 if unit == "s" else 1))


def _last(match: re.Match[str], context: Context) -> Found | None:
    note, what = context.written_on, match["last_w"]
    sign = 1 if match["last_r"].startswith("prochain") else -1
    if note is None:
        return Found(DateKind.RELATIVE)
    if what in words.WEEKDAYS:
        day = note.to_date()
        if day is None:
            return Found(DateKind.RELATIVE)
        gap = (sign * (words.WEEKDAYS[what] - day.weekday())) % 7 or 7
        return Found(DateKind.RELATIVE, _shifted(note, sign * gap))
    if what == "la semaine":
        moved = _shifted(note, sign * 7)
        return Found(DateKind.RELATIVE, moved and PartialDate(moved.year, moved.month))
    return Found(DateKind.RELATIVE, _moved(note, sign, "m" if what == "le mois" else "a"))


def _offset(days: float) -> Found:
    return Found(DateKind.DAY_OFFSET, offset_days=days)


def _j(match: re.Match[str], context: Context) -> Found | None:
    return _offset(float(match["j_n"].replace(" ", "")))


def _jour(match: re.Match[str], context: Context) -> Found | None:
    return _offset(float(match["jour_n"]))


def _h(match: re.Match[str], context: Context) -> Found | None:
    number = match["h_n"]
    if not context.text[match.start()].isupper() or (number[0] == "0" and len(number) > 1):
        return None
    return _offset(int(number) / 24)


def _nth(match: re.Match[str], context: Context) -> Found | None:
    if not re.search(r"(?:au|à la|le|dès le|dès la) \Z", context.before(match)):
        return None
    return _offset(int(match["nth_n"]) / (24 if match["nth_u"] == "heure" else 1))


_READERS: dict[str, Callable[[re.Match[str], Context], Found | None]] = {
    "iso": _iso, "dmy": _dmy, "text": _text, "my": _my, "dm": _dm, "year": _year_alone, "month": _month_alone,
    "day": _day_word, "narrated": _narrated_day, "span": _span, "last": _last,
    "j": _j, "jour": _jour, "h": _h, "nth": _nth, **CLOCK_READERS,
}  # fmt: skip
_HAVE_WEEKDAY = frozenset(("iso", "dmy", "text", "dm"))
