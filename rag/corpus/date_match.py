"""What a match of the date pattern is read with, and what it is found to mean."""

from __future__ import annotations

import datetime as dt
import re
from typing import NamedTuple

from schema.document import DateKind, DateMention, PartialDate

LOOK_BACK = 48  # characters read before a match to tell what it is
_DATE_TO_CLOCK = re.compile(r"[ ,]*(?:(?:à|a|vers|dès|[-–—|(/:]|t) ?){0,2}(?:environ )?")


class Found(NamedTuple):
    """What one match means."""

    kind: DateKind
    date: PartialDate | None = None
    clock: dt.time | None = None
    offset_days: float | None = None


class Context(NamedTuple):
    """The text around the match at hand, lower-cased and as written, and the note's date."""

    text: str
    low: str
    written_on: PartialDate | None
    mentions: list[DateMention]

    def before(self, match: re.Match[str]) -> str:
        """The text just before a match."""
        return self.low[max(0, match.start() - LOOK_BACK) : match.start()]


def joins(last: DateMention, start: int, low: str) -> bool:
    """Whether a time of day that begins at ``start`` belongs to the date mentioned just before it."""
    return (
        last.clock is None
        and last.kind in (DateKind.ABSOLUTE, DateKind.RELATIVE)
        and start - last.end <= 16
        and _DATE_TO_CLOCK.fullmatch(low, last.end, start) is not None
    )
