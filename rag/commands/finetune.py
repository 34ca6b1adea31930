"""`cohort-rag finetune`: teaches a language model from documents and their table alone."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rag.commands.console import (
    DONE,
    add_cohorts,
    add_retrieval,
    cohorts,
    command,
    positive,
    retrieval,
    say,
    say_problems,
    share,
)

if TYPE_CHECKING:
    from generator.train.lora import Progress
    from schema.problem import Problem

_FINETUNE = """\
examples:
  cohort-rag finetune --documents notes.jsonl --dictionary dictionary.csv --table manual.csv \\
      --base /srv/models/merged --out /srv/adapters/ours --retriever temporal
  cohort-rag finetune --documents notes.jsonl --dictionary dictionary.csv --table manual.csv \\
      --out taught --pairs-only

Learns from the table alone: nobody has to mark a passage. Each question is the one that `fill` will ask, so give the
same --retriever, --passages, --prompt and --context here and there. A value is taught only where the passages shown
tell it; cells that are empty, or whose passages do not tell them, are taught as not documented. --documents,
--dictionary and --table may be given again, in the same order, for further cohorts. Keep the patients that the model
will be measured on out of the table.

written in ADAPTER: the adapter, as PEFT and vLLM read it, manifest.json
written in ADAPTER.pairs: pairs.jsonl, examples.jsonl. They hold patients' text: never give them away with the adapter.
Then: cohort-rag serve MODEL --adapter NAME=ADAPTER. A training that was stopped goes on with --resume.
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command and its arguments."""
    about = "Teach a language model from documents and their table."
    parser = command(commands.add_parser, "finetune", about, _FINETUNE)
    add_cohorts(parser)
    parser.add_argument("--base", type=Path, metavar="MODEL", help="folder of the model to teach")
    parser.add_argument("--out", required=True, type=Path, metavar="ADAPTER", help="folder to write")
    parser.add_argument("--pairs-only", action="store_true", help="write what would be taught, and stop")
    add_retrieval(parser)
    asking = parser.add_argument_group("how it is asked, as fill will ask")
    about = "full, brief (for small models), or a folder of your own templates (full)"
    asking.add_argument("--prompt", default="full", metavar="STYLE", help=about)
    about = "passages of a question: those of all variables, of its own, or as many as the model can hold (auto)"
    asking.add_argument("--context", choices=("auto", "patient", "variable"), default="auto", help=about)
    learning = parser.add_argument_group("how it learns")
    learning.add_argument("--epochs", type=positive, default=3, help="passes over the pairs, at most (3)")
    learning.add_argument("--rank", type=positive, default=16, help="of the adapter's matrices (16)")
    learning.add_argument("--batch", type=positive, default=16, help="pairs of a step (16)")
    learning.add_argument("--learning-rate", type=float, default=2e-4, metavar="RATE", help="the highest (2e-4)")
    layers = ("all-linear", "attention")
    about = "what is adapted: every linear layer, or queries and values alone (all-linear)"
    learning.add_argument("--layers", choices=layers, default="all-linear", help=about)
    about = "share of the patients that say when to stop, from ten patients on (0.15)"
    learning.add_argument("--held-out", type=share, default=0.15, metavar="SHARE", help=about)
    learning.add_argument("--seed", type=int, default=0, help="decides everything left to chance (0)")
    parser.add_argument("--resume", action="store_true", help="go on with what --out holds")
    parser.add_argument("--quiet", action="store_true", help="no progress bar, no summary")
    parser.set_defaults(command=_finetune)


def _finetune(arguments: argparse.Namespace) -> int:
    from generator.llm.settings import Context, LlmSettings
    from generator.train.lora import LoraPlan
    from rag.finetune import FinetuneRequest, finetune
    from rag.generators import style_named
    from schema.problem import InputError, Problem

    read = cohorts(arguments)
    if arguments.study and len(arguments.documents) > 1:
        raise InputError(Problem("--study", "is for one cohort; several are given.", "Leave it out."))
    if arguments.base is None and not arguments.pairs_only:
        raise InputError(Problem("--base", "is missing.", "Give the folder of a model, or --pairs-only."))
    request = FinetuneRequest(
        cohorts=read,
        base=arguments.base,
        out=arguments.out,
        retrieval=retrieval(arguments),
        settings=LlmSettings(style=style_named(arguments.prompt), context=Context(arguments.context)),
        plan=LoraPlan(
            rank=arguments.rank,
            alpha=2 * arguments.rank,
            layers=arguments.layers,
            epochs=arguments.epochs,
            batch=arguments.batch,
            rate=arguments.learning_rate,
            seed=arguments.seed,
        ),
        held_out=arguments.held_out,
        resume=arguments.resume,
        pairs_only=arguments.pairs_only,
        progress=sys.stderr.isatty() and not arguments.quiet,
    )
    problems: list[Problem] = []
    bar = _Bar(request.progress)
    try:
        report = finetune(request, problems.append, bar.show if not arguments.quiet else lambda _: None)
    finally:
        bar.close()
    say_problems(problems)
    if not arguments.quiet:
        print("\n".join(report.summary()))
        print(f"pairs     {report.pairs}")
        if report.training:
            print(f"adapter   {report.training.out}")
    return DONE


class _Bar:
    """The steps on a terminal, and a line at the end of each epoch everywhere."""

    def __init__(self, is_shown: bool) -> None:
        from tqdm import tqdm

        self._bar = tqdm(desc="tuning", unit="step", disable=not is_shown, delay=1)

    def show(self, progress: Progress) -> None:
        """After a step."""
        self._bar.total = progress.steps
        self._bar.update(progress.step - self._bar.n)
        self._bar.set_postfix(loss=f"{progress.loss:.3f}", refresh=False)
        if progress.ends_epoch:
            held = "" if progress.held_out is None else f"; patients held out {progress.held_out:.4f}"
            self._bar.clear()
            say(f"epoch {progress.epoch}: last loss {progress.loss:.4f}{held}")

    def close(self) -> None:
        """No more steps."""
        self._bar.close()
