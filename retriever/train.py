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
from retriever.model import Encode, TemporalModel, read_questions
from retriever.prior import PRIORS, Counts, Prior, count, traits_of
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
    rounds: int = 1
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
    """Trains a model; `state` and `restore` let a killed training go on.

    Args:
        lessons: patients to learn from.
        held_out: patients whose loss says when to stop; the model of the best epoch is kept.
        start: a model to go on from, with its prior; of the same encoder.
        encode: vectors of the texts of questions.
    """

    def __init__(
        self,
        lessons: Sequence[Lesson],
        held_out: Sequence[Lesson],
        config: ScorerConfig,
        plan: TrainingPlan,
        encode: Encode,
        encoder_name: str,
        start: TemporalModel | None = None,
    ) -> None:
        torch.manual_seed(plan.seed)
        self._plan = plan
        self._encode = encode
        self._encoder_name = encoder_name
        self._start = start
        self._lessons = [_Read.of(lesson) for lesson in lessons]
        self._held_out = [_Read.of(lesson) for lesson in held_out]
        self._scorer = PassageScorer(start.scorer.config if start else config)
        if start:
            self._scorer.load_state_dict(start.scorer.state_dict())
        self._learn_prior()

    def run(self, on_epoch: Callable[[Progress], None] = lambda _: None) -> TemporalModel:
        """Train to the end."""
        for round_ in range(self._plan.rounds + 1):
            if round_:
                self._lessons = [replace(one, targets=self._settled(one)) for one in self._lessons]
                self._learn_prior()
            self._round(round_, on_epoch)
        return TemporalModel(self._scorer, self._prior, self._encoder_name)

    def _learn_prior(self) -> None:
        own = [count(one.traits, one.by_wording()) for one in self._lessons]
        self._prior = Prior.learned((one.traits, one.by_wording()) for one in self._lessons)
        if self._start:
            self._prior = self._prior.added_to(self._start.prior)
        cohorts: dict[str, dict[str, Counts]] = {}
        for one in self._lessons:
            cohorts.setdefault(one.lesson.cohort, {})
        for cohort in cohorts:
            cohorts[cohort] = {w: self._prior.counts[w] for o in self._lessons if o.lesson.cohort == cohort
                               for w in o.by_wording() if w in self._prior.counts}  # fmt: skip
        self._asked = [
            (self._read(one, its), self._read(one, cohorts[one.lesson.cohort]))
            for one, its in zip(self._lessons, own, strict=True)
        ]
        self._held_asked = [self._read(one, {}) for one in self._held_out]

    def _read(self, one: _Read, without: Mapping[str, Counts]) -> Asked:
        lesson = one.lesson
        return read_questions(
            self._prior, lesson.timeline, one.measures, lesson.questions, lesson.hints, self._encode, without
        )

    def _round(self, round_: int, on_epoch: Callable[[Progress], None]) -> None:
        plan = self._plan
        random = np.random.default_rng([plan.seed, round_])
        optimizer = torch.optim.AdamW(self._scorer.parameters(), plan.rate, weight_decay=plan.decay)
        steps = max(1, plan.epochs * len(self._lessons))
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, plan.rate, total_steps=steps + 1, pct_start=0.1)
        best: tuple[float, dict[str, Any]] | None = None
        waited = 0
        for epoch in range(plan.epochs):
            self._scorer.train()
            losses = []
            for i in random.permutation(len(self._lessons)):
                known, unknown = self._asked[i]
                asked = unknown if random.random() < plan.unknown else known
                loss = self._step(self._lessons[i], asked, random)
                if loss is not None:
                    optimizer.zero_grad()
                    loss.backward()  # type: ignore[no-untyped-call]
                    torch.nn.utils.clip_grad_norm_(self._scorer.parameters(), 1.0)
                    optimizer.step()
                    losses.append(float(loss.detach()))
                schedule.step()
            held = self._held_loss()
            on_epoch(Progress(round_, epoch, float(np.mean(losses or [0.0])), held))
            if held is not None:
                if best is None or held < best[0] - 1e-4:
                    best, waited = (held, copy.deepcopy(self._scorer.state_dict())), 0
                else:
                    waited += 1
                    if waited >= plan.patience:
                        break
        if best:
            self._scorer.load_state_dict(best[1])
        self._scorer.eval()

    def _step(self, one: _Read, asked: Asked, random: np.random.Generator) -> Tensor | None:
        taught = np.flatnonzero(one.targets.sum(axis=1) > 0)
        if not len(taught):
            return None
        chosen = torch.from_numpy(random.permutation(taught)[: self._plan.questions].copy())
        asked = _dropped(asked.some(chosen), random)
        scores = self._scorer(one.tensors, self._scorer.temporal(one.tensors).passages, asked)
        return loss_of(scores, torch.from_numpy(one.targets)[chosen], self._plan.weak).mean()

    def _held_loss(self) -> float | None:
        self._scorer.eval()
        losses: list[float] = []
        with torch.inference_mode():
            for one, asked in zip(self._held_out, self._held_asked, strict=True):
                taught = torch.from_numpy(np.flatnonzero(one.targets.sum(axis=1) > 0))
                if len(taught):
                    scores = self._scorer(one.tensors, self._scorer.temporal(one.tensors).passages, asked.some(taught))
                    losses += loss_of(scores, torch.from_numpy(one.targets)[taught], self._plan.weak).tolist()
        return float(np.mean(losses)) if losses else None

    def _settled(self, one: _Read) -> Weights:
        """The bags as the model sees them now: half their own weights, half the model's choice among them."""
        place = next(i for i, other in enumerate(self._lessons) if other is one)
        with torch.inference_mode():
            scores = self._scorer(one.tensors, self._scorer.temporal(one.tensors).passages, self._asked[place][0])
        total = one.targets.sum(axis=1, keepdims=True)
        shares = np.divide(one.targets, total, out=np.zeros_like(one.targets), where=total > 0)
        chosen = torch.softmax(scores, dim=1).numpy() * shares
        sums = chosen.sum(axis=1, keepdims=True)
        chosen = np.divide(chosen, sums, out=np.zeros_like(chosen), where=sums > 0)
        settled: Weights = (0.5 * shares + 0.5 * chosen).astype(np.float32)
        return settled


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
    measures: PassageMeasures
    traits: list[tuple[str, str, str]]
    tensors: TimelineTensors

    @classmethod
    def of(cls, lesson: Lesson) -> _Read:
        measures = PassageMeasures(lesson.timeline.passages)
        return cls(lesson, lesson.targets, measures, traits_of(lesson.timeline), TimelineTensors.of(lesson.timeline))

    def by_wording(self) -> dict[str, Weights]:
        return {query_text(q): row for q, row in zip(self.lesson.questions, self.targets, strict=True)}


def _dropped(asked: Asked, random: np.random.Generator) -> Asked:
    """Questions that lack a part, or a source of measures, one time in ten: none is to be leaned on alone."""
    facets, measures = asked.facets.clone(), asked.measures.clone()
    facets[torch.from_numpy(random.random(facets.shape[:2]) < 0.1)] = 0
    for columns in _SOURCES:
        measures[torch.from_numpy(random.random(len(measures)) < 0.1)[:, None, None].expand_as(measures) & columns] = 0
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
