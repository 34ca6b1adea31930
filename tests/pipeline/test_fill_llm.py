"""A table filled by a language model: what is kept of a run that the server left half done, and what is not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from generator.llm.cache import CachedEngine
from generator.llm.engine import Engine, Fault, NoAnswer
from generator.llm.reader import LlmGenerator
from generator.llm.settings import LlmSettings
from generator.protocol import Generator
from rag.pipeline import FillRequest, Mode, fill
from rag.store import answers_path
from schema.run import RunManifest
from schema.study import Study as StudyFile
from schema.variable import Variable
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
