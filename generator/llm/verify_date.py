"""Whether a quote tells a date or a time, resolved as the rules resolve them, and tells it of the variable's event."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from generator.llm.verdict import Finding, Verdict
from generator.llm.verify_place import Shown
from generator.llm.verify_words import Words, all_words
from generator.rules.annotate import Annotated
from generator.rules.chronology import days_of, times_of
from generator.rules.context import context_at
from generator.rules.events import event_concepts, event_entry, event_of_label
from generator.rules.plan import Plan
from generator.rules.reading import PatientView
from generator.rules.stay import ACUTE, is_kind
from generator.rules.text import fold
from generator.rules.when import day_of_clock, told_day
from schema.document import DateKind, DateMention
from schema.variable import VariableKind

Moment = dt.date | dt.datetime | dt.time

#: How far before a date the word of a birth may stand, or one that announces the event ("Date d'entrée : ").
_BORN, _LEAD = 30, 30
_ENDS = re.compile(r"\b(?:fin|sortie|depart|deces|retour|arret|ablation|levee|jusqu\w*|dernier\w*)\b")
_BEGINS = re.compile(r"\b(?:debut|entree|admission|arrivee|hospitalisation|pose|premier\w*|initial\w*)\b")


@dataclass(frozen=True, slots=True)
class _Told:
    """One mention of a quote and the moment that it stands for."""

    place: Shown
    mention: DateMention
    moment: Moment


def check_date(view: PatientView, plan: Plan, places: Sequence[Shown], value: Moment) -> Finding:
    """What the quotes say of a date, or a time, that the rules did not read in them."""
    told = [each for place in places for each in _told(view, plan, place)]
    right = [each for each in told if each.moment == value]
    if not right:
        return Finding(Verdict.UNSUPPORTED, "Aucune citation ne donne cette date.")
    for each in right:
        document, mention = each.place.document, each.mention
        context = context_at(document, mention.start, mention.end, document.sentence_of(mention.start))
        if context.family or context.other_person:
            return Finding(Verdict.OTHER_PERSON, "La date citée est celle d'un proche.")
    event = _event_of(plan)
    if any(_bounds_stay(each, event, told) for each in right):
        return Finding(Verdict.VERIFIED, "La date borne le séjour cité.", 0.7)
    if event == "admission" and any(_opens_arrival(plan, each) for each in right):
        return Finding(Verdict.VERIFIED, "L'heure citée ouvre la note d'arrivée.", 0.6)
    named = [each for each in right if _names_event(plan, each)]
    if not named:
        return Finding(Verdict.UNSUPPORTED, f"Rien ne rapporte cette date à « {plan.variable.label} ».")
    rivals = [each for each in told if each.moment != value and any(each.place is one.place for one in named)]
    if rivals and not any(_is_the_one(plan, each, told) for each in named):
        return Finding(Verdict.UNSUPPORTED, "La citation donne plusieurs dates, sans dire laquelle répond.")
    return Finding(Verdict.VERIFIED, "La date est écrite avec les mots de la question.", 0.6 if rivals else 0.7)


def tells_date(view: PatientView, plan: Plan, places: Sequence[Shown], value: Moment) -> bool:
    """Whether a quote tells the date, or the time, in whatever words."""
    return any(each.moment == value for place in places for each in _told(view, plan, place))


def _told(view: PatientView, plan: Plan, place: Shown) -> Iterator[_Told]:
    for mention in place.document.dates_in(place.low, place.high):
        if mention.end <= place.start or mention.start >= place.end:
            continue
        moment = _moment_of(view, plan, place.document, mention)
        if moment is not None:
            yield _Told(place, mention, moment)


def _moment_of(view: PatientView, plan: Plan, document: Annotated, mention: DateMention) -> Moment | None:
    """What a mention stands for, as the variable's kind has it."""
    if plan.variable.kind is VariableKind.TIME:
        return mention.clock
    if plan.variable.kind is VariableKind.DATE:
        if mention.kind is DateKind.CLOCK:
            return day_of_clock(view.timeline, document, mention)
        return told_day(view.timeline, document, mention)
    day = day_of_clock(view.timeline, document, mention) if mention.clock else None
    return dt.datetime.combine(day, mention.clock) if day and mention.clock else None


def _names_event(plan: Plan, each: _Told) -> bool:
    """Whether the words around a date name the event asked for; words of the label stand for one not known."""
    place, event = each.place, _event_of(plan)
    document = place.document
    if any(
        True for _ in document.within("event:birth", max(place.low, each.mention.start - _BORN), each.mention.start)
    ):
        return event == "birth"
    if event:
        concepts = event_concepts(event)
        owned = times_of if each.mention.clock is not None else days_of
        lead = document.folded[max(place.low, each.mention.start - _LEAD) : each.mention.start]
        return any(timed.mention == each.mention for timed in owned(document, concepts)) or bool(
            Words.of(event_entry(event)["label"]).held_by(lead)
        )
    if _is_of_other_end(plan, place):
        return False
    if any(True for name in plan.anchors for _ in document.within(name, place.low, place.high)):
        return True
    title = fold(document.section_of(each.mention.start).title)
    return bool(all_words(plan.variable.label).held_by(f"{title} {place.sentence}"))


def _is_of_other_end(plan: Plan, place: Shown) -> bool:
    """Whether a sentence tells only the beginning of what the label asks the end of: "pose" for "ablation"."""
    label = fold(plan.variable.label)
    for asked, other in ((_ENDS, _BEGINS), (_BEGINS, _ENDS)):
        if asked.search(label) and not other.search(label):
            return bool(other.search(place.sentence)) and not asked.search(place.sentence)
    return False


def _event_of(plan: Plan) -> str:
    """The event of ``lexicon/events.yml`` that a label asks for; "" when it is not one of them."""
    label = _WHEN.sub(" ", plan.variable.label)
    return event_of_label(label) or ("discharge" if _END_OF_STAY.search(fold(label)) else "")


def _bounds_stay(each: _Told, event: str, told: Sequence[_Told]) -> bool:
    """Whether a date is the first, or the last, of the two that a sentence gives of a stay."""
    if event not in ("admission", "discharge") or not _STAY.search(each.place.sentence):
        return False
    days = sorted({one.mention.start: one for one in told if one.place is each.place}.items())
    return len(days) == 2 and days[0 if event == "admission" else 1][1] is each


def _opens_arrival(plan: Plan, each: _Told) -> bool:
    """Whether a date is told by the first hour of an emergency note, which opens with the arrival: "8h22, VSAV"."""
    document = each.place.document
    if plan.variable.kind is not VariableKind.DATE or each.mention.kind is not DateKind.CLOCK:
        return False
    hours = [mention for mention in document.document.dates if mention.clock is not None]
    return is_kind(document, ACUTE) and bool(hours) and hours[0] == each.mention


#: What a label says of when names no event of its own: "[Au cours de l'hospitalisation] Heure de l'imagerie".
_WHEN = re.compile(r"\[[^\]]*\]|\b(?:au cours|lors|pendant|durant)\b[^,:()]*", re.IGNORECASE)
_END_OF_STAY = re.compile(r"\bfin (?:de |du |d')(?:sejour|hospitalisation)\b")
_STAY = re.compile(r"\b(?:sejour\w*|hospitali\w+)\b")


def _is_the_one(plan: Plan, each: _Told, told: Sequence[_Told]) -> bool:
    """Whether, of several dates of one quote, this is the one of the event: by the rules, or as an end of a stretch."""
    document, event = each.place.document, _event_of(plan)
    concepts = (*event_concepts(event), *plan.anchors)
    owned = times_of if each.mention.clock is not None else days_of
    if any(timed.mention == each.mention for timed in owned(document, concepts)):
        return True
    mentions = sorted(one.mention.start for one in told if one.place is each.place)
    label = fold(plan.variable.label)
    if len({one.moment for one in told if one.place is each.place}) != 2:
        return False
    if _ENDS.search(label):
        return each.mention.start == mentions[-1]
    return bool(_BEGINS.search(label)) and each.mention.start == mentions[0]
