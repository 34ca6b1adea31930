"""A calibration in words: for the terminal, as a page in Markdown, and as a table that a spreadsheet opens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from eval.calibration import Tally
from eval.calibration_figures import ConfidenceFigures
from eval.calibration_plots import write_plots
from eval.summary import percent
from eval.tables import harmless, number, write_rows
from schema.report import Estimate

#: What the two sets of figures are called.
BEFORE, AFTER = "as given", "calibrated"
_EXPLAINED = """\
A value is right when it equals the manual cell; a value where the manual cell is empty is wrong. Values that wait for
review count as well. The line "calibrated" judges each patient by what the other patients taught. In brackets, 95 %
intervals by resampling patients.

- **calibration error** (ECE): mean distance between confidence and share right, over ten bins; "by chance" is what it
  would be with as many values if every confidence were exact.
- **Brier score**: mean square of the distance between confidence and 1 (right) or 0 (wrong).
- **AURC**: mean share of wrong values among the surest ones, over all sizes of that set; it judges the order alone."""


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """What a calibration is worth.

    Args:
        about: what was judged, in words.
        variables: what was judged of each.
    """

    about: str
    before: ConfidenceFigures
    after: ConfidenceFigures
    variables: Mapping[str, Tally]

    @property
    def both(self) -> dict[str, ConfidenceFigures]:
        """The figures by what they are of."""
        return {BEFORE: self.before, AFTER: self.after}


def write_report(report: CalibrationReport, out: Path) -> None:
    """Write ``report.md``, ``figures.csv``, ``variables.csv`` and the plots under ``out``; no word of a document."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.md").write_text("\n".join(_page(report)) + "\n", encoding="utf-8")
    columns = ("confidence", "figure", "above", "cells", "value", "low", "high")
    write_rows(out / "figures.csv", columns, (row for name, of in report.both.items() for row in _rows(name, of)))
    counted = ([harmless(name), str(of.right), str(of.cells)] for name, of in report.variables.items())
    write_rows(out / "variables.csv", ("variable", "right", "cells"), counted)
    write_plots(report.both, out)


def format_summary(report: CalibrationReport) -> str:
    """The report in a few lines for a terminal."""
    lines = [report.about]
    for name, of in report.both.items():
        lines += [
            f"  {name:<12}calibration error {_short(of.error)} (by chance {of.chance_error:.3f}), "
            f"Brier {_short(of.brier)}, AURC {_short(of.area)}",
            *(
                f"  {'':<12}confidence ≥ {kept.above:g}: {kept.cells} values, right {percent(kept.right)}"
                for kept in of.kept
                if kept.above in (0.8, 0.9)
            ),
        ]
    return "\n".join(lines)


def _page(report: CalibrationReport) -> Iterator[str]:
    yield from ("# What a confidence is worth", "", f"{report.about}.", "", _EXPLAINED, "")
    yield "| confidence | values | right | calibration error | by chance | Brier score | AURC |"
    yield "|---|---|---|---|---|---|---|"
    for name, of in report.both.items():
        figures = (_long(of.error), f"{of.chance_error:.3f}", _long(of.brier), _long(of.area))
        yield f"| {name} | {of.cells} | {percent(of.right)} | {' | '.join(figures)} |"
    yield from ("", "![Reliability](reliability.png)", "", "## What a threshold keeps", "")
    yield "| confidence at least | " + " | ".join(f"{name}: values, of all, right" for name in report.both) + " |"
    yield "|---|" + "---|" * len(report.both)
    for pair in zip(*(of.kept for of in report.both.values()), strict=True):
        cells = (f"{kept.cells}, {percent(kept.coverage)}, {percent(kept.right)}" for kept in pair)
        yield f"| {pair[0].above:g} | {' | '.join(cells)} |"
    yield from ("", "![Risk against coverage](risk_coverage.png)", "", "## Variables", "")
    yield from ("| variable | right | values |", "|---|---|---|")
    by_share = sorted(
        report.variables.items(), key=lambda item: (item[1].right / item[1].cells, -item[1].cells, item[0])
    )
    yield from (f"| {name} | {of.right} | {of.cells} |" for name, of in by_share)


def _rows(name: str, of: ConfidenceFigures) -> Iterator[list[str]]:
    whole = {"right": of.right, "calibration error": of.error, "Brier score": of.brier, "AURC": of.area}
    for figure, value in whole.items():
        yield [name, figure, "", str(of.cells), *_bounds(value)]
    for kept in of.kept:
        yield [name, "right", f"{kept.above:g}", str(kept.cells), *_bounds(kept.right)]
        yield [name, "coverage", f"{kept.above:g}", str(kept.cells), *_bounds(kept.coverage)]


def _bounds(figure: Estimate) -> tuple[str, str, str]:
    return number(figure.value), number(figure.low), number(figure.high)


def _short(figure: Estimate) -> str:
    return "–" if figure.value is None else f"{figure.value:.3f}"


def _long(figure: Estimate) -> str:
    if figure.low is None or figure.high is None:
        return _short(figure)
    return f"{_short(figure)} [{figure.low:.3f} to {figure.high:.3f}]"
