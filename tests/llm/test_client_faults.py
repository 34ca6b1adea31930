"""A server that fails in every way: what is tried again, what is given up, and what is said of it."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path

import pytest

from generator.llm import client
from generator.llm.client import ServerEngine
from generator.llm.engine import Completion, Fault, Finish, NoAnswer
from schema.problem import InputError
from tests.llm.fake_server import Body, FakeServer, Hang, Raw, Reply, Reset, Say, Status, any_answer
from tests.llm.test_client import asks

SECRET = "Mme Delaunay, NIHSS à 12"
Engines = Callable[..., ServerEngine]


@pytest.fixture
def engine_of(fake: FakeServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engines]:
    """Opens engines of the fake, with short pauses between tries."""
    monkeypatch.setattr(client, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(client, "_LONGEST_PAUSE", 0.02)
    opened: list[ServerEngine] = []

    def engine(**options: object) -> ServerEngine:
        opened.append(ServerEngine(fake.url, "fake", **{"patience": 5.0, **options}))  # type: ignore[arg-type]
        return opened[-1]

    yield engine
    for one in opened:
        one.close()


def in_turn(*replies: Reply) -> Callable[[Body], Reply]:
    """These replies in turn, then right answers."""
    left = list(replies)
    lock = threading.Lock()

    def script(body: Body) -> Reply:
        with lock:
            return left.pop(0) if left else Say(any_answer(body))

    return script


def one(engine: ServerEngine, text: str = SECRET) -> Completion | NoAnswer:
    (answer,) = engine.complete([asks(text)])
    return answer


_PASSING = {
    "500": Status(500),
    "502": Status(502),
    "503": Status(503),
    "504": Status(504),
    "429": Status(429),
    "reset": Reset(),
    "no JSON": Raw(b'{"choices": [{"mess'),
    "a page": Raw(b"<html>portal</html>", "text/html"),
    "another form": Raw(b'{"answer": 42}'),
    "a list": Raw(b"[]"),
    "no choice": Raw(b'{"choices": []}'),
    "broken off": Say("{}", finish="abort"),
    "no reason": Say("{}", finish=""),
}


@pytest.mark.parametrize("reply", _PASSING.values(), ids=_PASSING.keys())
def test_what_may_pass_is_tried_again(fake: FakeServer, engine_of: Engines, reply: Reply) -> None:
    fake.script = in_turn(reply, reply)
    answer = one(engine_of())
    assert isinstance(answer, Completion)
    assert len(fake.asked) == 3
    assert fake.asked[0] == fake.asked[2]


_LASTING: dict[str, tuple[Reply, Fault]] = {
    "500": (Status(500, f"cannot read {SECRET}"), Fault.OVERLOADED),
    "reset": (Reset(), Fault.UNREACHABLE),
    "no JSON": (Raw(SECRET.encode()), Fault.OVERLOADED),
    "another form": (Raw(json.dumps({"choices": SECRET}).encode()), Fault.OVERLOADED),
}


@pytest.mark.parametrize(("reply", "fault"), _LASTING.values(), ids=_LASTING.keys())
def test_a_request_that_breaks_a_living_server_is_given_up_and_others_are_answered(
    fake: FakeServer, engine_of: Engines, reply: Reply, fault: Fault
) -> None:
    fake.script = lambda body: reply if SECRET in str(body["messages"]) else Say(any_answer(body))
    answers = engine_of().complete([asks("a"), asks(SECRET), asks("b")])
    assert [isinstance(answer, Completion) for answer in answers] == [True, False, True]
    failed = answers[1]
    assert isinstance(failed, NoAnswer)
    assert failed.fault is fault
    assert failed.is_passing
    assert "Delaunay" not in failed.detail


_FINAL: dict[str, tuple[Status, Fault]] = {
    "400": (Status(400, f"bad {SECRET}", SECRET), Fault.REJECTED),
    "401": (Status(401), Fault.REJECTED),
    "404": (Status(404), Fault.REJECTED),
    "307": (Status(307, headers={"Location": "http://127.0.0.1:9/v1/chat/completions"}), Fault.REJECTED),
    "too long for vLLM": (Status(400, "...", "input_tokens"), Fault.TOO_LONG),
    "too long in words": (Status(400, "the request exceeds the available context size"), Fault.TOO_LONG),
    "too large": (Status(413), Fault.TOO_LONG),
}


@pytest.mark.parametrize(("status", "fault"), _FINAL.values(), ids=_FINAL.keys())
def test_what_another_try_cannot_mend_is_asked_once(
    fake: FakeServer, engine_of: Engines, status: Status, fault: Fault
) -> None:
    fake.script = lambda body: status
    answer = one(engine_of())
    assert isinstance(answer, NoAnswer)
    assert (answer.fault, answer.is_passing, len(fake.asked)) == (fault, False, 1)
    assert "Delaunay" not in answer.detail


def test_a_server_that_hangs_is_a_timeout_after_a_few_tries(fake: FakeServer, engine_of: Engines) -> None:
    fake.script = lambda body: Hang(1.0)
    answer = one(engine_of(timeout=0.1))
    assert isinstance(answer, NoAnswer)
    assert answer.fault is Fault.TIMEOUT
    assert len(fake.asked) == 3


def test_one_slow_answer_is_asked_for_again(fake: FakeServer, engine_of: Engines) -> None:
    fake.script = in_turn(Hang(1.0))
    assert isinstance(one(engine_of(timeout=0.2)), Completion)


def test_a_server_that_asks_for_time_gets_it(fake: FakeServer, engine_of: Engines) -> None:
    began = time.monotonic()
    fake.script = in_turn(Status(429, headers={"Retry-After": "1"}))
    assert isinstance(one(engine_of()), Completion)
    assert time.monotonic() - began >= 1.0


@pytest.mark.parametrize("header", ["-5", "nan", "Fri, 27 Nov 2026 16:00:00 GMT", "soon"])
def test_a_strange_retry_after_is_no_error(fake: FakeServer, engine_of: Engines, header: str) -> None:
    fake.script = in_turn(Status(503, headers={"Retry-After": header}))
    assert isinstance(one(engine_of()), Completion)


def test_an_answer_is_given_as_it_ended(fake: FakeServer, engine_of: Engines) -> None:
    engine = engine_of()
    said = {
        Say('{"citations":', "length"): ('{"citations":', Finish.LENGTH),
        Say(None, "content_filter"): ("", Finish.REFUSED),
        Say(None, refusal="Je ne peux pas."): ("", Finish.REFUSED),
        Say("", "stop"): ("", Finish.STOP),
        Say("I cannot read French.", "stop"): ("I cannot read French.", Finish.STOP),
    }
    for reply, (text, finish) in said.items():
        fake.script = in_turn(reply)
        answer = one(engine)
        assert isinstance(answer, Completion)
        assert (answer.text, answer.finish) == (text, finish)


def test_a_server_without_log_probabilities_answers_all_the_same(fake: FakeServer, engine_of: Engines) -> None:
    fake.script = lambda body: Say('{"statut":"omis"}', logprobs=False)
    answer = one(engine_of())
    assert isinstance(answer, Completion)
    assert (answer.text, answer.tokens) == ('{"statut":"omis"}', ())


def test_one_request_in_five_fails_and_none_is_lost(fake: FakeServer, engine_of: Engines) -> None:
    turns = count()
    faults: Sequence[Reply] = (Status(500), Reset(), Status(503), Raw(b"{"))

    def script(body: Body) -> Reply:
        turn = next(turns)
        return faults[turn // 5 % 4] if turn % 5 == 0 else Say(any_answer(body))

    requests = [asks(f"patient {i}") for i in range(300)]
    answers = engine_of().complete(requests)
    fake.script = lambda body: Say(any_answer(body))
    assert answers == engine_of().complete(requests)
    assert all(isinstance(answer, Completion) for answer in answers)


@pytest.mark.parametrize("concurrency", [1, 3, 32])
def test_requests_are_sent_together_and_never_more_than_allowed(
    fake: FakeServer, engine_of: Engines, concurrency: int
) -> None:
    def script(body: Body) -> Reply:
        time.sleep(0.02)
        return Say(any_answer(body))

    fake.script = script
    engine_of(concurrency=concurrency).complete([asks(str(i)) for i in range(40)])
    assert fake.most_in_flight <= concurrency
    assert fake.most_in_flight >= min(concurrency, 8)


def test_a_server_that_dies_and_comes_back_is_waited_for_and_it_is_said_once(
    fake: FakeServer, engine_of: Engines
) -> None:
    said: list[str] = []
    engine = engine_of(patience=20.0, on_wait=said.append)
    turns = count()
    requests = [asks(f"patient {i}") for i in range(60)]
    expected = engine.complete(requests)
    timers: list[threading.Timer] = []

    def script(body: Body) -> Reply:
        if next(turns) == 20:
            threading.Thread(target=fake.die).start()
            timers.append(threading.Timer(0.6, fake.revive))
            timers[0].start()
        time.sleep(0.01)
        return Say(any_answer(body))

    fake.script = script
    answers = engine.complete(requests)
    timers[0].join()
    assert answers == expected
    assert len(said) == 1
    assert fake.url in said[0]


def test_a_server_that_stays_away_is_given_up_and_later_requests_do_not_wait_again(
    fake: FakeServer, engine_of: Engines
) -> None:
    engine = engine_of(patience=0.5)
    fake.die()
    answers = engine.complete([asks(str(i)) for i in range(50)])
    assert {answer.fault for answer in answers if isinstance(answer, NoAnswer)} == {Fault.UNREACHABLE}
    assert len(answers) == 50
    began = time.monotonic()
    engine.complete([asks("x")])
    assert time.monotonic() - began < 0.4
    fake.revive()
    assert isinstance(one(engine), Completion)


def test_another_model_under_the_same_name_is_not_asked(fake: FakeServer, engine_of: Engines, tmp_path: Path) -> None:
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "config.json").write_text("{}")
        (folder / "model.safetensors").write_bytes(bytes([number]))
    fake.root = str(tmp_path / "1")
    engine = engine_of()
    assert engine.name == engine_of().name
    fake.die()
    fake.root = str(tmp_path / "2")
    fake.revive()
    assert engine_of().name != engine.name
    fake.asked.clear()
    fake.script = in_turn(Reset())
    answer = one(engine)
    assert isinstance(answer, NoAnswer)
    assert answer.fault is Fault.UNREACHABLE  # so that its patients are read again once the right one is back
    assert len(fake.asked) == 1


def test_nobody_there_is_said_at_once() -> None:
    began = time.monotonic()
    with pytest.raises(InputError) as caught:
        ServerEngine("http://127.0.0.1:9", patience=600)
    assert time.monotonic() - began < 5
    assert "cohort-rag serve" in str(caught.value)


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://127.0.0.1", "http://", "http://[::1"])
def test_what_is_no_url_is_said(url: str) -> None:
    with pytest.raises(InputError, match="not the URL"):
        ServerEngine(url)


def test_several_models_and_none_named_is_an_error(fake: FakeServer) -> None:
    fake.served = {"one": None, "two": None}
    with pytest.raises(InputError, match="one, two"):
        ServerEngine(fake.url)


def test_a_page_instead_of_models_is_no_server(fake: FakeServer) -> None:
    with pytest.raises(InputError, match="No language model answers"):
        ServerEngine(fake.url.replace("/v1", "/portal"))


def test_patients_do_not_pass_through_a_proxy_nor_into_logs(
    fake: FakeServer, engine_of: Engines, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9")
    caplog.set_level(logging.INFO)
    fake.script = in_turn(Status(500, SECRET), Raw(SECRET.encode()), Status(400, SECRET, SECRET))
    one(engine_of())
    assert len(fake.asked) == 3
    assert "Delaunay" not in caplog.text
