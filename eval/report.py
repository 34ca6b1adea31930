"""The report as one HTML page that opens without a network: its style is inline, its plots are inline SVG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eval.errors import MEANING, Disagreement, ErrorKind, described
from eval.pages import page_templates
from eval.summary import notes
from schema.report import Calibration, Estimate, EvaluationReport, VariableFigures

#: Disagreements of one kind shown on the page; ``errors.csv`` has them all.
SHOWN_PER_KIND = 200

# Okabe & Ito's palette: told apart with any colour vision, and in grey.
_BLUE, _ORANGE, _GREY = "#0072B2", "#D55E00", "#767676"


def write_html(report: EvaluationReport, errors: Sequence[Disagreement], path: Path) -> None:
    """Write the page. It shows quotes of patients' documents."""
    templates = page_templates()
    templates.filters.update(figure=_figure, share=_share, words=_words)
    by_kind = {kind: [described(error) for error in errors if error.kind is kind] for kind in ErrorKind}
    page = templates.get_template("report.html.j2").render(
        report=report,
        notes=notes(report),
        f1_plot=_svg(f1_plot(report.variables), "f1"),
        calibration_plot=_svg(calibration_plot(report.calibration), "calibration") if report.calibration else "",
        kinds=[(kind.value, MEANING[kind], rows) for kind, rows in by_kind.items() if rows],
        shown=SHOWN_PER_KIND,
    )
    path.write_text(page, encoding="utf-8")


def f1_plot(variables: Sequence[VariableFigures]) -> Figure:
    """F1 of each variable with its interval, best on top; variables without any filled cell are left out."""
    drawn = [(figures.name, figures.f1.value, figures.f1) for figures in variables if figures.f1.value is not None]
    drawn.sort(key=lambda row: (-(row[1] or 0), row[0]), reverse=True)
    figure = Figure(figsize=(8, 1.2 + 0.24 * len(drawn)), layout="constrained")
    axes = figure.subplots()
    for height, (_, value, interval) in enumerate(drawn):
        if interval.low is not None and interval.high is not None:
            axes.plot([interval.low, interval.high], [height, height], color=_GREY, linewidth=2, solid_capstyle="butt")
        axes.plot(value, height, "o", color=_BLUE, markersize=6)
    axes.set_yticks(range(len(drawn)), [name for name, *_ in drawn], parse_math=False)
    axes.set_ylim(-0.7, len(drawn) - 0.3)
    _share_axis(axes, "x", "F1")
    axes.xaxis.grid(visible=True, color="#e0e0e0")
    return figure


def calibration_plot(calibration: Calibration) -> Figure:
    """Share of right values against mean confidence, by bin; the area of a point grows with its cells."""
    figure = Figure(figsize=(4.6, 4.4), layout="constrained")
    axes = figure.subplots()
    most = max(row.cells for row in calibration.bins)
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=1, linestyle="--")
    axes.scatter(
        [row.mean_confidence for row in calibration.bins],
        [row.precision for row in calibration.bins],
        s=[20 + 200 * row.cells / most for row in calibration.bins],
        color=_ORANGE,
        alpha=0.85,
        zorder=3,
        clip_on=False,
    )
    _share_axis(axes, "x", "Mean confidence given")
    _share_axis(axes, "y", "Share of right values")
    axes.set_aspect("equal")
    return figure


def _share_axis(axes: Axes, which: str, label: str) -> None:
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_ticks([0, 0.2, 0.4, 0.6, 0.8, 1.0], ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"])
    axes.set(**{f"{which}lim": (-0.02, 1.02), f"{which}label": label})
    axes.spines[["top", "right"]].set_visible(False)


def _svg(figure: Figure, name: str) -> str:
    """The figure as an SVG element, the same for the same data; its text stays text, in the reader's own font.

    Args:
        name: keeps the identifiers inside two drawings of one page apart.
    """
    drawn = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "font.family": "sans-serif"}):
        figure.savefig(drawn, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    text = drawn.getvalue()
    text = text[text.index("<svg") :]  # without the XML declaration and its reference to a DTD on the web
    for reference in (' id="', 'xlink:href="#', "url(#"):
        text = text.replace(reference, f"{reference}{name}-")
    return text


def _figure(figure: Estimate | None) -> str:
    """A number with two digits and its interval; "" when it does not apply, a dash when undefined."""
    if figure is None:
        return ""
    if figure.value is None:
        return "–"
    if figure.low is None or figure.high is None:
        return f"{figure.value:.2f}"
    return f"{figure.value:.2f} [{figure.low:.2f} to {figure.high:.2f}]"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def _words(name: str) -> str:
    return name.replace("_", " ")
