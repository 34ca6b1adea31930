"""`cohort-rag deid synth` and `deid train`: make annotated texts, and train the tagger on them or on your own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.commands.console import DONE, command, positive, say, say_problems

if TYPE_CHECKING:
    from rag.deid.examples import Example
    from rag.deid.training import EpochReport
    from schema.problem import Problem

_SYNTH = """\
example:
  cohort-rag deid synth --documents 2000 --seed 7 --out made.jsonl

Every person, place and number is invented. A line: {"document_id", "text", "entities": [{"label", "start", "end"}]}.
"""

_TRAIN = """\
examples:
  cohort-rag deid train --train annotated/ --out models/ours
  cohort-rag deid train --train train.jsonl --dev dev.jsonl --encoder models/camembert-bio --out models/ours
  cohort-rag deid train --train spans.jsonl --documents notes.jsonl --out models/ours --resume

annotated texts: a BRAT folder, or JSON lines {"document_id", "text", "entities": [{"label", "start", "end"}]}; with
--documents, lines without "text" take it from there. Labels: NOM PRENOM DATE DATE_NAISSANCE ADRESSE ZIP VILLE TEL MAIL
IPP NDA SECU HOPITAL.

--encoder is the folder of any BERT, RoBERTa or CamemBERT model, or of a tagger already trained, which is then trained
further. Without it, a small new model is made, with its own tokenizer. A large encoder wants a graphics card, which is
used where there is one. A killed training goes on with --resume.

written in MODEL: the model of the best epoch, which deidentify loads, and manifest.json, what it was made of.
"""


def add(parts: Any) -> None:
    """Declare the commands under the group `deid`."""
    synth = command(parts.add_parser, "synth", "Write invented documents with their identifying spans.", _SYNTH)
    synth.add_argument("--documents", required=True, type=positive, metavar="N", help="how many")
    synth.add_argument("--seed", type=int, default=0, help="another seed gives other documents (default 0)")
    synth.add_argument("--out", required=True, type=Path, metavar="FILE", help="file to write (.jsonl)")
    synth.set_defaults(command=_synth)

    train = command(parts.add_parser, "train", "Train the tagger on annotated texts.", _TRAIN)
    train.add_argument("--train", required=True, type=Path, metavar="EXAMPLES", help="BRAT folder or .jsonl")
    held_out = "examples that choose the best epoch (default: a tenth of EXAMPLES)"
    train.add_argument("--dev", type=Path, metavar="EXAMPLES", help=held_out)
    train.add_argument("--documents", type=Path, metavar="DOCS", help="texts of examples that hold spans alone")
    train.add_argument("--encoder", type=Path, metavar="FOLDER", help="model to start from (default: a small new one)")
    train.add_argument("--out", required=True, type=Path, metavar="MODEL", help="folder to write")
    train.add_argument("--epochs", type=positive, default=10, help="passes over the examples, at most (default 10)")
    train.add_argument("--batch-size", type=positive, default=8, help="windows of text per step (default 8)")
    rate = "highest learning rate (default: 1e-3 for a new model, 5e-5 for one that exists)"
    train.add_argument("--learning-rate", type=float, metavar="RATE", help=rate)
    least = "least probability of a span that the model keeps: higher finds less and errs less (default 0.5)"
    train.add_argument("--threshold", type=float, default=0.5, metavar="P", help=least)
    train.add_argument("--seed", type=int, default=0, help="decides everything left to chance (default 0)")
    train.add_argument("--resume", action="store_true", help="go on with the training that --out holds")
    train.set_defaults(command=_train)


def _synth(arguments: argparse.Namespace) -> int:
    from rag.deid.examples import write_examples
    from rag.deid.synthetic.generate import generate

    count = write_examples(arguments.out, generate(arguments.documents, arguments.seed))
    print(f"documents {count}, in {arguments.out}")
    return DONE


def _train(arguments: argparse.Namespace) -> int:
    from rag.deid.examples import hold_out
    from rag.deid.training import TrainingPlan, train

    problems: list[Problem] = []
    examples = _read(arguments.train, arguments.documents, problems)
    if arguments.dev is None:
        examples, development = hold_out(examples, arguments.seed)
    else:
        development = _read(arguments.dev, arguments.documents, problems)
    say_problems(problems)
    plan = TrainingPlan(
        encoder=arguments.encoder,
        epochs=arguments.epochs,
        batch_size=arguments.batch_size,
        learning_rate=arguments.learning_rate,
        threshold=arguments.threshold,
        seed=arguments.seed,
    )
    say(f"{len(examples)} texts to learn from, {len(development)} to choose the best epoch")
    train(
        plan,
        examples,
        development,
        arguments.out,
        resume=arguments.resume,
        progress=sys.stderr.isatty(),
        on_epoch=_say_epoch,
    )
    print(f"model     {arguments.out}")
    return DONE


def _say_epoch(report: EpochReport) -> None:
    scores = f"precision {report.precision:.3f}, recall {report.recall:.3f}, F1 {report.f1:.3f}"
    say(f"epoch {report.epoch}: loss {report.loss:.4f}; entities of the development texts: {scores}")


def _read(path: Path, documents: Path | None, problems: list[Problem]) -> list[Example]:
    from rag.corpus.read import read_documents
    from rag.deid.examples import read_examples

    texts = {raw.document_id: raw.text for raw in read_documents(documents, problems.append)} if documents else None
    return list(read_examples(path, problems.append, texts))
