"""Main path: texts and pairs -> an encoder in a folder, as sentence-transformers lays it out.

tokenizer -> masked words -> pairs -> half precision
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer, CamembertConfig, CamembertForMaskedLM, PreTrainedModel

from retriever.embed import load_model, quiet
from retriever.pretrain.contrastive import train_on_pairs
from retriever.pretrain.loop import Report, Schedule
from retriever.pretrain.masking import train_on_masks
from retriever.pretrain.pairs import Pair
from retriever.pretrain.tokenizer import train_tokenizer

#: Where the model lies between the two trainings, inside ``out``.
_MASKED = "masked"
_SHAPE: dict[str, Any] = {
    "num_hidden_layers": 3,
    "hidden_size": 192,
    "num_attention_heads": 4,
    "intermediate_size": 768,
    "hidden_dropout_prob": 0.05,
    "attention_probs_dropout_prob": 0.0,
}
_WINDOW = 256
_WORDS = 8192


@dataclass(frozen=True, slots=True)
class EncoderPlan:
    """How to train. All of it decides the result.

    Args:
        encoder: folder of the encoder to start from; None makes a small new CamemBERT with its own tokenizer.
        mask_steps: steps on masked words; 0 leaves them out. Fewer than thousands teach a new encoder one vector for
            everything, which pairs mend slowly: begin with pairs, then go on from that encoder with masks and pairs.
        pair_steps: steps on pairs.
        mask_batch: blocks of text by step.
        mask_length: word pieces of a block.
        pair_batch, pair_characters: pairs by step, and their characters, at most.
        mask_rate, pair_rate: highest learning rates; None: for a new encoder 1e-3 and 1.5e-3, for one that exists 5e-5
            and 2e-5.
        every: steps between two looks at the held-out part.
        weights: how often the pairs of a kind are drawn, see `retriever.pretrain.pairs.Batches`.
        seed: decides everything left to chance.
    """

    encoder: Path | None = None
    mask_steps: int = 0
    pair_steps: int = 1500
    mask_batch: int = 32
    mask_length: int = 64
    pair_batch: int = 128
    pair_characters: int = 12_000
    mask_rate: float | None = None
    pair_rate: float | None = None
    every: int = 150
    weights: Mapping[str, float] = field(
        default_factory=lambda: {"questions": 4.0, "mentions": 1.5, "names": 1.0, "copies": 0.5}
    )
    seed: int = 0


def train_encoder(
    plan: EncoderPlan,
    texts: Sequence[str],
    pairs: Sequence[Pair],
    held_out: Sequence[Pair],
    out: Path,
    *,
    state: Mapping[str, Any] | None = None,
    keep: Callable[[Mapping[str, Any]], None] = lambda state: None,
    on_report: Callable[[Report], None] = lambda report: None,
    progress: bool = False,
) -> list[Report]:
    """Train, and leave in ``out`` the encoder with the best held-out figure, weights in half precision.

    Args:
        texts: for the tokenizer and the masked words; some held out, at their end.
        pairs: what is near to what.
        held_out: pairs that choose the best weights and the end.
        state: what ``keep`` was last given, ``out`` being as it was then; None starts.
        keep: given, from time to time, a state (tensors and plain values) from which the training can go on.
    """
    out.mkdir(parents=True, exist_ok=True)
    new = plan.encoder is None
    masked = out / _MASKED
    common: dict[str, Any] = {"seed": plan.seed, "on_report": on_report, "progress": progress}
    reports: list[Report] = []
    if state and state["training"] == "pairs":
        reports = [Report(**report) for report in state["done"]]
    elif new or plan.mask_steps:
        model, tokenizer = _start(plan, texts, masked, resumed=state is not None)
        reports = train_on_masks(
            model.to(torch.device("cuda" if torch.cuda.is_available() else "cpu")),  # type: ignore[arg-type]
            tokenizer,
            texts,
            Schedule("masks", plan.mask_steps, plan.mask_rate or (1e-3 if new else 5e-5), plan.every),
            length=plan.mask_length,
            batch=plan.mask_batch,
            state=state["loop"] if state else None,
            keep=lambda loop: keep({"training": "masks", "loop": loop}),
            **common,
        )
        with quiet():
            model.base_model.save_pretrained(masked)  # type: ignore[operator]  # typed as a tensor or a module
        state = None
    encoder = load_model(masked if masked.is_dir() or plan.encoder is None else plan.encoder, "float32")
    done = [asdict(report) for report in reports]
    reports += train_on_pairs(
        encoder,
        pairs,
        held_out,
        Schedule("pairs", plan.pair_steps, plan.pair_rate or (1.5e-3 if new else 2e-5), plan.every),
        batch=plan.pair_batch,
        characters=plan.pair_characters,
        weights=plan.weights,
        state=state["loop"] if state else None,
        keep=lambda loop: keep({"training": "pairs", "done": done, "loop": loop}),
        **common,
    )
    with quiet():
        encoder.half().save_pretrained(str(out), create_model_card=False)
    shutil.rmtree(masked, ignore_errors=True)
    return reports


def _start(plan: EncoderPlan, texts: Sequence[str], folder: Path, *, resumed: bool) -> tuple[PreTrainedModel, Any]:
    """The masked language model to train, and its tokenizer, which ``folder`` then holds."""
    torch.manual_seed(plan.seed)
    if plan.encoder is not None:
        tokenizer = AutoTokenizer.from_pretrained(plan.encoder, local_files_only=True)
        tokenizer.save_pretrained(folder)
        with quiet():
            model = AutoModelForMaskedLM.from_pretrained(plan.encoder, local_files_only=True, dtype=torch.float32)
        return model, tokenizer
    if resumed:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    else:
        tokenizer = train_tokenizer(texts, _WORDS, _WINDOW)
        tokenizer.save_pretrained(folder)
    config = CamembertConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=_WINDOW + 2,
        type_vocab_size=1,
        bos_token_id=tokenizer.bos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        **_SHAPE,
    )
    return CamembertForMaskedLM(config), tokenizer
