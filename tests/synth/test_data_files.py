"""The phrase and voice files, whoever wrote them: all that they call exists, all that they name means something."""

from __future__ import annotations

import random

import pytest

from rag.synth.biography import live
from rag.synth.config import SynthConfig
from rag.synth.facts import Ledger
from rag.synth.grammar import Slot
from rag.synth.hush import settle
from rag.synth.listing import LISTS
from rag.synth.load import data, grammar, slot_names, unknown_rules, voices
from rag.synth.scene import Scene


def test_every_rule_that_is_called_is_given() -> None:
    assert unknown_rules() == []


def _known_names() -> set[str]:
    """What some document of many lives could name: facts, flags, words."""
    config = SynthConfig(documents=(60, 60))
    known = {"has_avc", "atcd", *LISTS}
    asked = {name.rpartition(".")[2].partition("@")[0] for name in slot_names()}
    for number in range(60):
        life = live(config, random.Random(number), "P", f"{number}", 70)
        settle(life, config, random.Random(number))
        known |= {key.concept for key in life.facts} | set(life.conditions)
        for encounter in life.encounters:
            known |= set(encounter.flags)
            for planned in encounter.documents:
                known |= set(planned.flags)
        last = life.encounters[-1]
        names = Scene(life, last, last.documents[0], Ledger(), random.Random(0), 0).names
        known |= {name for name in asked if names.get(Slot(name, "1-2")) or names.flag(name) is not None}
    return known | {"e", "ne_e", "x_se", "f_ve", "er", "eur"}  # endings, empty for one sex


def test_every_slot_and_guard_names_something() -> None:
    known = _known_names()
    used = {name: name.rpartition(".")[2].partition("@")[0] for name in slot_names()}
    aliases = {name.rpartition(".")[0] for name in used}
    assert {name for name, bare in used.items() if bare not in known and bare != "avc"} == set()
    assert aliases <= {"", "avc", "last", "hier"}


def test_there_are_voices_and_rules() -> None:
    assert {"samu", "urgences", "imagerie", "thrombectomie", "biologie", "crh", "consultation", "courrier"} <= set(
        voices()
    )
    assert len(grammar().rules) > 50


@pytest.mark.parametrize("kind", sorted(voices()))
def test_every_voice_has_a_style(kind: str) -> None:
    for voice in voices()[kind]:
        assert voice.styles
        assert voice.styles <= {"letters", "telegraphic", "forms", "dictated"}, voice.name


def test_styles_are_those_of_the_settings() -> None:
    for style in ("letters", "telegraphic", "forms", "dictated"):
        assert SynthConfig.model_validate({"style": style}).style == style


def test_every_variable_stands_in_one_section_and_has_four_wordings() -> None:
    variables, sections = data("variables.yml"), data("sections.yml")
    placed = [name for section in sections for name in section["variables"]]
    assert sorted(placed) == sorted(variables)
    for name, spec in variables.items():
        assert len(set(spec["labels"])) >= 4, name
        assert len({name, *spec.get("names", ())}) >= 3, name
