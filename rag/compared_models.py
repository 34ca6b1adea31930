"""What is learned before the questions of an evaluation are asked: a prior and temporal models, from a table alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rag.train_retriever import TrainRequest, train_on
from retriever.embed import Encoder
from retriever.model import SHIPPED, TemporalModel
from retriever.prior import Counts, Prior, Traits, count, traits_of
from retriever.query import query_text
from retriever.train import Lesson, TrainingPlan, default_config
from retriever.weak import Weights

#: Parts of the model that an ablation is made without: switches of `retriever.recurrent.TemporalConfig`.
PARTS = ("recurrence", "gaps", "kinds")
#: Learning rate of a model that knows something already, as in `retriever train`.
_GENTLE = 1e-3


@dataclass(frozen=True, slots=True)
class Models:
    """A temporal model, and others made alike but without one of its parts."""

    whole: TemporalModel
    without: Mapping[str, TemporalModel]


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned.

    Args:
        prior: where each variable is usually written; None without a table.
        own: what each patient brought to ``prior``, left out when that patient is asked about.
        models: None when no method uses them.
    """

    prior: Prior | None = None
    own: Mapping[str, Mapping[str, Counts]] = field(default_factory=dict)
    models: Models | None = None


def learn_prior(lessons: Sequence[Lesson], models: Models | None) -> Learned:
    """Count where variables are written, in the patients that teach it."""
    if not lessons:
        return Learned(models=models)
    taught: dict[str, tuple[list[Traits], dict[str, Weights]]] = {
        lesson.timeline.patient_id: (
            traits_of(lesson.timeline),
            {query_text(asked): weights for asked, weights in zip(lesson.questions, lesson.targets, strict=True)},
        )
        for lesson in lessons
    }
    own = {patient: count(traits, weights) for patient, (traits, weights) in taught.items()}
    return Learned(Prior.learned(taught.values()), own, models)


def read_models(folder: Path | None, ablations: bool) -> Models:
    """The model kept in a folder (the shipped one when None), and its ablations in ``ablations/no-…`` under it.

    Raises:
        InputError: one of them is not there, or was made by another version.
    """
    folder = folder or SHIPPED
    parts = PARTS if ablations else ()
    return Models(TemporalModel.load(folder), {part: TemporalModel.load(_ablated(folder, part)) for part in parts})


def train_models(
    lessons: Sequence[Lesson], encoder: Encoder, start: Models | None, ablations: bool, out: Path
) -> Models:
    """Train a model and its ablations alike, and keep them in ``out`` as `read_models` reads them.

    Args:
        start: to go on from; None for new models.

    Raises:
        InputError: ``out`` holds a model already.
    """

    def train(folder: Path, first: TemporalModel | None, switches: Mapping[str, bool]) -> None:
        plan = TrainingPlan(rate=_GENTLE) if first else TrainingPlan()
        config = default_config(encoder.dimension, **switches)
        train_on(lessons, TrainRequest((), folder, encoder, config, plan, first), lambda _: None)

    train(out, start.whole if start else None, {})
    for part in PARTS if ablations else ():
        train(_ablated(out, part), start.without[part] if start else None, {f"use_{part}": False})
    return read_models(out, ablations)


def _ablated(folder: Path, part: str) -> Path:
    return folder / "ablations" / f"no-{part}"
