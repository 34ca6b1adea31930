"""What a de-identification writes: the documents, in three formats, and the spans."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from rag.deid.keys import private_file
from schema.problem import Problem

COLUMNS = ("patient_id", "document_id", "date", "type", "title", "text")
_BATCH = 256  # rows of Parquet held at once

Row = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class PatientLines:
    """All that a de-identification writes of one patient.

    Args:
        place: the patient's rank in the source, from 0.
        documents: rows under `COLUMNS`.
        spans: for each document, its line of the spans file.
        key: the patient's line of the key file.
        labels: number of spans by label.
        levels: number of sentences by level of sensitivity.
        telling: identifiers of documents, kept as they are, that hold a name or a date.
    """

    place: int
    patient_id: str
    documents: tuple[dict[str, str | None], ...]
    spans: tuple[str, ...]
    key: str
    labels: dict[str, int]
    levels: dict[str, int]
    problems: tuple[Problem, ...]
    telling: tuple[str, ...]

    @classmethod
    def of(cls, row: dict[str, Any]) -> PatientLines:
        """What `dataclasses.asdict` made a row of."""
        return cls(**{**row, "problems": tuple(Problem(**problem) for problem in row["problems"])})


class OutputFiles:
    """The documents and the spans, written beside their places and put there in one step at the end.

    Raises:
        OSError: they cannot be written.
    """

    def __init__(self, documents: Path, spans: Path) -> None:
        self.documents = 0
        self._targets = (documents, spans)
        self._drafts = tuple(path.with_name(f".{path.name}.draft") for path in self._targets)
        self._stack = ExitStack()

    def __enter__(self) -> OutputFiles:
        draft, spans = self._drafts
        for path in self._drafts:
            path.unlink(missing_ok=True)
        self._write = self._stack.enter_context(_WRITERS[self._targets[0].suffix.lower()](draft))
        self._spans = self._stack.enter_context(private_file(spans))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, lines: PatientLines) -> None:
        """Write one patient."""
        for row in lines.documents:
            self._write(row)
            self.documents += 1
        self._spans.writelines(lines.spans)

    def publish(self) -> None:
        """Put the complete files at their places."""
        self._stack.close()
        for draft, target in zip(self._drafts, self._targets, strict=True):
            draft.replace(target)


class _JsonLines:
    def __init__(self, path: Path) -> None:
        self._file: TextIO = path.open("w", encoding="utf-8", newline="\n")

    def __enter__(self) -> Callable[[Row], None]:
        return self._add

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _add(self, row: Row) -> None:
        self._file.write(json.dumps(row, ensure_ascii=False) + "\n")


class _Csv:
    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.DictWriter(self._file, COLUMNS, quoting=csv.QUOTE_ALL)
        self._writer.writeheader()

    def __enter__(self) -> Callable[[Row], None]:
        return self._writer.writerow

    def __exit__(self, *_: object) -> None:
        self._file.close()


class _Parquet:
    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._arrow = pa
        self._schema = pa.schema([pa.field(name, pa.string()) for name in COLUMNS])
        self._file = pq.ParquetWriter(path, self._schema)
        self._rows: list[Row] = []

    def __enter__(self) -> Callable[[Row], None]:
        return self._add

    def __exit__(self, kind: type[BaseException] | None, *_: TracebackType | BaseException | None) -> None:
        self._flush()
        self._file.close()

    def _add(self, row: Row) -> None:
        self._rows.append(row)
        if len(self._rows) == _BATCH:
            self._flush()

    def _flush(self) -> None:
        self._file.write_table(self._arrow.Table.from_pylist(self._rows, self._schema))
        self._rows.clear()


_WRITERS: dict[str, Callable[[Path], Any]] = {".jsonl": _JsonLines, ".csv": _Csv, ".parquet": _Parquet}
#: Extensions of the files of documents that can be written.
FORMATS = tuple(_WRITERS)
