"""`cohort-rag normalize`: the concepts of documents, with their codes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from rag.commands.console import DONE, PARTIAL, add_documents, add_omop, command, positive, say_problems

_EXAMPLES = """\
examples:
  cohort-rag normalize --documents notes.jsonl --out concepts.jsonl --workers 2
  cohort-rag normalize --documents notes.jsonl --out concepts.jsonl --omop omop --omop-format parquet

written in CONCEPTS, one line per document:
  {"patient_id", "document_id", "date", "type", "title", "concepts": [{"start", "end", "fragments", "text",
   "concept_id", "label", "types", "codes", "negated", "hypothetical", "family", "history", "side", "score"}]}
positions are those of the text as given, in characters, end excluded. Without --terminology, the bundled stroke
terminology is used; "cohort-rag terminology build" makes another one.
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    make: Callable[..., argparse.ArgumentParser] = commands.add_parser
    parser = command(make, "normalize", "Find the medical concepts of documents, with their codes.", _EXAMPLES)
    add_documents(parser)
    parser.add_argument("--terminology", type=Path, metavar="T", help="dictionary of names (the bundled one)")
    parser.add_argument("--out", type=Path, required=True, metavar="CONCEPTS", help="the .jsonl file to write")
    add_omop(parser)
    parser.add_argument("--workers", type=positive, default=1, metavar="N", help="processes that read patients (1)")
    parser.add_argument("--resume", action="store_true", help="go on with an interrupted run")
    parser.add_argument("--quiet", action="store_true", help="no progress bar, no summary")
    parser.set_defaults(command=_normalize)


def _normalize(arguments: argparse.Namespace) -> int:
    from rag.normalize import NormalizeRequest, normalize
    from rag.omop import Format

    report = normalize(
        NormalizeRequest(
            documents=arguments.documents,
            out=arguments.out,
            terminology=arguments.terminology,
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
