"""Passages that look as if they told a value and do not, and questions made of them."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag.supervision import Distant, Supervisor
from retriever.weak import UNLIKELY, HardNegative, Negative
from schema.passage import Passage
from schema.variable import Variable

#: Passages that look right and are not, in one question; passages of such a question.
_MOST, _SHOWN = 4, 8


@dataclass(frozen=True, slots=True)
class LookAlike:
    """A passage, and why it does not tell the value."""

    passage: Passage
    kind: Negative


class LookAlikes:
    """Draws them for the cells of one patient.

    Args:
        passages: all those of the patient; N of them.
        row: coded values by variable name.
        labels: what `Supervisor.label` says of ``passages`` for the filled cells of ``row``.
        random: everything drawn comes from it.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        passages: Sequence[Passage],
        row: Mapping[str, str],
        labels: Mapping[str, Distant],
        random: np.random.Generator,
    ) -> None:
        self._supervisor, self._passages, self._row, self._labels = supervisor, passages, row, labels
        self._random = random

    def wrong(self, variable: Variable) -> list[LookAlike]:
        """A few passages that look right for a filled cell and are not, apart from those that may be right."""
        negatives = self._negatives.get(variable.name, [])
        weights = self._labels[variable.name].combined()
        may_be_right = np.flatnonzero((weights > 0) & (weights >= UNLIKELY * weights.max())).tolist()
        likely = [self._passages[i] for i in may_be_right]
        drawn = [negatives[i] for i in self._random.permutation(len(negatives)).tolist()]
        wrong = [LookAlike(self._passages[one.passage], one.kind) for one in drawn]
        return [one for one in wrong if not overlaps(one.passage, likely)][:_MOST]

    def among(self, variable: Variable, passages: Sequence[Passage]) -> list[Passage]:
        """These passages and others that have nothing to do with the cell, in an order drawn at random."""
        weights = self._labels[variable.name].combined()
        others = [passage for passage, weight in zip(self._passages, weights, strict=True) if not weight]
        taken = list(passages)
        for i in self._random.permutation(len(others)).tolist():
            if len(taken) < _SHOWN and not overlaps(others[i], taken):
                taken.append(others[i])
        return [taken[i] for i in self._random.permutation(len(taken)).tolist()]

    @functools.cached_property
    def _negatives(self) -> dict[str, list[HardNegative]]:
        return self._supervisor.negatives(self._passages, self._row, self._labels)


def overlaps(passage: Passage, others: Sequence[Passage]) -> bool:
    """Whether a passage shares words of its document with one of the others."""
    one = passage.span
    return any(
        one.document_id == other.span.document_id and one.start < other.span.end and other.span.start < one.end
        for other in others
    )
