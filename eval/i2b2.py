"""Reader of the annotation format of i2b2/UTHealth 2014, track 1 (Stubbs and Uzuner, J Biomed Inform 2015).

One XML file per record::

    <deIdi2b2>
    <TEXT><![CDATA[…]]></TEXT>
    <TAGS><NAME id="P0" start="16" end="26" text="…" TYPE="DOCTOR" comment=""/> …</TAGS>
    </deIdi2b2>

Its categories become our labels by ``i2b2_categories.csv``. A category without a label there is one that need not be
hidden and may be. The corpus itself is under a data use agreement and comes from its owner.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree

from schema.phi import PhiEntity, PhiLabel
from schema.problem import InputError, Problem

_REMEDY = "Give the files as they were released, one <deIdi2b2> per file."
#: What may stand between the parts of one name: "MARTIN, Anne-Lise", "J.P. Moreau".
_INSIDE_A_NAME = re.compile(r"[\s,.'’-]*")
_RECORD = re.compile(r"(?P<patient>\d+)-\d+")


@dataclass(frozen=True, slots=True)
class I2b2Document:
    """One record. ``neutral`` are the places of the categories that have no label of ours."""

    patient_id: str
    document_id: str
    text: str
    entities: tuple[PhiEntity, ...]
    neutral: tuple[tuple[int, int], ...]


def read_i2b2(folder: Path, on_problem: Callable[[Problem], None]) -> Iterator[I2b2Document]:
    """Yield the records of ``folder`` and its sub-folders, by path.

    ``document_id`` is the name of the file without its ending ("110-03"), ``patient_id`` the number before the hyphen
    (the whole name where there is none). A malformed file is left out, and so is a tag that does not mark the words
    it says it does; ``on_problem`` is told of both.

    Raises:
        InputError: the folder does not exist or holds no ``.xml`` file.
    """
    paths = sorted(folder.rglob("*.xml")) if folder.is_dir() else []
    if not paths:
        what = "holds no .xml file." if folder.is_dir() else "is not a folder."
        raise InputError(Problem(str(folder), what, _REMEDY))
    seen: set[str] = set()
    for path in paths:
        if path.stem in seen:
            on_problem(Problem(str(path), f"is a second record named {path.stem}; it was left out.", "Rename it."))
            continue
        document = _read(path, on_problem)
        if document is not None:
            seen.add(path.stem)
            yield document


def as_i2b2(entities: Iterable[PhiEntity], text: str) -> tuple[PhiEntity, ...]:
    """Our spans as that corpus writes them, so that the same thing is compared with the same.

    There, a name is one span, first name and surname together, and a date of birth is a date: neighbouring PRENOM and
    NOM spans with only blanks, hyphens and full stops between them become one NOM ("MARTIN, Anne" too: a comma may
    stand once between the two kinds, since "MARTIN, PETIT" are two persons), and DATE_NAISSANCE becomes DATE.
    """
    found: list[PhiEntity] = []
    kinds: set[PhiLabel] = set()  # of the parts of the last span
    for entity in sorted(entities):
        label = _SEEN_FROM_I2B2.get(entity.label, entity.label)
        last = found[-1] if found else None
        if last is not None and label is last.label is PhiLabel.NOM:
            between = text[last.end : max(last.end, entity.start)]
            if _INSIDE_A_NAME.fullmatch(between) and ("," not in between or entity.label not in kinds):
                found[-1] = PhiEntity(last.start, max(last.end, entity.end), label)
                kinds.add(entity.label)
                continue
        found.append(PhiEntity(entity.start, entity.end, label))
        kinds = {entity.label}
    return tuple(found)


_SEEN_FROM_I2B2 = {PhiLabel.PRENOM: PhiLabel.NOM, PhiLabel.DATE_NAISSANCE: PhiLabel.DATE}


@cache
def _categories() -> dict[str, PhiLabel | None]:
    table = files("eval").joinpath("i2b2_categories.csv").read_text(encoding="utf-8")
    return {row["type"]: PhiLabel(row["label"]) if row["label"] else None for row in csv.DictReader(table.splitlines())}


def _read(path: Path, on_problem: Callable[[Problem], None]) -> I2b2Document | None:
    try:
        data = path.read_bytes()
    except OSError as error:
        on_problem(Problem(str(path), f"cannot be read ({error.strerror}).", "Check its rights."))
        return None
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        # An entity could read another file, or swell without end; the released files declare none.
        on_problem(Problem(str(path), "declares a document type; it was left out.", _REMEDY))
        return None
    try:
        root = ElementTree.fromstring(data)  # noqa: S314 (no document type, hence no entity)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        line = f" (line {error.position[0]})" if isinstance(error, ElementTree.ParseError) else ""
        on_problem(Problem(str(path), f"is not well-formed XML{line}; it was left out.", _REMEDY))
        return None
    text, tags = root.findtext("TEXT"), root.find("TAGS")
    if root.tag != "deIdi2b2" or not text or tags is None:
        on_problem(Problem(str(path), "has no <deIdi2b2> with a <TEXT> and <TAGS>; it was left out.", _REMEDY))
        return None
    entities: list[PhiEntity] = []
    neutral: list[tuple[int, int]] = []
    for tag in tags:
        place = _place(tag, text)
        kind = tag.get("TYPE", "").upper()
        name = f"tag {tag.get('id', '?')}"
        if place is None:
            what = f"{name} does not mark the words that it says it does; it was left out."
            on_problem(Problem(str(path), what, "Check its start, end and text."))
        elif kind not in _categories():
            what = f"{name} is of the unknown category '{kind}': its words need not be hidden, and may be."
            on_problem(Problem(str(path), what, f"Known: {', '.join(_categories())}.", lost=False))
            neutral.append(place)
        elif (label := _categories()[kind]) is None:
            neutral.append(place)
        else:
            entities.append(PhiEntity(*place, label))
    record = _RECORD.fullmatch(path.stem)
    patient = record["patient"] if record else path.stem
    return I2b2Document(patient, path.stem, text, tuple(sorted(entities)), tuple(sorted(neutral)))


def _place(tag: ElementTree.Element, text: str) -> tuple[int, int] | None:
    """Where a tag says it is, when the text there is what it quotes (an attribute holds blanks for line ends)."""
    try:
        start, end = int(tag.get("start", "")), int(tag.get("end", ""))
    except ValueError:
        return None
    quoted = tag.get("text", "").split()
    return (start, end) if 0 <= start < end <= len(text) and quoted and text[start:end].split() == quoted else None
