"""The date on which a note was written: the given one when it can be believed, else the one that the text states."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from rag.corpus.dates import find_dates
from schema.document import DateKind, DateMention, PartialDate, RawDocument
from schema.problem import Problem

_HEAD, _TAIL = 900, 250  # characters at the start and the end of a note where it states its own date
_LIFETIME_GAP = 3  # years: a date of the head this much older than the text's latest is a date of birth
_CONTRADICTION = 5  # years between the given date and the note's own that no delay explains
_BIRTH = re.compile(r"(?<!\w)(?:n[ée]e?s?|ddn|naissance|n[ée]\(e\))(?!\w)[^\n]{0,30}\Z", re.IGNORECASE)
_OWN_CUE = re.compile(
    r"(?:(?<!\w)(?:le|du|au|date|examen|consultation|pr[ée]l[èe]vement|[ée]dition|r[ée]dig[ée]|valid[ée]|dict[ée]|vu|fait"
    r"|sortie|s[ée]jour|hospitalis\w+)[^\n\d]{0,24}|^|\n|, ?|[–—-] ?)\Z",
    re.IGNORECASE,
)
_STAY_END = re.compile(r" ?(?:au|[-–—à]|\))? ?(?:le )?\Z")
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
    """The date in a file name ("CRH_20210614", "14-06-2021 scanner")."""
    iso = _COMPACT.search(name)
    french = None if iso else _COMPACT_FRENCH.search(name)
    year, month, day = iso.groups() if iso else reversed(french.groups()) if french else (None, None, None)
    try:
        return PartialDate(int(year), int(month), int(day)) if year and month and day else None
    except ValueError:
        return None


def own_date(text: str, mentions: Sequence[DateMention]) -> PartialDate | None:
    """The complete date that a note gives itself, in its first lines or beside its signature.

    Dates of birth are passed over: those that follow "né le", and those years older than the text's latest date.
    Of a stay ("du … au …") the end is taken, for that is when its report is written.
    """
    complete = [m for m in mentions if m.kind is DateKind.ABSOLUTE and m.date is not None and m.date.is_complete]
    complete = [m for m in complete if not _BIRTH.search(text[max(0, m.start - 40) : m.start])]
    if not complete:
        return None
    latest = max(m.date.year for m in complete if m.date)
    recent = [m for m in complete if m.date and m.date.year >= latest - _LIFETIME_GAP]
    head = [m for m in recent if m.start < _HEAD and _OWN_CUE.search(text[max(0, m.start - 40) : m.start])]
    if head:
        first = head[0]
        for following in recent:
            if following.start > first.end and _STAY_END.fullmatch(text[first.end : following.start]):
                return following.date
        return first.date
    tail = [m for m in recent if m.start >= len(text) - _TAIL and _OWN_CUE.search(text[max(0, m.start - 40) : m.start])]
    return tail[-1].date if tail else None


def note_date(raw: RawDocument, text: str, mentions: Sequence[DateMention]) -> NoteDate:
    """The date of a note, and the doubt about it if there is one.

    The given date is kept unless it cannot be read, or lies more than five years away from the date that the note
    gives itself (2031 for a note headed 14/06/2021): no clock is asked, the text alone judges. A missing date is
    read in the document's identifier (a file name), then in its text.
    """
    own = own_date(text, mentions)
    if not raw.date or not raw.date.strip():
        date = _from_name(raw.document_id) or own
        return NoteDate(date, inferred=date is not None)
    given = parse_date(raw.date)
    remedy = "Correct the date of this document." if own is None else f"Correct it; {own}, read in the text, is used."
    if given is None:
        what = "its date is not in the calendar or not in a known form (YYYY-MM-DD, DD/MM/YYYY)."
        return NoteDate(own, own is not None, Problem(raw.origin, what, remedy, lost=False))
    if own is not None and abs(given.year - own.year) > _CONTRADICTION:
        what = f"it is dated {given}, years away from the date that it gives itself."
        return NoteDate(own, True, Problem(raw.origin, what, remedy, lost=False))
    return NoteDate(given, inferred=False)
