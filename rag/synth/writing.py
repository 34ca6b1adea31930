"""How a fact's value is written, and how it is remembered wrongly."""

from __future__ import annotations

import datetime as dt
import random
from typing import TYPE_CHECKING

from rag.synth.facts import Key

if TYPE_CHECKING:
    from rag.synth.scene import Scene

_MOMENTS = frozenset({"debut", "arrivee", "heure_imagerie", "bolus", "ponction", "recanalisation"})
_DAYS = frozenset({"admission", "sortie", "date_deces"})
_CONVERTED = {
    "gly": (5.55, 2, ("mmol/L", "g/L")),
    "ldl": (2.586, 2, ("mmol/L", "g/L")),
}
#: The greatest slip of memory by concept; what is not named is never remembered wrongly.
_SLIPS = {"nihss": 3, "pas": 20, "aspects": 1, "fevg": 5, "passages": 1, "mrs": 1, "poids": 4}


def written(scene: Scene, key: Key, value: str, form: str) -> str | None:
    """The value in the author's form.

    ``form``: "d" day, "c" day without year, "h" time (with the day if it is not that of admission), "t" time
    alone, "dh" both, "l" long day, "n" bare number.
    """
    forms, concept = scene.forms, key.concept
    if concept in _MOMENTS or concept in _DAYS:
        return _moment(scene, key, dt.datetime.fromisoformat(value), form)
    if concept in _CONVERTED and form != "n":
        factor, decimals, units = _CONVERTED[concept]
        return forms.converted(value, factor, decimals, units)
    if concept == "hb" and form != "n" and scene.dice.random() < 0.25:
        return f"{round(float(value) * 10)} g/L"
    if concept == "hb":
        return forms.number(float(value), 1) + ("" if form == "n" else " g/dL")
    if concept == "creat":
        return value if form == "n" else f"{value} µmol/L"
    if concept == "pas":
        return _pressure(scene, key, value) if form != "n" else value
    if "." in value:
        return value.replace(".", ",") if form != "n" or not value.count(".") else forms.number(float(value), 1)
    return value


def _moment(scene: Scene, key: Key, moment: dt.datetime, form: str) -> str:
    forms, concept = scene.forms, key.concept
    match form or ("d" if concept in _DAYS else "h"):
        case "d":
            return forms.day(moment.date())
        case "c":
            return forms.short(moment.date())
        case "l":
            return forms.long(moment.date())
        case "t":
            return forms.time(moment)
        case "h" if concept == "debut" and f"{moment.date()}" != scene.admitted(key):
            return f"{forms.time(moment)} le {forms.short(moment.date())}"
        case "dh":
            link = scene.dice.choice([" à ", " à ", " ", ", "])
            return f"{forms.short(moment.date())}{link}{forms.time(moment)}"
    return forms.time(moment)


def _pressure(scene: Scene, key: Key, systolic: str) -> str:
    diastolic = scene.life.value(Key(key.encounter, "pad", key.moment)) or str(round(int(systolic) * 0.55))
    high, low = int(systolic), int(diastolic)
    if high % 10 == 0 and low % 10 == 0 and scene.dice.random() < 0.6:
        return f"{high // 10}/{low // 10}"
    return f"{high}/{low}"


def misremembered(concept: str, value: str, dice: random.Random) -> str:
    """Another value, near the true one, where such slips happen; else the same."""
    slip = _SLIPS.get(concept)
    if slip is None or dice.random() < 0.5:
        return value
    other = max(0, int(value) + dice.choice([-1, 1]) * dice.randrange(1, slip + 1))
    if concept == "mrs":
        other = min(other, 5)
    return str(min(other, 10) if concept == "aspects" else other)
