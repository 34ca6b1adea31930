"""What undoes a de-identification: the secret of a run, and each patient's shift and surrogates.

A key file is JSON lines: the secret first, then one line per patient. Surrogates and shifts are drawn from the
secret with HMAC-SHA-256, so that nobody without it can tell them, not even by trying every name.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TextIO, TypeVar

from schema.problem import InputError, Problem

T = TypeVar("T")

_FORMAT = "cohort-rag de-identification key 1"
_SECRET_BYTES = 32


class Secret:
    """Draws numbers that nobody can tell without the secret: the same words always give the same number."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def new(cls) -> Secret:
        """A secret of the system's random source."""
        return cls(secrets.token_bytes(_SECRET_BYTES))

    @property
    def hex(self) -> str:
        """The secret as it is written in a key file."""
        return self._key.hex()

    def number(self, *words: str) -> int:
        """A number of 64 bits."""
        message = "".join(f"{len(word)}:{word}" for word in words)  # no two lists of words give one message
        return int.from_bytes(hmac.digest(self._key, message.encode(), hashlib.sha256)[:8])

    def pick(self, pool: Sequence[T], *words: str) -> Iterable[T]:
        """Every element of ``pool`` once, from a place that the words decide."""
        start = self.number(*words) % len(pool)
        return (pool[(start + i) % len(pool)] for i in range(len(pool)))


class Replaced(NamedTuple):
    """One entry of a patient's table: what stood in the documents, and what stands there now."""

    label: str
    original: str
    surrogate: str


@dataclass(frozen=True, slots=True)
class PatientKey:
    """What undoes the de-identification of one patient.

    ``shift_days``: days added to every date (0 under a policy that moves none).
    """

    patient_id: str
    shift_days: int
    replaced: tuple[Replaced, ...] = ()

    def to_json(self) -> str:
        """One line of a key file."""
        row = {"patient_id": self.patient_id, "shift_days": self.shift_days, "replaced": self.replaced}
        return json.dumps(row, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Key:
    """A key file as read."""

    secret: Secret
    patients: dict[str, PatientKey]


def read_key(path: Path) -> Key:
    """Read a key file.

    Raises:
        InputError: it cannot be read, or is no key file.
    """
    remedy = "Give the key that deidentify wrote."
    try:
        with path.open(encoding="utf-8") as lines:
            head = json.loads(next(lines, "null"))
            if not isinstance(head, dict) or head.get("format") != _FORMAT:
                raise InputError(Problem(str(path), "is not a de-identification key.", remedy))
            patients = [_patient(json.loads(line)) for line in lines]
            return Key(Secret(bytes.fromhex(head["secret"])), {patient.patient_id: patient for patient in patients})
    except OSError as error:
        raise InputError(Problem(str(path), f"cannot be read ({error.strerror}).", "Check the path.")) from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(Problem(str(path), "is not a whole de-identification key.", remedy)) from error


def read_shifts(path: Path) -> dict[str, int]:
    """The days by which the dates of each patient moved. Raises as `read_key` does."""
    return {name: patient.shift_days for name, patient in read_key(path).patients.items()}


def _patient(row: dict[str, object]) -> PatientKey:
    replaced = row["replaced"]
    if not isinstance(replaced, list):
        raise TypeError
    return PatientKey(str(row["patient_id"]), int(str(row["shift_days"])), tuple(Replaced(*one) for one in replaced))


def write_key(path: Path, secret: Secret, patients: Iterable[str]) -> None:
    """Write a key file in one step, readable by its owner alone; ``patients`` are lines of `PatientKey.to_json`."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    with private_file(draft) as file:
        file.write(json.dumps({"format": _FORMAT, "secret": secret.hex}) + "\n")
        file.writelines(line + "\n" for line in patients)
    draft.replace(path)


def private_file(path: Path) -> TextIO:
    """A new text file that its owner alone may read and write (mode 0600).

    Raises:
        OSError: it exists, or cannot be written.
    """
    return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8", newline="\n")
