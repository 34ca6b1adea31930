"""Main path of an evaluation: two tables -> cells -> figures and disagreements -> four files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from eval.align import Table, align
from eval.errors import ErrorKind, find_errors
from eval.evidence import EvidenceRow, by_cell
from eval.grounding import TextLookup, check_evidence
from eval.measure import REPLICATES, calibration, measure, status_rows
from eval.report import write_html
from eval.summary import format_summary
from eval.tables import write_errors, write_metrics
from schema.report import EvaluationReport
from schema.variable import Variable

__all__ = ["evaluate", "format_summary"]


def evaluate(
    variables: Sequence[Variable],
    predictions: Table,
    gold: Table,
    out: Path,
    evidence: Iterable[EvidenceRow] | None = None,
    documents: TextLookup | None = None,
    gold_evidence: Iterable[EvidenceRow] | None = None,
    seed: int = 0,
) -> EvaluationReport:
    """Measure a predicted table against a manual one and write the result under ``out``, made when absent.

    Writes ``metrics.json`` (the report returned), ``metrics.csv`` (one row per variable), ``errors.csv`` (one row per
    disagreement, with the quotes) and ``report.html`` (all of it, for a reader). The last two hold patients' words.

    Args:
        predictions, gold: typed values by variable name, by record.
        evidence: rows of the run's evidence file: statuses, confidences and quotes.
        documents: source text of a (patient, document); without it quotes are counted but not checked.
        gold_evidence: rows of the manual evidence file, where there is one.

    Raises:
        InputError: the tables have no record or no variable in common.
    """
    readings = by_cell(evidence) if evidence is not None else {}
    gold_readings = by_cell(gold_evidence or ())
    alignment = align(variables, predictions, gold, readings)
    errors = find_errors(alignment.cells, gold_readings)
    kinds = Counter(error.kind for error in errors)
    figures = measure(alignment, seed)
    report = EvaluationReport(
        records=len(alignment.records),
        overall=figures.overall,
        macro_f1=figures.macro_f1,
        variables=figures.variables,
        disagreements={kind.value: kinds[kind] for kind in ErrorKind},
        statuses=status_rows(alignment.cells),
        calibration=calibration(alignment.cells),
        evidence=check_evidence(alignment.cells, readings, documents, gold_readings) if evidence is not None else None,
        variables_not_in_gold=alignment.variables_not_in_gold,
        variables_not_predicted=alignment.variables_not_predicted,
        records_only_predicted=alignment.records_only_predicted,
        records_only_gold=alignment.records_only_gold,
        replicates=REPLICATES,
        seed=seed,
    )
    out.mkdir(parents=True, exist_ok=True)
    (out / "metrics.json").write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    write_metrics(report, out / "metrics.csv")
    write_errors(errors, out / "errors.csv")
    write_html(report, errors, out / "report.html")
    return report
