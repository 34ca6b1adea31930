"""Pair the cells of a predicted table with those of a manual one, and say which are equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.evidence import EvidenceByCell, EvidenceRow
from eval.values import equal
from schema.problem import InputError, Problem
from schema.value import Value
from schema.variable import Variable

#: A typed table: values by variable name, by record.
Table = Mapping[str, Mapping[str, Value | None]]


@dataclass(frozen=True, slots=True)
class Cell:
    """One variable of one record, on both sides. None: empty. ``reading`` is what the evidence file says of it."""

    record: str
    variable: Variable
    predicted: Value | None
    gold: Value | None
    agrees: bool
    reading: EvidenceRow | None = None

    @property
    def correct(self) -> bool:
        """Filled on both sides, with equal values."""
        return self.agrees and self.gold is not None


@dataclass(frozen=True, slots=True)
class Alignment:
    """Cells in the order of records (sorted), then of variables; and what had no counterpart."""

    records: tuple[str, ...]
    variables: tuple[Variable, ...]
    cells: tuple[Cell, ...]
    variables_not_in_gold: tuple[str, ...]
    variables_not_predicted: tuple[str, ...]
    records_only_predicted: tuple[str, ...]
    records_only_gold: tuple[str, ...]


def align(
    variables: Sequence[Variable], predictions: Table, gold: Table, readings: EvidenceByCell | None = None
) -> Alignment:
    """Pair two tables by record and variable.

    A variable without a column in the manual table is left out; one without a column in the predicted table is kept,
    with empty cells: it was asked for and not filled.

    Raises:
        InputError: no record, or no variable, is common to both tables.
    """
    readings = readings or {}
    in_gold = {name for row in gold.values() for name in row}
    in_predictions = {name for row in predictions.values() for name in row}
    measured = tuple(variable for variable in variables if variable.name in in_gold)
    records = tuple(sorted(gold.keys() & predictions.keys()))
    if not records:
        raise InputError(_nothing_common("record", len(predictions), len(gold), "the record identifiers"))
    if not any(variable.name in in_predictions for variable in measured):
        raise InputError(_nothing_common("variable", len(in_predictions), len(in_gold), "the dictionary's names"))
    cells = tuple(
        _pair(
            record,
            variable,
            predictions[record].get(variable.name),
            gold[record].get(variable.name),
            readings.get((record, variable.name)),
        )
        for record in records
        for variable in measured
    )
    return Alignment(
        records=records,
        variables=measured,
        cells=cells,
        variables_not_in_gold=tuple(v.name for v in variables if v.name not in in_gold),
        variables_not_predicted=tuple(v.name for v in measured if v.name not in in_predictions),
        records_only_predicted=tuple(sorted(predictions.keys() - gold.keys())),
        records_only_gold=tuple(sorted(gold.keys() - predictions.keys())),
    )


def _nothing_common(what: str, predicted: int, gold: int, names: str) -> Problem:
    return Problem(
        "predicted and manual tables",
        f"no {what} is common to both ({predicted} predicted, {gold} manual).",
        f"Check that both tables belong to the same study and write {names} the same way.",
    )


def _pair(
    record: str, variable: Variable, predicted: Value | None, gold: Value | None, reading: EvidenceRow | None
) -> Cell:
    predicted, gold = _empty_as_none(predicted), _empty_as_none(gold)
    return Cell(record, variable, predicted, gold, equal(variable, predicted, gold), reading)


def _empty_as_none(value: Value | None) -> Value | None:
    """REDCap writes a checkbox field with no box ticked the same way as one never answered: both count as empty."""
    if value == () or (isinstance(value, str) and not value.strip()):
        return None
    return value
