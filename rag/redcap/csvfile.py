"""Delimited files as people save them: encodings and delimiters found out, rows numbered as a spreadsheet does."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from schema.problem import InputError, Problem

_RESAVE = "Save the table again as 'CSV UTF-8' and give that file."


@dataclass(frozen=True, slots=True)
class CsvFile:
    """Cells stripped of outer spaces. ``rows`` holds (row number, cells): the heading is row 1, blank rows are out.

    ``content`` is the file's bytes, read once so that a hash of them describes what was read.
    """

    name: str
    content: bytes
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def read_csv(path: Path) -> CsvFile:
    """Read a file delimited by comma, semicolon or tab, in UTF-8, UTF-16 (with its mark) or Windows-1252.

    Raises:
        InputError: the file is missing, unreadable, empty, or not a delimited text.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(Problem(path.name, f"cannot be read ({error.strerror}).", "Check the path.")) from None
    text = _decoded(path.name, content)
    delimiter = _delimiter(text)
    try:
        lines = [
            tuple(cell.strip() for cell in row)
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        ]
    except csv.Error as error:
        raise InputError(Problem(path.name, f"is not a delimited table ({error}).", _RESAVE)) from None
    numbered = [(number, cells) for number, cells in enumerate(lines, start=1) if any(cells)]
    if not numbered:
        raise InputError(Problem(path.name, "is empty.", "Give a table with a heading row and rows below."))
    return CsvFile(path.name, content, numbered[0][1], tuple(numbered[1:]))


def _decoded(name: str, content: bytes) -> str:
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise InputError(Problem(name, "is an Excel or zip file, not a CSV.", _RESAVE))
    # Windows-1252 comes last: it accepts almost any bytes.
    marked = ("utf-16",) if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ()
    for encoding in (*marked, "utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            # Excel writes this line for itself: "sep=;".
            return text.split("\n", 1)[-1] if text[:4].lower() == "sep=" else text
    raise InputError(Problem(name, "is not a text in UTF-8, UTF-16 or Windows-1252.", _RESAVE))


def _delimiter(text: str) -> str:
    """The delimiter that cuts the heading row in most cells; the comma when none does."""

    def width(delimiter: str) -> int:
        try:
            return max(len(next(csv.reader(io.StringIO(text.lstrip(), newline=""), delimiter=delimiter), [])), 1)
        except csv.Error:
            return 0

    return max((",", ";", "\t"), key=width)
