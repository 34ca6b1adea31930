"""Which facts no document tells, and which are told by reference only."""

from __future__ import annotations

import random

from rag.synth.config import SynthConfig
from rag.synth.facts import Fact, Key
from rag.synth.life import Encounter, Life
from rag.synth.listing import ANTECEDENTS, ASKED, LASTING, companions

#: What the documents of a stay cannot leave out: a text without them would say nothing.
_ALWAYS = frozenset(
    {"arrivee", "admission", "pad", "thrombectomie", "imagerie", "destination", "deces", "diabete_trouve"}
)
#: Kinds of documents that list antecedents.
_LISTING = frozenset({"courrier", "consultation", "crh", "urgences", "cardiologie", "anesthesie"})
#: Concepts that a later document may tell by pointing back.
_REFERABLE = ("nihss", "mrs", "pas", "fevg", "ldl", "hba1c", "creat", "hb", "crp", "poids", "ttt", "deglutition", "gly")


def settle(life: Life, config: SynthConfig, dice: random.Random) -> None:
    """Choose what stays untold and what is told by reference; values that are to be referred to are made equal."""
    life.facts[ANTECEDENTS] = Fact("1", silent=dice.random() < config.missingness * 0.6)
    for name in sorted(LASTING):
        life.facts[Key("", name)] = Fact(
            life.condition(name, life.index_day), silent=name not in ASKED and dice.random() < config.missingness
        )
    for key, fact in life.facts.items():
        if key.encounter and key.concept not in _ALWAYS:
            fact.silent = dice.random() < config.missingness
    _refer(life, config, dice)


def _refer(life: Life, config: SynthConfig, dice: random.Random) -> None:
    latest: dict[str, tuple[Encounter, Key]] = {}
    before = any(e.start < life.index_day and any(p.kind in _LISTING for p in e.documents) for e in life.encounters)
    if before and dice.random() < config.anaphora * 0.7:
        life.facts[ANTECEDENTS].like = ANTECEDENTS
    for encounter in sorted(life.encounters, key=lambda each: (each.start, each.name)):
        for moment in _moments(encounter):
            for concept in _REFERABLE:
                key = Key(encounter.name, concept, moment)
                fact = life.facts.get(key)
                if fact is None:
                    continue
                source = latest.get(concept)
                near = source is not None and (source[0] is encounter or (encounter.start - source[0].end).days < 900)
                # nobody leaves a stroke unit on an unchanged treatment without antithrombotic
                bare = concept == "ttt" and moment == "out" and "stroke" in encounter.flags
                bare = bare and source is not None and _untreated(life, source[1])
                drawn = not fact.silent and not bare and dice.random() < config.anaphora * _chance(concept, moment)
                if source is not None and near and drawn:
                    _make_like(life, key, source[1])
                elif not fact.silent and _written(encounter, moment):
                    latest[concept] = (encounter, key)


def _untreated(life: Life, treatment: Key) -> bool:
    return life.value(treatment._replace(concept="antithrombotique")) == "0"


def _written(encounter: Encounter, moment: str) -> bool:
    return any(planned.moment == moment or not moment for planned in encounter.documents)


def _chance(concept: str, moment: str) -> float:
    if moment in ("in", "in2") and concept in ("nihss", "pas", "gly", "poids"):
        return 0.0  # a first examination never points back
    return 1.0 if concept in ("nihss", "mrs", "ttt") else 0.7


def _make_like(life: Life, key: Key, source: Key) -> None:
    if key.concept == "ttt":
        life.treatments[key.encounter, key.moment] = life.treatments[source.encounter, source.moment]
        for mine, other in zip(companions(life, key), companions(life, source), strict=True):
            life.facts[mine] = Fact(life.facts[other].value, like=other)
    life.facts[key] = Fact(life.facts[source].value, like=source)
    if key.concept == "pas":
        pad = Key(source.encounter, "pad", source.moment)
        life.facts[Key(key.encounter, "pad", key.moment)] = Fact(life.facts[pad].value)


def _moments(encounter: Encounter) -> list[str]:
    days = [f"j{number}" for number in range(2, (encounter.end - encounter.start).days)]
    return ["pre", "in", "in2", "h24", *days, "", "out"]
