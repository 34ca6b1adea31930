"""Confidence turned into a chance of being right: figures worked out by hand, and what must hold of any table."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.calibration import (
    Curve,
    Fit,
    Scored,
    Tally,
    area_under_risk,
    calibration_error,
    cross_fitted,
    fit,
    isotonic,
    risk_coverage,
)
from eval.calibration_figures import figures_of, reliability

CELL = st.tuples(st.sampled_from("ABCDEF"), st.sampled_from(["nihss", "age", "tabac"]), st.floats(0, 1), st.booleans())
TABLES = st.lists(CELL, min_size=4, max_size=60, unique_by=lambda cell: cell[:2]).filter(
    lambda cells: len({patient for patient, *_ in cells}) > 1
)


def scored(cells: list[tuple[str, str, float, bool]]) -> Scored:
    patients, variables, scores, right = zip(*cells, strict=True)
    return Scored(patients, variables, np.array(scores, dtype=float), np.array(right, dtype=float))


def columns(*rows: tuple[float, bool]) -> tuple[np.ndarray, np.ndarray]:
    scores, right = np.array(rows, dtype=float).T
    return scores, right


def test_calibration_error_by_hand() -> None:
    count, confidence, right = np.array([2.0, 2.0]), np.array([1.9, 1.1]), np.array([1.0, 2.0])
    assert calibration_error(count, confidence, right) == pytest.approx((0.9 + 0.9) / 4)


def test_the_surest_cells_come_first_and_equal_ones_together() -> None:
    coverage, risk = risk_coverage(*columns((0.7, True), (0.9, True), (0.8, False), (0.8, True)))
    assert coverage == pytest.approx([1 / 4, 3 / 4, 1])
    assert risk == pytest.approx([0, 1 / 3, 1 / 4])


@pytest.mark.parametrize(
    ("rows", "area"),
    [
        ([(0.9, True), (0.8, False), (0.7, True)], (0 + 1 / 2 + 1 / 3) / 3),
        ([(0.9, False), (0.8, True)], (1 + 1 / 2) / 2),
        ([(0.9, True), (0.9, False)], 1 / 2),  # in no order
        ([(0.5, True), (0.1, True)], 0),
    ],
)
def test_area_under_risk_by_hand(rows: list[tuple[float, bool]], area: float) -> None:
    scores, right = columns(*rows)
    assert area_under_risk(scores, right, [np.ones(len(rows))]) == pytest.approx([area])


def test_a_cell_drawn_twice_counts_twice_and_one_not_drawn_not_at_all() -> None:
    scores, right = columns((0.9, True), (0.8, False), (0.7, True))
    twice = columns((0.9, True), (0.8, False), (0.8, False))
    (drawn,) = area_under_risk(scores, right, [np.array([1.0, 2.0, 0.0])])
    # The two copies come together: each is followed by the share wrong once both are in.
    assert drawn == pytest.approx((0 + 2 / 3 + 2 / 3) / 3)
    assert area_under_risk(*twice, [np.ones(3)])[0] <= drawn
    assert np.isnan(area_under_risk(scores, right, [np.zeros(3)])).all()


def test_n_right_cells_never_claim_more_than_n_of_n_plus_one() -> None:
    curve = isotonic(*columns(*[(0.9, True)] * 20, *[(0.1, False)] * 20))
    assert curve.at(np.array([0.9, 1.0])) == pytest.approx([20 / 21, 20 / 21])
    assert curve.at(np.array([0.0, 0.1])) == pytest.approx([1 / 21, 1 / 21])
    assert isotonic(*columns(*[(0.9, True)] * 20)).at(np.array([0.9])) == pytest.approx([21 / 22])


def test_what_falls_is_pooled() -> None:
    curve = isotonic(*columns((0.1, False), (0.4, True), (0.4, True), (0.6, False), (0.9, True), (0.9, True)))
    # 0.1: one wrong and the further right cell, 1/2; 0.4 and 0.6 and 0.9: 4 right of 6, with the further wrong cell.
    assert curve.at(np.array([0.1, 0.4, 0.6, 0.9])) == pytest.approx([1 / 2, 2 / 3, 2 / 3, 2 / 3])


def test_the_three_steps_by_hand() -> None:
    found = Fit(Curve((0.0, 1.0), (0.2, 0.8)), 2.0, {"age": Tally(4, 3, 2.4)}, Curve((0.0, 1.0), (0.1, 0.9)))
    step1 = 0.2 + 0.6 * 0.5
    of_age, unknown = step1 + (3 - 2.4) / (2 + 4), step1
    assert found.at(["age", "poids"], np.array([0.5, 0.5])) == pytest.approx([0.1 + 0.8 * of_age, 0.1 + 0.8 * unknown])


@given(TABLES)
@settings(max_examples=40, deadline=None)
def test_a_calibrated_confidence_is_a_probability_that_never_falls(cells: list[tuple[str, str, float, bool]]) -> None:
    found = fit(scored(cells))
    grid = np.linspace(0, 1, 41)
    for variable in ("nihss", "age", "tabac", "autre"):
        calibrated = found.at([variable] * len(grid), grid)
        assert (np.diff(calibrated) >= -1e-12).all()
        assert ((calibrated > 0) & (calibrated < 1)).all()


@given(TABLES, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_cross_fitting_never_looks_at_the_patient_itself(
    cells: list[tuple[str, str, float, bool]], random: np.random.Generator
) -> None:
    table = scored(cells)
    patient = cells[0][0]
    own = np.array([name == patient for name in table.patients])
    others_say = Scored(table.patients, table.variables, table.scores, np.where(own, 1 - table.right, table.right))
    folds = len(set(table.patients))
    assert np.array_equal(cross_fitted(table, folds)[own], cross_fitted(others_say, folds)[own])


def test_patients_of_one_group_are_judged_by_the_other_groups() -> None:
    """Ten groups of two patients: neither is learned from when the other is judged."""
    names = [f"P{i:02d}" for i in range(20)]
    cells = scored([(name, "age", 0.5 + i / 100, i % 3 > 0) for i, name in enumerate(names)])
    mates = np.array([name in ("P00", "P10") for name in names])
    flipped = Scored(cells.patients, cells.variables, cells.scores, np.where(mates, 1 - cells.right, cells.right))
    assert np.array_equal(cross_fitted(cells)[mates], cross_fitted(flipped)[mates])
    assert not np.array_equal(cross_fitted(cells)[~mates], cross_fitted(flipped)[~mates])


def test_one_patient_is_too_few_to_cross_fit() -> None:
    with pytest.raises(ValueError, match="one patient"):
        cross_fitted(scored([("A", "age", 0.5, True), ("A", "nihss", 0.6, False)]))


def made(patients: int, seed: int = 1) -> Scored:
    """Two variables read rightly 95 % of the time and two 30 %, with confidences that say nothing of it."""
    random = np.random.default_rng(seed)
    rates = {"a": 0.95, "b": 0.95, "c": 0.3, "d": 0.3}
    rows = [
        (f"P{i:03d}", name, float(random.choice([0.8, 0.9])), bool(random.random() < rate))
        for i in range(patients)
        for name, rate in rates.items()
    ]
    return scored(rows)


def test_variables_that_are_read_badly_are_told_from_those_that_are_read_well() -> None:
    cells = made(200)
    out_of_sample = cross_fitted(cells)
    sure = out_of_sample >= 0.9
    assert {name for name, is_sure in zip(cells.variables, sure, strict=True) if is_sure} <= {"a", "b"}
    assert sure.sum() > 300
    assert cells.right[sure].mean() == pytest.approx(0.95, abs=0.03)
    before = figures_of(cells, replicates=20)
    after = figures_of(Scored(cells.patients, cells.variables, out_of_sample, cells.right), replicates=20)
    assert before.error.value is not None
    assert after.error.value is not None
    assert after.error.value < 0.05 < 0.2 < before.error.value


def test_what_a_low_confidence_announced_is_not_held_against_a_variable() -> None:
    """Of 'hard' most values come without proof, and are wrong, as of any variable; those with proof are as good."""
    rows = []
    for i in range(40):
        for name, is_proved in (("easy", i % 8 > 0), ("hard", i % 8 == 0)):
            rows.append((f"P{i:02d}", name, 0.9 if is_proved else 0.3, is_proved and i % 19 > 0))
    found = fit(scored(rows))
    proved, unproved = found.at(["hard", "hard"], np.array([0.9, 0.3]))
    assert found.tallies["hard"].right == 4  # of 40
    assert unproved < 0.1 < 0.75 < proved


def test_figures_by_hand() -> None:
    figures = figures_of(
        scored([("A", "x", 0.95, True), ("A", "y", 0.95, False), ("B", "x", 0.55, True), ("B", "y", 0.75, True)]),
        replicates=50,
    )
    assert (figures.cells, figures.patients) == (4, 2)
    assert figures.right.value == pytest.approx(3 / 4)
    assert figures.error.value == pytest.approx((0.9 + 0.45 + 0.25) / 4)
    assert figures.brier.value == pytest.approx((0.05**2 + 0.95**2 + 0.45**2 + 0.25**2) / 4)
    assert figures.area.value == pytest.approx((1 / 2 + 1 / 2 + 1 / 3 + 1 / 4) / 4)
    kept = {row.above: row for row in figures.kept}
    assert (kept[0.9].cells, kept[0.9].coverage.value, kept[0.9].right.value) == (2, 0.5, 0.5)
    assert (kept[0.5].cells, kept[0.5].right.value) == (4, 0.75)
    assert [(row.low, row.cells, row.precision) for row in figures.bins] == [(0.5, 1, 1), (0.7, 1, 1), (0.9, 2, 0.5)]


def test_intervals_draw_patients_not_cells() -> None:
    """All cells of one patient are wrong: drawn together, they move the share much more than one cell could."""
    cells = [("A", f"v{i}", 0.9, False) for i in range(20)] + [("B", f"v{i}", 0.9, True) for i in range(20)]
    right = figures_of(scored(cells), replicates=200).right
    assert (right.low, right.high) == (0.0, 1.0)


def test_confidence_one_lies_in_the_last_bin() -> None:
    (row,) = reliability(*columns((1.0, True), (0.9, False)))
    assert (row.low, row.high, row.cells, row.mean_confidence) == (0.9, 1.0, 2, pytest.approx(0.95))


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
@settings(deadline=None)
def test_areas_and_bins_keep_within_bounds(rows: list[tuple[float, bool]]) -> None:
    scores, right = columns(*rows)
    (area,) = area_under_risk(scores, right, [np.ones(len(rows))])
    assert 0 <= area <= 1
    assert sum(row.cells for row in reliability(scores, right)) == len(rows)
    coverage, risk = risk_coverage(scores, right)
    assert coverage[-1] == 1
    assert risk[-1] == pytest.approx(1 - right.mean())
