"""The fictitious cohorts of a rehearsal, each with the part of the dictionary that it is for."""

from __future__ import annotations

import csv
from collections.abc import Collection
from pathlib import Path

from rag.rehearsal.plan import BIOMEDICAL, EXPERTS, INSTRUCTIONS, RehearsalPlan
from rag.synth.config import SynthConfig
from rag.synth.export import write_cohort

_DOCUMENTS = (5, 5)


def write_cohorts(out: Path, plan: RehearsalPlan) -> None:
    """Write the folders taught, biomedical, instructions, development and test; each with other patients."""
    asked = BIOMEDICAL + INSTRUCTIONS
    for number, (name, patients, variables) in enumerate(
        (
            ("taught", plan.taught, None),
            *((name, plan.apart, own + plan.kept) for name, own in EXPERTS.items()),
            ("development", plan.development, asked),
            ("test", plan.test, asked),
        )
    ):
        config = SynthConfig(
            patients=patients,
            documents=_DOCUMENTS,
            noise=0.0,
            anaphora=0.0,
            contradictions=0.0,
            extras=0,
            seed=plan.seed * 10 + number,
        )
        write_cohort(config, out / name)
        _narrow(out / name / "dictionary.csv", variables)


def _narrow(dictionary: Path, names: Collection[str] | None) -> None:
    """Keep the variables named, after the record's identifier; all but dates when None: a small model reads none."""
    with dictionary.open(encoding="utf-8", newline="") as file:
        header, record, *rows = csv.reader(file)
    kind = header.index("Text Validation Type OR Show Slider Number")
    kept = [row for row in rows if (row[0] in names if names else not row[kind].startswith(("date", "time")))]
    with dictionary.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, record, *kept])
