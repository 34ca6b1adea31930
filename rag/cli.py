"""The command `cohort-rag`: one short function per command.

Exit codes: 0 done, 1 done in part (some patients failed) or broken, 2 nothing could go on.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rag.commands import (
    calibrate,
    deid,
    deidentify,
    finetune,
    merge,
    normalize,
    rehearsal,
    retriever,
    serve,
    synth,
    terminology,
)
from rag.commands.console import (
    DONE,
    IMPOSSIBLE,
    INTERRUPTED,
    PARTIAL,
    add_documents,
    add_generation,
    add_omop,
    add_retrieval,
    command,
    generation,
    positive,
    retrieval,
    say,
    say_problems,
)

if TYPE_CHECKING:
    from schema.problem import Problem

# Nothing heavy is imported here: each command imports what it needs, so that --help is instant.

#: Documents never leave the hospital: no hub, no telemetry, whatever a library would do by itself.
_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "ANONYMIZED_TELEMETRY": "False",
    "DO_NOT_TRACK": "1",
}

_DESCRIPTION = """\
Fill a research table from French hospital documents, with the source of every value.
Documents and a REDCap data dictionary go in; a table that REDCap imports comes out. Nothing leaves this machine."""

_EXAMPLES = """\
a first table, in three commands:
  cohort-rag fill --documents notes/ --dictionary dictionary.csv --out runs/first
  cohort-rag ask --documents notes/ --dictionary dictionary.csv --patient P01 --variable age
  cohort-rag evaluate --predictions runs/first/table.csv --gold manual.csv --dictionary dictionary.csv --out report

DOCS is a folder (patient/….txt .md .docx .pdf), or a .jsonl, .csv or .parquet file with the columns
patient_id, document_id, date, type, title, text, or an OMOP NOTE table.
"""

_FILL = """\
examples:
  cohort-rag fill --documents notes.jsonl --dictionary dictionary.csv --out runs/first --workers 2
  cohort-rag fill --documents notes.jsonl --dictionary dictionary.csv --out runs/first --resume
  cohort-rag fill --documents notes.jsonl --dictionary dictionary.csv --out runs/model --generator llm

written in RUN:
  table.csv, table.xlsx, table.parquet   one row per patient; an empty cell was not documented
  evidence.jsonl                         for every cell: status, confidence, quotes with their place in the document
  problems.csv, manifest.json            what was wrong with the input; what the run was made of
"""

_ASK = """\
examples:
  cohort-rag ask --documents notes/ --dictionary dictionary.csv --patient P01 --variable nihss_admission
  cohort-rag ask --documents notes/ --dictionary dictionary.csv --patient P01 "Le patient est-il diabétique ?"
"""

_EVALUATE = """\
example:
  cohort-rag evaluate --predictions runs/first/table.csv --gold manual.csv --dictionary dictionary.csv \\
      --evidence runs/first/evidence.jsonl --documents notes.jsonl --out report
"""

_CORPUS = """\
example:
  cohort-rag corpus build notes/ --out corpus.jsonl
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code. User errors are said in plain words, without a traceback."""
    os.environ.update(_OFFLINE)
    arguments = make_parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int] = arguments.command
    from schema.problem import InputError, describe_break

    try:
        return run(arguments)
    except InputError as error:
        say(*(f"error: {problem}" for problem in error.problems))
        return IMPOSSIBLE
    except KeyboardInterrupt:
        say("Interrupted. What was finished is kept.")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader left: nothing more to say
        return PARTIAL
    except OSError as error:
        remedy = "Check the path, that you may write there, and the room left on the disk."
        say(f"error: {error.filename or 'input or output'}: {error.strerror}. {remedy}")
        return IMPOSSIBLE
    except Exception as error:
        say(f"internal error: {describe_break(error)}. Please report this line.")
        return PARTIAL


def _fill(arguments: argparse.Namespace) -> int:
    from rag.omop import Format
    from rag.pipeline import FillRequest, Mode, fill

    reads = generation(arguments)
    mode = Mode.RESUME if arguments.resume else Mode.FRESH if arguments.fresh else Mode.NEW
    report = fill(
        FillRequest(
            documents=arguments.documents,
            dictionary=arguments.dictionary,
            out=arguments.out,
            study=arguments.study,
            deid_key=arguments.deid_key,
            omop=arguments.omop,
            omop_format=Format(arguments.omop_format),
            retrieval=retrieval(arguments),
            generation=reads,
            workers=arguments.workers or reads.processes,
            mode=mode,
            progress=sys.stderr.isatty() and not arguments.quiet,
        )
    )
    say_problems(report.problems, f"see {arguments.out / 'problems.csv'}")
    if arguments.study is None:
        _hint_at_study(arguments.dictionary)
    if not arguments.quiet:
        print("\n".join(report.summary()))
        print(f"table     {arguments.out / 'table.csv'}\nevidence  {arguments.out / 'evidence.jsonl'}")
    return PARTIAL if report.failed else DONE


def _ask(arguments: argparse.Namespace) -> int:
    from rag.answers import to_json, to_text
    from rag.ask import AskRequest, ask

    answer = ask(
        AskRequest(
            documents=arguments.documents,
            dictionary=arguments.dictionary,
            study=arguments.study,
            patient_id=arguments.patient,
            variable=arguments.variable,
            question=arguments.question,
            retrieval=retrieval(arguments),
            generation=generation(arguments),
        )
    )
    say_problems(answer.problems, "fill lists them")
    print(to_json(answer) if arguments.json else to_text(answer, colour=sys.stdout.isatty()))
    return DONE


def _evaluate(arguments: argparse.Namespace) -> int:
    from eval.evidence import EvidenceFile, read_evidence
    from eval.run import evaluate, format_summary
    from rag.corpus.read import read_documents
    from rag.redcap.dictionary import read_dictionary
    from rag.redcap.export import read_table

    dictionary = read_dictionary(arguments.dictionary)
    predictions, in_predictions = read_table(arguments.predictions, dictionary)
    gold, in_gold = read_table(arguments.gold, dictionary)
    problems = [*dictionary.problems, *in_predictions, *in_gold]
    evidence, gold_evidence = (
        read_evidence(path) if path else EvidenceFile((), ()) for path in (arguments.evidence, arguments.gold_evidence)
    )
    problems += [*evidence.problems, *gold_evidence.problems]
    texts: dict[tuple[str, str], str] = {}
    if arguments.documents:
        documents = read_documents(arguments.documents, problems.append)
        texts = {(document.patient_id, document.document_id): document.text for document in documents}
    say_problems(problems)
    report = evaluate(
        dictionary.variables,
        predictions,
        gold,
        arguments.out,
        evidence=evidence.rows if arguments.evidence else None,
        documents=(lambda patient, document: texts.get((patient, document))) if arguments.documents else None,
        gold_evidence=gold_evidence.rows or None,
    )
    print(format_summary(report))
    print(f"report    {arguments.out / 'report.html'}")
    return DONE


def _corpus_build(arguments: argparse.Namespace) -> int:
    from rag.corpus.build import build_document, write_corpus
    from rag.corpus.read import read_documents

    today = dt.datetime.now(dt.UTC).date()
    problems: list[Problem] = []
    raw = read_documents(arguments.source, problems.append)
    write_corpus((build_document(document, problems.append, today) for document in raw), arguments.out)
    say_problems(problems)
    print(f"corpus    {arguments.out}")
    return DONE


def _hint_at_study(dictionary: Path) -> None:
    """A bundled study is never applied without being asked for: its hints change the table."""
    import configs

    for folder in configs.__path__:
        for bundled in sorted(Path(folder).glob("studies/*/dictionary.csv")):
            study = bundled.with_name("study.yml")
            if study.is_file() and bundled.read_bytes() == dictionary.read_bytes():
                say(f"hint: this is the dictionary of a bundled study; --study {study} reads it with its hints.")


def make_parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    parser = command(argparse.ArgumentParser, "cohort-rag", _DESCRIPTION, _EXAMPLES)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    fill = command(commands.add_parser, "fill", "Fill the table of a cohort.", _FILL)
    _add_inputs(fill)
    fill.add_argument("--out", required=True, type=Path, metavar="RUN", help="folder of the run, made if missing")
    about_key = "key of de-identified documents: dates of the table are moved back"
    fill.add_argument("--deid-key", type=Path, metavar="KEY", help=about_key)
    add_omop(fill)
    add_retrieval(fill)
    add_generation(fill)
    about_workers = "processes that read patients (1; 4 with a server)"
    fill.add_argument("--workers", type=positive, metavar="N", help=about_workers)
    earlier = fill.add_mutually_exclusive_group()
    earlier.add_argument("--resume", action="store_true", help="go on with the interrupted run in RUN")
    earlier.add_argument("--fresh", action="store_true", help="start again in RUN, whatever it holds")
    fill.add_argument("--quiet", action="store_true", help="no progress bar, no summary")
    fill.set_defaults(command=_fill)

    ask = command(commands.add_parser, "ask", "Ask about one patient.", _ASK)
    _add_inputs(ask)
    ask.add_argument("--patient", required=True, metavar="ID", help="the patient's identifier in DOCS")
    asked = ask.add_mutually_exclusive_group(required=True)
    asked.add_argument("--variable", metavar="NAME", help="a variable of the dictionary")
    asked.add_argument("question", nargs="?", help="a question in French")
    add_retrieval(ask)
    add_generation(ask)
    ask.add_argument("--json", action="store_true", help="answer in JSON")
    ask.set_defaults(command=_ask)

    evaluate = command(commands.add_parser, "evaluate", "Measure a table against a manual one.", _EVALUATE)
    evaluate.add_argument("--predictions", required=True, type=Path, metavar="TABLE", help="table.csv of a run")
    evaluate.add_argument("--gold", required=True, type=Path, metavar="TABLE", help="the manual table")
    evaluate.add_argument("--dictionary", required=True, type=Path, metavar="DICT", help="REDCap data dictionary (CSV)")
    evaluate.add_argument("--evidence", type=Path, metavar="JSONL", help="evidence.jsonl of the run")
    evaluate.add_argument("--documents", type=Path, metavar="DOCS", help="the documents, to check the quotes")
    evaluate.add_argument("--gold-evidence", type=Path, metavar="JSONL", help="where the manual values are stated")
    evaluate.add_argument("--out", required=True, type=Path, metavar="REPORT", help="folder of the report")
    evaluate.set_defaults(command=_evaluate)

    deidentify.add(commands)
    deid.add(commands)
    normalize.add(commands)
    retriever.add(commands)
    terminology.add(commands)
    synth.add(commands)
    serve.add(commands)
    calibrate.add(commands)
    merge.add(commands)
    finetune.add(commands)
    rehearsal.add(commands)

    corpus = command(commands.add_parser, "corpus", "Prepare documents.", _CORPUS)
    parts = corpus.add_subparsers(title="commands", required=True, metavar="COMMAND")
    build = command(parts.add_parser, "build", "Read documents once into a .jsonl corpus.", _CORPUS)
    build.add_argument("source", type=Path, metavar="SRC", help="the documents, as for fill")
    build.add_argument("--out", required=True, type=Path, metavar="CORPUS", help="the .jsonl file to write")
    build.set_defaults(command=_corpus_build)
    return parser


def _add_inputs(parser: argparse.ArgumentParser) -> None:
    add_documents(parser)
    parser.add_argument("--dictionary", required=True, type=Path, metavar="DICT", help="REDCap data dictionary (CSV)")
    parser.add_argument("--study", type=Path, metavar="YML", help="study file that refines the dictionary (optional)")


if __name__ == "__main__":
    sys.exit(main())
