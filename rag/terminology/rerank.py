"""A cross-encoder that reads a mention in its sentence beside the names of a concept, and says how well they agree.

Any BERT-type model of a local folder (Nogueira & Cho, arXiv 1901.04085; for entities, Wu et al., EMNLP 2020).
`rag.terminology.rerank_training` makes one; code shipped in a folder is never run and nothing is downloaded.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from schema.concept import Concept
from schema.problem import InputError, Problem

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1")

#: Characters of context on each side of a mention, and word pieces of a pair.
_CONTEXT, _LONGEST = 80, 128
_BATCH = 64


@dataclass(frozen=True, slots=True)
class Pair:
    """A mention in its context, and the names of a concept."""

    mention: str
    names: str


def in_context(text: str, start: int, end: int) -> str:
    """The mention [start, end) between brackets, with the words around it."""
    before = " ".join(text[max(0, start - _CONTEXT) : start].split())
    after = " ".join(text[end : end + _CONTEXT].split())
    return f"{before} [ {' '.join(text[start:end].split())} ] {after}".strip()


def described(concept: Concept, name: str = "") -> str:
    """The names of a concept as the model reads them: its label, the name that was found, its type."""
    names = dict.fromkeys(part for part in (concept.label, name) if part)
    return " ; ".join([*names, *concept.semantic_types[:1]])


class Reranker:
    """A trained cross-encoder."""

    def __init__(self, model: torch.nn.Module, tokenizer: object) -> None:
        self.model = model
        self.tokenizer = tokenizer

    @classmethod
    def load(cls, folder: Path) -> Reranker:
        """Read a folder: a re-ranker already trained, or a plain encoder that is to become one.

        Raises:
            InputError: it holds no model that can be read.
        """
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
        from transformers.utils import logging

        logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # a head without weights is what training starts from
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        if not (folder / "config.json").is_file():
            remedy = "Give the folder that holds the model's config.json."
            raise InputError(Problem(str(folder), "holds no model.", remedy))
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model = AutoModelForSequenceClassification.from_pretrained(folder, local_files_only=True, num_labels=1)
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            what = f"holds a model that cannot be read ({type(error).__name__})."
            raise InputError(Problem(str(folder), what, "Copy the model again.")) from None
        return cls(model.eval(), tokenizer)

    def save(self, folder: Path) -> None:
        """Write the model and its tokenizer."""
        self.model.save_pretrained(folder)  # type: ignore[operator]
        self.tokenizer.save_pretrained(folder)  # type: ignore[attr-defined]

    def logits(self, pairs: Sequence[Pair]) -> torch.Tensor:
        """(P,) for P pairs: higher where mention and names agree."""
        limit = min(_LONGEST, self.tokenizer.model_max_length)  # type: ignore[attr-defined]
        batch = self.tokenizer(  # type: ignore[operator]
            [pair.mention for pair in pairs],
            [pair.names for pair in pairs],
            padding=True,
            truncation="longest_first",
            max_length=limit,
            return_tensors="pt",
        )
        scores: torch.Tensor = self.model(**batch.to(self.model.device)).logits[:, 0]
        return scores

    def shares(self, pairs: Sequence[Pair]) -> NDArray[np.float64]:
        """(P,) probabilities, summing to 1, that each is the meaning of one and the same mention."""
        self.model.eval()
        scores: list[torch.Tensor] = []
        with torch.inference_mode():
            for first in range(0, len(pairs), _BATCH):
                scores.append(self.logits(pairs[first : first + _BATCH]).double().cpu())
        return np.asarray(torch.softmax(torch.cat(scores), dim=0))
