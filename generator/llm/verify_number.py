"""Whether a quote writes a number, and writes it of the variable: beside its name, at its moment."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from generator.llm.verdict import Finding, Verdict
from generator.llm.verify_place import Shown, quotes_alone, sentences_alone
from generator.llm.verify_plans import words_of_sameness
from generator.llm.verify_words import label_words
from generator.rules.chronology import without_dots
from generator.rules.cues import PREFIX
from generator.rules.episode import Moment
from generator.rules.lexicon import load_lexicon
from generator.rules.numbers import Number, convert
from generator.rules.plan import Plan
from generator.rules.policies import fits
from generator.rules.readers.measure import measure_readings, read_measure
from generator.rules.reading import Cite, PatientView, Reading
from generator.rules.stay import written_day
from generator.rules.text import words as words_in
from schema.document import DateKind
from schema.study import Policy
from schema.value import Value
from schema.variable import Variable, VariableKind

#: How far a number may stand from a word of its variable: after it, or before it.
_AFTER, _BEFORE = 60, 40
#: A sentence no longer than this is only a value, of which the sentence before tells the moment.
_BARE = 30
#: "passé de 6,2 à 5,0 %": what comes first is past.
_PASSED = re.compile(r"\bpassee?s? de \d+(?:[.,]\d+)?[^\d.;,\n]{0,12}$")
#: What is compared with, and what is usual, was not measured: "Âge > 80", "Références : Hb 12-16 g/dL".
_COMPARED = re.compile(
    r"[<>≤≥]\s*$|\b(?:references?|normes?|valeurs? (?:usuelles?|normales?)|vr|cible|objectif)\b[^.;\n]*$"
)
_BETWEEN = re.compile(r"\d|;|\n|\.(?!\d)")


def same_number(variable: Variable, read: float, value: float) -> bool:
    """Whether a number is the value once it has the digits that the variable keeps; an interval's middle may be cut."""
    if variable.kind is VariableKind.INTEGER:
        return value in (math.floor(read + 0.5), math.floor(read)) if read != int(read) else read == value
    if variable.decimals is None:
        return math.isclose(read, value, rel_tol=1e-6, abs_tol=1e-9)
    unit = 10.0**-variable.decimals
    return abs(read - value) <= unit / 2 + 1e-9


def check_number(view: PatientView, plan: Plan, places: Sequence[Shown], value: float) -> Finding:
    """What the quotes say of a number that the rules did not read in them."""
    variable = plan.variable
    written = [(place, number) for place in places for number in _numbers_of(place) if _can_be(plan, number, value)]
    if not written:
        return Finding(Verdict.UNSUPPORTED, "Aucune citation ne porte ce nombre.")
    named = list(_named(view, plan, places, value))
    if named:
        if any(_in_time(view, plan, reading) for reading in named):
            if is_superseded(view, plan, value):
                return Finding(Verdict.OTHER_TIME, "Le dossier donne une autre valeur pour ce moment.")
            return Finding(Verdict.VERIFIED, "Le nombre est écrit après le nom de la mesure.", 0.8)
        if _is_pointed_at(view, plan, places, named):
            return Finding(Verdict.VERIFIED, "Une citation renvoie à la valeur de l'autre.", 0.6)
        return Finding(Verdict.OTHER_TIME, "La mesure citée est d'un autre moment.")
    for place, number in written:
        if _beside_its_words(plan, place, number):
            moment = view.timeline.moment(place.document, number.start, number.end, place.low, place.high)
            reading = Reading(value, (Cite(place.document, number.start, number.end),), moment)
            if _in_time(view, plan, reading):
                return Finding(Verdict.VERIFIED, "Le nombre est écrit à côté des mots de la question.", 0.65)
            return Finding(Verdict.OTHER_TIME, "Le nombre cité est d'un autre moment.")
    return Finding(Verdict.UNSUPPORTED, f"Rien ne rapporte ce nombre à « {variable.label} ».")


def writes_number(plan: Plan, places: Sequence[Shown], value: float) -> bool:
    """Whether a quote writes the number, in whatever unit."""
    return any(_can_be(plan, number, value) for place in places for number in _numbers_of(place))


#: Policy -> the words of time that say its moment.
_CUES = {
    Policy.AT_ADMISSION: "time.admission",
    Policy.AT_DAY: "time.day1",
    Policy.AT_DISCHARGE: "time.discharge",
    Policy.AT_FOLLOW_UP: "time.followup",
    Policy.BEFORE: "time.before",
}


def is_superseded(view: PatientView, plan: Plan, value: float) -> bool:
    """Whether a first, last, highest or lowest value is another one, as the rules read the whole record.

    No quote can tell that alone.
    """
    if plan.policy not in _OF_SEVERAL or plan.reader != "measure":
        return False
    units = [plan.unit] if plan.unit else ["", *_usual_units(plan)]
    read = [_whole(view, plan, unit) for unit in units]
    told = [each for each in read if isinstance(each, int | float)]
    return bool(told) and not any(same_number(plan.variable, float(each), value) for each in told)


def _whole(view: PatientView, plan: Plan, unit: str) -> Value | None:
    asked = replace(plan, unit=unit)
    return view.once(f"whole {plan.variable.name} {unit}", lambda seen: read_measure(seen, asked).value)


#: Words of the day that a patient leaves, which the rules do not have among theirs.
_LEAVES = re.compile(r"\bsort(?:ant)? (?:avec|ce jour|a domicile)\b|\b(?:jour|moment) du depart\b|\bau depart\b")
_AT_THE_END = (Policy.AT_DISCHARGE, Policy.DURING_STAY, Policy.ANY_TIME, Policy.LAST, Policy.HIGHEST, Policy.LOWEST)
_OF_SEVERAL = (Policy.FIRST, Policy.LAST, Policy.HIGHEST, Policy.LOWEST)


def _numbers_of(place: Shown) -> Iterator[Number]:
    """The numbers of which a quote shows the figures; the unit may lie outside."""
    for number in place.document.numbers_in(place.low, place.high):
        figures = re.match(r"\d+(?:[.,]\d+)?", place.document.folded[number.start : number.end])
        end = number.start + figures.end() if figures else number.end
        compared = _COMPARED.search(place.document.folded, place.low, number.start)
        if place.start <= number.start and end <= place.end and not compared:
            yield number


def _can_be(plan: Plan, number: Number, value: float) -> bool:
    """Whether a number, in its unit or in any that the measure is given in, is the value."""
    written = [number.value]
    if number.second is not None and number.joint == "-":
        written += [number.second, _middle(number)]
    elif number.second is not None and _is_pressure(plan):
        written.append(number.second)
    return any(same_number(plan.variable, amount, value) for one in written for amount in _amounts(plan, number, one))


def _middle(number: Number) -> float:
    return (number.value + (number.second or number.value)) / 2


def _amounts(plan: Plan, number: Number, amount: float) -> Iterator[float]:
    """A number as written, and in the units that the variable may be in."""
    targets = [plan.unit] if plan.unit else _usual_units(plan)
    sources = [number.unit] if number.unit else ([plan.unit] if plan.unit else _usual_units(plan))
    if not number.unit or not plan.unit or number.unit == plan.unit:
        yield amount
    for source in sources:
        for target in targets:
            converted = convert(amount, source, target, plan.analyte) if source != target else None
            if converted is not None:
                yield converted
    if _is_pressure(plan) and amount < 30:  # "16/9" says 160/90
        yield amount * 10


def _is_pressure(plan: Plan) -> bool:
    return plan.reader == "pressure" or plan.unit == "mmHg"


def _usual_units(plan: Plan) -> list[str]:
    lexicon = load_lexicon("concepts")
    return [unit for anchor in plan.anchors for unit in lexicon.get(anchor, {}).get("units", {})]


def _named(view: PatientView, plan: Plan, places: Sequence[Shown], value: float) -> Iterator[Reading]:
    """The readings of the variable's own measure that give the value, at any moment, whatever unit it is asked in."""
    if not plan.anchors:
        return
    for unit in [plan.unit] if plan.unit else ["", *_usual_units(plan)]:
        asked = replace(plan, unit=unit, policy=Policy.ANY_TIME, offset=None)
        for seen in (quotes_alone(view, places), sentences_alone(view, places)):
            for document in seen.documents:
                for reading in measure_readings(seen, asked, document):
                    if _is(plan.variable, reading.value, value) and _is_shown(reading, places):
                        yield reading


def _is_pointed_at(view: PatientView, plan: Plan, places: Sequence[Shown], named: Sequence[Reading]) -> bool:
    """Whether another quote, of the right moment, says that the value has not changed: "NIHSS stable à la sortie"."""
    for place in places:
        words = set(words_in(place.words))
        if not words & words_of_sameness() or any(_holds(place, reading) for reading in named):
            continue
        if _says_moment(plan, place) or (not _is_dated(place) and _is_written_then(view, plan, place)):
            return True
    return False


def _says_moment(plan: Plan, place: Shown) -> bool:
    cue = _CUES.get(plan.policy)
    return cue is not None and any(True for _ in place.document.within(PREFIX + cue, place.low, place.high))


def _is_dated(place: Shown) -> bool:
    """Whether a sentence gives a date or a moment of its own."""
    document = place.document
    if any(m.kind in (DateKind.ABSOLUTE, DateKind.DAY_OFFSET) for m in document.dates_in(place.low, place.high)):
        return True
    return any(True for cue in _CUES.values() for _ in document.within(PREFIX + cue, place.low, place.high))


def _is_written_then(view: PatientView, plan: Plan, place: Shown) -> bool:
    document = place.document
    moment = Moment(view.timeline.document_phase(document), written_day(document))
    return fits(Reading(0, (Cite(document, place.start, place.end),), moment), plan, view)


def _holds(place: Shown, reading: Reading) -> bool:
    cite = reading.cites[0]
    same = cite.document.document.document_id == place.document.document.document_id
    return same and place.low <= cite.start < place.high


def _is(variable: Variable, read: Value, value: float) -> bool:
    return isinstance(read, int | float) and same_number(variable, float(read), value)


def _is_shown(reading: Reading, places: Sequence[Shown]) -> bool:
    """Whether a quote shows the end of what was read, where its number stands."""
    cite = reading.cites[0]
    name = cite.document.document.document_id
    return any(
        place.document.document.document_id == name and place.start < cite.end and cite.start < place.end
        for place in places
    )


def _in_time(view: PatientView, plan: Plan, reading: Reading) -> bool:
    """Whether a number stands at the variable's moment, as its sentence says or else the sentence before."""
    document, cite = reading.document, reading.cites[0]
    index = document.sentence_of(cite.start)
    if _LEAVES.search(document.folded, *document.sentences[index]):
        return plan.policy in _AT_THE_END
    if fits(reading, plan, view):
        return True
    if reading.moment.explicit or index == 0 or document.sentences[index][1] - cite.start > _BARE:
        return False
    low, high = document.sentences[index - 1][0], document.sentences[index][1]
    if document.section_of(low) != document.section_of(cite.start):
        return False
    moment = view.timeline.moment(document, cite.start, cite.end, low, high)
    return moment.explicit and fits(replace(reading, moment=moment), plan, view)


def _beside_its_words(plan: Plan, place: Shown, number: Number) -> bool:
    """Whether the nearest name before a number, else after it, is the variable's own."""
    document = place.document
    own = [*_own_names(plan, place)]
    others = [
        (hit.start, hit.end)
        for hit in document.measures_after(place.low, place.high)
        if not any(hit.start < end and start < hit.end for start, end in own)
    ]
    text = document.folded
    before = [
        (end, is_own)
        for names, is_own in ((own, True), (others, False))
        for start, end in names
        if end <= number.start and number.start - end <= _AFTER
    ]
    if before:
        end, is_own = max(before)
        between = _PASSED.sub(" ", without_dots(text[end : number.start]))
        if is_own and not _BETWEEN.search(between):
            return True
        if not is_own:
            return False
    after = [start for start, _ in own if 0 <= start - number.end <= _BEFORE]
    return bool(after) and not _BETWEEN.search(text, number.end, min(after))


def _own_names(plan: Plan, place: Shown) -> Iterator[tuple[int, int]]:
    document = place.document
    for anchor in plan.anchors:
        for hit in document.within(anchor, place.low, place.high):
            yield hit.start, hit.end
    if not plan.anchors or all(anchor.startswith("var:") for anchor in plan.anchors):
        for match in label_words(plan.variable.label).found_in(place.sentence):
            yield place.low + match.start(), place.low + match.end()
