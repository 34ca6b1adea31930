"""Invented persons and hospitals."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from functools import cache
from typing import Any

from rag.synth.load import data


@dataclass(frozen=True, slots=True)
class Patient:
    """Who the documents speak of."""

    patient_id: str
    female: bool
    last_name: str
    birth_name: str
    first_name: str
    born: dt.date
    town: str
    street: str
    ipp: str

    def age(self, day: dt.date) -> int:
        """Completed years."""
        return day.year - self.born.year - ((day.month, day.day) < (self.born.month, self.born.day))


@dataclass(frozen=True, slots=True)
class Hospital:
    """Where documents are written; ``style`` and ``types`` are its habits."""

    name: str
    short: str
    town: str
    street: str
    phone: str
    style: str
    types: str
    doctors: tuple[str, ...]


@cache
def _names() -> dict[str, Any]:
    from faker.providers.person.fr_FR import Provider

    places: dict[str, Any] = data("places.yml")
    return {
        "last": sorted(set(Provider.last_names) | set(places["last_names"])),
        "female": sorted(set(Provider.first_names_female)),
        "male": sorted(set(Provider.first_names_male)),
        **places,
    }


def make_patient(dice: random.Random, patient_id: str, index_day: dt.date) -> Patient:
    """A patient of an age at which strokes come."""
    names = _names()
    female = dice.random() < 0.48
    age = min(97, max(21, round(dice.gauss(74 if female else 69, 14))))
    born = index_day - dt.timedelta(days=round(age * 365.25) + dice.randrange(20, 340))
    last = dice.choice(names["last"])
    return Patient(
        patient_id=patient_id,
        female=female,
        last_name=last,
        birth_name=dice.choice(names["last"]) if female and dice.random() < 0.7 else last,
        first_name=dice.choice(names["female" if female else "male"]),
        born=born,
        town=dice.choice(names["towns"]),
        street=_street(dice),
        ipp="".join(dice.choice("0123456789") for _ in range(dice.choice([7, 8, 9, 10]))),
    )


def make_hospital(dice: random.Random, kind: str, style: str) -> Hospital:
    """A hospital ("chu", "ch", "clinique", "ssr", "cabinet") with its people and habits."""
    names = _names()
    town = dice.choice(names["towns"])
    name, _, short = dice.choice(names["hospitals"][kind]).partition(" = ")
    doctors = tuple(doctor(dice) for _ in range(14 if kind in ("chu", "ch") else 6))
    return Hospital(
        name=elided(name.format(town=town), town),
        short=elided((short or name).format(town=town), town),
        town=town,
        street=_street(dice),
        phone="0" + str(dice.randrange(1, 6)) + "".join(f" {dice.randrange(100):02d}" for _ in range(4)),
        style=style,
        types=dice.choice(["plain", "plain", "plain", "long", "long", "code", "vague"]),
        doctors=doctors,
    )


def elided(text: str, town: str) -> str:
    """The text with "de" elided before the town's name, if it begins with a vowel."""
    return text.replace(f"de {town}", f"d'{town}") if town[0] in "AEIOUÉÈY" else text


def doctor(dice: random.Random) -> str:
    """The name of a physician, without title."""
    names = _names()
    last = dice.choice(names["last"])
    if dice.random() < 0.5:
        return str(last)
    first = dice.choice(names["female"] if dice.random() < 0.5 else names["male"])
    return f"{first} {last}" if dice.random() < 0.7 else f"{first[0]}. {last}"


def _street(dice: random.Random) -> str:
    names = _names()
    return f"{dice.randrange(1, 140)} {dice.choice(names['ways'])} {dice.choice(names['streets'])}"
