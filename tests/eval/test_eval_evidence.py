import json
from pathlib import Path

import pytest

from eval.align import Table, align
from eval.evidence import EvidenceRow, Quote, by_cell, read_evidence
from eval.grounding import check_evidence
from schema.problem import InputError
from schema.value import Status
from schema.variable import Variable, VariableKind

AGE = Variable("age", "Âge", VariableKind.INTEGER)
CITY = Variable("ville", "Ville", VariableKind.TEXT)
TEXTS = {("P1", "D1"): "Homme de 62 ans, né à Sète.", ("P2", "D2"): "Femme de 71 ans."}


def lookup(patient: str, document: str) -> str | None:
    return TEXTS.get((patient, document))


def row(patient: str, variable: str, *quotes: Quote, status: Status | None = Status.FOUND) -> EvidenceRow:
    return EvidenceRow(patient_id=patient, variable=variable, status=status, evidence=quotes)


def quote(document: str, text: str, start: int | None = None) -> Quote:
    end = None if start is None else start + len(text)
    return Quote(document_id=document, quote=text, start=start, end=end)


def test_good_lines_are_kept_and_bad_ones_reported_without_their_words(tmp_path: Path) -> None:
    path = tmp_path / "evidence.jsonl"
    good = {"patient_id": 7, "variable": "age", "value": "62", "status": "found", "confidence": 0.5, "evidence": []}
    lines = [
        json.dumps(good),
        "",
        '{"patient_id": "P1", "variable": secret',
        json.dumps({**good, "status": "secret"}),
        json.dumps({**good, "confidence": 1.5}),
        json.dumps({"variable": "age"}),
        "[1]",
        json.dumps({**good, "evidence": [{"document_id": "D1", "quote": "62 ans"}]}),
    ]
    path.write_text("\n".join(lines), encoding="utf-8-sig")

    file = read_evidence(path)

    assert [(found.patient_id, len(found.evidence)) for found in file.rows] == [("7", 0), ("7", 1)]
    assert [problem.where for problem in file.problems] == [f"evidence.jsonl, line {n}" for n in (3, 4, 5, 6, 7)]
    assert "not JSON" in file.problems[0].what
    assert "status" in file.problems[1].what
    assert "confidence" in file.problems[2].what
    assert "patient_id" in file.problems[3].what
    assert not any("secret" in str(problem) for problem in file.problems)


@pytest.mark.parametrize(("content", "what"), [(None, "cannot be read"), ("é".encode("latin-1"), "is not UTF-8")])
def test_an_evidence_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, what: str) -> None:
    path = tmp_path / "evidence.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=f"evidence.jsonl: {what}"):
        read_evidence(path)


def test_rows_of_one_cell_put_their_quotes_together() -> None:
    rows = by_cell([row("P1", "age", quote("D1", "a")), row("P1", "age", quote("D2", "b")), row("P2", "age")])

    assert [found.document_id for found in rows["P1", "age"].evidence] == ["D1", "D2"]
    assert rows["P2", "age"].evidence == ()


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (quote("D1", "62 ans", 9), None),
        (quote("D1", "62 ans", 8), "wrong_position"),
        (quote("D1", "63 ans", 9), "not_in_document"),
        (quote("D1", "62 ans", 9000), "wrong_position"),
        (quote("D1", "62 ans", -18), "wrong_position"),  # Python would count from the end
        (quote("D1", "62 ans"), "no_position"),
        (quote("D1", "", 3), "not_in_document"),
        (quote("D2", "71 ans", 9), "unknown_document"),  # another patient's
        (quote("D9", "62 ans", 9), "unknown_document"),
    ],
)
def test_a_quote_is_exact_or_says_why_not(given: Quote, kind: str | None) -> None:
    readings = by_cell([row("P1", "age", given)])
    cells = align([AGE], {"P1": {"age": 62}}, {"P1": {"age": 62}}, readings).cells

    checks = check_evidence(cells, readings, lookup)

    assert [violation.kind for violation in checks.violations] == ([kind] if kind else [])
    assert checks.quotes == 1
    assert checks.quotes_exact == (0 if kind else 1)
    assert checks.unknown_documents == (kind == "unknown_document")
    assert checks.quotes_checked == (kind != "unknown_document")


def test_filled_cells_owe_a_quote_and_a_status_that_fills() -> None:
    readings = by_cell([row("P1", "age", status=Status.FOUND), row("P2", "age", status=Status.NOT_MENTIONED)])
    table: Table = {"P1": {"age": 62, "ville": "Sète"}, "P2": {"age": 71, "ville": None}}

    checks = check_evidence(align([AGE, CITY], table, table, readings).cells, readings, lookup)

    assert (checks.filled_cells, checks.without_evidence) == (3, 3)
    assert [(v.patient_id, v.variable, v.kind) for v in checks.violations] == [
        ("P1", "age", "no_evidence"),
        ("P1", "ville", "no_evidence"),
        ("P2", "age", "no_evidence"),
        ("P2", "age", "filled_against_status"),
    ]


def test_right_cells_are_asked_for_the_document_of_the_manual_evidence() -> None:
    readings = by_cell(
        [
            row("P1", "age", quote("D1", "62 ans", 9)),
            row("P2", "age", quote("D2", "71 ans", 9)),
            row("P1", "ville", quote("D1", "Sète", 22)),
        ]
    )
    manual = by_cell(
        [
            row("P1", "age", quote("D5", "62 ans"), quote("D1", "62 ans")),
            row("P2", "age", quote("D7", "71 ans")),
            row("P1", "ville", quote("D1", "Sète")),
        ]
    )
    predictions: Table = {"P1": {"age": 62, "ville": "Agde"}, "P2": {"age": 71, "ville": None}}
    gold: Table = {"P1": {"age": 62, "ville": "Sète"}, "P2": {"age": 71, "ville": None}}

    checks = check_evidence(align([AGE, CITY], predictions, gold, readings).cells, readings, lookup, manual)

    # Agde is wrong and not counted; of the two right ages one cites a document that the manual evidence names.
    assert (checks.correct_with_gold_evidence, checks.same_document) == (2, 1)


def test_without_documents_quotes_are_counted_and_not_judged() -> None:
    readings = by_cell([row("P1", "age", quote("D9", "nowhere", 3))])
    cells = align([AGE], {"P1": {"age": 62}}, {"P1": {"age": 62}}, readings).cells

    checks = check_evidence(cells, readings)

    assert (checks.quotes, checks.quotes_checked, checks.quotes_exact, checks.violations) == (1, 0, 0, ())


@pytest.mark.shared
def test_the_manual_evidence_of_the_shared_cohort_reads_whole(shared_cohort: Path) -> None:
    path = shared_cohort / "evidence.jsonl"
    file = read_evidence(path)
    assert len(file.rows) == len(path.read_text(encoding="utf-8").splitlines())
    assert file.problems == ()
