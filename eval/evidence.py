"""The evidence files: for each cell, its status, its confidence and the quotes that support it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schema.problem import InputError, Problem
from schema.value import Status


class Quote(BaseModel):
    """Words of one document. Positions are code points, end excluded; manual evidence may have none."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    document_id: str
    quote: str
    start: int | None = None
    end: int | None = None


class EvidenceRow(BaseModel):
    """What one line of an evidence file says of one cell. Its other fields are ignored: the tables hold the values,
    but for the ``candidates`` of a cell that is left empty for review: coded as the table writes them, best first.

    ``kind`` says what it takes to find the value: "plain", "anaphoric" (the sentence points to an earlier one, which is
    then quoted too) or "order" (several values are written, and the order of time tells which is asked for).
    """

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    patient_id: str
    variable: str
    status: Status | None = None
    confidence: float | None = Field(default=None, ge=0, le=1)
    candidates: tuple[str | tuple[str, ...] | None, ...] = ()
    evidence: tuple[Quote, ...] = ()
    kind: str = ""


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """The readable lines of an evidence file, and what is wrong with the others.

    Args:
        lines: the line of the file, from 1, that each row stands on.
    """

    rows: tuple[EvidenceRow, ...]
    problems: tuple[Problem, ...]
    lines: tuple[int, ...] = ()


#: Rows by (record, variable name).
EvidenceByCell = Mapping[tuple[str, str], EvidenceRow]


def read_evidence(path: Path) -> EvidenceFile:
    """Read an ``evidence.jsonl`` file, predicted or manual; lines that cannot be read are left out and reported.

    Raises:
        InputError: the file cannot be read at all.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(Problem(path.name, f"cannot be read: {error.strerror}.", "Check the path.")) from error
    except UnicodeDecodeError as error:
        raise InputError(Problem(path.name, "is not UTF-8.", "Save it as UTF-8.")) from error
    rows: dict[int, EvidenceRow] = {}
    problems: list[Problem] = []
    for number, line in enumerate(text.split("\n"), start=1):  # other line ends may stand inside a quote
        if not line.strip():
            continue
        try:
            rows[number] = EvidenceRow.model_validate(json.loads(line))
        except (json.JSONDecodeError, ValidationError) as error:
            problems.append(Problem(f"{path.name}, line {number}", _defect(error), "Mend the line or remove it."))
    return EvidenceFile(tuple(rows.values()), tuple(problems), tuple(rows))


def _defect(error: json.JSONDecodeError | ValidationError) -> str:
    """What is wrong, without the line's own words: it may quote a patient's document."""
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg} at character {error.pos + 1}."
    found = [f"{'.'.join(map(str, item['loc'])) or 'line'}: {item['msg']}" for item in error.errors()]
    return "; ".join(found) + "."


def by_cell(rows: Iterable[EvidenceRow]) -> dict[tuple[str, str], EvidenceRow]:
    """Index rows by (record, variable name). Quotes of several rows of one cell are put together."""
    cells: dict[tuple[str, str], EvidenceRow] = {}
    for row in rows:
        key = (row.patient_id, row.variable)
        first = cells.get(key)
        cells[key] = row if first is None else first.model_copy(update={"evidence": first.evidence + row.evidence})
    return cells
