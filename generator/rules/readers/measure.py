"""Scores and quantities: a number written after its name ("NIHSS = 19", "LDL 1,24 g/L")."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.rules.annotate import Annotated
from generator.rules.lexicon import load_lexicon
from generator.rules.matcher import Hit
from generator.rules.numbers import Number, convert
from generator.rules.plan import Plan
from generator.rules.policies import choose, eligible
from generator.rules.reading import Answer, Cite, PatientView, Reading
from generator.rules.text import fold
from schema.value import Value
from schema.variable import VariableKind

#: A value stands no further than this after its name; beyond, it belongs to something else.
_REACH = 60
#: A second value of the same name follows the first this closely: "NIHSS 12 à H24, 9 le 25/06".
_NEXT_REACH = 45
_BREAK = re.compile(r"[;|\n]|\.\s|\.$")


def read_measure(view: PatientView, plan: Plan) -> Answer:
    """The number that stands at the plan's moment, in the variable's unit."""
    readings = [reading for document in view.documents for reading in measure_readings(view, plan, document)]
    return choose(eligible(readings, plan, view), plan, view)


def measure_readings(view: PatientView, plan: Plan, document: Annotated) -> Iterator[Reading]:
    """Every value of the plan's measure in one document, each at its own moment."""
    if excluded(document, plan):
        return
    for anchor in plan.anchors:
        for hit in document.find(anchor):
            yield from _readings_of_hit(view, plan, document, hit)


def excluded(document: Annotated, plan: Plan) -> bool:
    """Whether the study leaves out documents of this type."""
    kinds = plan.hints.excluded_types
    if not kinds:
        return False
    name = fold(f"{document.document.type} {document.document.title}")
    return any(fold(kind) in name for kind in kinds)


def _readings_of_hit(view: PatientView, plan: Plan, document: Annotated, hit: Hit) -> Iterator[Reading]:
    low, high = document.sentences[hit.sentence]
    end = min(high, hit.end + _REACH)
    stop = _next_measure(document, plan, hit.end, end)
    position, clause_start = hit.end, low
    while number := _first_number(document, plan, position, stop):
        following = _clause_end(document, number.end, min(high, number.end + _NEXT_REACH))
        value = to_variable(number, plan)
        if value is not None:
            moment = view.timeline.moment(document, number.start, number.end, clause_start, following)
            yield Reading(value, (Cite(document, hit.start, number.end),), moment)
        position, clause_start = number.end, number.end
        stop = min(high, number.end + _NEXT_REACH, _next_measure(document, plan, number.end, high))


def _first_number(document: Annotated, plan: Plan, start: int, stop: int) -> Number | None:
    for number in document.numbers_in(start, stop):
        if _BREAK.search(document.folded, start, number.start):
            return None
        if to_variable(number, plan) is not None:
            return number
    return None


def _clause_end(document: Annotated, start: int, high: int) -> int:
    """Where the words that date a value end: at the next number or stop."""
    numbers = document.numbers_in(start, high)
    limit = numbers[0].start if numbers else high
    match = _BREAK.search(document.folded, start, limit)
    return match.start() if match else limit


def _next_measure(document: Annotated, plan: Plan, start: int, stop: int) -> int:
    """Where another measure's name begins: numbers beyond it are its own."""
    lexicon = load_lexicon("concepts")
    for concept, hits in document.hits.items():
        if concept not in plan.anchors and lexicon.get(concept, {}).get("reader"):
            for hit in hits:
                if start <= hit.start < stop:
                    stop = hit.start
    return stop


def to_variable(number: Number, plan: Plan) -> Value | None:
    """The number in the variable's unit and bounds; None when it cannot be one of its values."""
    value = number.value
    unit = number.unit
    if unit and plan.unit and unit != plan.unit:
        converted = convert(value, unit, plan.unit, plan.analyte)
        if converted is None:
            return None
        value = converted
    elif unit and not plan.unit:
        return None
    variable = plan.variable
    if variable.kind is VariableKind.INTEGER and value != int(value):
        return None
    low, high = (float(bound.replace(",", ".")) if bound else None for bound in (variable.minimum, variable.maximum))
    if (low is not None and value < low) or (high is not None and value > high):
        return None
    return int(value) if variable.kind is VariableKind.INTEGER else round(value, variable.decimals or 6)
