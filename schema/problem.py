"""What went wrong with an input, said so that the user can mend it."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """One defect of the input. Holds names, rows and identifiers, never text of a document.

    Args:
        where: file, and row or field where known ("notes.csv, row 12", "dictionary.csv, variable 'age'").
        what: what is wrong, with the value found and what was expected.
        remedy: what to do next.
        lost: the row or file could not be used (False: it was used, with a doubt said in ``what``).
    """

    where: str
    what: str
    remedy: str
    lost: bool = True

    def __str__(self) -> str:
        return f"{self.where}: {self.what} {self.remedy}"


class InputError(Exception):
    """Nothing can go on: the input as a whole is unusable. Carries every problem found.

    The command line prints them and exits with code 2.
    """

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def describe_break(error: BaseException) -> str:
    """Where the program broke ("ValueError at patient.py:41 > reader.py:33").

    Without the message of the exception, which may quote a patient's documents.
    """
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} at {' > '.join(f'{Path(frame.filename).name}:{frame.lineno}' for frame in frames)}"
