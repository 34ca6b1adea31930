import datetime as dt
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.align import Alignment, Table, align
from eval.evidence import EvidenceRow, by_cell
from eval.measure import calibration, measure, status_rows
from eval.metrics import bootstrap_weights
from schema.report import VariableFigures
from schema.value import Status
from schema.variable import Choice, Variable, VariableKind

GRADE = Variable("grade", "Grade", VariableKind.CHOICE, choices=tuple(Choice(c, c) for c in "123"))
SCORE = Variable("score", "Score", VariableKind.INTEGER)

grades = st.sampled_from([None, "1", "2", "3"])
scores = st.one_of(st.none(), st.integers(0, 42))
cells = st.fixed_dictionaries({"grade": grades, "score": scores})
tables = st.lists(st.tuples(cells, cells), min_size=1, max_size=12)


def aligned(rows: list[tuple[dict[str, str | int | None], dict[str, str | int | None]]]) -> Alignment:
    predictions = {f"P{i}": predicted for i, (predicted, _) in enumerate(rows)}
    return align([GRADE, SCORE], predictions, {f"P{i}": gold for i, (_, gold) in enumerate(rows)})


def figures_of(alignment: Alignment) -> dict[str, VariableFigures]:
    return {figures.name: figures for figures in measure(alignment, seed=0, replicates=50).variables}


def test_counts_and_shares_by_hand(variables: list[Variable], predictions: Table, gold: Table) -> None:
    overall = measure(align(variables, predictions, gold), seed=0).overall

    # 3 records × 6 variables. By hand 14 cells are filled (P1 6, P2 4, P3 4), predicted 14 (6, 5, 3), both 13.
    counts = (overall.cells, overall.gold_filled, overall.predicted_filled, overall.both_filled, overall.correct)
    assert counts == (18, 14, 14, 13, 8)
    assert overall.coverage.value == pytest.approx(13 / 14)
    assert overall.accuracy.value == pytest.approx(11 / 18)  # the 8 right cells and 3 empty on both sides
    assert overall.precision.value == pytest.approx(8 / 14)
    assert overall.recall.value == pytest.approx(8 / 14)
    assert overall.f1.value == pytest.approx(16 / 28)


def test_figures_of_each_variable_by_hand(variables: list[Variable], predictions: Table, gold: Table) -> None:
    figures = figures_of(align(variables, predictions, gold))

    # arrivee: off by 1440, 0 and 0 minutes
    arrival = figures["arrivee"]
    assert arrival.mean_error is not None
    assert (arrival.mean_error.value, arrival.median_error, arrival.error_unit) == (480, 0, "min")
    # score_sortie: (3, 3) and (17, 18): mean error 0.5
    score = figures["score_sortie"]
    assert score.mean_error is not None
    assert (score.mean_error.value, score.median_error, score.error_unit) == (0.5, 0.5, "")
    # grand mean 10.25; subject means 3, 17.5: MSR = 2(7.25² + 7.25²) = 210.25; raters 10, 10.5: MSC = 2 × 2 × 0.25² =
    # 0.25; total = 7.25² × 2 + 6.75² + 7.75² = 210.75; MSE = 0.25. ICC = 210 / (210.25 + 0.25 + 2 × 0 / 2)
    assert score.icc is not None
    assert score.icc.value == pytest.approx(210 / 210.5)
    # diabete: (1, 1), (1, 0): po = 0.5, pe = 1 × 0.5 + 0 × 0.5 = 0.5
    assert figures["diabete"].kappa is not None
    assert figures["diabete"].kappa.value == pytest.approx(0)
    # glycemie: (6.1, 6.1), (2.0, 11.1)
    assert figures["glycemie"].mean_error is not None
    assert figures["glycemie"].mean_error.value == pytest.approx(4.55)
    assert figures["glycemie"].error_unit == "mmol/L"
    assert (figures["ville"].kappa, figures["ville"].icc, figures["ville"].mean_error) == (None, None, None)


def test_macro_f1_is_the_mean_over_variables_that_have_one() -> None:
    empty = Variable("vide", "Vide", VariableKind.TEXT)
    predictions = {"P1": {"grade": "1", "score": 3, "vide": None}}
    gold = {"P1": {"grade": "1", "score": 4, "vide": None}}

    assert measure(align([GRADE, SCORE, empty], predictions, gold), seed=0).macro_f1.value == 0.5


@settings(max_examples=40, deadline=None)
@given(tables)
def test_figures_stay_in_bounds_and_do_not_depend_on_the_order_of_the_records(
    rows: list[tuple[dict[str, str | int | None], dict[str, str | int | None]]],
) -> None:
    measured = measure(aligned(rows), seed=0, replicates=50)
    shuffled = rows.copy()
    random.Random(0).shuffle(shuffled)
    again = measure(aligned(shuffled), seed=0, replicates=50)

    for one, other in zip((measured.overall, *measured.variables), (again.overall, *again.variables), strict=True):
        for name in ("coverage", "accuracy", "precision", "recall", "f1"):
            estimate = getattr(one, name)
            assert estimate.value == getattr(other, name).value
            assert all(0 <= v <= 1 for v in (estimate.value, estimate.low, estimate.high) if v is not None)
            assert estimate.low is None or estimate.low <= estimate.high
        assert one.correct <= one.both_filled <= min(one.gold_filled, one.predicted_filled) <= one.cells


@settings(max_examples=40, deadline=None)
@given(st.lists(cells, min_size=1, max_size=12))
def test_a_table_agrees_with_itself(rows: list[dict[str, str | int | None]]) -> None:
    measured = measure(aligned([(row, row) for row in rows]), seed=0, replicates=50)

    for figures in (measured.overall, *measured.variables):
        assert figures.accuracy.value == 1
        for estimate in (figures.f1, figures.precision, figures.recall, figures.coverage):
            assert estimate.value in (1, None)
    grade, score = measured.variables
    assert grade.kappa is not None
    assert grade.kappa.value is None or grade.kappa.value == pytest.approx(1)
    assert score.icc is not None
    assert score.icc.value is None or score.icc.value == pytest.approx(1)


def test_intervals_are_those_of_a_slow_bootstrap_that_counts_again_every_time() -> None:
    dice = random.Random(5)
    rows = [
        ({"grade": dice.choice("123"), "score": dice.choice([1, 2, 3, None])}, {"grade": "1", "score": 2})
        for _ in range(9)
    ]
    alignment = aligned(rows)  # type: ignore[arg-type]
    replicates = []
    for draw in bootstrap_weights(patients=9, replicates=200, seed=11)[1:]:
        drawn = [c for c in alignment.cells for _ in range(int(draw[alignment.records.index(c.record)]))]
        right = sum(c.correct for c in drawn)
        replicates.append(2 * right / sum((c.predicted is not None) + (c.gold is not None) for c in drawn))

    f1 = measure(alignment, seed=11, replicates=200).overall.f1

    assert (f1.low, f1.high) == pytest.approx(tuple(np.percentile(replicates, [2.5, 97.5])))


def test_one_patient_gives_figures_and_no_failure() -> None:
    measured = measure(aligned([({"grade": "1", "score": 3}, {"grade": "1", "score": 4})]), seed=0)
    assert measured.overall.f1.value == 0.5
    assert measured.variables[1].icc is not None
    assert measured.variables[1].icc.value is None


def test_an_unreadable_number_is_wrong_and_left_out_of_the_distance() -> None:
    figures = figures_of(aligned([({"grade": None, "score": "douze"}, {"grade": None, "score": 12})]))["score"]
    assert (figures.both_filled, figures.correct, figures.median_error) == (1, 0, None)


def test_dates_are_compared_in_days() -> None:
    day = Variable("sortie", "Sortie", VariableKind.DATE)
    predictions: Table = {"P1": {"sortie": dt.date(2020, 1, 5)}, "P2": {"sortie": dt.date(2020, 1, 9)}}
    gold: Table = {"P1": {"sortie": dt.date(2020, 1, 5)}, "P2": {"sortie": dt.date(2020, 1, 2)}}

    (figures,) = measure(align([day], predictions, gold), seed=0).variables

    assert (figures.median_error, figures.error_unit) == (3.5, "days")


def test_statuses_against_what_the_manual_table_holds(
    variables: list[Variable], predictions: Table, gold: Table
) -> None:
    rows = [
        EvidenceRow(patient_id="P1", variable="diabete", status=Status.FOUND),
        EvidenceRow(patient_id="P2", variable="diabete", status=Status.FOUND),
        EvidenceRow(patient_id="P3", variable="score_entree", status=Status.CONFLICTING),
    ]
    table = {
        row.status: (row.gold_empty, row.gold_equal, row.gold_different)
        for row in status_rows(align(variables, predictions, gold, by_cell(rows)).cells)
    }

    assert table == {"found": (0, 1, 1), "conflicting": (0, 0, 1), "filled": (1, 7, 4), "empty": (3, 0, 0)}


def test_calibration_by_hand() -> None:
    # Confidences 0.9 (right), 0.95 (wrong) and 1.0 (right) share the last bin: mean 0.95, 2/3 right, gap 0.2833.
    # 0.25 (wrong) is alone: gap 0.25. Expected error = (3 × 0.2833 + 0.25) / 4 = 0.275
    confidences = {"P0": (0.9, "1"), "P1": (0.95, "2"), "P2": (1.0, "1"), "P3": (0.25, "2")}
    readings = by_cell(EvidenceRow(patient_id=p, variable="grade", confidence=c) for p, (c, _) in confidences.items())
    predictions = {p: {"grade": code} for p, (_, code) in confidences.items()}
    found = calibration(align([GRADE], predictions, {p: {"grade": "1"} for p in confidences}, readings).cells)

    assert found is not None
    assert [(b.low, b.high, b.cells) for b in found.bins] == [(0.2, pytest.approx(0.3), 1), (0.9, 1.0, 3)]
    assert found.bins[1].mean_confidence == pytest.approx(0.95)
    assert found.bins[1].precision == pytest.approx(2 / 3)
    assert found.expected_error == pytest.approx(0.275)


def test_no_confidence_no_calibration(variables: list[Variable], predictions: Table, gold: Table) -> None:
    assert calibration(align(variables, predictions, gold).cells) is None
