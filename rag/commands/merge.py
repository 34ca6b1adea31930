"""`cohort-rag merge`: make one model of several; check them before; search for the best recipe."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.commands.console import DONE, add_documents, add_retrieval, command, retrieval, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from merging.result import Check

_GROUP = "Make one model of several, by mergekit; search for the best recipe."

_RECIPES = """\
RECIPE is a YAML file, or the name of one that comes with the program (cohort-rag merge list). The folders that it names
are looked for in MODELS. Nothing is fetched: copy the models there first.
"""

_RUN = (
    """\
examples:
  cohort-rag merge run meditron-vigogne-7b --models /srv/models --out /srv/models/meditron-vigogne-7b
  cohort-rag merge run recipe.yml --models . --text french=notes.txt --text medicine=articles.txt --out merged

The models are checked before; the merge is checked after, and appears in DIR whole, or not at all.

written in DIR:
  the model, with configuration, tokenizer and chat template, as vLLM and Transformers read it
  README.md, manifest.json   what it is made of: recipe, hashes, licences, versions, checks
  recipe.yml                 the recipe, to make it again

"""
    + _RECIPES
)

_CHECK = (
    """\
example:
  cohort-rag merge check meditron-vigogne-7b --models /srv/models

Configurations, shapes and vocabularies are compared; no weight is read. Exit code 2 when the models cannot be merged.

"""
    + _RECIPES
)

_SEARCH = """\
examples:
  cohort-rag merge search meditron-vigogne-7b.search --models /srv/models --documents dev/ --table dev.csv \\
      --dictionary dictionary.csv --out search
  the same command with --resume goes on after a kill; nothing is judged twice

Each candidate is merged, served by vLLM, and fills the table of some patients; its score is the F1 of the filled cells.
The best go on to more patients. The parents and their greedy soup are judged too. Use patients that are kept for this:
the score of the winner flatters it on those it was chosen with.

written in DIR:
  best/                      the best model, with its recipe and its card
  report.md, front.png       every trial; score against cost
  trials.csv, trials.jsonl   the same as a table; the journal that --resume goes on from
  cache/                     parents made ready; may be removed at the end
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the commands and their arguments."""
    group = command(commands.add_parser, "merge", _GROUP)
    parts = group.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_run(parts)
    _add_check(parts)
    _add_search(parts)
    listed = command(parts.add_parser, "list", "List the methods, and the recipes that come with the program.")
    listed.set_defaults(command=_list)


def _add_run(parts: Any) -> None:
    parser = command(parts.add_parser, "run", "Merge models by a recipe.", _RUN)
    _add_recipe(parser)
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder of the merged model")
    about = "a text that the merge must foretell about as well as its parents; may be given several times"
    parser.add_argument("--text", action="append", default=[], type=_text, metavar="NAME=FILE", help=about)
    parser.add_argument("--quiet", action="store_true", help="no progress, no summary")
    parser.set_defaults(command=_run)


def _add_check(parts: Any) -> None:
    parser = command(parts.add_parser, "check", "Check whether the models of a recipe can be merged.", _CHECK)
    _add_recipe(parser)
    parser.set_defaults(command=_check)


def _add_search(parts: Any) -> None:
    parser = command(parts.add_parser, "search", "Search for the recipe whose model fills a table best.", _SEARCH)
    parser.add_argument("space", metavar="SPACE", help="YAML file of what to try, or the name of a shipped one")
    _add_models(parser)
    add_documents(parser)
    parser.add_argument("--dictionary", required=True, type=Path, metavar="DICT", help="REDCap data dictionary (CSV)")
    parser.add_argument("--table", required=True, type=Path, metavar="TABLE", help="their table, filled by hand")
    parser.add_argument("--study", type=Path, metavar="YML", help="study file that refines the dictionary (optional)")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder of the search")
    parser.add_argument("--resume", action="store_true", help="go on with the search in DIR")
    add_retrieval(parser)
    about = "prompt of the questions: full, brief (for small models), or a folder of your own templates (full)"
    parser.add_argument("--prompt", default="full", metavar="STYLE", help=about)
    parser.add_argument("--quiet", action="store_true", help="no progress, no summary")
    parser.set_defaults(command=_search)


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", metavar="RECIPE", help="YAML file, or the name of a shipped recipe")
    _add_models(parser)


def _add_models(parser: argparse.ArgumentParser) -> None:
    about = "folder in which the folders of the models are (the current one)"
    parser.add_argument("--models", type=Path, default=Path(), metavar="MODELS", help=about)


def _text(given: str) -> tuple[str, Path]:
    name, mark, path = given.partition("=")
    if not mark or not name or not path:
        raise argparse.ArgumentTypeError("give NAME=FILE")
    return name, Path(path)


def _run(arguments: argparse.Namespace) -> int:
    from merging.recipe import read_recipe
    from merging.run import merge
    from rag.merge_files import read_texts, shipped

    recipe = read_recipe(shipped(arguments.recipe))
    report = merge(
        recipe,
        arguments.out,
        arguments.models,
        texts=read_texts(arguments.text),
        say=(lambda line: None) if arguments.quiet else say,
        progress=sys.stderr.isatty() and not arguments.quiet,
    )
    if not arguments.quiet:
        _print_checks((*report.before, *report.after))
        print(f"model  {report.out}\ncard   {report.out / 'README.md'}")
    return DONE


def _check(arguments: argparse.Namespace) -> int:
    from merging.check import Level, check_before
    from merging.plan import make_plan
    from merging.recipe import read_recipe
    from rag.commands.console import IMPOSSIBLE
    from rag.merge_files import shipped

    checks = check_before(make_plan(read_recipe(shipped(arguments.recipe)), arguments.models))
    _print_checks(checks)
    return IMPOSSIBLE if any(check.level is Level.FAIL for check in checks) else DONE


def _search(arguments: argparse.Namespace) -> int:
    from generator.llm.settings import LlmSettings
    from merging.search import search
    from merging.space import read_space
    from rag.generators import style_named
    from rag.merge_files import shipped
    from rag.merge_search import TableJudge

    space = read_space(shipped(arguments.space))
    judge = TableJudge(
        documents=arguments.documents,
        dictionary=arguments.dictionary,
        table=arguments.table,
        work=arguments.out,
        study=arguments.study,
        retrieval=retrieval(arguments),
        settings=LlmSettings(style=style_named(arguments.prompt)),
    )
    judge.check(space.patients)
    quiet = arguments.quiet
    found = search(
        space,
        judge,
        arguments.out,
        arguments.models,
        resume=arguments.resume,
        say=(lambda line: None) if quiet else say,
    )
    if not quiet:
        patients, score = found.best.last
        print(f"best    {found.best.recipe.method}, F1 {score:.4f} on {patients} patients")
        print(f"model   {found.model}\nreport  {arguments.out / 'report.md'}")
    return DONE


def _list(arguments: argparse.Namespace) -> int:
    from merging.methods import METHODS
    from rag.merge_files import SHIPPED

    print("methods")
    for name, method in METHODS.items():
        numbers = ", ".join([*method.of_parents, *method.shared]) or "none"
        print(f"  {name:<17} {method.about} (numbers: {numbers}) [{method.paper}]")
    print("recipes, for run and check; those of search end in .search")
    for file in sorted(SHIPPED.glob("*.yml")):
        print(f"  {file.stem:<31} {file.read_text(encoding='utf-8').splitlines()[0].removeprefix('# ')}")
    return DONE


def _print_checks(checks: Sequence[Check]) -> None:
    for check in checks:
        print(check)
