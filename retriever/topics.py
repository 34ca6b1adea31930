"""What a sentence is about (treatment, NIHSS, antecedents…), and whether a passage tells it in full.

The vocabulary is in ``topics.yml``.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from retriever.forms import any_of
from retriever.lexical import fold
from retriever.vocabulary import read_yaml

#: A number told of a topic stands within so many characters of its name.
_NEAR = 30
#: A passage that tells a topic in words has at least so many, beside its name.
_WORDS = 6

_NUMBER = re.compile(r"\d")
_DOSE = re.compile(
    r"\d\s*(?:mg|µg|ug|mcg|g|ui|u|cp|gel|ml)\b|\d\s*(?:/\s*j|x\s*/|fois)|\b(?:matin|midi|soir|coucher|par jour)\b"
    r"|\b1-0-[01]\b|:\s*[-•]?\s*\w+(?:\s*[-•,;/+]\s*\w+){2}"  # or a list of names
)


@lru_cache(maxsize=1 << 14)
def topics_of(text: str) -> frozenset[str]:
    """The topics that a text names."""
    folded = fold(text)
    return frozenset(name for name, (_, forms) in _topics().items() if forms.search(folded))


@lru_cache(maxsize=1 << 16)
def tells(text: str, topic: str) -> bool:
    """Whether a text says of a topic what is to be said: a number near its name, a dose, or some words."""
    told, forms = _topics()[topic]
    folded = fold(text)
    named = [match.end() for match in forms.finditer(folded)]
    if told == "number":
        numbers = (_NUMBER.search(folded, end, end + _NEAR) for end in named)
        return any(
            number and not _recalled().search(folded, end, number.start())
            for end, number in zip(named, numbers, strict=True)
        )
    if told == "dose":
        return bool(named) and _DOSE.search(folded) is not None
    return bool(named) and len(folded.split()) > _WORDS


@cache
def _vocabulary() -> dict[str, Any]:
    return read_yaml(Path(__file__).with_suffix(".yml"))


@cache
def _topics() -> dict[str, tuple[str, re.Pattern[str]]]:
    return {name: (topic["told"], any_of(topic["forms"])) for name, topic in _vocabulary()["topics"].items()}


@cache
def _recalled() -> re.Pattern[str]:
    return any_of(_vocabulary()["recalled"])
