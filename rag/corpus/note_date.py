"""The date on which a note was written: the given one when it can be believed, else the one that the text states."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import NamedTuple

from rag.corpus.dates import find_dates
from schema.document import DateKind, DateMention, PartialDate, RawDocument
from schema.problem import Problem

_HEAD, _TAIL = 900, 250  # characters at the start and the end of a note where it states its own date
_LIFETIME_GAP = 3  # years: a date of the head this much older than the text's latest is a date of birth
_CONTRADICTION = 5  # years between the given date and the note's own that no delay explains
_ADULT = 17  # years: an older "own date" is a date of birth that nothing announces
_BIRTH = re.compile(r"(?<!\w)(?:n[ée]e?s?|ddn|naissance|n[ée]\(e\))(?!\w)[^\n]{0,30}\Z", re.IGNORECASE)
# What announces the note's own date, in a line of its head or beside its signature.
_OWN_CUE = re.compile(
    r"(?:(?:^|, ?|[–—-] ?|  )(?:le |du )?"
    r"|(?<!\w)(?:date|examen|consultation|pr[ée]l[èe]vement|[ée]dition|r[ée]dig[ée]|valid[ée]|dict[ée]|vue?|fait|r[ée]alis[ée]"
    r"|s[ée]jour|sortie|hospitalis\w+|compte.rendu|imprim[ée]|sign[ée])(?!\w)[^\n\d]{0,24})\Z",
    re.IGNORECASE,
)
_ITEM = re.compile(r"[ \t]*[-–•*]")
_SHORT_LINE = 110  # a longer line tells a story, in which the dates are those of the story
# A year of its own, not one lent by the note.
_EXPLICIT = re.compile(r"\d{4}|\d[/.-]\d{1,2}[/.-]\d\d|\d(?:er)?[ -]?[^\W\d_]{3,9}\.?[ -]?'?\d\d(?![\dh:])")
_STAY_END = re.compile(r" (?:au|-|–|—|à) (?:le )?")
_COMPACT = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_. ]?(0[1-9]|1[0-2])[-_. ]?(0[1-9]|[12]\d|3[01])(?!\d)")
_COMPACT_FRENCH = re.compile(r"(?<!\d)(0[1-9]|[12]\d|3[01])[-_. ]?(0[1-9]|1[0-2])[-_. ]?((?:19|20)\d\d)(?!\d)")
_PARTIAL = re.compile(r"(\d{4})(?:-(\d{2}|\?\?)(?:-(\d{2}|\?\?))?)?\Z")


class NoteDate(NamedTuple):
    """``date`` is None when neither given nor found; ``inferred`` says that it was not the given one."""

    date: PartialDate | None
    inferred: bool
    problem: Problem | None = None


def parse_date(given: str) -> PartialDate | None:
    """Read a date as exports write it: ISO with or without time, dd/mm/yyyy, dd.mm.yy, "9 février 2021", 20210209."""
    given = given.strip()
    partial = _PARTIAL.match(given)
    try:
        if partial:
            return PartialDate.parse(given) if 1900 <= int(partial[1]) <= 2100 else None
        mentions = find_dates(given, None)
        if mentions and mentions[0].kind is DateKind.ABSOLUTE:
            return mentions[0].date
        return _from_name(given)
    except ValueError:
        return None


def _from_name(name: str) -> PartialDate | None:
    """The date in a file name ("CRH_20210614", "14-06-2021 scanner").

    Raises:
        ValueError: it is not in the calendar.
    """
    iso = _COMPACT.search(name)
    french = None if iso else _COMPACT_FRENCH.search(name)
    year, month, day = iso.groups() if iso else reversed(french.groups()) if french else (None, None, None)
    return PartialDate(int(year), int(month), int(day)) if year and month and day else None


class OwnDate(NamedTuple):
    """The date a note gives itself; ``sure`` when words or place announce it as such."""

    date: PartialDate
    sure: bool


def _is_announced(text: str, mention: DateMention) -> bool:
    start = text.rfind("\n", 0, mention.start) + 1
    end = text.find("\n", mention.end)
    length = (len(text) if end < 0 else end) - start
    before = text[start : mention.start]
    return length <= _SHORT_LINE and not _ITEM.match(before) and _OWN_CUE.search(before) is not None


def own_date(text: str, mentions: Sequence[DateMention]) -> OwnDate | None:
    """The complete date that a note gives itself, in its first lines or beside its signature.

    Dates of birth are passed over: those that follow "né le", and those years older than the text's latest date.
    Of a stay ("du … au …") the end is taken, for that is when its report is written.
    """
    dated = [(m, m.date) for m in mentions if m.kind is DateKind.ABSOLUTE and m.date and m.date.is_complete]
    dated = [(m, date) for m, date in dated if _EXPLICIT.search(text[m.start : m.end])]
    dated = [(m, date) for m, date in dated if not _BIRTH.search(text[max(0, m.start - 40) : m.start])]
    latest = max((date.year for _, date in dated), default=0)
    dated = [(m, date) for m, date in dated if date.year >= latest - _LIFETIME_GAP]
    head = [(m, date) for m, date in dated if m.start < _HEAD]
    tail = [(m, date) for m, date in dated if m.start >= len(text) - _TAIL]
    for sure, place in ((True, head), (True, tail[::-1]), (False, head)):
        for mention, date in place:
            if sure and not _is_announced(text, mention):
                continue
            ends = (late for m, late in dated if _STAY_END.fullmatch(text, mention.end, max(mention.end, m.start)))
            return OwnDate(next(ends, date), sure)
    return None


def _contradicts(given: PartialDate, own: PartialDate) -> bool:
    """Whether the note's own date makes the given one impossible. One that is a lifetime older is a date of birth."""
    years = given.year - own.year
    return years < -_CONTRADICTION or _CONTRADICTION < years <= _ADULT


def note_date(raw: RawDocument, text: str, mentions: Sequence[DateMention], today: dt.date | None = None) -> NoteDate:
    """The date of a note, and the doubt about it if there is one.

    The given date is kept unless it cannot be read, or lies years away from the date that the note gives
    itself (2031 for a note headed 14/06/2021). A missing date is read in the document's identifier (a file name),
    then in its text. A date after ``today`` is doubted but kept: the dates of a whole cohort may have been shifted.
    """
    found = _stated_date(raw, text, mentions)
    # A day more, for a hospital whose midnight comes before that of the clock.
    if found.problem or not (today and found.date) or found.date.earliest() <= today + dt.timedelta(days=1):
        return found
    what = f"it is dated {found.date}, after the day on which it was read."
    return found._replace(problem=Problem(raw.origin, what, "Correct it if it is wrong; it is kept.", lost=False))


def _stated_date(raw: RawDocument, text: str, mentions: Sequence[DateMention]) -> NoteDate:
    own = own_date(text, mentions)
    if not raw.date or not raw.date.strip():
        problem = None
        try:
            date = _from_name(raw.document_id)
        except ValueError:
            date, what = None, "the date in its name is not in the calendar."
            problem = Problem(raw.origin, what, _corrected(own), lost=False)
        date = date or (own and own.date)
        return NoteDate(date, inferred=date is not None, problem=problem)
    given = parse_date(raw.date)
    if given and not (own and own.sure and _contradicts(given, own.date)):
        return NoteDate(given, inferred=False)
    what = (
        f"it is dated {given}, years away from the date that it gives itself."
        if given
        else "its date is not in the calendar or not in a known form (YYYY-MM-DD, DD/MM/YYYY)."
    )
    problem = Problem(raw.origin, what, _corrected(own), lost=False)
    return NoteDate(own and own.date, own is not None, problem)


def _corrected(own: OwnDate | None) -> str:
    return f"Correct it; {own.date}, read in the text, is used." if own else "Correct it; the note is left undated."
