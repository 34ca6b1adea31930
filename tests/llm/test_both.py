"""Two readers, one answer: what becomes of every pair of readings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from generator.arbiter import Dispute, Ruled
from generator.both import BothGenerator
from generator.confidence import Signals, confidence, with_second
from generator.llm.deciding import LlmReading
from schema.document import PatientRecord
from schema.passage import Passage
from schema.value import Evidence, ExtractedValue, Status, Value
from schema.variable import Variable, VariableKind
from tests.llm.scripted import DIABETES, NIHSS, record

CITY = Variable("ville", "Ville", VariableKind.TEXT)
BOXES = Variable("signes", "Signes", VariableKind.CHECKBOX)
WEIGHT = Variable("poids", "Poids", VariableKind.NUMBER, decimals=1)
RULES_QUOTE = Evidence("d0", 10, 20, "x" * 10)
MODEL_QUOTE = Evidence("d1", 30, 40, "y" * 10)
SIGNALS = Signals(strength=0.9, probability=0.8)


def ruled_by(value: Value | None, status: Status = Status.FOUND, sure: float = 0.8, **more: object) -> ExtractedValue:
    quotes = () if status is Status.NOT_MENTIONED else (RULES_QUOTE,)
    return ExtractedValue("P1", "", status, value, sure, quotes, **more)  # type: ignore[arg-type]


def read_by(
    value: Value | None, status: Status = Status.FOUND, signals: Signals | None = SIGNALS, **more: object
) -> LlmReading:
    quotes = () if status in (Status.NOT_MENTIONED, Status.SERVER_ERROR) else (MODEL_QUOTE,)
    sure = confidence(signals) if signals and status is not Status.NOT_MENTIONED else 0.0
    return LlmReading(ExtractedValue("P1", "", status, value, sure, quotes, **more), signals)  # type: ignore[arg-type]


SILENT = ExtractedValue("P1", "", Status.NOT_MENTIONED)
MUTE = LlmReading(ExtractedValue("P1", "", Status.NOT_MENTIONED))


class _Rules:
    name = "rules"

    def __init__(self, value: ExtractedValue) -> None:
        self._value = value

    def fill(
        self, record: PatientRecord, passages: Mapping[str, Sequence[Passage]] | None = None
    ) -> list[ExtractedValue]:
        return [self._value]


class _Model:
    def __init__(self, reading: LlmReading, ruling: Ruled | None) -> None:
        self._reading, self._ruling = reading, ruling
        self.disputes: list[Dispute] = []

    def read(self, record: PatientRecord, passages: Mapping[str, Sequence[Passage]] | None) -> list[LlmReading]:
        return [self._reading]

    def arbitrate(
        self, record: PatientRecord, passages: Mapping[str, Sequence[Passage]] | None, disputes: Sequence[Dispute]
    ) -> list[Ruled]:
        assert self._ruling is not None, "nothing was to be arbitrated"
        self.disputes += disputes
        return [self._ruling for _ in disputes]


def both(
    rules: ExtractedValue, model: LlmReading, ruling: Ruled | None = None, variable: Variable = NIHSS
) -> ExtractedValue:
    (value,) = BothGenerator([variable], _Rules(rules), _Model(model, ruling)).fill(record())
    return value


@pytest.mark.parametrize(
    ("variable", "one", "other"),
    [
        (NIHSS, 12, 12.0),
        (WEIGHT, 71.04, 71.0),
        (DIABETES, "1", "1"),
        (BOXES, ("2", "1"), ("1", "2")),
        (CITY, "Sète  plage", "SETE plage"),
    ],
    ids=["integer", "decimals", "choice", "boxes", "text"],
)
def test_agreement_makes_surer_and_quotes_both(variable: Variable, one: Value, other: Value) -> None:
    value = both(ruled_by(one), read_by(other), variable=variable)
    assert (value.status, value.value) == (Status.FOUND, one)
    assert value.confidence > max(0.8, confidence(SIGNALS))
    assert value.evidence == (RULES_QUOTE, MODEL_QUOTE)


def test_a_quote_that_stands_in_a_longer_one_is_not_said_twice() -> None:
    longer = Evidence("d0", 5, 25, "z" * 20)
    model = LlmReading(ExtractedValue("P1", "", Status.FOUND, 12, 0.9, (longer, MODEL_QUOTE)), SIGNALS)
    assert both(ruled_by(12), model).evidence == (longer, MODEL_QUOTE)


def test_what_is_said_wins_over_what_follows_from_a_list() -> None:
    by_omission = ruled_by("0", Status.ABSENT_BY_OMISSION)
    assert both(by_omission, read_by("0", Status.STATED_ABSENT), variable=DIABETES).status is Status.STATED_ABSENT
    assert both(by_omission, read_by(None, Status.TO_REVIEW, candidates=("0",)), variable=DIABETES).value == "0"


@pytest.mark.parametrize(("chosen", "kept"), [(0, 12), (1, 5)])
def test_a_dispute_is_shown_to_the_model_and_its_choice_kept(chosen: int, kept: int) -> None:
    value = both(ruled_by(12), read_by(5), Ruled(chosen))
    assert (value.status, value.value) == (Status.FOUND, kept)
    assert value.evidence == ((RULES_QUOTE,), (MODEL_QUOTE,))[chosen]
    assert value.confidence == (0.8 if chosen == 0 else pytest.approx(with_second(confidence(SIGNALS), agrees=False)))


def test_the_model_is_shown_the_rules_value_then_its_own() -> None:
    model = _Model(read_by(5), Ruled(0))
    BothGenerator([NIHSS], _Rules(ruled_by(12)), model).fill(record())
    ((dispute),) = model.disputes
    assert dispute.variable is NIHSS
    assert [reading.value for reading in dispute.readings] == [12, 5]


def test_a_dispute_that_nothing_settles_goes_to_a_person_with_both_values_and_quotes() -> None:
    value = both(ruled_by(12, sure=0.99), read_by(5), Ruled())
    assert (value.status, value.value, value.candidates) == (Status.CONFLICTING, None, (12, 5))
    assert value.evidence == (RULES_QUOTE, MODEL_QUOTE)
    assert value.confidence == pytest.approx(with_second(0.99, agrees=False))
    doubtful = both(ruled_by(12, sure=0.3), read_by(5), Ruled())
    assert doubtful.candidates == (5, 12)
    assert doubtful.evidence == (MODEL_QUOTE, RULES_QUOTE)


@pytest.mark.parametrize("status", [Status.NOT_MENTIONED, Status.TRUNCATED, Status.REFUSED, Status.FAILED])
def test_without_a_word_from_the_model_the_rules_value_stays_as_it_is(status: Status) -> None:
    rules = ruled_by(12)
    assert both(rules, read_by(None, status, None)) == rules


@pytest.mark.parametrize("status", [Status.NOT_MENTIONED, Status.INVALID, Status.FAILED])
def test_without_a_word_from_the_rules_the_models_value_stays_as_it_is(status: Status) -> None:
    model = read_by(5)
    assert both(ruled_by(None, status, 0.0), model) == model.value
    unsure = read_by(None, Status.TO_REVIEW, candidates=(5,))
    assert both(SILENT, unsure) == unsure.value


def test_a_value_that_no_quote_bears_out_makes_less_sure_or_surer_and_never_fills() -> None:
    other = both(ruled_by(12), read_by(None, Status.TO_REVIEW, candidates=(5,)))
    assert (other.value, other.confidence) == (12, pytest.approx(with_second(0.8, agrees=False)))
    same = both(ruled_by(12), read_by(None, Status.TO_REVIEW, candidates=(12,)))
    assert (same.value, same.evidence) == (12, (RULES_QUOTE,))
    assert same.confidence > 0.8
    torn = both(ruled_by(12), read_by(None, Status.CONFLICTING, None))
    assert (torn.value, torn.confidence) == (12, pytest.approx(with_second(0.8, agrees=False)))


def test_the_model_breaks_a_tie_of_the_rules_but_adds_no_third_value() -> None:
    tie = ruled_by(None, Status.CONFLICTING, 0.3, candidates=(12, 5))
    settled = both(tie, read_by(5))
    assert (settled.status, settled.value, settled.evidence) == (Status.FOUND, 5, (MODEL_QUOTE, RULES_QUOTE))
    third = both(tie, read_by(7))
    assert (third.status, third.candidates) == (Status.CONFLICTING, (7, 12, 5))
    assert both(tie, MUTE) == tie
    unsure = both(tie, read_by(None, Status.TO_REVIEW, candidates=(7,)))
    assert (unsure.status, unsure.candidates) == (Status.CONFLICTING, (12, 5, 7))


def test_a_cell_that_could_not_be_asked_waits_whatever_the_rules_read() -> None:
    unasked = read_by(None, Status.SERVER_ERROR, None)
    for rules in (ruled_by(12), SILENT, ruled_by(None, Status.CONFLICTING, candidates=(12, 5))):
        assert both(rules, unasked).status is Status.SERVER_ERROR
    assert both(ruled_by(12), unasked).candidates == (12,)
    cut_off = both(ruled_by(12), read_by(5), Ruled(is_open=True))
    assert (cut_off.status, cut_off.value, cut_off.candidates) == (Status.SERVER_ERROR, None, (12, 5))


@pytest.mark.parametrize("status", [Status.TRUNCATED, Status.REFUSED, Status.INVALID, Status.FAILED])
def test_a_failure_is_not_told_as_silence(status: Status) -> None:
    assert both(SILENT, read_by(None, status, None)).status is status
    assert both(ruled_by(None, status, 0.0), MUTE).status is status
    assert both(SILENT, MUTE).status is Status.NOT_MENTIONED
