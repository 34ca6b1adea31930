"""Values read from de-identified documents, as the original documents would have given them."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

from rag.deid.redate import shift_year
from rag.deid.spelling import small
from schema.value import ExtractedValue, Value
from schema.variable import Variable, VariableKind

_YEAR = re.compile(r"\bannees? (?:de|du|d'|des)\b|^annee\b")
_YEARS = range(1850, 2151)


def restored(variable: Variable, found: ExtractedValue, shift_days: int) -> ExtractedValue:
    """The value and its candidates with their dates, and the year that a variable asks for, moved back.

    The evidence stays that of the de-identified documents.
    """
    if not shift_days:
        return found
    candidates = tuple(_moved_back(variable, candidate, shift_days) for candidate in found.candidates)
    value = None if found.value is None else _moved_back(variable, found.value, shift_days)
    return replace(found, value=value, candidates=candidates)


def _moved_back(variable: Variable, value: Value, shift_days: int) -> Value:
    if isinstance(value, dt.date):  # a datetime is a date
        return value - dt.timedelta(days=shift_days)
    asks_year = variable.kind is VariableKind.INTEGER and _YEAR.search(small(variable.label))
    if asks_year and isinstance(value, int) and value in _YEARS:
        return shift_year(value, -shift_days)
    return value
