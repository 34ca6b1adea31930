"""Blood pressure: "172/88 mmHg", "16/9" (cmHg), "PAS 160"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.rules.annotate import Annotated
from generator.rules.matcher import Hit
from generator.rules.numbers import Number
from generator.rules.plan import Plan
from generator.rules.policies import choose, eligible
from generator.rules.quantity import bounds_of, names_component
from generator.rules.readers.measure import clause_end, excluded, first_of_each_document
from generator.rules.reading import Answer, Cite, PatientView, Reading

_REACH = 60
#: The lexicon's name for a pressure whose two components are written together.
_PAIR = "pression_arterielle"
#: A component alone stands right after its name ("PAS 160"), for "pas" is also the French "not".
_NEXT_TO = re.compile(r"\s*(?:[:=]|a|de|mesuree a)?\s*")
_ELSEWHERE = re.compile(r"[;<>]|\bobjectif\b|\bcible\b|\n")


def read_pressure(view: PatientView, plan: Plan) -> Answer:
    """Systolic pressure, or diastolic where the label says so, in mmHg."""
    readings = [reading for document in view.documents for reading in _readings(view, plan, document)]
    return choose(first_of_each_document(eligible(readings, plan, view), plan), plan, view)


def _readings(view: PatientView, plan: Plan, document: Annotated) -> Iterator[Reading]:
    if excluded(document, plan):
        return
    for anchor in dict.fromkeys((*plan.anchors, _PAIR)):
        for hit in document.find(anchor):
            reading = _of_hit(view, plan, document, hit)
            if reading:
                yield reading


def _of_hit(view: PatientView, plan: Plan, document: Annotated, hit: Hit) -> Reading | None:
    low, high = document.sentences[hit.sentence]
    for number in document.numbers_in(hit.end, min(high, hit.end + _REACH)):
        between = document.folded[hit.end : number.start]
        value = _component(number, "pad" in plan.anchors or names_component(plan, "diastol"))
        if value is None and hit.concept != _PAIR and _NEXT_TO.fullmatch(between) and number.unit in ("", "mmHg"):
            value = number.value if number.second is None else None
        if value is None:
            continue
        minimum, maximum = bounds_of(plan.variable, 20, 320)
        if _ELSEWHERE.search(between) or not minimum <= value <= maximum:
            return None
        clause = clause_end(document, number.end, min(high, number.end + 45))
        moment = view.timeline.moment(document, number.start, number.end, low, clause)
        return Reading(int(value), (Cite(document, hit.start, number.end),), moment)
    return None


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
