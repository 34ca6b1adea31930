"""No two documents are alike, and the hard cases are there."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict

import pytest

from rag.synth.config import SynthConfig
from rag.synth.generate import generate
from rag.synth.load import voices

_WORD = re.compile(r"\w+")


def overlaps(texts: list[str]) -> tuple[float, float]:
    """The greatest and the mean Jaccard index of the word 5-grams, over all pairs."""
    grams = []
    for text in texts:
        words = _WORD.findall(text.casefold())
        grams.append({tuple(words[at : at + 5]) for at in range(len(words) - 4)})
    holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, own in enumerate(grams):
        for gram in own:
            holders[gram].append(number)
    shared: Counter[tuple[int, int]] = Counter()
    for numbers in holders.values():
        shared.update(itertools.combinations(numbers, 2))
    jaccard = [n / (len(grams[a]) + len(grams[b]) - n) for (a, b), n in shared.items()]
    return max(jaccard, default=0), sum(jaccard) / (len(texts) * (len(texts) - 1) / 2)


@pytest.mark.parametrize(("patients", "documents"), [(25, (8, 8)), (3, (60, 90))])
def test_no_two_documents_of_a_cohort_are_alike(patients: int, documents: tuple[int, int]) -> None:
    cohort = generate(SynthConfig(patients=patients, documents=documents, seed=1))
    most, mean = overlaps([document.text for patient in cohort for document in patient.documents])
    assert most < 0.5
    assert mean < 0.01


def test_cases_of_order_and_of_reference_are_frequent() -> None:
    def shares(documents: tuple[int, int], anaphora: float) -> Counter[str]:
        kinds: Counter[str] = Counter()
        for patient in generate(SynthConfig(patients=15, documents=documents, anaphora=anaphora, seed=1)):
            kinds.update(answer.kind for answer in patient.answers)
        return Counter({kind: round(100 * n / kinds.total()) for kind, n in kinds.items()})

    short, long = shares((8, 8), 0.2), shares((60, 90), 0.6)
    assert short["order"] >= 10
    assert long["order"] >= 30
    assert long["anaphoric"] >= 8
    assert short["anaphoric"] < long["anaphoric"]


def test_all_kinds_of_documents_are_written() -> None:
    written = {d.kind for p in generate(SynthConfig(patients=30, documents=(40, 60))) for d in p.documents}
    assert written == set(voices())


def test_hospitals_name_their_documents_in_many_ways() -> None:
    types = {d.type for p in generate(SynthConfig(patients=30)) for d in p.documents if d.kind == "crh"}
    assert len(types) >= 5
    assert any("crh" not in name.casefold() for name in types)


def test_dictionaries_differ_in_names_labels_and_codes() -> None:
    one, two = (next(iter(generate(SynthConfig(patients=1, vocabulary=name)))).variables for name in ("A", "B"))
    other = {variable.meaning: variable for variable in two}
    both = [(variable, other[variable.meaning]) for variable in one if variable.meaning in other]
    assert len(both) > 50
    assert sum(a.label != b.label for a, b in both) > 30
    assert sum(a.name != b.name for a, b in both) > 30
    assert any(a.codes != b.codes for a, b in both)
