"""Scores and quantities: a number written after its name ("NIHSS = 19", "LDL 1,24 g/L")."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from generator.rules.annotate import Annotated
from generator.rules.context import context_at
from generator.rules.cues import PREFIX
from generator.rules.episode import Moment, Phase
from generator.rules.matcher import Hit
from generator.rules.numbers import DURATIONS, Number
from generator.rules.plan import Plan
from generator.rules.policies import choose, eligible
from generator.rules.quantity import is_score, to_variable
from generator.rules.readers.vital import find_death
from generator.rules.reading import Answer, Cite, PatientView, Reading
from generator.rules.stay import ACUTE, is_kind
from generator.rules.text import fold
from schema.document import PartialDate
from schema.study import Policy
from schema.value import Status, Value

#: A value stands no further than this after its name; beyond, it belongs to something else.
_REACH = 70
#: A second value of the same name follows the first this closely: "NIHSS 12 à H24, 9 le 25/06".
_NEXT_REACH = 45
#: A score written item by item gives its total within this distance of its name.
_TOTAL_REACH = 700
#: Support lost with each further document that gives a value for the arrival.
_LATER_TEAM = 0.85
_PAST_SECTIONS = ("antecedents", "antecedents_familiaux")
#: A value of the last days before the discharge stands for the one at discharge.
_LAST_DAYS = 3
_UNDATED = PartialDate(9999)
#: A score spoken of again without its name was named within this distance.
_ANAPHORA_REACH = 400
_BREAK = re.compile(r"[;|]|\n\s*\n|(?<!\.)\.(?![\d.])")
_CLAUSE_END = re.compile(r"[,;|\n)(]|\.(?!\d)|\bpuis\b|\bet\b|->|=>|→")
_LINKS = re.compile(r"^\s*(?:,|;|puis|et|->|=>|→|\(|\)|-|/|\s|a|le|la|les|du|au|de|d'|soit|jusqu'a|:|=|est)")
_COMPARED = re.compile(
    r"(?<![-=])[<>≤≥]\s*(?:a\s*)?$|"
    r"\b(?:inferieur\w*|superieur\w*|moins de|plus de|sous|objectif|cible|seuil)\s*(?:a|de)?\s*$"
)
#: "NIHSS 16 -> 20": what came before the arrow is past.
_ARROW = re.compile(r"\s*(?:->|=>|→|-->)\s*\d")
#: An arrow leads from a finding to what is done about it: "LDL ↑ → atorva 80".
_TO_ANOTHER = re.compile(r"(?:→|->|=>)\s*[a-z]{3}")
#: A reference interval is no result: "<6", "(0,74-1,06)".
_REFERENCE = re.compile(r"(?:[<>≤≥]\s*|\(\s*|\bn\s*[:=<]\s*|\bvr\s*[:=]?\s*)$")
#: A table's cell without a value: "TSH      .      3,27".
_EMPTY_CELL = re.compile(r"[^.\n]{0,30}?(?:\s{2}|\t|\|)\s*\.")
#: Words that make a number a rounding of the one measured elsewhere.
_ABOUT = re.compile(r"\b(?:proche de|environ|autour de|aux alentours de|vers les)\s*$|~\s*$")
#: What the patient says of it, not what was measured.
_DECLARED = re.compile(
    r"\s*\(?(?:declare\w*|estime\w*|rapporte\w*|annonce\w*|selon (?:lui|elle|le patient|la patiente))\b"
)
#: Another quantity of the same name: "poids habituel 75", "poids sec", "TA cible".
_ANOTHER = re.compile(
    r"\s*\(?(?:habituel\w*|de forme|sec\b|ideal\w*|theorique\w*|cible\w*|objectif|de reference|anterieur\w*|avant\b|"
    r"de base\b|predit\w*|normale?s?\b)"
)
_LOST = re.compile(
    r"\b(?:perte|prise|gain|variation|ecart|baisse|chute|hausse|augmentation|objectif|cible)s? d[eu]\s*$"
)
#: "NIHSS 2 (ataxie 1, dysarthrie 1)": the items of a score are no values of it.
_DETAIL = re.compile(r"\([^)]*[a-z]{3}")
#: Units that only one measure has.
_NAMED_BY_UNIT = ("pack-years",)
_REMARK = re.compile(r"\([^)]*\)")
_ROUGH_WEIGHT = 0.3
_CAPILLARY, _CAPILLARY_WEIGHT = re.compile(r"\b(?:cap\b|capillaire|dextro|hgt|lecteur|bandelette)"), 0.2
_TOTAL = re.compile(r"\btotal\s*(?:nihss)?\s*[:=]?\s*(\d{1,2})\b")


def read_measure(view: PatientView, plan: Plan) -> Answer:
    """The number that stands at the plan's moment, in the variable's unit."""
    readings = [reading for document in view.documents for reading in measure_readings(view, plan, document)]
    readings += list(_unchanged(view, plan, readings))
    chosen = first_of_each_document(eligible(readings, plan, view), plan)
    answer = choose(chosen or _nearest_in_stay(view, plan, readings), plan, view)
    return _of_the_dead(view, plan) or answer


def _nearest_in_stay(view: PatientView, plan: Plan, readings: Sequence[Reading]) -> list[Reading]:
    """What was measured a day after the arrival, or in the last days before the discharge, where nothing is nearer.

    A weight or a laboratory value, that is: a score is of its own day.
    """
    episode = view.timeline.episode
    dated = [(r.moment.day, r) for r in readings if r.moment.explicit or _of_its_day(view, r)]
    if is_score(plan) or not plan.unit or episode.admission is None:
        return []
    if plan.policy is Policy.AT_ADMISSION:
        days = [(day, r) for day, r in dated if day and 0 <= (day - episode.admission).days <= 1]
        first = min((day for day, _ in days), default=None)
        return [r for day, r in days if day == first][:1]
    death = view.once("death", find_death)
    if plan.policy is Policy.AT_DISCHARGE and episode.discharge and not (death and death.in_stay):
        days = [(day, r) for day, r in dated
                if day and (day - episode.admission).days > 1
                and 0 <= (episode.discharge - day).days <= _LAST_DAYS]  # fmt: skip
        last = max((day for day, _ in days), default=None)
        return [r for day, r in days if day == last][-1:]
    return []


def _of_its_day(view: PatientView, reading: Reading) -> bool:
    """Whether a document of the stay, not a summary, writes the value without another date: it is of its own day."""
    return view.timeline.document_phase(reading.document) in (Phase.ADMISSION, Phase.DAY1, Phase.STAY)


def _of_the_dead(view: PatientView, plan: Plan) -> Answer | None:
    """The grade that a scale keeps for death (6 on the modified Rankin scale), when the patient died by then."""
    grade, admission = plan.hints.settings.get("death"), view.timeline.episode.admission
    if not isinstance(grade, int | float) or plan.offset is None or admission is None:
        return None
    death = view.once("death", find_death)
    if death is None or (death.day and (death.day - admission).days > plan.offset):
        return None
    return Answer(Status.FOUND, int(grade), death.cites, 0.9, explanation="décès avant la date de suivi")


def measure_readings(view: PatientView, plan: Plan, document: Annotated) -> Iterator[Reading]:
    """Every value of the plan's measure in one document, each at its own moment."""
    if excluded(document, plan):
        return
    taken: set[int] = set()
    named = [hit for anchor in plan.anchors for hit in document.find(anchor)]
    for hit in sorted([*named, *_bare_scores(plan, document)], key=lambda hit: -hit.start):
        for reading in _readings_of_hit(view, plan, document, hit):
            end = reading.cites[0].end
            if end not in taken:
                taken.add(end)
                yield reading
    if plan.unit in _NAMED_BY_UNIT:
        yield from _named_by_unit(view, plan, document, taken)
    for code in plan.choices:
        yield from _stated_in_words(view, plan, document, code)


def _named_by_unit(view: PatientView, plan: Plan, document: Annotated, taken: set[int]) -> Iterator[Reading]:
    """Values whose unit says what they are: "tabac arrêté en 2019, 45 PA"."""
    for number in document.numbers:
        if number.unit != plan.unit or number.end in taken:
            continue
        sentence = document.sentence_of(number.start)
        context = context_at(document, number.start, number.end, sentence)
        value = to_variable(number, plan, "")
        if value is not None and not (context.family or context.other_person):
            # What has piled up over a life is true of the time before, whenever it is written.
            moment = Moment(Phase.BEFORE if plan.policy is Policy.BEFORE else view.timeline.document_phase(document))
            yield Reading(value, (Cite(document, number.start, number.end),), moment)


def _bare_scores(plan: Plan, document: Annotated) -> Iterator[Hit]:
    """ "le score était de 4": a score without its name is the one named last before it."""
    if not is_score(plan):
        return
    for hit in document.find(PREFIX + "score"):
        named = list(document.measures_after(max(0, hit.start - _ANAPHORA_REACH), hit.end + 25))
        if named and named[-1].end <= hit.start and named[-1].concept in plan.anchors:
            yield hit


def first_of_each_document(readings: Sequence[Reading], plan: Plan) -> list[Reading]:
    """At admission, a document's first value counts: later ones are controls ("PA 184/90, puis 171/86")."""
    if plan.policy is not Policy.AT_ADMISSION:
        return list(readings)
    ordered = sorted(
        readings,
        key=lambda r: (
            not is_kind(r.document, ACUTE),
            r.document.document.written_on or _UNDATED,
            r.document.document.document_id,
            r.cites[0].start,
        ),
    )
    groups = itertools.groupby(ordered, key=lambda r: r.document.document.document_id)
    firsts = [max(group, key=lambda r: r.weight) for _, group in groups]
    # The first team to write is the one that saw the patient arrive.
    return [replace(reading, weight=reading.weight * _LATER_TEAM**rank) for rank, reading in enumerate(firsts)]


def excluded(document: Annotated, plan: Plan) -> bool:
    """Whether the study leaves out documents of this type."""
    return is_kind(document, [fold(kind) for kind in plan.hints.excluded_types])


def _readings_of_hit(view: PatientView, plan: Plan, document: Annotated, hit: Hit) -> Iterator[Reading]:
    low, high = _window(document, hit)
    row = _table_row(view, plan, document, hit)
    if row:
        yield from row
        return
    stop = next_measure(document, plan, hit.end, min(high, hit.end + _REACH))
    number = _first_number(document, plan, hit, stop)
    if number is None:
        total = _total(document, plan, hit)
        if total is not None:
            yield Reading(total[0], (total[1],), view.timeline.moment(document, hit.start, hit.end, low, high))
        return
    clause_start, first = low, True
    while number:
        clause_stop = clause_end(document, number.end, min(high, number.end + _NEXT_REACH))
        superseded = clause_stop - number.end <= 2 and _ARROW.match(document.folded, clause_stop)
        if not superseded:
            value = to_variable(number, plan, document.folded[hit.end : number.start] if first else "")
            moment = view.timeline.moment(document, number.start, number.end, clause_start, clause_stop)
            if not moment.explicit and _in_history(document, hit):
                moment = Moment(Phase.BEFORE)  # "ATCD : insuffisance cardiaque, FEVG 35 %"
            if value is not None and (first or moment.explicit):
                weight = _directness(document, hit, number)
                yield Reading(value, (Cite(document, hit.start, number.end),), moment, weight)
            clause_start = number.end
        first = False
        stop = next_measure(document, plan, number.end, min(high, number.end + _NEXT_REACH))
        number = _next_number(document, plan, number.end, stop)


def _in_history(document: Annotated, hit: Hit) -> bool:
    """Whether a list of history holds a name; on the line of the title, within its first sentence only."""
    if not document.in_section(hit.start, _PAST_SECTIONS):
        return False
    section = document.section_of(hit.start)
    first = document.sentence_of(section.start)
    return hit.sentence == first or document.sentences[first][1] <= section.start + len(section.title) + 3


def _window(document: Annotated, hit: Hit) -> tuple[int, int]:
    """The sentence of a name; and the next line, when the name ends its own and the line goes on ("ASPECTS ⏎ = 8")."""
    low, high = document.sentences[hit.sentence]
    if hit.end >= high - 1 and hit.sentence + 1 < len(document.sentences) and document.folded[high - 1] != ".":
        start, end = document.sentences[hit.sentence + 1]
        if start - high <= 2 and (document.document.text[start].islower() or document.folded[start] in "=:0123456789"):
            return low, end
    return low, high


def _directness(document: Annotated, hit: Hit, number: Number) -> float:
    """Less for a rounding and for a finger-prick reading, which give way to the laboratory's value."""
    between = document.folded[hit.end : number.start]
    if _ABOUT.search(between) or _DECLARED.match(between):
        return _ROUGH_WEIGHT
    return _CAPILLARY_WEIGHT if _CAPILLARY.search(document.folded, hit.start, number.start) else 1.0


def _first_number(document: Annotated, plan: Plan, hit: Hit, stop: int) -> Number | None:
    for number in document.numbers_in(hit.end, stop):
        between = document.folded[hit.end : number.start]
        if _BREAK.search(between) or (
            "," in _REMARK.sub("", between) and not _only_time_words(document, hit.end, number.start)
        ):
            return None
        if _COMPARED.search(between) or _TO_ANOTHER.search(between) or _names_another(document, plan, hit, between):
            return None
        if re.match(r"/\d", document.folded[number.end : number.end + 2]):
            return None  # "Apgar 9/10/10" holds three scores
        if to_variable(number, plan, between) is not None:
            return number
        if not _skippable(number, between):
            return None
    return None


def _names_another(document: Annotated, plan: Plan, hit: Hit, between: str) -> bool:
    """Whether the words around a name make it a usual value, a target or a change, which is not the one measured."""
    if plan.baseline or plan.policy is Policy.BEFORE:
        return False
    return bool(_ANOTHER.match(between) or _LOST.search(document.folded, max(0, hit.start - 20), hit.start))


def _skippable(number: Number, between: str) -> bool:
    """Numbers that may stand between a name and its value: a duration, or a bracketed remark."""
    return number.unit in DURATIONS or between.rstrip().endswith("(")


def _only_time_words(document: Annotated, start: int, end: int) -> bool:
    return any(True for name in ("time.admission", "time.day1", "time.discharge")
               for _ in document.within(PREFIX + name, start, end))  # fmt: skip


def _next_number(document: Annotated, plan: Plan, start: int, stop: int) -> Number | None:
    numbers = document.numbers_in(start, stop)
    if not numbers or not _LINKS.match(document.folded[start : numbers[0].start + 1]):
        return None
    between = document.folded[start : numbers[0].start]
    if _BREAK.search(between) or _COMPARED.search(between) or _DETAIL.search(between):
        return None
    return numbers[0] if to_variable(numbers[0], plan, "") is not None else None


def clause_end(document: Annotated, start: int, high: int) -> int:
    """Where the words that date a value end: at the next number, comma or stop."""
    limit = next((n.start for n in document.numbers_in(start, high) if n.unit not in DURATIONS), high)
    opening = re.match(r"\s*\(", document.folded[start:limit])
    dated = opening and document.dates_in(start, start + opening.end() + 4)
    match = _CLAUSE_END.search(document.folded, start + (opening.end() if opening and dated else 0), limit)
    return match.start() if match else limit


def next_measure(document: Annotated, plan: Plan, start: int, stop: int) -> int:
    """Where another measure's name begins: numbers beyond it are its own."""
    for hit in document.measures_after(start, stop):
        if hit.concept not in plan.anchors:
            return hit.start
    return stop


def _total(document: Annotated, plan: Plan, hit: Hit) -> tuple[Value, Cite] | None:
    """The total of a score written item by item under its name ("NIHSS … 1a 0 / 1b 0 … TOTAL 8")."""
    if not is_score(plan):
        return None
    match = _TOTAL.search(document.folded, hit.end, min(len(document.folded), hit.end + _TOTAL_REACH))
    if not match:
        return None
    value = to_variable(Number(float(match[1]), match.start(1), match.end(1)), plan, "")
    return None if value is None else (value, Cite(document, match.start(), match.end()))


def _table_row(view: PatientView, plan: Plan, document: Annotated, hit: Hit) -> list[Reading]:
    """Values of a laboratory table whose header row gives the days: "Glycémie (g/L)   2,05   1,82"."""
    low, high = document.sentences[hit.sentence]
    if _EMPTY_CELL.match(document.folded, hit.end):  # the dots of empty cells end no sentence
        line_end = document.folded.find("\n", hit.end)
        high = line_end if line_end >= 0 else len(document.folded)
    numbers = document.numbers_in(hit.end, high)
    if not numbers or not re.search(r"\s{2,}|\t|\|", document.folded[hit.end : numbers[-1].start]):
        return []
    numbers = [number for number in numbers if not _REFERENCE.search(document.folded, low, number.start)]
    for sentence in range(hit.sentence - 1, max(-1, hit.sentence - 40), -1):
        start, end = document.sentences[sentence]
        header = [mention for mention in document.dates_in(start, end) if view.timeline.day_of(mention)]
        if len(header) < 2:
            continue
        readings = []
        for number in numbers:
            mention = min(header, key=lambda m: abs(_column(document, m.end) - _column(document, number.start)))
            value = to_variable(number, plan, document.folded[hit.end : numbers[0].start])
            day = view.timeline.day_of(mention)
            phase = view.timeline.phase_of_day(day) if day else None
            if value is not None and phase is not None:
                moment = Moment(phase, day, mention.clock, explicit=True)
                readings.append(Reading(value, (Cite(document, hit.start, number.end),), moment))
        return readings
    return []


def _column(document: Annotated, position: int) -> int:
    """Characters from the start of the line: values of a table stand under the head of their column."""
    return position - document.folded.rfind("\n", 0, position)


def _stated_in_words(view: PatientView, plan: Plan, document: Annotated, code: str) -> Iterator[Reading]:
    """Values that a phrase of the study file stands for ("autonome, aucun symptôme" is a Rankin of 0)."""
    for hit in document.find(plan.choices[code]):
        low, high = document.sentences[hit.sentence]
        moment = view.timeline.moment(document, hit.start, hit.end, low, high)
        yield Reading(int(code), (Cite(document, hit.start, hit.end),), moment, 0.6)


def _unchanged(view: PatientView, plan: Plan, readings: Sequence[Reading]) -> Iterator[Reading]:
    """ "NIHSS inchangé": the value is that of the reading before it, and both places are cited."""
    for document in view.documents:
        if excluded(document, plan):
            continue
        for anchor in plan.anchors:
            for hit in document.find(anchor):
                low, high = document.sentences[hit.sentence]
                stop = min(high, hit.end + 25)
                cue = next(iter(document.within(PREFIX + "unchanged", hit.end, stop)), None)
                if cue is None or document.numbers_in(hit.end, stop):
                    continue
                compared = _THAN.search(document.folded, cue.end, high)
                moment = view.timeline.moment(document, hit.start, hit.end, low, compared.start() if compared else high)
                earlier = [r for r in readings if r.moment.phase >= Phase.ADMISSION and _precedes(r, document, hit)]
                if earlier:
                    last = max(earlier, key=lambda r: (r.moment.phase, r.moment.day or view.timeline.earliest))
                    cites = (Cite(document, hit.start, cue.end), *last.cites)
                    yield replace(last, cites=cites, moment=moment, weight=0.7)


_THAN = re.compile(r"\b(?:par rapport|compare|vs|versus)\b")


def _precedes(reading: Reading, document: Annotated, hit: Hit) -> bool:
    if reading.document is document:
        return reading.cites[0].end <= hit.start
    theirs, ours = reading.document.document.written_on, document.document.written_on
    return bool(theirs and ours and theirs.earliest() <= ours.earliest())
