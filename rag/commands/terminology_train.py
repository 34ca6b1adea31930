"""`cohort-rag terminology train` and `terminology find`: the re-ranker, and the concepts nearest to a text."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.commands.console import DONE, command, positive, say, say_problems

if TYPE_CHECKING:
    from rag.terminology.rerank_training import RerankEpoch
    from schema.problem import Problem

_TRAIN = """\
examples:
  cohort-rag terminology train --brat annotated/ --terminology ours.terms --encoder models/camembert --out models/rank
  cohort-rag terminology train --brat annotated/ --terminology ours.terms --encoder models/camembert \\
      --out models/rank --resume

Learns to choose between the ten concepts that are nearest to a mention, from texts whose annotations name the right one
(BRAT, identifiers in the notes). --encoder is the folder of any BERT, RoBERTa or CamemBERT model. A large one wants a
graphics card, which is used where there is one. One document in ten chooses the best epoch.

written in MODEL: the model of the best epoch, which normalize and find take as --reranker, and manifest.json.
"""

_FIND = """\
example:
  cohort-rag terminology find "fibrilation atrialle" --terminology ours.terms --encoder models/sapbert

Prints the concepts whose names are nearest, best first: score, identifier, label, codes.
"""


def add(parts: Any) -> None:
    """Declare the commands under the group `terminology`."""
    train = command(parts.add_parser, "train", "Train a re-ranker of concepts on annotated texts.", _TRAIN)
    train.add_argument("--brat", required=True, nargs="+", type=Path, metavar="DIR", help="annotated texts")
    train.add_argument("--terminology", required=True, type=Path, metavar="T", help="the dictionary of their concepts")
    train.add_argument("--encoder", required=True, type=Path, metavar="FOLDER", help="model to start from")
    train.add_argument("--out", required=True, type=Path, metavar="MODEL", help="folder to write")
    train.add_argument("--epochs", type=positive, default=3, help="passes over the mentions (default 3)")
    train.add_argument("--batch-size", type=positive, default=8, help="mentions per step (default 8)")
    train.add_argument("--learning-rate", type=float, default=3e-5, metavar="RATE", help="the highest (default 3e-5)")
    train.add_argument("--seed", type=int, default=0, help="decides everything left to chance (default 0)")
    train.add_argument("--resume", action="store_true", help="go on with the training that --out holds")
    train.set_defaults(command=_train)

    find = command(parts.add_parser, "find", "Print the concepts whose names are nearest to a text.", _FIND)
    find.add_argument("text", nargs="+", help="a name, as somebody wrote it")
    find.add_argument("--terminology", type=Path, metavar="T", help="the dictionary (the bundled one)")
    find.add_argument(
        "--encoder", type=Path, metavar="FOLDER", help="also compare meanings, with this encoder of names"
    )
    find.add_argument("--reranker", type=Path, metavar="MODEL", help="order them with a model that train wrote")
    find.add_argument("--limit", type=positive, default=10, metavar="N", help="how many (default 10)")
    find.set_defaults(command=_find)


def _train(arguments: argparse.Namespace) -> int:
    from rag.brat import read_brat
    from rag.terminology.index import StoredIndex
    from rag.terminology.rerank_training import RerankPlan, choices, hold_out, train_reranker

    problems: list[Problem] = []
    documents = [document for folder in arguments.brat for document in read_brat(folder, problems.append)]
    say_problems(problems)
    index = StoredIndex.open(arguments.terminology, progress=sys.stderr.isatty())
    to_learn, held_out = hold_out(documents, arguments.seed)
    examples, development = choices(to_learn, index), choices(held_out, index)
    say(f"{len(examples)} mentions to learn from, {len(development)} to choose the best epoch")
    plan = RerankPlan(
        encoder=arguments.encoder,
        epochs=arguments.epochs,
        batch_size=arguments.batch_size,
        learning_rate=arguments.learning_rate,
        seed=arguments.seed,
    )
    train_reranker(
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


def _say_epoch(report: RerankEpoch) -> None:
    say(f"epoch {report.epoch}: loss {report.loss:.4f}; first of its ten is right: {report.accuracy:.3f}")


def _find(arguments: argparse.Namespace) -> int:
    from rag.terminology.bundled import open_terminology
    from rag.terminology.linker import load_reranker
    from rag.terminology.linking import ConceptLinker

    encoder = None
    if arguments.encoder is not None:
        from retriever.embed import SentenceTransformerEncoder

        encoder = SentenceTransformerEncoder(arguments.encoder)
    index = open_terminology(arguments.terminology, progress=sys.stderr.isatty())
    linker = ConceptLinker(index, encoder, load_reranker(arguments.reranker))
    for text in arguments.text:
        for link in linker.link(text, limit=arguments.limit):
            codes = ", ".join(f"{code.system} {code.code}" for code in link.concept.codes)
            print(f"{link.score:.3f}  {link.concept.concept_id}  {link.concept.label}{f'  ({codes})' if codes else ''}")
    return DONE
