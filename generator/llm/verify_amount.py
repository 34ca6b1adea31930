"""Whether a quote writes a number: as it stands, or in another unit; never as a threshold or a usual value."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from generator.llm.verify_place import Shown
from generator.rules.lexicon import load_lexicon
from generator.rules.numbers import Number, convert
from generator.rules.plan import Plan
from schema.variable import Variable, VariableKind

#: What is compared with, and what is usual, was not measured: "Âge > 80", "Références : Hb 12-16 g/dL".
_COMPARED = re.compile(
    r"[<>≤≥]\s*$|\b(?:references?|normes?|valeurs? (?:usuelles?|normales?)|vr|cible|objectif)\b[^.;\n]*$"
)


def same_number(variable: Variable, read: float, value: float) -> bool:
    """Whether a number is the value once it has the digits that the variable keeps; an interval's middle may be cut."""
    if variable.kind is VariableKind.INTEGER:
        return value in (math.floor(read + 0.5), math.floor(read)) if read != int(read) else read == value
    if variable.decimals is None:
        return math.isclose(read, value, rel_tol=1e-6, abs_tol=1e-9)
    unit = 10.0**-variable.decimals
    return abs(read - value) <= unit / 2 + 1e-9


def writes_number(plan: Plan, places: Sequence[Shown], value: float) -> bool:
    """Whether a quote writes the number, in whatever unit."""
    return any(can_be(plan, number, value) for place in places for number in numbers_of(place))


def is_compared(plan: Plan, places: Sequence[Shown], value: float) -> bool:
    """Whether quotes write the number only as what others are compared with: "appeler si PAS > 180"."""
    written = any(
        can_be(plan, number, value) for place in places for number in place.document.numbers_in(place.start, place.end)
    )
    return written and not writes_number(plan, places, value)


def numbers_of(place: Shown) -> Iterator[Number]:
    """The numbers of which a quote shows the figures; the unit may lie outside."""
    for number in place.document.numbers_in(place.low, place.high):
        figures = re.match(r"\d+(?:[.,]\d+)?", place.document.folded[number.start : number.end])
        end = number.start + figures.end() if figures else number.end
        compared = _COMPARED.search(place.document.folded, place.low, number.start)
        if place.start <= number.start and end <= place.end and not compared:
            yield number


def can_be(plan: Plan, number: Number, value: float) -> bool:
    """Whether a number, in its unit or in any that the measure is given in, is the value."""
    written = [number.value]
    if number.second is not None and number.joint == "-":
        written += [number.second, _middle(number)]
    elif number.second is not None and _is_pressure(plan):
        written.append(number.second)
    return any(same_number(plan.variable, amount, value) for one in written for amount in _amounts(plan, number, one))


def _middle(number: Number) -> float:
    return (number.value + (number.second or number.value)) / 2


def _amounts(plan: Plan, number: Number, amount: float) -> Iterator[float]:
    """A number as written, and in the units that the variable may be in."""
    targets = [plan.unit] if plan.unit else usual_units(plan)
    sources = [number.unit] if number.unit else ([plan.unit] if plan.unit else usual_units(plan))
    if not number.unit or not plan.unit or number.unit == plan.unit:
        yield amount
    for source in sources:
        for target in targets:
            converted = convert(amount, source, target, plan.analyte) if source != target else None
            if converted is not None:
                yield converted
    if _is_pressure(plan) and amount < 30:  # "16/9" says 160/90
        yield amount * 10


def _is_pressure(plan: Plan) -> bool:
    return plan.reader == "pressure" or plan.unit == "mmHg"


def usual_units(plan: Plan) -> list[str]:
    """The units in which the measure of a variable is given."""
    lexicon = load_lexicon("concepts")
    return [unit for anchor in plan.anchors for unit in lexicon.get(anchor, {}).get("units", {})]
