"""Answers kept on disk."""

from __future__ import annotations

import math
import multiprocessing
import stat
from pathlib import Path

import pytest

from generator.llm.cache import CachedEngine
from generator.llm.engine import Completion, Fault, Finish, Message, NoAnswer, Request, Token
from tests.llm.scripted import Asked, Reply, ScriptedEngine


def asking(*texts: str, sample: int = 0) -> list[Request]:
    return [Request((Message("user", text),), "{}", 16, sample) for text in texts]


def echo(asked: Asked) -> Reply:
    text = asked.request.messages[0].content
    tokens = tuple(Token(sign, -0.25 if sign != "z" else -math.inf) for sign in text)
    return Completion(f"{text}{asked.request.sample}", Finish.STOP, tokens, 7, 3)


def test_what_was_answered_is_not_asked_again(tmp_path: Path) -> None:
    first = ScriptedEngine(echo)
    answers = CachedEngine(first, tmp_path / "answers").complete(asking("é", "z", "\ud800"))
    second = ScriptedEngine(echo)
    again = CachedEngine(second, tmp_path / "answers").complete(asking("\ud800", "new", "é", "z"))
    assert again == [answers[2], *second.complete(asking("new")), answers[0], answers[1]]
    assert [asked.request for asked in second.calls[0]] == asking("new")


def test_a_request_is_its_text_its_schema_its_length_and_its_sample(tmp_path: Path) -> None:
    engine = ScriptedEngine(echo)
    cached = CachedEngine(engine, tmp_path / "answers")
    (plain,), (sampled,) = asking("a"), asking("a", sample=1)
    others = [sampled, Request(plain.messages, "[]", 16), Request(plain.messages, "{}", 17)]
    others.append(Request((Message("assistant", "a"),), "{}", 16))
    for request in (plain, *others):
        cached.complete([request])
    assert len(engine.calls) == 5


def test_another_model_is_asked_all_again(tmp_path: Path) -> None:
    CachedEngine(ScriptedEngine(echo), tmp_path / "answers").complete(asking("a"))
    other = ScriptedEngine(echo)
    other.name = "another"
    CachedEngine(other, tmp_path / "answers").complete(asking("a"))
    assert len(other.calls) == 1


def test_a_request_given_twice_is_asked_once(tmp_path: Path) -> None:
    engine = ScriptedEngine(echo)
    answers = CachedEngine(engine, tmp_path / "answers").complete(asking("a", "b", "a"))
    assert len(engine.asked) == 2
    assert answers[0] == answers[2] != answers[1]


def test_what_had_no_answer_is_asked_again(tmp_path: Path) -> None:
    away = CachedEngine(ScriptedEngine(lambda _: NoAnswer(Fault.TIMEOUT)), tmp_path / "answers")
    assert away.complete(asking("a")) == [NoAnswer(Fault.TIMEOUT)]
    back = ScriptedEngine(echo)
    assert CachedEngine(back, tmp_path / "answers").complete(asking("a")) == back.complete(asking("a"))


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    cached = CachedEngine(ScriptedEngine(echo), tmp_path / "answers")
    cached.complete(asking("a"))
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    cached.close()


def _ask_many(path: Path, first: int) -> None:
    cached = CachedEngine(ScriptedEngine(echo), path)
    for number in range(first, first + 40):
        cached.complete(asking(str(number), "common"))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="copies of this process are needed")
def test_several_processes_share_the_file(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=_ask_many, args=(tmp_path / "answers", first)) for first in (0, 20, 60)]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0
    engine = ScriptedEngine(echo)
    CachedEngine(engine, tmp_path / "answers").complete(asking(*map(str, range(100)), "common"))
    assert engine.calls == []
