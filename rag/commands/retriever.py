"""`cohort-rag retriever`: measure how passages are found; the commands of the group that train what finds them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rag.commands import retriever_encoder, retriever_index, retriever_train
from rag.commands.console import DONE, add_documents, command, say_problems

_GROUP = "Measure how passages are found; train what finds them."

_EVALUATE = """\
examples:
  cohort-rag retriever evaluate --documents notes.jsonl --dictionary dictionary.csv \\
      --evidence evidence.jsonl --out report
  cohort-rag retriever evaluate --documents notes.jsonl --dictionary dictionary.csv \\
      --evidence evidence.jsonl --out report --methods hybrid+concepts bm25 recency

  learning from the table of some patients, asking about others, and the reverse:
  cohort-rag retriever evaluate --documents notes.jsonl --dictionary dictionary.csv --evidence evidence.jsonl \\
      --out report --table manual.csv --fit-patients 'A*' --test-patients 'B*' --crossed --ablations

EVIDENCE has one line per cell of the table whose place in the documents is known:
  {"patient_id", "variable", "kind": "plain|anaphoric|order", "evidence": [{"document_id", "quote"}]}

methods, the first of those given being compared with each other one:
  temporal                        documents read in the order of time; --model, or trained with --fit-patients
  temporal-shuffled               the same, dates dealt out at random among the patient's documents
  temporal-no-recurrence, temporal-no-gaps, temporal-no-kinds   made without one of its parts; --ablations
  hybrid+concepts, hybrid         words, vectors and concepts; words and vectors
  concepts, dense, bm25           each alone
  hybrid+concepts-spelling, hybrid-spelling, dense-spelling   with vectors of spelling, where there is a trained encoder
  bm25+prior                      BM25, and the kinds of document where the variable stands; learned from --table
  recency                         the latest document first

written in REPORT:
  report.md, report.json          figures with 95 % intervals, by kind of question and by variable; differences
  figures.csv, differences.csv    the same as tables
  questions.csv                   every question and method: the figures to do other statistics with
  recall.png, timeline.png        recall against k; what was found over the timeline of one patient
  ablations.png                   temporal models, whole and without their parts
  problems.csv                    what was wrong with the input
  models/                         temporal models that were trained, for --model
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the commands and their arguments."""
    group = command(commands.add_parser, "retriever", _GROUP)
    parts = group.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for declare in _COMMANDS:
        declare(parts)


def _add_evaluate(parts: Any) -> None:
    parser = command(parts.add_parser, "evaluate", "Measure retrieval where the evidence is known.", _EVALUATE)
    add_documents(parser)
    parser.add_argument("--dictionary", required=True, type=Path, metavar="DICT", help="REDCap data dictionary (CSV)")
    parser.add_argument("--evidence", required=True, type=Path, metavar="JSONL", help="where the values are written")
    parser.add_argument("--out", required=True, type=Path, metavar="REPORT", help="folder of the report")
    parser.add_argument("--study", type=Path, metavar="YML", help="study file that refines the dictionary (optional)")
    parser.add_argument("--table", type=Path, metavar="TABLE", help="a manual table to learn from: no place is needed")
    about = "learn from these patients alone (a pattern of identifiers, such as 'A*')"
    parser.add_argument("--fit-patients", metavar="PATTERN", help=about)
    parser.add_argument("--test-patients", metavar="PATTERN", help="ask about these patients alone (all the others)")
    parser.add_argument("--crossed", action="store_true", help="then the reverse, all questions being put together")
    about = "temporal model to measure, one, or with --crossed one for each group (the one that comes with the program)"
    parser.add_argument("--model", nargs="+", default=[], type=Path, metavar="MODEL", help=about)
    start = parser.add_mutually_exclusive_group()
    about = "model that training goes on from, with --fit-patients and no --model (the one that comes with it)"
    start.add_argument("--start", type=Path, metavar="MODEL", help=about)
    start.add_argument("--new", action="store_true", help="such a training starts from nothing")
    about = "also temporal models without recurrence, gaps and kinds (MODEL/ablations/no-…, or trained alike)"
    parser.add_argument("--ablations", action="store_true", help=about)
    parser.add_argument("--methods", nargs="+", default=[], metavar="NAME", help="methods to measure (all)")
    about = "folder of a sentence encoder (the one that comes with the program)"
    parser.add_argument("--encoder", type=Path, metavar="FOLDER", help=about)
    parser.add_argument("--patient", metavar="ID", help="patient of timeline.png (the one with most documents)")
    parser.add_argument("--quiet", action="store_true", help="no progress bar, no summary")
    parser.set_defaults(command=_evaluate)


def _evaluate(arguments: argparse.Namespace) -> int:
    from eval.retrieval_report import format_summary
    from rag.evaluate_retriever import evaluate_retriever, write_evaluation
    from rag.evaluation_plan import EvaluateRequest

    evaluation = evaluate_retriever(
        EvaluateRequest(
            documents=arguments.documents,
            dictionary=arguments.dictionary,
            evidence=arguments.evidence,
            study=arguments.study,
            methods=tuple(arguments.methods),
            table=arguments.table,
            fit_patients=arguments.fit_patients,
            test_patients=arguments.test_patients,
            crossed=arguments.crossed,
            out=arguments.out,
            models=tuple(arguments.model),
            start=arguments.start,
            new=arguments.new,
            ablations=arguments.ablations,
            encoder=arguments.encoder,
            patient=arguments.patient,
            progress=sys.stderr.isatty() and not arguments.quiet,
        )
    )
    report = write_evaluation(evaluation, arguments.out)
    say_problems(evaluation.problems, f"see {arguments.out / 'problems.csv'}")
    if not arguments.quiet:
        print(format_summary(report))
        print(f"report    {arguments.out / 'report.md'}")
    return DONE


#: The commands of the group, in the order of its help; each declares one.
_COMMANDS: tuple[Callable[[Any], None], ...] = (
    _add_evaluate,
    retriever_train.add_train,
    retriever_index.add,
    retriever_encoder.add,
)
