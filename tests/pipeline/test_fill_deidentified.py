"""`fill` on de-identified documents gives, with their key, the table of the original ones."""

import csv
import datetime as dt
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.deid.keys import PatientKey, Secret, write_key
from rag.deid.restore import restored
from rag.deidentify import DeidentifyRequest, deidentify
from rag.pipeline import FillRequest, Mode, fill
from schema.problem import InputError
from schema.value import Evidence, ExtractedValue, Status
from schema.variable import Variable, VariableKind

STUDY = Path(__file__).parents[2] / "configs" / "studies" / "stroke"
SECRETS = [bytes([number]) * 32 for number in (1, 2)]


def filled(documents: Path, out: Path, **others: object) -> list[dict[str, str]]:
    fill(FillRequest(documents, STUDY / "dictionary.csv", out, study=STUDY / "study.yml", **others))
    with (out / "table.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def same_cells(first: list[dict[str, str]], second: list[dict[str, str]]) -> float:
    cells = [(row[name], other[name]) for row, other in zip(first, second, strict=True) for name in row]
    return sum(one == two for one, two in cells) / len(cells)


def deidentified(documents: Path, folder: Path, secret: bytes) -> DeidentifyRequest:
    folder.mkdir()
    request = DeidentifyRequest(documents, folder / "notes.jsonl", folder / "spans.jsonl")
    write_key(request.key_file, Secret(secret), ())
    assert deidentify(request).failed == ()
    return request


@pytest.mark.parametrize("secret", SECRETS, ids=["one secret", "another"])
def test_the_sample_gives_the_same_table(tmp_path: Path, secret: bytes) -> None:
    documents = STUDY / "sample" / "documents.jsonl"
    expected = filled(documents, tmp_path / "original")
    request = deidentified(documents, tmp_path / "deid", secret)
    with_key = filled(request.out, tmp_path / "with", deid_key=request.key_file)
    assert same_cells(expected, with_key) >= 0.99
    for row, other in zip(expected, with_key, strict=True):
        assert row["date_admission"] == other["date_admission"]
    evidence = [*map(json.loads, (tmp_path / "with" / "evidence.jsonl").read_text("utf-8").splitlines())]
    texts = {row["document_id"]: row["text"] for row in map(json.loads, request.out.read_text("utf-8").splitlines())}
    assert all(
        e["quote"] == texts[e["document_id"]][e["start"] : e["end"]] for row in evidence for e in row["evidence"]
    )
    without = filled(request.out, tmp_path / "without")
    for row, other in zip(expected, without, strict=True):
        assert row["date_admission"] > other["date_admission"] > "1990"
        assert row["age"] == other["age"]


@pytest.mark.shared
@pytest.mark.parametrize("secret", SECRETS, ids=["one secret", "another"])
def test_the_shared_cohort_gives_the_same_table(tmp_path: Path, secret: bytes, shared_cohort: Path) -> None:
    documents = shared_cohort / "documents.jsonl"
    expected = filled(documents, tmp_path / "original")
    request = deidentified(documents, tmp_path / "deid", secret)
    assert same_cells(expected, filled(request.out, tmp_path / "with", deid_key=request.key_file)) >= 0.99


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "notes.jsonl"
    text = "CHU – Neurologie\nHospitalisation du 14/06/2021 au 25/06/2021.\nAVC ischémique. NIHSS 12 à l'entrée."
    rows = [{"patient_id": f"P{n}", "document_id": f"P{n}-1", "type": "CRH", "text": text} for n in (1, 2)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_patient_who_is_not_in_the_key_is_said(notes: Path, tmp_path: Path) -> None:
    key = tmp_path / "key.jsonl"
    write_key(key, Secret(SECRETS[0]), [PatientKey("P1", -70).to_json()])
    request = FillRequest(notes, STUDY / "dictionary.csv", tmp_path / "run", deid_key=key)
    problems = fill(request).problems
    (said,) = [problem for problem in problems if "not in the key" in problem.what]
    assert said.where == "patient 'P2'"
    with (tmp_path / "run" / "table.csv").open(encoding="utf-8", newline="") as stream:
        first, second = csv.DictReader(stream)
    assert (first["date_admission"], second["date_admission"]) == ("2021-08-23", "2021-06-14")


def test_another_key_does_not_resume_a_run(notes: Path, tmp_path: Path) -> None:
    for number in (1, 2):
        write_key(tmp_path / f"key{number}", Secret(SECRETS[0]), [PatientKey("P1", -70 * number).to_json()])
    dictionary = STUDY / "dictionary.csv"
    fill(FillRequest(notes, dictionary, tmp_path / "run", deid_key=tmp_path / "key1"))
    with pytest.raises(InputError, match="deid_key"):
        fill(FillRequest(notes, dictionary, tmp_path / "run", deid_key=tmp_path / "key2", mode=Mode.RESUME))


def test_a_file_that_is_no_key_is_refused(notes: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="de-identification key"):
        fill(FillRequest(notes, STUDY / "dictionary.csv", tmp_path / "run", deid_key=STUDY / "dictionary.csv"))
    assert not (tmp_path / "run").exists()


WEEKS = st.integers(-260, 260).map(lambda weeks: 7 * weeks)
MOMENTS = st.datetimes(dt.datetime(1950, 1, 1), dt.datetime(2050, 1, 1))


def found(value: object, kind: VariableKind, label: str = "Question", shift: int = 0) -> object:
    evidence = (Evidence("D", 0, 1, "x"),)
    read = ExtractedValue("P1", "v", Status.FOUND, value, evidence=evidence, candidates=(value,))  # type: ignore[arg-type]
    given = restored(Variable("v", label, kind), read, shift)
    assert given.evidence == evidence
    assert given.candidates == (given.value,)
    return given.value


@given(MOMENTS, WEEKS)
def test_dates_and_moments_come_back(moment: dt.datetime, shift: int) -> None:
    assert found(moment + dt.timedelta(days=shift), VariableKind.DATETIME, shift=shift) == moment
    assert found(moment.date() + dt.timedelta(days=shift), VariableKind.DATE, shift=shift) == moment.date()


def test_years_come_back_and_other_numbers_stay() -> None:
    assert found(2016, VariableKind.INTEGER, "Année du premier AVC", -7 * 60) == 2017
    assert found(2016, VariableKind.INTEGER, "Volume (mL)", -7 * 60) == 2016
    assert found(12, VariableKind.INTEGER, "Année de suivi", -7 * 60) == 12
    assert found(dt.time(10, 30), VariableKind.TIME, shift=-7 * 60) == dt.time(10, 30)
    assert found("1", VariableKind.YESNO, shift=-7 * 60) == "1"
