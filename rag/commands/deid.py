"""The commands `cohort-rag deid …`: measure a de-identification; train its tagger (`rag.commands.deid_train`)."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rag.commands import deid_train
from rag.commands.console import DONE, command, say_problems
from schema.phi import PhiLabel
from schema.problem import InputError, Problem

if TYPE_CHECKING:
    from eval.deid import AnnotatedDocument
    from eval.deid_spans import DocumentKey

_GROUP = "Measure a de-identification against annotated documents; train its tagger on them."

_EVALUATE = """\
examples:
  cohort-rag deid evaluate --predictions spans.jsonl --gold manual.jsonl --documents notes.jsonl --out report
  cohort-rag deid evaluate --predictions spans.jsonl --gold manual.jsonl --documents notes.jsonl --out report \\
      --ignore DATE

  an annotated corpus in BRAT's or i2b2-2014's format, which holds its own texts:
  cohort-rag deid texts --gold brat annotated/ --out notes.jsonl
  cohort-rag deidentify --documents notes.jsonl --out masked.jsonl --spans spans.jsonl
  cohort-rag deid evaluate --predictions spans.jsonl --gold brat annotated/ --out report

written in REPORT:
  report.html     leaks and false alarms in their sentences: it shows patients' names in clear (mode 0600)
  errors.csv      the same, one row each (mode 0600)
  metrics.csv, documents.csv   figures by label with intervals; counts by document
"""

_TEXTS = """\
example:
  cohort-rag deid texts --gold i2b2 testing-PHI-Gold-fixed/ --out notes.jsonl
"""

_GOLD = "spans.jsonl, or: brat DIR (.txt + .ann), or: i2b2 DIR (.xml of i2b2-2014)"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the commands and their arguments."""
    group = command(commands.add_parser, "deid", _GROUP)
    parts = group.add_subparsers(title="commands", required=True, metavar="COMMAND")
    evaluate = command(parts.add_parser, "evaluate", "Compare predicted spans with those marked by hand.", _EVALUATE)
    evaluate.add_argument(
        "--predictions", required=True, type=Path, metavar="SPANS", help="what deidentify wrote with --spans"
    )
    evaluate.add_argument("--gold", required=True, nargs="+", metavar="GOLD", help=f"spans by hand: {_GOLD}")
    evaluate.add_argument("--documents", type=Path, metavar="DOCS", help="the original documents, for a spans.jsonl")
    evaluate.add_argument("--out", required=True, type=Path, metavar="REPORT", help="folder to write")
    evaluate.add_argument(
        "--ignore",
        action="append",
        default=[],
        choices=[label.value for label in PhiLabel],
        metavar="LABEL",
        help="a label that the annotators did not mark; can be repeated",
    )
    terms = "medical terms that must stay readable, one a line (default: French eponyms and scales)"
    evaluate.add_argument("--terms", type=Path, metavar="FILE", help=terms)
    evaluate.set_defaults(command=_evaluate)
    texts = command(parts.add_parser, "texts", "Write the texts of an annotated corpus as documents.", _TEXTS)
    texts.add_argument("--gold", required=True, nargs=2, metavar=("FORMAT", "DIR"), help="brat DIR, or i2b2 DIR")
    texts.add_argument("--out", required=True, type=Path, metavar="DOCS", help="file to write (.jsonl)")
    texts.set_defaults(command=_texts)
    deid_train.add(parts)


def _evaluate(arguments: argparse.Namespace) -> int:
    from dataclasses import replace

    from eval.deid import measure, score
    from eval.deid_report import format_summary, write_report
    from eval.deid_spans import read_spans
    from eval.i2b2 import as_i2b2
    from eval.medical_terms import read_medical_terms

    problems: list[Problem] = []
    with _with_earlier(problems):
        terms = read_medical_terms(arguments.terms)
        gold, texts = _gold(arguments.gold, arguments.documents, problems.append)
        predicted = read_spans(arguments.predictions, texts, problems.append)
    say_problems(problems)
    ignored = [PhiLabel(label) for label in dict.fromkeys(arguments.ignore)]
    scored = []
    for document in gold:
        spans = predicted.get((document.patient_id, document.document_id), ())
        found = as_i2b2(spans, document.text) if arguments.gold[0] == "i2b2" else spans
        scored.append(score(replace(document, predicted=found), ignored, terms))
    silent = sum((document.patient_id, document.document_id) not in predicted for document in gold)
    remarks = [f"documents without a row of predictions, counted as if nothing was found: {silent}"] if silent else []
    figures = measure(scored, ignored)
    write_report(figures, scored, arguments.out, [*remarks, *map(str, problems)])
    print("\n".join([format_summary(figures), *(f"  note: {remark}" for remark in remarks)]))
    print(f"report    {arguments.out / 'report.html'}")
    return DONE


def _texts(arguments: argparse.Namespace) -> int:
    problems: list[Problem] = []
    with _with_earlier(problems):
        gold, _ = _gold(arguments.gold, None, problems.append)
    with arguments.out.open("w", encoding="utf-8", newline="\n") as file:
        for document in gold:
            row = {"patient_id": document.patient_id, "document_id": document.document_id, "text": document.text}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    say_problems(problems)
    print(f"documents {arguments.out}")
    return DONE


@contextmanager
def _with_earlier(problems: list[Problem]) -> Iterator[None]:
    """When nothing can go on, say what was found on the way too: it may be the reason."""
    try:
        yield
    except InputError as error:
        raise InputError(*dict.fromkeys([*problems, *error.problems])) from error


def _gold(
    source: list[str], documents: Path | None, on_problem: Callable[[Problem], None]
) -> tuple[list[AnnotatedDocument], dict[DocumentKey, str]]:
    """The annotated documents, without predictions; and the texts that predictions may be of."""
    match source:
        case ["brat", folder]:
            gold = list(_brat(Path(folder), on_problem))
        case ["i2b2", folder]:
            gold = list(_i2b2(Path(folder), on_problem))
        case [spans] if documents is not None:
            return _json_lines(Path(spans), documents, on_problem)
        case [_]:
            what = "is not given, and spans.jsonl holds no text."
            raise InputError(Problem("--documents", what, "Give the original documents, as deidentify had them."))
        case _:
            raise InputError(Problem("--gold", f"'{' '.join(source)}' is not understood.", f"Give {_GOLD}."))
    if not gold:
        raise InputError(Problem(source[1], "holds no usable document.", "Mend the files named before."))
    return gold, {(document.patient_id, document.document_id): document.text for document in gold}


def _json_lines(
    spans: Path, source: Path, on_problem: Callable[[Problem], None]
) -> tuple[list[AnnotatedDocument], dict[DocumentKey, str]]:
    """Documents without a row of spans were not annotated."""
    from eval.deid import AnnotatedDocument
    from eval.deid_spans import read_spans
    from rag.corpus.read import read_documents

    texts = {(raw.patient_id, raw.document_id): raw.text for raw in read_documents(source, on_problem)}
    gold = read_spans(spans, texts, on_problem)
    return [AnnotatedDocument(*key, texts[key], entities, ()) for key, entities in gold.items()], texts


def _brat(folder: Path, on_problem: Callable[[Problem], None]) -> Iterator[AnnotatedDocument]:
    """A sub-folder is a patient; a file outside any is a patient of its own."""
    from eval.deid import AnnotatedDocument
    from rag.deid.examples import read_examples

    if not folder.is_dir():
        raise InputError(Problem(str(folder), "is not a folder.", "Give a folder of BRAT files."))
    for example in read_examples(folder, on_problem):
        patient_id = example.document_id.split("/")[0]
        yield AnnotatedDocument(patient_id, example.document_id, example.text, example.entities, ())


def _i2b2(folder: Path, on_problem: Callable[[Problem], None]) -> Iterator[AnnotatedDocument]:
    from eval.deid import AnnotatedDocument
    from eval.i2b2 import read_i2b2

    for record in read_i2b2(folder, on_problem):
        yield AnnotatedDocument(
            record.patient_id, record.document_id, record.text, record.entities, (), neutral=record.neutral
        )
