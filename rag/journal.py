"""What a run has finished, one line of JSON per patient, so that a killed run goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from schema.problem import InputError, Problem


class Journal:
    """The patients finished so far, on the disk, readable by their owner alone. A line cut short is written again.

    Args:
        path: the file, made if missing.
        made_of: hashes of what decides the result, by name; they open the file.

    Raises:
        InputError: the journal was begun with something else.
    """

    def __init__(self, path: Path, made_of: Mapping[str, str]) -> None:
        self._offsets: dict[int, int] = {}
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
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
        self._file.truncate(offset)
        if began_with is None:
            self._append(dict(made_of))
            return
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

    def add(self, place: int, row: Mapping[str, Any]) -> None:
        """Keep one patient; a kill of the program after this loses nothing of it."""
        self._offsets[place] = self._append({"place": place, **row})

    def _append(self, content: Mapping[str, Any]) -> int:
        offset = self._file.seek(0, os.SEEK_END)
        self._file.write(json.dumps(content, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        return offset

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The rows in the order of the source."""
        for _, offset in sorted(self._offsets.items()):
            self._file.seek(offset)
            yield json.loads(self._file.readline())

    def close(self) -> None:
        """Close the file."""
        self._file.close()
