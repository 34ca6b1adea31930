"""A search: what it judges, what it keeps, how it goes on."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import pytest

from merging.folder import hash_weights
from merging.run import merge
from merging.search import SearchReport, search
from merging.space import Space, read_space
from merging.trials import Kind
from schema.problem import InputError
from tests.merging.tiny import Family, load

SPACE = """\
name: found
seed: 3
base: {model: base}
parents:
  - {name: medical, model: medical}
  - {name: french, model: french}
methods:
  - {method: ties, weight: {low: 0.2, high: 0.8}, density: [0.3, 0.6]}
  - {method: dare_ties, weight: {low: 0.2, high: 0.8}, density: [0.5]}
trials: 4
patients: [2, 6]
keep: 2
dtype: float32
"""


class Judge:
    """Scores a model by how near one of its tensors is to the middle of both parents; stops after some calls."""

    def __init__(self, family: Family, calls: int = 1000) -> None:
        name = "model.layers.0.mlp.up_proj.weight"
        self._middle = (load(family.medical)[name] + load(family.french)[name]) / 2
        self._name = name
        self._calls = calls
        self.judged: list[tuple[str, int]] = []

    def __call__(self, model: Path, patients: int) -> float:
        if len(self.judged) == self._calls:
            raise KeyboardInterrupt
        self.judged.append((hash_weights(model), patients))
        return 1.0 - float((load(model)[self._name] - self._middle).abs().mean())


def _space(tmp_path: Path, text: str = SPACE) -> Space:
    (tmp_path / "space.yml").write_text(text, encoding="utf-8")
    return read_space(tmp_path / "space.yml")


def _scores(report: SearchReport) -> dict[str, dict[int, float]]:
    return {trial.id: trial.scores for trial in report.trials}


@pytest.fixture(scope="module")
def undisturbed(family: Family, tmp_path_factory: pytest.TempPathFactory) -> tuple[SearchReport, Path, Judge]:
    tmp_path, judge = tmp_path_factory.mktemp("search"), Judge(family)
    return search(_space(tmp_path), judge, tmp_path / "out", family.models), tmp_path / "out", judge


def test_half_go_on_and_the_parents_and_their_soup_are_judged(
    undisturbed: tuple[SearchReport, Path, Judge],
) -> None:
    report, _, judge = undisturbed
    drawn = [trial for trial in report.trials if trial.kind is Kind.DRAWN]
    assert len(drawn) == 4
    on = [trial for trial in drawn if 6 in trial.scores]
    assert len(on) == 2
    assert min(trial.scores[2] for trial in on) >= max(t.scores[2] for t in drawn if t not in on)
    assert [trial.id for trial in report.trials if trial.kind is Kind.PARENT] == ["found-medical", "found-french"]
    (soup,) = (trial for trial in report.trials if trial.kind is Kind.SOUP)
    assert soup.scores[6] == pytest.approx(1.0, abs=1e-6)
    assert report.best is soup
    assert len(judge.judged) == 4 + 2 + 2 + 1


def test_the_winner_is_in_its_place_and_nothing_else_is_kept(
    undisturbed: tuple[SearchReport, Path, Judge], family: Family, tmp_path: Path
) -> None:
    report, out, _ = undisturbed
    assert report.model == out / "best"
    merge(report.best.recipe, tmp_path / "again", family.models)
    assert hash_weights(tmp_path / "again") == hash_weights(report.model)
    assert not (out / "candidates").exists()
    rows = list(csv.DictReader((out / "trials.csv").open(encoding="utf-8")))
    assert len(rows) == len(report.trials) == 7
    assert rows[0]["score_2"] == f"{report.trials[0].scores[2]:.6f}"
    page = (out / "report.md").read_text(encoding="utf-8")
    assert "**found-soup-1-2** (linear)" in page
    assert (out / "front.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("calls", [1, 7])
def test_stopped_it_goes_on_and_judges_nothing_twice(
    undisturbed: tuple[SearchReport, Path, Judge], family: Family, tmp_path: Path, calls: int
) -> None:
    first, second = Judge(family, calls), Judge(family)
    with pytest.raises(KeyboardInterrupt):
        search(_space(tmp_path), first, tmp_path / "out", family.models)
    with (tmp_path / "out" / "trials.jsonl").open("a") as journal:
        journal.write('{"recipe": "cut sho')  # as a kill would
    report = search(_space(tmp_path), second, tmp_path / "out", family.models, resume=True)
    assert sorted(first.judged + second.judged) == sorted(undisturbed[2].judged)
    assert _scores(report) == _scores(undisturbed[0])
    assert hash_weights(report.model) == hash_weights(undisturbed[0].model)
    again = Judge(family)
    search(_space(tmp_path), again, tmp_path / "out", family.models, resume=True)
    assert again.judged == []


def test_another_search_in_the_same_folder_is_refused(
    undisturbed: tuple[SearchReport, Path, Judge], family: Family, tmp_path: Path
) -> None:
    _, out, _ = undisturbed
    with pytest.raises(InputError, match="holds something already"):
        search(_space(tmp_path), Judge(family), out, family.models)
    other = _space(tmp_path, SPACE.replace("trials: 4", "trials: 5"))
    with pytest.raises(InputError, match="changed since it was started: space"):
        search(other, Judge(family), out, family.models, resume=True)
    (tmp_path / "medical").symlink_to(family.third)
    for name in ("base", "french"):
        (tmp_path / name).symlink_to(family.models / name)
    with pytest.raises(InputError, match="changed since it was started: models"):
        search(_space(tmp_path), Judge(family), out, tmp_path, resume=True)


def test_a_recipe_that_gives_no_model_is_kept_as_such(family: Family, tmp_path: Path) -> None:
    """Adapters of other ranks: ``lora_linear`` cannot combine them, the others can."""
    from tests.merging.tiny import write_adapter

    for name in ("base", "lora_a"):
        (tmp_path / name).symlink_to(family.models / name)
    write_adapter(tmp_path / "lora_wide", family.base, 13, rank=8)
    text = """\
name: found
seed: 3
base: {model: base}
parents:
  - {name: a, model: base, adapter: lora_a}
  - {name: wide, model: base, adapter: lora_wide}
methods:
  - {method: lora_linear, weight: [0.5]}
  - {method: lora_cat, weight: [0.5]}
trials: 2
patients: [3]
soup: false
dtype: float32
"""
    report = search(_space(tmp_path, text), lambda model, patients: 0.5, tmp_path / "out", tmp_path)
    assert "ranks 4, 8" in report.trials[0].refused
    assert report.trials[0].scores == {}
    assert report.best.recipe.method == "lora_cat"
    asked: list[int] = []
    again = search(_space(tmp_path, text), lambda m, n: asked.append(n) or 0.5, tmp_path / "out", tmp_path, resume=True)
    assert asked == []
    assert again.trials[0].refused == report.trials[0].refused


def test_models_that_cannot_be_merged_at_all(family: Family, tmp_path: Path) -> None:
    from tests.merging.tiny import write_model

    write_model(tmp_path / "french", 2, hidden_size=64)
    for name in ("base", "medical"):
        (tmp_path / name).symlink_to(family.models / name)
    with pytest.raises(InputError, match=r"no recipe gives a model: .*hidden_size 64"):
        search(_space(tmp_path), lambda model, patients: 0.5, tmp_path / "out", tmp_path)


def test_a_judge_that_gives_no_number(family: Family, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the judge gave nan for found-1"):
        search(_space(tmp_path), lambda model, patients: float("nan"), tmp_path / "out", family.models)


THREE = """\
name: found
seed: 3
parents:
  - {name: medical, model: medical}
  - {name: french, model: french}
  - {name: third, model: third}
methods:
  - {method: linear, weight: [1.0]}
trials: 1
patients: [1]
dtype: float32
"""


@pytest.mark.parametrize(
    ("scores", "soup"),
    [
        # Recipe 1 of Wortsman et al. 2022, by hand: parents sorted, each kept when the soup is not worse for it.
        ({"m": 0.5, "f": 0.7, "t": 0.6, "ft": 0.65, "mf": 0.75}, "mf"),
        ({"m": 0.5, "f": 0.7, "t": 0.6, "ft": 0.7, "mft": 0.69}, "ft"),
        ({"m": 0.5, "f": 0.7, "t": 0.6, "ft": 0.72, "mft": 0.73}, "mft"),
        ({"m": 0.5, "f": 0.7, "t": 0.6, "ft": 0.1, "mf": 0.2}, "f"),
    ],
)
def test_the_greedy_soup(family: Family, tmp_path: Path, scores: dict[str, float], soup: str) -> None:
    name = "model.norm.weight"
    alone = {key[0]: load(family.models / key)[name] for key in ("medical", "french", "third")}
    made = {
        "".join(part): sum(alone[key] for key in part) / len(part)
        for size in (1, 2, 3)
        for part in itertools.combinations("mft", size)
    }

    def judge(model: Path, patients: int) -> float:
        tensor = load(model)[name]
        (mix,) = (key for key, mean in made.items() if (tensor - mean).abs().max() < 1e-6)
        return scores.get(mix, 0.0)

    report = search(_space(tmp_path, THREE), judge, tmp_path / "out", family.models)
    in_soup = {parent.name[0] for parent in report.best.recipe.parents if parent.weight}
    assert in_soup == set(soup)
    assert report.best.last[1] == scores[soup]
