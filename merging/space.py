"""What a search may try: methods, and for each number the values or the interval that it is drawn from."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from merging.methods import METHODS, Parameter
from merging.recipe import Origin, Recipe
from merging.strict_yaml import FaultsError, read_strict, suggestion

_STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)
_DRAWS_PER_TRIAL = 20
_DIGITS = 3


class Between(BaseModel):
    """An interval; numbers are drawn evenly from it."""

    model_config = _STRICT

    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Between:
        if self.high < self.low:
            raise FaultsError([((), f"low {self.low:g} is above high {self.high:g}.", "Exchange them.")])
        return self


_Choice = tuple[float, ...] | Between


class MethodSpace(BaseModel):
    """One method, and where its numbers come from. ``weight``, ``density``… are drawn for each parent apart."""

    model_config = _STRICT

    method: str
    weight: _Choice | None = None
    density: _Choice | None = None
    gamma: _Choice | None = None
    epsilon: _Choice | None = None
    lambda_: _Choice | None = Field(default=None, alias="lambda")
    t: _Choice | None = None
    normalize: bool | None = None
    filter_wise: bool | None = None

    @model_validator(mode="after")
    def _fits(self) -> MethodSpace:
        if self.method not in METHODS:
            what = f"{self.method} is not a method of merging."
            raise FaultsError([(("method",), what, suggestion(self.method, list(METHODS)))])
        known = {**METHODS[self.method].of_parents, **METHODS[self.method].shared}
        given = {field.alias or name: getattr(self, name) for name, field in type(self).model_fields.items()}
        del given["method"]
        faults: list[tuple[tuple[int | str, ...], str, str]] = [
            ((name,), f"{self.method} has no use for {name}.", f"It takes {', '.join(known)}.")
            for name, value in given.items()
            if value is not None and name not in known
        ]
        faults += [
            ((), f"{self.method} needs {name}: {parameter.about}.", f"Add {name}, as [values] or {{low: …, high: …}}.")
            for name, parameter in known.items()
            if parameter.default is None and given.get(name) is None
        ]
        if faults:
            raise FaultsError(faults)
        return self


class SpaceParent(Origin):
    """A model that every candidate is made of."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")


class Space(BaseModel):
    """A search, whole.

    Args:
        base, parents, dtype, chat, vocabulary: as in a recipe.
        seed: of the draws of the search, and of the merges.
        methods: tried in turn.
        trials: recipes that are drawn.
        patients: development patients that a candidate is judged on, rung after rung, ever more.
        keep: one candidate of this many goes on to the next rung.
        soup: also make the greedy soup of the parents.
    """

    model_config = _STRICT

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    seed: int = Field(ge=0, lt=2**32)
    base: Origin | None = None
    parents: tuple[SpaceParent, ...]
    methods: tuple[MethodSpace, ...]
    trials: int = Field(ge=1)
    patients: tuple[int, ...]
    keep: int = Field(default=3, ge=2)
    soup: bool = True
    dtype: Literal["bfloat16", "float16", "float32"] = "bfloat16"
    chat: str = ""
    vocabulary: Literal["exact", "union"] = "exact"

    @model_validator(mode="after")
    def _sound(self) -> Space:
        faults: list[tuple[tuple[int | str, ...], str, str]] = []
        if not self.patients or self.patients[0] < 1 or list(self.patients) != sorted(set(self.patients)):
            faults.append((("patients",), "the rungs do not grow.", "Give numbers such as [4, 12, 36]."))
        if len(self.parents) < 2:
            faults.append((("parents",), "there is nothing to mix.", "Give at least two parents."))
        if not self.methods:
            faults.append((("methods",), "there is no method.", "Give at least one."))
        for place, method in enumerate(self.methods if not faults else ()):
            faults += [(("methods", place), what, remedy) for _, what, remedy in self._always_refused(method)]
        if faults:
            raise FaultsError(faults)
        return self

    def _always_refused(self, method: MethodSpace) -> list[tuple[tuple[int | str, ...], str, str]]:
        """Why no draw of a method makes a recipe; [] when one does."""
        dice = random.Random(self.seed)  # noqa: S311 (draws that must be the same each time)
        found: list[tuple[tuple[int | str, ...], str, str]] = []
        for _ in range(_DRAWS_PER_TRIAL):
            try:
                self.recipe(f"{self.name}-0", method.method, _numbers(dice, method, len(self.parents)))
            except ValidationError as error:
                inner = error.errors(include_url=False)[0].get("ctx", {}).get("error")
                found = list(inner.faults) if isinstance(inner, FaultsError) else [((), str(error), "")]
            else:
                return []
        return found

    def draws(self) -> Iterator[Recipe]:
        """The recipes to try, always the same; fewer than ``trials`` where the space has no more."""
        dice = random.Random(self.seed)  # noqa: S311 (as above)
        seen: set[str] = set()
        for draw in range(self.trials * _DRAWS_PER_TRIAL):
            if len(seen) == self.trials:
                return
            method = self.methods[draw % len(self.methods)]
            numbers = _numbers(dice, method, len(self.parents))
            try:
                recipe = self.recipe(f"{self.name}-{len(seen) + 1}", method.method, numbers)
            except ValidationError:
                continue  # numbers that do not go together, such as a density with that epsilon
            told = recipe.model_copy(update={"name": self.name}).fingerprint()
            if told not in seen:
                seen.add(told)
                yield recipe

    def recipe(self, name: str, method: str, numbers: dict[str, Any]) -> Recipe:
        """One recipe of this space.

        Args:
            numbers: by name; those given for each parent apart are tuples.
        """
        apart = {key: value for key, value in numbers.items() if isinstance(value, tuple)}
        shared = {key: value for key, value in numbers.items() if not isinstance(value, tuple)}
        content: dict[str, Any] = {
            "name": name,
            "method": method,
            "seed": self.seed,
            "parents": tuple(
                {**parent.model_dump(), **{key: values[place] for key, values in apart.items()}}
                for place, parent in enumerate(self.parents)
            ),
            "parameters": shared,
            "dtype": self.dtype,
            "chat": self.chat,
            "vocabulary": self.vocabulary,
        }
        if self.base:
            content["base"] = self.base.model_dump()
        return Recipe.model_validate(content)


def read_space(path: Path) -> Space:
    """Read a space of search.

    Raises:
        InputError: each fault with its line, and what was probably meant.
    """
    return read_strict(path, Space)


def _numbers(dice: random.Random, space: MethodSpace, parents: int) -> dict[str, Any]:
    how = METHODS[space.method]
    drawn: dict[str, Any] = {}
    for name, parameter in how.of_parents.items():
        if getattr(space, name) is not None:
            drawn[name] = tuple(_one(dice, getattr(space, name), parameter) for _ in range(parents))
    for name, parameter in how.shared.items():
        given = getattr(space, "lambda_" if name == "lambda" else name, None)
        if given is not None:
            drawn[name] = _one(dice, given, parameter)
    return drawn


def _one(dice: random.Random, choice: _Choice | bool, parameter: Parameter) -> float | bool:
    if parameter.is_flag:
        return bool(choice)
    if isinstance(choice, Between):
        return round(dice.uniform(choice.low, choice.high), _DIGITS)
    return float(dice.choice(list(choice))) if isinstance(choice, tuple) else float(choice)
