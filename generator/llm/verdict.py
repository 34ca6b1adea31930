"""What is concluded of a value that a model read, and of the quotes that it gives."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """Whether quotes say a value. Only a verified one may fill a cell."""

    VERIFIED = "verified"
    UNSUPPORTED = "unsupported"  # they do not say it
    CONTRADICTED = "contradicted"  # they say another value
    NEGATED = "negated"  # they deny what the value affirms, or affirm what it denies
    OTHER_PERSON = "other_person"  # they speak of a relative
    OTHER_TIME = "other_time"  # they speak of another moment than the variable's


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict with its reason, in French and without any words of a document.

    Args:
        strength: in [0, 1]: how much agrees with the value; 0 unless it is verified.
    """

    verdict: Verdict
    detail: str
    strength: float = 0.0
