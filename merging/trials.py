"""What a search has tried, and its journal: a line for every judgement, so that nothing is judged twice."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from merging.recipe import Recipe
from schema.problem import InputError, Problem


class Kind(StrEnum):
    """Where a trial comes from."""

    PARENT = "parent"
    DRAWN = "drawn"
    SOUP = "soup"


@dataclass(slots=True)
class Trial:
    """One candidate.

    Args:
        scores: by the number of patients it was judged on.
        seconds: spent to make and judge it.
        refused: why it is no model, "" when it is one.
    """

    recipe: Recipe
    kind: Kind
    scores: dict[int, float] = field(default_factory=dict)
    seconds: float = 0.0
    refused: str = ""

    @property
    def id(self) -> str:
        """The name of its recipe, which is its alone."""
        return self.recipe.name

    @property
    def last(self) -> tuple[int, float]:
        """The most patients it was judged on, and its score there; (0, -inf) when it never was."""
        return max(self.scores.items(), default=(0, float("-inf")))


class Journal:
    """The file of a search. A line cut short by a kill is written again.

    Raises:
        InputError: the file was begun with another space or other models, or cannot be read.
    """

    def __init__(self, path: Path, made_of: dict[str, str]) -> None:
        self._path = path
        #: Patients and score of every judgement, in the order of time.
        self.judgements: list[tuple[int, float]] = []
        self._scores: dict[tuple[str, int], tuple[float, float]] = {}
        self._refused: dict[str, tuple[str, float]] = {}
        self._read(made_of)

    def _read(self, made_of: dict[str, str]) -> None:
        if not self._path.is_file():
            self._append(made_of)
            return
        content = self._path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            with self._path.open("r+b") as stream:
                stream.truncate(len(whole))
        try:
            lines = [json.loads(line) for line in whole.splitlines()]
        except ValueError as error:
            raise InputError(Problem(str(self._path), "is not a journal of a search.", "Remove it.")) from error
        if not lines:
            self._append(made_of)
            return
        if changed := [name for name, value in made_of.items() if lines[0].get(name) != value]:
            what = f"the search cannot go on: changed since it was started: {', '.join(changed)}."
            remedy = "Put back what it was started with, or give another --out."
            raise InputError(Problem(str(self._path.parent), what, remedy))
        for line in lines[1:]:
            if "refused" in line:
                self._refused[line["recipe"]] = (line["refused"], line["seconds"])
            else:
                self._scores[line["recipe"], line["patients"]] = (line["score"], line["seconds"])
                self.judgements.append((line["patients"], line["score"]))

    def recall(self, trials: Iterable[Trial]) -> None:
        """Give trials the scores that they had in an earlier session."""
        for trial in trials:
            print_of = trial.recipe.fingerprint()
            found = {n: entry for (recipe, n), entry in self._scores.items() if recipe == print_of}
            trial.scores |= {patients: score for patients, (score, _) in found.items()}
            trial.seconds += sum(seconds for _, seconds in found.values())
            if print_of in self._refused:
                trial.refused, seconds = self._refused[print_of]
                trial.seconds += seconds

    def add_score(self, trial: Trial, patients: int, score: float, seconds: float) -> None:
        """Keep a judgement."""
        trial.scores[patients] = score
        trial.seconds += seconds
        self.judgements.append((patients, score))
        told = {"trial": trial.id, "patients": patients, "score": score, "seconds": round(seconds, 2)}
        self._append({"recipe": trial.recipe.fingerprint(), **told})

    def add_refusal(self, trial: Trial, why: str, seconds: float) -> None:
        """Keep that a recipe gives no model."""
        trial.refused = why
        trial.seconds += seconds
        told = {"trial": trial.id, "refused": why, "seconds": round(seconds, 2)}
        self._append({"recipe": trial.recipe.fingerprint(), **told})

    def _append(self, line: dict[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
