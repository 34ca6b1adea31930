"""What becomes of every answer that a language model can give, and of every way of giving none."""

from __future__ import annotations

import functools
import itertools
import json
import pickle
from collections.abc import Callable, Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.llm.engine import Completion, Engine, Fault, Finish, NoAnswer, Request
from generator.llm.examples import choose_examples
from generator.llm.prompt import PromptStyle, messages_for
from generator.llm.reader import LlmGenerator
from generator.llm.settings import Context, LlmSettings
from generator.llm.whole import whole_record
from retriever.passages import passages as cut_into_passages
from schema.document import PatientRecord
from schema.passage import Passage
from schema.problem import InputError, Problem
from schema.study import Study
from schema.value import ExtractedValue, Status
from schema.variable import Variable
from tests.llm.scripted import (
    ARRIVAL,
    DIABETES,
    NIHSS,
    RIGHT,
    SILENT,
    VARIABLES,
    Asked,
    Reply,
    ScriptedEngine,
    cut,
    group_of,
    instead,
    names_asked,
    record,
    rightly,
    said,
)

USUAL = LlmSettings()


class _Slot(ScriptedEngine):
    """What is plugged in answers: a reader takes half a second to build."""

    def __init__(self) -> None:
        self.plugged = ScriptedEngine(rightly)

    def complete(self, requests: Sequence[Request]) -> list[Completion | NoAnswer]:
        return self.plugged.complete(requests)


@functools.cache
def _reader(variables: tuple[Variable, ...], settings: LlmSettings) -> tuple[LlmGenerator, _Slot]:
    slot = _Slot()
    return LlmGenerator(variables, Study(), settings, lambda: slot), slot


def read(
    reply: Callable[[Asked], Reply],
    variables: tuple[Variable, ...] = VARIABLES,
    settings: LlmSettings = USUAL,
    passages: Mapping[str, Sequence[Passage]] | None = None,
    patient: PatientRecord | None = None,
) -> tuple[dict[str, ExtractedValue], ScriptedEngine]:
    reader, slot = _reader(variables, settings)
    slot.plugged = engine = ScriptedEngine(reply)
    values = reader.fill(patient or record(), passages)
    assert [value.variable for value in values] == [variable.name for variable in variables]
    return {value.variable: value for value in values}, engine


def test_right_answers_fill_the_cells_with_their_quotes() -> None:
    values, engine = read(rightly)
    assert {name: value.value for name, value in values.items()} == {
        "nihss": 12, "diabete": "1", "tabac": "0", "poids": 71.0,
    }  # fmt: skip
    assert values["tabac"].status is Status.STATED_ABSENT
    assert values["nihss"].status is Status.FOUND
    for value in values.values():
        assert 0.5 < value.confidence <= 1
        (evidence,) = value.evidence
        assert ARRIVAL[evidence.start : evidence.end] == evidence.quote
    assert values["nihss"].evidence[0].quote == "NIHSS à 12"
    assert names_asked(engine.calls) == [[("nihss",), ("diabete",), ("tabac",), ("poids",)]]


def test_silence_is_silence() -> None:
    values, _ = read(instead("nihss", SILENT))
    assert (values["nihss"].status, values["nihss"].value, values["nihss"].evidence) == (Status.NOT_MENTIONED, None, ())


def test_the_questions_of_a_patient_share_all_that_comes_before_them() -> None:
    _, engine = read(rightly)
    shown = {
        asked.request.messages[1].content.partition("<exemple")[0].partition("<question>")[0] for asked in engine.asked
    }
    assert len(shown) == 1
    assert "NIHSS à 12" in shown.pop()


def test_a_cut_group_is_asked_again_in_halves_down_to_one_variable_then_with_more_room() -> None:
    settings = LlmSettings(group=4, max_tokens=100)

    def reply(asked: Asked) -> Reply:
        is_short = len(asked.names) > 1 or asked.request.max_tokens == 100
        return cut() if "nihss" in asked.names and is_short else rightly(asked)

    values, engine = read(reply, settings=settings)
    assert values["nihss"].value == 12
    assert names_asked(engine.calls) == [
        [("nihss", "diabete", "tabac", "poids")],
        [("nihss", "diabete"), ("tabac", "poids")],
        [("nihss",), ("diabete",)],
        [("nihss",)],
    ]
    assert [asked.request.max_tokens for asked in engine.asked if "nihss" in asked.names] == [400, 200, 100, 400]


def test_an_answer_that_is_cut_again_is_said_to_be_cut() -> None:
    values, engine = read(instead("nihss", cut()))
    assert (values["nihss"].status, values["nihss"].value) == (Status.TRUNCATED, None)
    assert [asked.request.max_tokens for asked in engine.asked if asked.names == ("nihss",)] == [512, 2048]
    assert values["diabete"].value == "1"


@pytest.mark.parametrize(
    "faulty",
    [
        "",
        "NIHSS 12",
        '{"citations":[',
        '{"valeur":12}',
        "[]",
        "null",
        RIGHT["diabete"],
        said("douze", "NIHSS à 12"),
        "\ud800",
    ],
    ids=["empty", "no json", "half", "keys", "list", "null", "another", "words", "surrogate"],
)
def test_a_malformed_answer_is_mended_once_then_invalid(faulty: str) -> None:
    values, engine = read(instead("nihss", faulty, RIGHT["nihss"]))
    assert values["nihss"].value == 12
    (repair,) = [asked for asked in engine.asked if asked.is_repair]
    assert (repair.request.messages[2].role, repair.request.messages[2].content) == ("assistant", faulty)
    values, engine = read(instead("nihss", faulty))
    assert (values["nihss"].status, values["nihss"].value, values["nihss"].evidence) == (Status.INVALID, None, ())
    assert sum(asked.names == ("nihss",) for asked in engine.asked) == 2


def test_malformed_answers_of_a_group_are_asked_alone() -> None:
    def reply(asked: Asked) -> Reply:
        return rightly(asked) if len(asked.names) == 1 else group_of(*asked.names, nihss='"?"', tabac="{}")

    values, engine = read(reply, settings=LlmSettings(group=4))
    assert [value.value for value in values.values()] == [12, "1", "0", 71.0]
    assert names_asked(engine.calls) == [[("nihss", "diabete", "tabac", "poids")], [("nihss",), ("tabac",)]]


def test_an_invented_quote_is_mended_once_then_goes_to_review_with_its_value() -> None:
    invented = said(17, "le NIHSS initial est coté à 17 par le neurologue")
    values, engine = read(instead("nihss", invented, RIGHT["nihss"]))
    assert values["nihss"].value == 12
    assert any(asked.is_repair for asked in engine.asked)
    values, _ = read(instead("nihss", invented))
    assert values["nihss"].status is Status.TO_REVIEW
    assert (values["nihss"].value, values["nihss"].candidates, values["nihss"].evidence) == (None, (17,), ())


def test_a_value_that_its_quote_does_not_say_goes_to_review_with_the_quote() -> None:
    values, _ = read(instead("nihss", said(21, "NIHSS à 12")))
    wrong = values["nihss"]
    assert (wrong.status, wrong.value, wrong.candidates) == (Status.TO_REVIEW, None, (21,))
    assert wrong.evidence[0].quote == "NIHSS à 12"
    assert wrong.explanation
    assert wrong.confidence < 0.5


def test_a_conflict_cites_its_sides() -> None:
    conflict = said(None, "NIHSS à 12", "NIHSS à 2", status="contradictoire")
    values, _ = read(instead("nihss", conflict))
    assert (values["nihss"].status, values["nihss"].value) == (Status.CONFLICTING, None)
    assert [evidence.quote for evidence in values["nihss"].evidence] == ["NIHSS à 12", "NIHSS à 2"]


@pytest.mark.parametrize(
    "refusal",
    [
        Completion("", Finish.REFUSED),
        "Je ne peux pas répondre à cette question.",
        "I'm sorry, but I can't help with that.",
    ],
    ids=["finish", "french", "english"],
)
def test_a_refusal_is_said_to_be_one(refusal: Reply) -> None:
    values, engine = read(instead("nihss", refusal))
    assert values["nihss"].status is Status.REFUSED
    assert not any(asked.is_repair for asked in engine.asked)


def test_a_refused_group_is_asked_apart() -> None:
    def reply(asked: Asked) -> Reply:
        return Completion("", Finish.REFUSED) if "tabac" in asked.names else rightly(asked)

    values, _ = read(reply, settings=LlmSettings(group=4))
    assert [value.status for value in values.values()] == [Status.FOUND, Status.FOUND, Status.REFUSED, Status.FOUND]


def test_a_repair_that_fails_leaves_what_was_said_first() -> None:
    invented = said(17, "NIHSS initial coté dix-sept")
    for reply in (cut(), NoAnswer(Fault.TOO_LONG), "?", Completion("", Finish.REFUSED), NoAnswer(Fault.REJECTED)):
        values, _ = read(instead("nihss", invented, reply))
        assert (values["nihss"].status, values["nihss"].candidates) == (Status.TO_REVIEW, (17,))


@pytest.mark.parametrize("fault", [Fault.UNREACHABLE, Fault.OVERLOADED, Fault.TIMEOUT])
@pytest.mark.parametrize("first", [(), (said(17, "invention"),), (cut(),)], ids=["at once", "repair", "longer"])
def test_a_server_that_is_away_is_an_error_to_retry_wherever_it_falls(fault: Fault, first: tuple[Reply, ...]) -> None:
    values, _ = read(instead("nihss", *first, NoAnswer(fault)))
    assert (values["nihss"].status, values["nihss"].candidates) == (Status.SERVER_ERROR, ())
    assert values["diabete"].value == "1"


def test_a_question_that_the_server_does_not_take_is_a_failure_of_the_program() -> None:
    values, _ = read(instead("nihss", NoAnswer(Fault.REJECTED)))
    assert values["nihss"].status is Status.FAILED


def test_an_engine_that_does_not_open_is_an_error_to_retry_and_is_tried_again_for_the_next_patient() -> None:
    engine, tries = ScriptedEngine(rightly), []

    def open_engine() -> Engine:
        tries.append(1)
        if len(tries) == 1:
            raise InputError(Problem("http://127.0.0.1:1", "no server answers.", "Start it."))
        return engine

    reader = LlmGenerator(VARIABLES, Study(), LlmSettings(), open_engine)
    assert {value.status for value in reader.fill(record())} == {Status.SERVER_ERROR}
    assert [value.value for value in reader.fill(record())] == [12, "1", "0", 71.0]
    reader.fill(record())
    assert len(tries) == 2


def test_the_engine_is_closed_with_its_reader() -> None:
    engine = ScriptedEngine(rightly)
    reader = LlmGenerator(VARIABLES, Study(), LlmSettings(), lambda: engine)
    reader.fill(record())
    assert not engine.closed
    del reader
    assert engine.closed


def test_a_reader_travels_without_what_it_opened() -> None:
    reader = LlmGenerator(VARIABLES, Study(), LlmSettings(), scripted_engine)
    before = reader.fill(record())
    assert pickle.loads(pickle.dumps(reader)).fill(record()) == before


def scripted_engine() -> Engine:
    return ScriptedEngine(rightly)


def test_a_record_without_text_is_silent_and_asks_nothing() -> None:
    values, engine = read(rightly, passages={variable.name: () for variable in VARIABLES})
    assert {value.status for value in values.values()} == {Status.NOT_MENTIONED}
    assert engine.calls == []


# --- which passages a question shows ---------------------------------------------------------------------------------


def found_for(patient: PatientRecord) -> dict[str, list[Passage]]:
    """For each variable, one passage of the first document, then all those of the second."""
    first, second = (cut_into_passages(document) for document in patient.documents)
    own = {"nihss": "NIHSS", "diabete": "Diabète", "tabac": "tabagisme", "poids": "Poids"}
    return {name: [next(p for p in first if word in p.text), *second] for name, word in own.items()}


def many_sections() -> PatientRecord:
    return record(
        "ANTECEDENTS\nDiabète de type 2. Pas de tabagisme.\n\nEXAMEN\nNIHSS à 12. Poids : 71 kg.\n", "Suivi simple."
    )


def test_one_record_is_shown_for_all_variables_and_those_found_for_each_are_named() -> None:
    patient = many_sections()
    values, engine = read(rightly, patient=patient, passages=found_for(patient))
    assert values["nihss"].value == 12
    assert len({asked.shown.partition("<exemple")[0] for asked in engine.asked}) == 1
    for word in ("NIHSS", "Diabète", "Suivi simple"):
        assert word in engine.asked[0].shown
    named = [
        asked.request.messages[1].content.rpartition("lire d'abord : ")[2].split("\n")[0] for asked in engine.asked
    ]
    assert named == ["2, 3", "1, 3", "1, 3", "2, 3"]


def test_the_passages_of_a_variable_alone_are_shown_when_the_settings_want_it() -> None:
    patient = many_sections()
    settings = LlmSettings(context=Context.VARIABLE, examples=0)
    _, engine = read(rightly, patient=patient, passages=found_for(patient), settings=settings)
    nihss, diabetes = engine.asked[0].shown, engine.asked[1].shown
    assert "NIHSS" in nihss
    assert "Diabète" not in nihss
    assert "NIHSS" not in diabetes


#: What a server says of a prompt that fills the context, and of one that leaves room for the first words of an answer.
FULL = (NoAnswer(Fault.TOO_LONG), Completion('{"cit', Finish.LENGTH, completion_tokens=3))


def too_long_for(length: int, full: Reply = FULL[0]) -> Callable[[Asked], Reply]:
    def reply(asked: Asked) -> Reply:
        return full if asked.shown.count("<passage ") > length else rightly(asked)

    return reply


@pytest.mark.parametrize("full", FULL, ids=["refused", "no room"])
def test_a_record_that_does_not_fit_gives_way_to_the_passages_of_the_variable_then_to_the_best_of_them(
    full: Reply,
) -> None:
    patient = many_sections()
    passages = found_for(patient)
    shown = []
    for length in (3, 2, 1):
        values, engine = read(
            too_long_for(length, full), passages=passages, patient=patient, settings=LlmSettings(examples=0)
        )
        assert values["nihss"].value == 12
        assert engine.asked[-1].shown.count("<passage ") == length
        shown.append(len(engine.calls))
    assert shown == [1, 2, 3]


def test_what_never_fits_is_said_to_be_cut_and_how_to_help() -> None:
    patient = many_sections()
    for passages in (None, found_for(patient)):
        values, _ = read(too_long_for(0), passages=passages, patient=patient)
        assert {value.status for value in values.values()} == {Status.TRUNCATED}
        assert "--retriever" in values["nihss"].explanation


def test_concepts_are_left_out_on_demand() -> None:
    patient = many_sections()
    passages = found_for(patient)
    _, engine = read(rightly, patient=patient, passages=passages, settings=LlmSettings(concepts=False))
    assert "Concepts :" not in engine.asked[0].shown


# --- several answers -------------------------------------------------------------------------------------------------


def test_most_samples_decide_and_their_share_counts() -> None:
    def reply(asked: Asked) -> Reply:
        if asked.names == ("nihss",) and asked.request.sample in (0, 2):
            return said(2, "NIHSS à 2", passage=2)
        return rightly(asked)

    values, engine = read(reply, settings=LlmSettings(samples=5))
    sure, _ = read(rightly, settings=LlmSettings(samples=5))
    assert values["nihss"].value == 12
    assert values["nihss"].confidence < sure["nihss"].confidence
    assert sorted({asked.request.sample for asked in engine.asked}) == [0, 1, 2, 3, 4]
    assert len(engine.calls) == 1


def test_a_sample_that_could_not_be_asked_leaves_the_cell_to_be_asked_again() -> None:
    values, _ = read(
        lambda asked: NoAnswer(Fault.TIMEOUT) if asked.request.sample == 2 else rightly(asked),
        variables=(NIHSS, DIABETES),
        settings=LlmSettings(samples=3),
    )
    assert {value.status for value in values.values()} == {Status.SERVER_ERROR}


def test_samples_without_any_use_are_what_the_first_one_is() -> None:
    values, _ = read(instead("nihss", said(17, "invention pure")), settings=LlmSettings(samples=2))
    assert (values["nihss"].status, values["nihss"].candidates) == (Status.TO_REVIEW, (17,))


# --- anything at all -------------------------------------------------------------------------------------------------

ANYTHING = st.one_of(
    st.text(max_size=40),
    st.sampled_from([SILENT, *RIGHT.values(), said(99, "NIHSS à 12"), said("Oui", "invention"), group_of(*RIGHT)]),
    st.sampled_from([cut(), Completion("", Finish.REFUSED), *map(NoAnswer, Fault)]),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["citations", "valeur", "x"]), inner)
        ),
        max_leaves=6,
    ).map(json.dumps),
)


@given(replies=st.lists(ANYTHING, min_size=1, max_size=9), group=st.integers(1, 4), samples=st.integers(1, 2))
@settings(deadline=None, max_examples=60)
def test_whatever_is_answered_every_cell_has_a_status_and_only_what_is_written_fills_one(
    replies: list[Reply], group: int, samples: int
) -> None:
    turns = itertools.cycle(replies)
    values, engine = read(lambda _: next(turns), settings=LlmSettings(group=group, samples=samples))
    texts = {document.document_id: document.source_text for document in record().documents}
    for value in values.values():
        assert all(texts[e.document_id][e.start : e.end] == e.quote for e in value.evidence)
    expected = {"nihss": 12, "diabete": "1", "tabac": "0", "poids": 71.0}
    assert all(value.value in (None, expected[name], 2) for name, value in values.items())
    assert len(engine.asked) <= samples * len(VARIABLES) * 6


def test_what_is_asked_is_what_a_model_is_tuned_on() -> None:
    patient = record()
    _, engine = read(rightly, patient=patient)
    style, passages = PromptStyle(USUAL.style), whole_record(patient)
    for asked, variable in zip(engine.asked, VARIABLES, strict=True):
        examples = choose_examples(variable, passages, style.examples)
        assert asked.request.messages == messages_for(style, passages, [variable], None, examples)
