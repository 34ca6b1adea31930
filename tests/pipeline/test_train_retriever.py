"""`cohort-rag retriever train`, and the model it writes at work: with a CamemBERT of the real width."""

import csv
import json
from pathlib import Path

import pytest

from rag.pipeline import FillRequest, Mode, fill
from rag.retrieval import Retrieval, RetrieverName
from retriever.model import TemporalModel
from schema.problem import InputError
from tests.cli.commands import refused, run
from tests.retriever.camembert import make_camembert

STUDY = Path("configs/studies/stroke")
SAMPLE = STUDY / "sample"
DICTIONARY = STUDY / "dictionary.csv"
PATIENTS = ("S01", "S02")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two patients of the sample, four documents each."""
    folder = tmp_path_factory.mktemp("cohort")
    lines = (SAMPLE / "documents.jsonl").read_text("utf-8").splitlines()
    kept = [
        line
        for patient in PATIENTS
        for line in [line for line in lines if json.loads(line)["patient_id"] == patient][:4]
    ]
    (folder / "documents.jsonl").write_text("\n".join(kept), "utf-8")
    return folder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "camembert-bio-base"
    make_camembert(folder, layers=2, width=768)
    return folder


def train(cohort: Path, encoder: Path, out: Path, *options: object) -> tuple[object, ...]:
    files = ("--documents", cohort / "documents.jsonl", "--dictionary", DICTIONARY, "--table", SAMPLE / "table.csv")
    few = ("--epochs", 2, "--rounds", 0, "--new")
    return ("retriever", "train", *files, "--encoder", encoder, "--out", out, *few, *options)


@pytest.fixture(scope="module")
def model(cohort: Path, encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained") / "ours"
    answer = run(*train(cohort, encoder, out))
    assert answer.code == 0, answer.err
    assert "epoch 2" in answer.err
    return out


def test_the_model_says_what_it_was_made_of(model: Path) -> None:
    manifest = json.loads((model / "manifest.json").read_text("utf-8"))
    assert manifest["plan"]["encoder"].startswith("camembert")
    assert [epoch["epoch"] for epoch in manifest["epochs"]] == [1, 2]
    assert manifest["model"].startswith("temporal-gru-")
    assert not (model / "checkpoint.pt").exists()


def test_the_prior_can_be_read(model: Path) -> None:
    counts = json.loads((model / "prior.json").read_text("utf-8"))["counts"]
    (nihss,) = [held for wording, held in counts.items() if "NIHSS initial" in wording]
    assert sum(nihss["kind"].values()) <= len(PATIENTS) + 1e-6


def test_a_table_is_filled_through_it(cohort: Path, encoder: Path, model: Path, tmp_path: Path) -> None:
    retrieval = Retrieval(RetrieverName.TEMPORAL, encoder=encoder, model=model, index=str(tmp_path / "index"))
    request = FillRequest(
        cohort / "documents.jsonl", DICTIONARY, tmp_path / "run", study=STUDY / "study.yml", retrieval=retrieval
    )
    report = fill(request)
    assert not report.failed
    with (tmp_path / "run" / "table.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["record_id"] for row in rows] == list(PATIENTS)
    assert all(sum(map(bool, row.values())) > 10 for row in rows)


def test_the_same_training_gives_the_same_model(cohort: Path, encoder: Path, model: Path, tmp_path: Path) -> None:
    assert run(*train(cohort, encoder, tmp_path / "again")).code == 0
    assert TemporalModel.load(tmp_path / "again").name == TemporalModel.load(model).name


def test_a_folder_that_holds_a_model_is_left_alone(cohort: Path, encoder: Path, model: Path) -> None:
    assert "holds a model or a training already" in refused(*train(cohort, encoder, model))


def test_a_cohort_without_its_table_is_refused(cohort: Path, encoder: Path, tmp_path: Path) -> None:
    again = ("--documents", cohort / "documents.jsonl")
    assert "same number of times" in refused(*train(cohort, encoder, tmp_path / "out", *again))


def test_nobody_in_the_table_is_said(cohort: Path, encoder: Path, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("record_id,age\nX99,50\n", "utf-8")
    arguments = list(train(cohort, encoder, tmp_path / "out"))
    arguments[arguments.index("--table") + 1] = tmp_path / "table.csv"
    assert "no patient has both" in refused(*arguments)


def test_a_model_of_another_encoder_is_refused(cohort: Path, model: Path, tmp_path: Path) -> None:
    retrieval = Retrieval(RetrieverName.TEMPORAL, model=model)
    request = FillRequest(cohort / "documents.jsonl", DICTIONARY, tmp_path / "run", mode=Mode.NEW, retrieval=retrieval)
    with pytest.raises(InputError, match="trained on the vectors of"):
        fill(request)
