"""What a study file says of its variables, beyond the dictionary. Optional: every hint has a default."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Policy(StrEnum):
    """Which of several readings of a variable, spread over the timeline, answers it."""

    AT_ADMISSION = "at_admission"
    AT_DAY = "at_day"  # ``offset`` days after the admission
    DURING_STAY = "during_stay"
    AT_DISCHARGE = "at_discharge"
    AT_FOLLOW_UP = "at_follow_up"  # ``offset`` days after the admission, with a tolerance
    BEFORE = "before"
    ANY_TIME = "any_time"
    FIRST = "first"
    LAST = "last"
    HIGHEST = "highest"
    LOWEST = "lowest"


class VariableHints(BaseModel):
    """How one variable is to be read. A field left out is decided from the dictionary.

    Forms are written as `generator.rules.matcher` reads them: ``*`` for any ending, ``…`` for a few words between.

    Args:
        reader: name of a reader of ``generator.rules.readers`` ("measure", "condition", "choice", …).
        concepts: entries of the clinical lexicon that name the variable.
        synonyms: further forms that name it.
        exceptions: forms that contain a synonym and mean something else ("hypertension intracrânienne"); those of a
            lexicon concept hold for every variable that it names.
        choices: forms of each choice code, beside the choice's own label.
        policy, offset: which moment answers; days after the admission where the policy needs them.
        document_types: words of document types or titles to prefer; excluded_types: to leave out.
        omission: where a list that does not name the variable answers no; "" for none.
        settings: what the reader alone understands, by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reader: str | None = None
    concepts: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()
    exceptions: tuple[str, ...] = ()
    choices: dict[str, tuple[str, ...]] = {}
    policy: Policy | None = None
    offset: float | None = None
    document_types: tuple[str, ...] = ()
    excluded_types: tuple[str, ...] = ()
    omission: Literal["history", "treatment", "care", ""] | None = None
    settings: dict[str, str | float | bool | tuple[str, ...]] = {}


class Study(BaseModel):
    """A study file: hints by variable name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = ""
    variables: dict[str, VariableHints] = {}
