"""A run and a manual table make a calibration; a calibrated run fills what it is sure of."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag.calibrate import CalibrateRequest, calibrate
from rag.calibration import Calibration, claims, held_back
from rag.generators import Generation
from rag.pipeline import fill
from rag.redcap.dictionary import read_dictionary
from schema.problem import InputError
from schema.value import Evidence, ExtractedValue, Status
from tests.cli.commands import refused, rows, run
from tests.pipeline.conftest import Study
from tests.pipeline.synthetic import LineGenerator, plain_cohort, write_dictionary

SAMPLE = Path(__file__).parents[2] / "configs" / "studies" / "stroke"
FOUND = ExtractedValue("P1", "poids", Status.FOUND, 71, 0.9, (Evidence("d", 0, 1, "x"),))


def calibration(**given: Any) -> Calibration:
    """One that leaves confidences as they are, but for what is given."""
    line = {"x": (0.0, 1.0), "y": (0.0, 1.0)}
    told = {
        "generator": "rules", "dictionary": "a", "table": "b", "evidence": "c", "cells": 40, "right": 30, "patients": 5,
        "error": None, "first": line, "weight": 1.0, "variables": {}, "last": line, "versions": {},
    }  # fmt: skip
    return Calibration.model_validate(told | given)


class Run:
    """The files of a run over a small dictionary, cell by cell, and of the manual table."""

    def __init__(self, folder: Path, patients: int = 12) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.dictionary = write_dictionary(folder)
        self.predicted = {f"P{i:02d}": {"poids": str(50 + i), "sexe": "1", "fume": "0"} for i in range(patients)}
        self.gold = {patient: dict(row) for patient, row in self.predicted.items()}
        self.evidence = {
            (patient, name): {"status": "found", "confidence": 0.9} for patient in self.predicted for name in row_names
        }
        self.manifest: dict[str, Any] = {"arguments": {"generator": "rules", "calibration": ""}}

    def hold(self, patient: str, variable: str, status: str, confidence: float, *candidates: str) -> None:
        """Leave a cell for review."""
        self.predicted[patient][variable] = ""
        told = {"status": status, "confidence": confidence, "candidates": list(candidates)}
        self.evidence[patient, variable] = told

    def write(self) -> CalibrateRequest:
        for name, table in (("table.csv", self.predicted), ("gold.csv", self.gold)):
            with (self.folder / name).open("w", encoding="utf-8", newline="") as stream:
                writer = csv.writer(stream)
                writer.writerow(["record_id", *row_names])
                writer.writerows([patient, *(row[n] for n in row_names)] for patient, row in table.items())
        lines = [{"patient_id": p, "variable": v, "evidence": [], **told} for (p, v), told in self.evidence.items()]
        told = "".join(json.dumps(line) + "\n" for line in lines)
        (self.folder / "evidence.jsonl").write_text(told, encoding="utf-8")
        (self.folder / "manifest.json").write_text(json.dumps(self.manifest), encoding="utf-8")
        table, gold = self.folder / "table.csv", self.folder / "gold.csv"
        return CalibrateRequest(self.folder / "evidence.jsonl", table, gold, self.dictionary)


row_names = ("poids", "sexe", "fume")


def counted(learned: Calibration) -> dict[str, tuple[int, int]]:
    return {name: (tally.right, tally.cells) for name, tally in learned.variables.items()}


def said(problems: Sequence[object]) -> str:
    return "\n".join(map(str, problems))


def test_right_and_wrong_values_are_counted_by_variable(tmp_path: Path) -> None:
    made = Run(tmp_path)
    for patient in list(made.gold)[:9]:
        made.gold[patient]["sexe"] = "2"
    made.gold["P11"]["fume"] = ""  # invented: nobody wrote it
    found = calibrate(made.write())
    assert counted(found.calibration) == {"poids": (12, 12), "sexe": (3, 12), "fume": (11, 12)}
    assert (found.calibration.cells, found.calibration.right, found.calibration.patients) == (36, 26, 12)
    assert found.calibration.generator == "rules"
    assert found.calibration.error == found.after.error.value
    sure, doubtful = (found.calibration.probability(name, 0.9) for name in ("poids", "sexe"))
    assert 0 < doubtful < 0.6 < sure < 1
    assert "36 values of 12 patients" in said(found.problems)


def test_values_that_wait_for_review_count_where_they_have_a_confidence(tmp_path: Path) -> None:
    made = Run(tmp_path)
    made.hold("P00", "poids", "to_review", 0.4, "50")
    made.hold("P01", "poids", "conflicting", 0.3, "99", "51")  # the first one is what it is sure of
    made.hold("P02", "poids", "conflicting", 0.0, "52")
    made.hold("P03", "poids", "to_review", 0.4, "beaucoup")  # not a weight
    made.hold("P04", "poids", "invalid", 0.0, "999")
    found = calibrate(made.write())
    assert counted(found.calibration)["poids"] == (8, 9)
    assert found.before.bins[0].mean_confidence == pytest.approx(0.3)


def test_a_table_without_any_wrong_value_claims_no_certainty(tmp_path: Path) -> None:
    found = calibrate(Run(tmp_path).write())
    assert "agrees with all of the 36 values" in said(found.problems)
    assert found.calibration.probability("poids", 1.0) <= 37 / 38


def test_too_little_is_refused_with_what_is_needed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="judges 6 values of 2 patients; at least 20 values of 3 patients"):
        calibrate(Run(tmp_path, patients=2).write())


def test_an_evidence_without_confidences_is_refused(tmp_path: Path) -> None:
    made = Run(tmp_path)
    for told in made.evidence.values():
        del told["confidence"]
    with pytest.raises(InputError, match="judges 0 values of 0 patients"):
        calibrate(made.write())


def test_the_evidence_of_another_run_is_refused(tmp_path: Path) -> None:
    made = Run(tmp_path)
    for patient in list(made.predicted)[:6]:
        made.predicted[patient]["fume"] = ""
    with pytest.raises(InputError, match=r"speaks of another table than table\.csv: 6 of 36 cells differ"):
        calibrate(made.write())


def test_a_calibrated_run_is_refused(tmp_path: Path) -> None:
    made = Run(tmp_path)
    made.manifest["arguments"]["calibration"] = "calibration.json"
    with pytest.raises(InputError, match="calibrated already"):
        calibrate(made.write())


@pytest.mark.parametrize("content", ["", "[]", '{"arguments": 3}', "{"])
def test_a_run_that_nothing_names_has_no_name(tmp_path: Path, content: str) -> None:
    request = Run(tmp_path).write()
    (tmp_path / "manifest.json").write_text(content, encoding="utf-8")
    assert calibrate(request).calibration.generator == ""


def test_it_is_kept_in_a_file_as_it_is(tmp_path: Path) -> None:
    learned = calibrate(Run(tmp_path).write()).calibration
    learned.save(tmp_path / "new" / "calibration.json")
    assert Calibration.load(tmp_path / "new" / "calibration.json") == learned


@pytest.mark.parametrize("content", ["{}", "poids,1", '{"cells": 3}'])
def test_another_file_is_not_a_calibration(tmp_path: Path, content: str) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"calibration.json: is not a calibration"):
        Calibration.load(path)
    with pytest.raises(InputError, match="cannot be read"):
        Calibration.load(tmp_path / "nowhere.json")


def test_what_claims_nothing_stays_as_it_is() -> None:
    learned = calibration(last={"x": (0.0, 1.0), "y": (0.2, 0.2)})
    assert learned.apply(FOUND) == replace(FOUND, confidence=0.2)
    held = ExtractedValue("P1", "poids", Status.TO_REVIEW, None, 0.5, candidates=(71,))
    assert learned.apply(held).confidence == pytest.approx(0.2)
    silent = ExtractedValue("P1", "poids", Status.NOT_MENTIONED)
    assert learned.apply(silent) == silent
    assert not claims(Status.CONFLICTING, 0.0)


def test_a_value_under_the_threshold_goes_to_review_with_its_quotes() -> None:
    assert held_back(FOUND, 0.9) == FOUND
    held = held_back(FOUND, 0.91)
    assert (held.status, held.value, held.candidates) == (Status.TO_REVIEW, None, (71,))
    assert (held.confidence, held.evidence) == (0.9, FOUND.evidence)
    silent = ExtractedValue("P1", "poids", Status.NOT_MENTIONED)
    assert held_back(silent, 0.9) == silent


def test_another_reader_or_dictionary_is_said(tmp_path: Path) -> None:
    variables = read_dictionary(write_dictionary(tmp_path)).variables
    learned = calibration(variables={"poids": {"cells": 4, "right": 3, "expected": 3.0}})
    assert learned.doubts("c.json", "rules", "a", variables) == []
    told = said(learned.doubts("c.json", "llm, tiny", "z", variables))
    assert "learned from the reader 'rules'; this run uses 'llm, tiny'" in told
    assert "6 of 7 variables were not in it" in told


def test_what_hangs_on_a_value_under_review_is_not_closed(study: Study) -> None:
    """'paquets' is asked where 'fume' says yes; a doubt about 'fume' says nothing of 'paquets'."""
    calibration(variables={"fume": {"cells": 99, "right": 0, "expected": 89.1}}).save(study.folder / "calibration.json")
    request = replace(
        study.request(plain_cohort(4)),
        generation=Generation(calibration=study.folder / "calibration.json", above=0.5),
    )
    report = fill(request, LineGenerator)
    lines = [json.loads(line) for line in (study.out / "evidence.jsonl").open(encoding="utf-8")]
    told = {(line["patient_id"], line["variable"]): line for line in lines}
    assert {told[f"P{i:03d}", "fume"]["status"] for i in range(4)} == {"to_review"}
    assert told["P001", "fume"]["candidates"] == ["1"]
    assert told["P001", "fume"]["confidence"] == pytest.approx(0.9 - 89.1 / 100)
    assert told["P001", "paquets"]["status"] == "found"
    assert told["P000", "paquets"]["status"] == "not_applicable"
    assert report.manifest.cells["to_review"] == 4


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled sample, read by the rules without their study file."""
    folder = tmp_path_factory.mktemp("sample")
    assert run("fill", *_documents(), "--out", folder / "first", "--quiet").code == 0
    return folder


def _documents() -> list[object]:
    return ["--documents", SAMPLE / "sample" / "documents.jsonl", "--dictionary", SAMPLE / "dictionary.csv"]


def _of_run(folder: Path) -> list[object]:
    tables = ["--predictions", folder / "table.csv", "--gold", SAMPLE / "sample" / "table.csv"]
    return ["--evidence", folder / "evidence.jsonl", *tables, "--dictionary", SAMPLE / "dictionary.csv"]


def test_from_a_run_to_a_surer_one(sample: Path) -> None:
    made = sample / "calibration.json"
    answer = run("calibrate", *_of_run(sample / "first"), "--out", made, "--report", sample / "report")
    assert answer.code == 0
    assert "reader rules, 2" in answer.out
    assert "confidence ≥ 0.9" in answer.out
    assert str(made) in answer.out
    assert "values of 7 patients" in answer.err
    for name in ("reliability.png", "risk_coverage.png"):
        assert (sample / "report" / name).read_bytes().startswith(b"\x89PNG")
    page = (sample / "report" / "report.md").read_text(encoding="utf-8")
    assert "| calibrated | " in page
    listed = rows(sample / "report" / "variables.csv", "utf-8-sig")
    learned = Calibration.load(made)
    assert {row["variable"]: (int(row["right"]), int(row["cells"])) for row in listed} == counted(learned)
    figures = rows(sample / "report" / "figures.csv", "utf-8-sig")
    assert {row["confidence"] for row in figures} == {"as given", "calibrated"}

    sure = ["--calibration", made, "--above", 0.95]
    answer = run("fill", *_documents(), "--out", sample / "sure", *sure)
    assert answer.code == 0
    lines = [json.loads(line) for line in (sample / "sure" / "evidence.jsonl").open(encoding="utf-8")]
    filled = [line for line in lines if Status(line["status"]).fills]
    held = [line for line in lines if line["status"] == "to_review"]
    assert filled
    assert held
    assert min(line["confidence"] for line in filled) >= 0.95 > max(line["confidence"] for line in held)
    assert all(line["candidates"] and line["evidence"] and line["value"] is None for line in held)

    again = refused("calibrate", *_of_run(sample / "sure"), "--out", sample / "again.json")
    assert "calibrated already" in again


def test_what_cannot_be_calibrated_is_said(sample: Path, tmp_path: Path) -> None:
    given = _of_run(sample / "first")
    missing = refused("calibrate", *given[2:], "--evidence", tmp_path / "nowhere.jsonl", "--out", tmp_path / "c.json")
    assert "nowhere.jsonl: cannot be read" in missing
    assert not (tmp_path / "c.json").exists()
    bad = tmp_path / "bad.json"
    bad.write_text("{}", encoding="utf-8")
    told = refused("fill", *_documents(), "--out", tmp_path / "run", "--calibration", bad)
    assert "is not a calibration" in told
