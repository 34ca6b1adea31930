"""What a study file says of its variables, beyond the dictionary. Optional: every hint has a default."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Policy(StrEnum):
    """Which of several readings of a variable, spread over the timeline, answers it."""

    AT_ADMISSION = "at_admission"
    AT_24H = "at_24h"
    DURING_STAY = "during_stay"
    AT_DISCHARGE = "at_discharge"
    AT_FOLLOW_UP = "at_follow_up"
    BEFORE = "before"
    FIRST = "first"
    LAST = "last"
    HIGHEST = "highest"
    LOWEST = "lowest"


class VariableHints(BaseModel):
    """How one variable is to be read. Empty fields are decided from the dictionary."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    synonyms: tuple[str, ...] = ()
    policy: Policy | None = None
    document_types: tuple[str, ...] = ()
    excluded_types: tuple[str, ...] = ()


class Study(BaseModel):
    """A study file: hints by variable name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = ""
    variables: dict[str, VariableHints] = {}
