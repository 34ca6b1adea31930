"""The table's row and its evidence, from what the documents told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rag.synth.dictionary import SynthVariable
from rag.synth.facts import Key, Ledger, Told
from rag.synth.life import Encounter, Life
from rag.synth.listing import ASKED, LASTING

Kind = Literal["plain", "anaphoric", "order"]

_MOST_QUOTES = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """One cell: its value, the quotes that support it, and what it takes to find it."""

    variable: str
    value: str
    evidence: tuple[Told, ...]
    kind: Kind


def answers(life: Life, variables: tuple[SynthVariable, ...], ledger: Ledger) -> list[Answer]:
    """The cells that the documents document; a variable without one stays empty."""
    found = {variable.meaning: _answer(life, variable, ledger) for variable in variables}
    by_name = {variable.name: variable for variable in variables}
    kept = []
    for variable in variables:
        answer = found[variable.meaning]
        if answer is not None and _open(variable, by_name, found):
            kept.append(answer)
    return kept


def _open(variable: SynthVariable, by_name: dict[str, SynthVariable], found: dict[str, Answer | None]) -> bool:
    """Whether the branching lets the variable be asked."""
    if not variable.branching:
        return True
    parent, _, value = variable.branching.partition("] = ")
    asked = by_name.get(parent.removeprefix("["))
    answer = found.get(asked.meaning) if asked else None
    return answer is not None and answer.value == value.strip("'")


def _answer(life: Life, variable: SynthVariable, ledger: Ledger) -> Answer | None:
    index = life.encounter("index")
    if index is None:
        return None
    if variable.role == "patient":
        return _lasting(life, variable, ledger, index)
    encounter = life.encounter(variable.role)
    if encounter is None:
        return _dead_at_three_months(variable, ledger, index) if variable.meaning == "mrs_3mois" else None
    found = None
    for moment in variable.moments:
        found = _at(life, variable, ledger, encounter, Key(encounter.name, variable.concept, moment))
        if found is not None:
            break
    return found


def _at(life: Life, variable: SynthVariable, ledger: Ledger, encounter: Encounter, key: Key) -> Answer | None:
    fact = life.facts.get(key)
    if fact is None:
        return None
    told = [each for each in ledger.of(key) if each.value == fact.value]
    told += [each for each in _implied(life, ledger, encounter, key, fact.value) if each not in told]
    if not told:
        return None
    plain = [each for each in told if each.source is None]
    if plain:
        near = _best(plain, _documents(ledger, encounter), ledger)
        return Answer(variable.name, variable.coded(fact.value), near, _order(variable, key, fact.value, near, ledger))
    first = told[0]
    if first.source is None:
        return None
    return Answer(variable.name, variable.coded(fact.value), (first, first.source), "anaphoric")


def _implied(life: Life, ledger: Ledger, encounter: Encounter, key: Key, value: str) -> list[Told]:
    """The tellings of another fact that answer, as the notes of the dictionary have it."""
    match key.concept, value:
        case "admission", _:  # a time of arrival, in a document of that day
            return ledger.of(Key(encounter.name, "arrivee"))
        case "fa", "1":
            until = f"{encounter.end}"
            return [t for t in ledger.about("fa") if not t.key.encounter and t.value == "1" and t.key.moment <= until]
        case "fa", "0":
            since = f"{encounter.start}"
            return [t for t in ledger.about("fa") if not t.key.encounter and t.value == "0" and since <= t.key.moment]
        case "imc", _:  # written, else calculated
            keys = [Key(encounter.name, name) for name in ("poids", "taille")]
            parts = [[t for t in ledger.of(each) if t.value == life.value(each)] for each in keys]
            return [part[0] for part in parts] if all(parts) else []
        case "sich", "0":  # no bleeding at all
            return [t for t in ledger.of(Key(encounter.name, "transfo")) if t.value == "0"]
        case "deces", "0":  # seen alive at three months
            visit = life.encounter("m3")
            return [t for t in ledger.told if visit and t.key.encounter == visit.name][:1]
    return []


def _dead_at_three_months(variable: SynthVariable, ledger: Ledger, index: Encounter) -> Answer | None:
    told = [each for each in ledger.of(Key(index.name, "deces")) if each.value == "1"]
    return Answer(variable.name, variable.coded("6"), _best(told, frozenset(), ledger), "plain") if told else None


def _lasting(life: Life, variable: SynthVariable, ledger: Ledger, index: Encounter) -> Answer | None:
    """What is true of the patient whatever the encounter: age, sex, antecedents."""
    concept = variable.concept
    if concept == "age":
        value = str(life.patient.age(index.start))
        told = [
            t for t in ledger.about("age") if t.value == value and f"{index.start}" <= t.key.moment <= f"{index.end}"
        ]
        told = told or ledger.about("naissance")
    elif concept == "sexe":
        value = "2" if life.patient.female else "1"
        told = list(ledger.about("sexe"))
    else:
        value = life.condition(concept, index.start)
        found = ledger.of(Key(index.name, "diabete_trouve")) if concept == "diabete" else []
        if found:
            value = found[0].value
        told = [t for t in ledger.about(concept) if t.value == value and t.key.moment <= f"{index.end}"] + found
        if value != "0" or concept in ("tabac", "alcool"):
            told += [t for t in ledger.about(concept) if t.value == value and t.key.moment > f"{index.end}"]
    if concept == "avc" and value == "1":
        told += [each for each in ledger.about("cote") if life.by_name(each.key.encounter).end < index.start]
    if not told:
        return None
    ours = _documents(ledger, index)
    near = _best(told, ours, ledger)
    key = near[0].key
    pointer = next((t for t in ledger.about("atcd") if t.source is not None), None)
    if concept in ASKED and pointer is not None and not any(t.document_id in ours for t in told):
        earlier = [t for t in told if t.document_id < pointer.document_id]
        if earlier:
            return Answer(variable.name, variable.coded(value), (pointer, earlier[-1]), "anaphoric")
    kind = _order(variable, key, value, near, ledger) if concept in LASTING or concept == "age" else "plain"
    return Answer(variable.name, variable.coded(value), near, kind)


def _documents(ledger: Ledger, encounter: Encounter) -> frozenset[str]:
    return frozenset(told.document_id for told in ledger.told if told.key.encounter == encounter.name)


def _best(told: list[Told], near: frozenset[str], ledger: Ledger) -> tuple[Told, ...]:
    """Tellings of different documents: the encounter's own first, the words that tell this alone before lists."""
    own = [each for each in told if each.document_id in near] or told
    by_document: dict[str, Told] = {}
    for each in sorted(own, key=lambda each: (ledger.breadth(each), len(each.quote))):
        by_document.setdefault(each.document_id, each)
    chosen = sorted(by_document.values(), key=lambda each: (ledger.breadth(each) > 1, each.document_id))[:_MOST_QUOTES]
    return tuple(sorted(chosen, key=lambda each: each.document_id))


def _order(variable: SynthVariable, key: Key, value: str, chosen: tuple[Told, ...], ledger: Ledger) -> Kind:
    """Whether another document tells the same concept with another value at another moment."""
    documents = {each.document_id for each in chosen}
    for other in ledger.about(variable.concept):
        if other.value != value and other.key != key and other.document_id not in documents:
            return "order"
    return "plain"
