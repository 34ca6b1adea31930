"""How one author writes dates, times, numbers and headings."""

from __future__ import annotations

import datetime as dt
import random

_MONTHS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()  # noqa: SIM905
_SHORT = "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.".split()  # noqa: SIM905
_DAYS = "lundi mardi mercredi jeudi vendredi samedi dimanche".split()  # noqa: SIM905


class Forms:
    """The habits of one author, drawn once for a document."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._date = dice.choice("////.-wws")
        self._time = dice.choice(
            ["{h:02d}h{m:02d}"] * 4 + ["{h}h{m:02d}", "{h:02d}:{m:02d}", "{h:02d}:{m:02d}", "{h} h {m:02d}"]
        )
        self._point = dice.random() < 0.15
        self._grams = dice.random() < 0.55
        self._heading = dice.choice(["upper", "upper", "title", "colon", "colon", "numbered", "dash", "equal", "bare"])
        self._count = 0
        self.list_join = dice.choice([", ", ", ", " ; ", " - ", " / ", ". ", "\n- ", "\n", "\n• "])

    def day(self, day: dt.date) -> str:
        """Day, month and year."""
        match self._date:
            case "w":
                return f"{self._first(day)} {_MONTHS[day.month - 1]} {day.year}"
            case "s":
                return f"{day.day} {_SHORT[day.month - 1]} {day.year}"
        mark = self._date
        return f"{day:%d}{mark}{day:%m}{mark}" + (f"{day.year}" if self._dice.random() < 0.8 else f"{day:%y}")

    def long(self, day: dt.date) -> str:
        """With the month in words, and now and then the weekday."""
        text = f"{self._first(day)} {_MONTHS[day.month - 1]} {day.year}"
        return f"{_DAYS[day.weekday()]} {text}" if self._dice.random() < 0.2 else text

    def short(self, day: dt.date) -> str:
        """Without the year."""
        if self._date in "ws":
            return f"{self._first(day)} {_MONTHS[day.month - 1]}"
        return f"{day:%d/%m}" if self._dice.random() < 0.8 else f"{day:%d.%m}"

    def month(self, day: dt.date) -> str:
        """Month and year, or the year alone."""
        return self._dice.choice([f"{_MONTHS[day.month - 1]} {day.year}", f"{day:%m/%Y}", f"{day.year}", f"{day.year}"])

    def time(self, moment: dt.datetime | dt.time) -> str:
        """Hour and minutes."""
        if moment.minute == 0 and self._time.endswith("h{m:02d}") and self._dice.random() < 0.5:
            return f"{moment.hour}h"
        return self._time.format(h=moment.hour, m=moment.minute)

    def number(self, value: float, decimals: int) -> str:
        """With the author's decimal sign."""
        text = f"{value:.{decimals}f}"
        return text if self._point else text.replace(".", ",")

    def converted(self, value: str, factor: float, decimals: int, units: tuple[str, str]) -> str:
        """A value of a table with one decimal (``units[0]``), or in the older unit where that gives the value back."""
        older = round(float(value) / factor, decimals)
        if self._grams and round(older * factor + 1e-9, 1) == float(value):
            return f"{self.number(older, decimals)} {units[1]}"
        return f"{self.number(float(value), 1)} {units[0]}"

    def heading(self, text: str) -> str:
        """A heading as this author sets it."""
        self._count += 1
        match self._heading:
            case "upper":
                return text.upper()
            case "colon":
                return f"{text} :"
            case "numbered":
                return f"{self._count}. {text}"
            case "dash":
                return f"- {text} -"
            case "equal":
                return f"=== {text} ==="
            case "bare":
                return f"{text}."
        return text

    def _first(self, day: dt.date) -> str:
        return "1er" if day.day == 1 else f"{day.day}"
