"""`cohort-rag rehearsal`: every step from a corpus to a measured table, on models made in minutes."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rag.commands.console import DONE, command, positive, say

if TYPE_CHECKING:
    from rag.rehearsal.run import RehearsalReport

_REHEARSAL = """\
example:
  cohort-rag rehearsal --out runs/rehearsal

Shows on this machine, before any real model is here, that each step works: fictitious cohorts, a small French Llama
made from nothing, two experts tuned from it by LoRA, their merges, each judged by the table that it fills through vLLM,
the best one served, the table of other patients filled and measured. 25 minutes on two processor cores. A
rehearsal that was stopped goes on with the same command.

written in DIR: cohorts/, models/, search/ (every merge), tables/ (every table, with its report), rehearsal.json
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command and its arguments."""
    about = "Rehearse everything, from a corpus to a merged model's table, on small models."
    parser = command(commands.add_parser, "rehearsal", about, _REHEARSAL)
    parser.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="folder of the rehearsal, made if missing"
    )
    about = "each step as short as it can be: to see that it works, not what it is worth"
    parser.add_argument("--quick", action="store_true", help=about)
    parser.add_argument("--workers", type=positive, default=2, metavar="N", help="processes that read patients (2)")
    parser.set_defaults(command=_rehearsal)


def _rehearsal(arguments: argparse.Namespace) -> int:
    from rag.rehearsal.plan import RehearsalPlan, quick
    from rag.rehearsal.run import rehearse

    started = time.monotonic()

    def tell(line: str) -> None:
        seconds = round(time.monotonic() - started)
        say(f"{seconds // 60:3}:{seconds % 60:02} {line}")

    report = rehearse(arguments.out, quick() if arguments.quick else RehearsalPlan(), tell, arguments.workers)
    print("\n".join(_table(report)))
    print(f"tables    {arguments.out / 'tables'}\nmerges    {arguments.out / 'search' / 'report.md'}")
    return DONE


def _table(report: RehearsalReport) -> list[str]:
    """Scores as a table: F1 of the filled cells, with its 95 % interval over patients."""
    lines = [f"{'model':<24} {'development F1':>15} {'test F1':>9} {'95 %':>14} {'precision':>10} {'recall':>8}"]
    for score in report.scores:
        development = "" if score.development is None else f"{score.development:.3f}"
        test = ["", "", "", ""]
        if score.test is not None:
            figures = score.test.overall
            f1, precision, recall = figures.f1, figures.precision, figures.recall
            interval = "" if f1.low is None or f1.high is None else f"{f1.low:.3f}-{f1.high:.3f}"
            test = [f"{f1.value or 0:.3f}", interval, f"{precision.value or 0:.3f}", f"{recall.value or 0:.3f}"]
        mark = "  <- chosen" if score.name == report.chosen else ""
        lines.append(f"{score.name:<24} {development:>15} {test[0]:>9} {test[1]:>14} {test[2]:>10} {test[3]:>8}{mark}")
    return lines
