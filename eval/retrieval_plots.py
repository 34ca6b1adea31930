"""The plots of a retrieval: recall against k, ablations, and one patient's timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from eval.retrieval import DEEPEST, Row
from eval.retrieval_report import MAIN, RetrievalReport
from schema.report import Estimate

# Okabe & Ito's palette: told apart with any colour vision; marks tell apart what shares a colour.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKS = "os^vDPX"
_GREY = "#767676"
#: Dots per inch: readable when printed in a column.
DPI = 150


@dataclass(frozen=True, slots=True)
class TimelineView:
    """What one method made of one patient's timeline.

    Args:
        documents: labels, in order of time.
        variables: names, in the order of the dictionary.
        scores: (variables, documents), of the best passage of each document; NaN where none was found.
        gold: (variables, documents), whether a quote stands there.
    """

    method: str
    patient_id: str
    documents: tuple[str, ...]
    variables: tuple[str, ...]
    scores: NDArray[np.float64]
    gold: NDArray[np.bool_]


def write_plots(report: RetrievalReport, view: TimelineView, out: Path) -> None:
    """Write ``recall.png``, ``timeline.png`` and, where there are ablations, ``ablations.png`` under ``out``."""
    recall_plot(report).savefig(out / "recall.png", dpi=DPI)
    timeline_plot(view).savefig(out / "timeline.png", dpi=DPI)
    (out / "ablations.png").unlink(missing_ok=True)
    if report.ablations:
        ablation_plot(report).savefig(out / "ablations.png", dpi=DPI)


def recall_plot(report: RetrievalReport) -> Figure:
    """Share of the quotes among the first k passages, with its 95 % interval, for each method but the ablations."""
    methods = [method for method in report.methods if method not in report.ablations]
    figure = Figure(figsize=(8.5, 5), layout="constrained")
    axes = figure.subplots()
    for i, method in enumerate(methods):
        curve = np.array([_bounds(_main(report.rows, method, f"recall@{k}").estimate) for k in range(1, DEEPEST + 1)])
        values, low, high = curve.T
        depths = np.arange(1, DEEPEST + 1)
        colour = _COLOURS[i % len(_COLOURS)]
        first = method == report.reference
        axes.plot(
            depths,
            values,
            color=colour,
            marker=_MARKS[i // len(_COLOURS) % len(_MARKS)] if len(methods) > len(_COLOURS) else "o",
            markersize=3,
            linewidth=2.4 if first else 1.2,
            label=method,
            zorder=4 if first else 3,
        )
        axes.fill_between(depths, low, high, color=colour, alpha=0.18 if first else 0.07, linewidth=0)
    axes.set(xlabel="k, passages read", ylabel="recall@k of quotes", xlim=(0.5, DEEPEST + 0.5), ylim=(0, 1.01))
    axes.set_xticks([1, 3, 5, 10, 15, 20])
    axes.grid(visible=True, color="#e0e0e0")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(frameon=False, loc="outside right center", fontsize=8)
    return figure


def ablation_plot(report: RetrievalReport) -> Figure:
    """The reference and what it is without one of its parts, by kind of question."""
    methods = [report.reference, *report.ablations]
    level, name = MAIN
    held = {(row.group, row.method): row for row in report.rows if (row.level, row.figure) == (level, name)}
    kinds = [("", "all"), *((row.group, row.group) for row in report.rows if row.by == "kind")]
    groups = list(dict.fromkeys(kinds))
    figure = Figure(figsize=(1.5 + 1.9 * len(groups), 4), layout="constrained")
    axes = figure.subplots()
    width = 0.8 / len(methods)
    for i, method in enumerate(methods):
        heights, low, high = np.array([_bounds(held[group, method].estimate) for group, _ in groups]).T
        places = np.arange(len(groups)) + (i - (len(methods) - 1) / 2) * width
        axes.bar(places, heights, width * 0.92, color=_COLOURS[i % len(_COLOURS)], label=method)
        axes.errorbar(places, heights, yerr=[heights - low, high - heights], fmt="none", ecolor=_GREY, elinewidth=1)
    axes.set_xticks(range(len(groups)), [label for _, label in groups])
    axes.set(ylabel=f"{level} {name}", ylim=(0, 1.01))
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(frameon=False, loc="outside upper center", fontsize=8, ncols=3)
    return figure


def timeline_plot(view: TimelineView) -> Figure:
    """Score of the best passage of each document for each variable; circles mark where the answer is written.

    Scores of two questions are not comparable: each line goes from its own lowest (white) to its own highest (blue).
    """
    rows, columns = view.scores.shape
    figure = Figure(figsize=(2.6 + 0.32 * columns, 1.6 + 0.2 * rows), layout="constrained")
    axes = figure.subplots()
    axes.imshow(_by_line(view.scores), cmap="Blues", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    lines, places = np.nonzero(view.gold)
    axes.scatter(places, lines, s=22, facecolors="none", edgecolors="#D55E00", linewidths=1.3)
    axes.set_xticks(range(columns), view.documents, rotation=90, fontsize=6, parse_math=False)
    axes.set_yticks(range(rows), view.variables, fontsize=7, parse_math=False)
    axes.set_title(f"{view.method}, patient {view.patient_id}: best passage of each document", fontsize=9)
    axes.tick_params(length=0)
    return figure


def _by_line(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each line brought to [0, 1]; 0 where nothing was found."""
    found = np.isfinite(scores)
    low = np.where(found, scores, np.inf).min(axis=1, keepdims=True, initial=np.inf)
    high = np.where(found, scores, -np.inf).max(axis=1, keepdims=True, initial=-np.inf)
    spread = np.where(high > low, high - low, 1.0)
    brought: NDArray[np.float64] = np.where(found, (scores - np.where(np.isfinite(low), low, 0.0)) / spread, 0.0)
    return np.where(found & (high <= low), 1.0, brought)


def _main(rows: Sequence[Row], method: str, figure: str) -> Row:
    wanted = ("all", method, MAIN[0], figure)
    return next(row for row in rows if (row.by, row.method, row.level, row.figure) == wanted)


def _bounds(figure: Estimate) -> tuple[float, float, float]:
    """Value, low and high; an interval of no width where there is none."""
    value = figure.value or 0.0
    return value, value if figure.low is None else figure.low, value if figure.high is None else figure.high
