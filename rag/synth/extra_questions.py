"""The variables of a dictionary about the further subjects, and what answers those that no single fact does."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

from rag.synth.dictionary import SynthVariable, variables
from rag.synth.extra_facts import Extras
from rag.synth.extras import SEVERAL, Subject, asked, base_subjects, subjects
from rag.synth.facts import Ledger, Told
from rag.synth.life import Life
from rag.synth.load import data
from rag.synth.reference import when
from rag.synth.table import Answer
from rag.synth.wording import worded

_VALIDATIONS = {0: "integer", 1: "number_1dp", 2: "number"}
_KINDS = {"number": "text", "date": "text", "time": "text", "yesno": "radio", "choice": "radio"}


@cache
def extra_variables(vocabulary: str, seed: int, count: int) -> tuple[SynthVariable, ...]:
    """The further variables of a dictionary, by group: one to four moments of each subject."""
    dice = random.Random(f"questions {vocabulary} {seed}")  # noqa: S311
    wanted = asked(vocabulary, seed, count)
    chosen = [subjects()[name] for name in wanted]
    places = {
        group: (dice.choice(spec["forms"]), dice.choice(spec["headers"]))
        for group, spec in data("extra_groups.yml").items()
    }
    found: list[SynthVariable] = []
    taken = {variable.name for variable in variables(vocabulary)}
    for subject in sorted(chosen, key=lambda each: (places[each.group][0], each.group, each.name)):
        for slot in wanted[subject.name]:
            form, header = places[subject.group]
            first = not found or found[-1].form != form
            found.append(_variable(subject, slot, (f"{form}_compl", header if first else ""), taken, dice))
    form, header = dice.choice(data("extra_groups.yml")["lab"]["forms"]), "Suivi des mesures"
    repeated = [(subject, slot) for subject in base_subjects() for slot in subject.slots]
    for subject, slot in dice.sample(repeated, min(len(repeated), count)):
        found.append(_variable(subject, slot, (f"{form}_suite", header), taken, dice))
        header = ""
    return tuple(found)


def _variable(
    subject: Subject, slot: str, place: tuple[str, str], taken: set[str], dice: random.Random
) -> SynthVariable:
    moment: dict[str, Any] = data("extra_moments.yml")[slot]
    name = "_".join(part for part in (dice.choice(subject.names), str(dice.choice(moment["names"]))) if part)
    while name in taken:
        name += "_b"
    taken.add(name)
    note = str(dice.choice(subject.notes)) if dice.random() < 0.6 else ""
    ask = dice.choice(subject.ask)
    if subject.unit and not subject.unit.startswith("/") and not ask.endswith(")") and dice.random() < 0.4:
        ask = f"{ask} ({subject.unit})"
    label, note = worded(dice, ask, moment, note)
    choices = tuple((code, dice.choice(words)) for code, words in subject.choices)
    kind = _KINDS[subject.kind]
    if subject.kind == "yesno":
        words = dice.choice(
            [("Non", "Oui"), ("Non", "Oui"), ("Absent", "Présent"), ("Non fait ou absent", "Fait ou présent")]
        )
        choices = tuple(zip("01", words, strict=True))
        if dice.random() < 0.3:
            kind, choices = "yesno", ()
    number = subject.kind == "number"
    validation = (
        _VALIDATIONS[subject.decimals] if number else {"date": "date_ymd", "time": "time"}.get(subject.kind, "")
    )
    several = slot in SEVERAL
    return SynthVariable(
        meaning=f"{subject.concept}@{slot}",
        name=name,
        form=place[0],
        section=place[1],
        kind=kind,
        label=label,
        note=note,
        choices=choices,
        validation=validation,
        minimum=f"{subject.low:g}" if number else "",
        maximum=f"{subject.high:g}" if number else "",
        branching="",
        role="several" if several else moment["role"],
        concept=subject.concept,
        moments=(slot,) if several else (moment["moment"],),
        codes=(),
    )


def extra_answers(
    life: Life, variables: tuple[SynthVariable, ...], ledger: Ledger, extras: Extras, found: list[Answer]
) -> list[Answer]:
    """The cells with those of the further subjects: what other words speak of is left out, what needs more added."""
    by_name = {variable.name: variable for variable in variables}
    kept = [answer for answer in found if not _blurred(life, by_name[answer.variable], extras)]
    for variable in variables:
        if variable.role == "several" and not _blurred(life, variable, extras):
            answer = _several(life, variable, ledger)
            kept += [answer] if answer else []
    order = {variable.name: at for at, variable in enumerate(variables)}
    return sorted(kept, key=lambda answer: order[answer.variable])


def _blurred(life: Life, variable: SynthVariable, extras: Extras) -> bool:
    """Whether other words speak of the concept where the answer is looked for."""
    encounters = {name for concept, name in extras.blurred if concept == variable.concept}
    if variable.role == "several" and variable.moments[0] in ("last", "any"):
        return bool(encounters)
    encounter = life.encounter("index" if variable.role == "several" else variable.role)
    return encounter is not None and encounter.name in encounters


def _several(life: Life, variable: SynthVariable, ledger: Ledger) -> Answer | None:
    """A cell that several values decide."""
    slot = variable.moments[0]
    told = [each for each in ledger.about(variable.concept) if each.value == life.facts[each.key].value]
    index = life.encounter("index")
    if slot not in ("last", "any"):
        told = [each for each in told if index is not None and each.key.encounter == index.name]
        told = [each for each in told if each.key.moment not in ("pre", "samu")]
    told = [each for each in told if each.key.encounter]
    if not told:
        return None
    chosen = _chosen(life, slot, told)
    if chosen is None:
        return None
    value = chosen.value
    same = [each for each in told if each.value == value and (slot in ("any", "ever") or each.key == chosen.key)]
    plain = [each for each in same if each.source is None]
    if not plain:
        source = same[0].source
        return Answer(variable.name, value, (same[0], source), "anaphoric") if source else None
    by_document = {each.document_id: each for each in reversed(plain)}
    evidence = tuple(sorted(by_document.values(), key=lambda each: each.document_id)[:2])
    documents = {each.document_id for each in evidence}
    apart = any(each.value != value and each.document_id not in documents for each in told)
    return Answer(variable.name, value, evidence, "order" if apart else "plain")


def _chosen(life: Life, slot: str, told: list[Told]) -> Told | None:
    match slot:
        case "max":
            return max(told, key=lambda each: float(each.value))
        case "min":
            return min(told, key=lambda each: float(each.value))
        case "last":
            return max(told, key=lambda each: when(life, each.key))
        case "ever":
            yes = [each for each in told if each.value == "1"]
            whole = [each for each in told if each.key.moment == ""]
            return next(iter(yes or whole), None)
    return min(told, key=lambda each: when(life, each.key))
