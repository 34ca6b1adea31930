"""The main path: a seed and a number -> that many fictitious documents with their identifying spans."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from rag.deid.examples import Example
from rag.deid.synthetic.grammar import Grammar, Piece
from rag.deid.synthetic.noise import spoil
from rag.deid.synthetic.values import Values

_FILES = Path(__file__).with_name("grammar")
_START = "document"
#: Documents of one patient in one text, as exports give them: their number, drawn evenly.
_PARTS = (1, 1, 1, 1, 2, 2, 3, 4)


def generate(documents: int, seed: int) -> Iterator[Example]:
    """Make ``documents`` different texts; the same ones for the same seed (and versions of Faker and edsnlp)."""
    made: set[str] = set()
    dice = random.Random(seed)  # noqa: S311 (reproducible, no secret)
    while len(made) < documents:
        values, pieces = Values(dice), []
        for part in range(dice.choice(_PARTS)):
            pieces += [Piece("\n\n")] if part else []
            pieces += _grammar().expand(_START, values, dice)
        text, entities = spoil(pieces, dice)
        if text not in made:
            made.add(text)
            yield Example(f"S{seed}-{len(made):06}", text, entities)


@cache
def _grammar() -> Grammar:
    return Grammar(sorted(_FILES.glob("*.txt")))
