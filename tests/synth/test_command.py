"""`cohort-rag synth` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.cli import main


def test_the_command_writes_a_cohort_and_counts_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "cohort"
    command = ["synth", "--out", str(out), "--patients", "3", "--documents", "6-9", "--vocabulary", "B", "--seed", "4"]
    assert main(command) == 0
    lines = [json.loads(line) for line in (out / "documents.jsonl").read_text("utf-8").splitlines()]
    assert set(lines[0]) == {"patient_id", "document_id", "date", "type", "title", "text"}
    counts = json.loads((out / "manifest.json").read_text("utf-8"))["counts"]
    assert counts["documents"] == len(lines)
    assert f"3 patients, {len(lines)} documents, {counts['cells']} cells" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", ["--documents 3", "--documents 60-", "--noise 2", "--style verse"])
def test_what_cannot_be_is_refused_in_words(wrong: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["synth", "--out", str(tmp_path), *wrong.split()])
    assert stop.value.code == 2
    assert wrong.split()[0] in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
