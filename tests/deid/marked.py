"""Texts with their identifying spans marked, "Mme [NOM Blanc] [PRENOM Yvette]", and a detector that knows them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from rag.deid.replace import IdentifiedText
from schema.document import RawDocument
from schema.phi import KnownIdentity, PhiEntity, PhiLabel

_MARK = re.compile(r"\[([A-Z_]+) ([^\]]*)\]")


def marked(written: str) -> tuple[str, tuple[PhiEntity, ...]]:
    """The text without its marks, and the spans they show."""
    pieces, entities, position, length = [], [], 0, 0
    for match in _MARK.finditer(written):
        pieces += (written[position : match.start()], match[2])
        length += match.start() - position
        entities.append(PhiEntity(length, length + len(match[2]), PhiLabel(match[1])))
        length += len(match[2])
        position = match.end()
    return "".join([*pieces, written[position:]]), tuple(entities)


def identified(written: str, **others: object) -> IdentifiedText:
    """A marked text as the main path of de-identification takes it."""
    return IdentifiedText(*marked(written), **others)


@dataclass
class MarkedDetector:
    """Finds, in each document, the spans that were marked in a text equal to its own."""

    spans: dict[str, tuple[PhiEntity, ...]] = field(default_factory=dict)

    def add(self, written: str) -> str:
        """Learn a marked text; give it without its marks."""
        text, entities = marked(written)
        self.spans[text] = entities
        return text

    def detect(self, documents: Sequence[RawDocument], known: KnownIdentity | None) -> list[tuple[PhiEntity, ...]]:
        return [self.spans.get(document.text, ()) for document in documents]

    def __call__(self) -> "MarkedDetector":
        """As the maker of itself."""
        return self
