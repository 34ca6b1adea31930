"""The data dictionary: the variables of ``data/variables.yml`` in one of their wordings."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rag.synth.load import data
from rag.synth.wording import anew

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
    section: str
    kind: str
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
    found: list[SynthVariable] = []
    for group in data("sections.yml"):
        form, header = (_pick(dice, group[part], plain) for part in ("forms", "headers"))
        for meaning in group["variables"]:
            if plain or meaning in _PARENTS or dice.random() < 0.92:
                first = not found or found[-1].form != form
                found.append(_variable(meaning, specs[meaning], (form, header if first else ""), names, dice, plain))
    return tuple(found)


#: Variables that the branching of others names: every dictionary asks them.
_PARENTS = frozenset({"thrombolyse", "thrombectomie", "deces_3mois"})


def _variable(
    meaning: str, spec: dict[str, Any], place: tuple[str, str], names: dict[str, str], dice: random.Random, plain: bool
) -> SynthVariable:
    choices = [tuple(map(str, choice)) for choice in spec.get("choices", ())]
    codes = [code for code, _ in choices]
    yes_no = codes == ["0", "1"] and [text.split(" / ")[0] for _, text in choices] == ["Non", "Oui"]
    kind = "text" if not choices else "radio" if plain else dice.choice(["radio", "radio", "dropdown"])
    if yes_no and not plain and dice.random() < 0.3:
        kind = "yesno"  # REDCap knows its choices: 1 yes, 0 no
    recoded = kind != "yesno" and not plain and spec.get("recode", True) and dice.random() < 0.25
    shifted = [str(number + 1) for number in range(len(codes))] if recoded else codes
    worded = [(code, _pick(dice, text.split(" / "), plain)) for code, (_, text) in zip(shifted, choices, strict=True)]
    branching = ""
    if "when" in spec:
        parent, value = str(spec["when"]).split("=")
        branching = f"[{names[parent]}] = '{value}'"
    role, concept = str(spec.get("role", "index")), str(spec.get("concept", meaning))
    moments = tuple(str(spec.get("moment", "")).split()) or ("",)
    label = None if plain else anew(dice, concept, role, moments[0])
    label = label or _pick(dice, spec["labels"], plain)
    return SynthVariable(
        meaning=meaning,
        name=names[meaning],
        form=place[0],
        section=place[1],
        kind=kind,
        label=label,
        note=_pick(dice, spec.get("notes", [""]), plain) if plain or dice.random() < 0.75 else "",
        choices=() if kind == "yesno" else tuple(worded),
        validation=str(spec.get("validation", "")),
        minimum=str(spec.get("min", "")),
        maximum=str(spec.get("max", "")),
        branching=branching,
        role=role,
        concept=concept,
        moments=moments,
        codes=tuple(zip(codes, shifted, strict=True)),
    )


def _pick(dice: random.Random, wordings: list[str], plain: bool) -> str:
    return str(wordings[0] if plain else dice.choice(wordings))


def write_dictionary(path: Path, asked: tuple[SynthVariable, ...]) -> None:
    """Write the dictionary as REDCap exports it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(_COLUMNS)
        first = asked[0].form
        rows.writerow(["record_id", first, "", "text", "Identifiant patient", "", "", "", "", "", "y", "", ""])
        for variable in asked:
            choices = " | ".join(f"{code}, {label}" for code, label in variable.choices)
            rows.writerow(
                [
                    *(variable.name, variable.form, variable.section, variable.kind, variable.label, choices),
                    *(
                        variable.note,
                        variable.validation,
                        variable.minimum,
                        variable.maximum,
                        "",
                        variable.branching,
                        "",
                    ),
                ]
            )
