"""Conditions: present, denied, absent from a list that would name them, or not spoken of."""

from __future__ import annotations

from generator.rules.context import context_of
from generator.rules.plan import Plan
from generator.rules.reading import SILENT, Answer, Cite, PatientView
from schema.value import Status


def read_condition(view: PatientView, plan: Plan) -> Answer:
    """ "1" when affirmed of the patient, "0" when denied or left out of a list, silence otherwise."""
    affirmed: list[Cite] = []
    denied: list[Cite] = []
    for document in view.documents:
        for anchor in plan.anchors:
            for hit in document.find(anchor):
                context = context_of(document, hit)
                cite = Cite(document, hit.start, hit.end)
                if context.negated and not context.family:
                    denied.append(cite)
                elif context.affirmed:
                    affirmed.append(cite)
    if affirmed:
        return Answer(Status.FOUND, "1", tuple(affirmed), 0.9)
    if denied:
        return Answer(Status.STATED_ABSENT, "0", tuple(denied), 0.9)
    return SILENT
