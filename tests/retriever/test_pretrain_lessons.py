"""What an encoder is trained on, and the command that trains it."""

import argparse
import json
from pathlib import Path

import pytest

from rag.commands import retriever_encoder
from rag.concepts import ConceptReader
from rag.encoder_pairs import Cohort, Lessons, lessons
from rag.terminology.bundled import open_terminology
from rag.train_encoder import EncoderRequest, run_training
from retriever.embed import SentenceTransformerEncoder
from retriever.pretrain.run import EncoderPlan
from schema.problem import InputError

HEADER = (
    "Variable / Field Name,Form Name,Section Header,Field Type,Field Label,"
    '"Choices, Calculations, OR Slider Labels",Field Note,Text Validation Type OR Show Slider Number,'
    "Text Validation Min,Text Validation Max,Identifier?,Branching Logic (Show field only if...),Required Field?\n"
)
DICTIONARY = (
    HEADER
    + "record_id,base,,text,Identifiant,,,,,,,,\n"
    + 'hta,base,Antécédents,radio,Hypertension artérielle,"0, Non | 1, Oui",Antécédent du patient.,,,,,,\n'
    + "nihss,base,Examen,text,Score NIHSS initial,,Valeur écrite.,integer,0,42,,,\n"
)
TEXT = """Antécédents : HTA traitée depuis dix ans. Tabagisme actif sevré en {year}.

Examen : aphasie et hémiplégie droite. NIHSS à {score} à l'arrivée aux urgences, pesé à {weight} kg.

Évolution : marche sans aide sur {weight} mètres à la sortie. Consultation prévue dans trois mois au centre.
"""


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohorts") / "made"
    folder.mkdir()
    documents, evidence = [], []
    for number in range(30):
        patient, score = f"P{number}", number % 25
        text = TEXT.format(year=1990 + number, score=score, weight=60 + number)
        document = {
            "patient_id": patient,
            "document_id": f"{patient}-1",
            "date": "2021-02-03",
            "type": "crh",
            "title": "",
        }
        documents.append(document | {"text": text})
        for variable, quote in (("hta", "HTA traitée"), ("nihss", f"NIHSS à {score}")):
            quotes = [{"document_id": f"{patient}-1", "quote": quote}]
            evidence.append({"patient_id": patient, "variable": variable, "evidence": quotes})
    for name, rows in (("documents.jsonl", documents), ("evidence.jsonl", evidence)):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "dictionary.csv").write_text(DICTIONARY)
    return folder


@pytest.fixture(scope="module")
def made(cohort: Path) -> Lessons:
    return taught(cohort)


def taught(cohort: Path) -> Lessons:
    index = open_terminology()
    return lessons([Cohort.of(cohort)], [], index.terms(), ConceptReader(index), 5, pytest.fail)


def of_kind(made: Lessons, kind: str) -> list:
    return [pair for pair in made.pairs if pair.source.partition(":")[0] == kind]


def test_a_question_goes_with_the_passage_that_answers_it(made):
    pairs = of_kind(made, "questions")
    assert {pair.asks for pair in pairs} == {"hta", "nihss"}
    assert all(("HTA" if pair.asks == "hta" else "NIHSS") in pair.positive for pair in pairs)
    assert {pair.anchor for pair in pairs if pair.asks == "nihss"} >= {"Score NIHSS initial\nExamen", "Valeur écrite."}
    assert len({len(pair.positive) for pair in pairs if pair.asks == "hta"}) > 1  # whole passages, and sentences


def test_what_may_answer_is_no_negative(made):
    pairs = of_kind(made, "questions")
    assert any(pair.negatives for pair in pairs)
    for pair in pairs:
        assert not any(("HTA" if pair.asks == "hta" else "NIHSS") in text for text in pair.negatives)


def test_a_concept_is_asked_for_by_another_name_than_the_one_written(made):
    pairs = [pair for pair in of_kind(made, "mentions") if pair.asks == "hta"]
    assert pairs
    assert all("HTA" in pair.positive and pair.anchor != "HTA" and "hta" in pair.answers for pair in pairs)


def test_names_of_one_concept_go_together(made):
    assert ("HTA", "hta") in {(pair.anchor, pair.asks) for pair in of_kind(made, "names")}
    assert all(pair.anchor != pair.positive for pair in of_kind(made, "names"))


def test_a_patient_or_a_concept_is_never_on_both_sides(made):
    learnt = {pair.positive for pair in made.pairs if pair.source == "copies"}
    kept = {pair.positive for pair in made.held_out if pair.source == "copies"}
    assert kept
    assert not learnt & kept
    concepts = [{pair.asks for pair in side if pair.source == "names"} for side in (made.pairs, made.held_out)]
    assert concepts[1]
    assert not concepts[0] & concepts[1]


def test_the_same_seed_teaches_the_same(cohort, made):
    again = taught(cohort)
    assert (again.texts, again.pairs, again.held_out) == (made.texts, made.pairs, made.held_out)


def run(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    retriever_encoder.add(parser.add_subparsers())
    parsed = parser.parse_args(["encoder", *map(str, arguments)])
    return parsed.command(parsed)


def test_the_command_makes_an_encoder_and_says_what_it_was_made_of(cohort, tmp_path, capsys):
    out = tmp_path / "model"
    own = tmp_path / "own.jsonl"
    own.write_text(json.dumps({"anchor": "dort bien", "positive": "sommeil conservé"}) + "\n")
    steps = ("--mask-steps", 2, "--pair-steps", 2)
    assert run("--cohort", cohort, "--pairs", own, "--out", out, *steps) == 0
    assert "held-out pairs found" in capsys.readouterr().err
    assert SentenceTransformerEncoder(out).encode(["HTA"]).any()
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["counts"]["own.jsonl"] == 1
    assert [report["training"] for report in manifest["reports"]] == ["masks", "pairs"]
    assert not (out / "checkpoint.pt").exists()
    with pytest.raises(InputError, match="holds a model or a training already"):
        run("--cohort", cohort, "--out", out, *steps)


def test_a_killed_command_goes_on_with_resume(cohort, tmp_path):
    def killed(report):
        raise KeyboardInterrupt

    plan = EncoderPlan(mask_steps=2, pair_steps=2, mask_batch=4, every=1)
    out = tmp_path / "model"
    with pytest.raises(KeyboardInterrupt):
        run_training(EncoderRequest(plan, out, [cohort]), pytest.fail, on_report=killed)
    reports = run_training(EncoderRequest(plan, out, [cohort], resume=True), pytest.fail)
    assert [(report.training, report.step) for report in reports][-2:] == [("pairs", 1), ("pairs", 2)]
    with pytest.raises(InputError, match="holds no training to resume"):
        run_training(EncoderRequest(plan, tmp_path / "none", [cohort], resume=True), pytest.fail)


def test_an_encoder_that_is_none_is_refused(cohort, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds no config\.json"):
        run("--cohort", cohort, "--encoder", tmp_path / "empty", "--out", tmp_path / "model")
