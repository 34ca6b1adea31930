"""The main path of the rules: a patient's documents -> one value per variable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from generator.rules.annotate import Annotated
from generator.rules.episode import Timeline
from generator.rules.plan import Plan, make_plans
from generator.rules.readers import READERS, read_nothing
from generator.rules.reading import PatientView
from schema.document import PatientRecord
from schema.passage import Passage
from schema.problem import describe_break
from schema.study import Study
from schema.value import ExtractedValue, Status
from schema.variable import Variable


class RulesGenerator:
    """Rules that read typed values, with their evidence. Compiles the dictionary once; immutable afterwards.

    Raises:
        ValueError: the study names a reader that does not exist.
    """

    name = "rules"

    def __init__(self, variables: Sequence[Variable], study: Study | None = None) -> None:
        compiled = make_plans(tuple(variables), study or Study())
        self._plans, self._matcher = compiled.plans, compiled.matcher
        for plan in self._plans:
            if plan.hints.reader and plan.hints.reader not in READERS:
                raise ValueError(
                    f"variable {plan.variable.name!r}: no reader is named {plan.reader!r}; "
                    f"choose one of {', '.join(sorted(READERS))}"
                )

    def fill(
        self, record: PatientRecord, passages: Mapping[str, Sequence[Passage]] | None = None
    ) -> list[ExtractedValue]:
        """See `generator.protocol.Generator.fill`."""
        annotated = [Annotated(document, self._matcher) for document in record.documents]
        timeline = Timeline(annotated)
        view = PatientView(annotated, timeline)
        values = []
        for plan in self._plans:
            seen = view if passages is None else view.limited_to(passages.get(plan.variable.name, ()))
            values.append(_read(seen, plan, record.patient_id))
        return values


def _read(view: PatientView, plan: Plan, patient_id: str) -> ExtractedValue:
    """One variable. A defect of its reader costs that cell alone, and says so: FAILED is not silence."""
    name = plan.variable.name
    try:
        return READERS.get(plan.reader, read_nothing)(view, plan).extracted(patient_id, name)
    except Exception as error:
        return ExtractedValue(patient_id, name, Status.FAILED, explanation=describe_break(error))
