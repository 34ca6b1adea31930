"""Numbers computed by hand, published ones, slow oracles, and properties that hold for any input."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from eval.metrics import Array, bootstrap_weights, cohen_kappa, estimate, f1, icc_2_1, ratio

pairs_of_numbers = st.lists(st.tuples(st.integers(-1000, 1000), st.integers(-1000, 1000)), min_size=2, max_size=30).map(
    lambda pairs: np.array(pairs, dtype=float)
)
confusions = st.integers(2, 5).flatmap(
    lambda size: st.lists(st.lists(st.integers(0, 9), min_size=size, max_size=size), min_size=size, max_size=size)
)


def icc_of(pairs: Array) -> float:
    """As the caller does: sums around the common mean."""
    x, y = (pairs - pairs.mean()).T
    return float(icc_2_1(*(np.array(float(v)) for v in (len(x), x.sum(), y.sum(), x @ x, y @ y, x @ y))))


def slow_icc(ratings: Array) -> float:
    """Shrout and Fleiss's analysis of variance for any number of judges, written as in their article."""
    n, k = ratings.shape
    grand = ratings.mean()
    between_targets = k * sum((row.mean() - grand) ** 2 for row in ratings) / (n - 1)
    between_judges = n * sum((column.mean() - grand) ** 2 for column in ratings.T) / (k - 1)
    total = ((ratings - grand) ** 2).sum()
    error = (total - between_targets * (n - 1) - between_judges * (k - 1)) / ((n - 1) * (k - 1))
    return float((between_targets - error) / (between_targets + (k - 1) * error + k * (between_judges - error) / n))


SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float
)


def test_f1_by_hand() -> None:
    # 6 right of 8 predicted and 10 to find: precision 0.75, recall 0.6, F1 = 2 × 0.75 × 0.6 / 1.35 = 0.9 / 1.35
    assert f1(np.array(6.0), np.array(8.0), np.array(10.0)) == pytest.approx(2 / 3)


def test_an_undefined_ratio_is_not_a_number_and_says_nothing_of_its_neighbours() -> None:
    values = ratio(np.array([1.0, 0.0, 3.0]), np.array([2.0, 0.0, 4.0]))
    assert values[[0, 2]].tolist() == [0.5, 0.75]
    assert math.isnan(values[1])


def test_kappa_by_hand() -> None:
    # 50 cells: po = (20 + 15) / 50 = 0.7; pe = 0.5 × 0.6 + 0.5 × 0.4 = 0.5; kappa = 0.2 / 0.5
    assert cohen_kappa(np.array([[20.0, 5.0], [10.0, 15.0]])) == pytest.approx(0.4)


def test_kappa_is_undefined_when_there_is_one_category_or_no_cell() -> None:
    assert np.isnan(cohen_kappa(np.array([[7.0, 0.0], [0.0, 0.0]])))
    assert np.isnan(cohen_kappa(np.zeros((3, 3))))
    assert np.isnan(cohen_kappa(np.zeros((0, 0))))


@given(confusions)
def test_kappa_is_that_of_scikit_learn_and_does_not_depend_on_the_order_of_the_codes(rows: list[list[int]]) -> None:
    confusion = np.array(rows, dtype=float)
    kappa = float(cohen_kappa(confusion))
    predicted, gold = (
        zip(*(pair for pair, count in np.ndenumerate(confusion) for _ in range(int(count))), strict=True)
        if confusion.any()
        else ((), ())
    )
    if len({*predicted, *gold}) < 2:
        assert math.isnan(kappa)
        return
    assert kappa == pytest.approx(cohen_kappa_score(predicted, gold), abs=1e-9)
    assert -1 - 1e-9 <= kappa <= 1 + 1e-9
    assert kappa == pytest.approx(float(cohen_kappa(confusion[::-1, ::-1])), abs=1e-9)


def test_the_slow_icc_gives_the_published_number() -> None:
    assert slow_icc(SHROUT_FLEISS) == pytest.approx(0.29, abs=0.005)  # Shrout & Fleiss 1979, table 4


def test_icc_by_hand() -> None:
    # (1, 2), (3, 4): one unit apart. Grand mean 2.5. SS subjects = 2(1² + 1²) = 4, raters = 2(0.5² + 0.5²) = 1,
    # total = 1.5² + 0.5² + 0.5² + 1.5² = 5, residual 0. MSR = 4, MSC = 1, MSE = 0: 4 / (4 + 0 + 2 × 1 / 2) = 0.8
    assert icc_of(np.array([[1.0, 2.0], [3.0, 4.0]])) == pytest.approx(0.8)


@given(pairs_of_numbers)
def test_icc_is_that_of_the_analysis_of_variance(pairs: Array) -> None:
    value = icc_of(pairs)
    if math.isnan(value):
        assert np.ptp(pairs) == 0 or len(pairs) == 2
        return
    assert value == pytest.approx(slow_icc(pairs), rel=1e-6, abs=1e-6)
    assert value <= 1 + 1e-9
    assert value == pytest.approx(icc_of(pairs[:, ::-1]), abs=1e-9)
    assert value == pytest.approx(icc_of(pairs[::-1]), abs=1e-9)


@given(pairs_of_numbers)
def test_icc_of_a_column_with_itself_is_one(pairs: Array) -> None:
    twice = np.stack([pairs[:, 0], pairs[:, 0]], axis=1)
    value = icc_of(twice)
    assert math.isnan(value) if np.ptp(twice) == 0 else value == pytest.approx(1)


def test_weights_draw_as_many_patients_as_there_are_and_the_seed_decides() -> None:
    weights = bootstrap_weights(patients=7, replicates=50, seed=3)

    assert weights.shape == (51, 7)
    assert weights[0].tolist() == [1.0] * 7
    assert set(weights.sum(axis=1)) == {7.0}
    assert np.array_equal(weights, bootstrap_weights(7, 50, seed=3))
    assert not np.array_equal(weights, bootstrap_weights(7, 50, seed=4))


def test_an_interval_holds_the_middle_95_percent_of_the_replicates() -> None:
    # Replicates 0, 1 … 1000: percentile p lies at 10 p.
    found = estimate(np.array([400.0, *range(1001)]))
    assert (found.value, found.low, found.high) == (400.0, 25.0, 975.0)


def test_a_figure_that_few_replicates_define_has_no_interval() -> None:
    nan = math.nan
    assert estimate(np.array([0.5, nan, nan, nan, 0.4])).model_dump() == {"value": 0.5, "low": None, "high": None}
    assert estimate(np.array([nan, 0.5, 0.6])).model_dump() == {"value": None, "low": None, "high": None}
    assert estimate(np.array([0.5])).low is None
