"""The rehearsal, as short as it can be: each of its steps, on real parts."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from generator.llm.prompt import TEMPLATES
from generator.llm.settings import Context, LlmSettings
from rag.rehearsal.cohorts import write_cohorts
from rag.rehearsal.conversations import conversations_of
from rag.rehearsal.plan import ASKED, BIOMEDICAL, INSTRUCTIONS, quick
from rag.retrieval import Retrieval, RetrieverName
from tests.cli.commands import run
from tests.llm.conftest import vllm_there  # noqa: F401 (a fixture)

SMALL = replace(quick(), taught=3, apart=2, development=2, test=2)


def _column(path: Path, name: str) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


def test_each_cohort_asks_for_its_own_variables_of_its_own_patients(tmp_path: Path) -> None:
    write_cohorts(tmp_path, SMALL)
    asked = {f.name: set(_column(f / "dictionary.csv", "Variable / Field Name")) for f in tmp_path.iterdir()}
    assert asked["biomedical"] == {"record_id", *BIOMEDICAL, *ASKED["biomedical"], *SMALL.kept}
    assert asked["instructions"] == {"record_id", *INSTRUCTIONS, *ASKED["instructions"], *SMALL.kept}
    assert asked["development"] == asked["test"] == {"record_id", *BIOMEDICAL, *INSTRUCTIONS}
    assert asked["taught"] > asked["test"] | set(SMALL.kept)
    texts = [(f / "documents.jsonl").read_text(encoding="utf-8") for f in tmp_path.iterdir()]
    lines = [line for text in texts for line in text.splitlines()]
    assert len({json.loads(line)["text"] for line in lines}) == len(lines)


def test_a_conversation_shows_its_passages_once_and_answers_with_what_they_say(tmp_path: Path) -> None:
    write_cohorts(tmp_path, SMALL)
    settings = LlmSettings(style=TEMPLATES / "brief", context=Context.VARIABLE, concepts=False)
    retrieval = Retrieval(RetrieverName.BM25, passages=2)
    seldom = frozenset(BIOMEDICAL)
    made = conversations_of(tmp_path / "taught", retrieval, settings, 4, seldom, 0.0, seed=0, workers=1)
    told = 0
    for turns in [one for patient in made for one in patient]:
        assert [turn.role for turn in turns] == ["system", *(["user", "assistant"] * (len(turns) // 2))]
        shown, *later = [turn.content for turn in turns if turn.role == "user"]
        assert shown.startswith("[1]") and all(question.startswith("? ") for question in later)
        assert not any("Hypertension artérielle connue" in question for question in [shown, *later])
        for answer in (json.loads(turn.content) for turn in turns if turn.role == "assistant"):
            told += answer["valeur"] is not None
            assert all(quote["texte"].split()[0] in shown for quote in answer["citations"])
    assert told > 5


@pytest.mark.server
@pytest.mark.usefixtures("vllm_there")
def test_a_rehearsal_ends_with_a_table_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    answer = run("rehearsal", "--quick", "--out", tmp_path / "out")
    assert answer.code == 0, answer.err
    names = [line.split()[0] for line in answer.out.splitlines()]
    assert names[:4] == ["model", "base", "biomedical", "instructions"]
    assert "<- chosen" in answer.out
    assert len(_column(tmp_path / "out" / "tables" / "base" / "table.csv", "record_id")) == quick().test
    weights = tmp_path / "out" / "models" / "base" / "model.safetensors"
    made = weights.stat().st_mtime_ns
    again = run("rehearsal", "--quick", "--out", tmp_path / "out")
    assert again.code == 0
    assert weights.stat().st_mtime_ns == made
    assert [line.split()[:3] for line in again.out.splitlines()[:4]] == [
        line.split()[:3] for line in answer.out.splitlines()[:4]
    ]
