"""Values read from documents, the evidence behind them and what became of the reading."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from schema.concept import Code

#: A typed value. Choices are their code (``"2"``, ``"2a"``), yes/no fields ``"1"`` or ``"0"``,
#: checkbox fields the codes ticked, in dictionary order (empty tuple: none ticked).
Value = int | float | str | dt.date | dt.datetime | dt.time | tuple[str, ...]


class Status(StrEnum):
    """Why a cell holds what it holds. "False" is never used for "absent"."""

    FOUND = "found"  # a value is written or follows from what is written
    STATED_ABSENT = "stated_absent"  # "pas de diabète": the coded value says no
    ABSENT_BY_OMISSION = "absent_by_omission"  # a list that would name it does not; the coded value says no
    NOT_MENTIONED = "not_mentioned"  # silence: the cell stays empty
    NOT_APPLICABLE = "not_applicable"  # closed by branching logic: the cell stays empty
    CONFLICTING = "conflicting"  # sources disagree and nothing settles it: the cell stays empty, all are cited
    INVALID = "invalid"  # a reading that the dictionary forbids (bounds, format): the cell stays empty
    TO_REVIEW = "to_review"  # read, but not sure enough for the table: the cell stays empty, the value is a candidate
    TRUNCATED = "truncated"  # the generator's answer was cut
    REFUSED = "refused"  # the generator declined to answer
    SERVER_ERROR = "server_error"  # the generator could not be reached; worth another try
    FAILED = "failed"  # the program broke on this patient or cell: nothing is known of it

    @property
    def fills(self) -> bool:
        """Whether a value with this status is written in the table."""
        return self in (Status.FOUND, Status.STATED_ABSENT, Status.ABSENT_BY_OMISSION)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A quote of one document. ``quote == source_text[start:end]`` of that document, as given by the user."""

    document_id: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class ExtractedValue:
    """What a reader found for one variable of one patient.

    Args:
        value: None unless ``status.fills``.
        confidence: in [0, 1]; not calibrated unless the generator says so.
        evidence: best first; never empty when ``status.fills``; both sides when conflicting; what there is of it when
            to review.
        candidates: the competing values of a conflicting reading, the rejected one of an invalid reading, and the one
            to look at of a reading that goes to review (its quote does not bear it out, or its confidence is low).
        codes: what the value stands for in medical vocabularies, where it is a concept: "Diabète" = "Type 2" is E11.
        explanation: one short sentence, in French, on how the value was chosen. Holds no patient text.
    """

    patient_id: str
    variable: str
    status: Status
    value: Value | None = None
    confidence: float = 0.0
    evidence: tuple[Evidence, ...] = ()
    candidates: tuple[Value, ...] = ()
    explanation: str = ""
    codes: tuple[Code, ...] = ()

    def __post_init__(self) -> None:
        if (self.value is not None) != self.status.fills:
            raise ValueError(f"{self.variable}: status {self.status} does not go with this value")
        if self.status.fills and not self.evidence:
            raise ValueError(f"{self.variable}: a filled value needs evidence")
