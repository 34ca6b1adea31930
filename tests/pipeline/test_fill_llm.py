"""A table filled by a language model: what is kept of a run that the server left half done, and what is not."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from generator.llm.cache import CachedEngine
from generator.llm.engine import Engine, Fault, Message, NoAnswer, Request
from generator.llm.reader import LlmGenerator
from generator.llm.settings import LlmSettings
from generator.protocol import Generator
from rag.ask import AskRequest, ask
from rag.generators import Generation, GeneratorName, style_named
from rag.pipeline import FillRequest, Mode, fill
from rag.store import answers_path
from schema.problem import InputError
from schema.run import RunManifest
from schema.study import Study as StudyFile
from schema.variable import Variable
from tests.llm.fake_server import FakeServer, Reset, Say
from tests.llm.scripted import SILENT, Asked, Reply, ScriptedEngine, said
from tests.pipeline.conftest import Study
from tests.pipeline.synthetic import LineGenerator, write_documents
from tests.pipeline.test_fill import evidence, exported, table

DICTIONARY = """\
Variable / Field Name,Form Name,Section Header,Field Type,Field Label,"Choices, Calculations, OR Slider Labels",\
Field Note,Text Validation Type OR Show Slider Number,Text Validation Min,Text Validation Max,Identifier?,\
Branching Logic (Show field only if...),Required Field?
record_id,f,,text,Patient,,,,,,y,,
poids,f,,text,Poids (kg),,,integer,1,300,,,
taille,f,,text,Taille (cm),,,integer,1,250,,,
diabete,f,,yesno,Diabète,,,,,,,,
"""
#: What is quoted for each variable, and the value that is said.
_READ: dict[str, tuple[str, Callable[[str], object]]] = {
    "poids": (r"Poids : (\d+) kg", int),
    "taille": (r"Taille : (\d+) cm", int),
    "diabete": (r"(Diabète) de type 2", lambda _: "Oui"),
}


def cohort(patients: int) -> list[tuple[str, str]]:
    return [(f"P{i:02d}", f"Diabète de type 2. Poids : {60 + i} kg. Taille : {150 + i} cm.") for i in range(patients)]


def reads(asked: Asked) -> str:
    """Answers from the text that is shown."""
    (name,) = asked.names
    pattern, value = _READ[name]
    match = re.search(pattern, asked.shown.rpartition("<passage 1 ")[2])
    unit = {"poids": "kg", "taille": "cm"}.get(name)
    return said(value(match[1]), match[0], unit=unit) if match else SILENT


@pytest.fixture
def asks(tmp_path: Path) -> FillRequest:
    (tmp_path / "dictionary.csv").write_text(DICTIONARY, encoding="utf-8")
    documents = write_documents(tmp_path / "documents.jsonl", cohort(4))
    return FillRequest(documents, tmp_path / "dictionary.csv", tmp_path / "run")


def made_with(engine: Engine, out: Path) -> Callable[[Sequence[Variable], StudyFile], Generator]:
    def make(variables: Sequence[Variable], study: StudyFile) -> Generator:
        return LlmGenerator(variables, study, LlmSettings(), lambda: CachedEngine(engine, answers_path(out)))

    return make


def manifest(out: Path) -> RunManifest:
    return RunManifest.model_validate_json((out / "manifest.json").read_text(encoding="utf-8"))


def test_the_table_holds_what_the_model_read_and_no_answer_stays_behind(asks: FillRequest) -> None:
    engine = ScriptedEngine(reads)
    report = fill(asks, made_with(engine, asks.out))
    assert report.failed == ()
    assert table(asks.out)[1] == {"record_id": "P01", "poids": "61", "taille": "151", "diabete": "1"}
    assert len(engine.asked) == 4 * 3
    held = [path.name for path in asks.out.rglob("*")]
    assert not any("answers" in name or "spool" in name for name in held)


def away_for(*patients: str) -> Callable[[Asked], Reply]:
    """A server that is away while it is asked for the heights of some patients."""

    def reply(asked: Asked) -> Reply:
        is_away = asked.names == ("taille",) and any(f"Poids : {60 + int(p[1:])} kg" in asked.shown for p in patients)
        return NoAnswer(Fault.UNREACHABLE) if is_away else reads(asked)

    return reply


def test_a_patient_whose_questions_could_not_be_asked_is_said_and_retried_alone(asks: FillRequest) -> None:
    report = fill(asks, made_with(ScriptedEngine(away_for("P01", "P02")), asks.out))
    assert [problem.where for problem in report.failed] == ["patient 'P01'", "patient 'P02'"]
    assert "could not be reached for 1 of its 3 cells" in report.failed[0].what
    assert "--resume" in report.failed[0].remedy
    assert table(asks.out)[1] == {"record_id": "P01", "poids": "61", "taille": "", "diabete": "1"}
    assert evidence(asks.out)["P01", "taille"]["status"] == "server_error"
    run = manifest(asks.out)
    assert (run.failed_patients, run.cells["server_error"], sum(run.cells.values())) == (2, 2, 12)
    assert "P01" in (asks.out / "problems.csv").read_text(encoding="utf-8")

    back = ScriptedEngine(reads)
    again = fill(replace(asks, mode=Mode.RESUME), made_with(back, asks.out))
    assert again.failed == ()
    assert [asked.names for asked in back.asked] == [("taille",), ("taille",)]
    whole = replace(asks, out=asks.out.with_name("whole"))
    fill(whole, made_with(ScriptedEngine(reads), whole.out))
    assert exported(asks.out) == exported(whole.out)
    assert not answers_path(asks.out).exists()


def test_a_run_that_breaks_between_patients_asks_nothing_twice(asks: FillRequest) -> None:
    class Killed(BaseException):
        pass

    seen: list[Asked] = []

    def reply(asked: Asked) -> Reply:
        seen.append(asked)
        if len(seen) > 7:
            raise Killed
        return reads(asked)

    with pytest.raises(Killed):
        fill(asks, made_with(ScriptedEngine(reply), asks.out))
    back = ScriptedEngine(reads)
    fill(replace(asks, mode=Mode.RESUME), made_with(back, asks.out))
    assert len(back.asked) == 4 * 3 - 6
    assert [row["poids"] for row in table(asks.out)] == ["60", "61", "62", "63"]


def test_a_record_that_the_model_cannot_hold_is_said_and_how_to_help(asks: FillRequest) -> None:
    engine = ScriptedEngine(lambda asked: NoAnswer(Fault.TOO_LONG) if "Poids : 61" in asked.shown else reads(asked))
    report = fill(asks, made_with(engine, asks.out))
    assert report.failed == ()
    (problem,) = [problem for problem in report.problems if "too long" in problem.what]
    assert problem.where == "patient 'P01'"
    assert "3 cells" in problem.what
    assert "--retriever" in problem.remedy
    assert evidence(asks.out)["P01", "poids"]["status"] == "truncated"


def test_what_goes_to_review_leaves_the_cell_empty_and_can_be_found(asks: FillRequest) -> None:
    def reply(asked: Asked) -> Reply:
        wrong = asked.names == ("poids",) and "Poids : 62 kg" in asked.shown
        return said(97, "Poids : 62 kg", unit="kg") if wrong else reads(asked)

    fill(asks, made_with(ScriptedEngine(reply), asks.out))
    assert table(asks.out)[2]["poids"] == ""
    line = evidence(asks.out)["P02", "poids"]
    assert (line["status"], line["value"], line["candidates"]) == ("to_review", None, ["97"])
    (quote,) = json.loads(json.dumps(line["evidence"]))
    assert quote["quote"] == "Poids : 62 kg"


def test_values_of_less_confidence_than_the_bar_go_to_review(study: Study) -> None:
    request = study.request([("P", "poids : 71\nsexe : 1")])
    generation = replace(request.generation, above=0.95)
    fill(replace(request, generation=generation), LineGenerator)
    assert table(study.out)[0]["poids"] == ""
    line = evidence(study.out)["P", "poids"]
    assert (line["status"], line["candidates"], line["confidence"]) == ("to_review", ["71"], 0.9)
    assert line["evidence"]
    other = replace(request, generation=replace(generation, above=0.9), out=study.folder / "other")
    fill(other, LineGenerator)
    assert table(other.out)[0]["poids"] == "71"
    assert manifest(other.out).fingerprint.generator != manifest(study.out).fingerprint.generator


# --- through a server ------------------------------------------------------------------------------------------------


def from_server(body: dict[str, Any]) -> Say:
    messages = tuple(Message(turn["role"], turn["content"]) for turn in body["messages"])
    return Say(reads(Asked(Request(messages, "", body["max_tokens"]))))


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(from_server, context=10_000) as fake:
        yield fake


def served(asks: FillRequest, server: FakeServer, out: str = "run", **changed: Any) -> FillRequest:
    generation = Generation(GeneratorName.LLM, server=server.url, patience=0.0)
    return replace(asks, generation=generation, out=asks.out.with_name(out), **changed)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_that_dies_costs_nothing_that_was_answered(
    asks: FillRequest, server: FakeServer, workers: int
) -> None:
    undisturbed = fill(served(asks, server, "whole"))
    assert undisturbed.failed == ()
    assert undisturbed.manifest.arguments["generator"].startswith("llm, fake")
    answered = len(server.asked)
    server.asked.clear()
    lock, left = threading.Lock(), [5]

    def dying(body: dict[str, Any]) -> Say | Reset:
        with lock:
            left[0] -= 1
            is_dead = left[0] < 0
        return Reset() if is_dead else from_server(body)

    server.script = dying
    disturbed = fill(served(asks, server, workers=workers))
    assert disturbed.failed
    assert all("--resume" in problem.remedy for problem in disturbed.failed)
    server.script = from_server
    server.asked.clear()
    resumed = fill(served(asks, server, workers=workers, mode=Mode.RESUME))
    assert resumed.failed == ()
    assert len(server.asked) == answered - 5
    assert exported(asks.out) == exported(asks.out.with_name("whole"))


def test_a_run_goes_on_with_the_model_and_the_settings_that_it_began_with(
    asks: FillRequest, server: FakeServer
) -> None:
    begun = served(asks, server)
    fill(begun)
    resumed = replace(begun, mode=Mode.RESUME)
    fill(resumed)
    for settings in (LlmSettings(group=2), LlmSettings(samples=2), LlmSettings(style=style_named("brief"))):
        other = replace(resumed, generation=replace(begun.generation, settings=settings))
        with pytest.raises(InputError, match="changed since it was started: generator"):
            fill(other)
    with pytest.raises(InputError, match="changed since it was started: generator"):
        fill(replace(resumed, generation=Generation()))
    server.served = {"another": None}
    with pytest.raises(InputError, match="changed since it was started: generator"):
        fill(resumed)


def test_both_readers_fill_one_table(asks: FillRequest, server: FakeServer) -> None:
    begun = served(asks, server)
    report = fill(replace(begun, generation=replace(begun.generation, generator=GeneratorName.BOTH)))
    assert report.failed == ()
    assert table(asks.out)[3] == {"record_id": "P03", "poids": "63", "taille": "153", "diabete": "1"}


def test_ask_asks_about_the_variable_alone(asks: FillRequest, server: FakeServer) -> None:
    generation = Generation(GeneratorName.LLM, server=server.url)
    answer = ask(AskRequest(asks.documents, asks.dictionary, "P02", variable="taille", generation=generation))
    assert answer.found is not None
    assert answer.found.value == 152
    assert [citation.document_id for citation in answer.citations] == ["d2"]
    assert len(server.asked) == 1
