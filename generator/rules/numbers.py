"""Numbers as French reports write them, with their unit, and the conversion between units."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from generator.rules.lexicon import load_lexicon
from generator.rules.text import fold
from schema.document import DateMention

_UNITS = [
    "zero",
    "un",
    "deux",
    "trois",
    "quatre",
    "cinq",
    "six",
    "sept",
    "huit",
    "neuf",
    "dix",
    "onze",
    "douze",
    "treize",
    "quatorze",
    "quinze",
    "seize",
    "dix-sept",
    "dix-huit",
    "dix-neuf",
]
_TENS = {20: "vingt", 30: "trente", 40: "quarante", 50: "cinquante", 60: "soixante", 80: "quatre-vingt"}


def _spelled(number: int) -> str:
    """A number below 100 in letters, folded ("soixante-douze", "quatre-vingt-onze")."""
    if number < len(_UNITS):
        return _UNITS[number]
    ten = max(base for base in _TENS if base <= number)
    rest = number - ten
    if not rest:
        return _TENS[ten]
    return f"{_TENS[ten]}{' et ' if rest in (1, 11) and ten != 80 else '-'}{_UNITS[rest]}"


#: "Un" alone is an article far more often than a value.
_WORDS = {_spelled(number): number for number in range(100) if number != 1}
_WORD_PATTERN = "|".join(re.escape(word).replace(r"\-", "[- ]") for word in sorted(_WORDS, key=len, reverse=True))


def _unit_pattern() -> str:
    spellings = {fold(form) for unit in load_lexicon("units")["units"].values() for form in unit["forms"]}
    return "|".join(sorted(map(re.escape, spellings), key=len, reverse=True))


_NUMBER = re.compile(
    rf"""(?<![\w.,/])
    (?:(?P<value>\d{{1,3}}(?:[ ]\d{{3}})+(?![\d])|\d+(?:[.,]\d+)?)
       (?:\s*(?:-|a|et|/|±)\s*(?P<second>\d+(?:[.,]\d+)?))?
      |(?P<word>{_WORD_PATTERN}))
    (?![\d])
    (?:\s*(?P<unit>{_unit_pattern()})(?![a-z0-9/]))?
    (?!\w)""",
    re.VERBOSE,
)
#: Units of time: a number in one of them tells when, or how long.
DURATIONS = ("minutes", "hours", "days", "weeks", "months", "years")
_PRESSURE_AFTER = re.compile(r"\s*[:=]?\s*\d")
_METRES = re.compile(r"(?<![\w.,])([12])\s?m\s?(\d{2})(?!\d)")


@dataclass(frozen=True, slots=True)
class Number:
    """A number at [start, end), its unit included.

    Args:
        value: the number, or the first of a pair.
        second: the number after "/", "-" or "à" ("172/88", "50-55", "6/10"); None alone.
        joint: the sign between the two ("/", "-"); "" alone.
        unit: canonical unit of ``lexicon/units.yml``, "" when none is written.
        decimals: digits written after the decimal mark.
    """

    value: float
    start: int
    end: int
    second: float | None = None
    joint: str = ""
    unit: str = ""
    decimals: int = 0


def _canonical_units() -> dict[str, str]:
    units = load_lexicon("units")["units"]
    return {fold(form): name for name, unit in units.items() for form in unit["forms"]}


_CANONICAL = _canonical_units()


def canonical_unit(written: str) -> str:
    """The canonical name of a unit as written ("G/L" is "g/L" for glucose only in context); "" if unknown."""
    return _CANONICAL.get(fold(written).strip(), "")


def _hyphened(word: str) -> str:
    """A number in letters as `_WORDS` writes it: hyphens but around "et"."""
    return word.replace(" ", "-").replace("-et-", " et ")


def _float(text: str) -> float:
    return float(text.replace(" ", "").replace(",", "."))


def find_numbers(folded: str, dates: Sequence[DateMention]) -> list[Number]:
    """Numbers of a folded text, those of dates and clock times left out, in order."""
    numbers: list[Number] = []
    taken = [(d.start, d.end) for d in dates]
    starts = [start for start, _ in taken]
    for metre in _METRES.finditer(folded):
        numbers.append(Number(float(f"{metre[1]}.{metre[2]}"), metre.start(), metre.end(), unit="m", decimals=2))
    metres = {number.start for number in numbers}
    position = 0
    while match := _NUMBER.search(folded, position):
        position = match.end()
        index = bisect_right(starts, match.start()) - 1
        if (index >= 0 and match.start() < taken[index][1]) or match.start() in metres:
            continue
        unit = _CANONICAL.get(match["unit"] or "", "")
        if unit == "pack-years" and _PRESSURE_AFTER.match(folded, match.end()):
            unit = ""  # "FC 80 PA 165/90": the letters name the pressure that follows
        if match["word"]:
            numbers.append(Number(_WORDS[_hyphened(match["word"])], match.start(), match.end(), unit=unit))
            continue
        value, second, end = _float(match["value"]), match["second"], match.end()
        joint = folded[match.end("value") : match.start("second")].strip() if second else ""
        if joint in ("a", "et"):
            # "de 50 à 55 %" is an interval; in "NIHSS 4 à 24 heures" the second number tells the time.
            timed = unit in DURATIONS or any(
                low <= match.start("second") < high for low, high in taken[index + 1 :][:1]
            )
            if timed or (joint == "et" and not folded.endswith("entre ", 0, match.start())):
                second, joint, unit, end = None, "", "", match.end("value")
                position = end
            else:
                joint = "-"
        decimals = len(re.split("[.,]", match["value"])[1]) if re.search("[.,]", match["value"]) else 0
        numbers.append(Number(value, match.start(), end, _float(second) if second else None, joint, unit, decimals))
    numbers.sort(key=lambda number: number.start)
    return numbers


def convert(value: float, unit: str, target: str, analyte: str = "") -> float | None:
    """``value`` in ``unit`` expressed in ``target``; None when no conversion is known.

    Units of one dimension convert by their size; mass to amount of substance needs the ``analyte``
    (molar factors of ``lexicon/units.yml``, from molar masses).
    """
    if unit == target:
        return value
    units = load_lexicon("units")["units"]
    source, goal = units.get(unit), units.get(target)
    if source is None or goal is None:
        return None
    if source["dimension"] == goal["dimension"]:
        return float(value * source["size"] / goal["size"])
    molar = load_lexicon("units")["molar_mass"].get(analyte)
    if molar is None:
        return None
    if (source["dimension"], goal["dimension"]) == ("mass concentration", "amount concentration"):
        return float(value * source["size"] / molar / goal["size"])
    if (source["dimension"], goal["dimension"]) == ("amount concentration", "mass concentration"):
        return float(value * source["size"] * molar / goal["size"])
    return None
