"""The calibration of a reader: a file that turns its confidence into a chance of being right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from eval.calibration import Curve, Fit, Scored, Tally, fit
from schema.problem import InputError, Problem
from schema.value import ExtractedValue, Status
from schema.variable import Variable

#: Statuses whose value is not in the table and may be looked at: its first candidate is what the confidence is about.
HELD = (Status.TO_REVIEW, Status.CONFLICTING)

_HELD_BACK = "Confiance inférieure au seuil demandé : à relire."


class _Knots(BaseModel):
    """A curve that never falls, by its knots."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    x: tuple[float, ...] = Field(min_length=1)
    y: tuple[float, ...] = Field(min_length=1)

    def curve(self) -> Curve:
        return Curve(self.x, self.y)


class Calibration(BaseModel):
    """What a manual table taught of a reader's confidence; see `eval.calibration` for what the curves do.

    Args:
        generator: the reader, as the manifest of its run names it.
        dictionary, table, evidence: SHA-256 of the files that it was learned from.
        cells, right, patients: values of the reader that the table judges, those that it bears out, and whose they are.
        error: calibration error that is to be expected, measured on patients that the fit had not seen; None where
            there were too few to tell.
        first, weight, variables, last: the fit.
        versions: of the program and of what fits.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    generator: str
    dictionary: str
    table: str
    evidence: str
    cells: int
    right: int
    patients: int
    error: float | None
    first: _Knots
    weight: float = Field(gt=0)
    variables: dict[str, Tally]
    last: _Knots
    versions: dict[str, str]

    @classmethod
    def learn(
        cls,
        cells: Scored,
        *,
        generator: str,
        error: float | None,
        dictionary: str,
        table: str,
        evidence: str,
        versions: dict[str, str],
    ) -> Calibration:
        """Fit on at least one cell."""
        found = fit(cells)
        return cls(
            generator=generator,
            dictionary=dictionary,
            table=table,
            evidence=evidence,
            cells=len(cells),
            right=int(cells.right.sum()),
            patients=len(set(cells.patients)),
            error=error,
            first=_Knots(x=found.first.x, y=found.first.y),
            weight=found.weight,
            variables=dict(found.tallies),
            last=_Knots(x=found.last.x, y=found.last.y),
            versions=versions,
        )

    def probability(self, variable: str, confidence: float) -> float:
        """Chance of being right, in (0, 1), of a value of this variable that has this confidence."""
        found = Fit(self.first.curve(), self.weight, self.variables, self.last.curve())
        return float(found.at([variable], np.array([confidence]))[0])

    def apply(self, value: ExtractedValue) -> ExtractedValue:
        """The same value with its chance of being right as confidence; as it is where it claims nothing."""
        if not claims(value.status, value.confidence):
            return value
        return replace(value, confidence=self.probability(value.variable, value.confidence))

    def doubts(self, where: str, generator: str, dictionary: str, variables: Sequence[Variable]) -> list[Problem]:
        """What makes it less than sure on another run: one `Problem` for each reason, none lost."""
        found = []
        if generator != self.generator:
            what = f"was learned from the reader {self.generator!r}; this run uses {generator!r}."
            found.append(Problem(where, what, "Calibrate this reader on a table of its own.", lost=False))
        unknown = [variable.name for variable in variables if variable.name not in self.variables]
        if dictionary != self.dictionary and unknown:
            what = f"was learned with another dictionary: {len(unknown)} of {len(variables)} variables were not in it."
            remedy = "They are judged by their confidence alone; calibrate on a table of this study."
            found.append(Problem(where, what, remedy, lost=False))
        return found

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Calibration:
        """Read what `save` wrote.

        Raises:
            InputError: the file cannot be read or is no calibration.
        """
        remedy = "Give the calibration.json that cohort-rag calibrate wrote."
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise InputError(Problem(str(path), f"cannot be read: {error.strerror}.", remedy)) from error
        except ValidationError as error:
            raise InputError(Problem(str(path), "is not a calibration.", remedy)) from error


def claims(status: Status, confidence: float) -> bool:
    """Whether a cell holds a value, in the table or for review, with a confidence."""
    return status.fills or (status in HELD and confidence > 0)


def held_back(value: ExtractedValue, above: float) -> ExtractedValue:
    """The value itself, or for review where it would fill a cell with a confidence under ``above``."""
    if value.value is None or value.confidence >= above:
        return value
    candidates = (value.value,)
    return replace(value, status=Status.TO_REVIEW, value=None, candidates=candidates, explanation=_HELD_BACK)
