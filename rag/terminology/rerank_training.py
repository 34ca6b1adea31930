"""Training of the re-ranker: annotated texts and a dictionary in, a model folder out. Goes on after a kill.

``OUT`` holds the best model so far (by the share of held-out mentions whose concept comes first), ``manifest.json``
(what it was made of) and, while training lasts, ``checkpoint.pt`` (the state after the last whole epoch).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from rag.brat import BratDocument
from rag.checkpoint import drop_checkpoint, made_of, read_checkpoint, write_checkpoint, write_manifest
from rag.terminology.loaders.brat import concepts_of
from rag.terminology.model import TermIndex
from rag.terminology.rerank import Pair, Reranker, described, in_context
from rag.terminology.similar import SimilarNames
from rag.terminology.tokens import key
from schema.problem import InputError, Problem

_RIVALS = 10  # concepts that a mention is compared with
_HELD_OUT = 10  # one document in so many chooses the best epoch
_DECAY = 0.01
_LARGEST_GRADIENT = 1.0


@dataclass(frozen=True, slots=True)
class RerankPlan:
    """How to train. All of it decides the result and is written in the manifest.

    Args:
        encoder: folder of the model to start from.
        epochs: passes over the mentions.
        batch_size: mentions per step.
        learning_rate: the highest; it falls linearly.
        seed: decides the new weights, the held-out documents and the order of mentions.
    """

    encoder: Path
    epochs: int = 3
    batch_size: int = 8
    learning_rate: float = 3e-5
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """A mention with the concepts that it may have; ``right`` tells which the annotators chose, at least one."""

    pairs: tuple[Pair, ...]
    right: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class RerankEpoch:
    """One pass, the first being 1: mean loss by mention, and the share of held-out mentions that are right."""

    epoch: int
    loss: float
    accuracy: float


def choices(documents: Iterable[BratDocument], index: TermIndex) -> list[Choice]:
    """The mentions of annotated texts with the ten concepts nearest to each, in the texts' order.

    Left out are mentions whose concept is not among the ten, and those with no rival.
    """
    similar = SimilarNames(index)
    mentions: list[tuple[str, str, frozenset[str]]] = []
    for document in documents:
        for entity in document.entities:
            start, end = entity.fragments[0][0], entity.fragments[-1][1]
            concepts = frozenset(concepts_of(entity))
            if concepts:
                written = " ".join(document.text[a:b] for a, b in entity.fragments)
                mentions.append((written, in_context(document.text, start, end), concepts))
    nearest = similar.nearest([written for written, _, _ in mentions], _RIVALS)
    found = []
    for (written, context, concepts), some in zip(mentions, nearest, strict=True):
        named = {term.concept_id: term.text for term in index.lookup(key(written))}
        named |= {one.term.concept_id: one.term.text for one in some if one.term.concept_id not in named}
        offered = list(named.items())[:_RIVALS]
        right = tuple(concept in concepts for concept, _ in offered)
        if any(right) and not all(right):
            pairs = (Pair(context, described(index.concept(concept), name)) for concept, name in offered)
            found.append(Choice(tuple(pairs), right))
    return found


def hold_out(documents: Sequence[BratDocument], seed: int) -> tuple[list[BratDocument], list[BratDocument]]:
    """The documents to learn from, and one in ten to choose the best epoch."""
    dice = random.Random(f"held out {seed}")  # noqa: S311 (reproducible, no secret)
    held = set(dice.sample(range(len(documents)), max(1, len(documents) // _HELD_OUT))) if documents else set()
    rest = [document for place, document in enumerate(documents) if place not in held]
    return rest, [document for place, document in enumerate(documents) if place in held]


def train_reranker(
    plan: RerankPlan,
    examples: Sequence[Choice],
    development: Sequence[Choice],
    out: Path,
    *,
    resume: bool = False,
    progress: bool = False,
    on_epoch: Callable[[RerankEpoch], None] = lambda report: None,
) -> list[RerankEpoch]:
    """Train, and leave in ``out`` the model of the best epoch; give the report of every epoch.

    Raises:
        InputError: nothing to train on; ``out`` holds a model and ``resume`` was not asked; the checkpoint is another
            training's.
    """
    made = _made_of(plan, examples, development)
    checkpoint = read_checkpoint(out, made, resume)
    torch.manual_seed(plan.seed)
    reranker = Reranker.load(plan.encoder)
    if torch.cuda.is_available():
        reranker.model.cuda()
    optimizer = torch.optim.AdamW(reranker.model.parameters(), lr=plan.learning_rate, weight_decay=_DECAY)
    reports: list[RerankEpoch] = []
    if checkpoint is not None:
        reranker.model.load_state_dict(checkpoint["model"])
        optimizer.load_state_dict(checkpoint["optimizer"])
        reports = [RerankEpoch(**report) for report in checkpoint["reports"]]
    out.mkdir(parents=True, exist_ok=True)
    for epoch in range(len(reports), plan.epochs):
        loss = _run(reranker, optimizer, examples, plan, epoch, progress)
        reports.append(RerankEpoch(epoch + 1, loss, accuracy(reranker, development)))
        if _best(reports) == epoch:
            reranker.save(out)
        write_manifest(out, made | {"epochs": [asdict(report) for report in reports]})
        state = {
            "made_of": made,
            "reports": [asdict(report) for report in reports],
            "model": reranker.model.state_dict(),
            "optimizer": optimizer.state_dict(),
        }
        write_checkpoint(out, state)
        on_epoch(reports[-1])
    drop_checkpoint(out)
    return reports


def accuracy(reranker: Reranker, examples: Sequence[Choice]) -> float:
    """The share of mentions whose likeliest concept is right."""
    return sum(one.right[int(reranker.shares(one.pairs).argmax())] for one in examples) / max(1, len(examples))


def _run(
    reranker: Reranker,
    optimizer: torch.optim.Optimizer,
    examples: Sequence[Choice],
    plan: RerankPlan,
    epoch: int,
    progress: bool,
) -> float:
    """One epoch; the mean loss by mention: minus the log of the probability given to the right concepts."""
    model = reranker.model.train()
    # The chance of one epoch depends on nothing that came before: a resumed training draws the same.
    dice = random.Random(f"{plan.seed} {epoch}")  # noqa: S311 (reproducible, no secret)
    torch.manual_seed(dice.getrandbits(62))
    order = dice.sample(range(len(examples)), len(examples))
    batches = [order[at : at + plan.batch_size] for at in range(0, len(order), plan.batch_size)]
    total = 0.0
    for number, batch in enumerate(tqdm(batches, f"epoch {epoch + 1}", unit="batch", disable=not progress)):
        some = [examples[place] for place in batch]
        logits = reranker.logits([pair for one in some for pair in one.pairs])  # (sum of candidates,)
        losses = []
        sizes = [len(one.pairs) for one in some]
        for one, scores in zip(some, torch.split(logits, sizes), strict=True):
            right = torch.tensor(one.right, device=scores.device)
            losses.append(torch.logsumexp(scores, 0) - torch.logsumexp(scores[right], 0))
        loss = torch.stack(losses).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), _LARGEST_GRADIENT)
        done = (epoch + number / len(batches)) / plan.epochs
        for group in optimizer.param_groups:
            group["lr"] = plan.learning_rate * (1 - done)
        optimizer.step()
        optimizer.zero_grad()
        total += loss.item() * len(some)
    return total / max(1, len(examples))


def _best(reports: Sequence[RerankEpoch]) -> int:
    """The place of the first report with the highest accuracy."""
    return max(range(len(reports)), key=lambda place: (reports[place].accuracy, -place))


def _made_of(plan: RerankPlan, examples: Sequence[Choice], development: Sequence[Choice]) -> dict[str, Any]:
    if not examples or not development:
        what = "hold no mention whose concept is in the terminology beside others like it."
        remedy = "Give more of them, or a terminology with the concepts that their notes name."
        raise InputError(Problem("the annotated texts", what, remedy))
    return made_of(asdict(plan) | {"encoder": str(plan.encoder)}, examples, development)
