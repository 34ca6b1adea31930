"""What is measured between a question and the passages of a patient."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retriever.features import MEASURES, PassageMeasures
from schema.document import PartialDate, Span
from schema.passage import Passage
from schema.variable import Question, Variable, VariableKind

NIHSS = Question("P1", Variable("nihss", "Score NIHSS à l'entrée", VariableKind.INTEGER))
LDL = Question("P1", Variable("ldl", "LDL-cholestérol (mmol/L)", VariableKind.NUMBER, unit="mmol/L"))
ARRIVAL = Question("P1", Variable("arrivee", "Heure d'arrivée", VariableKind.TIME))


def passage(text: str, start: int = 0, name: str = "D1") -> Passage:
    return Passage("P1", Span(name, start, start + len(text)), text, "crh", PartialDate(2021, 6, 14))


def measured(question: Question, *texts: str) -> dict[str, list[float]]:
    table = PassageMeasures([passage(text, 100 * i) for i, text in enumerate(texts)]).of(question)
    return {name: table[:, place].tolist() for place, name in enumerate(MEASURES)}


def test_the_passage_with_the_words_is_first_by_words() -> None:
    found = measured(NIHSS, "Patient stable, apyrétique.", "NIHSS à 14 à l'entrée.")
    assert found["words"] == [0, 1]
    assert found["label_rank"] == [0, 1]


def test_a_misspelt_word_is_near_by_spelling_alone() -> None:
    found = measured(NIHSS, "NIHHS a 14", "Repas pris en chambre")
    assert found["words"] == [0, 0]
    assert found["spelling"][0] > found["spelling"][1]


@pytest.mark.parametrize(
    ("question", "text", "column"),
    [
        (NIHSS, "NIHSS à 14.", "value"),
        (NIHSS, "NIHSS à 14.", "value_near"),
        (NIHSS, "14 au score NIHSS.", "value_near"),
        (LDL, "LDL 2,9 mmol/L", "unit"),
        (ARRIVAL, "Arrivée à 14h05.", "value"),
        (ARRIVAL, "Arrivé vers 9 h", "value"),
    ],
)
def test_the_shape_of_the_value_is_seen(question: Question, text: str, column: str) -> None:
    assert measured(question, text)[column] == [1]


@pytest.mark.parametrize(
    ("question", "text", "column"),
    [
        (NIHSS, "NIHSS non fait.", "value"),
        (NIHSS, "Scanner fait à 14 h, sans particularité ; le NIHSS sera fait par le neurologue.", "value_near"),
        (LDL, "LDL 1,1 g/L", "unit"),
        (ARRIVAL, "Arrivé le 14/06/2021.", "value"),
    ],
)
def test_another_shape_is_not_taken_for_it(question: Question, text: str, column: str) -> None:
    assert measured(question, text)[column] == [0]


def test_a_question_in_free_words_has_no_shape() -> None:
    found = measured(Question("P1", text="NIHSS ?"), "NIHSS à 14")
    assert found["value"] == [0]
    assert found["label"] == [1]


@given(st.lists(st.text(max_size=80), min_size=1, max_size=6))
def test_measures_are_finite_and_within_bounds_whatever_the_text(texts: list[str]) -> None:
    table = PassageMeasures([passage(text or " ", 100 * i) for i, text in enumerate(texts)]).of(LDL)
    assert table.shape == (len(texts), len(MEASURES))
    assert np.isfinite(table).all()
    assert (np.abs(table) <= 1 + 1e-5).all()


def test_no_passage_at_all() -> None:
    assert PassageMeasures([]).of(NIHSS).shape == (0, len(MEASURES))
