"""Main path of a merge: recipe -> models found -> checked -> merged -> checked -> in place, with its card."""

from __future__ import annotations

import datetime as dt
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from merging.atomic import appearing, need_room
from merging.card import write_card
from merging.check import Check, Level, Spoken, check_after, check_before
from merging.dice import same_dice
from merging.folder import weight_files
from merging.furnish import furnish, union_tokenizer
from merging.methods import Engine
from merging.plan import Plan, make_plan
from merging.prepare import can_be_trimmed, trimmed_models, whole_models
from merging.recipe import Recipe
from merging.with_mergekit import run_mergekit
from merging.with_peft import run_peft
from schema.problem import InputError, Problem


@dataclass(frozen=True, slots=True)
class MergeReport:
    """What was made, and what the checks said.

    Args:
        out: folder of the model; README.md, manifest.json and recipe.yml say what it is made of.
        perplexity: of the merge and of each parent, where texts were given.
        made_at: UTC, ISO 8601.
    """

    recipe: Recipe
    out: Path
    before: tuple[Check, ...]
    after: tuple[Check, ...]
    perplexity: tuple[Spoken, ...]
    made_at: str
    seconds: float

    @property
    def warnings(self) -> list[Check]:
        """What whoever uses the model should know."""
        return [check for check in (*self.before, *self.after) if check.level is Level.WARN]


def merge(
    recipe: Recipe,
    out: Path,
    models: Path,
    texts: Mapping[str, Sequence[str]] | None = None,
    cache: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
    progress: bool = False,
) -> MergeReport:
    """Make the model of a recipe in ``out``, which appears whole, or not at all.

    Args:
        models: the folder in which the recipe's folders are; those that are absolute are taken as they are.
        texts: a few texts by name; the merge must foretell them not much worse than the worst of its parents.
        cache: folder that keeps what several merges of the same models share; a search gives one.
        say: told of each step.
        progress: show mergekit's progress bar.

    Raises:
        InputError: a model is missing, a check has failed (each with its reason), ``out`` holds something already.
        OSError: the disk is full, or a file cannot be read or written.
    """
    started, made_at = time.monotonic(), dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    if find_spec(recipe.how.engine.value) is None:
        what, remedy = (
            "is not installed.",
            "Install the program with its extras: pip install 'cohort-rag[merge,train]'.",
        )
        raise InputError(Problem(recipe.how.engine.value, what, remedy))
    plan = make_plan(recipe, models)
    before = check_before(plan)
    _refuse(recipe, before, "The models cannot be merged by this recipe.")
    with same_dice(), appearing(out) as aside:
        need_room(aside, _bytes_needed(plan))
        model = aside / "model"
        model.mkdir()
        folders, heard = _write_weights(plan, model, aside, cache, say, progress)
        say("checks")
        after, perplexity = check_after(plan, folders, model, texts or {})
        after = (*after, *(Check("mergekit", Level.WARN, line) for line in heard))
        _refuse(recipe, after, "The merge is not kept.")
        seconds = time.monotonic() - started
        report = MergeReport(recipe, model, before, after, perplexity, made_at, seconds)
        write_card(report, plan, model)
        _only(model, aside)
    return replace(report, out=out)


def _write_weights(
    plan: Plan, out: Path, aside: Path, cache: Path | None, say: Callable[[str], None], progress: bool
) -> tuple[dict[str, Path], list[str]]:
    """Write the merged model in ``out``; return the whole models it is made of, and what mergekit warned of."""
    recipe = plan.recipe
    if recipe.how.engine is Engine.PEFT:
        say(f"{recipe.method} of {len(plan.parents)} adapters")
        run_peft(plan, out)
        furnish(plan, out, None)
        return {one.name: one.folder.path for one in plan.all}, []
    folders = whole_models(plan, cache or aside / "parts", say)
    tokenizer = union_tokenizer(plan, folders, aside / "tokenizer") if plan.needs_union else None
    # Trimming ahead pays only where it is kept for another merge.
    trims = cache is not None and can_be_trimmed(plan)
    merged = trimmed_models(plan, folders, cache, say) if cache is not None and trims else folders
    say(f"{recipe.method} of {len(plan.parents)} models")
    heard = run_mergekit(recipe, merged, out, tokenizer=tokenizer, trimmed=trims, progress=progress)
    furnish(plan, out, tokenizer)
    return folders, heard


def _only(model: Path, aside: Path) -> None:
    """Leave the model alone in the folder that is about to appear."""
    for path in list(aside.iterdir()):
        if path != model:
            shutil.rmtree(path)
    for path in list(model.iterdir()):
        path.rename(aside / path.name)
    model.rmdir()


def _bytes_needed(plan: Plan) -> int:
    """Room for the model, and for each parent that is made whole first (in float32, at most twice its files)."""
    sizes = {one.name: sum(f.stat().st_size for f in weight_files(one.folder.path)) for one in plan.all}
    adapted = sum(2 * sizes[one.name] for one in plan.all if one.adapter and plan.recipe.how.engine is Engine.MERGEKIT)
    return max(sizes.values()) + adapted


def _refuse(recipe: Recipe, checks: Sequence[Check], remedy: str) -> None:
    failed = [check for check in checks if check.level is Level.FAIL]
    if failed:
        raise InputError(*(Problem(f"{recipe.name}, {check.name}", f"{check.reason}.", remedy) for check in failed))
