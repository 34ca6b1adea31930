"""`cohort-rag retriever train`: the temporal retriever, from documents and their table alone."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.commands.console import DONE, add_cohorts, cohorts, command, positive, say, say_problems

if TYPE_CHECKING:
    from retriever.train import Progress
    from schema.problem import Problem

_TRAIN = """\
examples:
  cohort-rag retriever train --documents notes.jsonl --dictionary dictionary.csv --table manual.csv --out models/ours
  cohort-rag retriever train --documents notes.jsonl --dictionary dictionary.csv --table manual.csv --out models/ours \\
      --encoder models/camembert-bio-base --new

Learns where the values of a manual table are written, from the table alone: nobody has to mark a passage. A few
patients are enough to go on from the model that comes with the program; --new starts from nothing, as another
encoder must. --documents, --dictionary and --table may be given again, in the same order, for further cohorts.

written in MODEL, which evaluate and fill take as --model: weights, counts that a person can read (prior.json),
manifest.json. A training that was stopped goes on with --resume.
"""


def add_train(parts: Any) -> None:
    """Declare the command under the group `retriever`."""
    train = command(parts.add_parser, "train", "Train the temporal retriever on a manual table.", _TRAIN)
    add_cohorts(train)
    train.add_argument("--out", required=True, type=Path, metavar="MODEL", help="folder to write")
    about = "folder of a text encoder (the one that comes with the program)"
    train.add_argument("--encoder", type=Path, metavar="FOLDER", help=about)
    start = train.add_mutually_exclusive_group()
    start.add_argument("--start", type=Path, metavar="MODEL", help="model to go on from (the one that comes with it)")
    start.add_argument("--new", action="store_true", help="start from nothing")
    train.add_argument("--cell", default="gru", metavar="CELL", help="of a new model: gru, lstm, … (gru)")
    train.add_argument("--backward", action="store_true", help="a new model reads documents both ways: not incremental")
    about = "a new model without recurrence, gaps or kinds, to see what each is worth"
    train.add_argument("--without", nargs="+", default=[], choices=("recurrence", "gaps", "kinds"), help=about)
    train.add_argument("--epochs", type=positive, default=12, help="passes over the patients, at most (12)")
    train.add_argument("--rounds", type=int, default=0, help="of self-training (0)")
    train.add_argument("--learning-rate", type=float, metavar="RATE", help="the highest (2e-3 new, 1e-3 otherwise)")
    about = "share of the patients that say when to stop, from ten patients on (0.15)"
    train.add_argument("--held-out", type=float, default=0.15, metavar="SHARE", help=about)
    train.add_argument("--seed", type=int, default=0, help="decides everything left to chance (0)")
    train.add_argument("--resume", action="store_true", help="go on with the training that --out holds")
    train.set_defaults(command=_train)


def _train(arguments: argparse.Namespace) -> int:
    from rag.train_retriever import TrainRequest, train_retriever
    from retriever.embed import SentenceTransformerEncoder, shipped_encoder
    from retriever.model import TemporalModel
    from retriever.train import TrainingPlan, default_config

    read = cohorts(arguments)
    encoder = SentenceTransformerEncoder(arguments.encoder) if arguments.encoder else shipped_encoder()
    switches = {f"use_{name}": False for name in arguments.without}
    start = None if arguments.new else TemporalModel.load(arguments.start)
    problems: list[Problem] = []
    train_retriever(
        TrainRequest(
            cohorts=read,
            out=arguments.out,
            encoder=encoder,
            config=default_config(encoder.dimension, cell=arguments.cell, backward=arguments.backward, **switches),
            plan=TrainingPlan(
                epochs=arguments.epochs,
                rounds=arguments.rounds,
                rate=arguments.learning_rate or (1e-3 if start else 2e-3),
                seed=arguments.seed,
            ),
            start=start,
            held_out=arguments.held_out,
            resume=arguments.resume,
            progress=sys.stderr.isatty(),
        ),
        problems.append,
        _say,
    )
    say_problems(problems)
    print(f"model     {arguments.out}")
    return DONE


def _say(progress: Progress) -> None:
    held = "" if progress.held_out is None else f"; patients held out {progress.held_out:.4f}"
    say(f"round {progress.round}, epoch {progress.epoch}: loss {progress.loss:.4f}{held}")
