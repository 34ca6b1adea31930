"""From the values of a table to OMOP: coded conditions and measured values, dated by the document that tells them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from rag.omop import OmopWriter, source_value
from rag.store import PatientResult, Source
from schema.concept import CodeSystem
from schema.document import PartialDate
from schema.value import ExtractedValue
from schema.variable import Variable, VariableKind

_NUMBERS = (VariableKind.INTEGER, VariableKind.NUMBER)


def add_values(omop: OmopWriter, variables: Sequence[Variable], result: PatientResult) -> int:
    """Add the values of one patient; returns how many were left out because no document that tells them has a day."""
    left_out = 0
    for variable, found in zip(variables, result.values, strict=True):
        conditions = [code for code in found.codes if code.system is CodeSystem.ICD10]
        number = found.value if variable.kind in _NUMBERS and isinstance(found.value, int | float) else None
        if not conditions and number is None:
            continue
        day = _day_of(found, result.sources)
        if day is None:
            left_out += 1
        elif number is not None:
            source = source_value(found.codes) or variable.name
            omop.add_measurement(result.patient_id, day, source, float(number), variable.unit)
        else:
            for code in conditions:
                omop.add_condition(result.patient_id, day, [code])
    return left_out


def _day_of(found: ExtractedValue, sources: Iterable[Source]) -> dt.date | None:
    """The day of the first document of the evidence that has one."""
    written = {source.document_id: source.written_on for source in sources}
    days = (PartialDate.parse(text).to_date() for e in found.evidence if (text := written.get(e.document_id, "")))
    return next((day for day in days if day), None)
