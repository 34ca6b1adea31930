"""Blood pressure: "172/88 mmHg", "16/9" (cmHg), "PAS 160"."""

from __future__ import annotations

from collections.abc import Iterator

from generator.rules.annotate import Annotated
from generator.rules.matcher import Hit
from generator.rules.numbers import Number
from generator.rules.plan import Plan
from generator.rules.policies import choose, eligible
from generator.rules.quantity import names_component
from generator.rules.readers.measure import excluded, first_of_each_document
from generator.rules.reading import Answer, Cite, PatientView, Reading

_REACH = 60


def read_pressure(view: PatientView, plan: Plan) -> Answer:
    """Systolic pressure, or diastolic where the label says so, in mmHg."""
    readings = [reading for document in view.documents for reading in _readings(view, plan, document)]
    return choose(first_of_each_document(eligible(readings, plan, view), plan), plan, view)


def _readings(view: PatientView, plan: Plan, document: Annotated) -> Iterator[Reading]:
    if excluded(document, plan):
        return
    for anchor in plan.anchors:
        for hit in document.find(anchor):
            yield from _of_hit(view, plan, document, hit)


def _of_hit(view: PatientView, plan: Plan, document: Annotated, hit: Hit) -> Iterator[Reading]:
    low, high = document.sentences[hit.sentence]
    for number in document.numbers_in(hit.end, min(high, hit.end + _REACH)):
        value = _component(number, names_component(plan, "diastol"))
        between = document.folded[hit.end : number.start]
        if value is None or ";" in between or "<" in between or ">" in between:
            continue
        minimum, maximum = float(plan.variable.minimum or 20), float(plan.variable.maximum or 320)
        if minimum <= value <= maximum:
            moment = view.timeline.moment(document, number.start, number.end, low, min(high, number.end + 40))
            yield Reading(int(value), (Cite(document, hit.start, number.end),), moment)
        return


def _component(number: Number, diastolic: bool) -> float | None:
    """One pressure of a pair; values of a pair such as 16/9 are in cmHg."""
    if number.joint != "/" or number.second is None:
        return None
    first, second = number.value, number.second
    if number.unit not in ("", "mmHg", "cmHg") or second >= first:
        return None
    if 6 <= first <= 30 and 2 <= second <= 20:
        first, second = first * 10, second * 10
    if not (50 <= first <= 300 and 20 <= second <= 200):
        return None
    return second if diastolic else first
