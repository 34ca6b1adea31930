"""Solved questions shown before a question, and what keeps them from leaking into its answer.

An example must teach the task, never the answer: none of the patient who is asked about, none whose words stand in that
patient's passages, and never only one answer. Its passage has a number that no passage of a record has, so that a quote
copied from it names nothing, and its words are in no passage, so that it is not found.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from rapidfuzz import fuzz

from generator.llm.answer_form import NUMBERS, Answer, AnswerStatus, Quote, asks_unit
from generator.rules.text import fold, words
from schema.passage import Passage
from schema.problem import Problem
from schema.variable import Choice, Variable, VariableKind

#: The number that an example's passage has: records have fewer.
NUMBER = 9001
#: Words in a row that a text of another patient does not share by chance.
_GRAM = 8
#: What likens two questions: the words of their labels, their kind, the words of their choices.
_OF_LABEL, _OF_KIND, _OF_CHOICES = 0.55, 0.25, 0.2
#: Likeness that an example loses for each one chosen that has the same answer.
_REPEATED = 0.12


@dataclass(frozen=True, slots=True)
class Example:
    """A question, the passage that answers it, and its answer. ``patient_id`` is "" for an invented one."""

    variable: Variable
    passage: str
    answer: Answer
    patient_id: str = ""

    @property
    def says(self) -> str:
        """What kind of answer it is: the choice of a closed question, else whether there is a value."""
        closed = isinstance(self.answer.value, str) and bool(self.variable.choices)
        return f"{self.answer.status}: {self.answer.value}" if closed else str(self.answer.status)


def choose_examples(
    variable: Variable, passages: Sequence[Passage], k: int, examples: Sequence[Example] | None = None
) -> list[Example]:
    """The ``k`` examples whose questions are most like a variable, the most like last; not all with one answer.

    Args:
        passages: those that the question shows: an example that shares eight words in a row with one of them is left
            out, as are those of their patient.
        examples: those to choose from; None: those that come with the program.
    """
    patients = {passage.patient_id for passage in passages}
    left = [
        (_likeness(variable, example.variable), example)
        for example in (shipped_examples() if examples is None else examples)
        if example.patient_id not in patients and not _leaks(example, passages)
    ]
    chosen: list[Example] = []
    while left and len(chosen) < k:
        said = [example.says for example in chosen]
        if len(chosen) == k - 1 and len(set(said)) == 1:
            left = [item for item in left if item[1].says != said[0]] or left
        best = max(left, key=lambda item: item[0] - _REPEATED * said.count(item[1].says))
        left.remove(best)
        chosen.append(best[1])
    return chosen[::-1]


@functools.cache
def shipped_examples() -> tuple[Example, ...]:
    """The invented examples that come with the program."""
    return tuple(load_examples(Path(__file__).with_name("examples.jsonl"), _refuse))


def load_examples(path: Path, on_problem: Callable[[Problem], None]) -> list[Example]:
    """Read a file of examples, one JSON object a line; a line that cannot be used goes to ``on_problem``.

    ``{"variable": {"name", "label", "kind", "choices"?, "unit"?, "note"?}, "passage", "answer": {"citations": [words of
    the passage], "raison", "statut", "valeur", "unité"?}, "patient_id"?, "trap"?}``, choices as ``{"code", "label"}``.
    """
    return list(_examples(path, on_problem))


def _examples(path: Path, on_problem: Callable[[Problem], None]) -> Iterator[Example]:
    for row, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            yield _Line.model_validate_json(line).example()
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            what = f"{'.'.join(map(str, first['loc'])) or 'the line'}: {first['msg']}."
            on_problem(Problem(f"{path}, line {row}", what, "Mend the line; the other examples are used."))


def _refuse(problem: Problem) -> None:
    raise ValueError(str(problem))


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class _Variable(_Strict):
    name: str
    label: str
    kind: VariableKind
    choices: tuple[Choice, ...] = ()
    unit: str = ""
    note: str = ""


class _Given(_Strict):
    citations: tuple[str, ...]
    raison: str
    statut: AnswerStatus
    valeur: int | float | str | tuple[str, ...] | None
    unité: str | None = None


class _Line(_Strict):
    variable: _Variable
    passage: str
    answer: _Given
    patient_id: str = ""
    trap: str = ""

    def example(self) -> Example:
        variable = Variable(**dict(self.variable))
        given = self.answer
        answer = Answer(
            variable=variable.name,
            status=given.statut,
            value=given.valeur,
            unit=(given.unité or "") if asks_unit(variable, reason=True) else None,
            quotes=tuple(Quote(NUMBER, words) for words in given.citations),
            reason=given.raison,
        )
        return Example(variable, self.passage, answer, self.patient_id)


@functools.lru_cache(maxsize=8192)
def _likeness(asked: Variable, other: Variable) -> float:
    label = fuzz.token_set_ratio(fold(asked.label), fold(other.label)) / 100
    kind = 1.0 if asked.kind is other.kind else 0.5 if {asked.kind, other.kind} <= set(NUMBERS) else 0.0
    choices = fuzz.token_set_ratio(_choices(asked), _choices(other)) / 100 if asked.choices and other.choices else 0.0
    return _OF_LABEL * label + _OF_KIND * kind + _OF_CHOICES * choices


def _choices(variable: Variable) -> str:
    return fold(" ".join(choice.label for choice in variable.choices))


def _leaks(example: Example, passages: Sequence[Passage]) -> bool:
    grams = _grams(example.passage)
    return any(not grams.isdisjoint(_grams(passage.text)) for passage in passages)


@functools.lru_cache(maxsize=4096)
def _grams(text: str) -> frozenset[tuple[str, ...]]:
    """Every run of `_GRAM` words; the whole text where it is shorter."""
    said = words(fold(text))
    return frozenset(tuple(said[i : i + _GRAM]) for i in range(max(1, len(said) - _GRAM + 1)))
