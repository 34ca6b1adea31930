"""Read the user's documents, one at a time, wherever they lie."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from schema.document import RawDocument
from schema.problem import InputError, Problem


def read_documents(source: Path, on_problem: Callable[[Problem], None]) -> Iterator[RawDocument]:
    """Yield the documents of ``source``, one at a time; what cannot be used goes to ``on_problem``.

    Raises:
        InputError: nothing can go on.
    """
    if source.suffix != ".jsonl":
        raise InputError(Problem(str(source), "unknown extension.", "Give a .jsonl file."))
    with source.open(encoding="utf-8-sig", newline="\n") as lines:
        for number, line in enumerate(lines, 1):
            row = json.loads(line)
            yield RawDocument(
                str(row["patient_id"]),
                str(row["document_id"]),
                row["text"],
                row.get("date"),
                row.get("type"),
                row.get("title"),
                f"{source.name}, line {number}",
            )
