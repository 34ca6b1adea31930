"""Whether a number stands at the moment that a variable asks for, and whether the record has another one for it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from generator.llm.verify_amount import same_number, usual_units
from generator.llm.verify_lexicon import words_of_sameness
from generator.llm.verify_place import Shown
from generator.rules.annotate import Annotated
from generator.rules.cues import PREFIX
from generator.rules.episode import Moment, Phase
from generator.rules.moments import moment_of
from generator.rules.plan import Plan
from generator.rules.policies import fits
from generator.rules.readers.measure import measure_readings, read_measure
from generator.rules.readers.pressure import read_pressure
from generator.rules.reading import Cite, PatientView, Reading
from generator.rules.stay import written_day
from generator.rules.text import fold
from generator.rules.text import words as words_in
from schema.document import DateKind
from schema.study import Policy
from schema.value import Value

#: A sentence no longer than this is only a value, of which the sentence before tells the moment.
_BARE = 30
#: Policy -> the words of time that say its moment.
_CUES = {
    Policy.AT_ADMISSION: "time.admission",
    Policy.AT_DAY: "time.day1",
    Policy.AT_DISCHARGE: "time.discharge",
    Policy.AT_FOLLOW_UP: "time.followup",
    Policy.BEFORE: "time.before",
}
#: Words of the day that a patient leaves, which the rules do not have among theirs.
_LEAVES = re.compile(r"\bsort(?:ant)? (?:avec|ce jour|a domicile)\b|\b(?:jour|moment) du depart\b|\bau depart\b")
_OF_STAY = re.compile(r"\b(?:sejour|hospitalisation)\b")
_READERS = {"measure": read_measure, "pressure": read_pressure}
_AT_THE_END = (Policy.AT_DISCHARGE, Policy.DURING_STAY, Policy.ANY_TIME, Policy.LAST, Policy.HIGHEST, Policy.LOWEST)
_OF_THIS_STAY = (
    Policy.AT_ADMISSION,
    Policy.AT_DAY,
    Policy.AT_DISCHARGE,
    Policy.DURING_STAY,
    Policy.FIRST,
    Policy.HIGHEST,
    Policy.LOWEST,
)
_OF_SEVERAL = (Policy.AT_ADMISSION, Policy.FIRST, Policy.LAST, Policy.HIGHEST, Policy.LOWEST)
_IN, _OUT = re.compile(r"\b(?:entree|arrivee|admission|initiale?)\b"), re.compile(r"\b(?:sortie|fin|depart)\b")
_ANY = (Policy.ANY_TIME, Policy.FIRST)


def is_superseded(view: PatientView, plan: Plan, places: Sequence[Shown], value: float) -> bool:
    """Whether a first, last, highest or lowest value is another one, as the rules read the whole record.

    No quote can tell that alone; nor that a value of the day after stands for the one of the arrival.
    """
    if plan.policy not in _OF_SEVERAL or plan.reader not in _READERS:
        return False
    if plan.policy is Policy.AT_ADMISSION and any(_is_of_arrival(view, place) for place in places):
        return False
    units = [plan.unit] if plan.unit else ["", *usual_units(plan)]
    read = [_whole(view, plan, unit) for unit in units]
    told = [each for each in read if isinstance(each, int | float)]
    return bool(told) and not any(same_number(plan.variable, float(each), value) for each in told)


def _is_of_arrival(view: PatientView, place: Shown) -> bool:
    """Whether a quote is written on the day of the arrival, or says that it speaks of it."""
    admission = view.timeline.episode.admission
    if admission is not None and written_day(place.document) == admission:
        return True
    return any(True for _ in place.document.within(PREFIX + _CUES[Policy.AT_ADMISSION], place.low, place.high))


def _whole(view: PatientView, plan: Plan, unit: str) -> Value | None:
    asked = replace(plan, unit=unit)
    return view.once(
        f"whole {plan.variable.name} {unit}", lambda _: _READERS[plan.reader](_in_stay(view, plan), asked).value
    )


def _in_stay(view: PatientView, plan: Plan) -> PatientView:
    """The patient before the end of the stay, where the label asks for the last value of it."""
    if plan.policy is not Policy.LAST or not _OF_STAY.search(fold(plan.variable.label)):
        return view
    kept = [d for d in view.documents if view.timeline.document_phase(d) is not Phase.FOLLOW_UP]
    return PatientView(kept, view.timeline)


def is_pointed_at(view: PatientView, plan: Plan, places: Sequence[Shown], named: Sequence[Reading]) -> bool:
    """Whether another quote, of the right moment, says that the value has not changed: "NIHSS stable à la sortie"."""
    for place in places:
        words = set(words_in(place.words))
        if not words & words_of_sameness() or any(holds(place, reading) for reading in named):
            continue
        days = {written_day(reading.document) for reading in named}
        if _says_moment(plan, place) or (not _is_dated(view, place, days) and _is_written_then(view, plan, place)):
            return True
    return False


def _says_moment(plan: Plan, place: Shown) -> bool:
    cue = _CUES.get(plan.policy)
    return cue is not None and any(True for _ in place.document.within(PREFIX + cue, place.low, place.high))


def _is_dated(view: PatientView, place: Shown, pointed: Collection[dt.date | None]) -> bool:
    """Whether a sentence gives a date or a moment of its own, and not the day of the document that it points to."""
    document = place.document
    dates = [m for m in document.dates_in(place.low, place.high) if m.kind in (DateKind.ABSOLUTE, DateKind.DAY_OFFSET)]
    if any(view.timeline.day_of(mention) not in pointed for mention in dates):
        return True
    return any(True for cue in _CUES.values() for _ in document.within(PREFIX + cue, place.low, place.high))


def _is_written_then(view: PatientView, plan: Plan, place: Shown) -> bool:
    document = place.document
    moment = Moment(view.timeline.document_phase(document), written_day(document))
    return fits(Reading(0, (Cite(document, place.start, place.end),), moment), plan, view)


def holds(place: Shown, reading: Reading) -> bool:
    """Whether the sentences of a quote hold what was read."""
    cite = reading.cites[0]
    same = cite.document.document.document_id == place.document.document.document_id
    return same and place.low <= cite.start < place.high


def is_in_time(view: PatientView, plan: Plan, reading: Reading) -> bool:
    """Whether a number stands at the variable's moment, as its sentence says or else the sentence before."""
    cite = reading.cites[0]
    name = reading.document.document.document_id
    document = next(each for each in view.documents if each.document.document_id == name)  # with its sentences around
    index = document.sentence_of(cite.start)
    if _LEAVES.search(document.folded, *document.sentences[index]):
        return plan.policy in _AT_THE_END
    if is_of_older_stay(view, plan, [document]):
        return False
    if plan.policy is Policy.BEFORE and is_of_older_stay(view, replace(plan, policy=Policy.FIRST), [document]):
        return _is_end_asked(plan, reading)
    if fits(reading, plan, view) or _is_found_once(view, plan, reading):
        return True
    if reading.moment.explicit or index == 0 or document.sentences[index][1] - cite.start > _BARE:
        return False
    low, high = document.sentences[index - 1][0], document.sentences[index][1]
    if document.section_of(low) != document.section_of(cite.start):
        return False
    moment = view.timeline.moment(document, cite.start, cite.end, low, high)
    return moment.explicit and fits(replace(reading, moment=moment), plan, view)


def is_of_older_stay(view: PatientView, plan: Plan, documents: Iterable[Annotated]) -> bool:
    """Whether documents of an older stay are all that is read for this one: their "à l'entrée" is of that stay.

    A weight or a height is what it was.
    """
    older = all(view.timeline.document_phase(document) is Phase.BEFORE for document in documents)
    return older and plan.policy in _OF_THIS_STAY and plan.reader in _READERS


def _is_end_asked(plan: Plan, reading: Reading) -> bool:
    """Whether a value of an older stay is of its arrival, or its end, where the label asks for one of them."""
    label, phase = fold(plan.variable.label), reading.moment.phase if reading.moment.explicit else None
    if _OUT.search(label):
        return phase is Phase.DISCHARGE
    return phase is not Phase.DISCHARGE or not _IN.search(label)


def _is_found_once(view: PatientView, plan: Plan, reading: Reading) -> bool:
    """Whether only the form puts a question at the arrival, of what the record tells once, as a degree of stenosis."""
    if plan.policy is not Policy.AT_ADMISSION or moment_of(replace(plan.variable, section="", form=""))[0] not in _ANY:
        return False
    asked = replace(plan, policy=Policy.ANY_TIME)
    told = {each.value for document in view.timeline.documents for each in measure_readings(view, asked, document)}
    return told <= {reading.value} and fits(reading, replace(plan, policy=Policy.DURING_STAY), view)
