"""`cohort-rag normalize`: the concepts of documents, with their codes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rag.commands.console import DONE, PARTIAL, add_omop, command, positive, say_problems

_EXAMPLES = """\
examples:
  cohort-rag normalize --documents notes.jsonl --out concepts.jsonl --workers 2
  cohort-rag normalize --documents notes.jsonl --out concepts.jsonl --omop omop --omop-format parquet

  against annotated texts (BRAT: name.txt beside name.ann, with concept identifiers in the notes):
  cohort-rag normalize --evaluate brat annotated/ --terminology annotated.terms --out report

written in CONCEPTS, one line per document:
  {"patient_id", "document_id", "date", "type", "title", "concepts": [{"start", "end", "fragments", "text",
   "concept_id", "label", "types", "codes", "negated", "hypothetical", "family", "history", "side", "score"}]}
positions are those of the text as given, in characters, end excluded. Without --terminology, the bundled stroke
terminology is used; "cohort-rag terminology build" makes another one.

With --evaluate, figures are printed for each folder; --out is then a folder, not needed, for metrics.csv and for
errors.csv, which quotes the texts.
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    make: Callable[..., argparse.ArgumentParser] = commands.add_parser
    parser = command(make, "normalize", "Find the medical concepts of documents, with their codes.", _EXAMPLES)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--documents", type=Path, metavar="DOCS", help="folder or file of documents")
    source.add_argument(
        "--evaluate", nargs="+", metavar=("brat", "DIR"), help="measure on annotated texts: brat, then folders"
    )
    parser.add_argument("--terminology", type=Path, metavar="T", help="dictionary of names (the bundled one)")
    about = "model of terminology train, which chooses between the concepts of a name"
    parser.add_argument("--reranker", type=Path, metavar="MODEL", help=about)
    parser.add_argument("--out", type=Path, metavar="CONCEPTS", help="the .jsonl file to write")
    add_omop(parser)
    parser.add_argument("--workers", type=positive, default=1, metavar="N", help="processes that read patients (1)")
    parser.add_argument("--resume", action="store_true", help="go on with an interrupted run")
    parser.add_argument("--quiet", action="store_true", help="no progress bar, no summary")
    parser.set_defaults(command=_evaluate_or_normalize)


def _evaluate_or_normalize(arguments: argparse.Namespace) -> int:
    from schema.problem import InputError, Problem

    if arguments.evaluate:
        layout, *folders = arguments.evaluate
        if layout != "brat" or not folders:
            what = f"reads {layout!r}, which is no layout of annotations." if layout != "brat" else "names no folder."
            raise InputError(Problem("--evaluate", what, "Give: --evaluate brat DIR…"))
        return _evaluate(arguments, [Path(folder) for folder in folders])
    if arguments.out is None:
        raise InputError(Problem("--out", "is missing.", "Give the .jsonl file to write."))
    return _normalize(arguments)


def _evaluate(arguments: argparse.Namespace, folders: Sequence[Path]) -> int:
    from eval.normalization_report import format_report, write_errors, write_metrics
    from rag.normalize_evaluation import evaluate_brat
    from schema.problem import Problem

    progress = sys.stderr.isatty() and not arguments.quiet
    for folder in folders:
        problems: list[Problem] = []
        report = evaluate_brat(
            folder, arguments.terminology, problems.append, reranker=arguments.reranker, progress=progress
        )
        say_problems(problems)
        print(f"{folder}\n{format_report(report)}")
        if arguments.out is not None:
            out = arguments.out if len(folders) == 1 else arguments.out / folder.resolve().name
            out.mkdir(parents=True, exist_ok=True)
            write_metrics(report, out / "metrics.csv")
            write_errors(report, out / "errors.csv")
            print(f"report    {out}")
    return DONE


def _normalize(arguments: argparse.Namespace) -> int:
    from rag.normalize import NormalizeRequest, normalize
    from rag.omop import Format

    report = normalize(
        NormalizeRequest(
            documents=arguments.documents,
            out=arguments.out,
            terminology=arguments.terminology,
            reranker=arguments.reranker,
            omop=arguments.omop,
            omop_format=Format(arguments.omop_format),
            workers=arguments.workers,
            resume=arguments.resume,
            progress=sys.stderr.isatty() and not arguments.quiet,
        )
    )
    say_problems(report.problems)
    if not arguments.quiet:
        print("\n".join(report.summary()))
        print(f"concepts  {arguments.out}")
        if arguments.omop:
            print(f"omop      {arguments.omop}")
    return PARTIAL if report.failed else DONE
