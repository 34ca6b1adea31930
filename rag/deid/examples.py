"""Texts with their identifying spans: what a tagger is trained on and measured with. BRAT folders and JSON lines."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.brat import BratDocument, read_brat
from schema.phi import PhiEntity, PhiLabel
from schema.problem import InputError, Problem


@dataclass(frozen=True, slots=True)
class Example:
    """A text and the identifying spans in it, ordered, without overlap."""

    document_id: str
    text: str
    entities: tuple[PhiEntity, ...]


OnProblem = Callable[[Problem], None]


def read_examples(path: Path, on_problem: OnProblem, texts: Mapping[str, str] | None = None) -> Iterator[Example]:
    """Read the examples of a BRAT folder or a ``.jsonl`` file.

    A line of JSON is ``{"document_id", "text", "entities": [{"label", "start", "end"}]}``; positions are code points,
    the end excluded; the labels are those of `PhiLabel`.

    Args:
        path: folder of ``.txt`` + ``.ann``, or a ``.jsonl`` file.
        on_problem: told of every row that cannot be used and of every span left out.
        texts: document_id -> text, for lines that have no ``text`` of their own.
    """
    if path.is_dir():
        for document in read_brat(path, on_problem):
            yield _from_brat(document, path, on_problem)
        return
    try:
        stream = path.open(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(
            Problem(str(path), f"cannot be read ({error.strerror}).", "Give a BRAT folder or a .jsonl file.")
        ) from None
    with stream:
        try:
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    example = _from_line(line, f"{path.name}, row {number}", texts or {}, on_problem)
                    if example is not None:
                        yield example
        except UnicodeDecodeError:
            raise InputError(Problem(str(path), "is not UTF-8.", "Convert the file to UTF-8.")) from None


def write_examples(path: Path, examples: Iterable[Example]) -> int:
    """Write JSON lines that `read_examples` reads; give their number."""
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for count, example in enumerate(examples, start=1):  # noqa: B007 (the last value is the number)
            row = {
                "document_id": example.document_id,
                "text": example.text,
                "entities": [
                    {"label": entity.label.value, "start": entity.start, "end": entity.end}
                    for entity in example.entities
                ],
            }
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    return count


def hold_out(examples: Sequence[Example], seed: int) -> tuple[list[Example], list[Example]]:
    """Set a tenth of the examples apart (one at least); give the others, then it."""
    order = list(range(len(examples)))
    random.Random(seed).shuffle(order)  # noqa: S311 (reproducible, no secret)
    apart = set(order[: max(1, len(order) // 10)])
    return (
        [example for place, example in enumerate(examples) if place not in apart],
        [example for place, example in enumerate(examples) if place in apart],
    )


def _from_brat(document: BratDocument, folder: Path, on_problem: OnProblem) -> Example:
    spans = []
    for entity in document.entities:
        start, end = entity.fragments[0][0], entity.fragments[-1][1]
        spans.append((entity.label, start, end))
    where = f"{folder.name}, document {document.document_id}"
    return Example(document.document_id, document.text, _entities(spans, document.text, where, on_problem))


def _from_line(line: str, where: str, texts: Mapping[str, str], on_problem: OnProblem) -> Example | None:
    remedy = 'Write {"document_id": …, "text": …, "entities": [{"label": …, "start": …, "end": …}]}.'
    try:
        row: Any = json.loads(line)
    except ValueError:
        on_problem(Problem(where, "is not JSON.", remedy))
        return None
    if not isinstance(row, dict) or not isinstance(row.get("entities", []), list):
        on_problem(Problem(where, "is not an object with a list 'entities'.", remedy))
        return None
    document_id = str(row.get("document_id", ""))
    text = row.get("text", texts.get(document_id))
    if not isinstance(text, str):
        on_problem(Problem(where, f"has no text, and no document '{document_id}' was given.", remedy))
        return None
    spans = []
    for place, span in enumerate(row.get("entities", []), start=1):
        match span:
            case {"label": str(label), "start": int(start), "end": int(end)}:
                spans.append((label, start, end))
            case _:
                on_problem(Problem(where, f"entity {place} lacks a label, a start or an end.", remedy, lost=False))
    return Example(document_id, text, _entities(spans, text, where, on_problem))


def _entities(
    spans: Iterable[tuple[str, int, int]], text: str, where: str, on_problem: OnProblem
) -> tuple[PhiEntity, ...]:
    """The usable spans, in order; of two that overlap, the one that begins first (the longer one at the same start)."""
    entities: list[PhiEntity] = []
    for label, start, end in sorted(spans, key=lambda span: (span[1], -span[2])):
        if label not in PhiLabel.__members__:
            known = ", ".join(PhiLabel)
            on_problem(Problem(where, f"label '{label}' is not known.", f"Use one of: {known}.", lost=False))
        elif not 0 <= start < end <= len(text):
            what = f"span {start}–{end} is empty or outside the text of {len(text)} characters."
            on_problem(Problem(where, what, "Count code points of the text as given, end excluded.", lost=False))
        elif entities and start < entities[-1].end:
            what = f"span {start}–{end} overlaps the one before it and is left out."
            on_problem(Problem(where, what, "Give spans that do not overlap.", lost=False))
        else:
            entities.append(PhiEntity(start, end, PhiLabel(label)))
    return tuple(entities)
