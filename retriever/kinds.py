"""Kinds of hospital documents: what a hospital calls "CRH", "CR hospit" or "Lettre de sortie" is one kind.

Every hospital has its own words for the types of its documents. A model learns on canonical kinds, so that what it
learned in one hospital holds in the next. The words are in ``kinds.yml``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from retriever.lexical import fold
from retriever.vocabulary import read_yaml

_WORD = re.compile(r"[a-z]+|\d+")
#: "C.R.H." is "CRH"; "CompteRendu" is "Compte Rendu".
_INITIALS = re.compile(r"\b(?:[A-Za-z]\.){2,}(?:[A-Za-z]\b)?")
_HUMP = re.compile(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Ý][a-zà-ÿ])")


def _names() -> tuple[str, ...]:
    return tuple(_vocabulary()["kinds"])


@cache
def _vocabulary() -> Mapping[str, Any]:
    return read_yaml(Path(__file__).with_suffix(".yml"))


#: The canonical kinds. A kind's place is part of every trained model; the last one, "autre", is what no word tells.
KINDS: tuple[str, ...] = _names()


@lru_cache(maxsize=4096)
def kind_of(type: str, title: str = "") -> int:
    """The place in `KINDS` of a document's kind, from the words of its type, then of its title.

    A type too broad for what its title says gives way to it ("courrier", "Lettre de sortie" → "crh"). "autre" when
    neither says anything.
    """
    by_type, by_title = _named(type), _named(title)
    refined = by_title is not None and by_title in _vocabulary()["refined_by"].get(by_type, ())
    kind = by_title if by_type is None or refined else by_type
    return KINDS.index(kind or "autre")


def _named(text: str) -> str | None:
    words = _folded(text)
    return next((kind for kind, pattern in _rules() if pattern.search(words)), None)


def _folded(text: str) -> str:
    """The words of a name with a blank on either side, small ones left out, each in one writing."""
    joined = _INITIALS.sub(lambda match: match[0].replace(".", "") + " ", text)
    words = _words(_HUMP.sub(" ", joined))
    return _same().sub(lambda match: f" {_canonical()[match[0].strip()]} ", words)


def _words(text: str) -> str:
    return "".join(f" {word} " for word in _WORD.findall(fold(text)) if word not in _vocabulary()["small"])


@cache
def _canonical() -> dict[str, str]:
    """Each other writing, as `_words` gives it without its outer blanks, with the word that it stands for."""
    return {_words(writing).strip(): word for word, writings in _vocabulary()["same"].items() for writing in writings}


@cache
def _same() -> re.Pattern[str]:
    writings = sorted(_canonical(), key=len, reverse=True)
    return re.compile(f" (?:{'|'.join(map(re.escape, writings))}) ")


@cache
def _rules() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (rule["kind"], re.compile("|".join(_pattern(str(form)) for form in rule["words"])))
        for rule in _vocabulary()["rules"]
    )


def _pattern(form: str) -> str:
    """A regular expression of a form's words, one after the other."""
    parts = (
        rf" {re.escape(_folded(word).strip())}{'[a-z]*' if word.endswith('*') else ''} "
        for word in form.split()
        if word != "*"
    )
    return "".join(parts)
