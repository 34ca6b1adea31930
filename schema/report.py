"""What an evaluation found: the figures of a filled table measured against a manual one.

Every proportion is in [0, 1]; None stands for a figure that is not defined (no cell to compute it on).
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Estimate(_Frozen):
    """A figure and its 95 % interval, by bootstrap over patients. ``low`` and ``high`` are None together."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


class CellFigures(_Frozen):
    """Figures of a set of cells: one variable, or the whole table.

    Args:
        cells: cells compared, empty ones included.
        gold_filled, predicted_filled, both_filled: cells filled in the manual table, in the predicted one, in both.
        correct: cells filled on both sides with equal values.
        coverage: share of the cells filled in the manual table that the prediction fills, rightly or not.
        accuracy: share of all cells that agree; two empty cells agree.
        precision: correct / predicted_filled.
        recall: correct / gold_filled.
        f1: harmonic mean of precision and recall.
    """

    cells: int
    gold_filled: int
    predicted_filled: int
    both_filled: int
    correct: int
    coverage: Estimate
    accuracy: Estimate
    precision: Estimate
    recall: Estimate
    f1: Estimate


class VariableFigures(CellFigures):
    """Figures of one variable; those below are computed on the cells filled on both sides.

    Args:
        kappa: Cohen's kappa, for variables with one choice among several.
        icc: ICC(2,1), for numbers.
        mean_error, median_error: absolute error in ``error_unit``: the variable's own unit for numbers ("" when it
            has none), "min" for datetimes and times, "days" for dates.
    """

    name: str
    label: str
    kind: str
    kappa: Estimate | None = None
    icc: Estimate | None = None
    mean_error: Estimate | None = None
    median_error: float | None = None
    error_unit: str = ""


class StatusRow(_Frozen):
    """Cells predicted with one status, by what the manual table holds.

    Args:
        status: a `schema.value.Status`, or "filled" / "empty" when the prediction gives no status.
    """

    status: str
    gold_empty: int
    gold_equal: int
    gold_different: int


class CalibrationBin(_Frozen):
    """Filled predicted cells whose confidence lies in [low, high) (the last bin includes 1)."""

    low: float
    high: float
    cells: int
    mean_confidence: float
    precision: float


class Calibration(_Frozen):
    """Whether a confidence can be read as a chance of being right.

    Args:
        expected_error: mean distance between confidence and precision, weighted by the cells of each bin.
    """

    bins: tuple[CalibrationBin, ...]
    expected_error: float


class Violation(_Frozen):
    """A cell whose evidence breaks a promise. Holds positions and identifiers, never text of a document."""

    patient_id: str
    variable: str
    kind: str
    document_id: str
    detail: str


class EvidenceFigures(_Frozen):
    """How far the sources given for the values can be trusted.

    Args:
        filled_cells: filled predicted cells; ``without_evidence`` of them cite nothing.
        quotes: quotes given for all cells; ``quotes_checked`` of them were compared with a known document,
            ``quotes_exact`` are the very text of the document at the positions given.
        unknown_documents: quotes of a document that is not among this patient's.
        correct_with_gold_evidence: correct cells for which the manual evidence names a document;
            ``same_document`` of them cite one of the documents it names.
    """

    filled_cells: int
    without_evidence: int
    quotes: int
    quotes_checked: int
    quotes_exact: int
    unknown_documents: int
    correct_with_gold_evidence: int
    same_document: int
    violations: tuple[Violation, ...]


class EvaluationReport(_Frozen):
    """A filled table measured against a manual one.

    Args:
        macro_f1: mean of the variables' F1, each variable counting the same.
        variables_not_in_gold: variables that the manual table has no column for; not measured.
        variables_not_predicted: variables that the predicted table has no column for; their cells count as empty.
        records_only_predicted, records_only_gold: records present on one side; not measured.
        disagreements: number of differing cells by kind of disagreement.
        replicates, seed: of the bootstrap.
    """

    records: int
    overall: CellFigures
    macro_f1: Estimate
    variables: tuple[VariableFigures, ...]
    disagreements: dict[str, int]
    statuses: tuple[StatusRow, ...]
    calibration: Calibration | None = None
    evidence: EvidenceFigures | None = None
    variables_not_in_gold: tuple[str, ...] = ()
    variables_not_predicted: tuple[str, ...] = ()
    records_only_predicted: tuple[str, ...] = ()
    records_only_gold: tuple[str, ...] = ()
    replicates: int
    seed: int
