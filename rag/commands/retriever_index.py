"""`cohort-rag retriever index`: the vectors of a cohort, made once and kept."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from rag.commands.console import DONE, add_documents, command, say_problems

_ABOUT = "Keep the vectors of a cohort's passages, for fill --index and ask --index."

_EXAMPLES = """\
examples:
  cohort-rag retriever index --documents notes.jsonl --index index
  cohort-rag retriever index --documents notes.jsonl --index index --prune
  cohort-rag fill --documents notes.jsonl --dictionary dictionary.csv --retriever hybrid --index index --out runs/first

  kept by a Chroma server (chroma run --host 127.0.0.1 --path FOLDER), under a name:
  cohort-rag retriever index --documents notes.jsonl --index http://127.0.0.1:8000/stroke

Run it again when documents have come or changed: only those are encoded. A run that was stopped is gone on from in the
same way. The index holds vectors, identifiers, dates and types of documents, never their text.
"""


def add(parts: Any) -> None:
    """Declare the command."""
    parser = command(parts.add_parser, "index", _ABOUT, _EXAMPLES)
    add_documents(parser)
    about = "folder, or URL of a Chroma server, that keeps the vectors"
    parser.add_argument("--index", required=True, metavar="PLACE", help=about)
    about = "folder of a sentence encoder (the one that comes with the program)"
    parser.add_argument("--encoder", type=Path, metavar="FOLDER", help=about)
    parser.add_argument("--prune", action="store_true", help="forget documents that are not in DOCS (any more)")
    parser.add_argument("--rebuild", action="store_true", help="forget all it holds, and encode everything again")
    parser.add_argument("--quiet", action="store_true", help="no progress bar, no summary")
    parser.set_defaults(command=_index)


def _index(arguments: argparse.Namespace) -> int:
    from rag.index_cohort import IndexRequest, index_cohort

    report = index_cohort(
        IndexRequest(
            documents=arguments.documents,
            index=arguments.index,
            encoder=arguments.encoder,
            prune=arguments.prune,
            rebuild=arguments.rebuild,
            progress=sys.stderr.isatty() and not arguments.quiet,
        )
    )
    say_problems(report.problems)
    if not arguments.quiet:
        print(report.summary())
        print(f"index     {arguments.index}")
    return DONE
