"""Quotes are found where they stand, or nowhere: never at a place that lacks what they say."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.llm.ground import Alignment, Located, locate
from generator.rules.text import fold
from schema.document import Span
from schema.passage import Passage

NOTE = (
    "Patient de 72 ans, adressé pour aphasie. NIHSS à 12 à l’arrivée, PA 165/90 mmHg ; pas de diabète. IMC 32,1.\n"
    "Œdème < 3 mm. Hypertension artérielle traitée, tabagisme sevré.\n"
    "Thrombectomie : ponction à 14h05, mTICI 2b. Infarctus sylvien gauche, sans saignement.\n"
)


def passage(text: str, start: int = 0, document: str = "d1") -> Passage:
    return Passage("p", Span(document, start, start + len(text)), text, "crh", None)


def found(quote: str, *texts: str, named: int | None = 0) -> Located | None:
    return locate(quote, [passage(text, document=f"d{i}") for i, text in enumerate(texts or (NOTE,))], named)


def test_positions_are_those_of_the_document() -> None:
    where = locate("NIHSS à 12", [passage(NOTE, start=1000)], 0)
    assert where is not None
    assert (where.start, where.end) == (1000 + NOTE.index("NIHSS"), 1000 + NOTE.index("NIHSS") + len("NIHSS à 12"))
    assert where.text == "NIHSS à 12"
    assert where.alignment is Alignment.EXACT


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("nihss a 12 a l'arrivee", "NIHSS à 12 à l’arrivée"),
        ("oedeme ‹ 3mm", "Œdème < 3 mm"),
        ("PA 165/90mmHg; pas de diabète", "PA 165/90 mmHg ; pas de diabète"),
        ("ponction à 14 h 05", "ponction à 14h05"),
        ("IMC 32,1.\n\nŒdème", "IMC 32,1.\nŒdème"),
        ("« pas de diabète. »", "pas de diabète"),
    ],
)
def test_typography_is_forgotten(quote: str, text: str) -> None:
    where = found(quote)
    assert where is not None
    assert where.text == text
    assert where.similarity == 1.0


def test_words_cut_at_the_end_of_a_line_are_mended() -> None:
    where = found("thrombectomie mécanique", "Indication de throm-\nbectomie mécanique retenue.")
    assert where is not None
    assert where.text == "throm-\nbectomie mécanique"


def test_a_misspelt_quote_is_said_to_be_so() -> None:
    where = found("hypertention arterielle traitée", NOTE)
    assert where is not None
    assert where.alignment is Alignment.FUZZY
    assert where.similarity < 1.0
    assert where.text == "Hypertension artérielle traitée"


@pytest.mark.parametrize(
    "quote",
    [
        "NIHSS à l",  # the value is lost
        "NIHSS à 1",  # cut inside the number
        "IMC 32",
        "mTICI 2",
        "NIHSS à 13 à l'arrivée, PA 165/90 mmHg",  # another number
        "PA 165/80 mmHg ; pas de diabète",
        "ponction à 14h06",
        "Hypotension artérielle traitée",  # another word
        "Infarctus sylvien droit, sans saignement",
        "Infarctus sylvien gauche, avec saignement",
        "hypertension artérielle non traitée",  # a denial of its own
        "adressé pour aphasie, diabète",  # the denial dropped
        "NIHSS … diabète",  # an ellipsis that hides the denial
        "tabagisme actif",
        "AVC à 12 à l'arrivée",  # another abbreviation
        "diabète insulinodépendant équilibré",
        "e",
        "12",
        "",
        " … ",
    ],
)
def test_an_invention_is_nowhere(quote: str) -> None:
    assert found(quote) is None


def test_an_ellipsis_parts_two_places_in_order() -> None:
    where = found("Patient de 72 ans … NIHSS à 12")
    assert where is not None
    assert where.text == "Patient de 72 ans, adressé pour aphasie. NIHSS à 12"
    assert found("NIHSS à 12 … Patient de 72 ans") is None


def test_fragments_of_two_passages_are_no_quote() -> None:
    assert found("aphasie brutale … NIHSS à 12", "Aphasie brutale.", "NIHSS à 12.") is None


def test_the_named_passage_comes_first() -> None:
    texts = ("NIHSS à 12 à l'entrée.", "NIHSS à 12 à la sortie.")
    where = found("NIHSS à 12", *texts, named=1)
    assert where is not None
    assert where.passage.span.document_id == "d1"
    assert not where.elsewhere


@pytest.mark.parametrize("named", [0, 7, None])
def test_a_passage_wrongly_named_or_unknown_does_not_lose_the_quote(named: int | None) -> None:
    where = found("NIHSS à 12", "Rien.", "NIHSS à 12.", named=named)
    assert where is not None
    assert where.passage.span.document_id == "d1"
    assert where.elsewhere is (named == 0)


def test_of_several_places_the_first_is_taken() -> None:
    where = found("NIHSS à 12", "Lu : NIHSS à 12. Relu : NIHSS à 12.")
    assert where is not None
    assert where.start == len("Lu : ")


LETTERS = st.text(alphabet="abcdeéèàœ AZÉ'’-–\n.,;:<0123456789", min_size=1, max_size=120)
WORDS = st.text(alphabet="abcdeéèàœAZÉ'’0123456789<>°+", min_size=2, max_size=9)
MARKS = st.sampled_from([" ", "\n", " : ", ", ", ". ", " – ", "\n\n- ", " ; "])
NOISE = ["NIHSS", "score", "12", "4", "18", "à", "l’entrée", "sortie", "pas", "de", "diabète", "connu"]


@settings(deadline=None, max_examples=80)
@given(st.lists(st.tuples(WORDS, MARKS), min_size=1, max_size=15), st.data())
def test_what_a_text_holds_is_found_where_it_reads_the_same(pieces: list[tuple[str, str]], data: st.DataObject) -> None:
    text = "".join(word + mark for word, mark in pieces)
    first = data.draw(st.integers(0, len(pieces) - 1))
    last = data.draw(st.integers(first, len(pieces) - 1))
    start = sum(len(word + mark) for word, mark in pieces[:first])
    quote = "".join(word + mark for word, mark in pieces[first : last + 1])[: -len(pieces[last][1])]
    where = locate(quote, [passage(text)], 0)
    if sum(sign.isalpha() for sign in quote) >= 2:
        assert where is not None
        assert where.start <= start + 3
    if where is not None:
        assert squeezed(where.text) == squeezed(quote)


@settings(deadline=None, max_examples=80)
@given(st.lists(st.sampled_from(NOISE), min_size=4, max_size=20), st.data())
def test_noise_never_moves_a_quote_to_other_numbers(words: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(words) - 4))
    quote = list(" ".join(words[at : at + 6]))
    for _ in range(data.draw(st.integers(1, 3))):
        quote[data.draw(st.integers(0, len(quote) - 1))] = data.draw(st.sampled_from("aeo1258 l"))
    noisy = "".join(quote).strip()
    where = locate(noisy, [passage(" ".join(words))], 0)
    if where is not None:
        number = r"(?<![^\W\d_])\d+"  # a figure inside a word is a letter that a scanner misread
        assert re.findall(number, where.text) == re.findall(number, noisy)
        assert where.text.split().count("pas") == noisy.split().count("pas")


@settings(deadline=None, max_examples=80)
@given(LETTERS, LETTERS)
def test_any_quote_of_any_text_is_located_inside_it_or_not(quote: str, text: str) -> None:
    where = locate(quote, [passage(text, start=5)], 0)
    if where is not None:
        assert 5 <= where.start < where.end <= 5 + len(text)
        assert where.text


def squeezed(text: str) -> str:
    """Letters and figures, folded: what must be the same at the place found."""
    return "".join(sign for sign in fold(text).replace("œ", "oe") if sign.isalnum())


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("Antécédents :", "Pas d'antécédent notable."),
        ("Atrophie sous-corticale frontale", "Atrophie cortico-sous-corticale frontale"),
        ("Vu par le Dr D", "Vu par le Dr\nSuite"),
    ],
)
def test_a_misspelling_hides_no_other_word(quote: str, text: str) -> None:
    assert found(quote, text) is None
