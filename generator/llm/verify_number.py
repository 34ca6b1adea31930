"""Whether a quote writes a number, and writes it of the variable: beside its name, at its moment."""

from __future__ import annotations

import datetime as dt
import functools
import math
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from generator.llm.verdict import Finding, Verdict
from generator.llm.verify_lexicon import words_of_sameness
from generator.llm.verify_place import Shown, quotes_alone, sentences_alone, with_text_before
from generator.llm.verify_said import said_of
from generator.llm.verify_words import label_words
from generator.rules.annotate import Annotated
from generator.rules.chronology import without_dots
from generator.rules.cues import PREFIX
from generator.rules.episode import Moment, Phase
from generator.rules.lexicon import load_lexicon
from generator.rules.moments import moment_of
from generator.rules.numbers import Number, convert
from generator.rules.plan import Plan
from generator.rules.policies import fits
from generator.rules.readers.measure import measure_readings, read_measure
from generator.rules.readers.pressure import read_pressure
from generator.rules.reading import Cite, PatientView, Reading
from generator.rules.stay import written_day
from generator.rules.text import fold
from generator.rules.text import words as words_in
from schema.document import DateKind
from schema.study import Policy
from schema.value import Value
from schema.variable import Variable, VariableKind

#: How far a number may stand from a word of its variable: after it, or before it.
_AFTER, _BEFORE = 60, 40
#: Share of the words of a label that name a measure which a document calls otherwise than the lexicon.
_MOST = 0.6
#: How far before a quote the score may be named that it speaks of again.
_ANAPHORA_REACH = 400
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
        if value == 0 and not any(place.document.numbers_in(place.start, place.end) for place in places):
            return _none(plan, places)
        return Finding(Verdict.UNSUPPORTED, "Aucune citation ne porte ce nombre.")
    named = list(_named(view, plan, places, value))
    if named:
        if any(_in_time(view, plan, reading) for reading in named):
            if is_superseded(view, plan, places, value):
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


def _none(plan: Plan, places: Sequence[Shown]) -> Finding:
    """A degree or a share of something that a quote denies is none: "pas de sténose" is 0 %."""
    words = label_words(plan.variable.label)
    denied = [
        said_of(place.document, place.start + match.start(), place.start + match.end()).negated
        for place in places
        for match in words.found_in(place.words)
    ]
    if plan.unit == "%" and denied and all(denied):
        return Finding(Verdict.VERIFIED, "La citation nie ce qui serait mesuré.", 0.6)
    return Finding(Verdict.UNSUPPORTED, "Aucune citation ne porte ce nombre.")


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


def is_superseded(view: PatientView, plan: Plan, places: Sequence[Shown], value: float) -> bool:
    """Whether a first, last, highest or lowest value is another one, as the rules read the whole record.

    No quote can tell that alone; nor that a value of the day after stands for the one of the arrival.
    """
    if plan.policy not in _OF_SEVERAL or plan.reader not in _READERS:
        return False
    if plan.policy is Policy.AT_ADMISSION and any(_is_of_arrival(view, place) for place in places):
        return False
    units = [plan.unit] if plan.unit else ["", *_usual_units(plan)]
    read = [_whole(view, plan, unit) for unit in units]
    told = [each for each in read if isinstance(each, int | float)]
    return bool(told) and not any(same_number(plan.variable, float(each), value) for each in told)


def _is_of_arrival(view: PatientView, place: Shown) -> bool:
    """Whether a quote is written on the day of the arrival, or says that it speaks of it."""
    admission = view.timeline.episode.admission
    if admission is not None and written_day(place.document) == admission:
        return True
    return any(True for _ in place.document.within(PREFIX + _CUES[Policy.AT_ADMISSION], place.low, place.high))


def is_compared(plan: Plan, places: Sequence[Shown], value: float) -> bool:
    """Whether quotes write the number only as what others are compared with: "appeler si PAS > 180"."""
    written = any(
        _can_be(plan, number, value) for place in places for number in place.document.numbers_in(place.start, place.end)
    )
    return written and not writes_number(plan, places, value)


def _whole(view: PatientView, plan: Plan, unit: str) -> Value | None:
    asked = replace(plan, unit=unit)
    return view.once(
        f"whole {plan.variable.name} {unit}", lambda _: _READERS[plan.reader](_in_stay(view, plan), asked).value
    )


def _in_stay(view: PatientView, plan: Plan) -> PatientView:
    """The patient before the end of the stay, where the label asks for the last value of it."""
    if plan.policy is not Policy.LAST or not _OF_STAY.search(fold(plan.variable.label)):
        return view
    kept = [d for d in view.documents if view.timeline.document_phase(d) is not Phase.FOLLOW_UP]
    return PatientView(kept, view.timeline)


#: Words of the day that a patient leaves, which the rules do not have among theirs.
_LEAVES = re.compile(r"\bsort(?:ant)? (?:avec|ce jour|a domicile)\b|\b(?:jour|moment) du depart\b|\bau depart\b")
_OF_STAY = re.compile(r"\b(?:sejour|hospitalisation)\b")
_READERS = {"measure": read_measure, "pressure": read_pressure}
_AT_THE_END = (Policy.AT_DISCHARGE, Policy.DURING_STAY, Policy.ANY_TIME, Policy.LAST, Policy.HIGHEST, Policy.LOWEST)
_OF_THIS_STAY = (
    Policy.AT_ADMISSION,
    Policy.AT_DAY,
    Policy.AT_DISCHARGE,
    Policy.DURING_STAY,
    Policy.FIRST,
    Policy.HIGHEST,
    Policy.LOWEST,
)
_OF_SEVERAL = (Policy.AT_ADMISSION, Policy.FIRST, Policy.LAST, Policy.HIGHEST, Policy.LOWEST)


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
        if any(True for p in places for anchor in plan.anchors for _ in p.document.within(anchor, p.low, p.high)):
            continue
        # "Le score était de 4": the score is the one named before, in another sentence than the quote's.
        seen = with_text_before(view, places, _ANAPHORA_REACH)
        for document in seen.documents:
            for reading in measure_readings(seen, asked, document):
                if _is(plan.variable, reading.value, value) and _starts_in(reading, places):
                    yield reading


def _is_pointed_at(view: PatientView, plan: Plan, places: Sequence[Shown], named: Sequence[Reading]) -> bool:
    """Whether another quote, of the right moment, says that the value has not changed: "NIHSS stable à la sortie"."""
    for place in places:
        words = set(words_in(place.words))
        if not words & words_of_sameness() or any(_holds(place, reading) for reading in named):
            continue
        days = {written_day(reading.document) for reading in named}
        if _says_moment(plan, place) or (not _is_dated(view, place, days) and _is_written_then(view, plan, place)):
            return True
    return False


def _says_moment(plan: Plan, place: Shown) -> bool:
    cue = _CUES.get(plan.policy)
    return cue is not None and any(True for _ in place.document.within(PREFIX + cue, place.low, place.high))


def _is_dated(view: PatientView, place: Shown, pointed: Collection[dt.date | None]) -> bool:
    """Whether a sentence gives a date or a moment of its own, and not the day of the document that it points to."""
    document = place.document
    dates = [m for m in document.dates_in(place.low, place.high) if m.kind in (DateKind.ABSOLUTE, DateKind.DAY_OFFSET)]
    if any(view.timeline.day_of(mention) not in pointed for mention in dates):
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


def _starts_in(reading: Reading, places: Sequence[Shown]) -> bool:
    """Whether the name of what was read lies in a quote, as its number does."""
    cite = reading.cites[0]
    return any(_holds(place, reading) and place.start <= cite.start and cite.end <= place.end for place in places)


def _in_time(view: PatientView, plan: Plan, reading: Reading) -> bool:
    """Whether a number stands at the variable's moment, as its sentence says or else the sentence before."""
    cite = reading.cites[0]
    name = reading.document.document.document_id
    document = next(each for each in view.documents if each.document.document_id == name)  # with its sentences around
    index = document.sentence_of(cite.start)
    if _LEAVES.search(document.folded, *document.sentences[index]):
        return plan.policy in _AT_THE_END
    if is_of_older_stay(view, plan, [document]):
        return False
    if plan.policy is Policy.BEFORE and is_of_older_stay(view, replace(plan, policy=Policy.FIRST), [document]):
        return _is_end_asked(plan, reading)
    if fits(reading, plan, view) or _is_found_once(view, plan, reading):
        return True
    if reading.moment.explicit or index == 0 or document.sentences[index][1] - cite.start > _BARE:
        return False
    low, high = document.sentences[index - 1][0], document.sentences[index][1]
    if document.section_of(low) != document.section_of(cite.start):
        return False
    moment = view.timeline.moment(document, cite.start, cite.end, low, high)
    return moment.explicit and fits(replace(reading, moment=moment), plan, view)


def is_of_older_stay(view: PatientView, plan: Plan, documents: Iterable[Annotated]) -> bool:
    """Whether documents of an older stay are all that is read for this one: their "à l'entrée" is of that stay.

    A weight or a height is what it was.
    """
    older = all(view.timeline.document_phase(document) is Phase.BEFORE for document in documents)
    return older and plan.policy in _OF_THIS_STAY and plan.reader in _READERS


def _is_end_asked(plan: Plan, reading: Reading) -> bool:
    """Whether a value of an older stay is of its arrival, or its end, where the label asks for one of them."""
    label, phase = fold(plan.variable.label), reading.moment.phase if reading.moment.explicit else None
    if _OUT.search(label):
        return phase is Phase.DISCHARGE
    return phase is not Phase.DISCHARGE or not _IN.search(label)


_IN, _OUT = re.compile(r"\b(?:entree|arrivee|admission|initiale?)\b"), re.compile(r"\b(?:sortie|fin|depart)\b")


def _is_found_once(view: PatientView, plan: Plan, reading: Reading) -> bool:
    """Whether only the form puts a question at the arrival, of what the record tells once, as a degree of stenosis."""
    if plan.policy is not Policy.AT_ADMISSION or moment_of(replace(plan.variable, section="", form=""))[0] not in _ANY:
        return False
    asked = replace(plan, policy=Policy.ANY_TIME)
    told = {each.value for document in view.timeline.documents for each in measure_readings(view, asked, document)}
    return told <= {reading.value} and fits(reading, replace(plan, policy=Policy.DURING_STAY), view)


_ANY = (Policy.ANY_TIME, Policy.FIRST)


def _beside_its_words(plan: Plan, place: Shown, number: Number) -> bool:
    """Whether the nearest name before a number, else after it, is the variable's own; a unit may be name enough."""
    document = place.document
    if number.unit and _measures_in(number.unit) == set(plan.anchors):
        return True
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


@functools.cache
def _measures_in(unit: str) -> frozenset[str]:
    """The measures of the lexicon that are given in a unit."""
    concepts = load_lexicon("concepts")
    return frozenset(name for name, entry in concepts.items() if unit in entry.get("units", {}))


def _own_names(plan: Plan, place: Shown) -> Iterator[tuple[int, int]]:
    document = place.document
    hits = [hit for anchor in plan.anchors for hit in document.within(anchor, place.low, place.high)]
    yield from ((hit.start, hit.end) for hit in hits)
    words = label_words(plan.variable.label)
    known = any(not anchor.startswith("var:") for anchor in plan.anchors)
    if not known or (not hits and words.share_held_by(place.sentence) >= _MOST):
        for match in words.found_in(place.sentence):
            yield place.low + match.start(), place.low + match.end()
