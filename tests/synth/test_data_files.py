"""The phrase and voice files: everything they call exists."""

from __future__ import annotations

from rag.synth.load import grammar, unknown_rules, voices


def test_every_rule_that_is_called_is_given() -> None:
    assert unknown_rules() == []


def test_there_are_voices_and_rules() -> None:
    assert {"samu", "urgences", "imagerie", "thrombectomie", "biologie", "crh", "consultation", "courrier"} <= set(
        voices()
    )
    assert len(grammar().rules) > 50
