"""Local encoders: their tokenizer, the windows they can read, and errors in plain words. Nothing is ever fetched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer, PreTrainedModel
from transformers.utils import logging as transformers_logging

from schema.phi import PhiLabel
from schema.problem import InputError, Problem

#: Tokens of a window, special ones aside, at most: a longer one costs more than its context brings.
_WINDOW = 256
_THRESHOLDS = "phi_thresholds"


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text cut by a tokenizer: T numbers, and the T code point intervals that they stand for."""

    ids: list[int]
    offsets: list[tuple[int, int]]


class Encoder:
    """A token classification model with its tokenizer.

    Args:
        model: gives the logits of K tags for every token.
        tokenizer: a fast one, whose numbers the model reads.
    """

    def __init__(self, model: PreTrainedModel, tokenizer: Any) -> None:
        self.model = model
        self.tokenizer = tokenizer
        config = model.config
        #: The tag of every output, by its number.
        self.tags: list[str] = [str(tag) for _, tag in sorted((config.id2label or {}).items())]
        # RoBERTa and its kin number positions from their padding token on.
        unused = (config.pad_token_id or 0) + 1 if config.model_type in ("roberta", "camembert", "xlm-roberta") else 0
        positions = min(int(config.max_position_embeddings) - unused, int(tokenizer.model_max_length))
        self.window = min(_WINDOW, positions - 2)

    def cut(self, text: str) -> Tokens:
        """Cut a text of any length, without special tokens."""
        encoded = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        return Tokens(encoded["input_ids"], encoded["offset_mapping"])

    def logits(self, sequences: Sequence[Sequence[int]]) -> list[torch.Tensor]:
        """T × K for each sequence of T tokens (at most ``window``)."""
        begin, end, padding = (
            self.tokenizer.cls_token_id,
            self.tokenizer.sep_token_id,
            self.tokenizer.pad_token_id,
        )
        longest = max(map(len, sequences))
        rows = [[begin, *ids, end] + [padding] * (longest - len(ids)) for ids in sequences]
        device = self.model.device
        inputs = torch.tensor(rows, device=device)  # B × (longest + 2)
        lengths = torch.tensor([len(ids) + 2 for ids in sequences], device=device)
        mask = torch.arange(longest + 2, device=device)[None, :] < lengths[:, None]
        logits = self.model(input_ids=inputs, attention_mask=mask.long()).logits  # B × (longest + 2) × K
        return [row[1 : len(ids) + 1] for row, ids in zip(logits, sequences, strict=True)]

    def save(self, folder: Path) -> None:
        """Write ``config.json``, ``model.safetensors`` in half precision, and the tokenizer."""
        with _quiet():
            half = {name: weight.half() for name, weight in self.model.state_dict().items()}
            self.model.save_pretrained(folder, state_dict=half)
            self.tokenizer.save_pretrained(folder)


def load_encoder(folder: Path, tags: Sequence[str] | None = None) -> Encoder:
    """Load the model of a folder.

    Args:
        folder: what ``save_pretrained`` writes: ``config.json``, weights, tokenizer.
        tags: the tags to train it for: a new layer is put above the encoder unless it has these tags already. None:
            the folder's own tags.

    Raises:
        InputError: the folder holds no such model.
    """
    remedy = "Give the folder of a BERT, RoBERTa or CamemBERT model with its tokenizer.json."
    if not (folder / "config.json").is_file():
        raise InputError(Problem(str(folder), "holds no config.json.", remedy))
    options: dict[str, Any] = {}
    if tags is not None:
        options = {
            "id2label": dict(enumerate(tags)),
            "label2id": {tag: number for number, tag in enumerate(tags)},
            "ignore_mismatched_sizes": True,
        }
    try:
        with _quiet():
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, use_fast=True)
            model = AutoModelForTokenClassification.from_pretrained(
                folder, local_files_only=True, dtype=torch.float32, **options
            )
    except (OSError, ValueError, RuntimeError, ImportError, KeyError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(Problem(str(folder), f"cannot be loaded ({reason[:200]}).", remedy)) from None
    if not tokenizer.is_fast or None in (tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id):
        raise InputError(Problem(str(folder), "has no fast tokenizer with <s>, </s> and padding.", remedy))
    return Encoder(model, tokenizer)


def thresholds(encoder: Encoder) -> dict[str, float]:
    """By label, the least score of a span that is kept, as ``config.json`` says."""
    return dict(getattr(encoder.model.config, _THRESHOLDS, {}))


def set_threshold(encoder: Encoder, least: float) -> None:
    """Write the same threshold for every label in the configuration."""
    setattr(encoder.model.config, _THRESHOLDS, dict.fromkeys(map(str, PhiLabel), least))


def windows(length: int, size: int) -> list[tuple[int, int]]:
    """Intervals of at most ``size`` tokens that cover ``length`` of them, a quarter of each shared with the next."""
    if length <= size:
        return [(0, length)] if length else []
    step = size - 2 * margin(size)
    starts = [*range(0, length - size, step), length - size]
    return [(start, start + size) for start in starts]


def margin(size: int) -> int:
    """Tokens at the border of a window for which the next window, where they lie deeper, speaks."""
    return size // 8


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the library's progress bars and advice, which would run into ours."""
    level = transformers_logging.get_verbosity()
    bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        transformers_logging.set_verbosity(level)
        if bars:
            transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]
