import json
import subprocess
import sys
from pathlib import Path

import pytest

from rag.cli import main
from schema.document import PatientRecord
from schema.value import ExtractedValue
from tests.cli.commands import rows, run, write
from tests.pipeline.synthetic import DICTIONARY, plain_cohort, write_dictionary, write_documents

COHORT = plain_cohort(3)


@pytest.fixture
def inputs(tmp_path: Path) -> list[str]:
    documents = write_documents(tmp_path / "documents.jsonl", COHORT)
    return ["--documents", str(documents), "--dictionary", str(write_dictionary(tmp_path))]


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
    for word in ("cohort-rag fill --documents", "ask", "evaluate", "corpus", "retriever", "synth"):
        assert word in done.stdout


_COMMANDS = [
    *("fill", "ask", "evaluate", "calibrate", "corpus", "corpus build", "deidentify", "normalize"),
    "terminology build",
    *("terminology info", "terminology train", "terminology find"),
    *("deid evaluate", "deid texts", "deid train", "deid synth", "synth", "serve"),
    *("retriever evaluate", "retriever train", "retriever encoder", "retriever index"),
    *("merge run", "merge check", "merge search", "finetune", "rehearsal"),
]


@pytest.mark.parametrize("command", _COMMANDS)
def test_every_command_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*command.split(), "--help"])
    assert caught.value.code == 0
    assert "example" in capsys.readouterr().out


def test_fill_writes_a_row_per_patient_and_says_where(inputs: list[str], tmp_path: Path) -> None:
    out = tmp_path / "run"
    answer = run("fill", *inputs, "--out", out)
    assert answer.code == 0
    assert f"table     {out / 'table.csv'}" in answer.out
    assert "3 patients, 6 documents, 7 variables" in answer.out
    assert [row["record_id"] for row in rows(out / "table.csv")] == ["P000", "P001", "P002"]
    lines = (out / "evidence.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3 * 7
    for name in ("table.xlsx", "table.parquet", "problems.csv", "manifest.json"):
        assert (out / name).stat().st_size


def test_fill_twice_asks_what_to_do_then_obeys(inputs: list[str], tmp_path: Path) -> None:
    command = ["fill", *inputs, "--out", tmp_path / "run", "--quiet"]
    assert run(*command).code == 0
    again = run(*command)
    assert again.code == 2
    assert "--resume" in again.err
    assert "--fresh" in again.err
    for option in ("--resume", "--fresh"):
        answer = run(*command, option)
        assert (answer.code, answer.out) == (0, "")


def test_evaluate_measures_the_table_against_a_manual_one(inputs: list[str], tmp_path: Path) -> None:
    out, report = tmp_path / "run", tmp_path / "report"
    assert run("fill", *inputs, "--out", out, "--quiet").code == 0
    gold = write(tmp_path / "gold.csv", "record_id,poids,fume\nP000,50,0\nP001,51,1\nP002,52,0\n")
    command = ["evaluate", "--predictions", out / "table.csv", "--gold", gold, "--out", report, *inputs]
    answer = run(*command, "--evidence", out / "evidence.jsonl")
    assert answer.code == 0
    assert "precision" in answer.out
    assert "3 records, 2 variables, 6 cells" in answer.out
    assert "without a column in the manual table, not measured: variables sexe, entree, paquets, signes" in answer.out
    assert str(report / "report.html") in answer.out
    assert (report / "report.html").stat().st_size
    assert {row["variable"] for row in rows(report / "errors.csv", "utf-8-sig")} <= {"poids", "fume"}


def test_ask_answers_in_json(inputs: list[str]) -> None:
    answer = run("ask", *inputs, "--patient", "P001", "--variable", "poids", "--json")
    assert answer.code == 0
    told = json.loads(answer.out)
    assert (told["patient_id"], told["variable"]) == ("P001", "poids")
    text = dict(COHORT[:3])["P001"]
    assert all(text[item["start"] : item["end"]] == item["quote"] for item in told["evidence"])


def test_corpus_build_writes_a_corpus_that_fill_reads(tmp_path: Path, inputs: list[str]) -> None:
    for name, text in (("A/crh.txt", "poids : 71"), ("B/note.md", "sexe : 2")):
        write(tmp_path / "source" / name, text)
    corpus = tmp_path / "corpus.jsonl"
    assert run("corpus", "build", tmp_path / "source", "--out", corpus).code == 0
    texts = {row["patient_id"]: row["text"] for row in map(json.loads, corpus.open(encoding="utf-8"))}
    assert texts == {"A": "poids : 71", "B": "sexe : 2"}
    assert run("fill", "--documents", corpus, *inputs[2:], "--out", tmp_path / "run").code == 0


def test_a_bundled_dictionary_is_hinted_at_and_its_study_never_applied_unasked(
    inputs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import configs

    bundled = tmp_path / "configs" / "studies" / "essai"
    write(bundled / "dictionary.csv", DICTIONARY)
    write(bundled / "study.yml", "variables: {poids: {synonyms: [masse]}}")
    monkeypatch.setattr(configs, "__path__", [str(tmp_path / "configs")])
    out = tmp_path / "run"
    answer = run("fill", *inputs, "--out", out)
    assert answer.code == 0
    assert f"--study {bundled / 'study.yml'}" in answer.err
    assert json.loads((out / "manifest.json").read_text(encoding="utf-8"))["arguments"]["study"] == ""


def test_a_failure_of_the_program_quotes_no_document(
    inputs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("Mme Untel, 71 ans")

    monkeypatch.setattr("rag.pipeline.fill", broken)
    answer = run("fill", *inputs, "--out", tmp_path / "run")
    assert answer.code == 1
    assert "ValueError at cli.py" in answer.err
    assert "Untel" not in answer.err


def test_a_run_with_failed_patients_is_done_in_part(
    inputs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from generator.rules.reader import RulesGenerator

    whole = RulesGenerator.fill

    def broken(self: RulesGenerator, record: PatientRecord, passages: None = None) -> list[ExtractedValue]:
        if record.patient_id == "P001":
            raise RuntimeError("Mme Untel")
        return whole(self, record, passages)

    monkeypatch.setattr(RulesGenerator, "fill", broken)
    command = ["fill", *inputs, "--out", tmp_path / "run"]
    answer = run(*command)
    assert answer.code == 1
    assert "patient 'P001'" in answer.err
    assert "--resume" in answer.err
    assert "Untel" not in answer.err + answer.out
    monkeypatch.setattr(RulesGenerator, "fill", whole)
    assert run(*command, "--resume").code == 0
