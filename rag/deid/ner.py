"""Named entities by a trained encoder (CamemBERT and its kin): what has no cue that a rule could see.

Loads any local folder of a token classification model with a fast tokenizer and tags of `PhiLabel`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from rag.deid.ner_encoder import Encoder, Tokens, load_encoder, margin, thresholds, windows
from rag.deid.ner_tags import Floats, Scored, TagReader
from schema.phi import PhiEntity
from schema.problem import InputError, Problem

SHIPPED = Path(__file__).with_name("model")
#: Tokens of a batch, padding included.
_BATCH = 4096


@dataclass(frozen=True, slots=True)
class _Window:
    text: int  # which text
    start: int  # first token
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start


class NerTagger:
    """Finds identifying spans with a token classification model.

    Args:
        encoder: a model whose tags are O, B-LABEL and I-LABEL, with labels of `PhiLabel`. Its configuration may hold
            ``phi_thresholds``: by label, the least score of a span that is kept (0 for a label that has none).

    Raises:
        InputError: the model's tags are others.
    """

    def __init__(self, encoder: Encoder) -> None:
        encoder.model.train(False)
        self._encoder = encoder
        self._thresholds = thresholds(encoder)
        try:
            self._reader = TagReader(encoder.tags)
        except ValueError as error:
            what = f"tag '{error}' is neither O nor B- or I- with a label of de-identification."
            where = encoder.model.name_or_path or "model"
            raise InputError(Problem(where, what, "Train the model with cohort-rag deid train.")) from None

    @classmethod
    def load(cls, folder: Path | None = None) -> NerTagger:
        """Load the model of a folder, or the one that ships with the package.

        Raises:
            InputError: the folder holds no such model.
        """
        return cls(load_encoder(folder or SHIPPED))

    def tag(self, texts: Sequence[str]) -> list[list[PhiEntity]]:
        """The spans of every text, in order, without overlap, in code points of the text as given."""
        return [
            [found.entity for found in spans if found.score >= self._thresholds.get(found.entity.label, 0.0)]
            for spans in self.score(texts)
        ]

    def score(self, texts: Sequence[str]) -> list[list[Scored]]:
        """The same spans and those below the thresholds, each with its score."""
        cuts = [self._encoder.cut(text) for text in texts]
        found = zip(texts, cuts, self._log_probabilities(cuts), strict=True)
        return [self._reader.read(scores, cut.offsets, text) for text, cut, scores in found]

    @torch.inference_mode()
    def _log_probabilities(self, cuts: Sequence[Tokens]) -> list[Floats]:
        """T × K for every text. Where windows overlap, the one in which a token lies deeper speaks."""
        results = [np.zeros((len(cut.ids), len(self._encoder.tags)), np.float32) for cut in cuts]
        size = self._encoder.window
        todo = [
            _Window(number, start, end) for number, cut in enumerate(cuts) for start, end in windows(len(cut.ids), size)
        ]
        for batch in _batches(sorted(todo, key=lambda window: window.size)):
            logits = self._encoder.logits([cuts[window.text].ids[window.start : window.end] for window in batch])
            for window, scores in zip(batch, logits, strict=True):
                low = margin(size) if window.start else 0
                high = window.size - (margin(size) if window.end < len(cuts[window.text].ids) else 0)
                kept = torch.log_softmax(scores[low:high].float(), dim=-1)
                results[window.text][window.start + low : window.start + high] = kept.cpu().numpy()
        return results


def _batches(ordered: Sequence[_Window]) -> Iterator[list[_Window]]:
    """Batches of windows of about the same length; ``ordered`` from the shortest to the longest."""
    batch: list[_Window] = []
    for window in ordered:
        if batch and (len(batch) + 1) * window.size > _BATCH:
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch
