"""Conditions and treatments of a patient over the years."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from rag.synth.load import data
from rag.synth.people import Patient

ANTIPLATELETS = frozenset({"aspirine", "clopidogrel"})
ANTICOAGULANTS = {"avk": "1", "aod": "2", "hbpm": "3"}


@dataclass(frozen=True, slots=True)
class Drug:
    """One line of a prescription."""

    group: str
    name: str
    brand: str
    dose: str


@cache
def _clinic() -> dict[str, Any]:
    return dict(data("clinic.yml"))


def draw_conditions(dice: random.Random, patient: Patient, until: dt.date) -> dict[str, dt.date]:
    """The patient's conditions with the day of each, all before ``until``."""
    found: dict[str, dt.date] = {}
    for name, spec in _clinic()["conditions"].items():
        if "sex" in spec and (spec["sex"] == "f") != patient.female:
            continue
        age = max(4, round(dice.gauss(spec["at"], 9)))
        day = patient.born + dt.timedelta(days=round(age * 365.25) + dice.randrange(360))
        if dice.random() < spec["p"] * 1.15 and day < until:
            found[name] = day
    return found


class Pharmacy:
    """What one patient is given: the same drug of a class from year to year."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._drugs: dict[str, Drug] = {}
        self._choice: dict[tuple[str, int], str] = {}

    def drug(self, group: str) -> Drug:
        """The patient's drug of a class."""
        if group not in self._drugs:
            spec = self._dice.choice(_clinic()["drugs"][group])
            self._drugs[group] = Drug(group, spec["name"], spec["brand"], self._dice.choice(spec["doses"]))
        return self._drugs[group]

    def usual(self, conditions: Mapping[str, dt.date], diabetes: str, day: dt.date) -> list[Drug]:
        """The treatment at home of a day, from the conditions known then."""
        groups: list[str] = []
        for name, since in conditions.items():
            if since > day:
                continue
            for at, classes in enumerate(_clinic()["treated_with"].get(name, ())):
                chosen = self._choice.setdefault((name, at), self._dice.choice(classes))
                groups += [group for group in chosen.split("+") if group != "none"]
            if name == "diabete":
                groups.append("insuline" if diabetes == "1" else "antidiabetique")
        if any(group in groups for group in ANTICOAGULANTS):
            groups = [group for group in groups if group not in ANTIPLATELETS]
        return [self.drug(group) for group in dict.fromkeys(groups)]

    def without_antithrombotics(self, drugs: list[Drug]) -> list[Drug]:
        """The same treatment, antiplatelets and anticoagulants taken out."""
        return [drug for drug in drugs if drug.group not in ANTIPLATELETS and drug.group not in ANTICOAGULANTS]

    def changed(self, drugs: list[Drug]) -> list[Drug]:
        """The same treatment with a little comfort added or stopped, as a stay does."""
        dice = self._dice
        kept = [
            drug for drug in drugs if not (drug.group in ("hypnotique", "ipp", "antalgique") and dice.random() < 0.4)
        ]
        for group in ("ipp", "antalgique", "hypnotique", "antidepresseur"):
            if dice.random() < 0.15 and all(drug.group != group for drug in kept):
                kept.append(self.drug(group))
        return kept


def classes(drugs: list[Drug]) -> dict[str, str]:
    """The coded facts that a treatment tells: its antithrombotics and statin."""
    antiplatelets = sum(drug.group in ANTIPLATELETS for drug in drugs)
    anticoagulant = next((ANTICOAGULANTS[drug.group] for drug in drugs if drug.group in ANTICOAGULANTS), "0")
    if anticoagulant != "0":
        both = "6" if antiplatelets else {"1": "4", "2": "3", "3": "5"}[anticoagulant]
    else:
        both = str(min(antiplatelets, 2))
    return {
        "antiagregant": str(int(antiplatelets > 0)),
        "anticoagulant": anticoagulant,
        "antithrombotique": both,
        "statine": str(int(any(drug.group == "statine" for drug in drugs))),
    }
