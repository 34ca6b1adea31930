"""The data dictionary: the variables of ``data/variables.yml`` in one of their wordings."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rag.synth.load import data

_COLUMNS = (
    "Variable / Field Name",
    "Form Name",
    "Section Header",
    "Field Type",
    "Field Label",
    "Choices, Calculations, OR Slider Labels",
    "Field Note",
    "Text Validation Type OR Show Slider Number",
    "Text Validation Min",
    "Text Validation Max",
    "Identifier?",
    "Branching Logic (Show field only if...)",
    "Required Field?",
)


@dataclass(frozen=True, slots=True)
class SynthVariable:
    """One row of the dictionary and the fact that answers it.

    ``meaning`` is the variable's name in all vocabularies; ``moments``: the first that is told answers;
    ``codes`` maps the life's codes to the table's.
    """

    meaning: str
    name: str
    form: str
    label: str
    note: str
    choices: tuple[tuple[str, str], ...]
    validation: str
    minimum: str
    maximum: str
    branching: str
    role: str
    concept: str
    moments: tuple[str, ...]
    codes: tuple[tuple[str, str], ...]

    def coded(self, value: str) -> str:
        """The table's code of a value."""
        return dict(self.codes).get(value, value)


@cache
def variables(vocabulary: str) -> tuple[SynthVariable, ...]:
    """The variables in a wording. "A" is the first wording of each; any other name draws from all of them."""
    dice = random.Random(f"vocabulary {vocabulary}")  # noqa: S311
    plain = vocabulary == "A"
    specs: dict[str, dict[str, Any]] = data("variables.yml")
    names = {meaning: _pick(dice, [meaning, *spec.get("names", [])], plain) for meaning, spec in specs.items()}
    taken: set[str] = set()
    for meaning, name in names.items():
        names[meaning] = name if name not in taken else f"{name}_{len(taken)}"
        taken.add(names[meaning])
    kept = [meaning for meaning in specs if plain or specs[meaning].get("role") is None or dice.random() < 0.9]
    return tuple(_variable(meaning, specs[meaning], names, dice, plain) for meaning in kept)


def _variable(
    meaning: str, spec: dict[str, Any], names: dict[str, str], dice: random.Random, plain: bool
) -> SynthVariable:
    choices = [tuple(map(str, choice)) for choice in spec.get("choices", ())]
    wordings = [str(text).split(" / ") for _, text in choices]
    codes = [code for code, _ in choices]
    letters = not plain and spec.get("recode", True) and dice.random() < 0.25
    shifted = [str(number + 1) for number in range(len(codes))] if letters else codes
    branch = spec.get("when")
    branching = ""
    if branch:
        parent, value = str(branch).split("=")
        branching = f"[{names[parent]}] = '{value}'"
    return SynthVariable(
        meaning=meaning,
        name=names[meaning],
        form=str(spec.get("form", "recueil")),
        label=_pick(dice, spec["labels"], plain),
        note=_pick(dice, [*spec.get("notes", [""])], plain) if plain or dice.random() < 0.75 else "",
        choices=tuple((code, _pick(dice, words, plain)) for code, words in zip(shifted, wordings, strict=True)),
        validation=str(spec.get("validation", "")),
        minimum=str(spec.get("min", "")),
        maximum=str(spec.get("max", "")),
        branching=branching,
        role=str(spec.get("role", "index")),
        concept=str(spec.get("concept", meaning)),
        moments=tuple(str(spec.get("moment", "")).split()) or ("",),
        codes=tuple(zip(codes, shifted, strict=True)),
    )


def _pick(dice: random.Random, wordings: list[str], plain: bool) -> str:
    return str(wordings[0] if plain else dice.choice(wordings))


def write_dictionary(path: Path, vocabulary: str) -> None:
    """Write the dictionary as REDCap exports it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(_COLUMNS)
        rows.writerow(["record_id", "recueil", "", "text", "Identifiant patient", "", "", "", "", "", "y", "", ""])
        for variable in variables(vocabulary):
            kind = "radio" if variable.choices else "text"
            choices = " | ".join(f"{code}, {label}" for code, label in variable.choices)
            rows.writerow(
                [
                    *(variable.name, variable.form, "", kind, variable.label, choices, variable.note),
                    *(variable.validation, variable.minimum, variable.maximum, "", variable.branching, ""),
                ]
            )
