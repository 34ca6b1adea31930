"""What a language model is taught by a table: pairs, and where each comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from generator.llm.answer import Answer
from generator.train.pairs import Pair
from schema.variable import Variable


class Kind(StrEnum):
    """What a pair teaches."""

    TOLD = "told"  # the value of the table, in the passages that fill would show
    HARD = "hard"  # the same, among passages that look right and are not
    SILENT = "silent"  # a cell that the table leaves empty, or that the shown passages do not tell
    ABSENT = "absent"  # the passages that tell the value were taken away; those that look right are left


class LeftOut(StrEnum):
    """Why a cell teaches nothing."""

    UNTOLD = "no passage tells the value"
    OTHERWISE = "what the passages tell is not the value of the table"
    UNFIT = "the dictionary's value cannot be written as an answer"
    CLOSED = "closed by branching logic"
    TOO_LONG = "the question does not fit in the model's context"
    BALANCED = "empty, and enough empty cells were taken"


@dataclass(frozen=True, slots=True)
class Lesson:
    """A pair, and where it comes from.

    Args:
        weak: its quote, or its silence, comes from weak labels alone; the pair's weight is less.
        passage: text of a passage that shows the answer, as a few-shot example does; "" where none does.
    """

    patient_id: str
    variable: Variable
    kind: Kind
    weak: bool
    pair: Pair
    answer: Answer
    passage: str = ""


@dataclass(frozen=True, slots=True)
class Lessons:
    """What one patient teaches, in the dictionary's order, and how many cells teach nothing, by reason."""

    taught: tuple[Lesson, ...]
    left_out: Mapping[LeftOut, int]
