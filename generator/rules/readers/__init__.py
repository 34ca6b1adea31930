"""One reader per kind of variable: ``(view, plan) -> Answer``. The table below is the list of them."""

from __future__ import annotations

from collections.abc import Callable

from generator.rules.plan import Plan
from generator.rules.readers.condition import read_condition
from generator.rules.readers.measure import read_measure
from generator.rules.reading import Answer, PatientView

Reader = Callable[[PatientView, Plan], Answer]

READERS: dict[str, Reader] = {
    "condition": read_condition,  # yes/no, with degrees: "Non | Type 1 | Type 2"
    "measure": read_measure,  # scores and quantities with their unit
}
