"""Records, encoders and indexes that are not as one would like, through the command."""

import json
from pathlib import Path

import pytest

from tests.cli.commands import Answer, refused, rows, run, write
from tests.pipeline.synthetic import write_dictionary
from tests.retriever.camembert import make_camembert

RETRIEVERS = ["bm25", "hybrid", "temporal"]
NOTE = "Consultation.\n\nPoids : 71 kg ce jour.\n\nVa bien, reverra son médecin dans un mois."
#: A megabyte in which one line matters.
LONG = "\n".join(f"Ligne {i} : appel du laboratoire n° {i % 977}, rien de neuf." for i in range(17_000))


def rows_of(*texts: str, date: str | None = "2024-03-05", patient: str = "P1") -> list[dict[str, str | None]]:
    return [
        {"patient_id": patient, "document_id": f"{patient}-{i}", "date": date, "type": "note", "text": text}
        for i, text in enumerate(texts)
    ]


RECORDS = {
    "one document": rows_of(NOTE),
    "one word": [*rows_of("RAS"), *rows_of(NOTE, patient="P2")],
    "the same day": rows_of("Admis ce jour.", NOTE, "Sorti ce jour."),
    "no date": rows_of("Admis.", NOTE, "Sorti.", date=None),
    "a megabyte": rows_of(LONG[:500_000] + "\n\nPoids : 71 kg ce jour.\n\n" + LONG[500_000:]),
    "the same text twice": rows_of(NOTE, NOTE),
}


@pytest.fixture
def inputs(tmp_path: Path) -> list[object]:
    documents = write(tmp_path / "documents.jsonl", "".join(json.dumps(row) + "\n" for row in rows_of(NOTE, "Suite.")))
    return ["--documents", documents, "--dictionary", write_dictionary(tmp_path)]


def fill(inputs: list[object], out: Path, *options: object) -> Answer:
    return run("fill", *inputs, "--out", out, "--fresh", *options)


def weights(out: Path) -> list[str]:
    return [row["poids"] for row in rows(out / "table.csv")]


@pytest.fixture(scope="module")
def other_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoder")
    make_camembert(folder, layers=1, width=64)
    return folder


@pytest.fixture(scope="module")
def model(other_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A temporal model of that encoder, which has seen three patients."""
    cohort, out = tmp_path_factory.mktemp("cohort"), tmp_path_factory.mktemp("models") / "model"
    assert run("synth", "--out", cohort, "--patients", 3, "--documents", 5, "--quiet").code == 0
    names = ("documents.jsonl", "dictionary.csv", "table.csv")
    inputs = [part for name in names for part in (f"--{name.partition('.')[0]}", cohort / name)]
    options = ("--encoder", other_encoder, "--new", "--epochs", 1, "--rounds", 0, "--out", out)
    assert run("retriever", "train", *inputs, *options).code == 0
    return out


@pytest.mark.parametrize("retriever", RETRIEVERS)
@pytest.mark.parametrize("kind", RECORDS)
def test_odd_records_are_read(kind: str, retriever: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    documents = write(tmp_path / "documents.jsonl", "".join(json.dumps(row) + "\n" for row in RECORDS[kind]))
    assert kind != "a megabyte" or documents.stat().st_size > 1_000_000
    inputs = ["--documents", documents, "--dictionary", write_dictionary(tmp_path)]
    options: list[object] = ["--retriever", retriever, "--passages", 3]
    if retriever != "bm25":
        options += ["--encoder", request.getfixturevalue("other_encoder")]
    if retriever == "temporal":
        options += ["--model", request.getfixturevalue("model")]
    answer = fill(inputs, tmp_path / "run", *options)
    assert answer.code == 0, answer.err
    assert weights(tmp_path / "run")[-1] == "71"
    assert "internal" not in answer.err


def test_another_encoder_is_used_and_named(inputs: list[object], other_encoder: Path, tmp_path: Path) -> None:
    answer = fill(inputs, tmp_path / "run", "--retriever", "hybrid", "--encoder", other_encoder)
    assert (answer.code, weights(tmp_path / "run")) == (0, ["71"])
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert "encoder camembert-1x64-" in manifest["fingerprint"]["retriever"]


def test_an_index_of_another_encoder_is_refused(inputs: list[object], other_encoder: Path, tmp_path: Path) -> None:
    index = ("--retriever", "hybrid", "--index", tmp_path / "index")
    assert fill(inputs, tmp_path / "run", *index).code == 0
    command = ["fill", *inputs, "--out", tmp_path / "other", *index, "--encoder", other_encoder]
    message = refused(*command)
    assert f"error: {tmp_path / 'index'}: was made by the encoder" in message
    assert "Give another --index" in message
    asked = ("--patient", "P1", "--variable", "poids")
    assert "was made by the encoder" in refused("ask", *inputs, *asked, *index, "--encoder", other_encoder)
    assert fill(inputs, tmp_path / "run", *index).code == 0  # and is not harmed


def test_a_model_of_another_encoder_is_refused(inputs: list[object], model: Path, tmp_path: Path) -> None:
    encoder = tmp_path / "wider"
    make_camembert(encoder, layers=1, width=128)
    options = ("--retriever", "temporal", "--encoder", encoder, "--model", model)
    for command in (("fill", "--out", tmp_path / "run"), ("ask", "--patient", "P1", "--variable", "poids")):
        message = refused(*command, *inputs, *options)
        assert f"error: {model}: was trained on the vectors of 'camembert-1x64-" in message
        assert "Give that encoder to --encoder" in message
    assert not (tmp_path / "run").exists()


def test_a_folder_that_holds_no_model_is_refused(inputs: list[object], other_encoder: Path, tmp_path: Path) -> None:
    options = ("--retriever", "temporal", "--encoder", other_encoder, "--model", tmp_path)
    message = refused("fill", *inputs, "--out", tmp_path / "run", *options)
    assert f"error: {tmp_path}: is not a temporal model" in message
    assert "retriever train" in message


@pytest.mark.parametrize("damage", ["overwritten", "cut", "segments lost"])
def test_a_damaged_index_is_rebuilt_and_said(damage: str, inputs: list[object], tmp_path: Path) -> None:
    index = tmp_path / "index"
    options = ("--retriever", "hybrid", "--index", index)
    assert fill(inputs, tmp_path / "run", *options).err == ""
    database = index / "chroma.sqlite3"
    if damage == "overwritten":
        database.write_bytes(bytes(range(256)) * 200)
    elif damage == "cut":
        database.write_bytes(database.read_bytes()[: database.stat().st_size // 2])
    else:
        database.unlink()
    answer = fill(inputs, tmp_path / "run", *options)
    assert (answer.code, weights(tmp_path / "run")) == (0, ["71"])
    assert f"warning: {index}: was damaged. It is being rebuilt" in answer.err
    assert fill(inputs, tmp_path / "run", *options).err == ""
    assert "damaged" not in (tmp_path / "run" / "problems.csv").read_text(encoding="utf-8-sig")


def test_a_folder_that_is_no_index_is_left_alone(inputs: list[object], tmp_path: Path) -> None:
    thesis = write(tmp_path / "theses" / "these.txt", "Chapitre 1")
    message = refused("fill", *inputs, "--out", tmp_path / "run", "--retriever", "hybrid", "--index", thesis.parent)
    assert "holds other files than an index" in message
    assert [path.name for path in thesis.parent.iterdir()] == ["these.txt"]


def no_folder(folder: Path) -> Path:
    return folder / "absent"


def empty_folder(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


def folder_of_weights_that_are_none(folder: Path) -> Path:
    write(folder / "broken" / "config.json", '{"model_type": "camembert"}')
    return write(folder / "broken" / "model.safetensors", b"\x00" * 64).parent


@pytest.mark.parametrize("made", [no_folder, empty_folder, folder_of_weights_that_are_none])
def test_a_folder_that_holds_no_encoder_is_refused(inputs: list[object], tmp_path: Path, made) -> None:  # type: ignore[no-untyped-def]
    folder = made(tmp_path)
    for command in (("fill", "--out", tmp_path / "run"), ("ask", "--patient", "P1", "--variable", "poids")):
        message = refused(*command, *inputs, "--retriever", "hybrid", "--encoder", folder)
        assert f"error: {folder}: " in message
        assert "Give the folder" in message
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("option", "value"), [("--passages", "0"), ("--passages", "dix"), ("--retriever", "magique")])
def test_options_that_mean_nothing_are_refused(inputs: list[object], tmp_path: Path, option: str, value: str) -> None:
    answer = run("fill", *inputs, "--out", tmp_path / "run", option, value)
    assert answer.code == 2
    assert option in answer.err


@pytest.mark.parametrize(
    ("retriever", "option"),
    [("all", "--encoder"), ("bm25", "--encoder"), ("bm25", "--index"), ("all", "--model"), ("hybrid", "--model")],
)
def test_an_option_that_would_do_nothing_is_refused(
    inputs: list[object], tmp_path: Path, retriever: str, option: str
) -> None:
    message = refused("fill", *inputs, "--out", tmp_path / "run", "--retriever", retriever, option, tmp_path)
    assert message.startswith(f"error: --retriever {retriever}: has no use for {option}.")
