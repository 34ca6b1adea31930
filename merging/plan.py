"""A recipe with the folders of its models read: what the checks look at and what is merged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from merging.folder import AdapterFolder, ModelFolder, read_adapter, read_folder
from merging.recipe import BASE, Origin, Recipe
from schema.problem import InputError, Problem


@dataclass(frozen=True, slots=True)
class Ingredient:
    """One model of a merge, by its name in the recipe ("base" for the base)."""

    name: str
    origin: Origin
    folder: ModelFolder
    adapter: AdapterFolder | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A recipe whose models have been found."""

    recipe: Recipe
    parents: tuple[Ingredient, ...]
    base: Ingredient | None = None

    @property
    def all(self) -> tuple[Ingredient, ...]:
        """The base where there is one, then the parents."""
        return (*([self.base] if self.base else []), *self.parents)

    @property
    def speaker(self) -> Ingredient:
        """The one whose chat template, end tokens and generation settings are taken."""
        return next(one for one in self.all if one.name == self.recipe.speaker)

    @property
    def reference(self) -> Ingredient:
        """The one that the others are compared with: the base, or else the first parent."""
        return self.base or self.parents[0]

    @property
    def needs_union(self) -> bool:
        """Whether the models have not all the same tokens, or not as many embeddings."""
        first = self.reference.folder
        return any(
            one.folder.rows != first.rows or one.folder.embedded != first.embedded
            for one in self.all
            if one.folder.vocabulary
        )


def make_plan(recipe: Recipe, models: Path) -> Plan:
    """Find the models of a recipe in the folder of ``models``.

    Raises:
        InputError: a problem for each model that is missing or cannot be read.
    """
    wanted = [*([(BASE, recipe.base)] if recipe.base else []), *((parent.name, parent) for parent in recipe.parents)]
    found: list[Ingredient] = []
    problems: list[Problem] = []
    for name, origin in wanted:
        try:
            adapter = read_adapter(models / origin.adapter) if origin.adapter else None
            found.append(Ingredient(name, origin, read_folder(models / origin.model), adapter))
        except InputError as error:
            problems += _of(name, error)
    if problems:
        raise InputError(*problems)
    parents = tuple(one for one in found if one.name != BASE)
    return Plan(recipe, parents, next((one for one in found if one.name == BASE), None))


def _of(name: str, error: InputError) -> Iterator[Problem]:
    for problem in error.problems:
        yield Problem(f"{name}: {problem.where}", problem.what, problem.remedy)
