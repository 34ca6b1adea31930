"""`cohort-rag terminology`: make a dictionary of concepts, and see what it holds."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.commands import terminology_train
from rag.commands.console import DONE, command, say_problems

if TYPE_CHECKING:
    from rag.terminology.loaders.source import Source
    from rag.terminology.store import TerminologyInfo
    from schema.problem import Problem

_TERMINOLOGY = """\
A terminology is one file (stroke.terms): concepts with their names, types and codes. Without --terminology, the other
commands use the one that comes with the program: stroke, its risk factors, drugs, imaging and care, in French.
"""

_BUILD = """\
examples:
  cohort-rag terminology build --bundled --icd10 edsnlp --out stroke.terms
  cohort-rag terminology build --rf2 SnomedCT_France.zip SnomedCT_International.zip --languages fr --out snomed.terms
  cohort-rag terminology build --rrf 2025AB/META --languages fr,en --vocabularies MSHFRE,MDRFRE --out umls.terms
  cohort-rag terminology build --table local.csv --bundled --out ours.terms
  cohort-rag terminology build --brat annotated/EMEA annotated/MEDLINE --out annotated.terms

Sources may be combined. Their order is their precedence: where a name has several concepts, those of the first source
come first. The same concept identifier in two sources is one concept.

a table (CSV with a heading, or JSON lines) has a column of names and one of codes; the others are optional:
  term (libelle, label)          the name; synonyms: other names, separated by |
  code or concept_id             several rows may name one concept
  system                         SNOMEDCT, ICD10 (CIM10), ATC, UMLS or LOCAL: the vocabulary of the code
  snomed, icd10 (cim10), atc, cui     codes in several vocabularies at once
  language, semantic_type, preferred, rank, weight

The licences of SNOMED CT and of the UMLS are yours to hold: no release comes with this program, none is downloaded.
"""

_INFO = """\
example:
  cohort-rag terminology info stroke.terms
"""


def add(commands: Any) -> None:
    """Declare the commands."""
    group = command(commands.add_parser, "terminology", "Make and inspect dictionaries of concepts.", _TERMINOLOGY)
    parts = group.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_build(parts)
    _add_info(parts)
    terminology_train.add(parts)


def _add_build(parts: Any) -> None:
    build = command(parts.add_parser, "build", "Make a dictionary from vocabularies, tables and annotations.", _BUILD)
    sources = build.add_argument_group("sources, at least one")
    for flag, metavar, about in (
        ("--rf2", "RELEASE", "SNOMED CT: folders or zips of RF2 releases, an edition or a release and its extensions"),
        ("--rrf", "META", "UMLS: the folder that holds MRCONSO.RRF, or a zip of it"),
        ("--icd10", "FILE", "ICD-10: the ATIH's LIBCIM10MULTI.TXT, a table, or the word edsnlp for its French labels"),
        ("--table", "FILE", "tables of your own (below)"),
        ("--brat", "DIR", "annotated texts whose notes hold concept identifiers; names are weighed by their count"),
    ):
        sources.add_argument(flag, nargs="+", metavar=metavar, action=_InOrder, dest="sources", help=about)
    about = "the stroke terminology that comes with the program"
    sources.add_argument("--bundled", nargs=0, action=_InOrder, dest="sources", help=about)
    about = "names of general medicine with UMLS identifiers that come with the program; --brat adds them by itself"
    sources.add_argument("--general", nargs=0, action=_InOrder, dest="sources", help=about)
    about = "with --brat: the annotated names alone"
    build.add_argument("--no-general", action="store_true", help=about)
    about = "languages to keep, best first: a concept is shown by its name in the first it has (fr,en)"
    build.add_argument("--languages", type=_listed, default=["fr", "en"], metavar="LIST", help=about)
    about = "UMLS sources whose names are kept, by abbreviation (all)"
    build.add_argument("--vocabularies", type=_listed, default=[], metavar="LIST", help=about)
    build.add_argument("--version", default="", metavar="V", help="a name for this version (a hash of its content)")
    build.add_argument(
        "--out", required=True, type=Path, metavar="T", help="the file to write, replaced if there is one"
    )
    build.set_defaults(command=_build, parser=build)


def _add_info(parts: Any) -> None:
    info = command(parts.add_parser, "info", "Print what a dictionary holds.", _INFO)
    about = "a file that build wrote; the one that comes with the program when left out"
    info.add_argument("terminology", nargs="?", type=Path, metavar="T", help=about)
    info.set_defaults(command=_info)


class _InOrder(argparse.Action):
    """Keep (flag, values) in the order of the command line, which is the sources' precedence."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        given = getattr(namespace, self.dest) or []
        setattr(namespace, self.dest, [*given, (self.option_strings[0], list(values or ()))])


def _build(arguments: argparse.Namespace) -> int:
    from rag.terminology.build import build_terminology
    from rag.terminology.loaders.source import language_code

    if not arguments.sources:
        arguments.parser.error(
            "give at least one source: --rf2, --rrf, --icd10, --table, --brat, --bundled or --general"
        )
    languages = [language_code(language) for language in arguments.languages]
    sources = [
        source
        for flag, values in _completed(_annotations_together(arguments.sources), arguments.no_general)
        for source in _sources(flag, values, languages, arguments.vocabularies)
    ]
    problems: list[Problem] = []
    try:
        info = build_terminology(
            sources,
            arguments.out,
            problems.append,
            languages=languages,
            version=arguments.version,
            progress=sys.stderr.isatty(),
        )
    finally:
        say_problems(problems)  # they tell why a build gives nothing
    print("\n".join(_described(info)))
    print(f"terminology   {arguments.out}")
    return DONE


def _annotations_together(given: Sequence[tuple[str, Sequence[str]]]) -> list[tuple[str, Sequence[str]]]:
    """All annotated texts are learnt from at once: they are one source, where the first of them stands."""
    annotated = [value for flag, values in given if flag == "--brat" for value in values]
    first = next((place for place, (flag, _) in enumerate(given) if flag == "--brat"), None)
    return [
        (flag, annotated if place == first else values)
        for place, (flag, values) in enumerate(given)
        if flag != "--brat" or place == first
    ]


def _completed(given: list[tuple[str, Sequence[str]]], alone: bool) -> list[tuple[str, Sequence[str]]]:
    """Annotated texts name few concepts: the general names follow them, unless they are not wanted."""
    flags = {flag for flag, _ in given}
    return [*given, ("--general", ())] if "--brat" in flags and not alone and "--general" not in flags else given


def _sources(
    flag: str, values: Sequence[str], languages: Sequence[str], vocabularies: Sequence[str]
) -> Sequence[Source]:
    from rag.terminology.loaders.brat import BratSource
    from rag.terminology.loaders.bundled import DATA, BundledSource
    from rag.terminology.loaders.icd10 import EdsnlpIcd10Source, Icd10Source
    from rag.terminology.loaders.rf2 import Rf2Source
    from rag.terminology.loaders.rrf import RrfSource
    from rag.terminology.loaders.table import TableSource

    paths = [Path(value) for value in values]
    if flag == "--rf2":
        return [Rf2Source(paths, languages)]
    if flag == "--rrf":
        return [RrfSource(path, languages, vocabularies) for path in paths]
    if flag == "--icd10":
        return [EdsnlpIcd10Source() if value == "edsnlp" else Icd10Source(Path(value)) for value in values]
    if flag == "--table":
        return [TableSource(path, languages) for path in paths]
    if flag == "--brat":
        return [BratSource(paths)]
    if flag == "--general":
        return [TableSource(path, languages) for path in sorted((DATA / "general").glob("*.csv"))]
    return [BundledSource(DATA / "stroke")]


def _info(arguments: argparse.Namespace) -> int:
    from rag.terminology.bundled import open_terminology

    index = open_terminology(arguments.terminology, progress=sys.stderr.isatty())
    print("\n".join(_described(index.info)))
    index.close()
    return DONE


def _described(info: TerminologyInfo) -> list[str]:
    lines = [f"version       {info.version}", f"concepts      {info.concepts:,}", f"names         {info.terms:,}"]
    lines += [
        f"source        {source.name}{f', {source.version}' if source.version else ''}: {source.terms:,} names"
        for source in info.sources
    ]
    for title, counts in (("languages", info.languages), ("codes", info.systems), ("types", info.semantic_types)):
        shown = [f"{name or 'unknown'} {count:,}" for name, count in list(counts.items())[:15]]
        if len(counts) > len(shown):
            shown.append(f"and {len(counts) - len(shown)} more")
        lines.append(f"{title:13} {', '.join(shown) or 'none'}")
    return lines


def _listed(text: str) -> list[str]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise argparse.ArgumentTypeError("give at least one, separated by commas")
    return parts
