"""The files of a published release, whether it was unpacked or left in its zip."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from re import Pattern
from typing import BinaryIO

from rag.terminology.loaders.source import Report, RowProblems, read_lines
from schema.problem import InputError, Problem


@dataclass(frozen=True, slots=True)
class ReleaseFile:
    """One file of a release: on the disk, or ``member`` of the zip at ``path``."""

    path: Path
    member: str = ""

    @property
    def name(self) -> str:
        """Its name without folder."""
        return PurePosixPath(self.member).name if self.member else self.path.name

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Its bytes.

        Raises:
            InputError: the zip is damaged, or locked by a password.
        """
        if not self.member:
            with self.path.open("rb") as file:
                yield file
            return
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as file:
                yield file  # type: ignore[misc]  # reads as BinaryIO does
        except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError) as error:
            what = f"cannot be unpacked at {self.member} ({type(error).__name__})."
            raise InputError(
                Problem(str(self.path), what, "Download it again, or unpack it and give the folder.")
            ) from None


def release_files(places: Sequence[Path], pattern: Pattern[str]) -> list[ReleaseFile]:
    """The files whose name ``pattern`` matches as a whole, in folders (sub-folders included) and zips.

    Raises:
        InputError: a place does not exist, or is neither a folder nor a zip.
    """
    return [file for place in places for file in _listed(place) if pattern.fullmatch(file.name)]


def _listed(place: Path) -> Iterator[ReleaseFile]:
    if place.is_dir():
        yield from (ReleaseFile(path) for path in sorted(place.rglob("*")) if path.is_file())
        return
    if not place.exists():
        raise InputError(Problem(str(place), "does not exist.", "Check the path of the release."))
    try:
        with zipfile.ZipFile(place) as archive:
            members = sorted(member.filename for member in archive.infolist() if not member.is_dir())
    except (zipfile.BadZipFile, OSError):
        what = "is neither a folder nor a readable zip."
        raise InputError(Problem(str(place), what, "Give the folder of the release, or its zip.")) from None
    yield from (ReleaseFile(place, member) for member in members)


def read_rows(
    file: ReleaseFile, delimiter: str, header: Sequence[str], width: int, report: Report
) -> Iterator[tuple[int, list[str], RowProblems]]:
    """The rows of a delimited file without quotes, with their line numbers, and where to say what is wrong with them.

    Args:
        header: the columns of its first line; none when it has no heading.
        width: number of fields of each row; rows of another number are said and left out.

    Raises:
        InputError: the first line is not ``header``.
    """
    with file.open() as stream, RowProblems(file.name, report) as problems:
        for number, line in read_lines(stream, problems):
            fields = line.rstrip("\r\n").split(delimiter)
            if header and number == 1:
                if fields != list(header):
                    what = f"its columns are {', '.join(fields[:20])[:300]}; {', '.join(header)} were expected."
                    raise InputError(Problem(file.name, what, "Give the file as it was released."))
            elif len(fields) != width:
                what = f"has {len(fields)} fields; {width} were expected."
                problems.lost(number, what, "Take the line again from the release: a line end or a tab broke it.")
            else:
                yield number, fields, problems
