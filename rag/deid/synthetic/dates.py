"""Dates in the forms that hospital documents give them."""

from __future__ import annotations

import datetime as dt
import random

_MONTHS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()  # noqa: SIM905
_SHORT_MONTHS = "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.".split()  # noqa: SIM905
_UNITS = (
    *("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze", "treize"),
    *("quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf"),
)
_TENS = ["", "", "vingt", "trente", "quarante", "cinquante", "soixante", "soixante", "quatre-vingt", "quatre-vingt"]


def in_words(number: int) -> str:
    """A number from 0 to 9,999 in French words (1978: "mille neuf cent soixante-dix-huit")."""
    if number >= 1000:
        thousands, rest = divmod(number, 1000)
        head = "mille" if thousands == 1 else f"{_UNITS[thousands]} mille"
        return f"{head} {in_words(rest)}" if rest else head
    if number >= 100:
        hundreds, rest = divmod(number, 100)
        head = "cent" if hundreds == 1 else f"{_UNITS[hundreds]} cent"
        return f"{head} {in_words(rest)}" if rest else head
    if number < 20:
        return _UNITS[number]
    tens, unit = divmod(number, 10)
    if tens in (7, 9):
        unit += 10
    if unit == 0:
        return _TENS[tens]
    return f"{_TENS[tens]} et {_UNITS[unit]}" if unit in (1, 11) and tens < 8 else f"{_TENS[tens]}-{_UNITS[unit]}"


class DateForms:
    """The way one document writes its dates, with now and then another."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._usual = dice.choice("////...-w")

    def full(self, day: dt.date) -> str:
        """Day, month and year."""
        dice = self._dice
        form = self._usual if dice.random() < 0.75 else dice.choice("///.-wwsWi|_ga")
        year = f"{day.year}" if dice.random() < 0.8 else f"{day:%y}"
        match form:
            case "w":
                return f"{self._day(day)} {self._month(day)} {day.year}"
            case "s":
                return f"{day.day} {dice.choice(_SHORT_MONTHS[day.month - 1 : day.month])} {year}"
            case "W":
                return self._words(day)
            case "i":
                return day.isoformat() if dice.random() < 0.6 else f"{day:%Y/%m/%d}"
            case "g":
                return f"{day:%d%m%Y}" if dice.random() < 0.6 else f"{day.day}{_MONTHS[day.month - 1]}{day.year}"
            case "a":
                month = _SHORT_MONTHS[day.month - 1].rstrip(".")
                return f"{day:%d}{dice.choice(['-', ' ', '.'])}{month.upper()}{dice.choice(['-', ' ', '.'])}{year}"
            case "_":
                mark = dice.choice([" / ", "/ ", " /", " . ", " - "])
                return f"{day:%d}{mark}{day:%m}{mark}{year}"
        if dice.random() < 0.15:
            return f"{day.day}{form}{day.month}{form}{year}"
        return f"{day:%d}{form}{day:%m}{form}{year}"

    def short(self, day: dt.date) -> str:
        """Without the year, or without the day."""
        dice = self._dice
        forms = [f"{day:%d/%m}"] * 5 + [f"{day.day}/{day.month}", f"{day:%d.%m}", f"{day:%m/%Y}", f"{day:%m/%Y}"]
        forms += [f"{self._day(day)} {self._month(day)}"] * 3 + [f"{self._month(day)} {day.year}"] * 3
        forms += [f"{_SHORT_MONTHS[day.month - 1]} {day:%y}", f"{day:%d/%m}/", f"{self._month(day)} {day:%y}"]
        return dice.choice(forms)

    def _day(self, day: dt.date) -> str:
        return f"1{self._dice.choice(['er', 'er', ' er', ''])}" if day.day == 1 else f"{day.day}"

    def _month(self, day: dt.date) -> str:
        name = _MONTHS[day.month - 1]
        match self._dice.random():
            case draw if draw < 0.08:
                return name.upper()
            case draw if draw < 0.14:
                return name.capitalize()
        return name

    def _words(self, day: dt.date) -> str:
        number = "premier" if day.day == 1 else in_words(day.day)
        year = in_words(day.year) if self._dice.random() < 0.75 else str(day.year)
        mixed = str(day.day) if self._dice.random() < 0.15 else number
        text = f"{mixed} {_MONTHS[day.month - 1]} {year}"
        return text.replace("-", " ") if self._dice.random() < 0.3 else text
