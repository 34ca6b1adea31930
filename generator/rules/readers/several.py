"""Checkbox fields that list conditions, acts or drugs ("Antécédents", "Complications"): each choice is a yes or no."""

from __future__ import annotations

from generator.rules.asked import is_no
from generator.rules.omission import courses, histories, home_treatments
from generator.rules.plan import Plan
from generator.rules.readers.condition import read_condition
from generator.rules.readers.procedure import read_procedure
from generator.rules.readers.treatment import read_treatment
from generator.rules.reading import SILENT, Answer, Cite, PatientView
from schema.study import Policy
from schema.value import Status

_READERS = {"condition": read_condition, "procedure": read_procedure, "treatment": read_treatment}
_CITES_PER_CHOICE = 1


def read_list(view: PatientView, plan: Plan) -> Answer:
    """The codes that hold, in dictionary order; "none of these" where a list of the right kind names none of them."""
    ticked: dict[str, Answer] = {}
    denied: list[Cite] = []
    unsure = False
    for code, part in plan.parts.items():
        reader = _READERS.get(part.reader)
        answer = reader(view, part) if reader else SILENT
        if answer.status is Status.CONFLICTING:
            unsure = True
        elif answer.value == "1":
            ticked[code] = answer
        elif answer.value == "0":
            denied += answer.cites[:_CITES_PER_CHOICE]
    if ticked:
        cites = tuple(cite for answer in ticked.values() for cite in answer.cites[:_CITES_PER_CHOICE])
        return Answer(Status.FOUND, tuple(ticked), cites, min(answer.confidence for answer in ticked.values()))
    none = next((choice.code for choice in plan.variable.choices if is_no(choice)), None)
    listed = _where_listed(view, plan)
    if none is None or unsure or not listed:
        return SILENT
    return Answer(Status.ABSENT_BY_OMISSION, (none,), (*listed[:1], *denied[:2]), 0.7)


def _where_listed(view: PatientView, plan: Plan) -> list[Cite]:
    """Where the documents list what the variable asks about: history, usual drugs, or how the stay went."""
    if any(part.reader == "treatment" for part in plan.parts.values()):
        return [listed.cite() for listed in home_treatments(view)]
    if plan.policy is Policy.BEFORE:
        return [listed.cite() for listed in histories(view)]
    return list(courses(view)) if plan.policy is Policy.DURING_STAY else []
