"""When the symptoms began, and how that is known: a time told by a witness, a waking, the last time seen well.

Each time of day that a document gives for the start is taken for what its words make of it: the time that the team
retained, the start, the last time seen well, or the moment of discovery (never a start). The hospital's words outweigh
those of the first call. When the start is a waking or unknown, the last time seen well stands for it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from generator.rules.annotate import Annotated
from generator.rules.chronology import is_duration, span_of, without_dots
from generator.rules.cite import clause
from generator.rules.context import context_at
from generator.rules.episode import Moment, Phase
from generator.rules.phrases import anywhere, closing, opening
from generator.rules.plan import Plan
from generator.rules.policies import vote
from generator.rules.reading import SILENT, Answer, Cite, PatientView, Reading
from generator.rules.stay import PREHOSPITAL, is_kind
from generator.rules.when import day_of_clock
from schema.document import DateMention
from schema.value import Status

_BEFORE, _AFTER = 100, 110


class _Kind(Enum):
    RETAINED = "retained"
    START = "start"
    WELL = "well"


@dataclass(frozen=True, slots=True)
class _Told:
    """One time given for the start, or for the last time seen well."""

    kind: _Kind
    when: dt.datetime
    weight: float
    cite: Cite


@dataclass(frozen=True, slots=True)
class _Onset:
    """All that the documents say of the start: times, signs of a waking stroke and of an unknown time."""

    told: tuple[_Told, ...]
    waking: tuple[tuple[float, Cite], ...]
    unknown: tuple[tuple[float, Cite], ...]

    @property
    def starts(self) -> list[_Told]:
        return [told for told in self.told if told.kind is _Kind.START]

    @property
    def mode(self) -> str:
        """ "known", "waking", "unknown", or "" when nothing is told."""
        waking, unknown = sum(w for w, _ in self.waking), sum(w for w, _ in self.unknown)
        known = sum(told.weight for told in self.starts)
        well = any(told.kind is not _Kind.START for told in self.told)
        if not (waking or unknown or known):
            return "unknown" if well else ""
        if known >= max(waking, unknown):
            return "known"
        return "waking" if waking else "unknown"


_RETAINED_BEFORE = closing("onset.retained", 45, digits=False)
_RETAINED_AFTER = opening("onset.retained_after", 20, digits=False)
_ABOUT_ONSET = anywhere("onset.subject")
_WELL_BEFORE = closing("onset.well", 55)
_WELL_AFTER = opening("onset.well_after", 30, digits=False)
_LAST_ACT = closing("onset.last_act", 40)
_FINE = re.compile(r"\b(?:normale?|bien|en forme|sans (?:deficit|trouble)|asymptomatique|ras)\b")
_START_BEFORE = closing("onset.start", 60, digits=False)
_SYMPTOM_BEFORE = closing("onset.symptom", 40, digits=False)
_SYMPTOM_AFTER = opening("onset.symptom", 70)
_FOUND_BEFORE = closing("onset.found", 32)
_FOUND_AFTER = opening("onset.found_after", 4)
_WAKING = anywhere("onset.waking")
_NOT_WAKING = closing("onset.not_waking", 40)
_OTHER_WAKING = anywhere("onset.other_waking")
_UNKNOWN = anywhere("onset.unknown")
_UNTICKED_BOX = re.compile(r"\[\s?\]|☐|□|\(\s\)")
_UNTICKED = re.compile(rf"(?:{_UNTICKED_BOX.pattern})\s*[\w' -]{{1,20}}?(?=\s{{2,}}|\s*[☐☒☑□\[(:,;/]|$)")
_BOX = re.compile(r"\[\s?x?\s?\]|[☐☒☑□■]|\(\s?x?\s?\)")
_ALONE = anywhere("onset.alone")


def read_onset(view: PatientView, plan: Plan) -> Answer:
    """Date and time of the start, else of the last time seen well."""
    onset = view.once("onset", _onset)
    retained = [told for told in onset.told if told.kind is _Kind.RETAINED]
    if onset.mode == "known":
        pool = [*onset.starts, *retained]
    else:
        pool = [told for told in onset.told if told.kind is not _Kind.START]
    if not pool:
        return SILENT
    readings = [
        Reading(t.when, (t.cite,), Moment(Phase.ADMISSION, t.when.date(), t.when.time()), t.weight) for t in pool
    ]
    return vote(readings)


def read_onset_mode(view: PatientView, plan: Plan) -> Answer:
    """The choice that says how the start is known; codes by the study file's ``settings`` (known, waking, unknown)."""
    onset = view.once("onset", _onset)
    code = plan.hints.settings.get(onset.mode) if onset.mode else None
    if code is None:
        return SILENT
    if onset.mode == "known":
        backing = [(t.weight, t.cite) for t in onset.starts]
    elif onset.mode == "waking":
        backing = list(onset.waking)
    else:
        backing = [*onset.unknown, *((t.weight / 4, t.cite) for t in onset.told if t.kind is not _Kind.START)]
    cites = [cite for _, cite in sorted(backing, key=lambda item: -item[0])]
    return Answer(Status.FOUND, str(code), tuple(dict.fromkeys(cites))[:3], 0.9)


def _onset(view: PatientView) -> _Onset:
    told: list[_Told] = []
    waking: list[tuple[float, Cite]] = []
    unknown: list[tuple[float, Cite]] = []
    for document in view.documents:
        trust = _trust(view, document)
        if not trust:
            continue
        told += _times(view, document, trust)
        waking += [(trust, cite) for cite in _signs(document, _WAKING) if _is_waking(document, cite)]
        unknown += [(trust, cite) for cite in _signs(document, _UNKNOWN)]
        unknown += [(trust / 2, cite) for cite in _signs(document, _ALONE)]
    return _Onset(tuple(told), tuple(waking), tuple(unknown))


def _trust(view: PatientView, document: Annotated) -> float:
    """How much a document is believed on the start: the admitting team most, the first call least."""
    phase = view.timeline.document_phase(document)
    if phase is Phase.BEFORE:
        return 0.0
    if is_kind(document, PREHOSPITAL):
        return 0.6
    if phase is Phase.ADMISSION:
        return 0.8 if is_kind(document, ("imagerie", "irm", "scanner", "thrombectomie", "biologie")) else 2.0
    return {Phase.DISCHARGE: 1.6, Phase.FOLLOW_UP: 0.4}.get(phase, 0.5)


def _signs(document: Annotated, pattern: re.Pattern[str]) -> Iterator[Cite]:
    for match in pattern.finditer(document.folded):
        start, end = match.span()
        boxes = _BOX.findall(match[0])
        unticked = bool(boxes) and _UNTICKED_BOX.match(boxes[-1])
        if not unticked and not context_at(document, start, end, document.sentence_of(start)).negated:
            yield clause(document, start, end)


def _is_waking(document: Annotated, cite: Cite) -> bool:
    low, _ = document.sentences[document.sentence_of(cite.start)]
    text = document.folded
    at = text.find("reveil", cite.start, cite.end)
    at = cite.start if at < 0 else at
    around = text[max(low, at - 45) : min(len(text), at + 30)]
    kind = document.section_of(cite.start).kind
    return not (_NOT_WAKING.search(text[low:at][-45:]) or _OTHER_WAKING.search(around) or kind == "evolution")


def _times(view: PatientView, document: Annotated, trust: float) -> Iterator[_Told]:
    for mention in document.document.dates:
        if mention.clock is None or is_duration(document, mention):
            continue
        lead, trail = _around(document, mention)
        sort = _sort(document, lead, trail, mention)
        if sort is None:
            continue
        kind, weight = sort
        day = day_of_clock(view.timeline, document, mention)
        if day is None:
            continue
        when = _before_arrival(view, document, mention, dt.datetime.combine(day, mention.clock))
        yield _Told(kind, when, trust * weight, clause(document, mention.start - len(lead) // 3, mention.end))


def _around(document: Annotated, mention: DateMention) -> tuple[str, str]:
    """The words of the sentence before and after a time, as far as the next time on each side."""
    low, high = span_of(document, mention)
    low, high = max(low, mention.start - _BEFORE), min(high, mention.end + _AFTER)
    low = max([low, *(other.end for other in document.dates_in(low, mention.start) if other.clock)])
    high = min([high, *(other.start for other in document.dates_in(mention.end, high) if other.clock)])
    lead, trail = document.folded[low : mention.start], document.folded[mention.end : high]
    return _readable(lead), _readable(trail)


def _readable(text: str) -> str:
    """The text without the answers of a form that are not ticked, nor its dots."""
    return without_dots(_UNTICKED.sub(" ", text))


def _sort(document: Annotated, lead: str, trail: str, mention: DateMention) -> tuple[_Kind, float] | None:
    """What the words around a time make of it, and how plainly; None when it is not about the start."""
    retained = _RETAINED_BEFORE.search(lead) or _RETAINED_AFTER.match(trail)
    told_before = document.folded[max(0, mention.start - 2 * _BEFORE) : mention.start]
    if retained and _ABOUT_ONSET.search(told_before + trail):
        return _Kind.RETAINED, 8.0
    if _WELL_BEFORE.search(lead) or _WELL_AFTER.match(trail):
        return _Kind.WELL, 2.0
    found = _FOUND_BEFORE.search(lead)
    start = _START_BEFORE.search(lead)
    if start and not (found and found.start() > start.start()):
        return _Kind.START, 2.0
    if _LAST_ACT.search(lead):
        return _Kind.WELL, 1.5 if _FINE.search(trail) else 0.5
    if found or _FOUND_AFTER.match(trail):
        return None
    if _SYMPTOM_BEFORE.search(lead):
        return _Kind.START, 1.0
    told = document.section_of(mention.start).kind in ("histoire", "motif", "indication", "")
    return (_Kind.START, 1.0) if told and _SYMPTOM_AFTER.match(trail) else None


def _before_arrival(view: PatientView, document: Annotated, mention: DateMention, when: dt.datetime) -> dt.datetime:
    """The day before, for a bare time later than the arrival: symptoms of "23h15" told by a patient arrived at 7h48."""
    episode = view.timeline.episode
    if mention.date is not None or episode.admission is None or episode.arrival is None:
        return when
    arrival = dt.datetime.combine(episode.admission, episode.arrival)
    late = when.date() == episode.admission and when.hour >= 17 and arrival.hour < 17 and when > arrival
    return when - dt.timedelta(days=1) if late else when
