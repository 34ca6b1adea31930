"""The files of a retrieval report, read back."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from eval.retrieval import FIGURES, Query, Scores
from eval.retrieval_plots import TimelineView, write_plots
from eval.retrieval_report import RetrievalReport, format_summary, report_on, write_report
from schema.document import Span

QUESTIONS = [
    ("A", "=age", "plain"),
    ("A", "nihss", "anaphoric"),
    ("B", "=age", "plain"),
    ("B", "nihss", "anaphoric"),
]


@pytest.fixture
def scores() -> Scores:
    queries = tuple(Query(*named, (Span("D1", 0, 9), Span("D2", 0, 9))) for named in QUESTIONS)
    figures = {
        "ours": np.ones((4, 2, len(FIGURES))),
        "ours, shuffled": np.full((4, 2, len(FIGURES)), 0.25),
        "theirs": np.repeat([[1.0], [0.0], [1.0], [0.0]], 2 * len(FIGURES), axis=1).reshape(4, 2, -1),
    }
    return Scores(queries, figures, {"ours": 0.4, "ours, shuffled": 0.4, "theirs": 0.004})


@pytest.fixture
def report(scores: Scores) -> RetrievalReport:
    return report_on(scores, "4 questions", ["ours, shuffled", "not measured"], ["left out: 2 quotes not found"])


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_first_method_is_compared_with_the_others(report: RetrievalReport) -> None:
    assert report.reference == "ours"
    assert report.ablations == ("ours, shuffled",)
    assert {row.less for row in report.differences} == {"ours, shuffled", "theirs"}


def test_a_summary_for_a_terminal(report: RetrievalReport) -> None:
    said = format_summary(report).splitlines()
    assert said[0] == "4 questions"
    rows = [line.split() for line in said]
    assert ["theirs", *["0.500"] * 2, "[0.50–0.50]", *["0.500"] * 5, "[0.50–0.50]", "0.500", "1.0"] in rows
    assert ["theirs", "0.000", "[0.00–0.00]", "1.000", "[1.00–1.00]"] in rows, "by kind"
    assert ["theirs", "+0.500", "[+0.500", "to", "+0.500]", "p", "=", "0.500"] in rows
    assert any("anaphoric (2)" in line and "plain (2)" in line for line in said)
    assert said[-1].strip() == "note: left out: 2 quotes not found"


def test_the_page_has_every_table(report: RetrievalReport, scores: Scores, tmp_path: Path) -> None:
    write_report(report, scores, tmp_path / "made")
    page = (tmp_path / "made" / "report.md").read_text("utf-8")
    for title in ("## Methods", "## ours, less each other method", "## By variable: passage recall@3", "## Ablations"):
        assert title in page
    (line,) = [line for line in page.splitlines() if line.startswith("| anaphoric | 2 | 1.000")]
    assert line == "| anaphoric | 2 | 1.000 [1.00–1.00] | 0.250 [0.25–0.25] | 0.000 [0.00–0.00] |"
    tables = [line for line in page.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)


def test_one_row_per_question_and_method(report: RetrievalReport, scores: Scores, tmp_path: Path) -> None:
    write_report(report, scores, tmp_path)
    found = rows(tmp_path / "questions.csv")
    assert len(found) == 4 * 3
    row = next(row for row in found if (row["patient"], row["variable"], row["method"]) == ("B", "nihss", "theirs"))
    assert (row["kind"], row["quotes"], row["documents"]) == ("anaphoric", "2", "2")
    assert float(row["passage recall@3"]) == float(row["document MRR"]) == 0
    assert {row["variable"] for row in found} == {"'=age", "nihss"}, "no cell may run as a formula"


def test_tables_and_json_hold_the_same_figures(report: RetrievalReport, scores: Scores, tmp_path: Path) -> None:
    write_report(report, scores, tmp_path)
    data = json.loads((tmp_path / "report.json").read_text("utf-8"))
    for name in ("figures", "differences"):
        table = rows(tmp_path / f"{name}.csv")
        held = data["rows" if name == "figures" else name]
        assert [float(row["value"]) for row in table] == pytest.approx([row["estimate"]["value"] for row in held])
    (row,) = [
        row
        for row in rows(tmp_path / "differences.csv")
        if (row["by"], row["less"], row["level"], row["figure"]) == ("all", "theirs", "document", "recall@2")
    ]
    assert (float(row["value"]), float(row["p_value"])) == (0.5, 0.5)


def test_plots_are_images_and_ablations_are_drawn_where_there_are_some(scores: Scores, tmp_path: Path) -> None:
    view = TimelineView(
        "ours",
        "A $_{1}$",
        ("2021-01-01 crh", "no date courrier", "2021-01-02 crh"),
        ("age", "nihss"),
        np.array([[0.5, np.nan, 0.1], [np.nan, np.nan, np.nan]]),
        np.array([[True, False, False], [False, True, False]]),
    )
    write_plots(report_on(scores, "", ["ours, shuffled"]), view, tmp_path)
    for name in ("recall.png", "timeline.png", "ablations.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    write_plots(report_on(scores, ""), view, tmp_path)
    assert not (tmp_path / "ablations.png").exists(), "that of an earlier report in the same folder"
