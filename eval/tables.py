"""The figures and the disagreements as CSV files that open in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from eval.errors import COLUMNS, Disagreement, described
from schema.report import CellFigures, Estimate, EvaluationReport

_COUNTS = ("cells", "gold_filled", "predicted_filled", "both_filled", "correct")
_ESTIMATES = ("coverage", "accuracy", "precision", "recall", "f1", "kappa", "icc", "mean_error")


def write_metrics(report: EvaluationReport, path: Path) -> None:
    """One row for the whole table, named "(all)", then one per variable; each figure with its interval."""
    bounds = [f"{name}{end}" for name in _ESTIMATES for end in ("", "_low", "_high")]
    header = ["variable", "label", "kind", *_COUNTS, *bounds, "median_error", "error_unit"]
    rows = [["(all)", "", "", *_figures(report.overall), "", ""]]
    for figures in report.variables:
        extra = [number(figures.median_error), figures.error_unit]
        rows.append([figures.name, figures.label, figures.kind, *_figures(figures), *extra])
    write_rows(path, header, rows)


def write_errors(errors: Iterable[Disagreement], path: Path) -> None:
    """One row per disagreement, under `eval.errors.COLUMNS`."""
    rows = (described(error) for error in errors)
    write_rows(path, COLUMNS, [[harmless(row[column]) for column in COLUMNS] for row in rows])


def write_rows(path: Path, header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Write a CSV that spreadsheets open as UTF-8."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:  # the mark makes Excel read UTF-8
        csv.writer(file).writerows([header, *rows])


def _figures(figures: CellFigures) -> list[str]:
    counts = [str(getattr(figures, name)) for name in _COUNTS]
    for name in _ESTIMATES:
        figure: Estimate | None = getattr(figures, name, None)
        counts += [number(v) for v in ((figure.value, figure.low, figure.high) if figure else (None, None, None))]
    return counts


def number(value: float | None) -> str:
    """A figure as a cell: four digits, empty when undefined."""
    return "" if value is None else f"{value:.4f}"


def harmless(text: str) -> str:
    """Words of a document must not run as a formula when a spreadsheet opens them."""
    return (
        f"'{text}"
        if text.startswith(("=", "+", "@", "\t")) or (text.startswith("-") and not _is_number(text))
        else text
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
