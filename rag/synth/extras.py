"""Further subjects: what they are, which ones a dictionary asks about and a patient's documents tell of.

The subjects are those of ``data/extras/*.yml``; a dictionary and each patient take some of them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml

from rag.synth.load import data

SubjectKind = Literal["number", "date", "time", "yesno", "choice"]

#: Prefix of the concepts of further subjects.
PREFIX = "x_"
#: Slots that are read from several facts.
SEVERAL = frozenset({"max", "min", "first", "last", "ever", "any"})
_ORDINAL = frozenset({"max", "min", "first"})
#: How many times more subjects a dictionary asks about than one patient's documents tell of.
_ASKED = 1.5
#: Share of a patient's subjects that the dictionary asks about.
_COMMON = 0.8


@dataclass(frozen=True, slots=True)
class Subject:
    """One subject. ``ask``: as dictionaries name it; ``say``: as documents do; ``slots``: the moments asked.

    ``low``, ``high``, ``step``: range of a number, days or hours from its anchor for a date or a time. ``trend``: -1, 0
    or 1 as it goes down or up with care. ``words``: by code, what a text says; ``choices``: what a dictionary does.
    ``phrases``: own ways of telling a number, with ``{v}``.
    """

    name: str
    kind: SubjectKind
    group: str
    ask: tuple[str, ...]
    say: tuple[str, ...]
    names: tuple[str, ...]
    notes: tuple[str, ...]
    slots: tuple[str, ...]
    kinds: frozenset[str]
    low: float = 0
    high: float = 1
    step: float = 1
    unit: str = ""
    trend: int = 0
    likely: float = 0.5
    words: tuple[tuple[str, tuple[str, ...]], ...] = ()
    choices: tuple[tuple[str, tuple[str, ...]], ...] = ()
    phrases: tuple[str, ...] = ()
    seen: re.Pattern[str] = re.compile(r"(?!)")

    @property
    def concept(self) -> str:
        """The concept of its facts."""
        return PREFIX + self.name if self.group else self.name

    @property
    def lasting(self) -> bool:
        """Whether one value holds for the whole life."""
        return self.slots == ("any",)

    @property
    def event(self) -> bool:
        """Whether it may happen on some days of a stay."""
        return self.kind == "yesno" and "ever" in self.slots

    @property
    def whole(self) -> bool:
        """Whether a summary of a stay tells of the stay as a whole."""
        return self.event or "stay" in self.slots

    @property
    def decimals(self) -> int:
        """Decimals of a number."""
        return 0 if self.step >= 1 else 1 if self.step >= 0.1 else 2

    def variants(self, code: str) -> tuple[str, ...]:
        """What a text says for a code."""
        return dict(self.words).get(code, ())


@cache
def subjects() -> dict[str, Subject]:
    """All subjects by name, in the order of the files."""
    folder = files("rag.synth") / "data" / "extras"
    found: dict[str, Subject] = {}
    for path in sorted((path for path in folder.iterdir() if path.name.endswith(".yml")), key=lambda path: path.name):
        for name, spec in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            if name in found:
                raise ValueError(f"{path.name}: the subject {name} is given twice")
            found[name] = _subject(str(name), spec)
    return found


@cache
def base_subjects() -> tuple[Subject, ...]:
    """Concepts that all documents tell, with the further moments at which a dictionary may ask them."""
    return tuple(
        Subject(
            name=name,
            kind="number",
            group="",
            ask=tuple(spec["ask"]),
            say=(),
            names=tuple(spec["names"]),
            notes=tuple(spec["notes"]),
            slots=tuple(spec["at"]),
            kinds=frozenset(),
            low=float(spec["range"][0]),
            high=float(spec["range"][1]),
            step=float(spec.get("step", 1)),
            unit=str(spec.get("unit", "")),
        )
        for name, spec in data("extra_base.yml").items()
        if "at" in spec
    )


def _subject(name: str, spec: dict[str, Any]) -> Subject:
    group = data("extra_groups.yml")[spec["g"]]
    kind: SubjectKind = (
        "date" if "days" in spec else "time" if "hours" in spec else "yesno" if "present" in spec
        else "choice" if "choices" in spec else "number"
    )  # fmt: skip
    low, high = spec.get("days") or spec.get("hours") or spec.get("range") or (0, 1)
    slots = [slot for slot in spec.get("at", group["ask"]) if _fits(slot, kind)]
    if kind in ("yesno", "choice"):
        words = [(str(c[0]), _split(c[-1])) for c in spec.get("choices", ())] or [
            (code, tuple(map(str, spec[key]))) for code, key in (("1", "present"), ("0", "absent"))
        ]
    else:
        words = []
    says = tuple(map(str, spec["say"]))
    seen = "|".join(re.escape(word) for word in (*says, *map(str, spec.get("seen", ()))))
    return Subject(
        name=name,
        kind=kind,
        group=spec["g"],
        ask=tuple(map(str, spec["ask"])),
        say=says,
        names=(name, *map(str, spec.get("names", ()))),
        notes=tuple(map(str, spec["notes"])),
        slots=tuple(slots),
        kinds=frozenset(spec.get("in", group["in"])),
        low=float(low),
        high=float(high),
        step=float(spec.get("step", 1)),
        unit=str(spec.get("unit", "")),
        trend=int(spec.get("trend", 0)),
        likely=float(spec.get("likely", 0.35)),
        words=tuple(words),
        choices=tuple((str(choice[0]), _split(choice[1])) for choice in spec.get("choices", ())),
        phrases=tuple(map(str, spec.get("phrases", ()))),
        seen=re.compile(rf"(?<!\w)(?:{seen})(?!\w)", re.IGNORECASE),
    )


def _split(text: object) -> tuple[str, ...]:
    return tuple(str(text).split(" / "))


def _fits(slot: str, kind: SubjectKind) -> bool:
    if slot == "any":
        return True
    if slot == "ever":
        return kind == "yesno"
    return slot not in _ORDINAL or kind == "number"


@cache
def asked(vocabulary: str, seed: int, count: int) -> dict[str, tuple[str, ...]]:
    """The subjects that a dictionary asks about, each at one to four moments, when documents tell of ``count``."""
    dice = random.Random(f"subjects {vocabulary} {seed}")  # noqa: S311
    chosen = dice.sample(list(subjects().values()), min(len(subjects()), round(count * _ASKED)))
    return {
        subject.name: tuple(dice.sample(subject.slots, min(len(subject.slots), dice.choice([1, 2, 2, 3, 3, 4]))))
        for subject in sorted(chosen, key=lambda each: each.name)
    }


def of_patient(dice: random.Random, wanted: Iterable[str], count: int) -> tuple[Subject, ...]:
    """The subjects that a patient's documents tell of: most of them asked, some not."""
    asked_for = list(wanted)
    common = min(len(asked_for), round(count * _COMMON))
    names = dice.sample(asked_for, common)
    others = [name for name in subjects() if name not in asked_for]
    names += dice.sample(others, min(len(others), count - common))
    return tuple(subjects()[name] for name in names)
