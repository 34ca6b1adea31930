"""Recipes that forgive nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from merging.card import recipe_text
from merging.methods import METHODS
from merging.recipe import Recipe, read_recipe
from merging.run import MergeReport
from merging.space import read_space
from schema.problem import InputError
from tests.merging.tiny import recipe

GOOD = """\
name: mixed
method: dare_ties
seed: 7
base:
  model: base
parents:
  - name: medical
    model: medical
    weight: 0.5
    density: 0.4
  - {name: french, model: french, weight: 0.5, density: 0.4}
parameters: {lambda: 0.9}
"""


def _read(tmp_path: Path, text: str) -> Recipe:
    (tmp_path / "recipe.yml").write_text(text, encoding="utf-8")
    return read_recipe(tmp_path / "recipe.yml")


def test_a_good_one(tmp_path: Path) -> None:
    read = _read(tmp_path, GOOD)
    assert read.shared_values() == {"lambda": 0.9, "normalize": False, "rescale": True}
    assert read.parent_values(read.parents[0]) == {"weight": 0.5, "density": 0.4}
    assert read.speaker == "medical"


FAULTS: dict[str, tuple[str, str, str]] = {
    "misspelt key": ("  - name: medical", "  - nmae: medical", r"line 7, parents.0.nmae: .*Did you mean name\?"),
    "misspelt number": ("    weight: 0.5", "    weigth: 0.5", r"line 9, parents.0.weigth: .*Did you mean weight\?"),
    "misspelt block": ("parents:", "parent:", r"line 6, parent: .*Did you mean parents"),
    "misspelt parameter": ("lambda", "lamda", r"line 12, parameters.lamda: .*Did you mean lambda"),
    "unknown method": ("dare_ties", "dare_tie", r"line 2, method: .*Did you mean dare_ties"),
    "method of nothing like it": ("dare_ties", "zzzz", r"line 2, method: .*Known: linear, slerp"),
    "text for a number": ("weight: 0.5\n", "weight: '0.5'\n", r"line 9, parents.0.weight: .*valid number"),
    "no seed": ("seed: 7\n", "", r"seed is missing"),
    "twice": ("seed: 7", "seed: 7\nseed: 8", r"line 4: seed is given twice"),
    "twice inside": ("    weight: 0.5", "    weight: 0.5\n    weight: 0.6", r"line 10: weight is given twice"),
    "density above 1": ("    density: 0.4", "    density: 1.4", r"line 10, parents.0.density: .*outside 0.001 to 1"),
    "density of 0": ("    density: 0.4", "    density: 0", r"line 10, parents.0.density: .*outside 0.001 to 1"),
    "no density": ("    density: 0.4\n", "", r"line 7, parents.0: dare_ties needs density"),
    "a number of another method": ("    density: 0.4", "    density: 0.4\n    gamma: 0.1", r"no use for gamma"),
    "a parameter of another method": (
        "{lambda: 0.9}",
        "{t: 0.9}",
        r"line 12, parameters.t: dare_ties has no use for t",
    ),
    "no base": ("base:\n  model: base\n", "", r"line 2, method: dare_ties needs a base"),
    "one name twice": ("name: french", "name: medical", r"line 11, parents.1.name: medical is taken"),
    "nobody speaks": ("seed: 7", "seed: 7\nchat: frensh", r"line 4, chat: frensh is none .*Did you mean french"),
    "negative seed": ("seed: 7", "seed: -1", r"line 3, seed"),
    "not a number": ("weight: 0.5\n", "weight: .nan\n", r"line 9, parents.0.weight"),
    "an unknown dtype": ("seed: 7", "seed: 7\ndtype: int8", r"line 4, dtype"),
    "not YAML": ("seed: 7", "seed: [7", r"line \d+: is not YAML"),
    "a name that is a path": ("name: mixed", "name: ../mixed", r"line 1, name"),
}


@pytest.mark.parametrize("case", list(FAULTS))
def test_what_is_refused_with_its_line(tmp_path: Path, case: str) -> None:
    old, new, said = FAULTS[case]
    assert old in GOOD
    with pytest.raises(InputError, match=said):
        _read(tmp_path, GOOD.replace(old, new, 1))


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        _read(tmp_path, GOOD.replace("weight: 0.5\n", "weigth: 0.5\n").replace("seed: 7", "sed: 7"))
    assert len(caught.value.problems) == 3  # two misspelt keys, and no seed


def test_methods_with_their_own_demands(tmp_path: Path) -> None:
    two = {"medical": {"weight": 0.5}, "french": {"weight": -0.5}}
    with pytest.raises(ValueError, match="the weights, by whose sum is divided, sum to 0"):
        recipe("linear", two)
    recipe("linear", two, parameters={"normalize": False})
    with pytest.raises(ValueError, match="all weights are 0"):
        recipe("task_arithmetic", {"medical": {"weight": 0.0}})
    with pytest.raises(ValueError, match="slerp takes 2 parents; there are 3"):
        recipe("slerp", {"medical": {}, "french": {}, "third": {}}, parameters={"t": 0.5})
    with pytest.raises(ValueError, match="slerp needs t"):
        recipe("slerp", {"medical": {}, "french": {}})
    with pytest.raises(ValueError, match=r"density 0.9 ± epsilon 0.15 leaves 0 to 1"):
        recipe("della", {"medical": {"weight": 0.5, "density": 0.9}})
    with pytest.raises(ValueError, match="lora takes adapters of the base alone"):
        recipe("lora", {"medical": {}})


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_recipe(tmp_path / "absent.yml")
    (tmp_path / "latin.yml").write_bytes("name: été".encode("latin-1"))
    with pytest.raises(InputError, match="is not UTF-8"):
        read_recipe(tmp_path / "latin.yml")
    (tmp_path / "list.yml").write_text("- a\n- b\n")
    with pytest.raises(InputError):
        read_recipe(tmp_path / "list.yml")
    (tmp_path / "empty.yml").write_text("")
    with pytest.raises(InputError, match="name is missing"):
        read_recipe(tmp_path / "empty.yml")


@settings(deadline=None)
@given(text=st.text(max_size=200) | st.text(alphabet="abc:-[]{}\n '\"#&*!|>%@", max_size=60))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("wild") / "recipe.yml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(InputError):
        read_recipe(path)


@pytest.mark.parametrize("method", list(METHODS))
def test_the_recipe_of_a_card_makes_the_same_merge(tmp_path: Path, method: str) -> None:
    how = METHODS[method]
    fitting = {"weight": 0.5, "density": 0.5, "t": 0.5}
    numbers = {name: fitting[name] for name, about in how.of_parents.items() if about.default is None}
    shared = {name: fitting[name] for name, about in how.shared.items() if about.default is None}
    names = ["lora_a", "lora_b"] if how.adapters else ["medical", "french"]
    made = recipe(method, dict.fromkeys(names[: how.parents[1]], numbers), parameters=shared, note="écrit à la main")
    report = MergeReport(made, tmp_path, (), (), (), "", 0.0)
    (tmp_path / "recipe.yml").write_text(recipe_text(report), encoding="utf-8")
    assert read_recipe(tmp_path / "recipe.yml").fingerprint() == made.fingerprint()


SPACE = """\
name: searched
seed: 3
base: {model: base}
parents:
  - {name: medical, model: medical}
  - {name: french, model: french}
methods:
  - {method: ties, weight: {low: 0.2, high: 0.8}, density: [0.3, 0.6]}
  - {method: della, weight: [0.5], density: [0.4, 0.95], epsilon: [0.1]}
  - {method: model_stock}
trials: 8
patients: [2, 4]
"""


def _space(tmp_path: Path, text: str) -> list[Recipe]:
    (tmp_path / "space.yml").write_text(text, encoding="utf-8")
    return list(read_space(tmp_path / "space.yml").draws())


def test_draws_are_the_same_each_time_and_inside_the_space(tmp_path: Path) -> None:
    drawn = _space(tmp_path, SPACE)
    assert [one.fingerprint() for one in drawn] == [one.fingerprint() for one in _space(tmp_path, SPACE)]
    assert len(drawn) == 8
    assert len({one.model_copy(update={"name": ""}).fingerprint() for one in drawn}) == 8
    for one in drawn:
        for parent in one.parents:
            if one.method == "ties":
                assert parent.weight is not None
                assert 0.2 <= parent.weight <= 0.8
                assert parent.density in (0.3, 0.6)
            if one.method == "della":
                assert parent.density == 0.4  # with 0.95 ± 0.1 there is no recipe
    assert sum(one.method == "model_stock" for one in drawn) == 1
    assert _space(tmp_path, SPACE.replace("seed: 3", "seed: 4"))[0].parents != drawn[0].parents


SPACE_FAULTS: dict[str, tuple[str, str, str]] = {
    "misspelt": ("density: [0.3", "densities: [0.3", r"line 8, methods.0.densities: .*Did you mean density"),
    "unknown method": ("method: ties", "method: tie", r"line 8, methods.0.method: .*Did you mean ties"),
    "no weight": ("weight: [0.5], ", "", r"line 9, methods.1: della needs weight"),
    "no use": ("{method: model_stock}", "{method: model_stock, density: [0.5]}", r"line 10, methods.2.density: "),
    "rungs": ("[2, 4]", "[4, 2]", r"line 12, patients: the rungs do not grow"),
    "interval": ("{low: 0.2, high: 0.8}", "{low: 0.9, high: 0.8}", r"line 8, methods.0.weight.*low 0.9 is above"),
    "never fits": ("[0.4, 0.95]", "[0.95]", r"line 9, methods.1: density 0.95 ± epsilon 0.1 leaves 0 to 1"),
    "one parent": ("  - {name: french, model: french}\n", "", r"parents: there is nothing to mix"),
}


@pytest.mark.parametrize("case", list(SPACE_FAULTS))
def test_spaces_that_are_refused(tmp_path: Path, case: str) -> None:
    old, new, said = SPACE_FAULTS[case]
    assert old in SPACE
    with pytest.raises(InputError, match=said):
        _space(tmp_path, SPACE.replace(old, new, 1))
