"""The plots of a confidence, before and after calibration: reliability, and risk against coverage."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eval.calibration_figures import BINS, ConfidenceFigures

# Okabe & Ito's palette, told apart with any colour vision; marks tell the lines apart in grey.
_STYLES = (("#D55E00", "s"), ("#0072B2", "o"))
_GREY = "#767676"
_DPI = 150


def write_plots(figures: Mapping[str, ConfidenceFigures], out: Path) -> None:
    """Write ``reliability.png`` and ``risk_coverage.png`` under ``out``; ``figures`` by what they are of."""
    reliability_plot(figures).savefig(out / "reliability.png", dpi=_DPI)
    risk_plot(figures).savefig(out / "risk_coverage.png", dpi=_DPI)


def reliability_plot(figures: Mapping[str, ConfidenceFigures]) -> Figure:
    """Share right against mean confidence, by bin; below, how many cells each bin holds."""
    figure = Figure(figsize=(5, 6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [4, 1]})
    above.plot([0, 1], [0, 1], color=_GREY, linewidth=1, linestyle="--")
    for place, ((name, of), (colour, mark)) in enumerate(zip(figures.items(), _STYLES, strict=True)):
        confidence = [row.mean_confidence for row in of.bins]
        above.plot(confidence, [row.precision for row in of.bins], color=colour, marker=mark, label=name, clip_on=False)
        width = 0.8 / BINS / len(figures)
        places = [(row.low + row.high) / 2 + (place - (len(figures) - 1) / 2) * width for row in of.bins]
        below.bar(places, [row.cells for row in of.bins], width, color=colour)
    _shares(above, "y", "Share of right values")
    _shares(below, "x", "Confidence")
    below.set_ylabel("Cells")
    below.spines[["top", "right"]].set_visible(False)
    above.legend(frameon=False, loc="upper left")
    return figure


def risk_plot(figures: Mapping[str, ConfidenceFigures]) -> Figure:
    """Share of wrong values among those kept, against the share kept."""
    figure = Figure(figsize=(5.6, 4.2), layout="constrained")
    axes = figure.subplots()
    for (name, of), (colour, mark) in zip(figures.items(), _STYLES, strict=True):
        coverage, risk = of.curve
        axes.plot(coverage, risk, color=colour, label=name, drawstyle="steps-pre", linewidth=1.6)
        axes.plot(coverage[-1], risk[-1], color=colour, marker=mark, clip_on=False)
    _shares(axes, "x", "Values kept, the surest first")
    axes.set_ylabel("Share of wrong values among them")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    axes.grid(visible=True, color="#e0e0e0")
    axes.legend(frameon=False, loc="upper left")
    return figure


def _shares(axes: Axes, which: str, label: str) -> None:
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_ticks([0, 0.2, 0.4, 0.6, 0.8, 1.0], ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"])
    axes.set(**{f"{which}lim": (-0.02, 1.02), f"{which}label": label})
    axes.spines[["top", "right"]].set_visible(False)
