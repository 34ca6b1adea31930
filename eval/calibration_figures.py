"""The figures of a confidence: is it a chance of being right, what is kept above a threshold; intervals by patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eval.calibration import Scored, area_under_risk, bin_of, calibration_error, risk_coverage, sums
from eval.metrics import Array, bootstrap_weights, estimate, ratio
from schema.report import CalibrationBin, Estimate

BINS = 10
REPLICATES = 1000
#: Thresholds of the tables.
THRESHOLDS = (0.5, 0.7, 0.8, 0.9, 0.95)


@dataclass(frozen=True, slots=True)
class Kept:
    """The cells whose confidence is at least ``above``: how many, their share of all, and the share of them right."""

    above: float
    cells: int
    coverage: Estimate
    right: Estimate


@dataclass(frozen=True, slots=True, eq=False)
class ConfidenceFigures:
    """What a confidence is worth.

    Args:
        right: share of all cells.
        error: expected calibration error, ten bins; ``chance_error`` is what it would be on average with as many cells
            if every confidence were a true probability.
        brier: mean squared distance to 1 (right) or 0 (wrong).
        area: under the curve of risk against coverage, ``curve``: shares kept and shares wrong among them.
    """

    cells: int
    patients: int
    right: Estimate
    error: Estimate
    chance_error: float
    brier: Estimate
    area: Estimate
    bins: tuple[CalibrationBin, ...]
    kept: tuple[Kept, ...]
    curve: tuple[Array, Array]


def figures_of(cells: Scored, seed: int = 0, replicates: int = REPLICATES) -> ConfidenceFigures:
    """Every figure of at least one cell, with 95 % intervals by bootstrap over patients."""
    names, patient = np.unique(np.array(cells.patients), return_inverse=True)
    weights = bootstrap_weights(len(names), replicates, seed)
    scores, right = cells.scores, cells.right
    ones = np.ones(len(cells))

    def drawn(*columns: Array) -> list[Array]:
        """Sums over the cells of each replicate; each column (N,) gives (1 + replicates,)."""
        return [weights @ sums(patient, column, len(names)) for column in columns]

    count, rights, squares = drawn(ones, right, (scores - right) ** 2)
    kept = []
    for above in THRESHOLDS:
        is_kept = (scores >= above).astype(float)
        held, held_right = drawn(is_kept, is_kept * right)
        kept.append(Kept(above, int(held[0]), estimate(ratio(held, count)), estimate(ratio(held_right, held))))
    place = bin_of(scores, BINS)
    binned = [np.stack(drawn(*(column * (place == b) for b in range(BINS))), -1) for column in (ones, scores, right)]
    return ConfidenceFigures(
        cells=len(cells),
        patients=len(names),
        right=estimate(ratio(rights, count)),
        error=estimate(calibration_error(*binned)),
        chance_error=_chance_error(scores, seed),
        brier=estimate(ratio(squares, count)),
        area=estimate(area_under_risk(scores, right, (drawn_of[patient] for drawn_of in weights))),
        bins=reliability(scores, right),
        kept=tuple(kept),
        curve=risk_coverage(scores, right),
    )


def reliability(scores: Array, right: Array) -> tuple[CalibrationBin, ...]:
    """Cells, mean confidence and share right of each bin that holds cells (Niculescu-Mizil and Caruana, ICML 2005)."""
    count, confidence, rights = _sums(scores, right)
    return tuple(
        CalibrationBin(
            low=b / BINS,
            high=(b + 1) / BINS,
            cells=int(count[b]),
            mean_confidence=float(confidence[b] / count[b]),
            precision=float(rights[b] / count[b]),
        )
        for b in np.flatnonzero(count)
    )


def _sums(scores: Array, right: Array) -> tuple[Array, Array, Array]:
    place = bin_of(scores, BINS)
    count, confidence, rights = (sums(place, of, BINS) for of in (np.ones(len(scores)), scores, right))
    return count, confidence, rights


def _chance_error(scores: Array, seed: int, replicates: int = 200) -> float:
    random = np.random.default_rng(seed)
    drawn = (_sums(scores, (random.random(len(scores)) < scores).astype(float)) for _ in range(replicates))
    return float(np.mean([calibration_error(*found) for found in drawn]))
