"""From a number in a text to a value of a variable: unit, interval, bounds."""

from __future__ import annotations

import math
import re
from typing import Any, overload

from generator.rules.lexicon import load_lexicon
from generator.rules.numbers import Number, canonical_unit, convert
from generator.rules.plan import Plan
from generator.rules.text import fold, words
from schema.study import Policy
from schema.value import Value
from schema.variable import Variable, VariableKind


def _entry(plan: Plan) -> dict[str, Any]:
    lexicon = load_lexicon("concepts")
    return next((lexicon[anchor] for anchor in plan.anchors if anchor in lexicon), {})


def is_score(plan: Plan) -> bool:
    """Whether the variable is a score: a whole number with no unit."""
    return plan.variable.kind is VariableKind.INTEGER and not plan.unit


def to_variable(number: Number, plan: Plan, between: str) -> Value | None:
    """The number in the variable's unit and bounds; None when it cannot be one of its values.

    Args:
        between: folded text from the measure's name to the number; a unit may stand there ("Glycémie (g/L)  2,05").
    """
    value = _single(number, plan)
    if value is None:
        return None
    unit = number.unit or _unit_between(between)
    if not plan.unit:
        if unit:
            return None
    else:
        unit = unit or _guess_unit(value, number.decimals, plan)
        if not unit:
            return None
        converted = convert(value, unit, plan.unit, plan.analyte)
        if converted is None:
            return None
        value = converted
    return _bounded(value, plan, exact=number.second is None)


def _single(number: Number, plan: Plan) -> float | None:
    """One number from "50-55" (middle of an interval) or "6/10" (score out of its maximum)."""
    if number.second is None:
        return number.value
    if number.joint == "/":
        out_of = _entry(plan).get("out_of") or bounds_of(plan.variable, None, None)[1]
        return number.value if out_of and number.second == float(out_of) else None
    if number.joint == "-" and plan.unit and number.second > number.value:
        return _of_interval(number.value, number.second, plan)
    return None


_LOWER_BOUND = re.compile(r"\b(?:borne|valeur|limite) (?:basse|inferieure|minimale|la plus basse)\b")
_UPPER_BOUND = re.compile(r"\b(?:borne|valeur|limite) (?:haute|superieure|maximale|la plus haute)\b")


def _of_interval(low: float, high: float, plan: Plan) -> float:
    """The bound that the question or its note asks for, else the middle ("FEVG 30-35 %")."""
    note = fold(plan.variable.note)
    if plan.policy is Policy.LOWEST or _LOWER_BOUND.search(note):
        return low
    return high if plan.policy is Policy.HIGHEST or _UPPER_BOUND.search(note) else (low + high) / 2


def _unit_between(between: str) -> str:
    if "(" not in between and "[" not in between:
        return canonical_unit(between.strip(" .:=_\t|"))
    inside = between.replace("[", "(").replace("]", ")").rpartition("(")[2].partition(")")[0]
    return canonical_unit(inside)


def _guess_unit(value: float, decimals: int, plan: Plan) -> str:
    """The unit that a bare number must have, by the plausible ranges of the lexicon; "" when unclear.

    French laboratories write g/L with two decimals and mmol/L with one, which settles the values that fit both.
    """
    ranges = _entry(plan).get("units", {})
    fitting = [unit for unit, (low, high) in ranges.items() if low <= value <= high]
    if "g/L" in fitting and "mmol/L" in fitting and decimals:
        by_decimals = [unit for unit in fitting if (unit == "g/L") == (decimals >= 2)]
        fitting = by_decimals or fitting
    if plan.unit in fitting or (not ranges and plan.unit in ("%", "kg", "cm", "m", "years")):
        return plan.unit if len(fitting) <= 1 or decimals == 1 or "g/L" not in fitting else ""
    return fitting[0] if len(fitting) == 1 else ""


def _bounded(value: float, plan: Plan, *, exact: bool) -> Value | None:
    variable = plan.variable
    low, high = bounds_of(variable, None, None)
    limits = _entry(plan).get("units", {}).get(plan.unit) or _entry(plan).get("range") or (-math.inf, math.inf)
    low, high = (limits[0] if low is None else low), (limits[1] if high is None else high)
    if not low <= value <= high:
        return None
    if variable.kind is VariableKind.INTEGER:
        if exact and value != int(value) and is_score(plan):
            return None
        return math.floor(value + 0.5) if exact else math.floor(value)
    return _round_half_up(value, variable.decimals)


@overload
def bounds_of(variable: Variable, low: float, high: float) -> tuple[float, float]: ...
@overload
def bounds_of(variable: Variable, low: None, high: None) -> tuple[float | None, float | None]: ...
def bounds_of(variable: Variable, low: float | None, high: float | None) -> tuple[float | None, float | None]:
    """The bounds that the dictionary sets, written with a comma or a point; ``low`` and ``high`` where it sets none."""
    minimum, maximum = (bound.replace(",", ".") if bound else "" for bound in (variable.minimum, variable.maximum))
    return (float(minimum) if minimum else low), (float(maximum) if maximum else high)


def _round_half_up(value: float, decimals: int | None) -> float:
    if decimals is None:
        return round(value, 6)
    scale = 10**decimals
    return float(math.floor(value * scale + 0.5 + 1e-9) / scale)


def names_component(plan: Plan, word: str) -> bool:
    """Whether the label holds a word that starts so ("systol", "diastol")."""
    return any(part.startswith(word) for part in words(fold(plan.variable.label)))
