"""What the commands share: how arguments are laid out, and how problems are said."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.generators import Generation
    from rag.retrieval import Retrieval
    from rag.train_retriever import CohortFiles
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


def add_cohorts(parser: argparse.ArgumentParser) -> None:
    """Declare ``--documents``, ``--dictionary`` and ``--table``, once for each cohort, and ``--study``."""
    for name, metavar, about in (
        ("documents", "DOCS", "folder or file of documents"),
        ("dictionary", "DICT", "REDCap data dictionary (CSV)"),
        ("table", "TABLE", "the manual table: coded values, one row per patient"),
    ):
        parser.add_argument(f"--{name}", required=True, action="append", type=Path, metavar=metavar, help=about)
    parser.add_argument("--study", type=Path, metavar="YML", help="study file, when there is one cohort (optional)")


def cohorts(arguments: argparse.Namespace) -> tuple[CohortFiles, ...]:
    """What `add_cohorts` declares.

    Raises:
        InputError: documents, dictionaries and tables are not as many.
    """
    from rag.train_retriever import CohortFiles
    from schema.problem import InputError, Problem

    triples = (arguments.documents, arguments.dictionary, arguments.table)
    if len({len(given) for given in triples}) > 1:
        what = "are not given the same number of times."
        raise InputError(Problem("--documents, --dictionary, --table", what, "Give all three for each cohort."))
    return tuple(CohortFiles(*files, arguments.study) for files in zip(*triples, strict=True))


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


_MODEL = """\
A language model reads with `--generator llm` (or both: the rules read too). It is asked in French about each variable,
and a value is taken only when its quote stands in the documents and says it; the others go to review. Start its server
first: cohort-rag serve MODEL. Documents go to the address of --server and nowhere else."""


def add_generation(parser: argparse.ArgumentParser) -> None:
    """Declare ``--generator`` and the options of a language model."""
    group = parser.add_argument_group("who reads: the rules, a language model, or both", _MODEL)
    names = ("rules", "llm", "both")
    group.add_argument("--generator", choices=names, default="rules", help="what reads the values (rules)")
    about = "an OpenAI-compatible server (http://127.0.0.1:8000/v1)"
    group.add_argument("--server", metavar="URL", help=about)
    group.add_argument("--served", metavar="NAME", help="model or adapter of the server (the only one)")
    group.add_argument("--offline", type=Path, metavar="MODEL", help="folder of a model to read without a server")
    group.add_argument("--adapter", type=Path, metavar="FOLDER", help="adapter to put on the model of --offline")
    about = "full, brief (for small models), or a folder of your own templates (full)"
    group.add_argument("--prompt", metavar="STYLE", help=about)
    about = "passages of a question: those of all variables, of its own, or as many as the model can hold (auto)"
    group.add_argument("--context", choices=("auto", "patient", "variable"), help=about)
    group.add_argument("--group", type=positive, metavar="N", help="variables in one question (1)")
    group.add_argument(
        "--samples", type=positive, metavar="N", help="answers to each question; most of them decide (1)"
    )
    about = "how long the server may be away before patients are given up (600)"
    group.add_argument("--patience", type=seconds, metavar="SECONDS", help=about)
    taken = parser.add_argument_group("which values are sure enough for the table")
    about = "makes confidences probabilities (cohort-rag calibrate writes it)"
    taken.add_argument("--calibration", type=Path, metavar="FILE", help=about)
    about = "values of less confidence go to review, and their cells stay empty (0)"
    taken.add_argument("--above", type=share, default=0.0, metavar="P", help=about)


def generation(arguments: argparse.Namespace) -> Generation:
    """What `add_generation` declares.

    Raises:
        InputError: an option that the generator has no use for.
    """
    from generator.llm.settings import LlmSettings
    from rag.generators import Generation, GeneratorName, style_named
    from schema.problem import InputError, Problem

    name = GeneratorName(arguments.generator)
    of_server = ("--server", "--served", "--patience")
    of_model = ("--offline", "--adapter", "--prompt", "--context", "--group", "--samples")
    given = {option: getattr(arguments, option[2:]) for option in (*of_server, *of_model)}
    given = {option: value for option, value in given.items() if value is not None}
    unused, chosen, other = [], f"--generator {name.value}", "give --generator llm or both"
    if not name.asks_model:
        unused = list(given)
    elif arguments.offline is not None:
        unused, chosen, other = [option for option in of_server if option in given], "--offline", "serve the model"
    elif arguments.adapter is not None:
        unused, chosen, other = ["--adapter"], "a server", "give the name that it is served under to --served"
    if unused:
        raise InputError(Problem(chosen, f"has no use for {' and '.join(unused)}.", f"Leave it out, or {other}."))
    settings = {option[2:]: given[option] for option in ("--context", "--group", "--samples") if option in given}
    if "--prompt" in given:
        settings["style"] = style_named(given["--prompt"])
    of_run = {option[2:]: value for option, value in given.items() if option in (*of_server, "--offline", "--adapter")}
    return Generation(
        generator=name,
        settings=LlmSettings(**settings),
        calibration=arguments.calibration,
        above=arguments.above,
        **of_run,
    )


def share(text: str) -> float:
    """A number argument from 0 to 1."""
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError("give a number from 0 to 1")
    return number


def seconds(text: str) -> float:
    """A number argument of at least 0."""
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError("give a number of seconds, 0 or more")
    return number


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
