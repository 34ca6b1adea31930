"""Which passages are returned, and in which order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retriever.select import select
from retriever.timeline import EncodedTimeline
from schema.document import PartialDate, Span
from schema.passage import Passage


def timeline(*documents: list[str]) -> EncodedTimeline:
    """Documents a day apart, each with these passages."""
    passages = [
        Passage("P1", Span(f"{t:02d}", 100 * n, 100 * n + len(text)), text, "crh", PartialDate(2021, 6, t + 1))
        for t, texts in enumerate(documents)
        for n, text in enumerate(texts)
    ]
    size = len(documents)
    return EncodedTimeline(
        patient_id="P1",
        document_ids=tuple(f"{t:02d}" for t in range(size)),
        first_day=passages[0].written_on.to_date() if passages and passages[0].written_on else None,
        days=np.arange(size, dtype=np.float32),
        dated=np.ones(size, dtype=np.bool_),
        kinds=np.zeros(size, dtype=np.int64),
        passages=tuple(passages),
        owner=np.repeat(np.arange(size), [len(texts) for texts in documents]),
        vectors=np.zeros((len(passages), 2), dtype=np.float32),
    )


WORDS = [
    "Scanner normal ce matin",
    "Aphasie de Broca",
    "Glycémie à un gramme",
    "Famille prévenue hier",
    "Fibrillation atriale au scope",
    "Retour au domicile prévu",
    "Kinésithérapie débutée",
    "Allergie aux pénicillines",
]


def test_the_best_come_first() -> None:
    made = timeline(*[[text] for text in WORDS])
    assert select(np.array([0.1, 0.9, 0.3, 0.8, 0.2, 0.0, 0.5, 0.4]), made, 3) == [1, 3, 6]


def test_ties_go_by_document_then_start() -> None:
    made = timeline(WORDS[:2], WORDS[2:4])
    assert select(np.zeros(4), made, 1) == [0]
    assert select(np.array([0, 1, 1 + 1e-9, 0]), made, 1) == [1]


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_near_scores_leave_room_for_another_document(scale: float) -> None:
    made = timeline(WORDS[:2], [WORDS[2]], [WORDS[3]], [WORDS[4]])
    scores = np.array([1.0, 0.96, 0.95, 0.0, 0.0])
    assert select(scores * scale - 5, made, 2) == [0, 2]


def test_a_far_better_passage_of_the_same_document_stays() -> None:
    made = timeline(WORDS[:2], [WORDS[2]], [WORDS[3]], [WORDS[4]])
    assert select(np.array([1.0, 0.9, 0.4, 0.0, 0.0]), made, 2) == [0, 1]


def test_a_copy_leaves_room() -> None:
    text = "Antécédents : hypertension artérielle traitée, fibrillation atriale paroxystique, diabète de type deux"
    made = timeline([text], [text + "."], [WORDS[2]], [WORDS[3]], [WORDS[4]])
    assert select(np.array([1.0, 0.95, 0.9, 0.0, 0.0]), made, 2) == [0, 2]


NOTES = timeline(
    ["NIHSS à 14 à l'arrivée"], ["NIHSS à 9 ce jour"], [WORDS[3]], ["NIHSS inchangé"], [WORDS[4]], ["NIHSS à 2"]
)


def test_a_passage_that_points_back_comes_with_what_it_points_at() -> None:
    assert select(np.array([0.3, 0.2, 0.1, 1.0, 0.0, 0.9]), NOTES, 3) == [3, 1, 5]


def test_it_takes_the_place_of_the_last() -> None:
    assert select(np.array([0.3, 0.2, 0.9, 1.0, 0.8, 0.7]), NOTES, 2) == [3, 1]


def test_one_already_chosen_is_not_given_twice() -> None:
    assert select(np.array([0.3, 1.0, 0.1, 0.9, 0.0, 0.2]), NOTES, 3) == [1, 3, 0]


def test_nothing_later_is_pointed_at() -> None:
    made = timeline(["NIHSS inchangé"], ["NIHSS à 9"], [WORDS[3]])
    assert select(np.array([1.0, 0.0, 0.5]), made, 2) == [0, 2]


def test_a_pointing_back_about_something_else_is_left_alone() -> None:
    made = timeline(["Traitement : aspirine 75 mg"], [WORDS[1]], ["NIHSS à 9. Traitement inchangé."])
    scores = np.array([0.0, 0.5, 1.0])
    assert select(scores, made, 2, "Score NIHSS") == [2, 1]
    assert select(scores, made, 2, "Traitement de sortie") == [2, 0]


def test_with_one_passage_asked_for_there_is_no_room() -> None:
    assert select(np.array([0.3, 0.2, 0.1, 1.0, 0.0, 0.9]), NOTES, 1) == [3]


def test_nothing_to_choose_from() -> None:
    assert select(np.zeros(0), timeline(), 3) == []
    assert select(np.zeros(2), timeline(WORDS[:2]), 0) == []


TEXTS = st.sampled_from([*WORDS, "NIHSS inchangé", "Idem", "NIHSS à 9", "Même traitement qu'à l'entrée", ""])


@given(st.lists(st.lists(TEXTS, max_size=4), min_size=1, max_size=6), st.integers(1, 12), st.integers(0, 99))
def test_k_places_each_once_and_always_the_same(documents: list[list[str]], k: int, seed: int) -> None:
    made = timeline(*documents)
    scores = np.random.default_rng(seed).integers(0, 4, len(made.passages)).astype(np.float64)
    chosen = select(scores, made, k)
    assert len(chosen) == len(set(chosen)) == min(k, len(scores))
    assert set(chosen) <= set(range(len(scores)))
    assert chosen == select(scores, made, k)
    assert chosen == select(scores * 8 - 3, made, k)
    if chosen:
        assert scores[chosen[0]] == scores.max()
