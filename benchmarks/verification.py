"""How many planted values and quotes the verification of the language-model generator lets through.

    python -m benchmarks.verification COHORT_DIR [COHORT_DIR ...] [--study study.yml] [--each 300] [--csv OUT]

A COHORT_DIR holds ``documents.jsonl``, ``dictionary.csv`` and ``evidence.jsonl`` (manual quotes). Right values must be
kept; wrong ones and invented quotes, made from the cohort itself (`benchmarks.planted`), must be refused. Prints totals
only, with 95 % intervals by patient, and the processor time that one patient takes.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from benchmarks.planted import Cohort, Kind, Planted, passages_of, plant, read_cohort, sampled
from eval.metrics import bootstrap_weights, estimate, ratio
from generator.llm.ground import Located, locate
from generator.llm.verdict import Verdict
from generator.llm.verify import Reading, Verifier
from schema.passage import Passage
from schema.report import Estimate
from schema.value import Status

_REPLICATES = 1000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a planted value. ``verdict`` is None when no quote was located."""

    planted: Planted
    verdict: Verdict | None
    strength: float
    detail: str

    @property
    def kept(self) -> bool:
        """Whether the value would fill its cell."""
        return self.verdict is Verdict.VERIFIED

    @property
    def is_good(self) -> bool:
        """Whether that is what should happen; an invented quote must not even be located."""
        if self.planted.kind is Kind.RIGHT:
            return self.kept
        return self.verdict is None if self.planted.kind.is_invented else not self.kept


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cohorts", type=Path, nargs="+", metavar="COHORT_DIR")
    parser.add_argument("--study", type=Path, help="study file of these cohorts")
    parser.add_argument("--dictionary", type=Path, help="dictionary of cohorts that have none of their own")
    parser.add_argument("--patients", default="", help="only those whose identifier starts so")
    parser.add_argument("--each", type=int, help="at most so many planted values of each kind")
    parser.add_argument("--csv", type=Path, help="write one row per planted value: kinds and verdicts, no text")
    arguments = parser.parse_args()
    rows: list[Outcome] = []
    for folder in arguments.cohorts:
        cohort = read_cohort(folder, arguments.study, arguments.patients, arguments.dictionary)
        planted = plant(cohort)
        outcomes = list(judge(cohort, sampled(planted, arguments.each) if arguments.each else planted))
        milliseconds = 1000 * seconds_per_patient(cohort)
        print(f"{folder}: {len(cohort.documents)} patients, {milliseconds:.0f} ms to verify one's right values")
        print_totals(outcomes)
        rows += outcomes
    if arguments.csv:
        write_rows(arguments.csv, rows)


def judge(cohort: Cohort, planted: Sequence[Planted]) -> Iterator[Outcome]:
    """Every planted value, located and verified as the generator does it."""
    verifier = Verifier(cohort.variables, cohort.study)
    plain = sorted((one for one in planted if not one.added), key=lambda one: one.patient)
    for patient, group in groupby(plain, key=lambda one: one.patient):
        yield from _judged(verifier, cohort, patient, list(group))
    for one in planted:
        if one.added:
            yield from _judged(verifier, cohort, one.patient, [one], one)


def _judged(
    verifier: Verifier, cohort: Cohort, patient: str, planted: Sequence[Planted], added: Planted | None = None
) -> Iterator[Outcome]:
    record = cohort.record(patient, added)
    passages = passages_of(record)
    readings = [reading_of(one, passages) for one in planted]
    checks = verifier.check(record, readings)
    for one, reading, check in zip(planted, readings, checks, strict=True):
        yield Outcome(one, check.verdict if reading.quotes else None, check.strength, check.detail)


def reading_of(planted: Planted, passages: Sequence[Passage]) -> Reading:
    """The reading of a model that gives this value with these quotes, of which the located ones are kept."""
    quotes = tuple(found for name, words in planted.quotes if (found := _located(name, words, passages)) is not None)
    return Reading(planted.variable.name, planted.value, Status.FOUND, quotes)


def _located(name: str, words: str, passages: Sequence[Passage]) -> Located | None:
    named = next(
        (i for i, passage in enumerate(passages) if passage.span.document_id == name and words in passage.text), None
    )
    return locate(words, passages, named)


def seconds_per_patient(cohort: Cohort) -> float:
    """Time to verify one patient's right values, locating included, reading of documents excluded."""
    verifier = Verifier(cohort.variables, cohort.study)
    records = {patient: cohort.record(patient) for patient in cohort.documents}
    shown = {patient: passages_of(record) for patient, record in records.items()}
    started = time.process_time()
    for patient, record in records.items():
        cells = [cell for cell in cohort.cells if cell.patient == patient]
        verifier.check(record, [reading_of(cell, shown[patient]) for cell in cells])
    return (time.process_time() - started) / max(1, len(records))


def rate(outcomes: Sequence[Outcome]) -> Estimate:
    """The share of values that became what they should, with its 95 % interval by patient."""
    patients = sorted({outcome.planted.patient for outcome in outcomes})
    weights = bootstrap_weights(len(patients), _REPLICATES, seed=0)
    good, count = np.zeros(len(patients)), np.zeros(len(patients))
    for outcome in outcomes:
        at = patients.index(outcome.planted.patient)
        good[at] += outcome.is_good
        count[at] += 1
    return estimate(ratio(weights @ good, weights @ count))


def print_totals(outcomes: Sequence[Outcome]) -> None:
    """One line for each kind, then for right, wrong and invented ones."""
    by_kind: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        kind = outcome.planted.kind
        total = "RIGHT kept" if kind is Kind.RIGHT else "INVENTED refused" if kind.is_invented else "WRONG refused"
        by_kind[total].append(outcome)
        if kind is not Kind.RIGHT:
            by_kind[f"  {kind.value}"].append(outcome)
    for name, group in by_kind.items():
        share = rate(group)
        interval = "" if share.low is None else f"  [{100 * share.low:.1f}, {100 * (share.high or 0):.1f}]"
        print(f"  {name:45} {len(group):6}  {100 * (share.value or 0):6.2f} %{interval}")


def write_rows(path: Path, outcomes: Sequence[Outcome]) -> None:
    """One row per planted value, without any text of a document."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["patient", "variable", "kind", "verdict", "strength", "good"])
        for outcome in outcomes:
            one = outcome.planted
            verdict = outcome.verdict.value if outcome.verdict else "not located"
            writer.writerow(
                [one.patient, one.variable.name, one.kind.value, verdict, outcome.strength, int(outcome.is_good)]
            )


if __name__ == "__main__":
    main()
