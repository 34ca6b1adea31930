"""Reader of spans kept apart from their texts: JSON lines ``{"document_id", "entities": [{"label", "start", "end"}]}``.

``patient_id`` says whose document it is, where two patients have documents of the same name; ``text`` in an entity is
checked against the document.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from schema.phi import PhiEntity, PhiLabel
from schema.problem import InputError, Problem

#: A document's place in a corpus: patient_id, document_id.
DocumentKey = tuple[str, str]

_Report = Callable[[Problem], None]
_ROW = 'Write {"document_id": …, "entities": [{"label": …, "start": …, "end": …}]}, one document a line.'


def read_spans(
    path: Path, texts: Mapping[DocumentKey, str], on_problem: _Report
) -> dict[DocumentKey, tuple[PhiEntity, ...]]:
    """The spans of the documents of ``texts``, by document, ordered; a document without a row has no key.

    A row that is malformed, repeated or of another document is left out, and so is a span that is malformed, lies
    outside the text or quotes other words; ``on_problem`` is told of each.

    Raises:
        InputError: the file cannot be read, or no row of it is about a document of ``texts``.
    """
    by_name: dict[str, list[DocumentKey]] = {}
    for key in texts:
        by_name.setdefault(key[1], []).append(key)
    found: dict[DocumentKey, tuple[PhiEntity, ...]] = {}
    rows = 0
    for where, row in _rows(path, on_problem):
        rows += 1
        document_id, patient_id = str(row["document_id"]), row.get("patient_id")
        keys = by_name.get(document_id, [])
        if patient_id is not None:
            keys = [key for key in keys if key[0] == str(patient_id)]
        if len(keys) != 1:
            what = f"document '{document_id}' {'is not among the documents' if not keys else 'is of several patients'}."
            on_problem(Problem(where, what, "Give the documents that the spans are of, and patient_id in each row."))
        elif keys[0] in found:
            on_problem(Problem(where, f"document '{document_id}' comes a second time.", "Keep one row per document."))
        else:
            found[keys[0]] = _spans(row["entities"], texts[keys[0]], where, on_problem)
    if not found:
        what = f"none of its {rows} rows is about one of the {len(texts)} documents."
        raise InputError(Problem(str(path), what, "Check that the two files go together."))
    return found


def _rows(path: Path, on_problem: _Report) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        lines = path.read_bytes().decode("utf-8-sig").split("\n")
    except OSError as error:
        what = f"cannot be read ({error.strerror})."
        raise InputError(Problem(str(path), what, "Check the path, and that you may read it.")) from error
    except UnicodeDecodeError as error:
        raise InputError(Problem(str(path), "is not UTF-8.", "Convert the file to UTF-8.")) from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path.name}, row {number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            on_problem(Problem(where, "is not JSON.", _ROW))
            continue
        if isinstance(row, dict) and "document_id" in row and isinstance(row.get("entities"), list):
            yield where, row
        else:
            on_problem(Problem(where, "is not an object with a document_id and a list of entities.", _ROW))


def _spans(entities: list[Any], text: str, where: str, on_problem: _Report) -> tuple[PhiEntity, ...]:
    spans: set[PhiEntity] = set()
    for place, entity in enumerate(entities, start=1):
        span = f"span {place}"
        match entity:
            case {"label": str(label), "start": int(start), "end": int(end)}:
                quoted = entity.get("text", text[start:end])
            case _:
                on_problem(Problem(where, f"{span} lacks a label, a start or an end.", _ROW))
                continue
        if label not in PhiLabel.__members__:
            on_problem(Problem(where, f"{span} has the unknown label '{label}'.", f"Known: {', '.join(PhiLabel)}."))
        elif not 0 <= start < end <= len(text):
            what = f"{span} ({start}–{end}) is empty, or outside the {len(text)} characters of the document."
            on_problem(Problem(where, what, "Count code points of the document as given, the end excluded."))
        elif quoted != text[start:end]:
            what = f"{span} ({start}–{end}) quotes other words than those of the document there."
            on_problem(Problem(where, what, "Give the original documents, not the de-identified ones."))
        else:
            spans.add(PhiEntity(start, end, PhiLabel(label)))
    return tuple(sorted(spans))
