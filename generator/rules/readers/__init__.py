"""One reader per kind of variable: ``(view, plan) -> Answer``. The table below is the list of them."""

from __future__ import annotations

from collections.abc import Callable

from generator.rules.plan import Plan
from generator.rules.readers.body_mass import read_body_mass
from generator.rules.readers.condition import read_condition
from generator.rules.readers.count import read_count
from generator.rules.readers.grade import read_grade
from generator.rules.readers.measure import read_measure
from generator.rules.readers.person import read_age, read_sex
from generator.rules.readers.pressure import read_pressure
from generator.rules.reading import SILENT, Answer, PatientView

Reader = Callable[[PatientView, Plan], Answer]

READERS: dict[str, Reader] = {
    "age": read_age,
    "body_mass": read_body_mass,
    "condition": read_condition,  # yes/no, with degrees: "Non | Type 1 | Type 2"
    "count": read_count,  # how many times something was done
    "grade": read_grade,  # a scale whose choices are its grades: TICI, NYHA, ASA
    "measure": read_measure,  # scores and quantities with their unit
    "pressure": read_pressure,
    "sex": read_sex,
}


def read_nothing(view: PatientView, plan: Plan) -> Answer:
    """Silence: for a variable that no reader understands well enough to be right."""
    return SILENT
