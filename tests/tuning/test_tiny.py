"""A Llama made from nothing: it copies before it has learned anything, and learns to answer."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from generator.llm.engine import Message
from generator.train.induction import ROPE_THETA, lay_induction_heads
from generator.train.tiny import Step, TinyPlan, make_tiny_llama
from rag.rehearsal.plan import MARKS

MARK = '{"valeur":'


def _conversation(figure: int) -> list[Message]:
    return [
        Message("system", "Réponds."),
        Message("user", f"NIHSS {figure} à l'entrée\n? NIHSS"),
        Message("assistant", f"{MARK}{figure}}}"),
    ]


def _bare_llama(seed: int, lay: bool) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=600,
        hidden_size=128,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        rope_parameters={"rope_type": "default", "rope_theta": ROPE_THETA},
        tie_word_embeddings=True,
    )
    model = LlamaForCausalLM(config)
    if lay:
        lay_induction_heads(model, seed)
    return model


def _copied(model: LlamaForCausalLM) -> float:
    """The share of a random sequence, met a second time, that the model foretells."""
    drawn = torch.Generator().manual_seed(1)
    once = torch.stack([torch.randperm(600, generator=drawn)[:40] for _ in range(8)])
    with torch.inference_mode():
        foretold = model(input_ids=torch.cat([once, once], 1)).logits[:, 40:-1].argmax(-1)
    return float((foretold == once[:, 1:]).float().mean())


@pytest.mark.parametrize("seed", [0, 1])
def test_heads_laid_by_hand_copy_without_any_training(seed: int) -> None:
    assert _copied(_bare_llama(seed, lay=True)) > 0.5
    assert _copied(_bare_llama(seed, lay=False)) < 0.05


def test_a_tiny_llama_learns_to_answer_and_is_the_same_each_time(tmp_path: Path) -> None:
    plan = TinyPlan(hidden=64, layers=2, heads=2, feed_forward=64, vocabulary=300, fixed=(MARK,), steps=40, batch=4)
    losses: list[float] = []

    def note(step: Step) -> None:
        losses.append(step.loss)

    for name in ("first", "second"):
        make_tiny_llama([_conversation(figure) for figure in range(12)], tmp_path / name, plan, note)
    assert losses[39] < 0.5 * losses[0]
    assert losses[:40] == losses[40:]
    weights = [AutoModelForCausalLM.from_pretrained(tmp_path / name).state_dict() for name in ("first", "second")]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_a_fixed_text_is_one_token_and_figures_are_apart(tmp_path: Path) -> None:
    plan = TinyPlan(hidden=64, layers=2, heads=2, feed_forward=64, vocabulary=300, fixed=(MARK,), steps=1, batch=1)
    make_tiny_llama([_conversation(12)], tmp_path / "tiny", plan)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "tiny")
    pieces = tokenizer.tokenize(f"{MARK}128}}")
    assert pieces[:4] == [MARK, "1", "2", "8"]
    turns = [{"role": m.role, "content": m.content} for m in _conversation(128)]
    text = tokenizer.apply_chat_template(turns, tokenize=False)
    assert text.startswith("<s>") and text.endswith(f"{MARK}128}}</s>")
    assert tokenizer.decode(tokenizer.encode("œdème à 37,5 °C", add_special_tokens=False)) == "œdème à 37,5 °C"


def test_a_fixed_text_is_what_it_is_in_bytes(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ASCII"):
        TinyPlan(fixed=("documenté",))
    plan = TinyPlan(hidden=64, layers=2, heads=2, feed_forward=64, vocabulary=300, fixed=MARKS, steps=1, batch=1)
    make_tiny_llama([_conversation(12)], tmp_path / "tiny", plan)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "tiny")
    answer = '{"citations":[{"passage":1,"texte":"à 12"}],"statut":"documenté","valeur":12}'
    ids = tokenizer.encode(answer, add_special_tokens=False)
    assert tokenizer.decode(ids) == answer
    assert set(tokenizer.tokenize(answer)) >= {MARKS[0], MARKS[1], MARKS[3], MARKS[4]}
