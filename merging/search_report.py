"""What a search leaves to read: every trial as a table, a page, and the front of score against cost."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from merging.space import Space
from merging.trials import Kind, Trial

_COLOURS = {Kind.DRAWN: "#4477aa", Kind.SOUP: "#228833", Kind.PARENT: "#888888"}


def write_report(
    space: Space, trials: Sequence[Trial], best: Trial, judgements: Sequence[tuple[int, float]], out: Path
) -> None:
    """Write ``trials.csv``, ``report.md`` and ``front.png`` in ``out``.

    Args:
        judgements: patients and score of each, in the order of time.
    """
    _write_csv(space, trials, out / "trials.csv")
    (out / "report.md").write_text(_page(space, trials, best), encoding="utf-8")
    _plot(space, trials, best, judgements, out / "front.png")


def _write_csv(space: Space, trials: Sequence[Trial], path: Path) -> None:
    heads = ["trial", "kind", "method", "numbers", *(f"score_{n}" for n in space.patients), "seconds", "refused"]
    with path.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(heads)
        for trial in trials:
            scores = [f"{trial.scores[n]:.6f}" if n in trial.scores else "" for n in space.patients]
            told = (trial.id, trial.kind.value, trial.recipe.method, numbers_in_words(trial))
            rows.writerow([*told, *scores, f"{trial.seconds:.1f}", trial.refused])


def numbers_in_words(trial: Trial) -> str:
    """The numbers of a trial's recipe: "weight medical 0.3 french 0.7; density …"."""
    recipe = trial.recipe
    parts = []
    for name in recipe.how.of_parents:
        values = " ".join(f"{parent.name} {recipe.parent_values(parent)[name]:g}" for parent in recipe.parents)
        parts.append(f"{name} {values}")
    parts += [f"{name} {value:g}" for name, value in recipe.shared_values().items()]
    return "; ".join(parts)


def _page(space: Space, trials: Sequence[Trial], best: Trial) -> str:
    patients, score = best.last
    parents = [trial for trial in trials if trial.kind is Kind.PARENT and patients in trial.scores]
    lines = [
        f"# {space.name}\n",
        f"Best on {patients} patients: **{best.id}** ({best.recipe.method}), score {score:.4f}.",
        f"{numbers_in_words(best)}.\n",
    ]
    if best.kind is Kind.PARENT:
        lines.append("No merge is better than this parent: use it as it is, or widen the space.\n")
    elif parents:
        first = max(parents, key=lambda trial: trial.scores[patients])
        gain = score - first.scores[patients]
        lines.append(f"Best parent: {first.id}, {first.scores[patients]:.4f}; the merge is {gain:+.4f} above it.")
        lines.append("The score was used to choose, so it flatters: measure the winner on patients kept apart.\n")
    lines += [
        "![score against cost](front.png)\n",
        "| trial | kind | method | numbers | " + " | ".join(f"{n} patients" for n in space.patients) + " | seconds |",
        "| --- | --- | --- | --- | " + " | ".join("---" for _ in space.patients) + " | --- |",
    ]
    for trial in sorted(trials, key=lambda trial: trial.last, reverse=True):
        scores = [f"{trial.scores[n]:.4f}" if n in trial.scores else "" for n in space.patients]
        told = (trial.id, trial.kind.value, trial.recipe.method, trial.refused or numbers_in_words(trial))
        lines.append("| " + " | ".join([*told, *scores, f"{trial.seconds:.1f}"]).replace("\n", " ") + " |")
    return "\n".join(lines) + "\n"


def _plot(
    space: Space, trials: Sequence[Trial], best: Trial, judgements: Sequence[tuple[int, float]], path: Path
) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    rungs, front = figure.subplots(1, 2)
    for trial in trials:
        places = sorted(trial.scores)
        rungs.plot(places, [trial.scores[n] for n in places], "o-", color=_COLOURS[trial.kind], lw=1, ms=3)
    rungs.plot(*best.last, "*", color="#ee6677", ms=14, label=f"best: {best.recipe.method}")
    for kind, colour in _COLOURS.items():
        rungs.plot([], [], "o-", color=colour, label=kind.value)
    rungs.set(xlabel="patients judged on", ylabel="score", title="every trial", xticks=list(space.patients))
    rungs.legend(fontsize=8)
    for rung in space.patients:
        costs = [sum(n for n, _ in judgements[: place + 1]) for place in range(len(judgements))]
        reached = [
            max((score for n, score in judgements[: place + 1] if n == rung), default=float("nan"))
            for place in range(len(judgements))
        ]
        front.step(costs, reached, where="post", label=f"{rung} patients")
    front.set(xlabel="patients filled, in all", ylabel="score", title="best so far")
    front.legend(fontsize=8)
    figure.savefig(path, dpi=120)
