"""The example of docs/retrieval.md runs, and the benchmark's figures are those computed by hand."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks import retrieval as benchmark
from retriever.embed import HashedNgramEncoder
from retriever.retrieve import Method
from schema.document import Span

ROOT = Path(__file__).parents[2]


def test_the_example_runs():
    (example,) = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "retrieval.md").read_text("utf-8"), re.M | re.S)
    names = {}
    exec(example, names)
    assert names["found"].metadata["document_id"] == "P1-01"


def test_figures_of_one_question():
    # Two quotes: the first found at rank 2, the second at rank 5.
    figures = benchmark.scored([set(), {0}, set(), {0}, {1}], total=2)
    assert dict(zip(benchmark.HEADER, figures, strict=True)) == {
        "recall@1": 0,
        "recall@3": 0.5,
        "recall@5": 1,
        "recall@10": 1,
        "hit@1": 0,
        "hit@3": 1,
        "hit@5": 1,
        "hit@10": 1,
        "MRR": 0.5,
    }
    assert benchmark.scored([set()], total=1) == [0.0] * 9


@pytest.mark.parametrize(("start", "end", "held"), [(0, 10, True), (5, 20, True), (6, 20, False), (20, 30, False)])
def test_a_passage_holds_a_quote_from_half_of_it(start, end, held):
    assert benchmark.holds(Span("D", start, end), Span("D", 0, 10)) is held
    assert not benchmark.holds(Span("E", start, end), Span("D", 0, 10))


def test_interval_of_patients_who_agree():
    assert list(benchmark.interval([np.array([[0.5]]), np.array([[0.5], [0.5]])])) == ["   0.500 (0.50 0.50)"]


def test_the_benchmark_reads_a_cohort(tmp_path, capsys):
    texts = {"P1": "Examen : NIHSS à 14.\n", "P2": "Examen : NIHSS à 3.\n"}
    documents = [{"patient_id": p, "document_id": "D1", "date": "2021-01-01", "text": t} for p, t in texts.items()]
    evidence = [
        {"patient_id": p, "variable": "nihss", "evidence": [{"document_id": "D1", "quote": t.strip()}]}
        for p, t in texts.items()
    ]
    evidence[0]["evidence"].append({"document_id": "D1", "quote": "words that are not there"})
    for name, rows in [("documents", documents), ("evidence", evidence)]:
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    (tmp_path / "dictionary.csv").write_text(
        "Variable / Field Name,Form Name,Field Type,Field Label\nid,f,text,Id\nnihss,f,text,Score NIHSS\n", "utf-8"
    )
    benchmark.run(tmp_path, HashedNgramEncoder())
    printed = capsys.readouterr().out
    assert "2 questions; 1 quotes not found" in printed
    assert printed.count("1.000 (1.00 1.00)") == len(Method) * 2 * len(benchmark.HEADER)


@pytest.mark.shared
def test_most_evidence_of_the_shared_cohort_is_among_ten_passages(capsys, shared_cohort):
    benchmark.run(shared_cohort, HashedNgramEncoder())
    hybrid = capsys.readouterr().out.split("\nhybrid,")[1]
    header, passage = hybrid.splitlines()[1:3]
    recall = float(passage.split()[1 + 3 * header.split().index("recall@10")])
    assert recall > 0.8
