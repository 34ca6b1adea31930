"""Documents of one patient, their parts, and the positions that point into them.

Positions are code points, start included and end excluded, as in ``text[start:end]``. A `Document` holds two
texts: ``source_text`` is the text as given by the user, ``text`` is the same text made readable (page headers
removed, hyphenation and broken lines mended). Everything reads ``text``; what is shown to the user is taken
back to ``source_text`` with `Document.locate`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True, order=True)
class PartialDate:
    """A calendar date whose month or day may be unknown: ``2019-??-??`` stays incomplete.

    Raises:
        ValueError: a day without a month, or a date that is not in the calendar (30 February).
    """

    year: int
    month: int | None = None
    day: int | None = None

    def __post_init__(self) -> None:
        if self.month is None and self.day is not None:
            raise ValueError(f"a day ({self.day}) needs a month; give both or the year alone")
        dt.date(self.year, self.month or 1, self.day or 1)

    @classmethod
    def of(cls, date: dt.date) -> PartialDate:
        """The partial date of a whole day."""
        return cls(date.year, date.month, date.day)

    @classmethod
    def parse(cls, text: str) -> PartialDate:
        """Read ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD`` (``??`` for unknown parts)."""
        parts = [None if "?" in part else int(part) for part in text.strip()[:10].split("-")]
        if not 1 <= len(parts) <= 3 or parts[0] is None:
            raise ValueError(f"{text!r} is not a date; write YYYY-MM-DD, YYYY-MM or YYYY")
        return cls(parts[0], *parts[1:])

    @property
    def is_complete(self) -> bool:
        """Whether year, month and day are all known."""
        return self.day is not None

    def earliest(self) -> dt.date:
        """The first day that this date may stand for."""
        return dt.date(self.year, self.month or 1, self.day or 1)

    def latest(self) -> dt.date:
        """The last day that this date may stand for."""
        if self.day is not None:
            return self.earliest()
        year, month = (self.year + 1, 1) if self.month in (None, 12) else (self.year, (self.month or 0) + 1)
        return dt.date(year, month, 1) - dt.timedelta(days=1)

    def to_date(self) -> dt.date | None:
        """The day itself, or None while month or day is unknown."""
        return self.earliest() if self.is_complete else None

    def __str__(self) -> str:
        month = "??" if self.month is None else f"{self.month:02d}"
        day = "??" if self.day is None else f"{self.day:02d}"
        return f"{self.year:04d}-{month}-{day}"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of one document's text: code points, end excluded."""

    document_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of ``Document.text``: the title lies at [start, body_start), the body at [body_start, end).

    ``kind`` is a canonical name ("antecedents", "traitement_entree", "conclusion"…; "" when the title is not known).
    """

    title: str
    kind: str
    start: int
    body_start: int
    end: int


class DateKind(StrEnum):
    """How a date is written in a text."""

    ABSOLUTE = "absolute"  # "14/06/2021", "le 9 février 2021", "en mai 2016"
    RELATIVE = "relative"  # "hier", "il y a 3 jours", "ce jour": resolved against the note's date
    DAY_OFFSET = "day_offset"  # "J3", "H24": days since an anchor that the sentence does not name
    CLOCK = "clock"  # "14h05" with no date beside it


@dataclass(frozen=True, slots=True)
class DateMention:
    """A date, time of day or both, read in ``Document.text[start:end]``.

    ``date`` may be partial; ``clock`` is the time of day that belongs to it; ``offset_days`` is set for
    DAY_OFFSET only (J3 → 3.0, H24 → 1.0).
    """

    start: int
    end: int
    kind: DateKind
    date: PartialDate | None = None
    clock: dt.time | None = None
    offset_days: float | None = None


@dataclass(frozen=True, slots=True)
class RawDocument:
    """A document as it was found, before any reading. It may name the patient: only `rag.corpus` handles it.

    ``origin`` says where it came from ("notes.csv, row 12") for messages; never any text of the document.
    """

    patient_id: str
    document_id: str
    text: str
    date: str | None = None
    type: str | None = None
    title: str | None = None
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One document of one patient, ready to be read.

    Args:
        type: the user's own word for the kind of document ("crh", "imagerie", …), or the inferred one.
        written_on: the note's date; None when neither given nor found in the text.
        inferred: names of the fields that were not given but inferred ("date", "type").
        sections, sentences, dates: positions in ``text``, in order; sentences are [start, end) pairs.
        origins: ``origins[i]`` is the offset in ``source_text`` of ``text[i]``; None when the texts are equal.
    """

    patient_id: str
    document_id: str
    type: str
    title: str
    written_on: PartialDate | None
    text: str
    source_text: str
    sections: tuple[Section, ...] = ()
    sentences: tuple[tuple[int, int], ...] = ()
    dates: tuple[DateMention, ...] = ()
    inferred: tuple[str, ...] = ()
    origins: Sequence[int] | None = field(default=None, repr=False)

    def locate(self, start: int, end: int) -> Span:
        """Where ``text[start:end]`` stands in ``source_text``.

        Raises:
            ValueError: the positions are outside the text or select nothing.
        """
        if not 0 <= start < end <= len(self.text):
            raise ValueError(f"[{start}, {end}) selects nothing in a text of {len(self.text)} characters")
        if self.origins is None:
            return Span(self.document_id, start, end)
        return Span(self.document_id, self.origins[start], self.origins[end - 1] + 1)


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """All documents of one patient, oldest first (undated last; ties by document_id)."""

    patient_id: str
    documents: tuple[Document, ...]

    @classmethod
    def of(cls, patient_id: str, documents: Sequence[Document]) -> PatientRecord:
        """The record of one patient, its documents put in order of time."""

        def order(document: Document) -> tuple[dt.date, str]:
            written = document.written_on
            return (written.earliest() if written else dt.date.max, document.document_id)

        return cls(patient_id, tuple(sorted(documents, key=order)))
