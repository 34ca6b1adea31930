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

from generator.rules.annotate import Annotated
from generator.rules.cite import clause
from generator.rules.context import context_at
from generator.rules.episode import Moment, Phase
from generator.rules.phrases import alternatives, anywhere, closing
from generator.rules.plan import Plan
from generator.rules.policies import vote
from generator.rules.readers.onset_times import PLAIN, SURE, UNTICKED_BOX, Kind, Told, times_taken_back, times_told
from generator.rules.reading import SILENT, Answer, Cite, PatientView, Reading
from generator.rules.stay import PREHOSPITAL, is_kind
from schema.value import Status

#: What each later document adds to the trust in what it says of the start.
_LATER = 0.08


@dataclass(frozen=True, slots=True)
class _Onset:
    """All that the documents say of the start: times, signs of a waking stroke and of an unknown time."""

    told: tuple[Told, ...]
    waking: tuple[tuple[float, Cite], ...]
    unknown: tuple[tuple[float, Cite], ...]

    @property
    def starts(self) -> list[Told]:
        return [told for told in self.told if told.kind is Kind.START]

    @property
    def seen_well(self) -> list[Told]:
        """The last times seen well: those that the team retained, else the latest plain one, else any."""
        told = [t for t in self.told if t.kind is Kind.WELL]
        retained = [t for t in told if t.retained]
        if retained:
            return retained
        sure = [t for t in told if t.plain >= SURE and t.weight >= SURE] or [t for t in told if t.plain >= SURE]
        latest = max((t.when for t in sure), default=None)
        return [t for t in sure if t.when == latest] or told

    @property
    def mode(self) -> str:
        """ "known", "waking", "unknown", or "" when nothing is told."""
        waking, unknown = sum(w for w, _ in self.waking), sum(w for w, _ in self.unknown)
        # A symptom at some time is also what a waking patient notices, or who finds the patient.
        known = sum(told.weight * (1.0 if told.plain >= PLAIN else 0.5) for told in self.starts)
        if not (waking or unknown or known):
            return "unknown" if self.told else ""
        if known >= max(waking, unknown):
            return "known"
        return "waking" if waking else "unknown"


_WAKING = anywhere("onset.waking")
#: "Réveillée à 6h50 par des fourmillements", "en sortant du lit, il tombe".
_WAKES_WITH = re.compile(
    r"\b(?:reveil\w*|lever|saut du lit|sort\w*\s(?:d[ue]|hors du)\s(?:son\s)?lit)\b(?P<gap>[^.;\n]{0,60}?)"
    rf"(?:{alternatives('onset.deficit')}|{alternatives('onset.symptom')})"
)
_FINE = anywhere("onset.fine")
_NOT_WAKING = closing("onset.not_waking", 40)
_OTHER_WAKING = anywhere("onset.other_waking")
_UNKNOWN = anywhere("onset.unknown")
_BOX = re.compile(r"\[\s?x?\s?\]|[☐☒☑□■]|\(\s?x?\s?\)")
_ALONE = anywhere("onset.alone")


def read_onset(view: PatientView, plan: Plan) -> Answer:
    """Date and time of the start, else of the last time seen well."""
    onset = view.once("onset", _onset)
    pool = onset.starts if onset.mode == "known" else onset.seen_well
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
        backing = [*onset.unknown, *((t.weight / 4, t.cite) for t in onset.told if t.kind is Kind.WELL)]
    cites = [cite for _, cite in sorted(backing, key=lambda item: -item[0])]
    return Answer(Status.FOUND, str(code), tuple(dict.fromkeys(cites))[:3], 0.9)


def _onset(view: PatientView) -> _Onset:
    told: list[Told] = []
    waking: list[tuple[float, Cite]] = []
    unknown: list[tuple[float, Cite]] = []
    taken_back: set[dt.time] = set()
    for rank, document in enumerate(view.documents):
        trust = _trust(view, document)
        if not trust:
            continue
        taken_back.update(times_taken_back(document))
        # Of two notes that disagree, the later one knows more.
        told += times_told(view, document, trust * (1 + _LATER * rank))
        waking += [(trust, cite) for cite in _signs(document, _WAKING) if _is_waking(document, cite)]
        waking += [(trust, cite) for cite in _wakings_with(document) if _is_waking(document, cite)]
        unknown += [(trust, cite) for cite in _signs(document, _UNKNOWN)]
        unknown += [(trust / 2, cite) for cite in _signs(document, _ALONE)]
    told = [t for t in told if t.retained or t.kind is Kind.WELL or t.when.time() not in taken_back]
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
    for match in document.finditer(pattern):
        start, end = match.span()
        boxes = _BOX.findall(match[0])
        unticked = bool(boxes) and UNTICKED_BOX.match(boxes[-1])
        if not unticked and not context_at(document, start, end, document.sentence_of(start)).negated:
            yield clause(document, start, end)


def _wakings_with(document: Annotated) -> Iterator[Cite]:
    """Where a waking is told with a symptom right after, and neither well-being nor a later time in between."""
    for match in document.finditer(_WAKES_WITH):
        start, end = match.span()
        between = document.dates_in(match.start("gap"), match.end("gap"))
        if len([m for m in between if m.clock]) > 1 or _FINE.search(match["gap"]):
            continue
        yield clause(document, start, end)


def _is_waking(document: Annotated, cite: Cite) -> bool:
    low, _ = document.sentences[document.sentence_of(cite.start)]
    text = document.folded
    at = text.find("reveil", cite.start, cite.end)
    at = cite.start if at < 0 else at
    around = text[max(low, at - 45) : min(len(text), at + 30)]
    kind = document.section_of(cite.start).kind
    return not (_NOT_WAKING.search(text[low:at][-45:]) or _OTHER_WAKING.search(around) or kind == "evolution")
