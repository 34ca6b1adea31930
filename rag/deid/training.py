"""Training of the tagger: examples in, a model folder out. Goes on after a kill as if there had been none.

``OUT`` holds the best model so far (by entity F1 on the development examples), ``manifest.json`` (what it was made of)
and, while training lasts, ``checkpoint.pt`` (the state after the last whole epoch).
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from rag.checkpoint import MANIFEST, drop_checkpoint, made_of, read_checkpoint, write_checkpoint, write_manifest
from rag.deid.examples import Example
from rag.deid.ner import NerTagger
from rag.deid.ner_encoder import Encoder, load_encoder, set_threshold, windows
from rag.deid.ner_new import new_encoder
from rag.deid.ner_tags import TAGS, tag_tokens
from schema.problem import InputError, Problem

_WARM_UP = 0.06  # share of the steps during which the learning rate rises
_PATIENCE = 3  # epochs without a better F1 before the end
_DECAY = 0.01
_LARGEST_GRADIENT = 1.0


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How to train. All of it decides the result and is written in the manifest.

    Args:
        encoder: folder of the model to start from; None makes a small new one with its own tokenizer.
        epochs: passes over the examples, at most.
        batch_size: windows of text per step.
        learning_rate: the highest; None: 1e-3 for a new encoder, 5e-5 for one that exists.
        threshold: the model keeps the spans whose mean probability of identifying somebody is at least this.
        seed: decides the new weights, the order of the examples and where windows begin.
    """

    encoder: Path | None = None
    epochs: int = 10
    batch_size: int = 16
    learning_rate: float | None = None
    threshold: float = 0.5
    seed: int = 0

    @property
    def rate(self) -> float:
        """The highest learning rate."""
        return self.learning_rate or (1e-3 if self.encoder is None else 5e-5)


@dataclass(frozen=True, slots=True)
class EpochReport:
    """One pass, the first being 1: mean loss by token, and strict entity scores on the development examples."""

    epoch: int
    loss: float
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class _Window:
    ids: list[int]
    tags: list[int]


def train(
    plan: TrainingPlan,
    examples: Sequence[Example],
    development: Sequence[Example],
    out: Path,
    *,
    resume: bool = False,
    progress: bool = False,
    on_epoch: Callable[[EpochReport], None] = lambda report: None,
) -> list[EpochReport]:
    """Train, and leave in ``out`` the model of the best epoch; give the report of every epoch.

    Raises:
        InputError: nothing to train on; ``out`` holds a model and ``resume`` was not asked; the checkpoint is another
            training's.
    """
    made = _made_of(plan, examples, development)
    checkpoint = read_checkpoint(out, made, resume)
    torch.manual_seed(plan.seed)
    if plan.encoder is None:
        encoder = new_encoder([example.text for example in examples])
    else:
        encoder = load_encoder(plan.encoder, TAGS)
    set_threshold(encoder, plan.threshold)
    if torch.cuda.is_available():
        encoder.model.cuda()  # type: ignore[call-arg]  # the stub of the decorated method lacks self
    cuts = [encoder.cut(example.text) for example in examples]
    tagged = [
        _Window(cut.ids, tag_tokens(cut.offsets, example.entities)) for cut, example in zip(cuts, examples, strict=True)
    ]
    state = _State(plan, encoder, sum(len(windows(len(text.ids), encoder.window)) for text in tagged))
    reports: list[EpochReport] = []
    if checkpoint is not None:
        state.restore(checkpoint)
        reports = [EpochReport(**report) for report in checkpoint["reports"]]
    out.mkdir(parents=True, exist_ok=True)
    for epoch in range(len(reports), plan.epochs):
        if _is_over(reports):
            break
        loss = state.run(_draw(tagged, encoder.window, plan, epoch), epoch, progress)
        precision, recall, f1 = entity_scores(NerTagger(encoder), development)
        reports.append(EpochReport(epoch + 1, loss, precision, recall, f1))
        if _best(reports) == epoch:
            encoder.save(out)
            write_manifest(out, made | {"best": asdict(reports[-1])})
        write_checkpoint(out, state.checkpoint(made, reports))
        on_epoch(reports[-1])
    manifest = made | {"best": asdict(reports[_best(reports)]), "epochs": [asdict(report) for report in reports]}
    write_manifest(out, manifest)
    drop_checkpoint(out)
    return reports


def entity_scores(tagger: NerTagger, examples: Sequence[Example]) -> tuple[float, float, float]:
    """Strict precision, recall and F1: same place, same label."""
    found = tagger.tag([example.text for example in examples])
    right = said = meant = 0
    for example, entities in zip(examples, found, strict=True):
        right += len(set(entities) & set(example.entities))
        said += len(entities)
        meant += len(example.entities)
    precision, recall = right / max(said, 1), right / max(meant, 1)
    return precision, recall, 2 * right / max(said + meant, 1)


class _State:
    """The model while it learns: weights, optimizer, learning rate."""

    def __init__(self, plan: TrainingPlan, encoder: Encoder, count: int) -> None:
        self._plan, self._encoder = plan, encoder
        self._steps = max(1, plan.epochs * -(-count // plan.batch_size))
        self._step = 0
        flat = [weight for weight in encoder.model.parameters() if weight.ndim < 2]
        deep = [weight for weight in encoder.model.parameters() if weight.ndim >= 2]
        groups = [{"params": deep, "weight_decay": _DECAY}, {"params": flat, "weight_decay": 0.0}]
        self._optimizer = torch.optim.AdamW(groups, lr=plan.rate, betas=(0.9, 0.98))

    def run(self, drawn: Sequence[_Window], epoch: int, progress: bool) -> float:
        """One epoch; give the mean loss by token."""
        model = self._encoder.model.train()
        torch.manual_seed(_dice("dropout", self._plan, epoch).getrandbits(62))
        total, tokens = 0.0, 0
        batches = list(_batches(drawn, self._plan.batch_size, _dice("batches", self._plan, epoch)))
        for batch in tqdm(batches, desc=f"epoch {epoch + 1}", unit="batch", disable=not progress):
            logits = torch.cat(self._encoder.logits([window.ids for window in batch]))  # sum of T × K
            wanted = torch.tensor([tag for window in batch for tag in window.tags], device=logits.device)
            loss = cross_entropy(logits, wanted)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), _LARGEST_GRADIENT)
            for group in self._optimizer.param_groups:
                group["lr"] = self._plan.rate * _rise_and_fall(self._step / self._steps)
            self._optimizer.step()
            self._optimizer.zero_grad()
            self._step += 1
            total += loss.item() * len(wanted)
            tokens += len(wanted)
        return total / max(tokens, 1)

    def checkpoint(self, made_of: dict[str, Any], reports: Sequence[EpochReport]) -> dict[str, Any]:
        return {
            "made_of": made_of,
            "reports": [asdict(report) for report in reports],
            "step": self._step,
            "model": self._encoder.model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }

    def restore(self, checkpoint: dict[str, Any]) -> None:
        self._step = checkpoint["step"]
        self._encoder.model.load_state_dict(checkpoint["model"])
        self._optimizer.load_state_dict(checkpoint["optimizer"])


def _rise_and_fall(done: float) -> float:
    """Share of the highest learning rate: linear up, then linear down."""
    return (done + 1e-3) / _WARM_UP if done < _WARM_UP - 1e-3 else max(0.0, (1.0 - done) / (1.0 - _WARM_UP))


def _draw(texts: Sequence[_Window], size: int, plan: TrainingPlan, epoch: int) -> list[_Window]:
    """The windows of one epoch. Those of a long text begin elsewhere every time, so that no border is learnt."""
    dice = _dice("windows", plan, epoch)
    drawn = []
    for text in texts:
        if len(text.ids) <= size:
            bounds = [(0, len(text.ids))] if text.ids else []
        else:
            first = dice.randrange(size // 2, size)
            bounds = [(0, first), *((at, min(at + size, len(text.ids))) for at in range(first, len(text.ids), size))]
        drawn += [_Window(text.ids[start:end], text.tags[start:end]) for start, end in bounds]
    return drawn


def _batches(drawn: Sequence[_Window], size: int, dice: random.Random) -> Iterator[list[_Window]]:
    """Batches of windows of about the same length, in any order."""
    order = sorted(range(len(drawn)), key=lambda number: (len(drawn[number].ids) // 16, dice.random()))
    cut = [order[at : at + size] for at in range(0, len(order), size)]
    dice.shuffle(cut)
    for numbers in cut:
        yield [drawn[number] for number in numbers]


def _dice(use: str, plan: TrainingPlan, epoch: int) -> random.Random:
    """The chance of one epoch depends on nothing that came before, so that a resumed training draws the same."""
    return random.Random(f"{use} {plan.seed} {epoch}")  # noqa: S311 (reproducible, no secret)


def _is_over(reports: Sequence[EpochReport]) -> bool:
    """Nothing better for some epochs. A new model finds nothing at all at first: that is no end."""
    best = _best(reports)
    return len(reports) - best > _PATIENCE and reports[best].f1 > 0


def _best(reports: Sequence[EpochReport]) -> int:
    """The place of the first report with the highest F1; 0 without report."""
    return max(range(len(reports)), key=lambda place: (reports[place].f1, -place), default=0)


def _made_of(plan: TrainingPlan, examples: Sequence[Example], development: Sequence[Example]) -> dict[str, Any]:
    if not any(example.entities for example in examples) or not any(example.entities for example in development):
        what = "no example with an identifying span, for training or for development."
        raise InputError(Problem("training examples", what, "Give annotated texts (BRAT folder or .jsonl)."))
    settings = asdict(plan) | {"encoder": _encoder(plan.encoder), "learning_rate": plan.rate}
    texts, held_out = ([(example.text, example.entities) for example in some] for some in (examples, development))
    return made_of(settings, texts, held_out)


def _encoder(folder: Path | None) -> dict[str, Any] | None:
    """The encoder's name, the hash of its files, and its own manifest where it is a tagger already."""
    if folder is None:
        return None
    total = hashlib.sha256()
    for file in sorted(file for file in folder.glob("*") if file.is_file()):
        total.update(file.name.encode() + file.read_bytes())
    manifest = folder / MANIFEST
    made_of = json.loads(manifest.read_text(encoding="utf-8")) if manifest.exists() else None
    return {"name": folder.name, "sha256": total.hexdigest(), "manifest": made_of}
