"""The index episode of a patient, and where each position of the documents stands in relation to it.

A research table asks for values "à l'arrivée", "à 24 h", "à la sortie", "à 3 mois". Three dates settle which is which:
the admission, the discharge and the date that a sentence speaks of. They are found once per patient, before any
variable is read.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from generator.rules.annotate import Annotated
from generator.rules.cues import PREFIX
from generator.rules.text import fold
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


@dataclass(frozen=True, slots=True)
class Episode:
    """The index stay. ``admission`` and ``discharge`` are days; ``spans`` are where they are written."""

    admission: dt.date | None = None
    discharge: dt.date | None = None


_STAY = re.compile(
    r"(?:hospitalis\w*|sejour|dates?|hospitalisation|admis\w*|entree?|concerne|du)\b[^.\n]{0,60}?\bdu\b|^\s*du\b|\bdu$"
)
_ENTERED = re.compile(r"\b(?:entree?|admise?|admission|arrivee?|hospitalise?e?)\b(?:[^.\n,;]{0,25})?$")
_LEFT = re.compile(
    r"\b(?:sortie?|sort|quitte|transfere?e?|transfert|retour a(?:u)? domicile|deces|decedee?)\b[^.\n;]{0,30}$"
)

#: Words of a document's type or title that say what it is, in order of preference for each role.
ACUTE = ("urgence", "admission", "dechoc", "entree", "usinv", "alerte", "reanimation", "observation", "accueil")
_PREHOSPITAL = ("samu", "smur", "regulation", "pompier", "vsav")
_SUMMARY = ("crh", "hospitalisation", "sortie", "lettre de liaison")
_FOLLOW_UP = ("consultation", "suivi", "3 mois", "teleconsultation", "post-avc", "appel", "6 mois", "1 an")


def is_kind(document: Annotated, kinds: Sequence[str]) -> bool:
    """Whether the document's type or title contains one of these folded words."""
    name = fold(f"{document.document.type} {document.document.title}")
    return any(kind in name for kind in kinds)


def find_episode(documents: Sequence[Annotated]) -> Episode:
    """The stay that the table is about: the one its discharge summary dates, else that of the acute documents."""
    for document in documents:
        if is_kind(document, _SUMMARY):
            stay = _stay_of(document)
            if stay.admission:
                return stay
    acute = [d for d in documents if is_kind(d, ACUTE) and d.document.written_on]
    dated = acute or [d for d in documents if d.document.written_on and not is_kind(d, _FOLLOW_UP)]
    if not dated:
        return Episode()
    written = dated[0].document.written_on
    return Episode(admission=written.to_date() if written else None)


def _stay_of(document: Annotated) -> Episode:
    """Admission and discharge days as a summary writes them: "du 14/06/2021 au 25/06/2021", "Entrée le …"."""
    text = document.folded
    admission: dt.date | None = None
    discharge: dt.date | None = None
    mentions = [m for m in document.document.dates if m.kind is not DateKind.CLOCK and m.date]
    for first, second in itertools.pairwise(mentions):
        if re.fullmatch(r"\s*(?:\([^)]*\))?\s*(?:au|jusqu'au|-|a)\s*", text[first.end : second.start]):
            lead = text[max(0, first.start - 60) : first.start]
            if _STAY.search(lead) and second.date and second.date.is_complete:
                discharge = second.date.to_date()
                admission = _complete(first, discharge)
                if admission:
                    return Episode(admission, discharge)
    for mention in mentions:
        lead = text[max(0, mention.start - 40) : mention.start]
        day = mention.date.to_date() if mention.date else None
        if day is None:
            continue
        if admission is None and _ENTERED.search(lead):
            admission = day
        elif admission and discharge is None and day >= admission and _LEFT.search(lead):
            discharge = day
    return Episode(admission, discharge)


def _complete(mention: DateMention, later: dt.date | None) -> dt.date | None:
    """The mention's day; "du 22 au 29 octobre" gives the first date the month of the second."""
    if mention.date and mention.date.is_complete:
        return mention.date.to_date()
    return None


class Timeline:
    """Answers "when?" for any position of a patient's documents."""

    def __init__(self, documents: Sequence[Annotated]) -> None:
        self.documents = documents
        self.episode = find_episode(documents)
        self._phases = {document.document.document_id: self._phase_of_document(document) for document in documents}

    @property
    def earliest(self) -> dt.date:
        """The admission, or the first day there is when it is unknown."""
        return self.episode.admission or dt.date.min

    def document_phase(self, document: Annotated) -> Phase:
        """The phase in which the document was written (a discharge summary: DISCHARGE)."""
        return self._phases[document.document.document_id]

    def _phase_of_document(self, document: Annotated) -> Phase:
        written = document.document.written_on
        day = written.to_date() if written else None
        admission, discharge = self.episode.admission, self.episode.discharge
        summary = is_kind(document, _SUMMARY)
        if day and admission:
            if day < admission:
                return (
                    Phase.PREHOSPITAL
                    if (admission - day).days <= 1 and is_kind(document, _PREHOSPITAL)
                    else Phase.BEFORE
                )
            if summary and (discharge is None or day >= discharge - dt.timedelta(days=1)):
                return Phase.DISCHARGE
            if discharge and day > discharge:
                return Phase.FOLLOW_UP
            if is_kind(document, _PREHOSPITAL):
                return Phase.PREHOSPITAL
            if day == admission or (is_kind(document, ACUTE) and (day - admission).days <= 1):
                return Phase.ADMISSION
            if (day - admission).days == 1:
                return Phase.DAY1
            if discharge is None and (is_kind(document, _FOLLOW_UP) or (day - admission).days > 45):
                return Phase.FOLLOW_UP
            return Phase.STAY
        if is_kind(document, _PREHOSPITAL):
            return Phase.PREHOSPITAL
        if is_kind(document, ACUTE):
            return Phase.ADMISSION
        if summary:
            return Phase.DISCHARGE
        return Phase.FOLLOW_UP if is_kind(document, _FOLLOW_UP) else Phase.STAY

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
        written = document.document.written_on
        return written.to_date() if written else None

    def _by_place(self, document: Annotated, start: int, clock: dt.time | None) -> Moment:
        phase = self.document_phase(document)
        written = document.document.written_on
        day = written.to_date() if written else None
        if phase is Phase.DISCHARGE:
            by_section = _SECTION_PHASES.get(document.section_of(start).kind)
            if by_section is not None:
                return Moment(by_section, self._day_of_phase(by_section, document), clock)
            return Moment(Phase.STAY, None, clock)
        return Moment(phase, day, clock)


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
