"""Lengths of time: as written ("durée de séjour : 12 jours"), else from the two events that bound them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from generator.rules.annotate import Annotated
from generator.rules.context import context_of
from generator.rules.episode import Phase
from generator.rules.numbers import Number
from generator.rules.plan import Plan
from generator.rules.policies import vote
from generator.rules.quantity import to_variable
from generator.rules.readers.clock import read_clock
from generator.rules.readers.dates import read_date
from generator.rules.readers.measure import read_measure
from generator.rules.reading import SILENT, Answer, Cite, PatientView, Reading
from schema.value import Status, Value


def read_duration(view: PatientView, plan: Plan) -> Answer:
    """The length in the variable's unit; never negative. Days count the nights between two dates."""
    stated = read_measure(view, plan) if plan.anchors else SILENT
    if stated.status is Status.NOT_MENTIONED and "of" in plan.parts:
        lasting = [r for document in view.documents for r in _lasting(view, plan, document)]
        return vote(lasting) if lasting else SILENT
    if stated.status is not Status.NOT_MENTIONED or len(plan.parts) != 2:
        return stated
    first, last = (_instant(view, part) for part in plan.parts.values())
    if first is None or last is None or last[0] < first[0]:
        return SILENT
    length = (last[0] - first[0]).total_seconds() / 3600
    value = to_variable(Number(length, 0, 0, unit="hours"), plan, "")
    cites = (*first[1][:1], *last[1][:1])
    return SILENT if value is None else Answer(Status.FOUND, value, cites, 0.8, explanation="écart de deux dates")


def _lasting(view: PatientView, plan: Plan, document: Annotated) -> Iterator[Reading]:
    """Lengths written beside what lasts: "antibiothérapie 42 jours", "7 jours de ventilation"."""
    if view.timeline.document_phase(document) is Phase.BEFORE:
        return
    for hit in (hit for anchor in plan.parts["of"].anchors for hit in document.find(anchor)):
        low, high = document.sentences[hit.sentence]
        context = context_of(document, hit)
        if not context.affirmed or document.in_section(hit.start, ("antecedents",)):
            continue
        numbers = [
            n for n in document.numbers_in(max(low, hit.start - 40), min(high, hit.end + 50)) if n.unit in _TIMES
        ]
        for number in numbers:
            after = number.start >= hit.end
            between = document.folded[hit.end : number.start] if after else document.folded[number.end : hit.start]
            if (_DURING if after else _OF).fullmatch(between):
                value = to_variable(number, plan, "")
                if value is not None:
                    start, end = min(hit.start, number.start), max(hit.end, number.end)
                    moment = view.timeline.moment(document, start, end, low, high)
                    yield Reading(value, (Cite(document, start, end),), moment)
                break


#: What may stand between a thing and how long it lasted; "depuis", "à" and "dans" count from another time.
_DURING = re.compile(
    r"\s*(?:[a-z'-]+\s){0,3}?(?:pendant|durant|pour une duree(?: totale)? de|:|x|pour|soit|sur|\()?\s*"
    r"(?<!depuis )(?<!il y a )(?<!dans )(?<! a )(?<!apres )(?<!avant )(?<!de )"
)
_OF = re.compile(r"\s*(?:de |d')(?:la |l')?(?:[a-z]+\s)?")
_TIMES = ("minutes", "hours", "days", "weeks", "months")


def _instant(view: PatientView, plan: Plan) -> tuple[dt.datetime, tuple[Cite, ...]] | None:
    """When an event took place, with its cites; a date stands for its midnight."""
    answer = (read_date if plan.reader == "date" else read_clock)(view, plan)
    moment: Value | None = answer.value
    if isinstance(moment, dt.datetime):
        return moment, answer.cites
    return (dt.datetime.combine(moment, dt.time()), answer.cites) if isinstance(moment, dt.date) else None
