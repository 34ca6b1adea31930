"""The example of docs/retrieval.md runs; shipped models find the evidence of the cohort beside the repository."""

import csv
import re
from pathlib import Path

import pytest

from tests.cli.commands import run

ROOT = Path(__file__).parents[2]


def test_the_example_runs() -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "retrieval.md").read_text("utf-8"), re.M | re.S)
    names: dict = {}
    exec(example, names)
    assert names["found"].metadata["document_id"] == "P1-01"


@pytest.mark.shared
def test_the_shipped_models_find_the_evidence_of_the_shared_cohort(shared_cohort: Path, tmp_path: Path) -> None:
    files = [f"--{name}={shared_cohort / file}" for name, file in (
        ("documents", "documents.jsonl"), ("dictionary", "dictionary.csv"), ("evidence", "evidence.jsonl")
    )]  # fmt: skip
    methods = ("--methods", "temporal", "bm25", "hybrid")
    assert run("retriever", "evaluate", *files, "--out", tmp_path / "report", *methods).code == 0
    with (tmp_path / "report" / "figures.csv").open(encoding="utf-8-sig") as stream:
        recall = {
            row["method"]: float(row["value"])
            for row in csv.DictReader(stream)
            if (row["by"], row["level"], row["figure"]) == ("all", "passage", "recall@3")
        }
    assert recall["temporal"] > recall["hybrid"] + 0.03
    assert recall["temporal"] > recall["bm25"] + 0.08
