"""`cohort-rag finetune`, as a user runs it."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from generator.llm.engine import Completion, Request
from generator.llm.examples import load_examples
from generator.llm.launch import ServedModel
from generator.train.lora import LoraPlan, train_lora
from schema.problem import Problem
from tests.cli.commands import refused, run
from tests.llm.tiny_llama import make_llama
from tests.tuning.conftest import load, pair, value

#: A cohort that a tiny model's context holds.
DICTIONARY = """\
Variable / Field Name,Form Name,Section Header,Field Type,Field Label,"Choices, Calculations, OR Slider Labels",\
Field Note,Text Validation Type OR Show Slider Number,Text Validation Min,Text Validation Max,Identifier?,\
Branching Logic (Show field only if...),Required Field?
record_id,f,,text,Patient,,,,,,y,,
poids,f,,text,Poids (kg),,,integer,1,300,,,
taille,f,,text,Taille (cm),,,integer,1,250,,,
diabete,f,,yesno,Diabète,,,,,,,,
"""
WEIGHTS = "adapter_model.safetensors"


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve patients; one is not in the table, one is in the table alone."""
    folder = tmp_path_factory.mktemp("cohort")
    patients = [f"P{i:02d}" for i in range(12)]
    documents = [
        {
            "patient_id": patient,
            "document_id": f"{patient}-1",
            "date": "2021-06-14",
            "type": "crh",
            "title": "",
            "text": f"{'Diabète de type 2.' if i % 2 else 'Pas de diabète.'} Poids : {60 + i} kg.",
        }
        for i, patient in enumerate(patients)
    ]
    lines = [json.dumps(document, ensure_ascii=False) for document in documents]
    (folder / "documents.jsonl").write_text("\n".join(lines), "utf-8")
    (folder / "dictionary.csv").write_text(DICTIONARY, "utf-8")
    rows = [f"{patient},{60 + i},,{i % 2}" for i, patient in enumerate([*patients[:-1], "P99"])]
    (folder / "table.csv").write_text("\n".join(["record_id,poids,taille,diabete", *rows]), "utf-8")
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_llama(tmp_path_factory.mktemp("base") / "llama", context=2048)


def files(cohort: Path) -> tuple[object, ...]:
    return tuple(
        part
        for name, file in (("documents", "documents.jsonl"), ("dictionary", "dictionary.csv"), ("table", "table.csv"))
        for part in (f"--{name}", cohort / file)
    )


def command(cohort: Path, out: Path, *options: object) -> tuple[object, ...]:
    return ("finetune", *files(cohort), "--out", out, "--prompt", "brief", "--retriever", "bm25", *options)


@pytest.fixture(scope="module")
def tuned(cohort: Path, base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tuned") / "ours"
    answer = run(*command(cohort, out, "--base", base, "--epochs", 2, "--rank", 8, "--learning-rate", "1e-2"))
    assert answer.code == 0, answer.err
    assert "of 11 patients" in answer.out
    assert "epoch 2" in answer.err
    assert str(out) in answer.out
    return out


def rows(out: Path) -> list[dict[str, object]]:
    text = (out.with_name(out.name + ".pairs") / "pairs.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_the_adapter_changes_what_the_model_says(tuned: Path, base: Path) -> None:
    import torch

    ids = torch.tensor([[5, 6, 7, 8]])
    with torch.inference_mode():
        assert not torch.allclose(load(base)(ids).logits, load(base, tuned)(ids).logits)


def test_patients_are_held_out_and_none_is_in_both(tuned: Path) -> None:
    manifest = json.loads((tuned / "manifest.json").read_text("utf-8"))
    counts = manifest["report"]["pairs"], manifest["report"]["held_out"]
    assert min(counts) > 0
    assert sum(counts) == len(rows(tuned))
    by_patient = {
        row["patient"]: sum(other["patient"] == row["patient"] for other in rows(tuned)) for row in rows(tuned)
    }
    assert any(
        counts[1] == by_patient[one] + by_patient[other] for one in by_patient for other in by_patient if one != other
    ), "two of eleven patients, whole"


def test_patients_text_is_kept_apart_and_for_its_owner_alone(tuned: Path) -> None:
    folder = tuned.with_name(tuned.name + ".pairs")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert not any(
        "Poids" in file.read_text("utf-8", "replace") for file in tuned.glob("*.json") if "token" not in file.name
    )


def test_examples_are_read_as_few_shot_examples(tuned: Path) -> None:
    problems: list[Problem] = []
    examples = load_examples(tuned.with_name(tuned.name + ".pairs") / "examples.jsonl", problems.append)
    assert not problems
    assert {example.variable.name for example in examples} >= {"poids", "diabete"}
    for example in examples:
        assert all(quote.text in " ".join(example.passage.split()) for quote in example.answer.quotes)
        assert example.patient_id


def test_a_second_training_asks_and_resume_finds_it_done(cohort: Path, base: Path, tuned: Path) -> None:
    again = command(cohort, tuned, "--base", base, "--epochs", 2, "--rank", 8, "--learning-rate", "1e-2")
    assert "--resume" in refused(*again)
    before = (tuned / WEIGHTS).read_bytes()
    assert run(*again, "--resume").code == 0
    assert (tuned / WEIGHTS).read_bytes() == before
    assert "another plan" in refused(*command(cohort, tuned, "--base", base, "--resume", "--epochs", 5))
    assert "changed since" in refused(*command(cohort, tuned, "--base", base, "--resume", "--context", "variable"))


def test_pairs_that_were_cut_short_are_made_again_from_the_patient_that_was_lost(cohort: Path, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for out in (whole, cut):
        answer = run(*command(cohort, out, "--pairs-only"))
        assert answer.code == 0
        assert not out.exists(), "no model is asked for"
    journal = cut.with_name("cut.pairs") / "patients.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:4]) + lines[4][:50])
    (cut.with_name("cut.pairs") / "pairs.jsonl").unlink()
    assert "holds pairs already" in refused(*command(cohort, cut, "--pairs-only"))
    assert run(*command(cohort, cut, "--pairs-only", "--resume")).code == 0
    assert rows(cut) == rows(whole)


def test_two_cohorts_teach_together(cohort: Path, tmp_path: Path) -> None:
    once, twice = tmp_path / "once", tmp_path / "twice"
    assert run(*command(cohort, once, "--pairs-only")).code == 0
    answer = run(*command(cohort, twice, "--pairs-only", *files(cohort)))
    assert "of 22 patients" in answer.out
    assert len(rows(twice)) == 2 * len(rows(once))


def test_what_cannot_be_done_is_said(cohort: Path, base: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert "--base" in refused(*command(cohort, out))
    assert "config.json" in refused(*command(cohort, out, "--base", cohort))
    assert "same number of times" in refused(*command(cohort, out, "--pairs-only", "--table", cohort / "table.csv"))
    assert "has no use for --model" in refused(*command(cohort, out, "--pairs-only", "--model", cohort))
    empty = tmp_path / "empty"
    empty.mkdir()
    for name in ("documents.jsonl", "dictionary.csv"):
        (empty / name).write_bytes((cohort / name).read_bytes())
    (empty / "table.csv").write_text("record_id,poids,taille,diabete\nP00,,,\n", "utf-8")
    assert "teaches nothing" in refused(*command(empty, out, "--pairs-only"))
    short = make_llama(tmp_path / "short", layers=1, context=256)
    assert "fewer than an answer may have" in refused(*command(cohort, tmp_path / "b", "--base", short))


def test_a_base_without_chat_template_is_warned_of(cohort: Path, tmp_path: Path) -> None:
    bare = make_llama(tmp_path / "bare", layers=1, template="")
    answer = run(*command(cohort, tmp_path / "out", "--base", bare, "--epochs", 1))
    assert answer.code == 0
    assert "has no chat template" in answer.err


@pytest.mark.server
def test_vllm_serves_the_adapter_by_name(vllm_there: None, tmp_path: Path) -> None:
    from contextlib import closing

    from generator.llm.client import ServerEngine
    from generator.llm.serve import ServerProcess

    base = make_llama(tmp_path / "base", context=1024)
    learned = pair("NIHSS", value(14))
    plan = LoraPlan(rank=16, epochs=200, batch=1, rate=1e-2, keep_every=1000)
    train_lora(base, [learned], tmp_path / "tuned", plan)
    schema = '{"type":"object","properties":{"statut":{"type":"string"},"valeur":{"type":"integer","maximum":99}},'
    schema += '"required":["statut","valeur"],"additionalProperties":false}'
    request = Request(learned.messages, schema, 60)
    said = {}
    with ServerProcess(ServedModel(base, adapters={"tuned": tmp_path / "tuned"}, context=1024, threads=1)) as server:
        for name in ("base", "tuned"):
            with closing(ServerEngine(server.url, name)) as engine:
                (answer,) = engine.complete([request])
                assert isinstance(answer, Completion)
                said[name] = answer.text
    assert json.loads(said["tuned"]) == json.loads(value(14))
    assert said["base"] != said["tuned"]
