"""Main path of the figures: cells -> counts by patient -> formulas and intervals -> figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from eval.align import Alignment, Cell
from eval.calibration_figures import reliability
from eval.metrics import Array, bootstrap_weights, cohen_kappa, estimate, f1, icc_2_1, ratio
from eval.values import NUMBERS, SINGLE_CHOICES, distance, error_unit
from schema.report import Calibration, CellFigures, Estimate, StatusRow, VariableFigures
from schema.value import Status
from schema.variable import Variable

REPLICATES = 1000


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a table, whole and by variable."""

    overall: CellFigures
    macro_f1: Estimate
    variables: tuple[VariableFigures, ...]


def measure(alignment: Alignment, seed: int, replicates: int = REPLICATES) -> Figures:
    """Every figure of an alignment, with intervals by bootstrap over its records (one record, one patient)."""
    weights = bootstrap_weights(len(alignment.records), replicates, seed)
    shape = (len(alignment.records), len(alignment.variables))
    grid = [alignment.cells[row * shape[1] : (row + 1) * shape[1]] for row in range(shape[0])]
    counts = np.array([[_counts(cell) for cell in row] for row in grid], dtype=float)
    totals = np.tensordot(weights, counts, axes=1)  # (1 + replicates, variables, counts)
    f1_by_variable = f1(totals[..., _CORRECT], totals[..., _PREDICTED], totals[..., _GOLD])
    return Figures(
        overall=CellFigures(**_cell_figures(totals.sum(axis=1))),
        macro_f1=estimate(_mean_of_defined(f1_by_variable)),
        variables=tuple(
            _variable_figures(variable, [row[column] for row in grid], totals[:, column], weights)
            for column, variable in enumerate(alignment.variables)
        ),
    )


_CELLS, _GOLD, _PREDICTED, _BOTH, _CORRECT, _AGREE = range(6)


def _counts(cell: Cell) -> tuple[bool, bool, bool, bool, bool, bool]:
    """In the order of the names above."""
    gold, predicted = cell.gold is not None, cell.predicted is not None
    return True, gold, predicted, gold and predicted, cell.correct, cell.agrees


def _cell_figures(totals: Array) -> dict[str, Any]:
    """Fields of `CellFigures` from totals of shape (1 + replicates, counts)."""
    cells, gold, predicted, both, correct, agree = totals.T
    return {
        "cells": int(cells[0]),
        "gold_filled": int(gold[0]),
        "predicted_filled": int(predicted[0]),
        "both_filled": int(both[0]),
        "correct": int(correct[0]),
        "coverage": estimate(ratio(both, gold)),
        "accuracy": estimate(ratio(agree, cells)),
        "precision": estimate(ratio(correct, predicted)),
        "recall": estimate(ratio(correct, gold)),
        "f1": estimate(f1(correct, predicted, gold)),
    }


def _mean_of_defined(values: Array) -> Array:
    """Mean over the last axis, undefined values left out."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1).astype(float))


def _variable_figures(variable: Variable, column: Sequence[Cell], totals: Array, weights: Array) -> VariableFigures:
    figures: dict[str, Any] = _cell_figures(totals)
    if variable.kind in SINGLE_CHOICES:
        filled = [row for row, cell in enumerate(column) if cell.gold is not None and cell.predicted is not None]
        figures["kappa"] = estimate(cohen_kappa(_confusion([column[row] for row in filled], weights[:, filled])))
    unit = error_unit(variable)
    if unit is not None:
        errors = {
            row: error for row, cell in enumerate(column) if (error := distance(cell.predicted, cell.gold)) is not None
        }
        sizes, drawn = np.array(list(errors.values())), weights[:, list(errors)]
        figures["mean_error"] = estimate(ratio(drawn @ sizes, drawn.sum(axis=1)))
        figures["median_error"] = median(errors.values()) if errors else None
        figures["error_unit"] = unit
        if variable.kind in NUMBERS:
            figures["icc"] = estimate(icc_2_1(*_moments([column[row] for row in errors], drawn)))
    return VariableFigures(name=variable.name, label=variable.label, kind=variable.kind.value, **figures)


def _confusion(filled: Sequence[Cell], weights: Array) -> Array:
    """(1 + replicates, K, K) weighted counts, over the K categories seen on either side."""
    pairs = [(str(cell.predicted).strip(), str(cell.gold).strip()) for cell in filled]
    codes = {code: index for index, code in enumerate(sorted({code for pair in pairs for code in pair}))}
    one_hot = np.zeros((len(pairs), len(codes), len(codes)))
    for row, (predicted, gold) in enumerate(pairs):
        one_hot[row, codes[predicted], codes[gold]] = 1
    return np.tensordot(weights, one_hot, axes=1)


def _moments(filled: Sequence[Cell], weights: Array) -> Array:
    """(6, 1 + replicates) sums that `icc_2_1` needs, around the common mean."""
    numbers = np.array([(cell.predicted, cell.gold) for cell in filled], dtype=float).reshape(-1, 2)
    x, y = (numbers - (numbers.mean() if numbers.size else 0)).T
    sums: Array = weights @ np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)
    return sums.T


def status_rows(cells: Sequence[Cell]) -> tuple[StatusRow, ...]:
    """Cells by predicted status and by what the manual table holds, in the order of `Status`."""
    counts: Counter[tuple[str, str]] = Counter()
    for cell in cells:
        held = "gold_empty" if cell.gold is None else "gold_equal" if cell.agrees else "gold_different"
        counts[_status(cell), held] += 1
    columns = ("gold_empty", "gold_equal", "gold_different")
    return tuple(
        StatusRow(status=status, **{column: counts[status, column] for column in columns})
        for status in [*(status.value for status in Status), "filled", "empty"]
        if any(counts[status, column] for column in columns)
    )


def _status(cell: Cell) -> str:
    if cell.reading is not None and cell.reading.status is not None:
        return cell.reading.status.value
    return "empty" if cell.predicted is None else "filled"


def calibration(cells: Sequence[Cell]) -> Calibration | None:
    """Reliability of the confidences of filled cells, in ten bins, and the expected calibration error
    (Guo et al., On Calibration of Modern Neural Networks, ICML 2017). None when no confidence is given.
    """
    told = [
        (cell.reading.confidence, float(cell.correct))
        for cell in cells
        if cell.predicted is not None and cell.reading is not None and cell.reading.confidence is not None
    ]
    if not told:
        return None
    bins = reliability(*np.array(told).T)
    gap = sum(row.cells * abs(row.mean_confidence - row.precision) for row in bins) / len(told)
    return Calibration(bins=bins, expected_error=gap)
