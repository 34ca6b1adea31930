"""A report in words: for the terminal, and the phrases that the pages share with it."""

from __future__ import annotations

from collections.abc import Sequence

from schema.report import Estimate, EvaluationReport


def format_summary(report: EvaluationReport) -> str:
    """The report in a few lines for a terminal. Names records and variables, never a value."""
    overall = report.overall
    lines = [
        f"{report.records} records, {len(report.variables)} variables, {overall.cells} cells "
        f"({overall.gold_filled} filled in the manual table, {overall.predicted_filled} predicted)",
        f"  F1        {percent(overall.f1)}   (mean over variables {percent(report.macro_f1)})",
        f"  precision {percent(overall.precision)}",
        f"  recall    {percent(overall.recall)}",
        f"  accuracy  {percent(overall.accuracy)}   (all cells, empty ones included)",
    ]
    kinds = [f"{kind.replace('_', ' ')} {count}" for kind, count in report.disagreements.items() if count]
    lines.append(f"  disagreements: {', '.join(kinds) or 'none'}")
    if report.evidence is not None:
        checks = report.evidence
        lines.append(
            f"  evidence: {checks.filled_cells - checks.without_evidence} of {checks.filled_cells} filled cells cite a "
            f"quote; {checks.quotes_exact} of {checks.quotes_checked} quotes checked are exact"
        )
    imperfect = [(v.f1.value, v.name) for v in report.variables if v.f1.value is not None and v.f1.value < 1]
    if imperfect:
        lines.append("  lowest F1: " + ", ".join(f"{name} {100 * f1:.0f} %" for f1, name in sorted(imperfect)[:5]))
    return "\n".join(lines + [f"  note: {note}" for note in notes(report)])


def percent(figure: Estimate) -> str:
    """A proportion as "91.2 % [88.0 to 93.9]"; a dash when undefined."""
    if figure.value is None:
        return "–"
    interval = (
        "" if figure.low is None or figure.high is None else f" [{100 * figure.low:.1f} to {100 * figure.high:.1f}]"
    )
    return f"{100 * figure.value:.1f} %{interval}"


def notes(report: EvaluationReport) -> list[str]:
    """What the figures leave out, in words."""
    never = [v.name for v in report.variables if v.gold_filled == 0 and v.predicted_filled > 0]
    found: list[tuple[Sequence[str], str]] = [
        (report.records_only_gold, "in the manual table only, not measured: record"),
        (report.records_only_predicted, "in the predicted table only, not measured: record"),
        (report.variables_not_in_gold, "without a column in the manual table, not measured: variable"),
        (report.variables_not_predicted, "without a column in the predicted table, counted as empty: variable"),
        (never, "never filled in the manual table, so that every prediction counts as invented: variable"),
    ]
    return [f"{what}{'s' if len(names) > 1 else ''} {_some(names)}" for names, what in found if names]


def _some(names: Sequence[str], most: int = 10) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
