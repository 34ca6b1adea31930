"""Medical and everyday words that are no names, from the lists that edsnlp bundles: what must not be masked."""

from __future__ import annotations

import csv
import gzip
import json
import random
from functools import cache
from pathlib import Path

import edsnlp

from rag.deid.synthetic.names import Letters

_RESOURCES = Path(edsnlp.__file__).parent / "resources"


@cache
def _icd() -> tuple[tuple[str, str], ...]:
    with gzip.open(_RESOURCES / "cim10.csv.gz", "rt", encoding="utf-8") as stream:
        return tuple((row["code"], row["long"]) for row in csv.DictReader(stream))


@cache
def icd_labels() -> list[str]:
    """French ICD-10 labels of at most 90 characters."""
    return [label for _, label in _icd() if len(label) <= 90]


@cache
def icd_words() -> list[str]:
    """The words of the labels, each once."""
    return sorted({word for _, label in _icd() for word in label.split() if word.isalpha() and len(word) > 2})


def icd_code(dice: random.Random) -> str:
    """An ICD-10 code with its point ("I63.4")."""
    code = dice.choice(_icd())[0]
    return f"{code[:3]}.{code[3:]}" if len(code) > 3 else code


@cache
def drugs() -> list[str]:
    """Brand and substance names, in the case of the list and in title case."""
    listed = json.loads((_RESOURCES / "drugs.json").read_text(encoding="utf-8"))
    known = [name for group in listed.values() for name in group if len(name) <= 30]
    return [*known, *(name.capitalize() for name in known), *(name.lower() for name in known)]


@cache
def verb_forms() -> list[str]:
    """Conjugated French verbs."""
    with gzip.open(_RESOURCES / "verbs.csv.gz", "rt", encoding="utf-8") as stream:
        return sorted({row["term"] for row in csv.DictReader(stream)})


@cache
def _letters() -> Letters:
    return Letters(word for label in icd_labels()[::3] for word in label.split() if word.isalpha() and len(word) > 4)


def invented(dice: random.Random) -> str:
    """A word that no list holds, shaped like a medical one, in small letters."""
    return _letters()(dice).lower()
