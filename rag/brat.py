"""Reader of BRAT standoff annotation (https://brat.nlplab.org/standoff.html): text files beside `.ann` files.

Text-bound annotations (T, discontinuous ones included) and their notes (#) are read; relations, events and
attributes are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from schema.problem import InputError, Problem

_ENTITY = re.compile(r"(?P<id>T\S+)\t(?P<label>\S+) (?P<spans>\d+ \d+(?:;\d+ \d+)*)\t(?P<text>.*)")
_NOTE = re.compile(r"#\S*\t\S+ (?P<id>T\S+)\t(?P<note>.*)")


@dataclass(frozen=True, slots=True)
class BratEntity:
    """One annotation. ``fragments`` are code points [start, end) of the document's text, in order.

    ``notes`` are the free notes about it, in the file's order (QUAERO keeps UMLS identifiers there).
    """

    identifier: str
    label: str
    fragments: tuple[tuple[int, int], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BratDocument:
    """One text with its annotations. ``document_id`` is the file's path below the folder, without its ending."""

    document_id: str
    text: str
    entities: tuple[BratEntity, ...]


def read_brat(folder: Path, on_problem: Callable[[Problem], None]) -> Iterator[BratDocument]:
    """Yield the documents of ``folder`` and its sub-folders, by path; a text without `.ann` file has no entity.

    An annotation that is malformed, or lies outside the text or on blanks alone, is left out and said.

    Raises:
        InputError: the folder does not exist or holds no `.txt` file.
    """
    files = sorted(folder.rglob("*.txt")) if folder.is_dir() else []
    if not files:
        what = "holds no .txt file." if folder.is_dir() else "is not a folder."
        raise InputError(Problem(str(folder), what, "Give a folder of BRAT files (name.txt beside name.ann)."))
    for file in files:
        text = _read(file, on_problem)
        if text is None:
            continue
        standoff = file.with_suffix(".ann")
        lines = _read(standoff, on_problem) if standoff.exists() else ""
        entities = _entities(standoff, lines or "", text, on_problem)
        yield BratDocument(file.relative_to(folder).with_suffix("").as_posix(), text, entities)


def _read(file: Path, on_problem: Callable[[Problem], None]) -> str | None:
    try:
        # Line ends stay as they are: positions count every character.
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        on_problem(Problem(str(file), "is not UTF-8 text; it was left out.", "Save it in UTF-8."))
    except OSError as error:
        on_problem(Problem(str(file), f"cannot be read ({error.strerror}).", "Check its rights."))
    return None


def _entities(file: Path, lines: str, text: str, on_problem: Callable[[Problem], None]) -> tuple[BratEntity, ...]:
    found: dict[str, tuple[str, tuple[tuple[int, int], ...]]] = {}
    notes: dict[str, list[str]] = {}
    for number, line in enumerate(lines.replace("\r\n", "\n").split("\n"), start=1):
        where = f"{file}, line {number}"
        if note := _NOTE.fullmatch(line):
            notes.setdefault(note["id"], []).append(note["note"].strip())
        elif line.startswith("T"):
            match = _ENTITY.fullmatch(line)
            if not match:
                what = "is not an annotation (T1<tab>LABEL start end<tab>text)."
                on_problem(Problem(where, what, "Correct or remove the line."))
                continue
            spans = (span.split() for span in match["spans"].split(";"))
            fragments = tuple(sorted((int(start), int(end)) for start, end in spans))
            if not all(text[start:end].strip() and end <= len(text) for start, end in fragments):
                what = f"marks no text, or a place outside the {len(text)} characters of the document."
                on_problem(Problem(where, what, "Check that the .txt and .ann files go together."))
            elif match["id"] in found:
                on_problem(Problem(where, f"repeats the identifier {match['id']}.", "Give it another one."))
            else:
                found[match["id"]] = (match["label"], fragments)
    return tuple(
        BratEntity(identifier, label, fragments, tuple(notes.get(identifier, ())))
        for identifier, (label, fragments) in found.items()
    )
