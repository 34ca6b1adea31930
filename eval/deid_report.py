"""The figures of a de-identification as files: a page that shows every leak in its sentence, and tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from eval.deid import AnnotatedDocument, DeidFigures, LabelFigures, ScoredDocument, Total
from eval.pages import page_templates
from eval.summary import percent
from eval.tables import harmless, number, write_rows
from schema.report import Estimate

#: Rows of one table shown on the page; the CSV files have them all.
SHOWN = 300
_CONTEXT = 60  # characters on each side

_AGREEMENTS = ("exact", "relaxed", "tokens")
_FIGURES = ("precision", "recall", "f1")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that went wrong, in its sentence.

    Args:
        kind: "leak (whole)", "leak (part)", "false alarm" or "medical term masked".
        label: of the span; "" for a medical term.
        words: (text, hidden) pieces of the span: what the predicted spans hide, and what stays readable.
    """

    kind: str
    patient_id: str
    document_id: str
    label: str
    start: int
    end: int
    before: str
    words: tuple[tuple[str, bool], ...]
    after: str


def write_report(
    figures: DeidFigures, scored: Sequence[ScoredDocument], out: Path, remarks: Sequence[str] = ()
) -> None:
    """Write ``report.html``, ``metrics.csv``, ``documents.csv`` and ``errors.csv`` under ``out``, made when absent.

    The page and ``errors.csv`` quote patients' documents where they are most identifying: only their owner may read
    them.

    Args:
        remarks: what the figures leave out, for the reader of the page.
    """
    out.mkdir(parents=True, exist_ok=True)
    found = [finding for row in scored for finding in _findings(row)]
    ranked = sorted(scored, key=lambda row: (-len(row.leaks), -len(row.false_alarms), *_names(row.document)))
    page = (
        page_templates()
        .get_template("deid_report.html.j2")
        .render(
            figures=figures,
            remarks=remarks,
            leaks=_by_label(f for f in found if f.kind.startswith("leak")),
            alarms=_by_label(f for f in found if f.kind == "false alarm"),
            terms=[f for f in found if f.kind == "medical term masked"],
            documents=[_document_row(row) for row in ranked],
            shown=SHOWN,
        )
    )
    _private(out / "report.html").write_text(page, encoding="utf-8")
    write_rows(out / "metrics.csv", *_metrics(figures))
    write_rows(
        out / "documents.csv", _DOCUMENT_COLUMNS, [[harmless(str(v)) for v in _document_row(row)] for row in ranked]
    )
    write_rows(_private(out / "errors.csv"), _ERROR_COLUMNS, map(_error_row, found))


def format_summary(figures: DeidFigures) -> str:
    """The figures in a few lines for a terminal, without a word of a document."""
    overall = figures.overall
    lines = [
        f"{figures.documents} documents of {figures.patients} patients, {overall.gold} identifying spans by hand, "
        f"{overall.predicted} predicted",
        f"  redaction recall    {percent(figures.recall_characters)} of characters, "
        f"{percent(figures.recall_tokens)} of tokens",
        f"  redaction precision {percent(figures.precision_characters)} of characters",
        f"  without a leak      {percent(figures.documents_without_leak)} of documents, "
        f"{percent(figures.patients_without_leak)} of patients",
        f"  leaks               {figures.whole_leaks} whole, {figures.partial_leaks} in part; "
        f"{figures.false_alarms} false alarms",
        f"  spans, exact        F1 {percent(overall.exact.f1)}   precision {percent(overall.exact.precision)}   "
        f"recall {percent(overall.exact.recall)}",
        f"  spans, relaxed      F1 {percent(overall.relaxed.f1)}",
        f"  tokens              F1 {percent(overall.tokens.f1)}",
        f"  medical terms       {figures.masked_terms} masked without need "
        f"({_decimals(figures.terms_per_1000_words)} per 1,000 words)",
        "  label             by hand  predicted  F1 exact  F1 tokens  hidden",
    ]
    lines += [
        f"  {row.label:<16} {row.gold:>8} {row.predicted:>10}"
        f"{_short(row.exact.f1):>10}{_short(row.tokens.f1):>11}{_short(row.hidden):>8}"
        for row in figures.labels
        if row.gold or row.predicted
    ]
    if figures.ignored:
        lines.append(f"  left out: {', '.join(figures.ignored)}")
    return "\n".join(lines)


def _findings(row: ScoredDocument) -> Iterator[Finding]:
    """By kind, then by position."""
    for leak in row.leaks:
        kind = "leak (whole)" if leak.whole else "leak (part)"
        yield _finding(row.document, kind, leak.entity.label.value, leak.entity.start, leak.entity.end)
    for entity in row.false_alarms:
        yield _finding(row.document, "false alarm", entity.label.value, entity.start, entity.end)
    for start, end in row.masked_terms:
        yield _finding(row.document, "medical term masked", "", start, end)


def _finding(document: AnnotatedDocument, kind: str, label: str, start: int, end: int) -> Finding:
    text = document.text
    return Finding(
        kind=kind,
        patient_id=document.patient_id,
        document_id=document.document_id,
        label=label,
        start=start,
        end=end,
        before=("…" if start > _CONTEXT else "") + text[max(0, start - _CONTEXT) : start],
        words=tuple(_pieces(document, start, end)),
        after=text[end : end + _CONTEXT] + ("…" if end + _CONTEXT < len(text) else ""),
    )


def _pieces(document: AnnotatedDocument, start: int, end: int) -> Iterator[tuple[str, bool]]:
    """The text from ``start`` to ``end``, cut where masking begins or stops."""
    edges = {start, end}
    for entity in document.predicted:
        edges.update(edge for edge in (entity.start, entity.end) if start < edge < end)
    ordered = sorted(edges)
    for left, right in pairwise(ordered):
        hidden = any(entity.start <= left and right <= entity.end for entity in document.predicted)
        yield document.text[left:right], hidden


def _by_label(findings: Iterable[Finding]) -> list[tuple[str, list[Finding]]]:
    """Labels with the most findings first."""
    listed = list(findings)
    counts = Counter(finding.label for finding in listed)
    return [(label, [f for f in listed if f.label == label]) for label, _ in counts.most_common()]


def _names(document: AnnotatedDocument) -> tuple[str, str]:
    return document.patient_id, document.document_id


_DOCUMENT_COLUMNS = (
    "patient",
    "document",
    "leaks_whole",
    "leaks_in_part",
    "spans_by_hand",
    "characters_hidden",
    "characters",
    "false_alarms",
    "medical_terms_masked",
    "words",
)


def _document_row(row: ScoredDocument) -> tuple[str | int, ...]:
    """In the order of ``_DOCUMENT_COLUMNS``."""
    whole = {total: int(row.whole[total]) for total in Total}
    return (
        *_names(row.document),
        whole[Total.WHOLE_LEAKS],
        whole[Total.PARTIAL_LEAKS],
        len(row.document.gold),
        whole[Total.HIDDEN_CHARACTERS],
        whole[Total.CHARACTERS],
        len(row.false_alarms),
        whole[Total.MASKED_TERMS],
        whole[Total.WORDS],
    )


_ERROR_COLUMNS = ("kind", "patient", "document", "label", "start", "end", "before", "words", "readable", "after")


def _error_row(finding: Finding) -> list[str]:
    """In the order of ``_ERROR_COLUMNS``."""
    words = "".join(text for text, _ in finding.words)
    readable = "".join(text for text, hidden in finding.words if not hidden)
    cells = [finding.kind, finding.patient_id, finding.document_id, finding.label, finding.start, finding.end]
    return [harmless(str(cell)) for cell in (*cells, finding.before, words, readable, finding.after)]


def _metrics(figures: DeidFigures) -> tuple[list[str], list[list[str]]]:
    """Heading and rows: one per label, "(all)" first, then one per figure of the whole corpus."""
    header = ["figure", "by_hand", "predicted", "value", "low", "high"]
    rows: list[list[str]] = []
    for row in (figures.overall, *figures.labels):
        for name, figure in _label_estimates(row):
            rows.append([f"{row.label} {name}", str(row.gold), str(row.predicted), *_bounds(figure)])
    corpus = {
        "redaction recall, characters": figures.recall_characters,
        "redaction recall, tokens": figures.recall_tokens,
        "redaction precision, characters": figures.precision_characters,
        "documents without a leak": figures.documents_without_leak,
        "patients without a leak": figures.patients_without_leak,
        "medical terms masked per 1,000 words": figures.terms_per_1000_words,
    }
    rows += [[name, "", "", *_bounds(figure)] for name, figure in corpus.items()]
    return header, rows


def _label_estimates(row: LabelFigures) -> Iterator[tuple[str, Estimate]]:
    for agreement in _AGREEMENTS:
        for figure in _FIGURES:
            yield f"{agreement} {figure}", getattr(getattr(row, agreement), figure)
    yield "hidden, characters", row.hidden


def _bounds(figure: Estimate) -> tuple[str, str, str]:
    return number(figure.value), number(figure.low), number(figure.high)


def _decimals(figure: Estimate) -> str:
    return "–" if figure.value is None else f"{figure.value:.2f}"


def _short(figure: Estimate) -> str:
    return "–" if figure.value is None else f"{100 * figure.value:.1f}"


def _private(path: Path) -> Path:
    """Made readable by its owner alone before anything is written in it."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    return path
