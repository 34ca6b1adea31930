"""How well a model foretells a text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

#: Tokens read together; enough to tell a broken model from a sound one.
_WINDOW = 512


def perplexity(model: Any, tokenizer: Any, texts: Sequence[str]) -> float:
    """exp of the mean negative log-likelihood of the tokens of ``texts``, each cut into windows of 512 tokens.

    Returns:
        At least 1; infinite when the model gives NaN, or when no text has two tokens.
    """
    import torch

    limit = min(_WINDOW, int(model.config.max_position_embeddings))
    total, count = 0.0, 0
    for text in texts:
        numbers = tokenizer(text, return_tensors="pt")["input_ids"][0]
        for start in range(0, len(numbers) - 1, limit):
            window = numbers[start : start + limit].unsqueeze(0)
            if window.shape[1] < 2:
                continue
            with torch.no_grad():
                mean = float(model(input_ids=window, labels=window).loss)
            total += mean * (window.shape[1] - 1)
            count += window.shape[1] - 1
    mean = total / count if count else math.inf
    return math.exp(min(mean, 700.0)) if math.isfinite(mean) else math.inf
