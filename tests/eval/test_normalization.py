"""Figures of a normalization, against counts made by hand."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.normalization import CodedSpan, ErrorKind, Found, evaluate
from eval.normalization_report import format_report, write_errors, write_metrics


def span(document: str, codes: str, *fragments: tuple[int, int], group: str = "DISO", written: str = "x") -> CodedSpan:
    return CodedSpan(document, fragments, frozenset(codes.split()), group, written)


GOLD = [
    span("a", "C1", (0, 20), written="hémorragie cérébrale"),
    span("a", "C2", (11, 20), group="ANAT", written="cérébrale"),
    span("a", "C3 C4", (30, 33), written="FA"),
    span("a", "C5", (40, 50), (55, 60), written="œdème des membres droit"),
    span("b", "C6", (0, 5), written="coma"),
]
PREDICTED = [
    span("a", "C1", (0, 20)),  # right
    span("a", "C9", (11, 20), group="ANAT"),  # another code
    span("a", "C4 C3", (30, 33)),  # right: the order of codes does not count
    span("a", "C5", (40, 60)),  # other limits
    span("b", "C7", (10, 15)),  # nothing there
    span("b", "C7", (10, 15)),  # said twice
]


def test_counts_by_hand() -> None:
    report = evaluate(["a", "b", "c"], GOLD, PREDICTED)
    assert (report.documents, report.codes.gold, report.codes.predicted, report.codes.correct) == (3, 5, 5, 2)
    assert (report.spans.gold, report.spans.predicted, report.spans.correct) == (5, 5, 3)
    assert report.codes.precision.value == pytest.approx(2 / 5)
    assert report.codes.recall.value == pytest.approx(2 / 5)
    assert report.spans.f1.value == pytest.approx(3 / 5)
    assert report.groups["DISO"].correct == 2
    assert (report.groups["ANAT"].gold, report.groups["ANAT"].predicted, report.groups["ANAT"].correct) == (1, 1, 0)
    assert report.nested == Found(gold=1, correct=0)
    assert report.apart == Found(gold=1, correct=0)
    assert report.abbreviations == Found(gold=1, correct=1)
    assert report.by_length == {"1": Found(3, 1), "2": Found(1, 1), "4+": Found(1, 0)}


def test_each_error_has_its_kind() -> None:
    report = evaluate(["a", "b"], GOLD, PREDICTED)
    found = [
        (error.kind, error.gold and error.gold.codes, error.predicted and error.predicted.codes)
        for error in report.errors
    ]
    assert found == [
        (ErrorKind.WRONG_CODE, {"C2"}, {"C9"}),
        (ErrorKind.BOUNDARY, {"C5"}, {"C5"}),
        (ErrorKind.MISSED, {"C6"}, None),
        (ErrorKind.SPURIOUS, None, {"C7"}),
    ]


def test_one_of_two_codes_is_not_enough() -> None:
    report = evaluate(["a"], [span("a", "C1 C2", (0, 4))], [span("a", "C1", (0, 4))])
    assert report.codes.correct == 0
    assert report.spans.correct == 1
    assert [error.kind for error in report.errors] == [ErrorKind.WRONG_CODE]


def test_a_prediction_that_is_right_elsewhere_is_blamed_for_nothing() -> None:
    gold = [span("a", "C1", (0, 10)), span("a", "C2", (0, 4))]
    report = evaluate(["a"], gold, [span("a", "C2", (0, 4))])
    assert [error.kind for error in report.errors] == [ErrorKind.MISSED]


def test_nothing_to_measure_is_undefined_not_zero() -> None:
    report = evaluate(["a"], [], [])
    assert report.codes.f1.value is None
    assert "–" in format_report(report)


def test_a_mention_of_another_document_is_refused() -> None:
    with pytest.raises(ValueError, match="1 documents"):
        evaluate(["a"], [span("b", "C1", (0, 1))], [])


def test_intervals_hold_the_figure_and_depend_on_the_seed_alone() -> None:
    documents = [str(number) for number in range(30)]
    gold = [span(name, "C1", (0, 4)) for name in documents]
    predicted = [span(name, "C1" if place % 3 else "C2", (0, 4)) for place, name in enumerate(documents)]
    first, second = (evaluate(documents, gold, predicted, seed=7) for _ in range(2))
    assert first == second
    f1 = first.codes.f1
    assert f1.low is not None
    assert f1.high is not None
    assert f1.low < 2 / 3 < f1.high


def test_the_text_says_figures_and_no_word_of_a_document() -> None:
    text = format_report(evaluate(["a", "b"], GOLD, PREDICTED))
    assert "span + code" in text
    assert "0.400" in text
    assert "wrong code 1" in text
    assert "coma" not in text


def test_tables(tmp_path: Path) -> None:
    report = evaluate(["a", "b"], GOLD, [*PREDICTED, span("b", "C8", (20, 30), written="=1+1")])
    write_metrics(report, tmp_path / "metrics.csv")
    write_errors(report, tmp_path / "errors.csv")
    with (tmp_path / "metrics.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["measure"]: row for row in csv.DictReader(file)}
    assert rows["span+code"]["correct"] == "2"
    assert set(rows) == {"span", "span+code", "span+code ANAT", "span+code DISO"}
    with (tmp_path / "errors.csv").open(encoding="utf-8-sig", newline="") as file:
        errors = list(csv.DictReader(file))
    assert [row["kind"] for row in errors] == ["wrong code", "boundary", "missed", "spurious", "spurious"]
    assert errors[1]["gold"] == "40-50;55-60"
    assert not errors[-1]["predicted_text"].startswith("=")


PLACES = st.tuples(st.integers(0, 8), st.integers(1, 4)).map(lambda pair: (pair[0], pair[0] + pair[1]))
SPANS = st.lists(st.builds(lambda d, c, f: span(d, c, f), st.sampled_from("ab"), st.sampled_from(["C1", "C2"]), PLACES))


@given(SPANS, SPANS)
def test_every_annotation_is_right_or_an_error(gold: list[CodedSpan], predicted: list[CodedSpan]) -> None:
    report = evaluate(["a", "b"], gold, predicted, replicates=2)
    wrong = [error for error in report.errors if error.kind is not ErrorKind.SPURIOUS]
    assert report.codes.correct + len(wrong) == report.codes.gold
    blamed = {error.predicted for error in report.errors if error.predicted is not None}
    assert len(blamed) == report.codes.predicted - report.codes.correct


@given(SPANS)
def test_agreement_with_oneself_is_whole(gold: list[CodedSpan]) -> None:
    report = evaluate(["a", "b"], gold, gold, replicates=2)
    assert report.errors == ()
    assert report.codes.f1.value == (1.0 if gold else None)
