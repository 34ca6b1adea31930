"""Pre-training on masked words (Devlin et al. 2019; dynamic masking as Liu et al. 2019 draw it)."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from retriever.pretrain.loop import Keep, Report, Schedule, run

_MASKED = 0.15  # of the pieces; of these, 80 % become <mask>, 10 % any piece, 10 % stay
_HELD_OUT = 0.03  # of the text, at its end
_MOST_HELD_OUT = 128  # blocks


def train_on_masks(
    model: PreTrainedModel,
    tokenizer: Any,
    texts: Sequence[str],
    schedule: Schedule,
    *,
    length: int,
    batch: int,
    seed: int,
    state: Mapping[str, Any] | None,
    keep: Keep,
    on_report: Callable[[Report], None],
    progress: bool,
) -> list[Report]:
    """Teach a masked language model (RoBERTa or CamemBERT) the words of texts; score: minus the held-out loss.

    Args:
        length: pieces of a block of text, special ones included.
        batch: blocks by step.
    """
    pieces = [piece for text in texts for piece in [*_cut(tokenizer, text), tokenizer.sep_token_id]]
    border = int(len(pieces) * (1 - _HELD_OUT))
    seen, held_out = pieces[:border], _blocks(pieces[border:], length - 2)[:_MOST_HELD_OUT]
    masker = _Masker(tokenizer, len(tokenizer))

    def loss_of(step: int) -> torch.Tensor:
        dice = random.Random(f"masks {seed} {step}")  # noqa: S311 (reproducible, no secret)
        starts = [dice.randrange(max(1, len(seen) - length + 2)) for _ in range(batch)]
        return _loss(model, masker, [seen[start : start + length - 2] for start in starts], dice)

    def score() -> float:
        dice = random.Random(seed)  # noqa: S311 (reproducible, no secret)
        losses = [
            float(_loss(model, masker, held_out[start : start + batch], dice))
            for start in range(0, len(held_out), batch)
        ]
        return -sum(losses) / max(len(losses), 1)

    return run(model, schedule, loss_of, score, state=state, keep=keep, on_report=on_report, progress=progress)


class _Masker:
    def __init__(self, tokenizer: Any, words: int) -> None:
        self.begin, self.end, self.padding = tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id
        self._mask, self._words = tokenizer.mask_token_id, words

    def apply(self, ids: torch.Tensor, dice: random.Random) -> tuple[torch.Tensor, torch.Tensor]:
        """Masked pieces and where they were masked, both B × T."""
        chance = torch.Generator().manual_seed(dice.getrandbits(62))
        special = (ids == self.begin) | (ids == self.end) | (ids == self.padding)
        chosen = (torch.rand(ids.shape, generator=chance) < _MASKED) & ~special
        fate = torch.rand(ids.shape, generator=chance)
        others = torch.randint(self._words, ids.shape, generator=chance)
        masked = torch.where(chosen & (fate < 0.8), self._mask, ids)
        return torch.where(chosen & (fate >= 0.9), others, masked), chosen


def _loss(
    model: PreTrainedModel, masker: _Masker, blocks: Sequence[Sequence[int]], dice: random.Random
) -> torch.Tensor:
    longest = max(map(len, blocks))
    rows = [[masker.begin, *block, masker.end] + [masker.padding] * (longest - len(block)) for block in blocks]
    ids = torch.tensor(rows)  # B × T
    masked, chosen = masker.apply(ids, dice)
    base: Any = model.base_model
    device = model.device
    states = base(input_ids=masked.to(device), attention_mask=(ids != masker.padding).long().to(device))
    # The vocabulary is far larger than the model is wide: the head is worth its cost on masked pieces alone.
    head: Any = model.lm_head
    logits = head(states.last_hidden_state[chosen.to(device)])  # masked × words
    return cross_entropy(logits.float(), ids[chosen].to(device))


def _cut(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    return ids


def _blocks(pieces: Sequence[int], size: int) -> list[Sequence[int]]:
    return [pieces[start : start + size] for start in range(0, len(pieces), size)]
