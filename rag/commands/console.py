"""What the commands share: how arguments are laid out, and how problems are said."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.retrieval import Retrieval
    from schema.problem import Problem

#: Exit codes: done, done in part (or broken), nothing could go on, stopped from the keyboard.
DONE, PARTIAL, IMPOSSIBLE, INTERRUPTED = 0, 1, 2, 130
_PROBLEMS_SHOWN = 20


def command(
    make: Callable[..., argparse.ArgumentParser], name: str, about: str, epilog: str = ""
) -> argparse.ArgumentParser:
    """Make the parser of one command: ``make`` is ``ArgumentParser`` or the ``add_parser`` of a group."""
    layout = argparse.RawDescriptionHelpFormatter
    named = {"prog": name} if make is argparse.ArgumentParser else {"name": name, "help": about}
    return make(**named, description=about, epilog=epilog, formatter_class=layout, allow_abbrev=False)


def add_documents(parser: argparse.ArgumentParser) -> None:
    """Declare ``--documents``."""
    parser.add_argument("--documents", required=True, type=Path, metavar="DOCS", help="folder or file of documents")


def add_omop(parser: argparse.ArgumentParser) -> None:
    """Declare ``--omop`` and ``--omop-format``."""
    parser.add_argument("--omop", type=Path, metavar="DIR", help="also write tables of OMOP CDM 5.4 in this folder")
    parser.add_argument("--omop-format", choices=("csv", "parquet"), default="csv", help="how they are written (csv)")


def add_retrieval(parser: argparse.ArgumentParser) -> None:
    """Declare what of a record is read; `retrieval` reads it."""
    group = parser.add_argument_group("what is read for a variable: the whole record, or the best passages")
    names = ("all", "bm25", "hybrid", "temporal")
    group.add_argument("--retriever", choices=names, default="all", help="what finds them (all: read everything)")
    group.add_argument("--passages", type=positive, default=10, metavar="K", help="passages per variable (10)")
    own = "the one that comes with the program"
    group.add_argument("--encoder", type=Path, metavar="FOLDER", help=f"encoder of passages ({own})")
    group.add_argument("--model", type=Path, metavar="FOLDER", help=f"model of the temporal retriever ({own})")
    about = "folder, or URL of a Chroma server, that keeps vectors for the next run (none)"
    group.add_argument("--index", metavar="PLACE", help=about)


def retrieval(arguments: argparse.Namespace) -> Retrieval:
    """What `add_retrieval` declares.

    Raises:
        InputError: an option that the retriever has no use for.
    """
    from rag.retrieval import Retrieval, RetrieverName
    from schema.problem import InputError, Problem

    name = RetrieverName(arguments.retriever)
    given = {
        "--encoder": arguments.encoder and not name.reads_vectors,
        "--index": arguments.index and not name.reads_vectors,
        "--model": arguments.model and name is not RetrieverName.TEMPORAL,
    }
    if unused := [option for option, is_unused in given.items() if is_unused]:
        what, remedy = f"has no use for {' and '.join(unused)}.", "Leave it out, or give another --retriever."
        raise InputError(Problem(f"--retriever {name.value}", what, remedy))
    return Retrieval(
        retriever=name,
        passages=arguments.passages,
        encoder=arguments.encoder,
        model=arguments.model,
        index=arguments.index,
    )


def positive(text: str) -> int:
    """An integer argument of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("give at least 1")
    return number


def say(*lines: str) -> None:
    """Write lines on stderr."""
    # An identifier may hold a line end or a terminal's control code: neither may pass for a line of ours.
    for line in lines:
        print("".join(c if c.isprintable() else repr(c)[1:-1] for c in line), file=sys.stderr)


def say_problems(problems: Sequence[Problem], rest: str = "") -> None:
    """Say all of them, what was lost first, or the first ones when ``rest`` tells where the others are said."""
    ordered = sorted(problems, key=lambda problem: not problem.lost)
    shown = ordered[:_PROBLEMS_SHOWN] if rest else ordered
    say(*(f"warning: {problem}" for problem in shown))
    if len(shown) < len(problems):
        say(f"… and {len(problems) - len(shown)} more: {rest}.")
