"""Dates of events: admission, discharge, death, birth, surgery, and any other that a label names."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator

from generator.rules.annotate import Annotated
from generator.rules.chronology import Timed, days_of
from generator.rules.cite import clause
from generator.rules.context import context_at, context_of
from generator.rules.drugs import rivals_of
from generator.rules.episode import Moment, Phase
from generator.rules.events import event_concepts, event_entry, event_of_label
from generator.rules.matcher import Hit
from generator.rules.plan import Plan
from generator.rules.policies import choose, eligible, vote
from generator.rules.readers.measure import excluded
from generator.rules.readers.person import births
from generator.rules.readers.vital import find_death
from generator.rules.reading import SILENT, Answer, Cite, PatientView, Reading
from generator.rules.stay import FOLLOW_UP, is_kind, is_summary, written_day
from generator.rules.text import fold, words
from generator.rules.when import told_day
from schema.study import Policy
from schema.value import Status

#: A date further than this from the words of its event (in the units of `chronology`) is not its date.
_NEAR, NEAR_UNNAMED = 70, 40
_HEAD = 900
_MOST_CITES = 3


def event_of(plan: Plan) -> str:
    """The event that a date variable asks for: named by the study file, else by the label; "" for any other."""
    named = plan.hints.settings.get("event")
    if named:
        return str(named)
    event = event_of_label(plan.variable.label)
    # "Heure de début de la noradrénaline" is not that of the first symptoms.
    return "" if event == "onset" and _BEGUN.search(fold(plan.variable.label)) else event


_BEGUN = re.compile(
    r"\bdebut (?:de |du |des |d')(?:la |l'|les )?"
    r"(?!symptom|signe|troubles|deficit|avc|accident|douleur|maladie|crise|manifest|clini|premier)"
)


def read_date(view: PatientView, plan: Plan) -> Answer:
    """The day of the event, complete or not at all."""
    event = event_of(plan)
    reader = _OF_EVENT.get(event)
    return reader(view, plan) if reader else _read_told(view, plan, event)


def _admission(view: PatientView, plan: Plan) -> Answer:
    episode = view.timeline.episode
    return _answer(episode.admission, view.readable(episode.admission_cites))


def _discharge(view: PatientView, plan: Plan) -> Answer:
    episode = view.timeline.episode
    if episode.discharge:
        return _answer(episode.discharge, view.readable(episode.discharge_cites))
    death = view.once("death", find_death)
    return _answer(death.day, death.cites) if death and death.in_stay else SILENT


def _death(view: PatientView, plan: Plan) -> Answer:
    death = view.once("death", find_death)
    return _answer(death.day, death.cites) if death else SILENT


def _answer(day: dt.date | None, cites: tuple[Cite, ...]) -> Answer:
    return Answer(Status.FOUND, day, cites[:_MOST_CITES], 0.93) if day and cites else SILENT


def _birth(view: PatientView, plan: Plan) -> Answer:
    readings = []
    for document in view.documents:
        for timed in days_of(document, event_concepts("birth")):
            day = timed.mention.date.to_date() if timed.mention.date else None
            context = context_of(document, timed.hit)
            if day and timed.hit.end <= timed.mention.start and not (context.family or context.other_person):
                place = Cite(document, timed.hit.start, timed.mention.end)
                readings.append(Reading(day, (place,), Moment(Phase.BEFORE, day)))
    admission = view.timeline.episode.admission
    if not readings and admission:  # a heading often gives the day beside the name, without a word
        for document in view.documents:
            for day, cite in births(document, admission):
                readings.append(Reading(day, (cite,), Moment(Phase.BEFORE, day)))
    return vote(readings) if readings else SILENT


def _follow_up(view: PatientView, plan: Plan) -> Answer:
    """The day of the visit that the label asks for: the one at n months, else the last news, a death included."""
    readings = []
    death = view.once("death", find_death)
    if death and not plan.offset:
        return _answer(death.day, death.cites)
    for document in view.documents:
        day = written_day(document)
        if day and view.timeline.document_phase(document) is Phase.FOLLOW_UP and is_kind(document, FOLLOW_UP):
            readings.append(Reading(day, (_own_date(document, day),), Moment(Phase.FOLLOW_UP, day)))
    if plan.offset:
        return choose(eligible(readings, plan, view)[:1], plan, view)
    return vote(readings[-1:]) if readings else SILENT


_OF_EVENT: dict[str, Callable[[PatientView, Plan], Answer]] = {
    "admission": _admission,
    "discharge": _discharge,
    "death": _death,
    "birth": _birth,
    "follow_up": _follow_up,
}


def _read_told(view: PatientView, plan: Plan, event: str) -> Answer:
    """Any other event: the date beside its words, or the date of the report that is about it."""
    readings = [r for document in view.documents for r in _readings(view, plan, document, event)]
    if event and plan.policy not in (Policy.FIRST, Policy.LAST, Policy.AT_FOLLOW_UP):
        return vote(readings) if readings else SILENT  # the event itself says when: "date de sortie de réanimation"
    return choose(eligible(readings, plan, view), plan, view)


def _readings(view: PatientView, plan: Plan, document: Annotated, event: str) -> Iterator[Reading]:
    if excluded(document, plan):
        return
    concepts = event_concepts(event) if event else plan.anchors
    reports = reports_event(document, plan, event)
    own = written_day(document)
    best: dict[Hit, Timed] = {}
    for timed in days_of(document, concepts, rivals_of(document, concepts)):
        if timed.hit not in best or timed.cost < best[timed.hit].cost:
            best[timed.hit] = timed
    for hit, timed in best.items():
        day = told_day(view.timeline, document, timed.mention)
        if day is None or timed.cost > (_NEAR if event else NEAR_UNNAMED) or not _is_fact(document, hit):
            continue
        start, end = min(hit.start, timed.mention.start), max(hit.end, timed.mention.end)
        phase = view.timeline.phase_of_day(day) or Phase.STAY
        weight = (2.0 if reports else 1.0) * (0.5 if timed.weak else 1.0) * (3.0 if timed.corrects else 1.0)
        yield Reading(day, (clause(document, start, end),), Moment(phase, day, explicit=True), weight)
    if reports and own and not is_summary(document):
        phase = view.timeline.phase_of_day(own) or Phase.STAY
        yield Reading(own, (_own_date(document, own),), Moment(phase, own), 1.5)


def _is_fact(document: Annotated, hit: Hit) -> bool:
    context = context_at(document, hit.start, hit.end, hit.sentence)
    return not (context.negated or context.planned or context.hypothetical or context.family or context.other_person)


def reports_event(document: Annotated, plan: Plan, event: str) -> bool:
    """Whether the document is the event's own report: its type or title names it."""
    kinds = event_entry(event).get("documents", ()) if event else ()
    if is_kind(document, [fold(kind) for kind in kinds]) or is_kind(
        document, [fold(k) for k in plan.hints.document_types]
    ):
        return True
    if event:
        return False
    title = set(words(fold(document.document.title)))
    named = [word for word in words(fold(plan.variable.label)) if len(word) > 2 and word not in _EMPTY_WORDS]
    return bool(named) and all(word in title for word in named)


_EMPTY_WORDS = frozenset(
    "date heure jour premier premiere dernier derniere realisation realisee realise debut fin lors pour des les une "  # noqa: SIM905
    "par sur aaaa initial initiale pose mise place annee".split()
)


def _own_date(document: Annotated, day: dt.date) -> Cite:
    """Where a document writes its own date; its first line when it does not."""
    for mention in document.document.dates:
        if mention.date and mention.date.to_date() == day and mention.start < _HEAD:
            return Cite(document, mention.start, mention.end)
    low, high = document.sentences[0]
    return Cite(document, low, high)
