"""The figures of retrieval in words, as a page in Markdown and as tables that a spreadsheet opens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from eval.retrieval import FIGURES, LEVELS, SHOWN, TIMED, Difference, Row, Scores, difference_rows, figure_rows
from eval.tables import harmless, number, write_rows
from schema.report import Estimate

#: Columns of the tables of methods: level and figure.
_COLUMNS = (
    *(("passage", name) for name in ("recall@1", "recall@3", "recall@5", "recall@10", "hit@3", "MRR", "nDCG@10")),
    *(("document", name) for name in ("recall@1", "recall@2", "hit@2", "recall@3", "MRR", "nDCG@10")),
)
#: The figure of the short tables.
MAIN = ("passage", "recall@3")
#: Columns of the table for a terminal, and those of them that come with their interval.
_SHORT = (
    *(("passage", name) for name in ("recall@1", "recall@3", "recall@10", "hit@3", "MRR", "nDCG@10")),
    *(("document", name) for name in ("recall@2", "hit@2")),
)
_WITH_INTERVAL = (MAIN, ("document", "recall@2"))
#: Those that methods are compared by.
_COMPARED = (MAIN, ("passage", "recall@10"), ("passage", "MRR"), ("document", "recall@2"))


@dataclass(frozen=True, slots=True)
class RetrievalReport:
    """What was measured, ready to be read.

    Args:
        corpus: what was asked about, in words.
        reference: the method that each other one is taken from in ``differences``.
        ablations: methods that are the temporal one without one of its parts.
        remarks: what the figures leave out.
        seconds_per_question: by method.
    """

    corpus: str
    reference: str
    ablations: tuple[str, ...]
    remarks: tuple[str, ...]
    seconds_per_question: Mapping[str, float]
    rows: tuple[Row, ...]
    differences: tuple[Difference, ...]

    @property
    def methods(self) -> tuple[str, ...]:
        """In the order in which they were asked for."""
        return tuple(dict.fromkeys(row.method for row in self.rows))


def report_on(
    scores: Scores, corpus: str, ablations: Iterable[str] = (), remarks: Iterable[str] = ()
) -> RetrievalReport:
    """Work out every figure. The first method is compared with each other one."""
    reference = next(iter(scores.figures))
    return RetrievalReport(
        corpus=corpus,
        reference=reference,
        ablations=tuple(name for name in ablations if name in scores.figures),
        remarks=tuple(remarks),
        seconds_per_question={name: spent / len(scores.queries) for name, spent in scores.seconds.items()},
        rows=tuple(figure_rows(scores)),
        differences=tuple(difference_rows(scores, reference)),
    )


def write_report(report: RetrievalReport, scores: Scores, out: Path) -> None:
    """Write ``report.md``, ``report.json``, ``figures.csv``, ``differences.csv`` and ``questions.csv`` under ``out``.

    None of them holds a word of a document.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.md").write_text("\n".join(_page(report)) + "\n", encoding="utf-8")
    (out / "report.json").write_bytes(TypeAdapter(RetrievalReport).dump_json(report, indent=1))
    write_rows(out / "figures.csv", _FIGURE_COLUMNS, map(_figure_row, report.rows))
    write_rows(out / "differences.csv", _DIFFERENCE_COLUMNS, map(_difference_row, report.differences))
    write_rows(out / "questions.csv", _QUESTION_COLUMNS, _question_rows(scores))


def format_summary(report: RetrievalReport) -> str:
    """The figures in a few lines for a terminal."""
    blocks = [[report.corpus], _short_table(report), _kinds_table(report), _differences_table(report)]
    remarks = [f"  note: {remark}" for remark in report.remarks]
    return "\n".join("\n".join(block) + "\n" for block in [*blocks, remarks] if block).rstrip()


def _short_table(report: RetrievalReport) -> list[str]:
    found = _lookup(report.rows)
    heads = [name if level == "passage" else f"{level} {name}" for level, name in _SHORT]
    rows = [
        [
            method,
            *(_figure(found["all", "", method, *c].estimate, interval=c in _WITH_INTERVAL) for c in _SHORT),
            _milliseconds(report, method),
        ]
        for method in report.methods
    ]
    return _aligned([["method", *heads, "ms/question"], *rows])


def _kinds_table(report: RetrievalReport) -> list[str]:
    sizes = {row.group: row.questions for row in report.rows if row.by == "kind"}
    if len(sizes) < 2:
        return []
    found = _lookup(report.rows)
    rows = [
        [method, *(_figure(found["kind", kind, method, *MAIN].estimate) for kind in sizes)] for method in report.methods
    ]
    return _aligned([[" ".join(MAIN), *(f"{kind} ({size})" for kind, size in sizes.items())], *rows])


def _differences_table(report: RetrievalReport) -> list[str]:
    cells = {
        (row.group, row.less): f"{_signed(row.estimate)} p {_p(row.p_value)}"
        for row in report.differences
        if (row.level, row.figure) == MAIN and row.group in ("", TIMED)
    }
    groups = list(dict.fromkeys(group for group, _ in cells))
    rows = [[less, *(cells[group, less] for group in groups)] for less in dict.fromkeys(less for _, less in cells)]
    heads = [f"{report.reference} less", *(group or f"{' '.join(MAIN)}, all" for group in groups)]
    return _aligned([heads, *rows]) if rows else []


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    wides = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  " + "  ".join(f"{cell:<{wide}}" for cell, wide in zip(row, wides, strict=True)).rstrip() for row in rows]


def _page(report: RetrievalReport) -> Iterator[str]:
    found = _lookup(report.rows)
    yield from ("# Retrieval", "", f"{report.corpus}.", "")
    yield from (f"- {remark}" for remark in report.remarks)
    yield from ("", "In brackets, 95 % intervals by resampling patients.", "")
    yield from ("## Methods", "")
    heads = [f"{level} {name}" for level, name in _COLUMNS]
    yield from _table(
        ["method", *heads, "ms per question"],
        (
            [method, *(_figure(found["all", "", method, *c].estimate) for c in _COLUMNS), _milliseconds(report, method)]
            for method in report.methods
        ),
    )
    yield from ("", "![Recall against k](recall.png)", "")
    yield from (f"## {report.reference}, less each other method", "")
    yield "Question by question; p: changes of sign by patient, two-sided, not corrected for the number of tests."
    for by, title in (("all", "All questions"), ("kind", "By kind of question")):
        yield from ("", f"### {title}", "")
        yield from _table(
            ["kind", "questions", "less", *(f"{level} {name}" for level, name in _COMPARED)], _compared(report, by)
        )
    for by, title in (("kind", "By kind of question"), ("variable", "By variable")):
        yield from ("", f"## {title}: {' '.join(MAIN)}", "")
        yield from _by_group(report, by)
    if report.ablations:
        yield from ("", "## Ablations", "", "![Ablations](ablations.png)")
    yield from ("", "## A timeline", "", "![Best passage of each document](timeline.png)")


def _compared(report: RetrievalReport, by: str) -> Iterator[list[str]]:
    cells = {(row.group, row.less, row.level, row.figure): row for row in report.differences if row.by == by}
    for group, less in dict.fromkeys((group, less) for group, less, _, _ in cells):
        rows = [cells[group, less, *figure] for figure in _COMPARED]
        shown = [f"{_signed(row.estimate)}, p {_p(row.p_value)}" for row in rows]
        yield [group or "all", str(rows[0].questions), less, *shown]


def _by_group(report: RetrievalReport, by: str) -> Iterator[str]:
    rows = [row for row in report.rows if row.by == by and (row.level, row.figure) == MAIN]
    cells = {(row.group, row.method): row for row in rows}
    groups = dict.fromkeys(row.group for row in rows)
    yield from _table(
        [by, "questions", *report.methods],
        (
            [
                group,
                str(cells[group, report.reference].questions),
                *(_figure(cells[group, method].estimate) for method in report.methods),
            ]
            for group in groups
        ),
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for cells in (heads, ["---"] * len(heads), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _lookup(rows: Iterable[Row]) -> dict[tuple[str, str, str, str, str], Row]:
    return {(row.by, row.group, row.method, row.level, row.figure): row for row in rows}


def _figure(figure: Estimate, interval: bool = True) -> str:
    if figure.value is None:
        return "–"
    if not interval or figure.low is None or figure.high is None:
        return f"{figure.value:.3f}"
    return f"{figure.value:.3f} [{figure.low:.2f}–{figure.high:.2f}]"


def _signed(figure: Estimate) -> str:
    interval = "" if figure.low is None or figure.high is None else f" [{figure.low:+.3f} to {figure.high:+.3f}]"
    return "–" if figure.value is None else f"{figure.value:+.3f}{interval}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def _milliseconds(report: RetrievalReport, method: str) -> str:
    seconds = report.seconds_per_question.get(method)
    return "" if seconds is None else f"{1000 * seconds:.1f}"


_FIGURE_COLUMNS = (
    *("by", "group", "questions", "patients", "method", "level", "figure"),
    *("value", "low", "high"),
)


def _figure_row(row: Row) -> list[str]:
    named = [row.by, row.group, str(row.questions), str(row.patients), row.method, row.level, row.figure]
    return [*map(harmless, named), *_bounds(row.estimate)]


_DIFFERENCE_COLUMNS = (
    *("by", "group", "questions", "patients", "method", "less", "level", "figure"),
    *("value", "low", "high", "p_value"),
)


def _difference_row(row: Difference) -> list[str]:
    named = [row.by, row.group, str(row.questions), str(row.patients), row.method, row.less, row.level, row.figure]
    return [*map(harmless, named), *_bounds(row.estimate), number(row.p_value)]


def _bounds(figure: Estimate) -> tuple[str, str, str]:
    return number(figure.value), number(figure.low), number(figure.high)


_QUESTION_COLUMNS = (
    *("patient", "variable", "kind", "quotes", "documents", "method"),
    *(f"{level} {name}" for level in LEVELS for name in SHOWN),
)


def _question_rows(scores: Scores) -> Iterator[list[str]]:
    """One row per question and method: the unit that other statistics start from."""
    columns = [FIGURES.index(name) for name in SHOWN]
    for i, query in enumerate(scores.queries):
        documents = len({quote.document_id for quote in query.quotes})
        named = [query.patient_id, query.variable, query.kind, str(len(query.quotes)), str(documents)]
        for method, figures in scores.figures.items():
            yield [*map(harmless, [*named, method]), *map(number, figures[i][:, columns].ravel())]
