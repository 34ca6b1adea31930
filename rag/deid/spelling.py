"""How French writes: letters without accents, capitals, numbers in words."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_UNIT_NAMES = (
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize "
    "dix-sept dix-huit dix-neuf"
)
_UNITS = tuple(_UNIT_NAMES.split())
_TENS = ("", "", "vingt", "trente", "quarante", "cinquante", "soixante")
_WORDS = {
    **{word: value for value, word in enumerate(_UNITS[:17])},
    "zero": 0, "une": 1, "vingts": 20, **{word: 10 * tens for tens, word in enumerate(_TENS) if word},
    "septante": 70, "huitante": 80, "octante": 80, "nonante": 90,
}  # fmt: skip
#: Pattern of a number below 100 in words, small letters, without accents.
NUMBER_WORDS = r"(?:{0})(?:[ -](?:et[ -])?(?:{0}))*(?![a-z])".format(
    "|".join(sorted(set(_WORDS) - {"zéro"}, key=len, reverse=True))
)


@lru_cache(maxsize=4096)
def _bare(character: str) -> str:
    return unicodedata.normalize("NFD", character)[0]


def unaccented(text: str) -> str:
    """The text without accents, letter for letter (a ligature stays)."""
    return text if text.isascii() else "".join(map(_bare, text))


def small(text: str) -> str:
    """The text in small letters without accents, as long as it was."""
    low = text.lower()
    if len(low) != len(text):  # "İ" grows
        low = "".join(character.lower()[0] for character in text)
    return unaccented(low)


def shaped(like: str, text: str) -> str:
    """``text`` in the capitals of ``like``: all, the first of each word, or none."""
    letters = [character for character in like if character.isalpha()]
    if len(letters) > 1 and all(character.isupper() for character in letters):
        return text.upper()
    if letters and letters[0].isupper():
        return text[:1].upper() + text[1:]
    return text.lower()


def french_number(number: int) -> str:
    """A number from 0 to 99 in words."""
    if number < 20:
        return _UNITS[number]
    if number < 70:
        tens, unit = divmod(number, 10)
        return _TENS[tens] + ("" if unit == 0 else " et un" if unit == 1 else f"-{_UNITS[unit]}")
    if number == 71:
        return "soixante et onze"
    if number < 80:
        return f"soixante-{_UNITS[number - 60]}"
    return "quatre-vingts" if number == 80 else f"quatre-vingt-{_UNITS[number - 80]}"


def read_number(words: str) -> int | None:
    """The number below 10 000 that words say ("deux mille vingt et un"), small letters; None when they say none."""
    total = current = 0
    for word in words.replace("-", " ").split():
        if word in ("mil", "mille"):
            total, current = 1000 * max(current, 1), 0
        elif word in ("cent", "cents"):
            current = 100 * max(current, 1)
        elif word in ("vingt", "vingts") and current % 100 == 4:
            current += 76
        elif word != "et":
            if word not in _WORDS:
                return None
            current += _WORDS[word]
    return total + current
