"""Chooses among the readings of one variable, spread over documents and time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from generator.rules.episode import Phase
from generator.rules.plan import Plan
from generator.rules.reading import SILENT, Answer, PatientView, Reading
from generator.rules.stay import ACUTE, is_kind
from schema.study import Policy
from schema.value import Status, Value

#: Two values whose support differs by less than this share are not told apart: the cell says "conflicting".
_CONFLICT_SHARE = 0.9
#: A visit counts for a follow-up at n days when it falls within these shares of n (3 months: 2 to 4.5 months).
_FOLLOW_UP_WINDOW = (0.65, 1.5)


def eligible(readings: Sequence[Reading], plan: Plan, view: PatientView) -> list[Reading]:
    """The readings that stand at the moment the plan asks for, re-weighted by how well they do."""
    kept = []
    for reading in readings:
        fit = _FITS[plan.policy](reading, plan, view)
        if fit > 0:
            kept.append(Reading(reading.value, reading.cites, reading.moment, reading.weight * fit))
    return kept


def fits(reading: Reading, plan: Plan, view: PatientView) -> bool:
    """Whether a reading stands at the moment the plan asks for."""
    return _FITS[plan.policy](reading, plan, view) > 0


def choose(readings: Sequence[Reading], plan: Plan, view: PatientView) -> Answer:
    """The value that answers, or a conflict, or silence.

    Under AT_* policies the readings of one value add up and the best supported value wins. FIRST, LAST, HIGHEST and
    LOWEST pick by time or by size among all readings of the stay.
    """
    if not readings:
        return SILENT
    if plan.policy in (Policy.HIGHEST, Policy.LOWEST):
        sign = 1 if plan.policy is Policy.HIGHEST else -1
        numeric = [r for r in readings if isinstance(r.value, int | float)]
        if numeric:
            return settle([max(numeric, key=lambda r: sign * float(r.value))])  # type: ignore[arg-type]
    if plan.policy in (Policy.FIRST, Policy.LAST) or (plan.policy is Policy.AT_ADMISSION and view.timeline.outpatient):
        ordered = sorted(readings, key=_when)
        return settle([ordered[-1] if plan.policy is Policy.LAST else ordered[0]])
    return vote(readings)


def vote(readings: Sequence[Reading]) -> Answer:
    """The best supported value; CONFLICTING when a rival is as well supported."""
    support: dict[Value, float] = {}
    for reading in readings:
        support[reading.value] = support.get(reading.value, 0.0) + reading.weight
    ranked = sorted(support, key=lambda value: -support[value])
    best = ranked[0]
    rivals = [value for value in ranked[1:] if support[value] >= _CONFLICT_SHARE * support[best]]
    if rivals:
        tied = [r for r in readings if r.value in (best, *rivals)]
        cites = tuple(cite for reading in tied for cite in reading.cites)
        return Answer(Status.CONFLICTING, None, cites, 0.3, (best, *rivals), "sources discordantes")
    chosen = sorted((r for r in readings if r.value == best), key=lambda r: -r.weight)
    share = support[best] / sum(support.values())
    return settle(chosen, confidence=min(0.99, 0.55 + 0.4 * share))


def settle(readings: Sequence[Reading], confidence: float = 0.8, status: Status = Status.FOUND) -> Answer:
    """The first reading's value, backed by the cites of all."""
    cites = tuple(cite for reading in readings for cite in reading.cites)
    return Answer(status, readings[0].value, cites, confidence)


def _when(reading: Reading) -> tuple[int, dt.date, dt.time]:
    moment = reading.moment
    return (int(moment.phase), moment.day or dt.date.max, moment.clock or dt.time.max)


def _contemporary(reading: Reading, view: PatientView, phase: Phase) -> float:
    """More for a document written in the phase itself than for one that reports it later."""
    own = view.timeline.document_phase(reading.document)
    if own is phase and phase is Phase.ADMISSION and not is_kind(reading.document, ACUTE):
        return 2.5  # an imaging request or a transfer letter repeats what the receiving team wrote
    return 3.0 if own is phase else 2.0 if own is Phase.DISCHARGE else 1.0


def _at_admission(reading: Reading, plan: Plan, view: PatientView) -> float:
    if view.timeline.outpatient:
        return 1.0  # without a stay, "au diagnostic" and "à l'inclusion" ask for the first value there is
    if reading.moment.phase is not Phase.ADMISSION:
        return 0.0
    return _contemporary(reading, view, Phase.ADMISSION) * (1.2 if reading.moment.explicit else 1.0)


def _at_day(reading: Reading, plan: Plan, view: PatientView) -> float:
    offset = plan.offset or 0.0
    admission, moment = view.timeline.episode.admission, reading.moment
    if offset == 1 and moment.phase is Phase.DAY1:
        return 2.0 if moment.explicit else 1.0
    if admission and moment.day and moment.day == admission + dt.timedelta(days=round(offset)):
        return 2.0 if moment.explicit else 1.0
    return 0.0


def _at_discharge(reading: Reading, plan: Plan, view: PatientView) -> float:
    if reading.moment.phase is not Phase.DISCHARGE:
        return 0.0
    return 2.0 if reading.moment.explicit else 1.0


def _at_follow_up(reading: Reading, plan: Plan, view: PatientView) -> float:
    moment, episode = reading.moment, view.timeline.episode
    if moment.phase is not Phase.FOLLOW_UP:
        return 0.0
    if plan.offset and moment.day and episode.admission:
        share = (moment.day - episode.admission).days / plan.offset
        if not _FOLLOW_UP_WINDOW[0] <= share <= _FOLLOW_UP_WINDOW[1]:
            return 0.0
    written = reading.document.document.written_on
    # What a visit finds on its own day counts before what it reports of another day.
    return 2.0 if written and moment.day == written.to_date() else 1.0


def _during_stay(reading: Reading, plan: Plan, view: PatientView) -> float:
    return 1.0 if Phase.ADMISSION <= reading.moment.phase <= Phase.DISCHARGE else 0.0


def _before(reading: Reading, plan: Plan, view: PatientView) -> float:
    phase = reading.moment.phase
    if phase is Phase.BEFORE:
        return 1.5 if reading.moment.explicit else 1.0
    # A measure of the usual state, written by the team that admits, speaks of the time before the episode.
    if not plan.baseline:
        return 0.0
    return 1.0 if phase <= Phase.ADMISSION else 0.4 if phase is Phase.DAY1 and not reading.moment.explicit else 0.0


def _first(reading: Reading, plan: Plan, view: PatientView) -> float:
    """The first value of the stay: neither an older one nor that of a later visit."""
    return 1.0 if view.timeline.outpatient else _during_stay(reading, plan, view)


def _any_time(reading: Reading, plan: Plan, view: PatientView) -> float:
    return 1.0


#: Policy → how well a reading stands at its moment (0: not at all).
_FITS: dict[Policy, Callable[[Reading, Plan, PatientView], float]] = {
    Policy.AT_ADMISSION: _at_admission,
    Policy.AT_DAY: _at_day,
    Policy.AT_DISCHARGE: _at_discharge,
    Policy.AT_FOLLOW_UP: _at_follow_up,
    Policy.DURING_STAY: _during_stay,
    Policy.BEFORE: _before,
    Policy.ANY_TIME: _any_time,
    Policy.FIRST: _first,
    Policy.LAST: _any_time,
    Policy.HIGHEST: _during_stay,
    Policy.LOWEST: _during_stay,
}
