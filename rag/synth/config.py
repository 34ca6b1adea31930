"""What a synthetic cohort is asked to be."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Style = Literal["mixed", "letters", "telegraphic", "forms", "dictated"]


class SynthConfig(BaseModel):
    """The settings of a cohort. Equal settings give equal bytes.

    Args:
        patients: number of patients.
        documents: least and greatest number of documents of a patient (5 to 200).
        style: voices preferred; "mixed" draws hospitals of every style.
        noise: 0 to 1, share of the documents with slips (accents lost, typos, OCR, capitals), and their strength.
        anaphora: 0 to 1, share of the values that could be told by reference only, and are.
        contradictions: 0 to 1, share of the documents that recall a value wrongly.
        missingness: 0 to 1, share of the values that no document tells.
        extras: number of further subjects that a patient's documents tell of; the dictionary asks about more. 0: none.
        vocabulary: name of the dictionary's wording; every name gives another one.
        seed: everything random follows from it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    patients: int = Field(default=20, ge=1)
    documents: tuple[int, int] = (8, 8)
    style: Style = "mixed"
    noise: float = Field(default=0.1, ge=0, le=1)
    anaphora: float = Field(default=0.2, ge=0, le=1)
    contradictions: float = Field(default=0.1, ge=0, le=1)
    missingness: float = Field(default=0.1, ge=0, le=1)
    extras: int = Field(default=20, ge=0, le=60)
    vocabulary: str = "A"
    seed: int = 0

    @model_validator(mode="after")
    def _documents(self) -> SynthConfig:
        low, high = self.documents
        if not 5 <= low <= high <= 200:
            raise ValueError("documents: give a number from 5 to 200, or a range of them such as 60-120")
        return self
