import csv
import json
from dataclasses import replace
from pathlib import Path

import openpyxl
import pyarrow.parquet
import pytest

from rag.pipeline import FillRequest, Mode, fill
from rag.store import RunStore
from schema.problem import InputError
from schema.run import RunManifest
from tests.pipeline.conftest import Study
from tests.pipeline.synthetic import LineGenerator, plain_cohort

DETERMINISTIC = ("table.csv", "evidence.jsonl", "problems.csv")


def table(out: Path) -> list[dict[str, str]]:
    with (out / "table.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def evidence(out: Path) -> dict[tuple[str, str], dict[str, object]]:
    lines = [json.loads(line) for line in (out / "evidence.jsonl").read_text(encoding="utf-8").splitlines()]
    return {(line["patient_id"], line["variable"]): line for line in lines}


def exported(out: Path) -> list[bytes]:
    return [(out / name).read_bytes() for name in DETERMINISTIC]


def refusal(request: FillRequest) -> str:
    with pytest.raises(InputError) as caught:
        fill(request, LineGenerator)
    return str(caught.value)


def test_a_patient_spread_over_the_source_gives_one_row_with_every_value(study: Study) -> None:
    fill(study.request(plain_cohort(3)), LineGenerator)
    assert table(study.out)[1] == {
        "record_id": "P001", "poids": "51", "sexe": "2", "entree": "2024-02-02", "fume": "1", "paquets": "12.5",
        "signes___1": "1", "signes___2": "0", "remarque": "",
    }  # fmt: skip
    assert [row["record_id"] for row in table(study.out)] == ["P000", "P001", "P002"]


def test_patients_keep_the_order_in_which_the_documents_name_them(study: Study) -> None:
    fill(study.request([("z", "a"), ("a", "b"), ("z", "c"), ("m", "d")]), LineGenerator)
    assert [row["record_id"] for row in table(study.out)] == ["z", "a", "m"]


def test_every_cell_has_a_line_of_evidence_and_every_quote_is_the_documents_text(study: Study) -> None:
    request = study.request(plain_cohort(4))
    fill(request, LineGenerator)
    texts = {row["document_id"]: row["text"] for row in map(json.loads, request.documents.open(encoding="utf-8"))}
    lines = evidence(study.out)
    assert len(lines) == 4 * 7
    quotes = [quote for line in lines.values() for quote in line["evidence"]]
    assert len(quotes) > 4
    assert all(texts[quote["document_id"]][quote["start"] : quote["end"]] == quote["quote"] for quote in quotes)
    keys = {"patient_id", "variable", "value", "status", "confidence", "candidates", "codes", "evidence"}
    assert set(lines["P001", "poids"]) == keys
    assert lines["P001", "poids"]["value"] == "51"
    assert lines["P001", "signes"]["value"] == ["1"]
    assert lines["P001", "remarque"] == {
        "patient_id": "P001", "variable": "remarque", "value": None, "status": "not_mentioned", "confidence": 0.0,
        "candidates": [],
        "codes": {}, "evidence": [],
    }  # fmt: skip


def test_a_value_that_the_dictionary_forbids_is_invalid_and_kept_aside(study: Study) -> None:
    fill(study.request([("P", "poids : 712\nsexe : 1")]), LineGenerator)
    assert table(study.out)[0]["poids"] == ""
    assert evidence(study.out)["P", "poids"]["status"] == "invalid"
    with RunStore(study.out) as store:
        store.latest()
        result = store.result(0)
    assert result.values[0].candidates == ("712",)


def test_a_quote_that_is_not_in_the_document_is_never_shown_nor_its_value_kept(study: Study) -> None:
    fill(study.request([("P", "menteur\npoids : 71"), ("Q", "poids : 72")]), LineGenerator)
    assert [row["poids"] for row in table(study.out)] == ["", "72"]
    assert evidence(study.out)["P", "poids"]["status"] == "invalid"
    assert evidence(study.out)["P", "poids"]["evidence"] == []


def test_branching_logic_empties_the_cells_it_closes(study: Study) -> None:
    fill(study.request([("non", "fume : 0\npaquets : 12"), ("oui", "fume : 1\npaquets : 12")]), LineGenerator)
    assert [row["paquets"] for row in table(study.out)] == ["", "12.0"]
    assert evidence(study.out)["non", "paquets"]["status"] == "not_applicable"
    assert evidence(study.out)["non", "paquets"]["value"] is None


@pytest.mark.parametrize("workers", [2, 3])
def test_several_workers_write_the_same_files_as_one(study: Study, workers: int) -> None:
    cohort = plain_cohort(60)
    fill(study.request(cohort), LineGenerator)
    alone = exported(study.out)
    fill(study.request(cohort, Mode.FRESH, workers=workers), LineGenerator)
    assert exported(study.out) == alone


@pytest.mark.parametrize("workers", [1, 2])
def test_a_patient_on_whom_the_program_breaks_is_said_and_the_others_are_filled(study: Study, workers: int) -> None:
    texts = [*plain_cohort(20), ("secret", "casse le nom de Mme Untel")]
    report = fill(study.request(texts, workers=workers), LineGenerator)
    assert [problem.where for problem in report.failed] == ["patient 'secret'"]
    assert "RuntimeError" in report.failed[0].what
    assert "Untel" not in (study.out / "problems.csv").read_text(encoding="utf-8-sig")
    assert table(study.out)[-1] == dict.fromkeys(table(study.out)[0], "") | {"record_id": "secret"}
    assert {line["status"] for key, line in evidence(study.out).items() if key[0] == "secret"} == {"failed"}
    assert table(study.out)[7]["poids"] == "57"
    assert report.manifest.failed_patients == 1
    assert report.manifest.cells["failed"] == 7


def test_a_worker_that_dies_costs_its_patient_alone(study: Study) -> None:
    texts = plain_cohort(40)
    texts[11] = ("P011", "tue")
    texts[30] = ("P030", "tue")
    report = fill(study.request(texts, workers=2), LineGenerator)
    assert [problem.where for problem in report.failed] == ["patient 'P011'", "patient 'P030'"]
    weights = {row["record_id"]: row["poids"] for row in table(study.out)}
    assert len(weights) == 40
    assert [patient for patient, weight in weights.items() if not weight] == ["P011", "P030"]


def test_resume_tries_the_failed_patients_again_and_nobody_else(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [("A", "poids : 60"), ("B", "casse\npoids : 61"), ("C", "poids : 62")]
    assert fill(study.request(texts), LineGenerator).failed
    read: list[str] = []

    class Mended(LineGenerator):
        def fill(self, record, passages=None):  # type: ignore[no-untyped-def]
            read.append(record.patient_id)
            return [self._read(record, variable) for variable in self._variables]

    report = fill(study.request(texts, Mode.RESUME), Mended)
    assert read == ["B"]
    assert not report.failed
    assert [row["poids"] for row in table(study.out)] == ["60", "61", "62"]
    assert (study.out / "problems.csv").read_text(encoding="utf-8-sig").splitlines() == ["where,what,remedy,lost"]


def test_a_finished_run_is_not_touched_without_being_asked(study: Study) -> None:
    request = study.request(plain_cohort(2))
    fill(request, LineGenerator)
    before = exported(study.out)
    message = refusal(request)
    assert "finished run" in message
    assert "--resume" in message
    assert "--fresh" in message
    assert exported(study.out) == before


def test_resuming_a_finished_run_writes_its_exports_again(study: Study) -> None:
    cohort = plain_cohort(5)
    fill(study.request(cohort), LineGenerator)
    before = exported(study.out)
    (study.out / "table.csv").unlink()
    fill(study.request(cohort, Mode.RESUME), LineGenerator)
    assert exported(study.out) == before


def test_resume_refuses_other_inputs_and_says_which(study: Study) -> None:
    fill(study.request([("A", "casse")]), LineGenerator)
    assert "documents" in refusal(study.request([("A", "autre")], Mode.RESUME))
    request = study.request([("A", "casse")], Mode.RESUME)
    request.dictionary.write_text(request.dictionary.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert "changed since it was started: dictionary" in refusal(request)


def test_fresh_starts_again_and_keeps_the_results_of_the_earlier_run_in_the_store(study: Study) -> None:
    first = fill(study.request([("A", "poids : 60")]), LineGenerator).manifest
    second = fill(study.request([("A", "poids : 61")], Mode.FRESH), LineGenerator).manifest
    assert first.run_id != second.run_id
    assert table(study.out)[0]["poids"] == "61"
    with RunStore(study.out) as store:
        store.latest()
        store.number -= 1
        assert store.result(0).values[0].value == 60


def test_no_copy_of_the_documents_stays_once_the_run_is_finished(study: Study) -> None:
    texts = [("A", "un secret dans une phrase\npoids : 60"), ("B", "casse")]
    fill(study.request(texts), LineGenerator)
    spool = study.out / ".work" / "spool.sqlite"
    assert spool.stat().st_mode & 0o077 == 0
    fill(study.request([texts[0]], Mode.FRESH), LineGenerator)
    assert not spool.parent.exists()
    assert not any(b"secret dans" in path.read_bytes() for path in study.out.rglob("*"))


def test_two_fills_never_write_in_one_folder(study: Study) -> None:
    request = study.request(plain_cohort(2))
    with RunStore(study.out):
        assert "another fill is writing here" in refusal(request)
    fill(request, LineGenerator)


def test_a_folder_that_holds_something_else_is_refused(study: Study) -> None:
    study.out.mkdir()
    (study.out / "run.sqlite").write_bytes(b"not a database, but long enough to look like a file of some kind" * 20)
    assert "is not a run store" in refusal(study.request(plain_cohort(2)))


def test_a_run_may_not_lie_among_its_documents(study: Study) -> None:
    request = study.request(plain_cohort(2))
    assert "inside the folder of the documents" in refusal(replace(request, documents=study.folder))


def test_no_usable_document_is_said_and_leaves_no_run_behind(study: Study) -> None:
    request = study.request([])
    assert "it holds no document" in refusal(request)
    assert [path.name for path in study.out.iterdir()] == ["run.sqlite"]
    fill(study.request(plain_cohort(2)), LineGenerator)


NASTY = ["../../etc/passwd", "=1+1", 'a"b', "a,b;c", "ligne\nsuite", "a\\b", "é 'à", "@x", "  "]


@pytest.mark.parametrize("workers", [1, 2])
def test_identifiers_of_every_kind_come_back_as_they_were(study: Study, workers: int) -> None:
    texts = [(name, f"poids : {60 + i}\nremarque : =1+{i}") for i, name in enumerate(NASTY)]
    fill(study.request(texts, workers=workers), LineGenerator)
    kept = [name for name in NASTY if name.strip()]
    assert [row["record_id"] for row in table(study.out)][: len(kept)] == kept
    assert {patient for patient, _ in evidence(study.out)} >= set(kept)
    assert sorted(path.name for path in study.folder.iterdir()) == ["dictionary.csv", "documents.jsonl", "run"]


def test_no_text_of_the_spreadsheet_can_run_as_a_formula(study: Study) -> None:
    texts = [("=cmd|' /C calc'!A0", "remarque : =1+1\npoids : 60\nentree : 2024-02-03"), ("@B", "remarque : -1\x07+2")]
    fill(study.request(texts), LineGenerator)
    book = openpyxl.load_workbook(study.out / "table.xlsx")
    assert book.sheetnames == ["table", "evidence"]
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert [cell.value for cell in book["table"]["A"]] == ["record_id", "=cmd|' /C calc'!A0", "@B"]
    assert book["table"]["B2"].value == 60
    assert book["table"]["D2"].is_date
    rows = list(book["evidence"].iter_rows(values_only=True))
    assert ("=cmd|' /C calc'!A0", "remarque", "Remarque", "=1+1") in [row[:4] for row in rows]
    assert rows[0][:4] == ("patient", "variable", "label", "value")


def test_parquet_holds_typed_columns(study: Study) -> None:
    fill(study.request(plain_cohort(3)), LineGenerator)
    columns = pyarrow.parquet.read_table(study.out / "table.parquet").to_pydict()
    assert columns["record_id"] == ["P000", "P001", "P002"]
    assert columns["poids"] == [50, 51, 52]
    assert columns["paquets"] == [None, 12.5, None]
    assert columns["entree"][0].isoformat() == "2024-02-01"
    assert columns["signes"] == [["1"], ["1"], ["1"]]


def test_the_manifest_says_what_the_run_was_made_of(study: Study) -> None:
    report = fill(study.request(plain_cohort(3)), LineGenerator)
    manifest = RunManifest.model_validate_json((study.out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest == report.manifest
    assert (manifest.patients, manifest.documents, manifest.variables) == (3, 6, 7)
    assert sum(manifest.cells.values()) == 3 * 7
    assert manifest.cells["not_applicable"] == 2
    assert all(len(digest) == 64 for digest in (manifest.fingerprint.documents, manifest.fingerprint.code))
    assert "cohort-rag" in manifest.versions
