"""Annotated sentences: "Pas d'[HTA]{negated}, mère : [diabète]{family}" says what is named, and what is said of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.corpus.build import build_document
from schema.concept import ConceptMention
from schema.document import Document, RawDocument

_PART = re.compile(r"\[(?P<name>[^\]]+)\]|\{(?P<said>[^}]*)\}|(?P<other>[^\[{]+)")
_FLAGS = ("negated", "hypothetical", "family", "history")


@dataclass(frozen=True)
class Sentence:
    """``marks``: [start, end) of ``text`` → what is said of the name there."""

    text: str
    marks: dict[tuple[int, int], frozenset[str]]


def parse(annotated: str) -> Sentence:
    """What stands in braces is said of the last name before it."""
    text, marks, last = "", {}, (0, 0)
    for part in _PART.finditer(annotated):
        if part["said"] is not None:
            marks[last] = frozenset(word.strip() for word in part["said"].split(",")) - {""}
            continue
        if part["name"]:
            last = (len(text), len(text) + len(part["name"]))
            marks[last] = frozenset()
        text += part["name"] or part["other"]
    return Sentence(text, marks)


def document_of(text: str, date: str | None = "2023-05-10", kind: str = "note") -> Document:
    return build_document(RawDocument("P", "D", text, date, kind, ""), lambda _: None)


def said_of(mention: ConceptMention) -> frozenset[str]:
    """What a mention is said to be, as the sentences write it."""
    side = {mention.side.value} if mention.side else set()
    return frozenset({name for name in _FLAGS if getattr(mention, name)} | side)


def place_of(document: Document, mention: ConceptMention) -> tuple[int, int]:
    """Where a mention stands in the text as given."""
    span = document.locate(mention.start, mention.end)
    return span.start, span.end
