"""Policies: what is done by label and level, and what is said of a policy that is wrong."""

from pathlib import Path

import pytest

from rag.deid.policy import BUNDLED, Action, load_policy, parse_policy
from rag.deid.sensitivity import Level
from schema.phi import PhiLabel
from schema.problem import InputError

ADAPTIVE = """
otherwise: mask
actions:
  NOM: replace
  HOPITAL: {identifying: mask, clinical: keep, otherwise: replace}
  DATE: {clinical: replace}
"""


def test_the_bundled_policies() -> None:
    done = {name: {load_policy(name).action(label, level) for label in PhiLabel for level in Level} for name in BUNDLED}
    assert done == {"mask": {Action.MASK}, "surrogate": {Action.REPLACE}}
    assert not load_policy("mask").moves_dates
    assert load_policy("surrogate").moves_dates


@pytest.mark.parametrize(
    ("label", "level", "action"),
    [
        ("NOM", "clinical", "replace"),
        ("NOM", "identifying", "replace"),
        ("PRENOM", "general", "mask"),
        ("HOPITAL", "identifying", "mask"),
        ("HOPITAL", "clinical", "keep"),
        ("HOPITAL", "quasi_identifying", "replace"),
        ("DATE", "clinical", "replace"),
        ("DATE", "general", "mask"),
    ],
)
def test_an_action_by_label_and_level(label: str, level: str, action: str) -> None:
    policy = parse_policy(ADAPTIVE, "adaptive.yml")
    assert policy.action(PhiLabel(label), Level(level)) is Action(action)
    assert policy.moves_dates


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("otherwise: hide", "p.yml, otherwise: Input should be 'mask', 'replace' or 'keep'."),
        ("actions: {}", "p.yml, otherwise: is missing."),
        ("otherwise: mask\nnames: keep", "p.yml, names: is not a key of a policy. Its keys are otherwise, actions"),
        ("otherwise: mask\nactions: {NAME: keep}", "p.yml, actions.NAME: Input should be 'NOM'"),
        ("otherwise: mask\nactions: {NOM: {clinic: keep}}", "p.yml, actions.NOM.clinic: Input should be 'identifying'"),
        ("otherwise: mask\nactions: {NOM: {clinical: no}}", "p.yml, actions.NOM.clinical: Input should be 'mask'"),
        ("otherwise: mask\nshift_weeks: [9, 3]", "p.yml: shift_weeks should be two whole numbers"),
        ("otherwise: mask\nshift_weeks: [9]", "p.yml, shift_weeks.1: "),
        ("otherwise: mask\nages_over_89: 90", "p.yml, ages_over_89: Input should be 'group' or 'keep'."),
        ("- mask", "p.yml: is empty, or no list of keys and values."),
        ("otherwise: [mask", "p.yml, line 1: is not YAML."),
        ("", "p.yml: is empty, or no list of keys and values."),
    ],
)
def test_what_is_wrong_is_named(content: str, said: str) -> None:
    with pytest.raises(InputError) as refusal:
        parse_policy(content, "p.yml")
    assert len(refusal.value.problems) == 1
    assert str(refusal.value).startswith(said)


def test_a_policy_file(tmp_path: Path) -> None:
    path = tmp_path / "ours.yml"
    path.write_text(ADAPTIVE)
    assert load_policy(str(path)) == parse_policy(ADAPTIVE, "")
    path.write_bytes("otherwise: mask # é".encode("latin-1"))
    with pytest.raises(InputError, match="UTF-8"):
        load_policy(str(path))
    with pytest.raises(InputError, match="mask or surrogate"):
        load_policy("masked")
