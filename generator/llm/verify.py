"""Whether the quotes that a model gives for a value say that value.

A value is believed for what its quotes say, read where they stand: in their sentence, under their title, at the date of
their document. The rules read them first, and nothing else of the record; where they are silent, the number, the date
or the words of the choice are looked for in the quote, beside the words of the question.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from generator.llm.ground import Located
from generator.llm.instructions import instructions_in
from generator.llm.verdict import Finding
from generator.llm.verdict import Verdict as Verdict
from generator.llm.verify_amount import is_compared, same_number, writes_number
from generator.llm.verify_choice import check_choice, check_codes, is_of_sides, undone
from generator.llm.verify_date import check_date, tells_date
from generator.llm.verify_drug import asked_regimen, check_drugs
from generator.llm.verify_list import OMITTED
from generator.llm.verify_moment import is_of_older_stay, is_superseded
from generator.llm.verify_number import check_number
from generator.llm.verify_otherwise import contrary, two_at_once
from generator.llm.verify_place import Shown, quotes_alone, sentences_alone, shown_by, with_sentence_before
from generator.llm.verify_plans import plan_at_any_time, plans_for
from generator.llm.verify_words import no_code
from generator.rules.annotate import Annotated
from generator.rules.asked import DATED, NUMBERS
from generator.rules.episode import Timeline
from generator.rules.plan import Plan
from generator.rules.readers import READERS, read_nothing
from generator.rules.readers.side import read_side
from generator.rules.reading import Answer, PatientView
from generator.rules.text import fold
from schema.document import PatientRecord
from schema.study import Study
from schema.value import Status, Value
from schema.variable import Variable, VariableKind

#: What the rules read in the quotes alone, and in their sentences, is worth.
_IN_QUOTE, _IN_SENTENCE, _BY_OMISSION, _WITH_BEFORE = 0.95, 0.85, 0.7, 0.62
#: A quote that shows less of its sentences than this does not speak for the rest of them.
_COVERAGE = 0.5


@dataclass(frozen=True, slots=True)
class Reading:
    """A value that a model read, with its quotes where they were found.

    Args:
        value: typed as the dictionary has it (`schema.value.Value`).
        status: FOUND, STATED_ABSENT or ABSENT_BY_OMISSION.
    """

    variable: str
    value: Value
    status: Status
    quotes: tuple[Located, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """What is concluded of one reading.

    Args:
        detail: one short sentence in French, without any words of a document.
        strength: in [0, 1]: how much agrees with the value; 0 unless it is verified.
        status: what a verified value is: FOUND, STATED_ABSENT or ABSENT_BY_OMISSION, whatever the model called it.
    """

    reading: Reading
    verdict: Verdict
    detail: str
    strength: float
    status: Status


class Verifier:
    """Checks readings of one patient at a time. Compiles the dictionary once; immutable afterwards.

    Raises:
        ValueError: the study names a lexicon concept that does not exist.
    """

    def __init__(self, variables: Sequence[Variable], study: Study | None = None) -> None:
        compiled = plans_for(variables, study or Study())
        self._plans = {plan.variable.name: plan for plan in compiled.plans}
        self._matcher = compiled.matcher

    def check(self, record: PatientRecord, readings: Sequence[Reading]) -> list[Checked]:
        """One verdict for each reading, in their order.

        Raises:
            KeyError: a reading is of a variable that the verifier was not built with.
        """
        annotated = [_told(Annotated(document, self._matcher)) for document in record.documents]
        view = PatientView(annotated, Timeline(annotated))
        return [_checked(view, self._plans[reading.variable], reading) for reading in readings]


def _told(document: Annotated) -> Annotated:
    """The document without the words that order an answer: they supersede nothing, and date nothing."""
    orders = instructions_in(document.document.text)
    if not orders:
        return document
    borders = [0, *(border for span in orders for border in span), len(document.document.text)]
    return document.limited_to(list(zip(borders[::2], borders[1::2], strict=True)))


def _checked(view: PatientView, plan: Plan, reading: Reading) -> Checked:
    places = [place for place in shown_by(view, reading.quotes) if not _is_ordered(view, place)]
    finding, status = _found(view, plan, reading, places)
    closeness = max((quote.similarity for quote in reading.quotes), default=0.0)
    return Checked(reading, finding.verdict, finding.detail, round(finding.strength * closeness, 3), status)


def _is_ordered(view: PatientView, place: Shown) -> bool:
    """Whether a quote touches words that order an answer: whoever wrote them, they tell nothing of the patient."""
    document = place.document.document
    spans = view.once(f"instructions {document.document_id}", lambda _: instructions_in(document.text))
    return any(start < place.end and place.start < end for start, end in spans)


def _found(view: PatientView, plan: Plan, reading: Reading, places: Sequence[Shown]) -> tuple[Finding, Status]:
    if not places:
        return Finding(Verdict.UNSUPPORTED, "Aucune citation ne figure dans le dossier."), reading.status
    for told in (contrary(plan, places, reading.value), two_at_once(plan, places, reading.value)):
        if told is not None:
            return told, Status.STATED_ABSENT if reading.value == no_code(plan) else Status.FOUND
    quoted = _read(quotes_alone(view, places), plan)
    if quoted.value is not None:
        if (taken_back := _taken_back(plan, reading, quoted, places)) is not None:
            return taken_back, Status.STATED_ABSENT
        if same(plan.variable, quoted.value, reading.value):
            return _agreed(view, plan, reading, places, quoted, _IN_QUOTE), quoted.status
        return _contradicted(plan, reading, quoted), reading.status
    sentence = _read(sentences_alone(view, places), plan)
    agrees = sentence.value is not None and same(plan.variable, sentence.value, reading.value)
    if agrees and _carry(view, plan, places, reading.value):
        return _agreed(view, plan, reading, places, sentence, _IN_SENTENCE), sentence.status
    finding = _unread(view, plan, reading, places)
    if reading.value != no_code(plan):
        return finding, Status.FOUND
    return finding, Status.STATED_ABSENT if finding.strength > OMITTED else Status.ABSENT_BY_OMISSION


def _carry(view: PatientView, plan: Plan, places: Sequence[Shown], value: Value) -> bool:
    """Whether the quotes show the value that their sentences say, and not only words beside it."""
    if isinstance(value, int | float) and writes_number(plan, places, float(value)):
        return True
    if isinstance(value, dt.date | dt.time) and tells_date(view, plan, places, value):
        return True
    if isinstance(value, int | float) and _tells_when(places):
        return True  # a number that its sentence tells in words, such as the Rankin score of the dead
    return max(place.coverage for place in places) >= _COVERAGE


def _tells_when(places: Sequence[Shown]) -> bool:
    """Whether a quote gives the day of what its sentence tells, and no number of it."""
    return any(
        any(place.document.dates_in(place.start, place.end)) and not place.document.numbers_in(place.low, place.high)
        for place in places
    )


def _agreed(
    view: PatientView, plan: Plan, reading: Reading, places: Sequence[Shown], read: Answer, strength: float
) -> Finding:
    """The rules read the value in the quotes, or in their sentences."""
    if isinstance(reading.value, int | float):
        if is_of_older_stay(view, plan, [place.document for place in places]):
            return Finding(Verdict.OTHER_TIME, "La citation parle d'un séjour antérieur.")
        if is_superseded(view, plan, places, float(reading.value)):
            return Finding(Verdict.OTHER_TIME, "Le dossier donne une autre valeur pour ce moment.")
        if is_compared(plan, places, float(reading.value)):
            return Finding(Verdict.UNSUPPORTED, "Le nombre cité est un seuil.")
    if read.status is Status.ABSENT_BY_OMISSION:
        return Finding(Verdict.VERIFIED, "La liste citée ne le nomme pas.", _BY_OMISSION)
    return Finding(Verdict.VERIFIED, "Les règles lisent cette valeur dans la citation.", strength)


def _unread(view: PatientView, plan: Plan, reading: Reading, places: Sequence[Shown]) -> Finding:
    """What can be said of a value that the rules do not read in the quotes, at the moment asked for."""
    regimen = asked_regimen(plan)
    if regimen is not None:
        return check_drugs(view, plan, regimen, places, str(reading.value))
    if plan.variable.kind in _CLOSED:
        around, before = with_sentence_before(view, places)
        told, told_before = _read(around, plan).value, _read(before, plan).value
        if told == reading.value != told_before:
            return Finding(Verdict.VERIFIED, "La phrase citée le dit de ce que nomme celle d'avant.", _WITH_BEFORE)
    if is_of_sides(plan):
        side = read_side(quotes_alone(view, places), plan).value
        if side == reading.value:
            return Finding(Verdict.VERIFIED, "La citation dit ce côté de la lésion.", 0.7)
        return Finding(Verdict.CONTRADICTED if side else Verdict.UNSUPPORTED, "La citation ne dit pas ce côté.")
    if plan.reader != "measure":
        anytime = _read(quotes_alone(view, places), plan_at_any_time(plan))
        if anytime.value is not None and same(plan.variable, anytime.value, reading.value):
            return Finding(Verdict.OTHER_TIME, "La citation parle d'un autre moment.")
    return _by_kind(view, plan, reading, places)


def _taken_back(plan: Plan, reading: Reading, quoted: Answer, places: Sequence[Shown]) -> Finding | None:
    """What the quotes say of a choice that the rules affirm too fast; None when there is nothing to add."""
    no = no_code(plan)
    if plan.variable.kind not in _CLOSED or no is None or quoted.value == no:
        return None
    finding = undone(plan, places, str(quoted.value))
    if finding is not None and finding.verdict is Verdict.NEGATED and reading.value == no:
        return Finding(Verdict.VERIFIED, "La citation le nie.", 0.7)
    return finding


_CLOSED = (VariableKind.CHOICE, VariableKind.YESNO, VariableKind.TRUEFALSE)


def _read(view: PatientView, plan: Plan) -> Answer:
    return READERS.get(plan.reader, read_nothing)(view, plan)


def _contradicted(plan: Plan, reading: Reading, quoted: Answer) -> Finding:
    no = no_code(plan)
    if no is not None and no in (quoted.value, reading.value):
        return Finding(Verdict.NEGATED, "La citation dit le contraire.")
    return Finding(Verdict.CONTRADICTED, "La citation donne une autre valeur.")


def _by_kind(view: PatientView, plan: Plan, reading: Reading, places: Sequence[Shown]) -> Finding:
    """What can be checked of a value that the rules do not read."""
    variable, value = plan.variable, reading.value
    if variable.kind in NUMBERS and isinstance(value, int | float):
        return check_number(view, plan, places, float(value))
    if variable.kind in DATED and isinstance(value, dt.date | dt.time):
        return check_date(view, plan, places, value)
    if variable.kind is VariableKind.CHECKBOX and isinstance(value, tuple):
        return check_codes(view, plan, places, value)
    if variable.choices or variable.kind in (VariableKind.YESNO, VariableKind.TRUEFALSE):
        return check_choice(view, plan, places, str(value))
    return _free_text(places, str(value))


def _free_text(places: Sequence[Shown], value: str) -> Finding:
    wanted = " ".join(fold(value).split())
    if wanted and any(wanted in " ".join(place.words.split()) for place in places):
        return Finding(Verdict.VERIFIED, "La citation porte ces mots.", 0.6)
    return Finding(Verdict.UNSUPPORTED, "La citation ne porte pas ces mots.")


def same(variable: Variable, read: Value, value: Value) -> bool:
    """Whether two values of a variable are one: numbers with the digits that it keeps, checkbox codes as sets."""
    if isinstance(read, int | float) and isinstance(value, int | float):
        return same_number(variable, float(read), float(value))
    if isinstance(read, tuple) and isinstance(value, tuple):
        return set(read) == set(value)
    return type(read) is type(value) and read == value
