"""The vocabulary of section titles, and what a title found in a note means."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

import yaml
from rapidfuzz import fuzz, process

_NOISE = re.compile(r"\([^)]*\)?|\b\d[\d/.:h ]*\b|[^a-z' ]")
_TYPO_RATIO = 88  # a transposition or a missing letter in a title of seven letters or more
_SHORTEST_WITH_TYPO = 7
_LONGEST = 60


class Titles(NamedTuple):
    """Kinds by folded title, and the other lists of ``section_titles.yml``."""

    kinds: dict[str, str]
    first_words: frozenset[str]
    openings: frozenset[str]
    modifiers: frozenset[str]
    treatment_after: dict[str, str]
    one_paragraph: frozenset[str]


def fold(text: str) -> str:
    """Lower case, without accents, apostrophes straight, hyphens and runs of spaces as one space."""
    text = unicodedata.normalize("NFD", text.lower().replace("’", "'").replace("œ", "oe"))
    return " ".join("".join(c for c in text if not unicodedata.combining(c)).replace("-", " ").split())


@lru_cache(maxsize=1)
def titles() -> Titles:
    """The vocabulary of ``section_titles.yml``, read once."""
    data = yaml.safe_load(resources.files("rag.corpus").joinpath("section_titles.yml").read_text("utf-8"))
    kinds = {fold(title): kind for kind, forms in data["kinds"].items() for title in forms}
    return Titles(
        kinds,
        frozenset(title.split()[0].split("'")[0] for title in kinds),
        frozenset(fold(opening) for opening in data["openings"]),
        frozenset(fold(data["modifiers"]).split()),
        data["treatment_after"],
        frozenset(data["one_paragraph"]),
    )


@lru_cache(maxsize=50_000)
def may_open(word: str) -> bool:
    """Whether a title begins with this word, as written: a cheap look before `kind_of`."""
    return fold(word) in titles().first_words


@lru_cache(maxsize=20_000)
def kind_of(title: str) -> str | None:
    """The kind of a title as written, None when it is not one.

    A known title may be followed by usual complements ("Antécédents médicaux", "EXAMEN À L'ENTRÉE (10h30)"),
    numbers and hours.
    """
    vocabulary = titles()
    folded = " ".join(_NOISE.sub(" ", fold(title)).split())
    if not folded or len(folded) > _LONGEST:
        return None
    kind = vocabulary.kinds.get(folded)
    if kind:
        return kind
    words = folded.replace("'", "' ").split()
    for length in range(len(words) - 1, 0, -1):
        kind = vocabulary.kinds.get(" ".join(words[:length]).replace("' ", "'"))
        if kind and all(word.rstrip("'") in vocabulary.modifiers for word in words[length:]):
            return kind
    return None


@lru_cache(maxsize=20_000)
def kind_of_misspelt(title: str) -> str | None:
    """The kind of a title in which a letter is missing or wrong ("ANTECEDANTS"), None when it resembles none."""
    folded = fold(title)
    if not _SHORTEST_WITH_TYPO <= len(folded) <= _LONGEST:
        return None
    kinds = titles().kinds
    best = process.extractOne(folded, kinds.keys(), scorer=fuzz.ratio, score_cutoff=_TYPO_RATIO)
    return kinds[best[0]] if best else None
