"""What a merge is made of: which models, how much of each, by which method, with which seed. Read from strict YAML."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from merging.methods import METHODS, Method, Parameter
from merging.strict_yaml import FaultsError, read_strict, suggestion

_Found = tuple[tuple[int | str, ...], str, str]
_STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)

#: What ``chat`` says for the base.
BASE = "base"


class Origin(BaseModel):
    """A model in a folder, and where it came from.

    Args:
        model: folder of the model, relative to the folder of models, or absolute.
        adapter: folder of a LoRA adapter that is merged into it; "" for none.
        source, revision: where it was published, and which version: provenance, never fetched.
        licence: under which terms; a merge is bound by those of all its parents.
    """

    model_config = _STRICT

    model: str = Field(min_length=1)
    adapter: str = ""
    source: str = ""
    revision: str = ""
    licence: str = ""


class Parent(Origin):
    """One of the models that are merged; its numbers are those that the method takes, see `merging.methods`."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    weight: float | None = None
    density: float | None = None
    gamma: float | None = None
    epsilon: float | None = None


class Shared(BaseModel):
    """Numbers of the method that are given once; see `merging.methods`."""

    model_config = _STRICT

    lambda_: float | None = Field(default=None, alias="lambda")
    normalize: bool | None = None
    rescale: bool | None = None
    filter_wise: bool | None = None
    t: float | None = None
    density: float | None = None


class Recipe(BaseModel):
    """A merge, whole: the same recipe with the same models makes the same bytes.

    Args:
        name: of the model that is made.
        method: a key of `merging.methods.METHODS`.
        seed: of the methods that drop at random; always given, so that no draw is hidden.
        base: what the parents were tuned from. The methods that work on differences need it; to the others it gives
            the configuration, and the chat template where ``chat`` says so.
        dtype: of the weights that are written; the computation is in float32.
        chat: the parent (or "base") whose chat template, end tokens and generation settings the model takes;
            "" is the first parent.
        vocabulary: "exact": all models must have the same tokens; "union": the few tokens that one has more are kept.
        note: free text, copied to the model card.
    """

    model_config = _STRICT

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    method: str
    seed: int = Field(ge=0, lt=2**32)
    base: Origin | None = None
    parents: tuple[Parent, ...]
    parameters: Shared = Shared()
    dtype: Literal["bfloat16", "float16", "float32"] = "bfloat16"
    chat: str = ""
    vocabulary: Literal["exact", "union"] = "exact"
    note: str = ""

    @model_validator(mode="after")
    def _fits_its_method(self) -> Recipe:
        if self.method not in METHODS:
            what = f"{self.method} is not a method of merging."
            raise FaultsError([(("method",), what, suggestion(self.method, list(METHODS)))])
        if found := [*self._structure_faults(), *self._parameter_faults()]:
            raise FaultsError(found)
        return self

    @property
    def how(self) -> Method:
        """The method."""
        return METHODS[self.method]

    @property
    def speaker(self) -> str:
        """Name of the model whose chat template and end tokens are taken."""
        return self.chat or self.parents[0].name

    def parent_values(self, parent: Parent) -> dict[str, float]:
        """The numbers of one parent, defaults of the method included."""
        return dict(_values(parent, self.how.of_parents))

    def shared_values(self) -> dict[str, float | bool]:
        """The numbers given once, defaults of the method included."""
        return dict(_values(self.parameters, self.how.shared))

    def fingerprint(self) -> str:
        """SHA-256 of all that the recipe says."""
        return hashlib.sha256(self.model_dump_json(by_alias=True).encode()).hexdigest()

    def _structure_faults(self) -> Iterator[_Found]:
        least, most = self.how.parents
        count = len(self.parents)
        if count < least or (most is not None and count > most):
            wanted = f"{least}" if least == most else f"at least {least}"
            yield ("parents",), f"{self.method} takes {wanted} parents; there are {count}.", "Add or remove parents."
        names = [parent.name for parent in self.parents]
        for place, name in enumerate(names):
            if name in names[:place] or name == BASE:
                yield ("parents", place, "name"), f"{name} is taken.", "Give each parent another name."
        needs_base = self.how.needs_base or self.how.adapters
        if needs_base and self.base is None:
            yield ("method",), f"{self.method} needs a base.", "Add base: with its model."
        if self.base is not None and self.base.adapter:
            yield ("base", "adapter"), "a base is a whole model.", "Make the adapter a parent."
        if self.how.adapters and self.base is not None:
            for place, parent in enumerate(self.parents):
                if not parent.adapter or parent.model != self.base.model:
                    what = f"{self.method} takes adapters of the base alone."
                    yield ("parents", place), what, "Give its adapter:, and the base's folder as its model:."
        if self.chat and self.chat not in [*names, *([BASE] if self.base else [])]:
            yield ("chat",), f"{self.chat} is none of the models.", suggestion(self.chat, [*names, BASE])

    def _parameter_faults(self) -> Iterator[_Found]:
        for place, parent in enumerate(self.parents):
            given = {name: getattr(parent, name) for name in ("weight", "density", "gamma", "epsilon")}
            yield from _faults(self.method, ("parents", place), given, self.how.of_parents)
            if "epsilon" in self.how.of_parents:
                values = self.parent_values(parent) if parent.density is not None else {}
                if values and not (
                    values["density"] == 1.0 or values["epsilon"] < values["density"] < 1.0 - values["epsilon"]
                ):
                    what = f"density {values['density']:g} ± epsilon {values['epsilon']:g} leaves 0 to 1."
                    yield ("parents", place, "density"), what, "Give a smaller epsilon."
        given = {field.alias or name: getattr(self.parameters, name) for name, field in Shared.model_fields.items()}
        yield from _faults(self.method, ("parameters",), given, self.how.shared)
        weights = [parent.weight or 0.0 for parent in self.parents]
        normalized = "weight" in self.how.of_parents and self.parameters.normalize is not False
        if "weight" in self.how.of_parents and not any(weights):
            yield ("parents",), "all weights are 0.", "Give one parent a weight."
        elif normalized and "normalize" in self.how.shared and abs(sum(weights)) < 1e-6:
            yield ("parents",), "the weights, by whose sum is divided, sum to 0.", "Give normalize: false."


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        InputError: each fault with its line, and what was probably meant.
    """
    return read_strict(path, Recipe)


def _values(block: BaseModel, known: Mapping[str, Parameter]) -> Iterator[tuple[str, float]]:
    for name, parameter in known.items():
        given = getattr(block, "lambda_" if name == "lambda" else name)
        value = parameter.default if given is None else given
        if value is not None:
            yield name, value


def _faults(
    method: str, at: tuple[int | str, ...], given: Mapping[str, float | None], known: Mapping[str, Parameter]
) -> Iterator[_Found]:
    for name, value in given.items():
        if value is not None and name not in known:
            remedy = f"It takes {', '.join(known)}." if known else "It takes none."
            yield (*at, name), f"{method} has no use for {name} here.", remedy
    for name, parameter in known.items():
        value = given.get(name)
        if value is None and parameter.default is None:
            yield at, f"{method} needs {name}: {parameter.about}.", f"Add {name}."
        elif value is not None and (
            (parameter.low is not None and value < parameter.low)
            or (parameter.high is not None and value > parameter.high)
        ):
            what = f"{name} is {value:g}, outside {parameter.low:g} to {parameter.high:g}."
            yield (*at, name), what, f"It is the {parameter.about}."
