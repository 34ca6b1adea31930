"""Formulas of agreement, pure and vectorised.

Every formula is written on sums over patients, with any number of leading axes: the same five lines give a figure
and its 1,000 bootstrap replicates. An undefined figure (nothing to compute it on) is NaN.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from schema.report import Estimate

Array = NDArray[np.float64]

#: Distance from 1 that only rounding explains.
_ROUNDING = 1e-12

#: Below this share of the mean square, what is left is rounding noise: there is no variance to explain.
_NO_VARIANCE = 1e-9


def ratio(numerator: Array, denominator: Array) -> Array:
    """Element by element; NaN where the denominator is 0."""
    undefined = np.full(np.shape(denominator), np.nan)
    quotient: Array = np.divide(numerator, denominator, out=undefined, where=denominator != 0)
    return quotient


def f1(correct: Array, predicted: Array, gold: Array) -> Array:
    """Harmonic mean of precision and recall, 2c / (p + g) (van Rijsbergen, Information Retrieval, 1979, ch. 7).

    Args:
        correct: cells filled on both sides with equal values.
        predicted, gold: cells filled on each side.
    """
    return ratio(2 * correct, predicted + gold)


def cohen_kappa(confusion: Array) -> Array:
    """Agreement beyond chance, (po - pe) / (1 - pe) (Cohen, Educ. Psychol. Meas. 20:37, 1960).

    Args:
        confusion: (..., K, K) counts, predicted category by gold category.

    Returns:
        (...); NaN when both sides hold one and the same category only (pe = 1), or nothing.
    """
    n = confusion.sum(axis=(-2, -1))
    observed = ratio(np.trace(confusion, axis1=-2, axis2=-1), n)
    expected = ratio((confusion.sum(axis=-1) * confusion.sum(axis=-2)).sum(axis=-1), n * n)
    chance_left = np.where(expected < 1 - _ROUNDING, 1 - expected, 0.0)
    return ratio(observed - expected, chance_left)


def icc_2_1(n: Array, x: Array, y: Array, xx: Array, yy: Array, xy: Array) -> Array:
    """ICC(2,1): two-way random effects, absolute agreement, single measure (Shrout & Fleiss, Psychol. Bull. 1979).

    Args:
        n: number of pairs.
        x, y, xx, yy, xy: sums over the pairs of x, y, x², y², xy. Take x and y around a common centre: the figure
            does not change and the sums of squares keep their digits.

    Returns:
        At most 1; NaN with fewer than two pairs or when all the numbers are equal.
    """
    grand_mean = ratio(x + y, 2 * n)
    total = xx + yy - 2 * n * grand_mean**2
    subjects = (xx + yy + 2 * xy) / 2 - 2 * n * grand_mean**2
    raters = ratio((x - y) ** 2, 2 * n)
    between_subjects = ratio(subjects, n - 1)
    residual = ratio(np.maximum(total - subjects - raters, 0), n - 1)
    denominator = between_subjects + residual + ratio(2 * (raters - residual), n)
    has_variance = denominator > _NO_VARIANCE * ratio(xx + yy, n)
    return ratio(between_subjects - residual, np.where(has_variance, denominator, 0.0))


def bootstrap_weights(patients: int, replicates: int, seed: int) -> Array:
    """How often each replicate draws each patient (Efron & Tibshirani, An Introduction to the Bootstrap, 1993).

    Patients are drawn, not cells: the cells of one patient stand in the same documents and err together.

    Returns:
        (1 + replicates, patients). Row 0 draws every patient once: it gives the figure itself.
    """
    draws = np.random.default_rng(seed).multinomial(patients, np.full(patients, 1 / patients), size=replicates)
    return np.vstack([np.ones(patients), draws])


def estimate(values: Array) -> Estimate:
    """The figure and its 95 % percentile interval.

    Args:
        values: (1 + replicates,), the figure then its replicates. No interval is given when under half of the
            replicates are defined.
    """
    replicates = values[1:][~np.isnan(values[1:])]
    if math.isnan(values[0]):
        return Estimate()
    if replicates.size == 0 or 2 * replicates.size < len(values) - 1:
        return Estimate(value=float(values[0]))
    low, high = np.percentile(replicates, [2.5, 97.5])
    return Estimate(value=float(values[0]), low=float(low), high=float(high))
