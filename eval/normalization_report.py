"""The figures of a normalization in words and as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from eval.normalization import Agreement, ErrorKind, Found, MentionError, NormalizationReport
from eval.tables import harmless, number, write_rows
from schema.report import Estimate

_METRICS = ("measure", "gold", "predicted", "correct", "precision", "recall", "f1", "f1_low", "f1_high")
_ERRORS = (
    *("document_id", "kind", "group", "tokens", "abbreviation"),
    *("gold", "gold_codes", "gold_text", "predicted", "predicted_codes", "predicted_text"),
)


def format_report(report: NormalizationReport) -> str:
    """The report for a terminal. It names groups and counts, never a word of a text."""
    lengths = ", ".join(_share(length, found) for length, found in report.by_length.items())
    lines = [
        f"{report.documents} documents, {report.codes.gold} annotations, {report.codes.predicted} predicted",
        "  exact             precision  recall     F1",
        _line("span", report.spans),
        _line("span + code", report.codes),
        *(_line(f"  {group or '(no group)'}", figures) for group, figures in report.groups.items()),
        "  annotations found with their code",
        f"    by tokens       {lengths or 'none'}",
        f"    of which        {_share('nested', report.nested)}, {_share('discontinuous', report.apart)}, "
        f"{_share('abbreviations', report.abbreviations)}",
    ]
    kinds = Counter(error.kind for error in report.errors)
    lines.append("  errors            " + ", ".join(f"{kind.value} {kinds[kind]}" for kind in ErrorKind))
    return "\n".join(lines)


def write_metrics(report: NormalizationReport, path: Path) -> None:
    """One line per measure, as CSV."""
    named = [("span", report.spans), ("span+code", report.codes)]
    named += [(f"span+code {group}".rstrip(), figures) for group, figures in report.groups.items()]
    write_rows(path, _METRICS, ((name, *_numbers(figures)) for name, figures in named))


def write_errors(report: NormalizationReport, path: Path) -> None:
    """One line per error, as CSV. It quotes the texts: keep it where they are kept."""
    write_rows(path, _ERRORS, map(_error, report.errors))


def _error(error: MentionError) -> Iterator[str]:
    spans = [span for span in (error.gold, error.predicted) if span is not None]
    yield harmless(spans[0].document_id)
    yield error.kind.value
    yield harmless(spans[0].group)
    yield str(spans[0].tokens)
    yield "1" if spans[0].is_abbreviation else "0"
    for span in (error.gold, error.predicted):
        if span is None:
            yield from ("", "", "")
        else:
            yield ";".join(f"{start}-{end}" for start, end in span.fragments)
            yield harmless("+".join(sorted(span.codes)))
            yield harmless(span.written)


def _line(name: str, figures: Agreement) -> str:
    interval = "" if figures.f1.low is None else f"  [{figures.f1.low:.3f} to {figures.f1.high:.3f}]"
    rest = f"({figures.correct} of {figures.gold} annotations, {figures.predicted} predicted)"
    values = f"{_decimal(figures.precision):<11}{_decimal(figures.recall):<11}{_decimal(figures.f1)}"
    return f"    {name:<16}{values}{interval}  {rest}"


def _decimal(figure: Estimate) -> str:
    return "–" if figure.value is None else f"{figure.value:.3f}"


def _share(name: str, found: Found) -> str:
    return f"{name} {found.correct}/{found.gold}"


def _numbers(figures: Agreement) -> Iterator[str]:
    yield from map(str, (figures.gold, figures.predicted, figures.correct))
    estimates = (figures.precision.value, figures.recall.value, figures.f1.value, figures.f1.low, figures.f1.high)
    yield from map(number, estimates)
