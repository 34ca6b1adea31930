"""What is done with an identifying span: masked, replaced or kept, by its label and the level of its sentence."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from rag.deid.sensitivity import Level
from schema.phi import PhiLabel
from schema.problem import InputError, Problem

#: The policies that come with the program, by the name of their file in configs/deid.
BUNDLED = ("mask", "surrogate")
_OTHERWISE = "otherwise"
_LONGEST_SHIFT = 60 * 52  # weeks


class Action(StrEnum):
    """What is done with a span."""

    MASK = "mask"
    REPLACE = "replace"
    KEEP = "keep"


def _by_level(value: object) -> object:
    """One action for a label stands for every level."""
    return value if isinstance(value, Mapping) else {_OTHERWISE: value}


#: Actions by level; "otherwise" for the levels that are not named.
_Actions = Annotated[dict[Level | Literal["otherwise"], Action], BeforeValidator(_by_level)]


class Policy(BaseModel):
    """A policy file.

    Args:
        actions: by label, then by level; ``otherwise`` where nothing is said.
        ages_over_89: "group" writes them as 90 and moves the birth date to agree; "keep" leaves them.
        shift_weeks: least and most weeks by which a patient's dates move.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    otherwise: Action
    actions: dict[PhiLabel, _Actions] = {}
    ages_over_89: Literal["group", "keep"] = "group"
    shift_weeks: tuple[int, int] = (27, 260)

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Policy:
        least, most = self.shift_weeks
        if not 1 <= least <= most <= _LONGEST_SHIFT:
            raise ValueError(f"shift_weeks should be two whole numbers, 1 <= least <= most <= {_LONGEST_SHIFT}")
        return self

    def action(self, label: PhiLabel, level: Level) -> Action:
        """What is done with a span of this label in a sentence of this level."""
        by_level = self.actions.get(label, {})
        return by_level.get(level) or by_level.get("otherwise") or self.otherwise

    @property
    def moves_dates(self) -> bool:
        """Whether some date is replaced by another."""
        labels = (PhiLabel.DATE, PhiLabel.DATE_NAISSANCE)
        return any(self.action(label, level) is Action.REPLACE for label in labels for level in Level)


def load_policy(name: str) -> Policy:
    """The bundled policy of this name, else the policy file at this path.

    Raises:
        InputError: there is none, or it is not a policy.
    """
    if name in BUNDLED:
        return parse_policy(resources.files("configs.deid").joinpath(f"{name}.yml").read_text("utf-8"), name)
    try:
        return parse_policy(Path(name).read_text(encoding="utf-8"), name)
    except OSError as error:
        what = f"cannot be read ({error.strerror})."
        remedy = f"Give --policy {' or '.join(BUNDLED)}, or the path of a policy file."
        raise InputError(Problem(name, what, remedy)) from error
    except UnicodeDecodeError as error:
        raise InputError(Problem(name, "is not UTF-8 text.", "Save the file in UTF-8.")) from error


def parse_policy(text: str, name: str) -> Policy:
    """Read a policy written in YAML; ``name`` is said in messages.

    Raises:
        InputError: it is not YAML, or holds a key or a value that a policy does not know.
    """
    try:
        content = yaml.safe_load(text)
        if not isinstance(content, dict):
            remedy = "Write one key a line, otherwise: mask to begin with; configs/deid/surrogate.yml is an example."
            raise InputError(Problem(name, "is empty, or no list of keys and values.", remedy))
        return Policy.model_validate(content)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{name}, line {mark.line + 1}" if mark else name
        raise InputError(
            Problem(where, "is not YAML.", "Check the indentation and the colons of that line.")
        ) from error
    except ValidationError as error:
        # A wrong level fails twice, as a level and as "otherwise": once is enough.
        details = [d for d in error.errors(include_url=False) if "literal['otherwise']" not in d["loc"]]
        raise InputError(*(_problem(name, **detail) for detail in details)) from error


def _problem(name: str, loc: tuple[int | str, ...], msg: str, type: str, **_: object) -> Problem:
    key = ".".join(str(part) for part in loc if part not in ("[key]", "str-enum[Level]"))
    where = f"{name}, {key}" if key else name
    if type == "extra_forbidden":
        return Problem(where, "is not a key of a policy.", f"Its keys are {', '.join(Policy.model_fields)}.")
    if type == "missing":
        return Problem(where, "is missing.", "Write it; configs/deid/surrogate.yml is an example.")
    return Problem(where, f"{msg.removeprefix('Value error, ')}.", "Correct it; configs/deid/surrogate.yml shows how.")
