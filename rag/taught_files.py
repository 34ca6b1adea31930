"""The files of what a model is taught, beside its adapter and never in it: they hold patients' text.

``pairs.jsonl`` has a pair a line; ``examples.jsonl`` those that one passage answers, as few-shot examples
(`generator.llm.examples.load_examples` reads them). Both are readable by their owner alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from generator.llm.engine import Message
from generator.train.pairs import Pair
from rag.lessons import Kind, Lesson

PAIRS, EXAMPLES = "pairs.jsonl", "examples.jsonl"
#: Characters of the passage of an example, at most.
_LONGEST = 600


def as_row(lesson: Lesson) -> dict[str, Any]:
    """A lesson as plain values."""
    return {
        "patient": lesson.patient_id,
        "variable": lesson.variable.name,
        "kind": lesson.kind.value,
        "weak": lesson.weak,
        "weight": lesson.pair.weight,
        "messages": [{"role": message.role, "content": message.content} for message in lesson.pair.messages],
        "answer": lesson.pair.answer,
        "example": _example(lesson),
    }


def pair_of(row: Mapping[str, Any]) -> Pair:
    """The pair of a lesson that `as_row` wrote."""
    messages = tuple(Message(message["role"], message["content"]) for message in row["messages"])
    return Pair(messages, row["answer"], row["weight"])


def write_rows(folder: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write both files; each appears whole."""
    drafts = {name: folder / f"{name}.new" for name in (PAIRS, EXAMPLES)}
    with _private(drafts[PAIRS]) as pairs, _private(drafts[EXAMPLES]) as examples:
        for row in rows:
            pairs.write(json.dumps({k: v for k, v in row.items() if k != "example"}, ensure_ascii=False) + "\n")
            if row["example"] is not None:
                examples.write(json.dumps(row["example"], ensure_ascii=False) + "\n")
    for name in (EXAMPLES, PAIRS):
        drafts[name].replace(folder / name)


def _private(path: Path) -> Any:
    return os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8")


def _example(lesson: Lesson) -> dict[str, Any] | None:
    if not lesson.passage or len(lesson.passage) > _LONGEST or lesson.kind is Kind.HARD:
        return None
    variable, answer = lesson.variable, lesson.answer
    told = {
        "citations": [quote.text for quote in answer.quotes],
        "raison": answer.reason,
        "statut": answer.status.value,
        "valeur": list(answer.value) if isinstance(answer.value, tuple) else answer.value,
    }
    asked = {
        "name": variable.name,
        "label": variable.label,
        "kind": variable.kind.value,
        "choices": [{"code": choice.code, "label": choice.label} for choice in variable.choices],
        "unit": variable.unit,
        "note": variable.note,
    }
    unit = {"unité": answer.unit or None} if answer.unit is not None else {}
    return {
        "variable": asked,
        "passage": lesson.passage,
        "answer": told | unit,
        "patient_id": lesson.patient_id,
        "trap": lesson.kind.value,
    }
