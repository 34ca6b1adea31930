"""`cohort-rag calibrate`: what the confidence of a run is worth, so that a threshold means what it says."""

from __future__ import annotations

import argparse
from pathlib import Path

from rag.commands.console import DONE, command, say_problems

_CALIBRATE = """\
example:
  cohort-rag calibrate --evidence runs/first/evidence.jsonl --predictions runs/first/table.csv --gold manual.csv \\
      --dictionary dictionary.csv --out calibration.json --report report
  cohort-rag fill --documents notes.jsonl --dictionary dictionary.csv --out runs/sure \\
      --calibration calibration.json --above 0.9

The run is any run of fill, by whatever reader, without --calibration; manual.csv holds some of its records, filled by
hand. calibration.json then turns the reader's confidence into the share of values that are right.

written in REPORT:
  report.md                              calibration error and what each threshold keeps, before and after
  reliability.png, risk_coverage.png     the same drawn
  figures.csv, variables.csv             the same as tables; what is right of each variable
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command and its arguments."""
    about = "Learn what a run's confidence is worth from a manual table."
    parser = command(commands.add_parser, "calibrate", about, _CALIBRATE)
    parser.add_argument("--evidence", required=True, type=Path, metavar="JSONL", help="evidence.jsonl of the run")
    parser.add_argument("--predictions", required=True, type=Path, metavar="TABLE", help="table.csv of the run")
    parser.add_argument("--gold", required=True, type=Path, metavar="TABLE", help="the manual table")
    parser.add_argument("--dictionary", required=True, type=Path, metavar="DICT", help="REDCap data dictionary (CSV)")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="calibration.json, for fill and ask")
    parser.add_argument("--report", type=Path, metavar="REPORT", help="folder of the report (none)")
    parser.set_defaults(command=_calibrate)


def _calibrate(arguments: argparse.Namespace) -> int:
    from eval.calibration_report import CalibrationReport, format_summary, write_report
    from rag.calibrate import CalibrateRequest, calibrate

    found = calibrate(CalibrateRequest(arguments.evidence, arguments.predictions, arguments.gold, arguments.dictionary))
    say_problems(found.problems)
    learned = found.calibration
    reader = f"reader {learned.generator}, " if learned.generator else ""
    about = f"{reader}{learned.cells} values of {learned.patients} patients, {learned.right} right"
    report = CalibrationReport(about, found.before, found.after, learned.variables)
    learned.save(arguments.out)
    if arguments.report:
        write_report(report, arguments.report)
    print(format_summary(report))
    print(f"calibration  {arguments.out}")
    if arguments.report:
        print(f"report       {arguments.report / 'report.md'}")
    return DONE
