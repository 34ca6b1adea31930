"""Lengths of time: as written ("durée de séjour : 12 jours"), else from the two events that bound them."""

from __future__ import annotations

import datetime as dt

from generator.rules.numbers import Number
from generator.rules.plan import Plan
from generator.rules.quantity import to_variable
from generator.rules.readers.clock import read_clock
from generator.rules.readers.dates import read_date
from generator.rules.readers.measure import read_measure
from generator.rules.reading import SILENT, Answer, Cite, PatientView
from schema.value import Status, Value


def read_duration(view: PatientView, plan: Plan) -> Answer:
    """The length in the variable's unit; never negative. Days count the nights between two dates."""
    stated = read_measure(view, plan) if plan.anchors else SILENT
    if stated.status is not Status.NOT_MENTIONED or len(plan.parts) != 2:
        return stated
    first, last = (_instant(view, part) for part in plan.parts.values())
    if first is None or last is None or last[0] < first[0]:
        return SILENT
    length = (last[0] - first[0]).total_seconds() / 3600
    value = to_variable(Number(length, 0, 0, unit="hours"), plan, "")
    cites = (*first[1][:1], *last[1][:1])
    return SILENT if value is None else Answer(Status.FOUND, value, cites, 0.8, explanation="écart de deux dates")


def _instant(view: PatientView, plan: Plan) -> tuple[dt.datetime, tuple[Cite, ...]] | None:
    """When an event took place, with its cites; a date stands for its midnight."""
    answer = (read_date if plan.reader == "date" else read_clock)(view, plan)
    moment: Value | None = answer.value
    if isinstance(moment, dt.datetime):
        return moment, answer.cites
    return (dt.datetime.combine(moment, dt.time()), answer.cites) if isinstance(moment, dt.date) else None
