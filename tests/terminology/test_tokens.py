"""Words under the keys that names are compared by."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.terminology.tokens import key, keys, tokenize


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sténose de l'artère carotide", "STENOSES DES ARTERES CAROTIDES"),
        ("hémorragie sous-arachnoïdienne", "hémorragies sous arachnoidiennes"),
        ("œdème cérébral", "oedèmes cérébraux"),
        ("occlusion de la sylvienne", "occlusion du sylvien"),
        ("hémiparésie proportionnelle", "hémiparésie proportionnel"),
        ("atteinte auditive", "atteintes auditifs"),
        ("β-bloquant", "beta bloquants"),
        ("l’angine", "l'angine"),
        ("thrombus de l'auricule", "thrombus d'auricule"),
    ],
)
def test_writings_of_one_name_meet(one: str, other: str) -> None:
    assert key(one) == key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A15", "à 15"),
        ("hépatite A", "hépatite à"),
        ("H02", "h 02"),
        ("AVC", "AIT"),
        ("os", "o"),
        ("infarctus, cérébral", "infarctus cérébral"),
        ("score de Rankin. 3", "score de Rankin 3"),
        ("D", "de"),
    ],
)
def test_what_is_not_the_same_name_stays_apart(one: str, other: str) -> None:
    assert key(one) != key(other)


def test_a_token_is_where_it_says() -> None:
    text = "Pas d’œdème ; TA : 165/90."
    assert [text[token.start : token.end] for token in tokenize(text)] == [
        "Pas",
        "d",
        "œdème",
        ";",
        "TA",
        ":",
        "165",
        "/",
        "90",
        ".",
    ]


def test_a_dash_between_words_separates_and_a_hyphen_joins() -> None:
    assert "–" in keys("HTA – diabète")
    assert keys("post-opératoire") == keys("post opératoire")


@given(st.text())
def test_any_text_has_ordered_tokens_with_keys(text: str) -> None:
    tokens = tokenize(text)
    assert all(token.key and 0 <= token.start < token.end <= len(text) for token in tokens)
    assert all(a.end <= b.start for a, b in itertools.pairwise(tokens))


@given(st.text(alphabet="abcdeéèstxzuriolv' -", max_size=30))
def test_a_key_does_not_depend_on_capitals(text: str) -> None:
    lowered = text.replace("d", "t")  # a lone "d" is a preposition, a lone "D" is not
    assert key(lowered.upper()) == key(lowered)
