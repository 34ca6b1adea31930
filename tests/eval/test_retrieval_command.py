"""`cohort-rag retriever evaluate` as a user runs it, on a small cohort whose evidence is known."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from rag.cli import main
from tests.cli.commands import Answer, refused, rows, run, write

DICTIONARY = """\
Variable / Field Name,Form Name,Section Header,Field Type,Field Label,"Choices, Calculations, OR Slider Labels",\
Field Note,Text Validation Type OR Show Slider Number,Text Validation Min,Text Validation Max,Identifier?,\
Branching Logic (Show field only if...),Required Field?
record_id,f,,text,Patient,,,,,,y,,
nihss_entree,f,,text,Score NIHSS à l'admission,,,integer,0,42,,,
tabac,f,,yesno,Tabagisme,,,,,,,,
"""
TABLE = "record_id,nihss_entree,tabac\nA1,14,1\nA2,6,0\nB1,3,1\nB2,9,0\n"


def documents_of(patient: str, score: int, smokes: bool) -> list[dict[str, str]]:
    """Three documents; the score of admission is in the first, and the last says that nothing has changed."""
    tobacco = "Tabagisme actif à 20 paquets-années." if smokes else "Pas de tabagisme."
    texts = {
        "2021-03-01": ("urgences", f"Faiblesse du bras droit. NIHSS à {score}, aphasie modérée."),
        "2021-03-02": (
            "consultation",
            f"Antécédents : hypertension artérielle.\n{tobacco} Vit seul à domicile.",
        ),
        "2021-03-05": (
            "crh",
            "Évolution : score neurologique inchangé depuis l'entrée. Retour à domicile lundi.",
        ),
    }
    return [
        {"patient_id": patient, "document_id": f"{patient}-{i}", "date": date, "type": kind, "title": "", "text": text}
        for i, (date, (kind, text)) in enumerate(texts.items(), start=1)
    ]


def evidence_of(patient: str, score: int, smokes: bool) -> list[dict[str, Any]]:
    tobacco = "Tabagisme actif" if smokes else "Pas de tabagisme"
    return [
        {
            "patient_id": patient,
            "variable": "nihss_entree",
            "kind": "anaphoric",
            "evidence": [
                {"document_id": f"{patient}-1", "quote": f"NIHSS à {score}"},
                {"document_id": f"{patient}-3", "quote": "score neurologique inchangé"},
            ],
        },
        {
            "patient_id": patient,
            "variable": "tabac",
            "kind": "plain",
            "evidence": [{"document_id": f"{patient}-2", "quote": tobacco}],
        },
    ]


PATIENTS = [("A1", 14, True), ("A2", 6, False), ("B1", 3, True), ("B2", 9, False)]


def lines(path: Path, found: list[dict[str, Any]]) -> Path:
    return write(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found))


@pytest.fixture
def inputs(tmp_path: Path) -> list[object]:
    documents = lines(tmp_path / "documents.jsonl", [row for one in PATIENTS for row in documents_of(*one)])
    evidence = lines(tmp_path / "evidence.jsonl", [row for one in PATIENTS for row in evidence_of(*one)])
    dictionary = write(tmp_path / "dictionary.csv", DICTIONARY)
    write(tmp_path / "table.csv", TABLE)
    return ["--documents", documents, "--dictionary", dictionary, "--evidence", evidence, "--out", tmp_path / "report"]


def evaluate(*arguments: object) -> Answer:
    return run("retriever", "evaluate", *arguments)


def questions(folder: Path) -> dict[tuple[str, str, str], dict[str, str]]:
    found = rows(folder / "report" / "questions.csv", "utf-8-sig")
    return {(row["patient"], row["variable"], row["method"]): row for row in found}


def test_every_method_is_asked_every_question(inputs: list[object], tmp_path: Path) -> None:
    answer = evaluate(*inputs)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("8 questions about 4 patients (12 documents, ")
    assert f"report    {tmp_path / 'report' / 'report.md'}" in answer.out
    found = questions(tmp_path)
    methods = {method for _, _, method in found}
    assert {"bm25", "dense", "hybrid", "concepts", "hybrid+concepts", "recency"} <= methods
    assert "bm25+prior" not in methods, "there is no table to learn it from"
    assert len(found) == 8 * len(methods)
    for name in ("report.md", "report.json", "figures.csv", "differences.csv", "recall.png", "timeline.png"):
        assert (tmp_path / "report" / name).stat().st_size > 0


def test_figures_are_those_of_the_quotes(inputs: list[object], tmp_path: Path) -> None:
    assert evaluate(*inputs, "--methods", "bm25", "recency").code == 0
    found = questions(tmp_path)
    # Each document is one passage. The latest first: the second quote of the score, tobacco, then the score itself.
    late = found["A1", "nihss_entree", "recency"]
    assert [float(late[f"passage recall@{k}"]) for k in (1, 2, 3)] == [0.5, 0.5, 1]
    assert (late["kind"], late["quotes"], float(late["passage MRR"])) == ("anaphoric", "2", 1)
    assert float(found["A1", "tabac", "recency"]["document MRR"]) == 0.5
    assert float(found["B2", "tabac", "bm25"]["passage hit@1"]) == 1


def test_the_first_method_is_the_one_that_others_are_compared_with(inputs: list[object], tmp_path: Path) -> None:
    assert "bm25 less" in evaluate(*inputs, "--methods", "bm25", "recency", "dense").out
    data = json.loads((tmp_path / "report" / "report.json").read_text("utf-8"))
    assert data["reference"] == "bm25"
    assert {row["less"] for row in data["differences"]} == {"recency", "dense"}


def test_a_prior_is_learned_from_the_rows_of_other_patients(inputs: list[object], tmp_path: Path) -> None:
    table = ["--table", tmp_path / "table.csv", "--methods", "bm25+prior", "bm25"]
    assert evaluate(*inputs, *table).code == 0
    assert len(questions(tmp_path)) == 16
    assert evaluate(*inputs, *table, "--fit-patients", "A*").code == 0
    assert {patient for patient, _, _ in questions(tmp_path)} == {"B1", "B2"}
    assert evaluate(*inputs, *table, "--fit-patients", "A*", "--test-patients", "B*", "--crossed").code == 0
    assert len(questions(tmp_path)) == 16


def test_temporal_models_are_trained_on_one_group_for_the_other_and_kept(inputs: list[object], tmp_path: Path) -> None:
    groups = ["--table", tmp_path / "table.csv", "--fit-patients", "A*", "--test-patients", "B*"]
    methods = ["--methods", "temporal", "temporal-no-recurrence", "--ablations"]
    answer = evaluate(*inputs, *groups, *methods, "--new")
    assert (answer.code, answer.err) == (0, "")
    trained = questions(tmp_path)
    assert len(trained) == 4 * 2
    assert (tmp_path / "report" / "ablations.png").exists()
    models = tmp_path / "report" / "models"
    assert "holds trained models already" in refused("retriever", "evaluate", *inputs, *groups, *methods, "--new")
    both = ["--model", models / "1", models / "1"]
    assert evaluate(*inputs, *groups, *methods, "--crossed", *both).code == 0
    again = questions(tmp_path)
    assert len(again) == 8 * 2
    assert {asked: again[asked] for asked in trained} == trained
    assert "is given more folders than" in refused("retriever", "evaluate", *inputs, *groups, *methods, *both)


def test_a_shuffled_timeline_has_the_same_documents_and_dates() -> None:
    from rag.compared_retrievers import Case
    from rag.corpus.build import build_document
    from schema.document import PatientRecord, RawDocument

    raws = [RawDocument("P", f"D{i}", f"Texte {i}.", f"2021-01-{i:02d}") for i in range(1, 10)]
    record = PatientRecord.of("P", [build_document(raw, print) for raw in raws])
    shuffled, again = (Case(record, *[None] * 3).shuffled for _ in range(2))  # type: ignore[arg-type]
    assert shuffled == again
    assert [d.document_id for d in shuffled.documents] != [d.document_id for d in record.documents]
    assert {(d.document_id, d.text) for d in shuffled.documents} == {(d.document_id, d.text) for d in record.documents}
    assert [d.written_on for d in shuffled.documents] == [d.written_on for d in record.documents]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--methods", "bm52"], "--methods: knows no method 'bm52'. Did you mean bm25"),
        (["--methods", "bm25+prior"], "--methods: 'bm25+prior' needs --table. Give it, or leave the method out."),
        (["--test-patients", "Z*"], "--test-patients: no patient's identifier is like 'Z*'."),
        (["--fit-patients", "A*"], "--fit-patients: would do nothing here. Give --table"),
        (["--new", "--model", "any"], "--new: would do nothing here. Models are trained where"),
        (
            ["--fit-patients", "A*", "--test-patients", "*1", "--table", "any.csv"],
            "--test-patients: also takes patients of --fit-patients (A1).",
        ),
        (["--crossed"], "--crossed: has no two groups of patients to cross."),
        (
            ["--patient", "A3"],
            "--patient: 'A3' is not among the patients that have evidence. They are like A1, A2, B1.",
        ),
        (["--encoder", "absent"], "absent"),
        (["--methods", "temporal-no-gaps"], "--methods: 'temporal-no-gaps' needs --ablations."),
        (["--methods", "temporal", "--model", "absent"], "absent: is not a temporal model"),
    ],
)
def test_options_that_cannot_be_followed_are_refused(inputs: list[object], options: list[str], said: str) -> None:
    assert said in refused("retriever", "evaluate", *inputs, *options)


def test_bad_evidence_is_said_by_line_counted_and_left_out(inputs: list[object], tmp_path: Path) -> None:
    quote = {"document_id": "A1-1", "quote": "NIHSS à  14,\naphasie"}  # other spaces than in the document
    bad = [
        json.dumps({"patient_id": "A1", "variable": "nihss_entree", "evidence": [quote]}),
        "not JSON",
        json.dumps({"patient_id": "A1", "variable": "nihss", "evidence": [quote]}),
        json.dumps({"patient_id": "C9", "variable": "tabac", "evidence": [quote]}),
        json.dumps({"patient_id": "A1", "variable": "tabac", "evidence": [{**quote, "document_id": "A9-9"}]}),
        json.dumps({"patient_id": "A2", "variable": "tabac", "evidence": [{**quote, "document_id": "A2-2"}]}),
        json.dumps({"patient_id": "A2", "variable": "tabac", "evidence": [{"document_id": "A2-2", "quote": " "}]}),
        json.dumps({"patient_id": "B1", "variable": "tabac", "evidence": []}),
    ]
    write(tmp_path / "evidence.jsonl", "\n".join(bad))
    answer = evaluate(*inputs, "--methods", "bm25")
    assert answer.code == 0
    assert answer.out.startswith("1 questions about 1 patients")
    for said in (
        "evidence.jsonl, line 2: not JSON",
        "evidence.jsonl, line 3: variable 'nihss' is not in the dictionary. Did you mean nihss_entree?",
        "evidence.jsonl, line 4: patient 'C9' has no document.",
        "evidence.jsonl, line 5: quote 1 is of document 'A9-9', which this patient does not have.",
        "evidence.jsonl, line 6: quote 1 is not in document 'A2-2' word for word.",
        "evidence.jsonl, line 7: quote 1 is not in document 'A2-2' word for word.",
    ):
        assert f"warning: {said}" in answer.err
    assert "aphasie" not in answer.err, "no word of a document is said"
    assert "note: left out: 2 quotes not found" in answer.out
    with (tmp_path / "report" / "problems.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert len(list(csv.DictReader(stream))) == 6


def test_evidence_of_other_documents_measures_nothing(inputs: list[object], tmp_path: Path) -> None:
    lines(tmp_path / "evidence.jsonl", evidence_of("C1", 3, smokes=True))
    assert "no quote of it was found in the documents" in refused("retriever", "evaluate", *inputs)


def test_help_names_every_method_and_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    from rag.compared_retrievers import COMPARED

    with pytest.raises(SystemExit):
        main(["retriever", "evaluate", "--help"])
    said = capsys.readouterr().out
    assert "example" in said
    assert [name for name in COMPARED if name not in said] == []


@pytest.mark.shared
def test_the_shared_cohort_is_measured_as_its_documentation_says(shared_cohort: Path, tmp_path: Path) -> None:
    names = ("documents.jsonl", "dictionary.csv", "evidence.jsonl")
    given = [f for name in names for f in (f"--{name.partition('.')[0]}", shared_cohort / name)]
    answer = evaluate(*given, "--out", tmp_path / "report", "--methods", "hybrid+concepts", "bm25")
    assert answer.code == 0
    data = json.loads((tmp_path / "report" / "report.json").read_text("utf-8"))
    value = {
        row["method"]: row["estimate"]["value"]
        for row in data["rows"]
        if (row["by"], row["level"], row["figure"]) == ("all", "passage", "recall@10")
    }
    assert value["hybrid+concepts"] > value["bm25"] > 0.8
