"""Generators that are not as one would like, through the command."""

import importlib.util
from pathlib import Path

import pytest

from tests.cli.commands import refused, run, write
from tests.pipeline.synthetic import plain_cohort, write_dictionary, write_documents

#: Nothing answers there.
NOWHERE = "http://127.0.0.1:9/v1"


@pytest.fixture
def inputs(tmp_path: Path) -> list[object]:
    documents = write_documents(tmp_path / "documents.jsonl", plain_cohort(2))
    return ["--documents", documents, "--dictionary", write_dictionary(tmp_path)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--server", NOWHERE], "--generator rules: has no use for --server. Leave it out, or give --generator llm"),
        (["--group", "3", "--prompt", "full"], "no use for --prompt and --group"),
        (["--generator", "llm", "--offline", "model", "--served", "m"], "--offline: has no use for --served"),
        (["--generator", "both", "--adapter", "model"], "a server: has no use for --adapter"),
        (["--generator", "llm", "--server", NOWHERE], "cohort-rag serve"),
        (["--generator", "both", "--server", NOWHERE], "cohort-rag serve"),
        (["--generator", "llm", "--server", "ici"], "is not the URL of a server"),
        (["--generator", "llm", "--offline", "nowhere"], "config.json"),
        (["--generator", "llm", "--prompt", "missing"], "system.j2"),
        (["--calibration", "missing.json"], "missing.json"),
    ],
    ids=["server", "group", "served", "adapter", "llm away", "both away", "url", "offline", "prompt", "calibration"],
)
def test_what_cannot_be_done_is_said_before_anything_is_read(
    options: list[object], said: str, inputs: list[object], tmp_path: Path
) -> None:
    for command in (["fill", *inputs, "--out", tmp_path / "run"], ["ask", *inputs, "--patient", "P001", "poids ?"]):
        error = refused(*command, *options)
        assert said in error
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(importlib.util.find_spec("vllm") is not None, reason="vllm is installed here")
def test_vllm_is_missed_before_the_first_patient(inputs: list[object], tmp_path: Path) -> None:
    write(tmp_path / "model" / "config.json", "{}")
    options = ["--generator", "llm", "--offline", tmp_path / "model"]
    assert "vllm is not installed" in refused("fill", *inputs, "--out", tmp_path / "run", *options)


def test_a_model_in_this_process_is_not_read_by_several(inputs: list[object], tmp_path: Path) -> None:
    write(tmp_path / "model" / "config.json", "{}")
    options = ["--generator", "llm", "--offline", tmp_path / "model", "--workers", "2"]
    assert "Leave out --workers" in refused("fill", *inputs, "--out", tmp_path / "run", *options)


@pytest.mark.parametrize("options", [["--above", "1.5"], ["--above", "haut"], ["--group", "0"], ["--patience", "-1"]])
def test_numbers_out_of_their_range_are_refused(options: list[object], inputs: list[object], tmp_path: Path) -> None:
    answer = run("fill", *inputs, "--out", tmp_path / "run", "--generator", "llm", *options)
    assert answer.code == 2
    assert f"argument {options[0]}: " in answer.err


def test_a_bar_empties_cells_without_losing_what_was_read(inputs: list[object], tmp_path: Path) -> None:
    answer = run("fill", *inputs, "--out", tmp_path / "run", "--above", "1")
    assert answer.code == 0
    assert "to_review" in answer.out
    asked = run("ask", *inputs, "--patient", "P001", "--variable", "poids", "--above", "1")
    assert "look at it" in asked.out
    assert "51" in asked.out
