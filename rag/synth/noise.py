"""Slips of hand, scanner and keyboard. Marks and digits are left alone, so that a value stays what was told."""

from __future__ import annotations

import random
import re
import unicodedata

_WORD = re.compile(r"[A-Za-zÀ-ÿœ]{4,}")
_CONFUSED = {"m": "rn", "l": "1", "i": "l", "e": "c", "u": "ii", "O": "0", "rn": "m", "n": "ri", "h": "b", "é": "e"}
_NEAR = {"a": "qz", "e": "zr", "i": "uo", "o": "ip", "n": "b,", "s": "qd", "t": "ry", "r": "et", "l": "km", "u": "yi"}


class Noise:
    """The slips of one document, drawn once."""

    def __init__(self, dice: random.Random, level: float) -> None:
        self._dice = dice
        noisy = dice.random() < level
        self._bare = noisy and dice.random() < 0.4
        self._upper = noisy and dice.random() < 0.12
        self._slips = (dice.uniform(0.002, 0.02) + 0.03 * level) if noisy and dice.random() < 0.7 else 0.0
        self._scan = noisy and dice.random() < 0.3
        self._width = dice.randrange(60, 110) if noisy and dice.random() < 0.25 else 0

    def apply(self, text: str) -> str:
        """The text with its slips."""
        if self._bare:
            text = "".join(_bare(sign) for sign in text)
        if self._upper:
            text = "".join(sign if sign == "µ" else sign.upper() for sign in text)
        if self._width:
            text = "\n".join(_wrapped(line, self._width) for line in text.split("\n"))
        return _WORD.sub(self._slip, text) if self._slips else text

    def _slip(self, match: re.Match[str]) -> str:
        word, dice = match[0], self._dice
        if dice.random() >= self._slips:
            return word
        at = dice.randrange(1, len(word) - 1)
        if self._scan:
            sign = word[at]
            return word[:at] + _CONFUSED.get(sign, sign) + word[at + 1 :]
        match dice.randrange(4):
            case 0:
                return word[:at] + word[at + 1 :]
            case 1:
                return word[:at] + word[at] + word[at:]
            case 2:
                return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        near = _NEAR.get(word[at], word[at])
        return word[:at] + dice.choice(near) + word[at + 1 :]


def _wrapped(line: str, width: int) -> str:
    """The line cut at spaces, as old software exports it; marks take no room."""
    if len(line) <= width:
        return line
    cut: list[str] = []
    at = 0
    for word in line.split(" "):
        room = sum(not 0xE000 <= ord(sign) < 0xF900 for sign in word)
        if cut and at + 1 + room > width:
            cut.append("\n")
            at = 0
        elif cut:
            cut.append(" ")
            at += 1
        cut.append(word)
        at += room
    return "".join(cut)


def _bare(sign: str) -> str:
    if ord(sign) < 128 or 0xE000 <= ord(sign) < 0xF900:
        return sign
    return unicodedata.normalize("NFD", sign)[0] if unicodedata.category(sign).startswith("L") else sign
