"""What the choices of a treatment ask for: drug classes, how many of them, and in which combination."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from generator.rules.drugs import PREFIX, drugs_of_label, lineage
from generator.rules.plan import Plan
from generator.rules.text import fold

_NO = re.compile(r"(?:non|absen\w*|aucun\w*|jamais|pas |sans|faux|no)\b")
_TWO = re.compile(r"\b(?:deux|doubles?|bi\w*|2)\b")
_EITHER = re.compile(r"\bou\b|/")
_PAIR = "double_antiagregation"


#: So many drugs of one of these classes: (classes, number).
Need = tuple[frozenset[str], int]


@dataclass(frozen=True, slots=True)
class Regimen:
    """A treatment question.

    Args:
        targets: lexicon names of the drugs or classes asked for.
        no: the code that says none; None when no choice does.
        asked: code → what the choice needs, all of it.
        other: the code of a class that no other choice names ("Autre"); None when there is none.
    """

    targets: tuple[str, ...]
    no: str | None
    asked: Mapping[str, tuple[Need, ...]]
    other: str | None = None

    def concerns(self, name: str) -> bool:
        """Whether a drug is one of those asked for, or a class that holds them all ("antithrombotique")."""
        return bool(lineage(name) & set(self.targets)) or self.denies(name)

    def takes(self, name: str) -> bool:
        """Whether to take this drug is to take one of those asked for."""
        return bool(lineage(name) & set(self.targets))

    def denies(self, name: str) -> bool:
        """Whether to take none of this class is to take none of those asked for."""
        return all(name in lineage(target) for target in self.targets)


def regimen_of(plan: Plan) -> Regimen:
    """The regimen that a variable's label and choices describe; no targets when they name no drug."""
    labels = {choice.code: fold(choice.label) for choice in plan.variable.choices} or {"0": "non", "1": "oui"}
    targets = tuple(anchor.removeprefix(PREFIX) for anchor in plan.anchors if anchor.startswith(PREFIX))
    no = next((code for code, label in labels.items() if _NO.match(label)), None)
    classes = {code: drugs_of_label(label) for code, label in labels.items() if code != no}
    if not targets:
        targets = tuple(dict.fromkeys(name for names in classes.values() for name in names))
    asked: dict[str, tuple[Need, ...]] = {}
    other = None
    for code, names in classes.items():
        if names:
            asked[code] = _needs(labels[code], names)
        elif re.match(r"autre", labels[code]):
            other = code
        elif re.match(r"oui|yes|vrai|presen", labels[code]):
            asked[code] = ((frozenset(targets), 1),)
    return Regimen(targets, no, asked, other)


def _needs(label: str, names: tuple[str, ...]) -> tuple[Need, ...]:
    """What a choice's label asks for: "Deux antiagrégants", "AVK et aspirine", "IEC ou ARA2"."""
    if _PAIR in names:
        return ((frozenset({"antiagregant"}), 2),)
    if len(names) > 1 and _EITHER.search(label):
        return ((frozenset(names), 1),)
    number = 2 if len(names) == 1 and _TWO.search(label) else 1
    return tuple((frozenset({name}), number) for name in names)


def code_of(regimen: Regimen, taken: Iterable[str]) -> str | None:
    """The choice that asks for most of what is taken and is met in full; None when none is."""
    names = _distinct(name for name in taken if regimen.takes(name))
    met = {
        code: sum(number for _, number in needs)
        for code, needs in regimen.asked.items()
        if all(_count(names, classes) >= number for classes, number in needs)
    }
    if met:
        return max(met, key=lambda code: met[code])
    return regimen.other if names else None


def _distinct(names: Iterable[str]) -> set[str]:
    """Drugs taken, without the classes that only repeat one of them ("AOD : rivaroxaban" is one drug)."""
    taken = set(names)
    return {name for name in taken if not any(name in lineage(other) for other in taken - {name})}


def _count(names: set[str], classes: frozenset[str]) -> int:
    return sum(2 if name == _PAIR else 1 for name in names if classes & lineage(name))
