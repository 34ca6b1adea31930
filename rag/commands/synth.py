"""`cohort-rag synth`: a fictitious cohort, with its table and the evidence of each cell."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path

from rag.commands.console import DONE, command, positive

_EXAMPLES = """\
examples:
  cohort-rag synth --out runs/synth
  cohort-rag synth --out runs/long --patients 10 --documents 60-120 --anaphora 0.5 --seed 7
  cohort-rag synth --out runs/other --vocabulary B --style telegraphic --noise 0.4

written in DIR:
  documents.jsonl   patient_id, document_id, date, type, title, text
  dictionary.csv    data dictionary as REDCap exports it
  table.csv         one row per patient; an empty cell is told by no document
  evidence.jsonl    the quotes of each cell, and its kind: plain, anaphoric (told by reference), order (only the
                    order of events tells which of several values answers)
  manifest.json     settings and counts
The same settings give the same bytes.
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    make: Callable[..., argparse.ArgumentParser] = commands.add_parser
    parser = command(make, "synth", "Write a fictitious cohort with its table and evidence.", _EXAMPLES)
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder to write, made if missing")
    parser.add_argument("--patients", type=positive, default=20, metavar="N", help="patients (20)")
    about = "documents of a patient, 5 to 200: a number, or a range such as 60-120 (8)"
    parser.add_argument("--documents", type=_range, default=(8, 8), metavar="N", help=about)
    styles = ["mixed", "letters", "telegraphic", "forms", "dictated"]
    parser.add_argument("--style", choices=styles, default="mixed", help="voices of the hospitals (mixed)")
    for name, default, what in (
        ("noise", 0.1, "slips: lost accents, typos, scanning, capitals"),
        ("anaphora", 0.2, "values told by reference to an earlier document"),
        ("contradictions", 0.1, "documents that recall a value wrongly"),
        ("missingness", 0.1, "values that no document tells"),
    ):
        parser.add_argument(f"--{name}", type=_share, default=default, metavar="0..1", help=f"{what} ({default})")
    about = "further subjects that a patient's documents tell of, 0 to 60; the dictionary asks about more (20)"
    parser.add_argument("--extras", type=_count, default=20, metavar="N", help=about)
    parser.add_argument(
        "--vocabulary", default="A", metavar="NAME", help="wording of the dictionary: A, or any other name"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="everything random follows from it (0)")
    parser.add_argument("--quiet", action="store_true", help="no progress bar, no summary")
    parser.set_defaults(command=_synth)


def _synth(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm

    from rag.synth.config import SynthConfig
    from rag.synth.export import write_cohort

    config = SynthConfig.model_validate({name: getattr(arguments, name) for name in SynthConfig.model_fields})
    hidden = arguments.quiet or not sys.stderr.isatty()
    with tqdm(total=config.patients, unit="patient", disable=hidden) as bar:
        counts = write_cohort(config, arguments.out, bar.update)
    if not arguments.quiet:
        told = ", ".join(f"{counts.get(kind, 0)} {kind}" for kind in ("plain", "anaphoric", "order"))
        print(f"{counts['patients']} patients, {counts['documents']} documents, {counts['cells']} cells: {told}")
        print(f"cohort    {arguments.out}")
    return DONE


def _range(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,3})(?:-(\d{1,3}))?", text)
    low, high = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 5 <= low <= high <= 200:
        raise argparse.ArgumentTypeError(f"{text!r}: give a number from 5 to 200, or a range such as 60-120")
    return low, high


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) > 60:
        raise argparse.ArgumentTypeError(f"{text!r}: give a number from 0 to 60")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r}: give a number from 0 to 1")
    return share
