import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from rag.cli import main
from schema.document import PatientRecord
from schema.value import ExtractedValue
from tests.pipeline.synthetic import DICTIONARY, plain_cohort, write_dictionary, write_documents

COHORT = plain_cohort(3)


@pytest.fixture
def inputs(tmp_path: Path) -> list[str]:
    documents = write_documents(tmp_path / "documents.jsonl", COHORT)
    return ["--documents", str(documents), "--dictionary", str(write_dictionary(tmp_path))]


def rows(path: Path, encoding: str = "utf-8") -> list[dict[str, str]]:
    with path.open(encoding=encoding, newline="") as stream:
        return list(csv.DictReader(stream))


def test_help_teaches_and_loads_nothing_heavy() -> None:
    code = (
        "import sys, rag.cli\n"
        "try: rag.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'pandas', 'pydantic', 'chromadb', 'edsnlp', 'matplotlib', 'numpy'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for word in ("cohort-rag fill --documents", "ask", "evaluate", "corpus"):
        assert word in done.stdout


@pytest.mark.parametrize("command", ["fill", "ask", "evaluate", "corpus", "corpus build"])
def test_every_command_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*command.split(), "--help"])
    assert caught.value.code == 0
    assert "example" in capsys.readouterr().out


def test_fill_writes_a_row_per_patient_and_says_where(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert main(["fill", *inputs, "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert f"table     {out / 'table.csv'}" in printed.out
    assert "3 patients, 6 documents, 7 variables" in printed.out
    assert [row["record_id"] for row in rows(out / "table.csv")] == ["P000", "P001", "P002"]
    lines = (out / "evidence.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3 * 7
    for name in ("table.xlsx", "table.parquet", "problems.csv", "manifest.json"):
        assert (out / name).stat().st_size


def test_fill_twice_asks_what_to_do_then_obeys(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["fill", *inputs, "--out", str(tmp_path / "run"), "--quiet"]
    assert main(command) == 0
    assert main(command) == 2
    message = capsys.readouterr().err
    assert "--resume" in message
    assert "--fresh" in message
    assert main([*command, "--resume"]) == 0
    assert main([*command, "--fresh"]) == 0
    assert capsys.readouterr().out == ""


def test_evaluate_measures_the_table_against_a_manual_one(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, gold = tmp_path / "run", tmp_path / "gold.csv"
    assert main(["fill", *inputs, "--out", str(out), "--quiet"]) == 0
    gold.write_text("record_id,poids,fume\nP000,50,0\nP001,51,1\nP002,52,0\n", encoding="utf-8")
    command = [
        "evaluate",
        "--predictions",
        str(out / "table.csv"),
        "--gold",
        str(gold),
        "--out",
        str(tmp_path / "report"),
    ]
    command += ["--dictionary", str(tmp_path / "dictionary.csv"), "--documents", str(tmp_path / "documents.jsonl")]
    assert main([*command, "--evidence", str(out / "evidence.jsonl")]) == 0
    printed = capsys.readouterr().out
    assert "precision" in printed
    assert "3 records, 2 variables, 6 cells" in printed
    assert "without a column in the manual table, not measured: variables sexe, entree, paquets, signes" in printed
    errors = rows(tmp_path / "report" / "errors.csv", "utf-8-sig")
    assert {row["variable"] for row in errors} <= {"poids", "fume"}
    assert str(tmp_path / "report" / "report.html") in printed
    assert (tmp_path / "report" / "report.html").stat().st_size


def test_ask_answers_in_json(inputs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", *inputs, "--patient", "P001", "--variable", "poids", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["patient_id"], told["variable"]) == ("P001", "poids")
    text = dict(COHORT[:3])["P001"]
    assert all(text[item["start"] : item["end"]] == item["quote"] for item in told["evidence"])


def test_corpus_build_writes_a_corpus_that_fill_reads(
    tmp_path: Path, inputs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in (("A/crh.txt", "poids : 71"), ("B/note.md", "sexe : 2")):
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    corpus = tmp_path / "corpus.jsonl"
    assert main(["corpus", "build", str(tmp_path / "source"), "--out", str(corpus)]) == 0
    texts = {row["patient_id"]: row["text"] for row in map(json.loads, corpus.open(encoding="utf-8"))}
    assert texts == {"A": "poids : 71", "B": "sexe : 2"}
    assert main(["fill", "--documents", str(corpus), *inputs[2:], "--out", str(tmp_path / "run")]) == 0


def _folder(tmp_path: Path, files: dict[str, bytes]) -> str:
    folder = tmp_path / "notes"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return str(folder)


def _dictionary(tmp_path: Path, text: str) -> str:
    path = tmp_path / "other.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(arguments) == 2
    message = capsys.readouterr().err
    assert "Traceback" not in message
    assert message.startswith("error: ") or "\nerror: " in message
    return message


def test_an_empty_folder_is_refused(inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _folder(tmp_path, {})
    assert folder in refused(["fill", "--documents", folder, *inputs[2:], "--out", str(tmp_path / "run")], capsys)


@pytest.mark.parametrize(
    ("missing", "option"), [("documents", "--documents"), ("dictionary", "--dictionary"), ("study", "--study")]
)
def test_a_missing_file_is_named(
    missing: str, option: str, inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["fill", *inputs, "--out", str(tmp_path / "run"), option, str(tmp_path / f"no-{missing}.x")]
    assert f"no-{missing}.x" in refused(given, capsys)


def test_a_dictionary_without_a_column_is_refused(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dictionary = _dictionary(tmp_path, DICTIONARY.replace("Field Type", "Kind"))
    message = refused(["fill", *inputs[:2], "--dictionary", dictionary, "--out", str(tmp_path / "run")], capsys)
    assert "other.csv" in message
    assert "Field Type" in message


def test_what_is_wrong_in_part_is_said_and_the_rest_is_filled(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [line.replace("integer,1,300", "integer,lourd,300") for line in DICTIONARY.splitlines()]
    lines += ["poids,f,,text,Poids encore,,,,,,,,", "taille,f,,curseur,Taille,,,,,,,,", "bras,f,,radio,Bras,,,,,,,,"]
    dictionary = _dictionary(tmp_path, "\n".join(lines) + "\n")
    folder = _folder(
        tmp_path,
        {
            "A/bon.txt": "Né le 3 mai. poids : 71".encode("cp1252"),
            "A/faux.txt": bytes(range(256)) * 20,
            "A/coupe.pdf": b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog",
            "B/vide.txt": b"  \n",
        },
    )
    out = tmp_path / "run"
    given = ["fill", "--documents", folder, "--dictionary", dictionary, "--out", str(out)]
    assert main(given) == 0
    told = capsys.readouterr().err
    for name in ("faux.txt", "coupe.pdf", "vide.txt", "'poids'", "'taille'", "'bras'", "lourd"):
        assert name in told, name
    assert [row["record_id"] for row in rows(out / "table.csv")] == ["A"]
    problems = (out / "problems.csv").read_text(encoding="utf-8-sig")
    assert "faux.txt" in problems


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--patient", "P0011", "--variable", "poids"], "P001"),
        (["--patient", "P001", "--variable", "poid"], "poids"),
        (["--patient", "Z", "Quel est le poids ?"], "P000"),
    ],
)
def test_unknown_names_are_refused_with_near_ones(
    asked: list[str], said: str, inputs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refused(["ask", *inputs, *asked], capsys)


def test_an_identifier_cannot_forge_a_line_of_ours(inputs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(["ask", *inputs, "--patient", "x\nerror: all is lost\x1b[2J", "--variable", "poids"], capsys)
    assert len(message.splitlines()) == 1
    assert "\x1b" not in message


def test_a_bundled_dictionary_is_hinted_at_and_its_study_never_applied_unasked(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import configs

    bundled = tmp_path / "configs" / "studies" / "essai"
    bundled.mkdir(parents=True)
    (bundled / "dictionary.csv").write_text(DICTIONARY, encoding="utf-8")
    (bundled / "study.yml").write_text("variables: {poids: {synonyms: [masse]}}", encoding="utf-8")
    monkeypatch.setattr(configs, "__path__", [str(tmp_path / "configs")])
    out = tmp_path / "run"
    assert main(["fill", *inputs, "--out", str(out)]) == 0
    assert f"--study {bundled / 'study.yml'}" in capsys.readouterr().err
    assert json.loads((out / "manifest.json").read_text(encoding="utf-8"))["arguments"]["study"] == ""


def test_a_failure_of_the_program_quotes_no_document(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("Mme Untel, 71 ans")

    monkeypatch.setattr("rag.pipeline.fill", broken)
    assert main(["fill", *inputs, "--out", str(tmp_path / "run")]) == 1
    message = capsys.readouterr().err
    assert "ValueError at cli.py" in message
    assert "Untel" not in message


def test_a_run_with_failed_patients_is_done_in_part(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from generator.rules.reader import RulesGenerator

    whole = RulesGenerator.fill

    def broken(self: RulesGenerator, record: PatientRecord, passages: None = None) -> list[ExtractedValue]:
        if record.patient_id == "P001":
            raise RuntimeError("Mme Untel")
        return whole(self, record, passages)

    monkeypatch.setattr(RulesGenerator, "fill", broken)
    command = ["fill", *inputs, "--out", str(tmp_path / "run")]
    assert main(command) == 1
    printed = capsys.readouterr()
    assert "patient 'P001'" in printed.err
    assert "--resume" in printed.err
    assert "Untel" not in printed.err + printed.out
    monkeypatch.setattr(RulesGenerator, "fill", whole)
    assert main([*command, "--resume"]) == 0
