"""Planted values: right ones are kept, wrong ones and invented quotes refused, whatever the dictionary."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.planted import Cohort, Kind, plant, read_cohort, sampled
from benchmarks.verification import Outcome, judge
from rag.synth.config import SynthConfig
from rag.synth.export import write_cohort

STROKE = Path(__file__).parents[2] / "configs" / "studies" / "stroke"
EACH = 25


def outcomes(cohort: Cohort) -> list[Outcome]:
    return list(judge(cohort, sampled(plant(cohort), EACH)))


def shares(found: list[Outcome]) -> tuple[float, float, float]:
    """Of right values kept, of wrong ones refused, of invented quotes refused."""
    groups: tuple[list[bool], list[bool], list[bool]] = ([], [], [])
    for one in found:
        kind = one.planted.kind
        groups[0 if kind is Kind.RIGHT else 2 if kind.is_invented else 1].append(one.is_good)
    assert all(len(group) >= EACH for group in groups)
    return tuple(sum(group) / len(group) for group in groups)  # type: ignore[return-value]


def test_the_sample_with_its_study() -> None:
    cohort = read_cohort(STROKE / "sample", STROKE / "study.yml", dictionary=STROKE / "dictionary.csv")
    right, wrong, invented = shares(outcomes(cohort))
    assert right >= 0.92
    assert wrong >= 0.98
    assert invented == 1.0


def test_the_sample_by_its_dictionary_alone() -> None:
    cohort = read_cohort(STROKE / "sample", dictionary=STROKE / "dictionary.csv")
    right, wrong, invented = shares(outcomes(cohort))
    assert right >= 0.80
    assert wrong >= 0.98
    assert invented == 1.0


@pytest.mark.parametrize("vocabulary", ["A", "D"])
def test_dictionaries_of_other_words(vocabulary: str, tmp_path: Path) -> None:
    write_cohort(SynthConfig(patients=3, vocabulary=vocabulary, seed=5), tmp_path)
    right, wrong, invented = shares(outcomes(read_cohort(tmp_path)))
    assert right >= 0.60
    assert wrong >= 0.95
    assert invented == 1.0
