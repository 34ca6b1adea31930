"""Spoils a text as typing, scanning and haste do, so that an encoder learns not to mind."""

from __future__ import annotations

import random
import re
import unicodedata
from functools import cache
from pathlib import Path

import yaml

_ABBREVIATIONS = Path(__file__).with_name("abbreviations.yml")
_MISREAD = {
    "l": "1", "o": "0", "e": "c", "m": "rn", "i": "l", "n": "u", "u": "n", "h": "li", "a": "o", "5": "s", "0": "o",
    "1": "l", "é": "e", "è": "e", "ê": "e", "à": "a", "ç": "c", "t": "f", "rn": "m", "b": "h",
}  # fmt: skip
_CUT = 0.2
_NEAR = {"a": "zq", "e": "zr", "i": "uo", "n": "b", "o": "ip", "r": "et", "s": "qd", "t": "ry", "u": "yi", "l": "km"}


def spoilt(text: str, dice: random.Random) -> str:
    """A text with the flaws that dice give it; more than half are given none or one kind."""
    if dice.random() < 0.3:
        text = _shortened(text, dice)
    if dice.random() < 0.2:
        text = _typed(text, dice)
    if dice.random() < 0.1:
        text = _scanned(text, dice)
    if dice.random() < 0.15:
        text = _unaccented(text)
    if dice.random() < 0.08:
        text = text.upper()
    return text


def _shortened(text: str, dice: random.Random) -> str:
    pattern, forms = _abbreviations()

    def other(match: re.Match[str]) -> str:
        return dice.choice(forms[match[0].lower()]) if dice.random() < 0.5 else match[0]

    return pattern.sub(other, text)


@cache
def _abbreviations() -> tuple[re.Pattern[str], dict[str, list[str]]]:
    """What may stand for a form, by its long form; abbreviations are not written out, many mean several things."""
    rows: list[list[str]] = yaml.safe_load(_ABBREVIATIONS.read_text("utf-8"))
    forms: dict[str, list[str]] = {}
    for long, *short in rows:
        for spelling in (long, _unaccented(long)):
            forms.setdefault(spelling, []).extend(short)
    ordered = sorted(forms, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, ordered))})(?!\w)", re.IGNORECASE), forms


def _typed(text: str, dice: random.Random) -> str:
    """Letters left out, doubled, exchanged, or taken for their neighbour."""
    rate = dice.uniform(0.005, 0.04)
    done: list[str] = []
    letters = list(text)
    for place, letter in enumerate(letters):
        if not letter.isalpha() or dice.random() >= rate:
            done.append(letter)
            continue
        flaw = dice.randrange(4)
        if flaw == 1:
            done += [letter, letter]
        elif flaw == 2 and place + 1 < len(letters):
            done.append(letters[place + 1])
            letters[place + 1] = letter
        elif flaw == 3:
            done.append(dice.choice(_NEAR.get(letter.lower(), letter)))
    return "".join(done)


def _scanned(text: str, dice: random.Random) -> str:
    """Characters misread, blanks lost, words cut."""
    rate = dice.uniform(0.005, 0.03)
    done = []
    for letter in text:
        if dice.random() >= rate:
            done.append(letter)
        elif letter == " ":
            continue
        elif letter.lower() in _MISREAD:
            done.append(_MISREAD[letter.lower()])
        elif letter.isalpha() and dice.random() < _CUT:
            done.append(letter + " ")
        else:
            done.append(letter)
    return "".join(done)


def _unaccented(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))
