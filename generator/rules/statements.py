"""What the documents say of a drug, one place at a time; shared by the readers of treatments."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from generator.rules.annotate import Annotated
from generator.rules.cite import Cite, spread
from generator.rules.cues import PREFIX
from generator.rules.drugs import DrugHit
from generator.rules.mentions import bounds
from generator.rules.reading import Answer
from generator.rules.stay import is_summary
from schema.value import Status

LINE = re.compile(r"[;\n|]|\.(?!\d)")
CLAUSE = re.compile(r"[,;\n|()]|\.(?!\d)")
MOST_CITES = 3
#: Sections that speak of the time before the stay.
HISTORY = ("antecedents", "facteurs_risque", "histoire", "motif", "traitement_entree", "mode_de_vie")


class Taking(Enum):
    """What a place says of a drug, at the moment that the variable asks about."""

    TAKEN = auto()
    DENIED = auto()
    STOPPED = auto()


@dataclass(frozen=True, slots=True)
class Statement:
    """One place that says something of a drug of the class asked for."""

    document: Annotated
    drug: DrugHit
    taking: Taking
    weight: float


def cued(document: Annotated, cue: str, low: int, high: int) -> bool:
    """Whether a cue stands within [low, high)."""
    return any(True for _ in document.within(PREFIX + cue, low, high))


def answer_of(status: Status, code: str, statements: Iterable[Statement], confidence: float) -> Answer:
    """A code backed by the places that say so: one by document, those of most weight first."""
    ordered = sorted(statements, key=lambda s: -s.weight)
    cites = (Cite(s.document, *_shown(s.document, s.drug)) for s in ordered)
    return Answer(status, code, spread(cites, MOST_CITES, second=is_summary), confidence)


def _shown(document: Annotated, drug: DrugHit) -> tuple[int, int]:
    low, high = document.sentences[document.sentence_of(drug.start)]
    if high - low <= 140:
        return low, high
    low, high = bounds(document, drug.start, drug.end, LINE)
    low = max(low, drug.start - 70)
    high = min(high, drug.end + 50)
    text = document.folded
    while low < drug.start and low and text[low - 1].isalnum():
        low += 1
    while high > drug.end and high < len(text) and text[high].isalnum():
        high -= 1
    while text[low].isspace():
        low += 1
    while text[high - 1].isspace():
        high -= 1
    return low, high


def one_dose(words: str) -> bool:
    """Whether a clause gives a single dose: a route or a loading dose."""
    return bool(
        re.search(
            r"\b(?:ivd?|ivse|ivl|bolus|pse|dose de charge)\b|(?<!en )\bcharge\b"
            r"|\b(?:300|500|600) ?mg\b|\b\d[\d ]* ?ui\b",
            words,
        )
    )
