"""What an engine promises, held by the fake and by vLLM alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from generator.llm.answer import answer_schema
from generator.llm.client import ServerEngine
from generator.llm.engine import Completion, Fault, Finish, Message, NoAnswer, Request
from schema.problem import InputError
from tests.llm.conftest import CONTEXT, Served
from tests.llm.scripted import DIABETES, NIHSS

SCHEMA = answer_schema([NIHSS])


def asks(text: str = "NIHSS à 12 à l'entrée.", sample: int = 0, max_tokens: int = 400, schema: str = SCHEMA) -> Request:
    return Request((Message("system", "Tu lis."), Message("user", text)), schema, max_tokens, sample)


@contextmanager
def opened(served: Served, model: str | None = None) -> Iterator[ServerEngine]:
    engine = ServerEngine(served.url, served.model if model is None else model, patience=30)
    try:
        yield engine
    finally:
        engine.close()


def test_an_answer_obeys_its_schema_and_its_tokens_spell_it(served: Served) -> None:
    with opened(served) as engine:
        answers = engine.complete([asks(sample=sample) for sample in range(4)])
    assert any(isinstance(answer, Completion) and answer.tokens for answer in answers)
    for answer in answers:
        assert isinstance(answer, Completion)
        assert answer.finish is Finish.STOP
        told = json.loads(answer.text)
        assert list(told) == ["citations", "raison", "statut", "valeur"]
        assert told["valeur"] is None or 0 <= told["valeur"] <= 99
        spelled = "".join(token.text for token in answer.tokens)
        assert spelled == answer.text or "\ufffd" in answer.text  # random weights write halves of letters
        assert all(token.logprob <= 0 for token in answer.tokens)
        assert answer.prompt_tokens > 0
        assert answer.completion_tokens >= len(answer.tokens)


def test_there_is_no_room_for_white_space_between_the_parts_of_an_answer(vllm_or_fake_text: str) -> None:
    compact = json.dumps(json.loads(vllm_or_fake_text), ensure_ascii=False, separators=(",", ":"))
    assert len(vllm_or_fake_text) <= len(compact) + 8  # a letter may be written as \u00e9


@pytest.fixture
def vllm_or_fake_text(served: Served) -> str:
    with opened(served) as engine:
        (answer,) = engine.complete([asks("Rankin à 1.")])
    assert isinstance(answer, Completion)
    return answer.text


def test_answers_come_in_the_order_of_their_requests(served: Served) -> None:
    wanted = [NIHSS, DIABETES] * 20
    with opened(served) as engine:
        answers = engine.complete([asks(f"{i}.", schema=answer_schema([v])) for i, v in enumerate(wanted)])
    for variable, answer in zip(wanted, answers, strict=True):
        assert isinstance(answer, Completion)
        value = json.loads(answer.text)["valeur"]
        assert value is None or isinstance(value, str) == (variable is DIABETES)


def test_the_likeliest_answer_and_a_drawn_one_are_always_the_same(served: Served) -> None:
    requests = [asks(sample=sample) for sample in range(3)]
    with opened(served) as engine:
        first = engine.complete(requests)
        again = engine.complete(list(reversed(requests)))
    texts = [answer.text for answer in first if isinstance(answer, Completion)]
    assert texts == [answer.text for answer in reversed(again) if isinstance(answer, Completion)]
    assert len(set(texts)) > 1


def test_an_answer_that_is_cut_says_so(served: Served) -> None:
    with opened(served) as engine:
        (answer,) = engine.complete([asks(max_tokens=5)])
    assert isinstance(answer, Completion)
    assert answer.finish is Finish.LENGTH
    assert answer.completion_tokens == 5


def test_what_does_not_fit_is_too_long_and_no_other_request_suffers(served: Served) -> None:
    with opened(served) as engine:
        assert engine.context == CONTEXT
        answers = engine.complete([asks(), asks("é ! " * CONTEXT), asks(max_tokens=CONTEXT + 1), asks()])
    assert [isinstance(answer, Completion) for answer in answers] == [True, False, False, True]
    faults = [answer.fault for answer in answers if isinstance(answer, NoAnswer)]
    assert faults == [Fault.TOO_LONG, Fault.TOO_LONG]


def test_an_adapter_is_asked_for_by_its_name(served: Served) -> None:
    with opened(served) as base, opened(served, served.adapter) as adapted:
        assert adapted.context == CONTEXT
        assert adapted.name != base.name
        (answer,) = adapted.complete([asks()])
    assert isinstance(answer, Completion)


def test_the_model_is_named_without_being_asked_for_and_keeps_its_name(served: Served) -> None:
    with opened(served) as named, opened(served, "") as alone:
        assert alone.name == named.name
        assert alone.name.startswith(served.model)


def test_a_model_that_is_not_served_is_an_error_that_names_those_that_are(served: Served) -> None:
    with pytest.raises(InputError) as caught:
        ServerEngine(served.url, "vigogne")
    assert served.model in str(caught.value)
    assert served.adapter in str(caught.value)


def test_no_requests_no_answers(served: Served) -> None:
    with opened(served) as engine:
        assert engine.complete([]) == []
