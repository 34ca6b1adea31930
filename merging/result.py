"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """Whether a merge may go on."""

    OK = "ok"
    WARN = "warn"  # it may; whoever uses the model should know
    FAIL = "fail"  # it may not


@dataclass(frozen=True, slots=True)
class Check:
    """One check, by name, and why it says what it says."""

    name: str
    level: Level
    reason: str

    def __str__(self) -> str:
        return f"{self.level.value:<4}  {self.name}: {self.reason}"
