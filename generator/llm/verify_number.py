"""Whether a quote writes a number, and writes it of the variable: beside its name, at its moment."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from generator.llm.verdict import Finding, Verdict
from generator.llm.verify_amount import can_be, numbers_of, same_number, usual_units
from generator.llm.verify_moment import holds, is_in_time, is_pointed_at, is_superseded
from generator.llm.verify_place import Shown, quotes_alone, sentences_alone, with_text_before
from generator.llm.verify_said import said_of
from generator.llm.verify_words import label_words
from generator.rules.chronology import without_dots
from generator.rules.lexicon import load_lexicon
from generator.rules.numbers import Number
from generator.rules.plan import Plan
from generator.rules.readers.measure import measure_readings
from generator.rules.reading import Cite, PatientView, Reading
from schema.study import Policy
from schema.value import Value
from schema.variable import Variable

#: How far a number may stand from a word of its variable: after it, or before it.
_AFTER, _BEFORE = 60, 40
#: Share of the words of a label that name a measure which a document calls otherwise than the lexicon.
_MOST = 0.6
#: How far before a quote the score may be named that it speaks of again.
_ANAPHORA_REACH = 400
#: "passé de 6,2 à 5,0 %": what comes first is past.
_PASSED = re.compile(r"\bpassee?s? de \d+(?:[.,]\d+)?[^\d.;,\n]{0,12}$")
_BETWEEN = re.compile(r"\d|;|\n|\.(?!\d)")


def check_number(view: PatientView, plan: Plan, places: Sequence[Shown], value: float) -> Finding:
    """What the quotes say of a number that the rules did not read in them."""
    variable = plan.variable
    written = [(place, number) for place in places for number in numbers_of(place) if can_be(plan, number, value)]
    if not written:
        if value == 0 and not any(place.document.numbers_in(place.start, place.end) for place in places):
            return _none(plan, places)
        return Finding(Verdict.UNSUPPORTED, "Aucune citation ne porte ce nombre.")
    named = list(_named(view, plan, places, value))
    if named:
        if any(is_in_time(view, plan, reading) for reading in named):
            if is_superseded(view, plan, places, value):
                return Finding(Verdict.OTHER_TIME, "Le dossier donne une autre valeur pour ce moment.")
            return Finding(Verdict.VERIFIED, "Le nombre est écrit après le nom de la mesure.", 0.8)
        if is_pointed_at(view, plan, places, named):
            return Finding(Verdict.VERIFIED, "Une citation renvoie à la valeur de l'autre.", 0.6)
        return Finding(Verdict.OTHER_TIME, "La mesure citée est d'un autre moment.")
    for place, number in written:
        if _beside_its_words(plan, place, number):
            moment = view.timeline.moment(place.document, number.start, number.end, place.low, place.high)
            reading = Reading(value, (Cite(place.document, number.start, number.end),), moment)
            if is_in_time(view, plan, reading):
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


def _named(view: PatientView, plan: Plan, places: Sequence[Shown], value: float) -> Iterator[Reading]:
    """The readings of the variable's own measure that give the value, at any moment, whatever unit it is asked in."""
    if not plan.anchors:
        return
    for unit in [plan.unit] if plan.unit else ["", *usual_units(plan)]:
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
    return any(holds(place, reading) and place.start <= cite.start and cite.end <= place.end for place in places)


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
