"""The index episode of a patient, and where each position of the documents stands in relation to it.

A research table asks for values "à l'arrivée", "à 24 h", "à la sortie", "à 3 mois". Three dates settle which is which:
the admission, the discharge and the date that a sentence speaks of. They are found once per patient, before any
variable is read; `generator.rules.stay` says how the index stay is told from the others.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from generator.rules.annotate import Annotated
from generator.rules.cues import PREFIX
from generator.rules.stay import ACUTE, FOLLOW_UP, PREHOSPITAL, find_episode, is_kind, is_summary, written_day
from schema.document import DateKind, DateMention


class Phase(IntEnum):
    """Parts of a patient's timeline, in order of time."""

    BEFORE = 0
    PREHOSPITAL = 1
    ADMISSION = 2
    DAY1 = 3
    STAY = 4
    DISCHARGE = 5
    FOLLOW_UP = 6


@dataclass(frozen=True, slots=True)
class Moment:
    """When something that a document says took place.

    Args:
        phase: part of the timeline.
        day: the calendar day, when known.
        clock: the time of day, when written.
        explicit: the sentence itself says when (a date, "à la sortie"); otherwise the document's place decides.
    """

    phase: Phase
    day: dt.date | None = None
    clock: dt.time | None = None
    explicit: bool = False


class Timeline:
    """Answers "when?" for any position of a patient's documents."""

    def __init__(self, documents: Sequence[Annotated]) -> None:
        self.documents = documents
        self.episode = find_episode(documents)
        self._diaries: dict[str, list[tuple[int, dt.date]]] = {}
        self._phases = {document.document.document_id: self._phase_of_document(document) for document in documents}

    @property
    def earliest(self) -> dt.date:
        """The admission, or the first day there is when it is unknown."""
        return self.episode.admission or dt.date.min

    @functools.cached_property
    def outpatient(self) -> bool:
        """Whether no document tells of a stay: the visits are then the course itself, not what follows it."""
        if self.episode.discharge is not None:
            return False
        return not any(is_summary(document) or is_kind(document, ACUTE) for document in self.documents)

    def document_phase(self, document: Annotated) -> Phase:
        """The phase in which the document was written (a discharge summary: DISCHARGE)."""
        return self._phases[document.document.document_id]

    def is_discharge(self, document: Annotated) -> bool:
        """Whether a document sums up the index stay."""
        return self.document_phase(document) is Phase.DISCHARGE

    def _phase_of_document(self, document: Annotated) -> Phase:
        day = written_day(document)
        admission, discharge = self.episode.admission, self.episode.discharge
        summary = is_summary(document)
        if day and admission:
            if day < admission:
                return (
                    Phase.PREHOSPITAL
                    if (admission - day).days <= 1 and is_kind(document, PREHOSPITAL)
                    else Phase.BEFORE
                )
            if summary and (discharge is None or day >= discharge - dt.timedelta(days=1)):
                return Phase.DISCHARGE
            if discharge and day > discharge:
                return Phase.FOLLOW_UP
            if is_kind(document, PREHOSPITAL):
                return Phase.PREHOSPITAL
            if day == admission or (is_kind(document, ACUTE) and (day - admission).days <= 1):
                return Phase.ADMISSION
            if (day - admission).days == 1:
                return Phase.DAY1
            if discharge is None and (is_kind(document, FOLLOW_UP) or (day - admission).days > 45):
                return Phase.FOLLOW_UP
            return Phase.STAY
        if is_kind(document, PREHOSPITAL):
            return Phase.PREHOSPITAL
        if is_kind(document, ACUTE):
            return Phase.ADMISSION
        if summary:
            return Phase.DISCHARGE
        return Phase.FOLLOW_UP if is_kind(document, FOLLOW_UP) else Phase.STAY

    def phase_of_day(self, day: dt.date) -> Phase | None:
        """The phase of a calendar day; None while the admission is unknown."""
        admission, discharge = self.episode.admission, self.episode.discharge
        if admission is None:
            return None
        days = (day - admission).days
        if days < 0:
            return Phase.BEFORE
        if days == 0:
            return Phase.ADMISSION
        if discharge and day > discharge:
            return Phase.FOLLOW_UP
        if discharge and day == discharge:
            return Phase.DISCHARGE
        if days == 1:
            return Phase.DAY1
        return Phase.FOLLOW_UP if discharge is None and days > 45 else Phase.STAY

    def moment(self, document: Annotated, start: int, end: int, low: int, high: int) -> Moment:
        """When what stands at [start, end) took place, from the words of [low, high) around it, else from its place.

        ``low`` and ``high`` bound the clause: a caller that reads several values in one sentence
        ("NIHSS 12 à H24, 9 le 25/06") passes the bounds of each.
        """
        clock = next((d.clock for d in document.dates_in(low, high) if d.clock), None)
        cue = self._nearest_cue(document, start, end, low, high)
        day = self._nearest_day(document, start, end, low, high)
        if day and (cue is None or day[1] <= cue[1]):
            phase = self.phase_of_day(day[0])
            if phase is not None:
                return Moment(phase, day[0], clock, explicit=True)
        if cue is not None:
            return Moment(cue[0], self._day_of_phase(cue[0], document), clock, explicit=True)
        return self._by_place(document, start, clock)

    def _nearest_cue(self, document: Annotated, start: int, end: int, low: int, high: int) -> tuple[Phase, int] | None:
        best: tuple[Phase, int] | None = None
        for name, phase in _CUE_PHASES.items():
            for hit in document.within(PREFIX + name, low, high):
                distance = _distance(hit.start, hit.end, start, end)
                if best is None or distance < best[1]:
                    best = (phase, distance)
        return best

    def _nearest_day(
        self, document: Annotated, start: int, end: int, low: int, high: int
    ) -> tuple[dt.date, int] | None:
        best: tuple[dt.date, int] | None = None
        for mention in document.dates_in(low, high):
            day = self.day_of(mention)
            if day is None:
                continue
            if mention.kind is DateKind.RELATIVE:
                if _SINCE.search(document.folded, max(low, mention.start - 8), mention.end):
                    continue  # "dyspnée NYHA IV depuis 4 jours": it lasts
                day = self._counted_from_entry(document, mention, day)
            distance = _distance(mention.start, mention.end, start, end)
            if best is None or distance < best[1]:
                best = (day, distance)
        return best

    def day_of(self, mention: DateMention) -> dt.date | None:
        """The calendar day of a mention: written, or counted from the admission ("J3")."""
        if mention.kind is DateKind.DAY_OFFSET and mention.offset_days is not None:
            if self.episode.admission is None:
                return None
            return self.episode.admission + dt.timedelta(days=round(mention.offset_days))
        if mention.kind is DateKind.CLOCK or mention.date is None:
            return None
        if mention.date.is_complete:
            return mention.date.to_date()
        latest = mention.date.latest()
        return latest if self.episode.admission and latest < self.episode.admission else None

    def _day_of_phase(self, phase: Phase, document: Annotated) -> dt.date | None:
        if phase is Phase.ADMISSION:
            return self.episode.admission
        if phase is Phase.DAY1 and self.episode.admission:
            return self.episode.admission + dt.timedelta(days=1)
        if phase is Phase.DISCHARGE:
            return self.episode.discharge
        return written_day(document)

    def _by_place(self, document: Annotated, start: int, clock: dt.time | None) -> Moment:
        phase = self.document_phase(document)
        day = written_day(document)
        headed = self._headed_day(document, start)
        if headed and phase is not Phase.DISCHARGE:
            of_day = self.phase_of_day(headed) or phase
            # What a diary notes on the first day comes after the arrival.
            return Moment(Phase.STAY if of_day is Phase.ADMISSION else of_day, headed, clock)
        if phase is Phase.DISCHARGE:
            by_section = _SECTION_PHASES.get(document.section_of(start).kind)
            if by_section is not None:
                return Moment(by_section, self._day_of_phase(by_section, document), clock)
            return Moment(Phase.STAY, None, clock)
        return Moment(phase, day, clock)

    def _counted_from_entry(self, document: Annotated, mention: DateMention, day: dt.date) -> dt.date:
        """ "ce matin" in a diary is the morning of the entry, not that of the day when the diary was closed."""
        headed, written = self._headed_day(document, mention.start), written_day(document)
        return headed + (day - written) if headed and written else day

    def _headed_day(self, document: Annotated, position: int) -> dt.date | None:
        """The day at the head of a diary's entry ("Mardi 28/11 9h30 ⏎ Visite : …"), when the document has several."""
        name = document.document.document_id
        if name not in self._diaries:
            days = [
                (m.start, day) for m in document.document.dates if _opens_line(document, m) and (day := self.day_of(m))
            ]
            self._diaries[name] = days if len({day for _, day in days}) > 1 else []
        return next((day for start, day in reversed(self._diaries[name]) if start <= position), None)


def _opens_line(document: Annotated, mention: DateMention) -> bool:
    """Whether nothing but marks and a weekday stands before a date on its line."""
    line = document.folded.rfind("\n", 0, mention.start) + 1
    return mention.start - line <= 12 and not _WEEKDAY.sub("", document.folded[line : mention.start]).strip(" -•*[(:")


_SINCE = re.compile(r"\bdepuis\b")
_WEEKDAY = re.compile(r"\b(?:lun|mar|mer|jeu|ven|sam|dim)[a-z]*\.?|\ble\b")

#: Order matters at equal distance: the first listed wins.
_CUE_PHASES = {
    "time.day1": Phase.DAY1,
    "time.discharge": Phase.DISCHARGE,
    "time.followup": Phase.FOLLOW_UP,
    "time.prehospital": Phase.PREHOSPITAL,
    "time.before": Phase.BEFORE,
    "time.admission": Phase.ADMISSION,
}

_SECTION_PHASES = {
    "antecedents": Phase.BEFORE,
    "facteurs_risque": Phase.BEFORE,
    "antecedents_familiaux": Phase.BEFORE,
    "mode_de_vie": Phase.BEFORE,
    "traitement_entree": Phase.BEFORE,
    "histoire": Phase.ADMISSION,
    "motif": Phase.ADMISSION,
    "examen": Phase.ADMISSION,
    "traitement_sortie": Phase.DISCHARGE,
    "devenir": Phase.DISCHARGE,
}


def _distance(start: int, end: int, low: int, high: int) -> int:
    """Characters between [start, end) and [low, high); what follows a value is a little nearer than what precedes."""
    if start >= high:
        return start - high
    return (low - end) + 3 if end <= low else 0
