"""One reader per kind of variable: ``(view, plan) -> Answer``. The table below is the list of them."""

from __future__ import annotations

from collections.abc import Callable

from generator.rules.plan import Plan
from generator.rules.readers.bleeding import read_bleeding
from generator.rules.readers.body_mass import read_body_mass
from generator.rules.readers.checkbox import read_checkbox
from generator.rules.readers.choice import read_choice
from generator.rules.readers.clock import read_clock
from generator.rules.readers.condition import read_condition
from generator.rules.readers.count import read_count
from generator.rules.readers.dates import read_date
from generator.rules.readers.duration import read_duration
from generator.rules.readers.grade import read_grade
from generator.rules.readers.measure import read_measure
from generator.rules.readers.onset import read_onset, read_onset_mode
from generator.rules.readers.person import read_age, read_sex
from generator.rules.readers.pressure import read_pressure
from generator.rules.readers.procedure import read_procedure
from generator.rules.readers.readmission import read_readmission
from generator.rules.readers.several import read_list
from generator.rules.readers.side import read_side
from generator.rules.readers.treatment import read_treatment
from generator.rules.readers.vital import read_vital
from generator.rules.reading import SILENT, Answer, PatientView

Reader = Callable[[PatientView, Plan], Answer]

READERS: dict[str, Reader] = {
    "age": read_age,
    "bleeding": read_bleeding,  # bleeding inside an infarct
    "body_mass": read_body_mass,
    "checkbox": read_checkbox,  # several answers may hold
    "choice": read_choice,  # one answer among several labels
    "clock": read_clock,  # day and time of an event
    "condition": read_condition,  # yes/no, with degrees: "Non | Type 1 | Type 2"
    "count": read_count,  # how many times something was done
    "date": read_date,  # day of an event
    "list": read_list,  # a checkbox field of conditions, each a yes or no
    "duration": read_duration,  # as written, or between two events
    "grade": read_grade,  # a scale whose choices are its grades: TICI, NYHA, ASA
    "measure": read_measure,  # scores and quantities with their unit
    "onset": read_onset,
    "onset_mode": read_onset_mode,  # known time, waking, unknown
    "pressure": read_pressure,
    "procedure": read_procedure,  # yes/no: done, or not done
    "readmission": read_readmission,  # yes or no, or the day of the first one
    "sex": read_sex,
    "vital": read_vital,  # dead or alive at a moment
    "side": read_side,  # left or right, of the lesion
    "treatment": read_treatment,  # drug classes at home, or at discharge
}


def read_nothing(view: PatientView, plan: Plan) -> Answer:
    """Silence: for a variable that no reader understands well enough to be right."""
    return SILENT
