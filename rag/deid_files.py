"""What a de-identification writes: its journal while it runs, then the documents and the spans.

The journal holds one line per finished patient, so that a killed run goes on; a line cut short is written again.
The outputs are made from it in the order of the patients, whatever order they were finished in.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from rag.deid.keys import private_file
from schema.problem import InputError, Problem

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


class Journal:
    """The patients finished so far, on the disk.

    Args:
        path: the file, made if missing, mode 0600.
        made_of: hashes of what decides the result, by name; they open the file.

    Raises:
        InputError: the journal was begun with something else.
    """

    def __init__(self, path: Path, made_of: dict[str, str]) -> None:
        self._offsets: dict[int, int] = {}
        if not path.exists():
            with private_file(path) as file:
                file.write(json.dumps(made_of) + "\n")
        self._file = path.open("r+b")
        began_with: dict[str, str] | None = None
        offset = 0
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            content = json.loads(line)
            if began_with is None:
                began_with = content
            else:
                self._offsets[content["place"]] = offset
            offset += len(line)
        if began_with is None:  # killed within the first line
            self._file.seek(0)
            self._file.truncate()
            self._file.write(json.dumps(made_of).encode() + b"\n")
            return
        self._file.truncate(offset)
        changed = [name for name, value in made_of.items() if began_with.get(name) != value]
        if changed:
            self._file.close()
            what = f"the interrupted run cannot go on: changed since it was started: {', '.join(changed)}."
            remedy = "Put back what it was started with, or start again without --resume."
            raise InputError(Problem(str(path.parent), what, remedy))

    @property
    def places(self) -> set[int]:
        """Places of the patients that are finished."""
        return set(self._offsets)

    def add(self, lines: PatientLines) -> None:
        """Keep one patient; a kill of the program after this loses nothing of it."""
        self._offsets[lines.place] = self._file.seek(0, os.SEEK_END)
        self._file.write(json.dumps(asdict(lines), ensure_ascii=False).encode() + b"\n")
        self._file.flush()

    def __iter__(self) -> Iterator[PatientLines]:
        """The patients in the order of the source."""
        for _, offset in sorted(self._offsets.items()):
            self._file.seek(offset)
            yield _patient_lines(json.loads(self._file.readline()))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _patient_lines(row: dict[str, Any]) -> PatientLines:
    problems = tuple(Problem(**problem) for problem in row.pop("problems"))
    return PatientLines(**row, problems=problems)


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
