"""The whole rehearsal, each step as short as it can be, through real parts: mergekit, PEFT, vLLM."""

import csv
from pathlib import Path

import pytest

from tests.cli.commands import run
from tests.llm.conftest import vllm_there as vllm_there


@pytest.mark.server
def test_every_step_is_made_by_its_real_part_and_measured(vllm_there: None, tmp_path: Path) -> None:
    out = tmp_path / "rehearsal"
    answer = run("rehearsal", "--quick", "--workers", 1, "--out", out)
    assert answer.code == 0, answer.err
    head, *lines = answer.out.splitlines()
    assert head.split()[0] == "model"
    scored = {line.split()[0]: line.split()[1:] for line in lines}
    assert {"base", "biomedical", "instructions", "linear-1"} <= scored.keys()
    assert sum("chosen" in line for line in lines) == 1
    models = {"base", "biomedical", "instructions"} | ({"linear-1"} if "<-" in scored["linear-1"] else set())
    assert {folder.name for folder in (out / "tables").iterdir()} == models
    for model in models:
        with (out / "tables" / model / "table.csv").open(encoding="utf-8", newline="") as file:
            assert len(list(csv.DictReader(file))) == 6
        assert (out / "tables" / model / "report" / "report.html").is_file()
    assert (out / "search" / "best" / "model.safetensors").is_file()
    assert (out / "models" / "biomedical" / "adapter_model.safetensors").is_file()
