"""Compare two values of one variable: are they equal, how far apart, how are they written for a reader?"""

from __future__ import annotations

import datetime as dt
import unicodedata
from decimal import ROUND_HALF_UP, Context, Decimal

from schema.value import Value
from schema.variable import Variable, VariableKind

NUMBERS = frozenset({VariableKind.INTEGER, VariableKind.NUMBER})
SINGLE_CHOICES = frozenset({VariableKind.CHOICE, VariableKind.YESNO, VariableKind.TRUEFALSE})

_PLAIN = str.maketrans({"’": "'", "œ": "oe", "æ": "ae"})
_MINUTES_PER_DAY = 1440


def equal(variable: Variable, predicted: Value | None, gold: Value | None) -> bool:
    """Whether two values of one variable say the same.

    Numbers are compared after rounding to the variable's decimals, checkboxes as sets, dates and times exactly,
    choices by code, text without regard to case, accents and spaces. Two empty cells are equal.
    """
    if predicted is None or gold is None:
        return predicted is gold
    if isinstance(predicted, int | float) and isinstance(gold, int | float):
        return rounded(variable, predicted) == rounded(variable, gold)
    if isinstance(predicted, tuple) and isinstance(gold, tuple):
        return set(predicted) == set(gold)
    if isinstance(predicted, str) and isinstance(gold, str):
        if variable.kind in SINGLE_CHOICES:
            return predicted.strip() == gold.strip()
        return normalised(predicted) == normalised(gold)
    return type(predicted) is type(gold) and predicted == gold


def distance(predicted: Value | None, gold: Value | None) -> float | None:
    """Absolute error: minutes for datetimes and times (23:50 is 20 min from 00:10), days for dates.

    None when a side is empty, or when the values are not of one type or have no distance.
    """
    match predicted, gold:
        case (int() | float(), int() | float()):
            return abs(predicted - gold)
        case dt.datetime(), dt.datetime():
            return abs((predicted - gold).total_seconds()) / 60
        case dt.time(), dt.time():
            apart = abs(_minutes(predicted) - _minutes(gold))
            return min(apart, _MINUTES_PER_DAY - apart)
        case dt.date(), dt.date() if type(predicted) is type(gold):
            return abs((predicted - gold).days)
    return None


def _minutes(clock: dt.time) -> float:
    return clock.hour * 60 + clock.minute + clock.second / 60


def error_unit(variable: Variable) -> str | None:
    """Unit of the variable's absolute error; None when its values have no distance."""
    if variable.kind in NUMBERS:
        return variable.unit
    return {VariableKind.DATETIME: "min", VariableKind.TIME: "min", VariableKind.DATE: "days"}.get(variable.kind)


def decimals_of(variable: Variable) -> int | None:
    """Digits kept after the decimal mark; None when the dictionary does not say."""
    return 0 if variable.kind is VariableKind.INTEGER else variable.decimals


def rounded(variable: Variable, number: float) -> Decimal:
    """The number with the digits that the variable keeps, halves away from zero; ten digits when it is free."""
    decimals = decimals_of(variable)
    quantum = Decimal(1).scaleb(-(10 if decimals is None else decimals))
    return Decimal(repr(number)).quantize(quantum, ROUND_HALF_UP, Context(prec=400))


def normalised(text: str) -> str:
    """Lower case, no accents, no ligatures, single spaces, straight apostrophes."""
    # Twice: taking a ligature or a styled letter apart may give a capital, lowering a capital may give an accent.
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(bare.translate(_PLAIN).split())


def as_text(variable: Variable, value: Value | None) -> str:
    """The value as a person reads it: codes with their labels, dates as ``YYYY-MM-DD HH:MM``; "" when empty."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return " | ".join(_with_label(variable, code) for code in value)
    if isinstance(value, dt.datetime):
        return value.isoformat(" ", "seconds" if value.second else "minutes")
    if isinstance(value, dt.time):
        return value.isoformat("seconds" if value.second else "minutes")
    if isinstance(value, int | float) and variable.kind in NUMBERS:
        return str(value) if decimals_of(variable) is None else str(rounded(variable, value))
    return _with_label(variable, str(value))


def _with_label(variable: Variable, code: str) -> str:
    label = next((choice.label for choice in variable.choices if choice.code == code), "")
    return f"{code} ({label})" if label and label != code else code
