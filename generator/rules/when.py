"""The calendar day of a time of day: a report says "ponction 14h05" and leaves the day to its reader."""

from __future__ import annotations

import datetime as dt
import re

from generator.rules.annotate import Annotated
from generator.rules.episode import Phase, Timeline
from generator.rules.stay import written_day
from schema.document import DateKind, DateMention

_HEAD = 700
#: A day written at the head of a line dates what follows it, up to this many characters on ("03/09 ⏎ 11h05 …").
_HEADING_REACH = 1500
#: "Addendum du 10/03 : la ponction a eu lieu à 15h41": the day is that of the note, not of the event.
_DATES_A_NOTE = re.compile(
    r"(?:addendum|erratum|rectificati\w+|correcti\w+|complement|ajout|note|edition|relecture)\s*(?:du|le)?\s*:?\s*$"
)
_EVENING, _NOON = 17, 12
_CARE = ("soins", "transmission", "surveillance", "infirmi", "evolution")


def day_of_clock(timeline: Timeline, document: Annotated, mention: DateMention) -> dt.date | None:
    """The day written with the time, before it in the sentence or above it in dated notes, else the document's.

    A summary, written days later, tells the acute phase: its bare times are those of the day of admission, and its
    "la veille" counts from there.
    """
    day, explicit = _written_day(timeline, document, mention)
    if day is None or explicit:
        return day
    return _past_midnight(timeline, mention, day)


def _written_day(timeline: Timeline, document: Annotated, mention: DateMention) -> tuple[dt.date | None, bool]:
    """The day, and whether it is written beside the time (then it is not to be moved)."""
    low, _ = document.sentences[document.sentence_of(mention.start)]
    for near in (mention, *reversed(document.dates_in(low, mention.start))):
        if _DATES_A_NOTE.search(document.folded, max(low, near.start - 30), near.start):
            continue
        day = told_day(timeline, document, near)
        if day is not None and near.date is not None:
            return (day + dt.timedelta(days=1) if _next_morning(near, mention) else day), True
    retold = timeline.document_phase(document) >= Phase.DISCHARGE
    if not retold and (day := _heading_day(document, mention)):
        return day, True
    if retold and timeline.episode.admission:
        return timeline.episode.admission, False
    return (_report_day(document) or written_day(document)), False


def _next_morning(evening: DateMention, mention: DateMention) -> bool:
    """Whether a sentence has passed midnight: "couchée la veille à 22h30, levée à 2h10"."""
    if mention is evening or mention.clock is None or evening.clock is None:
        return False
    return evening.clock.hour >= _EVENING and mention.clock.hour < _NOON


def told_day(timeline: Timeline, document: Annotated, mention: DateMention) -> dt.date | None:
    """The day of one mention; relative words of a summary are counted from the admission, not from its writing."""
    day = timeline.day_of(mention)
    if day is None or mention.kind is not DateKind.RELATIVE:
        return day
    written, admission = written_day(document), timeline.episode.admission
    if timeline.document_phase(document) < Phase.DISCHARGE or written is None or admission is None:
        return day
    return admission + (day - written) if abs((day - written).days) <= 2 else day


def _heading_day(document: Annotated, mention: DateMention) -> dt.date | None:
    """The last day that opens a line above the time, in notes kept over several days."""
    if not any(kind in f"{document.document.type} {document.document.title}".lower() for kind in _CARE):
        return None
    text = document.folded
    for near in reversed(document.dates_in(max(0, mention.start - _HEADING_REACH), mention.start)):
        line = text.rfind("\n", 0, near.start) + 1
        day = near.date.to_date() if near.date and near.kind is DateKind.ABSOLUTE else None
        if day and not text[line : near.start].strip(" -•*:le"):
            return day
    return None


def _report_day(document: Annotated) -> dt.date | None:
    """The day that a report of an examination or a procedure gives at its head, nearest to the day it was filed."""
    filed = written_day(document)
    days = [m.date.to_date() for m in document.dates_in(0, _HEAD) if m.date and m.kind is DateKind.ABSOLUTE]
    near = [day for day in days if day and filed and 0 <= (filed - day).days <= 3]
    return max(near) if near else filed


def _past_midnight(timeline: Timeline, mention: DateMention, day: dt.date) -> dt.date:
    """A time of the small hours, on the day of an arrival in the evening, is of the day after."""
    episode = timeline.episode
    if mention.clock and episode.arrival and day == episode.admission:
        early = mention.clock.hour < 12 and episode.arrival.hour >= 15
        return day + dt.timedelta(days=1) if early else day
    return day
