"""Sentences annotated in place: ``Dr [Solweig](PRENOM) [Kermadec](NOM)``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.deid.detect import Detector
from schema.document import RawDocument
from schema.phi import KnownIdentity, PhiEntity, PhiLabel

_ANNOTATION = re.compile(r"\[([^\[\]]+)\]\(([A-Z_]+)\)")


def read(sentence: str) -> tuple[str, tuple[PhiEntity, ...]]:
    """The text without its marks, and the entities that the marks give."""
    text, entities, place = "", [], 0
    for match in _ANNOTATION.finditer(sentence):
        text += sentence[place : match.start()]
        entities.append(PhiEntity(len(text), len(text) + len(match[1]), PhiLabel(match[2])))
        text += match[1]
        place = match.end()
    return text + sentence[place:], tuple(entities)


def write(text: str, entities: Sequence[PhiEntity]) -> str:
    """The inverse of `read`, so that a failing test shows sentences and not offsets."""
    out, place = "", 0
    for entity in entities:
        out += f"{text[place : entity.start]}[{text[entity.start : entity.end]}]({entity.label})"
        place = entity.end
    return out + text[place:]


def documents(texts: Sequence[str]) -> list[RawDocument]:
    """Documents of one patient."""
    return [RawDocument("p", f"d{index}", text) for index, text in enumerate(texts)]


def detected(detector: Detector, sentences: Sequence[str], known: KnownIdentity | None = None) -> list[str]:
    """What the detector finds in the texts of annotated sentences of one patient, annotated the same way."""
    texts = [read(sentence)[0] for sentence in sentences]
    found = detector.detect(documents(texts), known)
    return [write(text, entities) for text, entities in zip(texts, found, strict=True)]
