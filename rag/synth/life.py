"""A patient's life as data: encounters with care, what was true at each, and which documents each leaves."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field

from rag.synth.facts import Fact, Key
from rag.synth.medicine import Drug, Pharmacy, classes
from rag.synth.people import Hospital, Patient


@dataclass(slots=True)
class Planned:
    """A document to be written. ``moment``: the part of the encounter that it is written at; ``weight``: how needed."""

    kind: str
    moment: str
    when: dt.datetime
    weight: float
    flags: dict[str, str] = field(default_factory=dict)
    place: Hospital | None = None


@dataclass(slots=True)
class Encounter:
    """A stay, a visit or an examination. ``role``: what it is for the table ("index", "m3"…); ``flags``: for guards."""

    name: str
    role: str
    start: dt.date
    end: dt.date
    place: Hospital
    doctor: str
    flags: dict[str, str]
    documents: list[Planned] = field(default_factory=list)

    def plan(
        self,
        kind: str,
        moment: str,
        when: dt.datetime,
        weight: float = 0.3,
        place: Hospital | None = None,
        **flags: str,
    ) -> None:
        """Add a document to be written."""
        self.documents.append(Planned(kind, moment, when, weight, flags, place))


@dataclass(slots=True)
class Life:
    """All of one patient."""

    seed: str
    patient: Patient
    index_day: dt.date
    conditions: dict[str, dt.date]
    diabetes: str
    smoking: str
    alcohol: str
    pharmacy: Pharmacy
    places: dict[str, Hospital]
    gp: str
    cardiologist: str
    stopped_smoking: dt.date | None = None
    encounters: list[Encounter] = field(default_factory=list)
    facts: dict[Key, Fact] = field(default_factory=dict)
    treatments: dict[tuple[str, str], list[Drug]] = field(default_factory=dict)

    def encounter(self, role: str) -> Encounter | None:
        """The encounter of a role."""
        return next((encounter for encounter in self.encounters if encounter.role == role), None)

    def by_name(self, name: str) -> Encounter:
        """The encounter of a name."""
        return self.encounters[int(name[1:])]

    def meet(self, role: str, start: dt.date, end: dt.date, place: Hospital, doctor: str, **flags: str) -> Encounter:
        """Add an encounter."""
        encounter = Encounter(f"e{len(self.encounters)}", role, start, end, place, doctor, flags)
        self.encounters.append(encounter)
        return encounter

    def know(self, encounter: Encounter, facts: dict[tuple[str, str], str]) -> None:
        """Facts of an encounter."""
        for (concept, moment), value in facts.items():
            self.facts[Key(encounter.name, concept, moment)] = Fact(value)

    def treat(self, encounter: Encounter, moment: str, drugs: list[Drug]) -> None:
        """The treatment at a moment, with the coded facts that it tells."""
        self.treatments[encounter.name, moment] = drugs
        lines = "|".join(sorted(f"{drug.name} {drug.dose}" for drug in drugs))
        self.know(
            encounter, {("ttt", moment): lines, **{(name, moment): value for name, value in classes(drugs).items()}}
        )

    def condition(self, name: str, day: dt.date) -> str:
        """The coded value of a lasting fact on a day: "0" if not known yet."""
        if name == "tabac":
            return "1" if self.stopped_smoking and self.stopped_smoking <= day else self.smoking
        if name == "alcool":
            return self.alcohol
        since = self.conditions.get(name)
        known = since is not None and since <= day
        if name == "avc":
            known = known or any(e.end < day for e in self.encounters if "stroke" in e.flags)
        if name == "diabete" and known:
            return self.diabetes
        return str(int(known))

    def value(self, key: Key) -> str | None:
        """The value of a fact, if it is one."""
        fact = self.facts.get(key)
        return fact.value if fact else None


def at(day: dt.date, hour: int, dice: random.Random) -> dt.datetime:
    """A moment of a day near an hour."""
    return dt.datetime.combine(day, dt.time(hour, dice.randrange(60)))
