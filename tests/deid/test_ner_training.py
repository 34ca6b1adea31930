"""Training: it goes on after a kill, says what is wrong, and writes down what it did."""

import argparse
import json
from dataclasses import replace

import pytest
import torch

from rag.checkpoint import MANIFEST
from rag.commands import deid_train
from rag.deid.examples import Example, write_examples
from rag.deid.ner import NerTagger
from rag.deid.ner_encoder import load_encoder
from rag.deid.ner_new import new_encoder
from rag.deid.synthetic.generate import generate
from rag.deid.training import TrainingPlan, train
from schema.problem import InputError

EXAMPLES = list(generate(40, seed=2))
DEVELOPMENT = list(generate(10, seed=3))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("tiny")
    new_encoder([made.text for made in EXAMPLES], words=600, width=32, layers=1, heads=2).save(folder)
    return folder


@pytest.fixture
def plan(tiny):
    return TrainingPlan(encoder=tiny, epochs=3, batch_size=8, learning_rate=3e-3, seed=5)


def weights(folder):
    return load_encoder(folder).model.state_dict()


class KilledError(Exception):
    pass


def test_training_that_was_killed_goes_on_as_if_it_had_not_been(plan, tmp_path):
    whole = train(plan, EXAMPLES, DEVELOPMENT, tmp_path / "whole")

    def kill(report):
        raise KilledError

    for place, resume in (("first", False), ("second", True)):
        with pytest.raises(KilledError):
            train(plan, EXAMPLES, DEVELOPMENT, tmp_path / "cut", resume=resume, on_epoch=kill)
        assert (tmp_path / "cut" / "checkpoint.pt").exists(), place
    assert train(plan, EXAMPLES, DEVELOPMENT, tmp_path / "cut", resume=True) == whole
    first, second = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not (tmp_path / "cut" / "checkpoint.pt").exists()
    assert (tmp_path / "cut" / MANIFEST).read_text() == (tmp_path / "whole" / MANIFEST).read_text()


def test_the_loss_falls_and_another_seed_gives_another_model(plan, tmp_path):
    reports = train(plan, EXAMPLES, DEVELOPMENT, tmp_path / "one")
    assert [report.epoch for report in reports] == [1, 2, 3]
    assert reports[2].loss < reports[0].loss * 0.9
    other = train(replace(plan, seed=6), EXAMPLES, DEVELOPMENT, tmp_path / "two")
    assert [report.loss for report in other] != [report.loss for report in reports]


def test_the_manifest_says_what_the_model_was_made_of(plan, tmp_path):
    reports = train(plan, EXAMPLES, DEVELOPMENT, tmp_path / "m")
    manifest = json.loads((tmp_path / "m" / MANIFEST).read_text())
    assert manifest["examples"] == 40 and manifest["development"] == 10
    assert manifest["plan"]["seed"] == 5 and manifest["plan"]["learning_rate"] == 3e-3
    assert len(manifest["examples_sha256"]) == 64
    assert manifest["plan"]["encoder"]["name"] == plan.encoder.name and len(manifest["plan"]["encoder"]["sha256"]) == 64
    assert str(plan.encoder.parent) not in json.dumps(manifest)
    assert {"torch", "transformers"} < set(manifest["versions"])
    assert manifest["best"]["f1"] == max(report.f1 for report in reports)


def test_the_manifest_of_an_encoder_that_was_trained_is_kept(plan, tmp_path):
    train(plan, EXAMPLES[:8], DEVELOPMENT, tmp_path / "first")
    train(replace(plan, encoder=tmp_path / "first", epochs=1), EXAMPLES, DEVELOPMENT, tmp_path / "second")
    kept = json.loads((tmp_path / "second" / MANIFEST).read_text())["plan"]["encoder"]["manifest"]
    assert kept == json.loads((tmp_path / "first" / MANIFEST).read_text())


def test_an_encoder_that_does_not_exist_is_said(plan, tmp_path):
    with pytest.raises(InputError, match=r"config\.json"):
        train(replace(plan, encoder=tmp_path / "none"), EXAMPLES, DEVELOPMENT, tmp_path / "m")


def test_a_folder_in_use_is_not_written_over_and_nothing_is_resumed_from_nothing(plan, tmp_path):
    with pytest.raises(InputError, match="no training to resume"):
        train(plan, EXAMPLES, DEVELOPMENT, tmp_path / "m", resume=True)
    train(plan, EXAMPLES[:8], DEVELOPMENT, tmp_path / "m")
    with pytest.raises(InputError, match="already"):
        train(plan, EXAMPLES, DEVELOPMENT, tmp_path / "m")


def test_the_training_of_other_examples_is_not_resumed(plan, tmp_path):
    def kill(report):
        raise KilledError

    with pytest.raises(KilledError):
        train(plan, EXAMPLES, DEVELOPMENT, tmp_path / "m", on_epoch=kill)
    with pytest.raises(InputError, match="other examples"):
        train(plan, EXAMPLES[1:], DEVELOPMENT, tmp_path / "m", resume=True)


def test_examples_that_name_nobody_teach_nothing(plan, tmp_path):
    with pytest.raises(InputError, match="identifying span"):
        train(plan, [Example("1", "Rien à signaler.", ())], DEVELOPMENT, tmp_path / "m")


def run(*arguments):
    parser = argparse.ArgumentParser()
    deid_train.add(parser.add_subparsers())
    parsed = parser.parse_args([str(argument) for argument in arguments])
    return parsed.command(parsed)


def test_the_commands_make_texts_and_a_model_that_loads(tiny, tmp_path, capsys):
    assert run("synth", "--documents", 30, "--seed", 4, "--out", tmp_path / "made.jsonl") == 0
    assert (
        run("train", "--train", tmp_path / "made.jsonl", "--encoder", tiny, "--epochs", 1, "--out", tmp_path / "m") == 0
    )
    said = capsys.readouterr()
    assert "epoch 1: loss" in said.err and "27 texts to learn from, 3" in said.err
    NerTagger.load(tmp_path / "m").tag(["Bonjour"])


def test_the_command_takes_texts_from_the_documents_and_names_bad_rows(tiny, tmp_path, capsys):
    documents, spans = tmp_path / "notes.jsonl", tmp_path / "spans.jsonl"
    write_examples(spans, EXAMPLES)
    rows = [json.loads(line) for line in spans.read_text("utf-8").splitlines()]
    documents.write_text(
        "\n".join(
            json.dumps({"patient_id": "P1", "document_id": row["document_id"], "text": row.pop("text")}) for row in rows
        )
    )
    spans.write_text("\n".join(["{broken", *map(json.dumps, rows)]))
    arguments = ("--train", spans, "--documents", documents, "--encoder", tiny, "--epochs", 1, "--out", tmp_path / "m")
    assert run("train", *arguments) == 0
    assert "spans.jsonl, row 1: is not JSON" in capsys.readouterr().err
    assert json.loads((tmp_path / "m" / MANIFEST).read_text())["examples"] == 36
