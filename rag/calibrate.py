"""Main path of `calibrate`: a run and a manual table -> cells judged -> the calibration, and what it is worth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from eval.align import Cell, align
from eval.calibration import Scored, cross_fitted
from eval.calibration_figures import ConfidenceFigures, figures_of
from eval.evidence import by_cell, read_evidence
from eval.values import equal
from rag.calibration import Calibration, claims
from rag.fingerprint import hash_tree
from rag.redcap import values
from rag.redcap.dictionary import read_dictionary
from rag.redcap.export import read_table
from schema.problem import InputError, Problem
from schema.value import Status, Value
from schema.variable import Variable

#: Under these nothing is learned; under the next ones it is said that little is.
_LEAST_CELLS, _LEAST_PATIENTS = 20, 3
_FEW_CELLS, _FEW_PATIENTS = 200, 10
#: Share of cells that a table edited in a spreadsheet may have lost.
_STRANGERS = 0.02
_LIBRARIES = ("cohort-rag", "scikit-learn")


@dataclass(frozen=True, slots=True)
class CalibrateRequest:
    """A run (its evidence and its table), the manual table of the same records, and their dictionary."""

    evidence: Path
    predictions: Path
    gold: Path
    dictionary: Path


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A calibration and what it is worth: figures of the confidence as it was, and of the one that takes its place,
    each patient's being learned from the others.
    """

    calibration: Calibration
    before: ConfidenceFigures
    after: ConfidenceFigures
    problems: tuple[Problem, ...]


def calibrate(request: CalibrateRequest) -> Calibrated:
    """Learn what the confidence of a run is worth.

    Raises:
        InputError: a file cannot be read, the files do not go together, or there is too little to learn from.
    """
    dictionary = read_dictionary(request.dictionary)
    predictions, in_predictions = read_table(request.predictions, dictionary)
    gold, in_gold = read_table(request.gold, dictionary)
    evidence = read_evidence(request.evidence)
    problems = [*dictionary.problems, *in_predictions, *in_gold, *evidence.problems]
    generator = _reader_of(request.evidence.with_name("manifest.json"))
    aligned = align(dictionary.variables, predictions, gold, by_cell(evidence.rows))
    cells = _judged(aligned.cells, request)
    problems += _too_little(cells, request.gold)
    after = figures_of(Scored(cells.patients, cells.variables, cross_fitted(cells), cells.right))
    calibration = Calibration.learn(
        cells,
        generator=generator,
        error=after.error.value,
        dictionary=hash_tree(request.dictionary),
        table=hash_tree(request.gold),
        evidence=hash_tree(request.evidence),
        versions={name: metadata.version(name) for name in _LIBRARIES},
    )
    return Calibrated(calibration, figures_of(cells), after, tuple(problems))


def _reader_of(manifest: Path) -> str:
    """The reader of a run; "" when nothing beside its evidence tells.

    Raises:
        InputError: its confidences were calibrated already.
    """
    try:
        arguments: Any = json.loads(manifest.read_text(encoding="utf-8"))["arguments"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    if not isinstance(arguments, dict):
        return ""
    if arguments.get("calibration"):
        what = "the confidences of this run were calibrated already."
        raise InputError(Problem(str(manifest), what, "Fill again without a calibration, and calibrate that run."))
    return str(arguments.get("generator", "rules"))


def _judged(cells: tuple[Cell, ...], request: CalibrateRequest) -> Scored:
    """The cells to which the reader gave a value, in the table or for review, with its confidence."""
    told = [cell for cell in cells if cell.reading is not None and cell.reading.status is not None]
    strangers = [cell for cell in told if _status(cell).fills != (cell.predicted is not None)]
    if len(strangers) > _STRANGERS * len(told):
        what = f"speaks of another table than {request.predictions.name}: {len(strangers)} of {len(told)} cells differ."
        raise InputError(Problem(str(request.evidence), what, "Give the table and the evidence of one run."))
    found = list(_claimed(cells))
    return Scored(
        tuple(cell.record for cell, *_ in found),
        tuple(cell.variable.name for cell, *_ in found),
        np.array([score for _, score, _ in found], dtype=float),
        np.array([right for *_, right in found], dtype=float),
    )


def _status(cell: Cell) -> Status:
    return (cell.reading and cell.reading.status) or Status.NOT_MENTIONED


def _claimed(cells: tuple[Cell, ...]) -> Iterator[tuple[Cell, float, bool]]:
    """Each cell with a value and a confidence: the cell, its confidence, whether the value is right."""
    for cell in cells:
        reading = cell.reading
        if reading is None or reading.confidence is None or not claims(_status(cell), reading.confidence):
            continue
        value = cell.predicted
        if value is None and reading.candidates:
            value = _typed(cell.variable, reading.candidates[0])
        if value is not None:
            yield cell, reading.confidence, cell.gold is not None and equal(cell.variable, value, cell.gold)


def _typed(variable: Variable, candidate: str | tuple[str, ...] | None) -> Value | None:
    """A candidate as the evidence file writes it; None for one that the dictionary does not allow."""
    try:
        if isinstance(candidate, tuple):
            return values.validate(variable, candidate)
        return values.decode(variable, {variable.name: candidate or ""})
    except values.InvalidValue:
        return None


def _too_little(cells: Scored, table: Path) -> list[Problem]:
    """What is said of a table that teaches little.

    Raises:
        InputError: it teaches too little.
    """
    patients, where = len(set(cells.patients)), str(table)
    said = f"{len(cells)} values of {patients} patients"
    more = "Fill more records by hand."
    if len(cells) < _LEAST_CELLS or patients < _LEAST_PATIENTS:
        what = f"judges {said}; at least {_LEAST_CELLS} values of {_LEAST_PATIENTS} patients are needed."
        raise InputError(Problem(where, what, f"{more} The evidence must be that of the run, with its confidences."))
    problems = []
    if len(cells) < _FEW_CELLS or patients < _FEW_PATIENTS:
        what = f"judges {said}: what is learned from so few is uncertain; see the intervals of the report."
        problems.append(Problem(where, what, more, lost=False))
    if cells.right.all():
        what = f"agrees with all of the {len(cells)} values: nothing tells a wrong one from a right one."
        problems.append(Problem(where, what, "Expect less of records that it does not hold.", lost=False))
    return problems
