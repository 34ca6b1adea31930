"""Checkbox fields: every choice that the documents affirm is ticked."""

from __future__ import annotations

from generator.rules.cite import Cite
from generator.rules.plan import Plan
from generator.rules.readers.answers import none_code
from generator.rules.readers.choice import supported
from generator.rules.reading import SILENT, Answer, PatientView
from schema.value import Status

_CITES_PER_CHOICE = 1


def read_checkbox(view: PatientView, plan: Plan) -> Answer:
    """The codes affirmed at the plan's moment, in dictionary order; "none of them" only where nothing else is."""
    cites: dict[str, list[Cite]] = {}
    for code, cite in supported(view, plan):
        cites.setdefault(code, []).append(cite)
    none = none_code(plan)
    codes = tuple(c.code for c in plan.variable.choices if c.code in cites and c.code != none)
    if not codes and none is not None and none in cites:
        codes = (none,)
    if not codes:
        return SILENT
    return Answer(Status.FOUND, codes, tuple(c for code in codes for c in cites[code][:_CITES_PER_CHOICE]), 0.85)
