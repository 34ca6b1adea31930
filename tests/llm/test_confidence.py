import json
import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.confidence import Signals, confidence, value_probability, with_second
from generator.llm.engine import Completion, Finish, Token

SHARES = st.floats(0, 1)
SOME = st.none() | SHARES
ANSWER = '{"citations":[{"passage":1,"texte":"valeur : \\"12\\", NIHSS à 12"}],"statut":"documenté","valeur":12}'


def completion(text: str, pieces: list[tuple[str, float]]) -> Completion:
    return Completion(text, Finish.STOP, tuple(Token(piece, logprob) for piece, logprob in pieces))


def cut(text: str, *at: int, sure: dict[int, float] | None = None) -> Completion:
    """The text cut before each position; token number -> its log-probability, 0 elsewhere."""
    bounds = [0, *at, len(text)]
    pieces = [text[a:b] for a, b in pairwise(bounds)]
    return completion(text, [(piece, (sure or {}).get(i, 0.0)) for i, piece in enumerate(pieces)])


@given(SHARES, SHARES, SOME, SOME, st.sampled_from([None, False, True]))
def test_confidence_never_falls_when_a_signal_rises(
    low: float, high: float, probability: float | None, agreement: float | None, second: bool | None
) -> None:
    low, high = sorted((low, high))
    assert confidence(Signals(low, probability, agreement, second)) <= confidence(
        Signals(high, probability, agreement, second)
    )
    assert confidence(Signals(0.5, low, agreement, second)) <= confidence(Signals(0.5, high, agreement, second))
    assert confidence(Signals(0.5, probability, low, second)) <= confidence(Signals(0.5, probability, high, second))
    doubted, alone, agreed = (confidence(Signals(low, probability, agreement, s)) for s in (False, None, True))
    assert 0 < doubted < alone < agreed < 1


def test_confidence_is_the_formula_of_its_page() -> None:
    assert confidence(Signals(0.8)) == pytest.approx(0.8)
    assert confidence(Signals(0.8, 0.8, 0.8)) == pytest.approx(0.8)
    odds = math.sqrt((0.9 / 0.1) * (0.6 / 0.4))  # half of each, in log-odds
    assert confidence(Signals(0.6, probability=0.9)) == pytest.approx(odds / (1 + odds))
    assert confidence(Signals(0.6, agreement=0.9)) == pytest.approx(odds / (1 + odds))


def test_a_sure_model_whose_quotes_say_nothing_stays_at_one_half() -> None:
    assert confidence(Signals(0.0, 1.0, 1.0)) == pytest.approx(0.5)


def test_a_second_reader_multiplies_the_odds() -> None:
    assert with_second(0.5, agrees=True) == pytest.approx(0.8)
    assert with_second(0.5, agrees=False) == pytest.approx(0.2)
    assert (with_second(1.0, agrees=True), with_second(0.0, agrees=False)) == (1.0, 0.0)


def test_the_probability_is_that_of_the_value_alone() -> None:
    start = ANSWER.rindex("12")
    probable = cut(ANSWER, start, start + 2, sure={0: -5.0, 1: math.log(0.25), 2: -5.0})
    assert value_probability(probable) == pytest.approx(0.25)
    in_two = cut(ANSWER, start, start + 1, start + 2, sure={0: -5.0, 1: math.log(0.25), 2: 0.0, 3: -5.0})
    assert value_probability(in_two) == pytest.approx(0.5)  # geometric mean


def test_a_token_that_straddles_the_value_counts_whole() -> None:
    start = ANSWER.rindex("12")
    straddling = cut(ANSWER, start - 2, start + 1, sure={0: -5.0, 1: math.log(0.2), 2: math.log(0.8)})
    assert value_probability(straddling) == pytest.approx(0.4)


def test_the_marks_around_a_text_do_not_count() -> None:
    text = json.dumps({"statut": "documenté", "valeur": "Ischémique"}, ensure_ascii=False)
    start = text.index("Isch")
    inside = cut(text, start, len(text) - 2, sure={0: -5.0, 1: math.log(0.3), 2: -5.0})
    assert value_probability(inside) == pytest.approx(0.3)


@pytest.mark.parametrize("value", ["null", "[]", '["Fièvre", "Toux"]', '""', "-1.5e3", "true"])
def test_every_kind_of_value_has_a_place(value: str) -> None:
    text = f'{{ "statut" : "x",\n "valeur" : {value} }}'
    start = text.index(value)
    told = cut(text, start, start + len(value), sure={0: -9.0, 1: math.log(0.7), 2: -9.0})
    assert value_probability(told) == pytest.approx(0.7)


def test_in_a_grouped_answer_each_variable_has_its_own() -> None:
    text = '{"valeur":{"valeur":3},"nihss":{"citations":[{"texte":"}"}],"valeur":12}}'
    three, twelve = text.index("3"), text.index("12")
    told = cut(text, three, three + 1, twelve, twelve + 2, sure={1: math.log(0.6), 3: math.log(0.9)})
    assert value_probability(told, "valeur") == pytest.approx(0.6)
    assert value_probability(told, "nihss") == pytest.approx(0.9)
    assert value_probability(told, "age") is None


@pytest.mark.parametrize(
    "text",
    ["", "Je ne peux pas répondre.", '{"valeur":', '{"valeur":12', '{"statut":"omis"}', "[1]", '{1:2,"valeur":3}', "{"],
)
def test_what_is_no_answer_has_no_probability(text: str) -> None:
    assert value_probability(completion(text, [(text, -0.1)])) is None


def test_without_its_own_tokens_an_answer_has_no_probability() -> None:
    assert value_probability(Completion(ANSWER, Finish.STOP)) is None
    assert value_probability(completion(ANSWER, [("autre", -0.1)])) is None


@given(st.text(max_size=60))
def test_any_text_is_survived(text: str) -> None:
    found = value_probability(completion(text, [(character, -0.5) for character in text]))
    assert found is None or 0 < found <= 1


@given(
    st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=8), max_size=4),
    st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8) | st.lists(st.text(max_size=4)),
    st.booleans(),
)
def test_whatever_stands_beside_it_the_value_is_found(
    others: dict[str, object], value: object, ascii_only: bool
) -> None:
    text = json.dumps({**others, "valeur": value}, ensure_ascii=ascii_only)
    told = value_probability(completion(text, [(character, math.log(0.5)) for character in text]))
    assert told == pytest.approx(0.5)
