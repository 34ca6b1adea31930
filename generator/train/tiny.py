"""A Llama small enough to be made in minutes, from its tokenizer up: what a rehearsal and tests work on.

It has the architecture of the real ones, in a folder as they have, and nothing else knows that it is small.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.llm.engine import Message
from schema.quiet import quiet_transformers

if TYPE_CHECKING:
    import torch
    from torch import Tensor

_START, _END, _PAD, _TURN, _ANSWER = "<s>", "</s>", "<pad>", "<|tour|>", "<|réponse|>"
_SPECIAL = [_START, _END, _PAD, _TURN, _ANSWER]
_CHAT_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'assistant' %}{{ m.content }}{{ eos_token }}"
    "{% else %}<|tour|>{{ m.content }}{% if m.role == 'user' %}<|réponse|>{% endif %}{% endif %}{% endfor %}"
)
#: What a token of the record counts in the loss, beside a token of an answer.
_READING = 0.2
_BUCKETS = 16


@dataclass(frozen=True, slots=True)
class TinyPlan:
    """How large, and how it is trained. All of it decides the result.

    Args:
        hidden, layers, heads, feed_forward: of the Llama; the defaults give 1.1 million parameters.
        vocabulary: pieces of the tokenizer, beside ``fixed`` ones.
        fixed: texts that are one token each, such as the marks of an answer; of ASCII signs, since the bytes of others
            would not be those of the text.
        context: tokens of a conversation, at most; longer ones are left out.
        steps, batch: batches of conversations that are read.
        rate, matrix_rate: highest learning rates, of AdamW (embeddings, norms) and of Muon (all other matrices).
    """

    hidden: int = 128
    layers: int = 4
    heads: int = 4
    feed_forward: int = 384
    vocabulary: int = 2048
    fixed: tuple[str, ...] = ()
    context: int = 1024
    steps: int = 2000
    batch: int = 8
    rate: float = 2e-3
    matrix_rate: float = 5e-3
    seed: int = 0

    def __post_init__(self) -> None:
        if wrong := [text for text in self.fixed if not text.isascii()]:
            raise ValueError(f"fixed texts hold signs that are not ASCII: {wrong}")


@dataclass(frozen=True, slots=True)
class Step:
    """A step that was made; ``loss`` is the mean over the tokens of its answers."""

    step: int
    steps: int
    loss: float


def make_tiny_llama(
    conversations: Sequence[Sequence[Message]], out: Path, plan: TinyPlan, on_step: Callable[[Step], None] | None = None
) -> None:
    """Train a tokenizer and a Llama on conversations, and write both in ``out``.

    Args:
        conversations: a system message, then questions of the user, each with the assistant's answer.
    """
    import torch

    tokenizer = _make_tokenizer((m.content for turns in conversations for m in turns), plan)
    read = [_encode(tokenizer, turns) for turns in conversations]
    read = [one for one in read if len(one[0]) <= plan.context]
    torch.manual_seed(plan.seed)
    model = _make_model(len(tokenizer), plan)
    _train(model, read, plan, on_step or (lambda _: None))
    with quiet_transformers():
        model.save_pretrained(out)
        tokenizer.save_pretrained(out)


def _make_tokenizer(texts: Iterable[str], plan: TinyPlan) -> Any:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    # One token per figure, as Llama has it: a number that was never seen can be copied.
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=plan.vocabulary, special_tokens=_SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(texts, trainer)
    made.add_tokens([AddedToken(text, normalized=False) for text in plan.fixed])
    tokenizer: Any = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=made, bos_token=_START, eos_token=_END, pad_token=_PAD, model_max_length=2 * plan.context
    )
    tokenizer.chat_template = _CHAT_TEMPLATE
    return tokenizer


def _make_model(vocabulary: int, plan: TinyPlan) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    from generator.train.induction import ROPE_THETA, lay_induction_heads

    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=plan.hidden,
        intermediate_size=plan.feed_forward,
        num_hidden_layers=plan.layers,
        num_attention_heads=plan.heads,
        num_key_value_heads=plan.heads,
        max_position_embeddings=2 * plan.context,
        rope_parameters={"rope_type": "default", "rope_theta": ROPE_THETA},
        tie_word_embeddings=True,
        bos_token_id=_SPECIAL.index(_START),
        eos_token_id=_SPECIAL.index(_END),
        pad_token_id=_SPECIAL.index(_PAD),
    )
    model = LlamaForCausalLM(config)
    lay_induction_heads(model, plan.seed)
    return model


def _encode(tokenizer: Any, turns: Sequence[Message]) -> tuple[list[int], list[float]]:
    """Tokens of a conversation, and what each counts in the loss."""
    ids: list[int] = []
    weights: list[float] = []
    for place, turn in enumerate(turns):
        is_answer = turn.role == "assistant"
        text = turn.content + _END if is_answer else _TURN + turn.content + (_ANSWER if turn.role == "user" else "")
        piece = tokenizer.encode((_START if place == 0 else "") + text, add_special_tokens=False)
        ids += piece
        weights += [1.0 if is_answer else _READING] * len(piece)
    return ids, weights


def _train(
    model: Any, read: Sequence[tuple[list[int], list[float]]], plan: TinyPlan, on_step: Callable[[Step], None]
) -> None:
    import torch

    embeddings = model.model.embed_tokens.weight
    matrices = [p for p in model.parameters() if p.ndim == 2 and p is not embeddings]
    others = [p for p in model.parameters() if p.ndim != 2 or p is embeddings]
    # Muon (Jordan et al., 2024) needs half the steps of AdamW for the matrices of a small model.
    optimizers: list[tuple[torch.optim.Optimizer, float]] = [
        (
            torch.optim.Muon(matrices, plan.matrix_rate, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
            plan.matrix_rate,
        ),
        (torch.optim.AdamW(others, plan.rate, betas=(0.9, 0.98)), plan.rate),
    ]
    for step, (ids, weights) in zip(range(1, plan.steps + 1), _batches(read, plan), strict=False):
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(input_ids=ids, use_cache=False).logits[:, :-1].float()
        losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
        counted = weights[:, 1:].flatten()
        loss = torch.dot(losses, counted) / counted.sum()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer, rate in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate * _rise_and_fall(step, plan.steps)
            optimizer.step()
            optimizer.zero_grad()
        on_step(Step(step, plan.steps, float(losses.detach()[counted == 1.0].mean())))


def _batches(read: Sequence[tuple[list[int], list[float]]], plan: TinyPlan) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches without end, shape (batch, longest), of conversations of about one length; padding counts nothing."""
    import torch

    drawn = random.Random(plan.seed)  # noqa: S311 (an order, not a secret)
    pad = _SPECIAL.index(_PAD)
    while True:
        order = drawn.sample(range(len(read)), len(read))
        for start in range(0, len(order), plan.batch * _BUCKETS):
            bucket = sorted(order[start : start + plan.batch * _BUCKETS], key=lambda i: len(read[i][0]))
            cut = [bucket[i : i + plan.batch] for i in range(0, len(bucket), plan.batch)]
            for places in drawn.sample(cut, len(cut)):
                longest = max(len(read[i][0]) for i in places)
                ids = torch.full((len(places), longest), pad)
                weights = torch.zeros(len(places), longest)
                for row, i in enumerate(places):
                    ids[row, : len(read[i][0])] = torch.tensor(read[i][0])
                    weights[row, : len(read[i][1])] = torch.tensor(read[i][1])
                yield ids, weights


def _rise_and_fall(step: int, steps: int) -> float:
    """Share of the highest learning rate: a short rise, then a cosine that ends at a twentieth."""
    return min(1.0, step / min(100, steps / 10)) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * step / steps)))
