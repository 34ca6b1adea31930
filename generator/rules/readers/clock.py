"""Times of events: "bolus à 15h34", "22h07 : ponction artérielle"; and the time of the final recanalisation."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence

from generator.rules.annotate import Annotated
from generator.rules.chronology import Timed, times_of
from generator.rules.cite import clause
from generator.rules.context import context_of
from generator.rules.drugs import PREFIX as DRUG
from generator.rules.drugs import rivals_of
from generator.rules.episode import Moment, Phase
from generator.rules.events import event_concepts, event_entry
from generator.rules.matcher import Hit
from generator.rules.phrases import anywhere, closing, opening
from generator.rules.plan import Plan
from generator.rules.policies import choose, vote
from generator.rules.readers.dates import NEAR_UNNAMED, event_of, reports_event
from generator.rules.readers.measure import excluded
from generator.rules.readers.onset import read_onset
from generator.rules.reading import SILENT, Answer, PatientView, Reading
from generator.rules.stay import is_kind
from generator.rules.text import fold
from generator.rules.when import day_of_clock
from schema.study import Policy
from schema.value import Status
from schema.variable import VariableKind

#: What the event's own report says, what mends it, and what is named by a weak form, against a plain mention.
_REPORT, _CORRECTED, _WEAK = 2.0, 20.0, 0.4
#: An event whose time stands right after it ("Heure bolus : 15h48") took place, whatever box stands before.
_BESIDE = 2
#: How far from its time, in the units of `chronology`, a weak form may stand.
_WEAK_REACH, _GIVEN_REACH, _DRUG_REACH = 45, 90, 35
_GIVEN = anywhere("thrombolysis.given")
_OTHER_DRUG, _THROMBOLYTIC = anywhere("bolus.of_another"), anywhere("bolus.of_thrombolytic")
_PURPOSE, _REFUSED_BEFORE = closing("procedure.purpose", 6), closing("procedure.refused_before", 12)
_REFUSED_AFTER = opening("procedure.refused_after", 12)
_GRADE = re.compile(
    r"(?:tici)\s*(?:final\w*|modifie|post[\w -]{0,15}|score|est|a|de|cotee?|:|=|\(|\s)*\s*"
    r"(?P<grade>0|1|2\s?a|2\s?b(?:50|67)?|2\s?c|3|iii|ii\s?[abc]|i)(?![\w/]|[.,]\d)"
)
_INTO_VEIN = re.compile(r"\b(?:ivd?|ivse|ivl|pse|bolus|intra-?veineu\w*|perfus\w*|inject\w*|seringue)\b")
_ROMAN = {"i": "1", "iii": "3"}
_FAILED = ("0", "1", "2a")
_FAILURE = re.compile(
    r"\b(?:echec|pas de (?:re)?(?:canalisation|permeabilisation|perfusion)|"
    r"absence de recanalisation|sans recanalisation|aucune recanalisation)\b"
)
_OPEN = re.compile(
    r"\b(?:permeables?|opacifie\w*|reouvert\w*|ouvert\w*|reouverture|ouverture|repermeabilis\w*|desobstru\w*|recanalis\w*|"
    r"flux (?:normal|retabli|satisfaisant|anterograde)|bon flux)\b"
)
_NOT_OPEN = re.compile(r"\b(?:pas de|absence|aucune?|non|sans|occlusion persistante|persistance de l'occlusion)\s")
_FINAL = re.compile(r"\b(?:finale?s?|definiti\w+|au total|en fin|fin de procedure|a l'issue|dernier\w*)\b")


def read_clock(view: PatientView, plan: Plan) -> Answer:
    """The day and time of the event; a time alone where the variable asks for no day."""
    event = event_of(plan)
    if event == "onset":
        return read_onset(view, plan)
    if event == "admission":
        return _arrival(view, plan)
    if event == "recanalisation":
        return _recanalisation(view, plan)
    readings = [r for document in view.documents for r in _readings(view, plan, document, event)]
    if plan.policy in (Policy.FIRST, Policy.LAST) and not event:
        return choose(readings, plan, view)  # "première dose de furosémide": one of several times, not the most told
    return vote(readings) if readings else SILENT


def _arrival(view: PatientView, plan: Plan) -> Answer:
    episode = view.timeline.episode
    cites = view.readable(episode.admission_cites)
    if not (episode.admission and episode.arrival and cites):
        return SILENT
    value = _value(plan, dt.datetime.combine(episode.admission, episode.arrival))
    return Answer(Status.FOUND, value, cites[:2], 0.9)


def _readings(view: PatientView, plan: Plan, document: Annotated, event: str) -> Iterator[Reading]:
    if excluded(document, plan) or is_kind(document, [fold(kind) for kind in event_entry(event).get("elsewhere", ())]):
        return
    own = _REPORT if reports_event(document, plan, event) else 1.0
    concepts = event_concepts(event) if event else plan.anchors
    for timed in times_of(document, concepts, rivals_of(document, concepts)):
        if not event and (timed.cost > NEAR_UNNAMED or not _is_given_so(document, plan, timed.hit)):
            continue
        context = context_of(document, timed.hit)
        reach = _GIVEN_REACH if _is_given(document, timed) else _WEAK_REACH
        if timed.weak and (timed.cost > reach or _only_spoken_of(document, timed)):
            continue
        if event == "thrombolysis" and _bolus_of_another(document, timed.hit):
            continue
        beside = timed.cost <= _BESIDE
        if (context.negated or context.planned or context.hypothetical) and not (timed.corrects or beside):
            continue
        reading = reading_of(view, plan, document, timed)
        if reading:
            weight = own * (_WEAK if timed.weak else 1.0) * (_CORRECTED if timed.corrects else 1.0)
            yield Reading(reading.value, reading.cites, reading.moment, weight)


def _is_given_so(document: Annotated, plan: Plan, hit: Hit) -> bool:
    """Whether a drug is given by the route that the label names: "furosémide IV" is not the tablet of the morning."""
    if not (hit.concept.startswith(DRUG) and _INTO_VEIN.search(fold(plan.variable.label))):
        return True
    low, high = document.sentences[hit.sentence]
    return bool(_INTO_VEIN.search(document.folded, max(low, hit.start - 12), min(high, hit.end + 40)))


def _only_spoken_of(document: Annotated, timed: Timed) -> bool:
    """Whether an act is named as a plan, a question or a refusal: "avis pour TIV", "TIV contre-indiquée"."""
    low, high = document.sentences[timed.hit.sentence]
    before, after = document.folded[low : timed.hit.start], document.folded[timed.hit.end : high]
    return bool(_PURPOSE.search(before) or _REFUSED_BEFORE.search(before) or _REFUSED_AFTER.match(after))


def _is_given(document: Annotated, timed: Timed) -> bool:
    """Whether a verb of giving or doing stands between an act and its time: "TNK 15 mg en une fois, faite à 13h22"."""
    low, high = timed.hit.end, timed.mention.start
    return low < high and bool(_GIVEN.search(document.folded, low, high))


def _bolus_of_another(document: Annotated, hit: Hit) -> bool:
    """Whether a bolus is one of heparin, of an antihypertensive…: the drug named nearest before it, else after it."""
    low, high = document.sentences[hit.sentence]
    before = document.folded[max(low, hit.start - _DRUG_REACH) : hit.end]
    after = document.folded[hit.start : min(high, hit.end + _DRUG_REACH)]
    for text, nearest in ((before, -1), (after, 0)):
        named = sorted(
            (match.start(), other)
            for pattern, other in ((_OTHER_DRUG, True), (_THROMBOLYTIC, False))
            for match in pattern.finditer(text)
        )
        if named:
            return named[nearest][1]
    return False


def reading_of(view: PatientView, plan: Plan, document: Annotated, timed: Timed) -> Reading | None:
    """The event's moment as the variable writes it; None when its day is unknown."""
    clock, day = timed.mention.clock, day_of_clock(view.timeline, document, timed.mention)
    if clock is None or day is None or day < view.timeline.earliest:
        return None
    start, end = min(timed.hit.start, timed.mention.start), max(timed.hit.end, timed.mention.end)
    phase = view.timeline.phase_of_day(day) or Phase.ADMISSION
    moment = Moment(phase, day, clock, explicit=True)
    return Reading(_value(plan, dt.datetime.combine(day, clock)), (clause(document, start, end),), moment)


def _value(plan: Plan, when: dt.datetime) -> dt.datetime | dt.time:
    return when.time() if plan.variable.kind is VariableKind.TIME else when


def _recanalisation(view: PatientView, plan: Plan) -> Answer:
    """The time of the final result; silence when that result is a failure (TICI 0 to 2a)."""
    kinds = event_entry("recanalisation").get("documents", ())
    reports = [d for d in view.documents if reports_event(d, plan, "recanalisation")] if kinds else []
    final = _final_grade(reports) or _final_grade(view.documents)
    if final in _FAILED or (not final and any(_FAILURE.search(d.folded) for d in reports)):
        return SILENT
    readings = [r for document in reports for r in _results(view, plan, document, final)]
    readings = readings or [r for document in reports for r in _steps(view, plan, document, final)]
    retold = [r for d in view.documents if d not in reports for r in _results(view, plan, d, final)]
    pool = readings or retold
    if not pool:
        return SILENT
    best = max(pool, key=lambda r: (r.weight, r.moment.day or dt.date.min, r.moment.clock or dt.time.min))
    agreeing = [r for r in (*readings, *retold) if r.value == best.value and r is not best]
    cites = (*best.cites, *(cite for r in agreeing for cite in r.cites))
    return Answer(Status.FOUND, best.value, tuple(dict.fromkeys(cites))[:3], 0.9)


def _results(view: PatientView, plan: Plan, document: Annotated, final: str) -> Iterator[Reading]:
    """Times of the results that may be the final one, the plainest with the greatest weight."""
    if excluded(document, plan):
        return
    for timed in times_of(document, event_concepts("recanalisation")):
        reading = reading_of(view, plan, document, timed)
        context = context_of(document, timed.hit)
        if reading is None or context.negated or context.planned or context.hypothetical:
            continue
        low, high = document.sentences[document.sentence_of(timed.mention.start)]
        grade = _grade_beside(document, timed, low, high)
        if grade and (grade in _FAILED or (final and grade != final)):
            continue
        said_final = _FINAL.search(
            document.folded, max(low, timed.mention.start - 60), min(high, timed.mention.end + 60)
        )
        if not grade and timed.weak:
            continue
        weight = (2.0 if grade else 1.0) + (1.0 if said_final else 0.0) + (_CORRECTED if timed.corrects else 0.0)
        yield Reading(reading.value, reading.cites, reading.moment, weight)


def _steps(view: PatientView, plan: Plan, document: Annotated, final: str) -> Iterator[Reading]:
    """Times of passes and controls of the report that gave the final result: by their grade, or an artery seen open."""
    for timed in times_of(document, event_concepts("recanalisation_step")):
        reading = reading_of(view, plan, document, timed)
        sentence = document.sentence_of(max(timed.mention.end - 1, timed.hit.start))
        low, high = (
            document.sentences[sentence][0],
            document.sentences[min(sentence + 1, len(document.sentences) - 1)][1],
        )
        end = max(timed.hit.end, timed.mention.end)
        high = min([high, *(m.start for m in document.dates_in(end, high) if m.clock)])
        grades = [_grade(match) for match in _GRADE.finditer(document.folded, end, high)]
        grades = grades or [_grade(match) for match in _GRADE.finditer(document.folded, low, end)]
        opened = _OPEN.search(document.folded, end, high) and not _NOT_OPEN.search(document.folded, end, high)
        reached = grades[:1] == [final] if grades and final else opened and not grades
        if reading and reached:
            yield reading


def _grade_beside(document: Annotated, timed: Timed, low: int, high: int) -> str:
    """The grade that goes with a time: the one between the event and the time, else the next one, else the last."""
    text = document.folded
    start, end = min(timed.hit.start, timed.mention.start), max(timed.hit.end, timed.mention.end)
    following = [m.start for m in document.dates_in(end, high) if m.clock]
    stop = following[0] if following else high
    for first, last in ((start, min(high, end + 12)), (end, stop), (low, start)):
        found = [_grade(match) for match in _GRADE.finditer(text, first, last)]
        if found:
            return found[-1]
    return ""


def _grade(match: re.Match[str]) -> str:
    grade = match["grade"].replace(" ", "")
    return _ROMAN.get(grade, grade.replace("ii", "2").removesuffix("50").removesuffix("67"))


def _final_grade(documents: Sequence[Annotated]) -> str:
    """The grade said to be final, else the last one written in the last document that has any."""
    last = ""
    for document in documents:
        grades = list(_GRADE.finditer(document.folded)) if "tici" in document.folded else []
        if not grades:
            continue
        finals = [m for m in grades if _FINAL.search(document.folded, max(0, m.start() - 40), m.end() + 15)]
        last = _grade((finals or grades)[-1])
    return last
