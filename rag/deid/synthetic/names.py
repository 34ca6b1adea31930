"""Fictitious surnames, first names and towns, of many origins, part of them invented letter by letter.

A tagger that sees only listed names learns the list. So a good share of the names is drawn from a character model of
the lists (names that no list holds), and another share are common words: the context alone then tells.
"""

from __future__ import annotations

import importlib
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_FILE = Path(__file__).with_name("names.yml")
_END = "\n"


class Names:
    """Draws names; the same for the same dice."""

    def __init__(self) -> None:
        lists: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
        weights: dict[str, int] = lists["locales"]
        people = {locale: importlib.import_module(f"faker.providers.person.{locale}").Provider for locale in weights}
        self._locales, self._weights = list(weights), list(weights.values())
        self._surnames = {locale: _plain(people[locale].last_names) for locale in people}
        self._surnames = {locale: names for locale, names in self._surnames.items() if len(names) > 5}
        self._firsts = {
            sex: {locale: _plain(getattr(provider, f"first_names_{sex}")) for locale, provider in people.items()}
            for sex in ("male", "female")
        }
        self._own_surnames: list[list[str]] = lists["surnames"]
        self._words: list[str] = _flat(lists["words_as_surnames"])
        self._own_firsts: list[str] = _flat(lists["first_names"])
        self._particles: list[str] = lists["particles"]
        self._towns: list[str] = _flat(lists["towns"])
        self._heads: list[str] = lists["town_heads"]
        self._tails: list[str] = lists["town_tails"]
        self._ends: list[str] = lists["town_ends"]
        listed = [*_flat(self._own_surnames), *_flat(self._surnames.values())]
        self._invent_surname = Letters(listed)
        self._invent_first = Letters([*self._own_firsts, *_flat(self._firsts["male"].values())])
        self._invent_town = Letters(self._towns)

    def surname(self, dice: random.Random) -> str:
        """A surname in title case, simple or composed."""
        name = self._simple(dice)
        match dice.random():
            case draw if draw < 0.06:
                return f"{name}-{self._simple(dice)}"
            case draw if draw < 0.065:
                return f"{name}--{self._simple(dice)}"
            case draw if draw < 0.09:
                return f"{name} {self._simple(dice)}"
            case draw if draw < 0.15:
                particle = dice.choice(self._particles)
                return particle + name if particle[-1] in "'-c" else f"{particle} {name}"
        return name

    def _simple(self, dice: random.Random) -> str:
        match dice.random():
            case draw if draw < 0.30:
                return self._invent_surname(dice)
            case draw if draw < 0.42:
                return dice.choice(self._words)
            case draw if draw < 0.65:
                return dice.choice(dice.choice(self._own_surnames))
        locale = dice.choices(self._locales, self._weights)[0]
        return dice.choice(self._surnames.get(locale, self._words))

    def first(self, sex: str, dice: random.Random) -> str:
        """A first name in title case; ``sex`` is "male" or "female"."""
        match dice.random():
            case draw if draw < 0.18:
                return self._invent_first(dice)
            case draw if draw < 0.45:
                return dice.choice(self._own_firsts)
        locale = dice.choices(self._locales, self._weights)[0]
        return dice.choice(self._firsts[sex][locale])

    def town(self, dice: random.Random) -> str:
        """A town, real or invented."""
        match dice.random():
            case draw if draw < 0.40:
                return dice.choice(self._towns)
            case draw if draw < 0.60:
                return self._invent_town(dice)
            case draw if draw < 0.75:
                saint = f"Saint-{dice.choice(self._own_firsts).split()[0]}"
                return dice.choice([saint, f"{saint}-{dice.choice(self._tails)}"])
            case draw if draw < 0.9:
                return dice.choice(self._heads).split()[-1].removesuffix("e") + dice.choice(self._ends)
        return f"{dice.choice(self._heads)}-{dice.choice(self._tails)}"


class Letters:
    """A character model of order 3: invents words that look like those of a list."""

    def __init__(self, words: Iterable[str]) -> None:
        self._next: dict[str, list[str]] = defaultdict(list)
        for word in words:
            padded = _END * 3 + word.lower() + _END
            for at in range(3, len(padded)):
                self._next[padded[at - 3 : at]].append(padded[at])

    def __call__(self, dice: random.Random) -> str:
        """One invented word in title case, of 3 to 14 letters."""
        while True:
            word = _END * 3
            while len(word) < 20 and (letter := dice.choice(self._next[word[-3:]])) != _END:
                word += letter
            if 3 <= len(word) - 3 <= 14:
                return word[3:].title().replace("'S", "'s")


@cache
def names() -> Names:
    """The lists are read once."""
    return Names()


def _plain(listed: Iterable[Any]) -> list[str]:
    return [str(name) for name in listed]


def _flat(groups: Iterable[Sequence[str]]) -> list[str]:
    return [name for group in groups for name in group]
