"""Abbreviations that a text defines: "insuffisance mitrale (IM)" (Schwartz & Hearst, PSB 2003)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.terminology.reading import Reading
from rag.terminology.tokens import fold

_SHORT = re.compile(r"[^\W\d_][\w-]{1,9}")
_FEWEST_CAPITALS = 2


def defined(reading: Reading) -> Iterator[tuple[tuple[int, int], str]]:
    """Every place of an abbreviation that this text defines: token span, and the key of what it stands for."""
    meanings: dict[str, str] = {}
    for place in [place for place, sign in enumerate(reading.keys[:-2]) if sign == "("]:
        if place and reading.keys[place + 2] == ")":
            short = _written(reading, place + 1)
            if _SHORT.fullmatch(short) and sum(map(str.isupper, short)) >= _FEWEST_CAPITALS:
                first = _long_form(reading, place, short)
                if first is not None:
                    meanings.setdefault(short, reading.key(first, place))
    if meanings:
        for place in range(len(reading.keys)):
            if name := meanings.get(_written(reading, place)):
                yield (place, place + 1), name


def _long_form(reading: Reading, bracket: int, short: str) -> int | None:
    """The first token of the words before ``bracket`` that spell ``short``; None when none do.

    Each letter of the short form is found in order, from the right; the first one begins a word.
    """
    letters = fold(short)
    least = max(0, bracket - min(len(letters) + 5, 2 * len(letters)))
    left = len(letters)
    for place in range(bracket - 1, least - 1, -1):
        word = fold(_written(reading, place))
        if not word[0].isalnum():
            return None
        for at in range(len(word) - 1, -1, -1):
            if left and word[at] == letters[left - 1] and (left > 1 or at == 0):
                left -= 1
        if not left:
            return place
    return None


def _written(reading: Reading, place: int) -> str:
    start, end = reading.span(place, place + 1)
    return reading.text[start:end]
