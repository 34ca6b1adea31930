"""The promises of the README: agreement with manual tables, and quotes that are where they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval.evidence import read_evidence
from eval.run import evaluate
from rag.corpus.read import read_documents
from rag.pipeline import FillRequest, fill
from rag.redcap.dictionary import read_dictionary
from rag.redcap.export import read_table
from schema.report import EvaluationReport

STROKE = Path(__file__).parents[1] / "configs" / "studies" / "stroke"


def measured(cohort: Path, out: Path, study: Path | None) -> EvaluationReport:
    """Fill a cohort and compare it with its manual table."""
    documents = cohort / "documents.jsonl"
    fill(FillRequest(documents, STROKE / "dictionary.csv", out / "run", study))
    dictionary = read_dictionary(STROKE / "dictionary.csv")
    predicted, _ = read_table(out / "run" / "table.csv", dictionary)
    gold, _ = read_table(cohort / "table.csv", dictionary)
    texts = {(raw.patient_id, raw.document_id): raw.text for raw in read_documents(documents, lambda _: None)}
    return evaluate(
        dictionary.variables,
        predicted,
        gold,
        out / "report",
        evidence=read_evidence(out / "run" / "evidence.jsonl").rows,
        documents=lambda patient, document: texts.get((patient, document)),
        gold_evidence=read_evidence(cohort / "evidence.jsonl").rows,
    )


def check(report: EvaluationReport, precision: float, f1: float) -> None:
    assert report.overall.precision.value is not None
    assert report.overall.precision.value >= precision
    assert report.overall.f1.value is not None
    assert report.overall.f1.value >= f1
    assert report.evidence is not None
    assert report.evidence.quotes_exact == report.evidence.quotes_checked > 0
    assert report.evidence.without_evidence == 0


def test_the_sample_cohort_is_filled_as_by_hand(tmp_path: Path) -> None:
    check(measured(STROKE / "sample", tmp_path, STROKE / "study.yml"), precision=0.97, f1=0.95)


def test_without_its_study_file_the_dictionary_alone_does(tmp_path: Path) -> None:
    check(measured(STROKE / "sample", tmp_path, None), precision=0.93, f1=0.88)


@pytest.mark.shared
def test_the_shared_cohort_is_filled_as_by_hand(shared_cohort: Path, tmp_path: Path) -> None:
    report = measured(shared_cohort, tmp_path, STROKE / "study.yml")
    check(report, precision=0.95, f1=0.93)
    assert report.evidence is not None
    assert report.evidence.same_document >= 0.95 * report.evidence.correct_with_gold_evidence
