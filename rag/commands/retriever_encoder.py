"""`cohort-rag retriever encoder`: make a text encoder, or train one further on texts of your own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.commands.console import DONE, command, positive, say, say_problems

if TYPE_CHECKING:
    from rag.encoder_pairs import Lessons
    from retriever.pretrain.loop import Report
    from schema.problem import Problem

_ENCODER = """\
examples:
  cohort-rag retriever encoder --cohort made/a --cohort made/b --out models/first
  cohort-rag retriever encoder --encoder models/first --mask-steps 400 --mask-rate 1e-3 --pair-rate 1e-3 \\
      --cohort made/a --cohort made/b --out models/ours
  cohort-rag retriever encoder --encoder models/camembert-bio-base --cohort made/a --documents notes.jsonl \\
      --out models/camembert-bio-ours

--cohort is a folder with documents.jsonl, dictionary.csv and evidence.jsonl, as `synth` writes it; --documents holds
further documents, without evidence. The names of the terminology's concepts are learnt too.

--encoder is the folder of any BERT, RoBERTa or CamemBERT encoder, or of a sentence-transformers model, which is trained
further. Without it, a small new CamemBERT is made, with its own tokenizer. A large encoder wants a graphics card, which
is used where there is one. Masked words teach a new encoder little in a few hundred steps: begin with pairs, then go on
from that encoder, as above. A killed training goes on with --resume.

written in MODEL: the encoder of the best held-out figure, as sentence-transformers lays it out, and manifest.json, what
it was made of.
"""


def add(parts: Any) -> None:
    """Declare the command under the group `retriever`."""
    parser = command(parts.add_parser, "encoder", "Train the encoder that turns texts into vectors.", _ENCODER)
    add = parser.add_argument
    add("--cohort", action="append", default=[], type=Path, metavar="DIR", help="cohort with evidence (repeatable)")
    add("--documents", action="append", default=[], type=Path, metavar="DOCS", help="further documents (repeatable)")
    pairs = "pairs of your own: JSON lines with anchor and positive (repeatable)"
    add("--pairs", action="append", default=[], type=Path, metavar="JSONL", help=pairs)
    add("--terminology", type=Path, metavar="FILE", help="dictionary of concepts (default: the bundled one)")
    add("--encoder", type=Path, metavar="FOLDER", help="encoder to start from (default: a small new one)")
    add("--out", required=True, type=Path, metavar="MODEL", help="folder to write")
    add("--mask-steps", type=int, default=0, metavar="N", help="steps on masked words, before the pairs (default 0)")
    add("--pair-steps", type=positive, default=1500, metavar="N", help="steps on pairs, at most (default 1500)")
    rate = "highest learning rate of the {} (default: {} for a new encoder, {} for one that exists)"
    add("--mask-rate", type=float, metavar="RATE", help=rate.format("masked words", "1e-3", "5e-5"))
    add("--pair-rate", type=float, metavar="RATE", help=rate.format("pairs", "1.5e-3", "2e-5"))
    add("--seed", type=int, default=0, help="decides everything left to chance (default 0)")
    add("--resume", action="store_true", help="go on with the training that --out holds")
    parser.set_defaults(command=_encoder)


def _encoder(arguments: argparse.Namespace) -> int:
    from rag.train_encoder import EncoderRequest, run_training
    from retriever.pretrain.run import EncoderPlan

    problems: list[Problem] = []
    plan = EncoderPlan(
        encoder=arguments.encoder,
        mask_steps=arguments.mask_steps,
        pair_steps=arguments.pair_steps,
        mask_rate=arguments.mask_rate,
        pair_rate=arguments.pair_rate,
        seed=arguments.seed,
    )
    request = EncoderRequest(
        plan=plan,
        out=arguments.out,
        cohorts=arguments.cohort,
        documents=arguments.documents,
        pairs=arguments.pairs,
        terminology=arguments.terminology,
        resume=arguments.resume,
        progress=sys.stderr.isatty(),
    )
    run_training(request, problems.append, _say_lessons, _say_report)
    say_problems(problems)
    print(f"encoder   {arguments.out}")
    return DONE


def _say_lessons(made: Lessons) -> None:
    say(f"{len(made.texts)} texts and {len(made.pairs)} pairs to learn from, {len(made.held_out)} pairs held out")


def _say_report(report: Report) -> None:
    figure = "held-out loss" if report.training == "masks" else "held-out pairs found"
    say(f"{report.training}, step {report.step}: loss {report.loss:.3f}, {figure} {abs(report.score):.3f}")
