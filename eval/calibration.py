"""From a reader's confidence to a chance of being right, learned on a table: formulas and fits, pure.

Three steps, each of which can only keep the order of two confidences of one variable:

1. isotonic regression of right on the confidence, all variables together (Zadrozny and Elkan, KDD 2002);
2. what is known of the variable: p + (right - expected) / (m + cells), p from step 1, the rest from the variable's own
   cells: how many are right, how many step 1 expects to be, how many there are. A variable that is not in the
   table is left at p. m, the weight of p in cells, is the one under which each patient's cells are best foretold from
   the other patients' (Brier score);
3. isotonic regression of right on what step 2 says of each patient from the others.

Every isotonic fit sees one right cell more at the lowest score and one wrong cell more at the highest, so that n cells
that are all right claim n / (n + 1), never 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.metrics import Array, ratio

#: Patients are dealt into this many groups at most, each predicted from the others.
FOLDS = 10
#: Weights of the first estimate against the variable's own cells; the last one leaves the variable no say.
_SHRINKAGES = tuple(float(2**power) for power in range(-2, 11))


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Cells to which a reader gave a value: whose, of which variable, how sure (N,), and whether it is right (N,)."""

    patients: tuple[str, ...]
    variables: tuple[str, ...]
    scores: Array
    right: Array

    def __len__(self) -> int:
        return len(self.patients)

    def only(self, kept: Sequence[bool] | NDArray[np.bool_]) -> Scored:
        """The cells where ``kept`` (N,) is true."""
        places = np.flatnonzero(kept)
        return Scored(
            tuple(self.patients[i] for i in places),
            tuple(self.variables[i] for i in places),
            self.scores[places],
            self.right[places],
        )


@dataclass(frozen=True, slots=True)
class Curve:
    """A function that never falls: straight between its knots, flat outside."""

    x: tuple[float, ...]
    y: tuple[float, ...]

    def at(self, scores: Array) -> Array:
        """Its values, in the shape of ``scores``."""
        values: Array = np.interp(scores, self.x, self.y)
        return values


@dataclass(frozen=True, slots=True)
class Tally:
    """The cells of one variable: how many, how many of them are right, and how many were expected to be."""

    cells: int
    right: int
    expected: float


@dataclass(frozen=True, slots=True)
class Fit:
    """What was learned.

    Args:
        first, last: steps 1 and 3.
        weight: m of step 2.
        tallies: by variable, for step 2.
    """

    first: Curve
    weight: float
    tallies: Mapping[str, Tally]
    last: Curve

    def at(self, variables: Sequence[str], scores: Array) -> Array:
        """Chance of being right, in (0, 1), of values of these variables with these scores; both (N,)."""
        known = [self.tallies.get(name, _UNKNOWN) for name in variables]
        surplus = np.array([tally.right - tally.expected for tally in known])
        cells = np.array([tally.cells for tally in known])
        return self.last.at(self.first.at(scores) + surplus / (self.weight + cells))


_UNKNOWN = Tally(0, 0, 0.0)


def fit(cells: Scored) -> Fit:
    """Learn from at least one cell."""
    first = isotonic(cells.scores, cells.right)
    base = first.at(cells.scores)
    names, variable = np.unique(np.array(cells.variables), return_inverse=True)
    count, right, expected = (sums(variable, of) for of in (np.ones(len(cells)), cells.right, base))
    surplus = (right - expected)[variable] - (cells.right - base)  # of the other patients: each has one cell of it

    def from_others(weight: float) -> Array:
        estimates: Array = base + surplus / (weight + count[variable] - 1)
        return estimates

    weight = min(_SHRINKAGES, key=lambda m: float(np.mean((from_others(m) - cells.right) ** 2)))
    held = zip(names, count, right, expected, strict=True)
    tallies = {str(name): Tally(int(n), int(r), float(e)) for name, n, r, e in held}
    return Fit(first, weight, tallies, isotonic(from_others(weight), cells.right))


def isotonic(scores: Array, right: Array) -> Curve:
    """The curve that fits best among those that never fall, with the two further cells said above.

    Args:
        scores, right: (N,), N ≥ 1.
    """
    from sklearn.isotonic import IsotonicRegression

    x = np.concatenate([scores, [scores.min(), scores.max()]])
    y = np.concatenate([right, [1.0, 0.0]])
    fitted = IsotonicRegression(y_min=0.0, y_max=1.0).fit(x, y)
    return Curve(tuple(map(float, fitted.X_thresholds_)), tuple(map(float, fitted.y_thresholds_)))


def cross_fitted(cells: Scored, folds: int = FOLDS) -> Array:
    """(N,) chances of being right, each from a fit that saw no cell of the same patient.

    Raises:
        ValueError: there are fewer than two patients.
    """
    names = sorted(set(cells.patients))
    if len(names) < 2:
        raise ValueError("cells of one patient cannot be judged by those of others")
    folds = min(folds, len(names))
    fold_of = {name: place % folds for place, name in enumerate(names)}
    fold = np.array([fold_of[name] for name in cells.patients])
    predicted = np.empty(len(cells))
    for held_out in range(folds):
        asked = cells.only(fold == held_out)
        predicted[fold == held_out] = fit(cells.only(fold != held_out)).at(asked.variables, asked.scores)
    return predicted


def sums(group: NDArray[np.intp], of: Array, groups: int = 0) -> Array:
    """(groups,) sums of ``of`` (N,) over the members of each group; ``group`` (N,) counts from 0."""
    totals: Array = np.bincount(group, of, groups).astype(np.float64)
    return totals


def bin_of(scores: Array, bins: int) -> NDArray[np.intp]:
    """(N,) which of ``bins`` bins of equal width in [0, 1] each score falls in; the last bin includes 1."""
    return np.minimum((scores * bins).astype(np.intp), bins - 1)


def calibration_error(count: Array, confidence: Array, right: Array) -> Array:
    """ECE: mean distance between confidence and share right, weighted by cells (Guo et al., ICML 2017).

    Args:
        count, confidence, right: (..., bins) sums over the cells of each bin.
    """
    return ratio(np.abs(confidence - right).sum(axis=-1), count.sum(axis=-1))


def risk_coverage(scores: Array, right: Array) -> tuple[Array, Array]:
    """Share of cells kept, and share of wrong ones among them, under each threshold that occurs; surest first.

    El-Yaniv and Wiener, JMLR 11:1605, 2010.
    """
    order = np.argsort(-scores, kind="stable")
    kept = np.arange(1.0, len(scores) + 1)
    wrong = np.cumsum(1 - right[order])
    is_last = np.append(np.diff(scores[order]) != 0, True)
    return kept[is_last] / len(scores), (wrong / kept)[is_last]


def area_under_risk(scores: Array, right: Array, weights: Iterable[Array]) -> Array:
    """AURC: mean, over the cells, of the share wrong among those at least as sure (Geifman and El-Yaniv, ICLR 2019).

    Cells of equal score come in no order: each counts as their mean.

    Args:
        scores, right: (N,).
        weights: R times (N,), how often each cell counts.

    Returns:
        (R,); 0 when no cell is wrong; NaN where no cell counts.
    """
    group = np.unique(-scores, return_inverse=True)[1]
    order = np.argsort(group, kind="stable")
    group = group[order]
    areas = []
    for given in weights:
        weight = given[order]
        shares = ratio(sums(group, weight * (1 - right[order])), sums(group, weight))
        wrong = np.where(weight > 0, weight * np.nan_to_num(shares[group]), 0.0)
        risks = np.nan_to_num(ratio(np.cumsum(wrong), np.cumsum(weight)))
        areas.append((weight @ risks) / weight.sum() if weight.sum() else np.nan)
    return np.array(areas)
