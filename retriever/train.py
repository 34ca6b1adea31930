"""Training of the scorer from weak labels: one patient a step, a listwise loss over that patient's passages.

The weights over passages come from a table alone (`retriever.weak`, the generator's own reading), so that none is
sure. Two losses share the work, see `loss_of`. A few rounds of self-training then let the model's own ranking settle
which passages of a bag are the right ones.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from retriever.features import MEASURES, PassageMeasures
from retriever.kinds import KINDS
from retriever.model import Encode, TemporalModel, read_questions, with_prior
from retriever.prior import PRIORS, Counts, Prior, Traits, count, traits_of
from retriever.query import query_text
from retriever.recurrent import TemporalConfig, TimelineTensors
from retriever.score import Asked, PassageScorer, ScorerConfig
from retriever.timeline import EncodedTimeline
from retriever.weak import Weights
from schema.study import VariableHints
from schema.variable import Question


@dataclass(frozen=True)
class Lesson:
    """What one patient teaches.

    Args:
        cohort: name of the cohort; patients of one share a dictionary.
        questions: Q of them, each with a value in the table.
        targets: (Q, N) weight of each passage, not negative; a row without any weight teaches nothing.
        hints: Q of them, synonyms of the variables.
    """

    cohort: str
    timeline: EncodedTimeline
    questions: tuple[Question, ...]
    targets: Weights
    hints: tuple[VariableHints | None, ...]


@dataclass(frozen=True)
class TrainingPlan:
    """How to train.

    Args:
        epochs: times that every patient is seen, in each round.
        patience: epochs without progress on the patients held out before a round stops.
        rounds: of self-training, after the first training.
        questions: drawn of one patient at each step.
        rate: greatest learning rate of AdamW (Loshchilov and Hutter 2019), reached after a tenth of the steps.
        weak: share of the loss that lets the model choose in a bag, see `loss_of`.
        unknown: share of the steps in which the prior has nothing of this cohort, so that a new dictionary is no shock.
        seed: of everything drawn.
    """

    epochs: int = 12
    patience: int = 3
    rounds: int = 0
    questions: int = 24
    rate: float = 2e-3
    decay: float = 1e-2
    weak: float = 0.5
    unknown: float = 0.4
    seed: int = 0


@dataclass(frozen=True)
class Progress:
    """One epoch: losses per question of the patients learned from and of those held out (None without any)."""

    round: int
    epoch: int
    loss: float
    held_out: float | None


class Trainer:
    """Trains a model; `state` and `restore` let a killed training go on to the same end.

    Args:
        lessons: patients to learn from, at least one.
        held_out: patients whose loss says when a round stops; the weights of its best epoch are kept.
        encode: vectors of the texts of questions.
        start: a model to go on from, with its prior; of the same encoder.
    """

    def __init__(
        self,
        lessons: Sequence[Lesson],
        held_out: Sequence[Lesson],
        config: ScorerConfig,
        plan: TrainingPlan,
        encode: Encode,
        start: TemporalModel | None = None,
    ) -> None:
        torch.manual_seed(plan.seed)
        self._plan = plan
        self._start = start
        self._learned_from = [_Read.of(lesson, encode) for lesson in lessons]
        self._held_out = [_Read.of(lesson, encode) for lesson in held_out]
        self._scorer = PassageScorer(start.scorer.config if start else config)
        if start:
            self._scorer.load_state_dict(start.scorer.state_dict())
        self._round = self._epoch = 0
        self._best: tuple[float, dict[str, Tensor]] | None = None
        self._learn_prior()
        self._begin_round()

    def run(self, encoder_name: str, on_epoch: Callable[[Progress], None] = lambda _: None) -> TemporalModel:
        """Train to the end. ``on_epoch`` is called after each epoch, when `state` may be kept."""
        while self._round <= self._plan.rounds:
            if self._epoch < self._plan.epochs and self._waited < self._plan.patience:
                on_epoch(self._run_epoch())
                continue
            self._scorer.load_state_dict(self._best[1] if self._best else self._scorer.state_dict())
            self._round += 1
            if self._round <= self._plan.rounds:
                self._learned_from = self._settled()
                self._learn_prior()
                self._begin_round()
        return TemporalModel(self._scorer, self._prior, encoder_name)

    def state(self) -> dict[str, Any]:
        """All that `restore` needs: tensors and plain values."""
        return {
            "round": self._round,
            "epoch": self._epoch,
            "waited": self._waited,
            "best": self._best and list(self._best),
            "scorer": self._scorer.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "targets": [torch.from_numpy(one.targets) for one in self._learned_from] if self._round else [],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state` of a trainer made with the same arguments."""
        self._round, self._epoch = state["round"], state["epoch"]
        if state["targets"]:
            pairs = zip(self._learned_from, state["targets"], strict=True)
            self._learned_from = [replace(one, targets=targets.numpy()) for one, targets in pairs]
            self._learn_prior()
        self._begin_round()
        self._epoch, self._waited = state["epoch"], state["waited"]
        self._best = (state["best"][0], state["best"][1]) if state["best"] else None
        self._scorer.load_state_dict(state["scorer"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])

    def _learn_prior(self) -> None:
        taught = [one.by_wording() for one in self._learned_from]
        ours = Prior.learned((one.traits, of) for one, of in zip(self._learned_from, taught, strict=True))
        self._prior = ours.added_to(self._start.prior) if self._start else ours
        of_cohort: dict[str, dict[str, Counts]] = {}
        for one, of in zip(self._learned_from, taught, strict=True):
            held = of_cohort.setdefault(one.lesson.cohort, {})
            held.update((wording, ours.counts[wording]) for wording in of if wording in ours.counts)
        self._asked = [
            (self._read(one, count(one.traits, of)), self._read(one, of_cohort[one.lesson.cohort]))
            for one, of in zip(self._learned_from, taught, strict=True)
        ]
        self._held_asked = [self._read(one, {}) for one in self._held_out]

    def _read(self, one: _Read, without: Mapping[str, Counts]) -> Asked:
        return with_prior(one.asked, self._prior, one.traits, one.lesson.questions, without)

    def _begin_round(self) -> None:
        plan = self._plan
        self._optimizer = torch.optim.AdamW(self._scorer.parameters(), plan.rate, weight_decay=plan.decay)
        steps = plan.epochs * len(self._learned_from) + 1
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(self._optimizer, plan.rate, steps, pct_start=0.1)
        self._epoch = self._waited = 0
        self._best = None

    def _run_epoch(self) -> Progress:
        # Everything drawn in an epoch follows from its number, so that a training resumed there ends alike.
        drawn = [self._plan.seed, self._round, self._epoch]
        random = np.random.default_rng(drawn)
        torch.manual_seed(int(random.integers(2**31)))
        self._scorer.train()
        losses = []
        for i in random.permutation(len(self._learned_from)).tolist():
            asked = self._asked[i][random.random() < self._plan.unknown]
            loss = self._loss(self._learned_from[i], asked, random)
            if loss is not None:
                self._optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(self._scorer.parameters(), 1.0)
                self._optimizer.step()
                losses.append(float(loss.detach()))
            self._schedule.step()
        self._scorer.eval()
        held = self._held_loss()
        if held is not None:
            if self._best is None or held < self._best[0]:
                self._best, self._waited = (held, copy.deepcopy(self._scorer.state_dict())), 0
            else:
                self._waited += 1
        self._epoch += 1
        return Progress(self._round, self._epoch, float(np.mean(losses or [0.0])), held)

    def _loss(self, one: _Read, asked: Asked, random: np.random.Generator) -> Tensor | None:
        taught = random.permutation(np.flatnonzero(one.targets.sum(axis=1) > 0))[: self._plan.questions]
        if not len(taught):
            return None
        places = torch.from_numpy(taught.copy())
        tensors, kept = _thinned(one.tensors, random)
        targets = torch.from_numpy(one.targets)[places][:, kept]
        left = targets.sum(dim=1) > 0
        if not left.any():
            return None
        asked = _dropped(asked.some(places[left]).among(kept), random)
        scores = self._scorer(tensors, self._scorer.temporal(tensors).passages, asked)
        return loss_of(scores, targets[left], self._plan.weak).mean()

    def _held_loss(self) -> float | None:
        losses: list[float] = []
        with torch.inference_mode():
            for one, asked in zip(self._held_out, self._held_asked, strict=True):
                places = torch.from_numpy(np.flatnonzero(one.targets.sum(axis=1) > 0))
                if len(places):
                    scores = self._scores(one, asked.some(places))
                    losses += loss_of(scores, torch.from_numpy(one.targets)[places], self._plan.weak).tolist()
        return float(np.mean(losses)) if losses else None

    def _scores(self, one: _Read, asked: Asked) -> Tensor:
        scores: Tensor = self._scorer(one.tensors, self._scorer.temporal(one.tensors).passages, asked)
        return scores

    def _settled(self) -> list[_Read]:
        """The bags as the model sees them now: half their own weights, half the model's choice among them."""
        settled = []
        for one, (asked, _) in zip(self._learned_from, self._asked, strict=True):
            with torch.inference_mode():
                chosen = torch.softmax(self._scores(one, asked), dim=1).numpy()
            shares = _shares(one.targets)
            targets = 0.5 * shares + 0.5 * _shares(chosen * shares)
            settled.append(replace(one, targets=targets.astype(np.float32)))
        return settled


def _shares(weights: Weights) -> Weights:
    """Each row over its sum; a row of zeros stays so."""
    total = weights.sum(axis=1, keepdims=True)
    shares: Weights = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    return shares


def loss_of(scores: Tensor, targets: Tensor, weak: float) -> Tensor:
    """The loss of each question, shape (Q,).

    ``weak`` of it is that of MIL-NCE (Miech et al. 2020), -log of the probability that the model gives to the bag,
    each passage counting by its weight over the greatest: one right passage is enough. The rest is the divergence
    from the weights taken as a distribution, as in perplexity distillation (Izacard et al. 2023): every passage that
    tells the value should rank high.

    Args:
        scores: (Q, N).
        targets: (Q, N), not negative, some positive in every row.
    """
    log_shares = torch.log_softmax(scores, dim=1)
    bag = torch.log(targets / targets.amax(dim=1, keepdim=True))  # -inf outside the bag
    chosen = -torch.logsumexp(log_shares + bag, dim=1)
    sharpened = targets**2
    spread = -(sharpened / sharpened.sum(dim=1, keepdim=True) * log_shares).sum(dim=1)
    return weak * chosen + (1 - weak) * spread


@dataclass(frozen=True)
class _Read:
    """A lesson with what is computed once."""

    lesson: Lesson
    targets: Weights
    asked: Asked
    traits: list[Traits]
    tensors: TimelineTensors

    @classmethod
    def of(cls, lesson: Lesson, encode: Encode) -> _Read:
        timeline = lesson.timeline
        measures = PassageMeasures(timeline.passages)
        asked = read_questions(timeline, measures, lesson.questions, lesson.hints, encode)
        return cls(lesson, lesson.targets, asked, traits_of(timeline), TimelineTensors.of(timeline))

    def by_wording(self) -> dict[str, Weights]:
        return {query_text(q): row for q, row in zip(self.lesson.questions, self.targets, strict=True)}


def _thinned(tensors: TimelineTensors, random: np.random.Generator) -> tuple[TimelineTensors, Tensor]:
    """Every other time, the record as another hospital would have kept it, and the passages that are left: (n,).

    Up to half of the documents are missing, the time between them is stretched or shrunk, and one kind in ten is not
    known: what is learned of the order of events must not lean on one hospital's habits.
    """
    documents, size = len(tensors.kinds), len(tensors.owner)
    if random.random() < 0.5 or not documents:
        return tensors, torch.arange(size)
    held = torch.from_numpy(random.random(documents) >= random.random() / 2)
    kept = torch.nonzero(held[tensors.owner])[:, 0]
    gaps = torch.diff(tensors.days[held], prepend=tensors.days[:1])
    stretched = gaps * torch.from_numpy(np.exp(random.normal(0, 0.3, len(gaps))).astype(np.float32))
    unknown = torch.from_numpy(random.random(documents) < 0.1)
    kinds = torch.where(unknown, len(KINDS) - 1, tensors.kinds)
    places = torch.cumsum(held, dim=0) - 1
    thinned = TimelineTensors(
        tensors.vectors[kept], places[tensors.owner[kept]], kinds[held], torch.cumsum(stretched, 0), tensors.dated[held]
    )
    return thinned, kept


def _dropped(asked: Asked, random: np.random.Generator) -> Asked:
    """Questions made harder at random, so that no source of evidence is leaned on alone.

    A part of a question is missing one time in ten, and so is a group of measures. One question in ten is mute: the
    measures alone are left. One in five says something never heard, as the question of another dictionary may: its
    vectors are noise, and only what its words share with the passages can be trusted.
    """
    facets, measures = asked.facets.clone(), asked.measures.clone()
    questions = len(facets)
    heard = facets.abs().sum(dim=-1, keepdim=True) > 0  # (Q, len(FACETS), 1)
    strange = torch.from_numpy(random.normal(size=facets.shape).astype(np.float32))
    strange = torch.nn.functional.normalize(strange, dim=-1) * heard
    unheard = torch.from_numpy(random.random(questions) < 0.2)
    facets[unheard] = strange[unheard]
    facets[torch.from_numpy(random.random(facets.shape[:2]) < 0.1)] = 0
    facets[torch.from_numpy(random.random(questions) < 0.1)] = 0
    for columns in _SOURCES:
        lacking = torch.from_numpy(random.random(questions) < 0.1)
        measures[lacking[:, None, None] & columns.expand_as(measures)] = 0
    return Asked(facets, asked.value_kinds, measures)


def _columns(*names: str) -> Tensor:
    return torch.tensor([name in names for name in (*MEASURES, *PRIORS)])


_SOURCES = (
    _columns("concepts", "concept_named", "concept_family"),
    _columns("words", "words_rank", "label", "label_rank", "choices", "note", "sentence"),
    _columns(*PRIORS),
)


def default_config(dimension: int, **switches: Any) -> ScorerConfig:
    """The configuration of the shipped model, for an encoder of ``dimension`` numbers; switches of `TemporalConfig`."""
    return ScorerConfig(TemporalConfig(dim=dimension, **switches))
