"""Distant supervision: which passages of a patient may tell the value that a table holds, without any span.

From the value alone, a bag of candidate passages with weights, in the manner of MIL-NCE (Miech et al., "End-to-End
Learning of Visual Representations from Uncurated Instructional Videos", CVPR 2020): one of the bag is right, and the
loss may choose which. The bag is meant to hold the right passage; the weights say how likely each is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from retriever.weak_reading import LEAST, Reading
from retriever.weak_text import Record
from schema.passage import Passage
from schema.study import VariableHints
from schema.variable import Variable

Weights = NDArray[np.float32]

#: A passage of less than this part of the best weight may be a negative.
UNLIKELY = 0.2


class Negative(StrEnum):
    """Why a passage is like the right one and is not."""

    WRONG_VALUE = "wrong_value"  # the variable's words beside another value: another time, another side
    WRONG_TIME = "wrong_time"  # the value itself, in a document of another moment or of another episode
    WRONG_PERSON = "wrong_person"  # said of a relative
    NEGATED = "negated"  # denied where the table says yes, or affirmed where it says no


@dataclass(frozen=True, slots=True)
class HardNegative:
    """The position of a passage in the sequence given, and why it is wrong."""

    passage: int
    kind: Negative


class WeakLabels:
    """Weak labels over the passages of one patient, which are read once for all variables.

    Args:
        passages: of one patient, in any order; N of them. Their concepts, where they carry any, are used.
        anchor: the day of the admission that the table is about, where it is known.
    """

    def __init__(self, passages: Sequence[Passage], anchor: dt.date | None = None) -> None:
        self._record = Record(passages, anchor)

    def positives(
        self, variable: Variable, value: str, hints: VariableHints | None = None, concepts: Collection[str] = ()
    ) -> Weights:
        """How compatible each passage is with telling a value: shape (N,), float32, in [0, 1].

        Args:
            value: as the table holds it ("2", "29.0", "2021-06-14 09:10"); codes of a checkbox parted by commas.
            hints: synonyms, forms of choices and the moment asked; forms that begin with "@" count beside a synonym.
            concepts: identifiers of the concepts that the variable names, as in `Question.concepts`.
        """
        reading = Reading(self._record, variable, value.strip(), hints or VariableHints(), frozenset(concepts))
        return reading.weights()

    def negatives(
        self,
        variable: Variable,
        value: str,
        positives: Weights,
        hints: VariableHints | None = None,
        concepts: Collection[str] = (),
    ) -> list[HardNegative]:
        """Passages that are like the right one and are not, by position; none is likely by ``positives``, shape (N,).

        One kind for each passage, the last of `Negative` that holds.
        """
        reading = Reading(self._record, variable, value.strip(), hints or VariableHints(), frozenset(concepts))
        likely = positives >= UNLIKELY * max(float(positives.max(initial=0.0)), LEAST)
        found: dict[int, Negative] = {}
        for kind, passages in (
            (Negative.WRONG_VALUE, reading.beside_another()),
            (Negative.WRONG_TIME, reading.of_another_time()),
            (Negative.WRONG_PERSON, reading.of_relatives()),
            (Negative.NEGATED, reading.contrary()),
        ):
            found.update((passage, kind) for passage in passages if not likely[passage])
        return [HardNegative(passage, kind) for passage, kind in sorted(found.items())]
