"""The command `cohort-rag deidentify`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rag.commands.console import DONE, PARTIAL, add_documents, command, positive, say_problems

_EXAMPLES = """\
examples:
  cohort-rag deidentify --documents notes/ --out shared/notes.jsonl --spans private/spans.jsonl
  cohort-rag deidentify --documents notes.jsonl --out masked.jsonl --spans private/spans.jsonl --policy mask
  cohort-rag fill --documents shared/notes.jsonl --deid-key private/spans.key.jsonl \\
      --dictionary dictionary.csv --out runs/first

written:
  OUT    the documents without identities, read by every other command
  SPANS  what was found, on the original texts: {"document_id", "patient_id", "entities": [{"label", "start", "end",
         "text"}]}; it names the patients (mode 0600)
  KEY    the secret, the shift of each patient's dates, the table original -> surrogate (mode 0600)
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command and its arguments."""
    about = "Mask or replace what identifies patients and people in documents."
    parser = command(commands.add_parser, "deidentify", about, _EXAMPLES)
    add_documents(parser)
    parser.add_argument(
        "--out", required=True, type=Path, metavar="OUT", help="file to write: .jsonl, .csv or .parquet"
    )
    parser.add_argument("--spans", required=True, type=Path, metavar="SPANS", help="file of what was found (.jsonl)")
    policy = "surrogate (invented names, moved dates; the default), mask (tags), or a policy file (.yml)"
    parser.add_argument("--policy", default="surrogate", metavar="POLICY", help=policy)
    known = "table of what is known of the patients: patient_id, nom, prenom, date_naissance, adresse, ipp…"
    parser.add_argument("--identities", type=Path, metavar="CSV", help=known)
    key = "key file, made if missing, followed if it is there (by default SPANS with .key.jsonl)"
    parser.add_argument("--key", type=Path, metavar="KEY", help=key)
    ner = "trained model that completes the rules: shipped (the default), a folder of deid train, or none (faster)"
    parser.add_argument("--ner", default="shipped", metavar="MODEL", help=ner)
    parser.add_argument("--workers", type=positive, default=1, metavar="N", help="processes that read patients (1)")
    parser.add_argument("--resume", action="store_true", help="go on with the interrupted run")
    parser.add_argument("--quiet", action="store_true", help="no progress bar, no summary")
    parser.set_defaults(command=_deidentify)


def _deidentify(arguments: argparse.Namespace) -> int:
    from rag.deidentify import DeidentifyRequest, deidentify

    request = DeidentifyRequest(
        documents=arguments.documents,
        out=arguments.out,
        spans=arguments.spans,
        policy=arguments.policy,
        identities=arguments.identities,
        key=arguments.key,
        ner=arguments.ner,
        workers=arguments.workers,
        resume=arguments.resume,
        progress=sys.stderr.isatty() and not arguments.quiet,
    )
    report = deidentify(request)
    say_problems(report.problems)
    if not arguments.quiet:
        print("\n".join(report.summary()))
        print(f"documents  {request.out}\nspans      {request.spans}\nkey        {request.key_file}")
    return PARTIAL if report.failed else DONE
