"""Training on pairs: each anchor must be nearer to its positive than to those of the others.

Multiple negatives ranking loss (Henderson et al. 2017), or InfoNCE (van den Oord et al. 2018), both ways, with hard
negatives; a positive that also answers another anchor is no negative for it (supervised contrastive, Khosla et al.
2020).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from torch.nn.functional import cross_entropy, normalize

from retriever.pretrain.loop import Keep, Report, Schedule, run
from retriever.pretrain.noise import spoilt
from retriever.pretrain.pairs import Batches, Pair, fixed_batches

_TEMPERATURE = 0.05
_SPOILT = 0.5  # share of the texts that may get flaws
_WITH_NEGATIVE = 0.2  # share of the pairs whose hard negative is read too: it costs as much as the positive
_CHUNK = 2048  # word pieces encoded at once, padding included


def train_on_pairs(
    model: SentenceTransformer,
    pairs: Sequence[Pair],
    held_out: Sequence[Pair],
    schedule: Schedule,
    *,
    batch: int,
    characters: int,
    weights: Mapping[str, float],
    seed: int,
    state: Mapping[str, Any] | None,
    keep: Keep,
    on_report: Callable[[Report], None],
    progress: bool,
) -> list[Report]:
    """Teach an encoder pairs; score: share of held-out anchors whose positive is the nearest of its batch.

    Args:
        batch, characters, weights: sizes of a batch, and how often a kind is drawn; see `Batches`.
    """
    batches = Batches(pairs, batch, characters, seed, weights)

    def loss_of(step: int) -> torch.Tensor:
        drawn, dice = batches.draw(step)
        flawed: dict[str, str] = {}  # by text: what comes twice is spoilt alike, hence encoded once

        def spoil(text: str) -> str:
            if text not in flawed:
                flawed[text] = spoilt(text, dice) if dice.random() < _SPOILT else text
            return flawed[text]

        anchors = [spoil(pair.anchor) for pair in drawn]
        positives = [spoil(pair.positive) for pair in drawn]
        hard = [place for place, pair in enumerate(drawn) if pair.negatives and dice.random() < _WITH_NEGATIVE]
        negatives = [spoil(dice.choice(drawn[place].negatives)) for place in hard]
        found = vectors(model, anchors + positives + negatives)
        size = len(drawn)
        return _loss(found[:size], found[size : 2 * size], found[2 * size :], hard, _answered(drawn))

    def score() -> float:
        """The mean over sources' kinds, so that none drowns another."""
        by_kind: dict[str, list[torch.Tensor]] = {}
        for some in fixed_batches(held_out, batch, characters):
            both = vectors(model, [*(pair.anchor for pair in some), *(pair.positive for pair in some)])
            found = both[: len(some)] @ both[len(some) :].T
            found = found.masked_fill(_answered(some).to(found.device), -torch.inf)
            right = found.argmax(1) == torch.arange(len(some), device=found.device)
            by_kind.setdefault(some[0].source.partition(":")[0], []).append(right.float())
        shares = [float(torch.cat(right).mean()) for right in by_kind.values()]
        return sum(shares) / max(len(shares), 1)

    return run(model, schedule, loss_of, score, state=state, keep=keep, on_report=on_report, progress=progress)


def vectors(model: SentenceTransformer, texts: Sequence[str]) -> torch.Tensor:
    """Vectors of norm 1 with their graph, (len(texts), d); texts are cut at the model's window."""
    tokenizer: Any = model.tokenizer
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    cut = tokenizer(list(places), truncation=True, max_length=model.max_seq_length, return_token_type_ids=False)
    ids: list[list[int]] = cut["input_ids"]
    found: list[torch.Tensor] = []
    order: list[int] = []
    for rows in _chunks([len(row) for row in ids]):
        longest = len(ids[rows[0]])
        lengths = torch.tensor([len(ids[row]) for row in rows])
        padded = torch.tensor([ids[row] + [tokenizer.pad_token_id] * (longest - len(ids[row])) for row in rows])
        mask = (torch.arange(longest)[None, :] < lengths[:, None]).long()  # (B, longest)
        features = {"input_ids": padded.to(model.device), "attention_mask": mask.to(model.device)}
        found.append(model(features)["sentence_embedding"])
        order += rows
    unique = normalize(torch.cat(found).float(), dim=1)[torch.tensor(order).argsort().to(model.device)]
    return unique[torch.tensor([places[text] for text in texts]).to(model.device)]


def _chunks(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Rows of about the same length, longest first."""
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    start = 0
    while start < len(order):
        count = max(1, _CHUNK // lengths[order[start]])
        yield order[start : start + count]
        start += count


def _loss(
    anchors: torch.Tensor,
    positives: torch.Tensor,
    negatives: torch.Tensor,
    owners: Sequence[int],
    answered: torch.Tensor,
) -> torch.Tensor:
    """Both ways: the positive among all positives and the anchor's own negative, the anchor among all anchors.

    Args:
        anchors, positives: (B, d).
        negatives: (N, d), of the anchors at ``owners``; they may answer other anchors, hence count for theirs alone.
        answered: (B, B) true where a positive that is not the anchor's own answers it too.
    """
    logits = (anchors @ positives.T / _TEMPERATURE).masked_fill(answered.to(anchors.device), -torch.inf)  # B × B
    wanted = torch.arange(len(anchors), device=anchors.device)
    own = torch.full_like(logits[:, :1], -torch.inf)
    if owners:
        rows = torch.tensor(owners, device=anchors.device)
        own = own.index_copy(0, rows, (anchors[rows] * negatives).sum(1, keepdim=True) / _TEMPERATURE)
    return (cross_entropy(torch.cat([logits, own], dim=1), wanted) + cross_entropy(logits.T, wanted)) / 2


def _answered(pairs: Sequence[Pair]) -> torch.Tensor:
    rows = [[bool(one.asks) and one.asks in other.answers for other in pairs] for one in pairs]
    return torch.tensor(rows) & ~torch.eye(len(pairs), dtype=torch.bool)
