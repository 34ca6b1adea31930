"""ICD-10: the French file of the ATIH (LIBCIM10MULTI.TXT), a table of codes and labels, or the labels in edsnlp."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from itertools import islice
from pathlib import Path

from rag.terminology.loaders.source import (
    Entry,
    Report,
    RowProblems,
    Source,
    checked_name,
    clean_name,
    hash_files,
    read_lines,
)
from rag.terminology.loaders.table import TableSource, check_text_file
from rag.terminology.model import Term
from schema.concept import Code, CodeSystem

#: A category, then what refines it, the French extensions ("+0") included.
_CODE = re.compile(r"(?P<category>[A-Z]\d{2})\.?(?P<rest>[0-9A-Za-z+\-]{0,6})")
_DELIMITERS = "|;\t,"
#: Fields of the ATIH's file: code, three types of use, short label, long label.
_ATIH = 6


@dataclass(frozen=True, slots=True)
class Icd10Source(Source):
    """A file: the ATIH's, or a table whose first column is the code, with or without heading."""

    path: Path

    @property
    def name(self) -> str:
        """The file's name."""
        return f"ICD-10 ({self.path.name})"

    def fingerprint(self) -> str:
        """A hash of the file."""
        return hash_files([self.path])

    def entries(self, report: Report) -> Iterator[Entry]:
        """One entry for each code: the long label, preferred, and the short one.

        Raises:
            InputError: it is not a text, or holds no codes.
        """
        check_text_file(self.path)
        with self.path.open("rb") as file:
            start = [line for _, line in islice(read_lines(file, RowProblems(self.path.name, lambda _: None)), 1)]
        delimiter = next((mark for mark in _DELIMITERS if start and _dotted(start[0].split(mark)[0])), None)
        if delimiter is None:  # a heading, then
            yield from TableSource(self.path, system=CodeSystem.ICD10).entries(report)
            return
        with self.path.open("rb") as file, RowProblems(self.path.name, report) as problems:
            yield from _rows(read_lines(file, problems), delimiter, problems)


@dataclass(frozen=True, slots=True)
class EdsnlpIcd10Source(Source):
    """The French labels that edsnlp carries, read by edsnlp."""

    @property
    def name(self) -> str:
        """The library."""
        return "ICD-10 (edsnlp)"

    @property
    def version(self) -> str:
        """The library's version."""
        return metadata.version("edsnlp")

    def fingerprint(self) -> str:
        """A hash of the codes and labels."""
        return hashlib.sha256(repr(sorted(_edsnlp_labels().items())).encode()).hexdigest()

    def entries(self, report: Report) -> Iterator[Entry]:
        """One entry for each code. The codes that edsnlp also lists as patterns are no names, and are left out."""
        for code, labels in _edsnlp_labels().items():
            dotted = _dotted(code)
            names = [clean_name(label) for label in labels if re.sub(r"[\s.]", "", label) != code]
            if dotted:
                yield _entry(dotted, reversed([name for name in names if name]))  # short, long


@lru_cache(maxsize=1)
def _edsnlp_labels() -> dict[str, list[str]]:
    from edsnlp.pipes.ner.cim10.patterns import get_patterns

    labels: dict[str, list[str]] = get_patterns()
    return labels


def _rows(lines: Iterable[tuple[int, str]], delimiter: str, problems: RowProblems) -> Iterator[Entry]:
    seen: dict[str, int] = {}
    for number, line in lines:
        line = line.rstrip("\r\n")
        cells = line.split("|") if delimiter == "|" else next(csv.reader([line], delimiter=delimiter))
        code = _dotted(cells[0])
        if code is None:
            problems.lost(number, "does not begin with an ICD-10 code.", "Write it as I63.9 or I639, in capitals.")
        elif len(cells) != (_ATIH if delimiter == "|" and len(cells) > 2 else 2):
            what = f"has {len(cells)} fields; a code and a label, or the ATIH's six fields, were expected."
            problems.lost(number, what, f"Put labels that hold {delimiter!r} between double quotes.")
        elif name := checked_name(cells[-1], number, problems):
            if seen.setdefault(code, hash(name)) != hash(name):
                what = f"repeats the code {code} with another label; both are its names."
                problems.doubt(number, what, "Remove one of them if it is wrong.")
            yield _entry(code, filter(None, (name, clean_name(cells[-2]) if len(cells) == _ATIH else "")))


def _entry(code: str, names: Iterable[str]) -> Entry:
    """``names``: the one to show first."""
    terms = (Term(name, code, preferred=place == 0) for place, name in enumerate(dict.fromkeys(names)))
    return Entry(code, tuple(terms), codes=(Code(CodeSystem.ICD10, code),))


def _dotted(text: str) -> str | None:
    """A code as the WHO writes it ("I63.9"), or None; extensions of a category have no dot ("T08+0")."""
    code = _CODE.fullmatch(text.strip().strip('"'))
    if code is None:
        return None
    rest = code["rest"]
    return code["category"] + ("." if rest and rest[0] not in "+-" else "") + rest
