"""The vocabulary of section titles, and what a title found in a note means."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

import yaml
from rapidfuzz import fuzz, process

_NOISE = re.compile(r"\([^)]*\)|\b\d[\d/.:h-]*\b|[^a-z' -]")
_TYPO_RATIO = 88  # a transposition or a missing letter in a title of seven letters or more
_SHORTEST_WITH_TYPO = 7


class Titles(NamedTuple):
    """Kinds by folded title, words that may follow a title, and kinds after which "Traitement" is the discharge's."""

    kinds: dict[str, str]
    openings: tuple[str, ...]
    modifiers: frozenset[str]
    discharge_after: frozenset[str]


def fold(text: str) -> str:
    """Lower case, without accents, apostrophes straight, hyphens and runs of spaces as one space."""
    text = unicodedata.normalize("NFD", text.lower().replace("’", "'").replace("œ", "oe"))
    return " ".join("".join(c for c in text if not unicodedata.combining(c)).replace("-", " ").split())


@lru_cache(maxsize=1)
def titles() -> Titles:
    """The vocabulary of ``section_titles.yml``, read once."""
    data = yaml.safe_load(resources.files("rag.corpus").joinpath("section_titles.yml").read_text("utf-8"))
    return Titles(
        {fold(title): kind for kind, forms in data["kinds"].items() for title in forms},
        tuple(data["openings"]),
        frozenset(fold(data["modifiers"]).split()),
        frozenset(data["discharge_after"]),
    )


@lru_cache(maxsize=20_000)
def kind_of(title: str, forgive: bool = False) -> str | None:
    """The kind of a title as written, None when it is not one.

    A known title may be followed by usual complements ("Antécédents médicaux"), numbers and hours. With
    ``forgive`` a letter may be missing or wrong ("ANTECEDANTS").
    """
    vocabulary = titles()
    folded = " ".join(_NOISE.sub(" ", fold(title)).split())
    if not folded or len(folded) > 60:
        return None
    kind = vocabulary.kinds.get(folded)
    if kind:
        return kind
    words = folded.replace("'", "' ").split()
    for length in range(len(words) - 1, 0, -1):
        kind = vocabulary.kinds.get(" ".join(words[:length]).replace("' ", "'"))
        if kind and all(word.rstrip("'") in vocabulary.modifiers for word in words[length:]):
            return kind
    if forgive and len(folded) >= _SHORTEST_WITH_TYPO:
        best = process.extractOne(folded, vocabulary.kinds.keys(), scorer=fuzz.ratio, score_cutoff=_TYPO_RATIO)
        if best:
            return vocabulary.kinds[best[0]]
    return None
