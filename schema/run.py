"""What a run of `fill` was made of, kept beside what it produced."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Fingerprint(BaseModel):
    """SHA-256 of everything that decides a run's result. Two runs with equal fingerprints fill equal tables.

    ``study`` is "" when the run has no study file, ``deid_key`` when its documents were not de-identified with dates
    moved. ``retriever`` names, in words, what finds the passages that are read; "" when all is read. ``generator``
    names what reads them: model, prompts, settings, calibration; "" when the rules read alone and every value is taken.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    documents: str
    dictionary: str
    study: str
    code: str
    deid_key: str = ""
    retriever: str = ""
    generator: str = ""

    def differences(self, other: Fingerprint) -> list[str]:
        """The names of the inputs that differ, in the order of the fields."""
        return [name for name in type(self).model_fields if getattr(self, name) != getattr(other, name)]


class RunManifest(BaseModel):
    """One run of `fill`: inputs, versions and counts.

    Args:
        created_at: when the run was first started, UTC, ISO 8601.
        seconds: time spent by the session that wrote this manifest (a resumed run has had others).
        versions: of the packages that decide the result, by name.
        cells: number of cells by status; every patient x variable is counted once.
        failed_patients: patients that raised; their cells are counted under "failed".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    run_id: str
    created_at: str
    seconds: float
    fingerprint: Fingerprint
    versions: dict[str, str]
    arguments: dict[str, str]
    patients: int
    documents: int
    variables: int
    cells: dict[str, int]
    problems: int
    failed_patients: int
