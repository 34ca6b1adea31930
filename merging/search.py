"""Search of the best recipe: draws thinned out on ever more patients, and the greedy soup of the parents.

Sources: successive halving, Jamieson and Talwalkar 2016, arXiv:1502.07943; greedy soup, Wortsman et al. 2022,
arXiv:2203.05482, recipe 1.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from merging.folder import hash_weights
from merging.plan import make_plan
from merging.recipe import Recipe
from merging.run import merge
from merging.search_report import write_report
from merging.space import Space
from merging.trials import Journal, Kind, Trial
from schema.problem import InputError, Problem

#: Scores a model, in a folder, on that many patients of the development cohort: the higher, the better.
Judge = Callable[[Path, int], float]


@dataclass(frozen=True, slots=True)
class SearchReport:
    """What was tried, and what won.

    Args:
        best: the trial with the best score on the most patients: a merge, or a parent where no merge is better.
        model: its folder.
        trials: all, in the order in which they were made.
    """

    best: Trial
    model: Path
    trials: tuple[Trial, ...]


def search(
    space: Space,
    judge: Judge,
    out: Path,
    models: Path,
    resume: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> SearchReport:
    """Try the recipes of a space; keep the best model in ``out/best``.

    Written in ``out``: best/ (the model, its recipe and card), trials.csv, report.md, front.png, trials.jsonl (the
    journal, which ``resume`` goes on from), cache/ (adapted and trimmed parents, which may be removed at the end).

    Args:
        judge: called once for each candidate and rung, with a model's folder and a number of patients.
        models: the folder in which the space's folders are.

    Raises:
        InputError: ``out`` holds another search, or one and ``resume`` is False; the models cannot be merged.
        OSError: the disk is full.
        Exception: whatever ``judge`` raises; what was judged before is kept.
    """
    if not resume and out.is_dir() and any(out.iterdir()):
        what = "holds something already."
        raise InputError(Problem(str(out), what, "Go on with --resume, or give another --out."))
    out.mkdir(parents=True, exist_ok=True)
    journal = Journal(out / "trials.jsonl", _made_of(space, models))
    bench = _Bench(space, judge, out, models, journal, say)
    drawn = bench.enter([Trial(recipe, Kind.DRAWN) for recipe in space.draws()])
    _halve(space, drawn, bench)
    parents = bench.enter([Trial(_alone(space, place), Kind.PARENT) for place in range(len(space.parents))])
    for trial in parents:
        bench.judge(trial, space.patients[-1])
        bench.drop(parents)
    if space.soup:
        _greedy_soup(space, parents, bench)
    best = _best(bench.trials, space.patients[-1])
    if best is None:
        reasons = {trial.refused for trial in bench.trials if trial.refused}
        raise InputError(
            *(Problem(space.name, f"no recipe gives a model: {why}", "See the checks.") for why in reasons)
        )
    model = bench.keep(best)
    write_report(space, bench.trials, best, journal.judgements, out)
    return SearchReport(best, model, tuple(bench.trials))


class _Bench:
    """Makes candidates when they are judged, once, and throws them away."""

    def __init__(
        self, space: Space, judge: Judge, out: Path, models: Path, journal: Journal, say: Callable[[str], None]
    ) -> None:
        self.trials: list[Trial] = []
        self._space = space
        self._judge = judge
        self._out = out
        self._models = models
        self._journal = journal
        self._say = say

    def enter(self, trials: list[Trial]) -> list[Trial]:
        """Take in trials, with what an earlier session found of them."""
        self._journal.recall(trials)
        self.trials += trials
        return trials

    def judge(self, trial: Trial, patients: int) -> float:
        """The score of a trial on that many patients; -inf when its recipe gives no model."""
        if patients in trial.scores:
            return trial.scores[patients]
        started = time.monotonic()
        model = None if trial.refused else self._model(trial)
        if model is None:
            return -math.inf
        score = float(self._judge(model, patients))
        if not math.isfinite(score):
            raise ValueError(f"the judge gave {score} for {trial.id}")
        self._journal.add_score(trial, patients, score, time.monotonic() - started)
        self._say(f"{trial.id}: {trial.recipe.method}, {score:.4f} on {patients} patients")
        return score

    def drop(self, trials: Iterable[Trial]) -> None:
        """Remove the models of trials that are out."""
        for trial in trials:
            shutil.rmtree(self._folder(trial), ignore_errors=True)

    def keep(self, trial: Trial) -> Path:
        """Put the model of the winner in its place, made again when it is no longer there."""
        place = self._out / "best"
        if not _is_of(place, trial):
            model = self._model(trial)
            if model is None:
                raise InputError(Problem(trial.id, trial.refused, "Start the search again."))
            shutil.rmtree(place, ignore_errors=True)
            model.rename(place)
        shutil.rmtree(self._out / "candidates", ignore_errors=True)
        return place

    def _folder(self, trial: Trial) -> Path:
        return self._out / "candidates" / trial.id

    def _model(self, trial: Trial) -> Path | None:
        folder = self._folder(trial)
        if _is_of(folder, trial):
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        started = time.monotonic()
        try:
            merge(trial.recipe, folder, self._models, cache=self._out / "cache")
        except InputError as error:
            why = " ".join(f"{problem.where}: {problem.what}" for problem in error.problems)
            self._journal.add_refusal(trial, why, time.monotonic() - started)
            self._say(f"{trial.id}: {trial.recipe.method}, no model: {why}")
            return None
        return folder


def _is_of(folder: Path, trial: Trial) -> bool:
    """Whether a folder holds the model of a trial: folders appear whole, with their recipe."""
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        return False
    print_of: str = json.loads(manifest.read_text(encoding="utf-8"))["recipe_sha256"]
    return print_of == trial.recipe.fingerprint()


def _halve(space: Space, trials: list[Trial], bench: _Bench) -> None:
    for rung, patients in enumerate(space.patients):
        staying = max(1, math.ceil(len(trials) / space.keep)) if rung + 1 < len(space.patients) else 1
        ranked: list[Trial] = []
        for trial in trials:
            bench.judge(trial, patients)
            # Equal scores are told apart by the order of the draws, which does not change.
            ranked = sorted([*ranked, trial], key=lambda one: -one.scores.get(patients, -math.inf))
            bench.drop(ranked[staying:])  # at once: models are large
        trials = [trial for trial in ranked[:staying] if not trial.refused]


def _greedy_soup(space: Space, parents: list[Trial], bench: _Bench) -> None:
    """Parents by their scores, each taken into the mean when the mean is not worse for it."""
    patients = space.patients[-1]
    order = sorted(range(len(parents)), key=lambda place: -parents[place].scores.get(patients, -math.inf))
    soup, score = [order[0]], parents[order[0]].scores.get(patients, -math.inf)
    for place in order[1:]:
        wider = sorted([*soup, place])
        weights = tuple(1.0 if part in wider else 0.0 for part in range(len(parents)))
        name = f"{space.name}-soup-{'-'.join(str(part + 1) for part in wider)}"
        (trial,) = bench.enter([Trial(space.recipe(name, "linear", {"weight": weights}), Kind.SOUP)])
        reached = bench.judge(trial, patients)
        bench.drop([trial])
        if reached >= score:
            soup, score = wider, reached


def _alone(space: Space, place: int) -> Recipe:
    """A parent as the others are made: with the same chat template, vocabulary and dtype."""
    weights = tuple(float(part == place) for part in range(len(space.parents)))
    return space.recipe(f"{space.name}-{space.parents[place].name}", "linear", {"weight": weights})


def _best(trials: list[Trial], patients: int) -> Trial | None:
    """The best on the most patients; of equal ones a merge before a parent, then the first made."""
    judged = [trial for trial in trials if patients in trial.scores]
    return max(judged, key=lambda trial: (trial.scores[patients], trial.kind is not Kind.PARENT), default=None)


def _made_of(space: Space, models: Path) -> dict[str, str]:
    recipe = next(space.draws())
    plan = make_plan(recipe, models)
    weights = [
        f"{one.name} {hash_weights(one.folder.path)} {hash_weights(one.adapter.path) if one.adapter else ''}"
        for one in plan.all
    ]
    return {
        "space": hashlib.sha256(space.model_dump_json(by_alias=True).encode()).hexdigest(),
        "models": hashlib.sha256("\n".join(weights).encode()).hexdigest(),
    }
