"""Tuning: what is learned, what stops it, and that a kill changes nothing of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from generator.llm.engine import Message
from generator.train.lora import LoraPlan, LoraReport, Progress, train_lora
from generator.train.pairs import Pair, encode, load_tokenizer
from schema.problem import InputError
from tests.llm.tiny_llama import make_llama
from tests.tuning.conftest import load, loss_alone, pair, some_pairs, value

PLAN = LoraPlan(rank=4, alpha=8, epochs=3, batch=8, rate=2e-2, keep_every=1)
WEIGHTS = "adapter_model.safetensors"


def loss_of(base: Path, adapter: Path | None, pairs: list[Pair]) -> float:
    """The mean loss of a token of the answers."""
    model = load(base, adapter)
    encoded = encode(load_tokenizer(base), pairs)
    total = sum(loss_alone(model, one.ids, one.prompt) for one in encoded)
    return total / sum(len(one.ids) - one.prompt for one in encoded)


@pytest.fixture(scope="module")
def tuned(llama: Path, tmp_path_factory: pytest.TempPathFactory) -> LoraReport:
    return train_lora(llama, some_pairs(), tmp_path_factory.mktemp("adapters") / "tuned", PLAN)


def test_the_loss_falls_and_the_adapter_read_again_gives_it(llama: Path, tuned: LoraReport) -> None:
    before, after = loss_of(llama, None, some_pairs()), loss_of(llama, tuned.out, some_pairs())
    assert tuned.epochs[0].loss < before
    assert tuned.epochs[2].loss < tuned.epochs[0].loss
    assert after < 0.5 * before
    assert after < tuned.epochs[2].loss
    assert (tuned.pairs, tuned.best, tuned.too_long) == (24, 3, 0)
    assert tuned.computed < tuned.tokens


def test_an_answer_learned_by_heart_is_written_word_for_word(llama: Path, tmp_path: Path) -> None:
    learned = pair("NIHSS", value(14))
    plan = replace(PLAN, rank=16, alpha=32, epochs=200, batch=1, rate=1e-2, keep_every=1000)
    train_lora(llama, [learned], tmp_path / "out", plan)
    tokenizer = load_tokenizer(llama)
    (ids,) = encode(tokenizer, [learned])
    asked = torch.tensor([ids.ids[: ids.prompt]])
    said = {}
    for name, adapter in (("base", None), ("tuned", tmp_path / "out")):
        written = load(llama, adapter).generate(
            input_ids=asked, attention_mask=torch.ones_like(asked), max_new_tokens=60, do_sample=False
        )
        said[name] = tokenizer.decode(written[0, ids.prompt :])
    assert said["tuned"] == value(14) + "</s>"
    assert said["base"] != said["tuned"]


def test_embeddings_and_output_are_not_learned(tuned: LoraReport) -> None:
    names = load_file(tuned.out / WEIGHTS).keys()
    assert {name.split(".")[-3] for name in names} == {
        *("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
    }


def test_attention_alone_may_be_learned(llama: Path, tmp_path: Path) -> None:
    train_lora(llama, some_pairs(1), tmp_path / "out", replace(PLAN, layers="attention", epochs=1))
    names = load_file(tmp_path / "out" / WEIGHTS).keys()
    assert {name.split(".")[-3] for name in names} == {"q_proj", "v_proj"}


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(
    llama: Path, tuned: LoraReport, tmp_path: Path
) -> None:
    train_lora(llama, some_pairs(), tmp_path / "again", PLAN)
    train_lora(llama, some_pairs(), tmp_path / "other", replace(PLAN, seed=1))
    again, other = ((tmp_path / name / WEIGHTS).read_bytes() for name in ("again", "other"))
    assert again == (tuned.out / WEIGHTS).read_bytes() != other


_KILLED = """
import os, signal, sys
from pathlib import Path
from generator.train.lora import train_lora
from tests.tuning.conftest import some_pairs
from tests.tuning.test_lora import PLAN

def stop(progress):
    if progress.step == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

train_lora(Path(sys.argv[1]), some_pairs(), Path(sys.argv[2]), PLAN, some_pairs(1), on_progress=stop)
"""


@pytest.mark.parametrize("step", [2, 7])
def test_a_killed_training_ends_as_an_undisturbed_one(llama: Path, tmp_path: Path, step: int) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    train_lora(llama, some_pairs(), whole, PLAN, some_pairs(1))
    command = [sys.executable, "-c", _KILLED, str(llama), str(killed), str(step)]
    assert subprocess.run(command, env={**os.environ, "PYTHONPATH": "."}).returncode == -signal.SIGKILL
    assert not (killed / WEIGHTS).exists()
    steps: list[Progress] = []
    report = train_lora(llama, some_pairs(), killed, PLAN, some_pairs(1), resume=True, on_progress=steps.append)
    assert steps[0].step in (step, step - 1)
    assert (killed / WEIGHTS).read_bytes() == (whole / WEIGHTS).read_bytes()
    assert sorted(file.name for file in killed.iterdir()) == sorted(file.name for file in whole.iterdir())
    assert report.epochs == train_lora(llama, some_pairs(), whole, PLAN, some_pairs(1), resume=True).epochs


def test_resume_refuses_what_was_made_of_something_else(llama: Path, tuned: LoraReport, tmp_path: Path) -> None:
    assert train_lora(llama, some_pairs(), tuned.out, PLAN, resume=True) == tuned
    with pytest.raises(InputError, match="--resume"):
        train_lora(llama, some_pairs(), tuned.out, PLAN)
    for pairs, plan in ((some_pairs(1), PLAN), (some_pairs(), replace(PLAN, seed=4))):
        with pytest.raises(InputError, match="other pairs, another plan"):
            train_lora(llama, pairs, tuned.out, plan, resume=True)


def test_patients_held_out_say_when_to_stop(llama: Path, tmp_path: Path) -> None:
    contrary = [replace(one, answer=value(90 - place)) for place, one in enumerate(some_pairs())]
    plan = replace(PLAN, epochs=30, patience=2, rank=16, alpha=32)
    report = train_lora(llama, some_pairs(), tmp_path / "out", plan, contrary)
    held_out = [epoch.held_out for epoch in report.epochs]
    assert report.best < len(report.epochs) < 30
    assert len(report.epochs) == report.best + 2
    assert min(held_out) == held_out[report.best - 1]
    assert loss_of(llama, report.out, contrary) == pytest.approx(min(held_out), rel=1e-4)


def test_a_weak_pair_counts_less_than_a_sure_one(llama: Path, tmp_path: Path) -> None:
    losses = {}
    for sure in (3, 8):
        pairs = [pair("NIHSS", value(number), 1.0 if number == sure else 0.05) for number in (3, 8)]
        train_lora(llama, pairs, tmp_path / str(sure), replace(PLAN, epochs=30, rate=1e-2))
        losses[sure] = [loss_of(llama, tmp_path / str(sure), [pair("NIHSS", value(number))]) for number in (3, 8)]
    assert losses[3][0] < losses[3][1]
    assert losses[8][1] < losses[8][0]


def test_computing_twice_rather_than_keeping_changes_nothing(
    llama: Path, tuned: LoraReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generator.train.lora._LARGE", 0)
    train_lora(llama, some_pairs(), tmp_path / "out", PLAN)
    kept, twice = load_file(tuned.out / WEIGHTS), load_file(tmp_path / "out" / WEIGHTS)
    assert all(torch.allclose(kept[name], twice[name], atol=1e-5) for name in kept)


def test_in_bfloat16_it_learns_as_well(llama: Path, tuned: LoraReport, tmp_path: Path) -> None:
    report = train_lora(llama, some_pairs(), tmp_path / "out", replace(PLAN, dtype="bfloat16"))
    assert report.epochs[-1].loss == pytest.approx(tuned.epochs[-1].loss, rel=0.1)
    assert {weight.dtype for weight in load_file(report.out / WEIGHTS).values()} == {torch.float32}


def test_pairs_longer_than_the_context_are_left_out_and_counted(llama: Path, tmp_path: Path) -> None:
    pairs = [*some_pairs(1), pair("NIHSS", value(1), record="Pas de diabète. " * 400)]
    assert train_lora(llama, pairs, tmp_path / "out", replace(PLAN, epochs=1)).too_long == 1
    with pytest.raises(InputError, match="no pair to learn from"):
        train_lora(llama, pairs[-1:], tmp_path / "none", PLAN)


def test_the_manifest_names_what_it_was_made_of_and_holds_no_text(tuned: LoraReport) -> None:
    text = (tuned.out / "manifest.json").read_text("utf-8")
    made = json.loads(text)["made_of"]
    assert made["plan"]["rank"] == 4
    assert made["versions"].keys() >= {"peft", "torch", "transformers"}
    assert "Dossier" not in text


def test_a_pair_is_what_a_server_of_the_model_would_be_sent(llama: Path) -> None:
    tokenizer = load_tokenizer(llama)
    (one,) = encode(tokenizer, [pair("NIHSS", value(14))])
    turns = [{"role": m.role, "content": m.content} for m in pair("NIHSS", value(14)).messages]
    sent = tokenizer.apply_chat_template(turns, add_generation_prompt=True)["input_ids"]
    assert list(one.ids[: one.prompt]) == sent
    assert tokenizer.decode(one.ids[one.prompt :]) == value(14) + "</s>"


def test_a_model_without_chat_template_takes_that_of_the_program(tmp_path: Path) -> None:
    bare = make_llama(tmp_path / "bare", layers=1, template="")
    tokenizer = load_tokenizer(bare)
    (one,) = encode(tokenizer, [pair("NIHSS", value(14))])
    text = tokenizer.decode(one.ids)
    assert text.startswith("<s>Remplis.\n\n### Instruction :\n")
    assert text.endswith("### Réponse :\n" + value(14) + "</s>")
    train_lora(bare, some_pairs(1), tmp_path / "out", replace(PLAN, epochs=1))
    assert "### Instruction" in (tmp_path / "out" / "chat_template.jinja").read_text("utf-8")


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ raise_exception('no system message') }}", "chat template that does not take"),
        ("{% for m in messages %}{{ m.content.nothing.more }}{% endfor %}", "chat template that does not take"),
    ],
)
def test_a_template_that_refuses_is_told(tmp_path: Path, template: str, said: str) -> None:
    odd = make_llama(tmp_path / "odd", layers=1, template=template)
    with pytest.raises(InputError, match=said):
        train_lora(odd, some_pairs(1), tmp_path / "out", PLAN)


def test_a_template_that_thinks_before_it_answers_is_cut_at_the_answer(tmp_path: Path) -> None:
    template = (
        "{% for m in messages %}<{{ m.role }}>{% if m.role == 'assistant' %}(pensées){% endif %}{{ m.content }}</s>"
        "{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
    )
    thinker = make_llama(tmp_path / "thinker", layers=1, template=template)
    tokenizer = load_tokenizer(thinker)
    (one,) = encode(tokenizer, [Pair((Message("user", "NIHSS ?"),), value(2))])
    assert tokenizer.decode(one.ids) == "<user>NIHSS ?</s><assistant>" + value(2) + "</s>"


def test_what_is_no_model_is_told(tmp_path: Path, llama: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "nowhere"):
        with pytest.raises(InputError, match=r"config\.json"):
            train_lora(folder, some_pairs(1), tmp_path / "out", PLAN)
    lone = tmp_path / "lone"
    lone.mkdir()
    (lone / "config.json").write_text((llama / "config.json").read_text("utf-8"), "utf-8")
    with pytest.raises(InputError, match="tokenizer"):
        train_lora(lone, some_pairs(1), tmp_path / "out", PLAN)
