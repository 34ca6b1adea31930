"""Cleaning makes text readable and never loses the way back to the text as given."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.corpus.clean import clean
from rag.corpus.offsets import Edit, apply
from schema.document import Document


def document(source: str) -> Document:
    cleaned = clean(source)
    return Document("p", "d", "", "", None, cleaned.text, source, origins=cleaned.origins)


def located(source: str, words: str) -> str:
    """What stands in the source behind ``words`` of the readable text."""
    doc = document(source)
    start = doc.text.index(words)
    span = doc.locate(start, start + len(words))
    return source[span.start : span.end]


@pytest.mark.parametrize(
    ("source", "readable"),
    [
        ("PA\u00a0: 165/90\u202fmmHg", "PA : 165/90 mmHg"),
        ("l’IRM d‘hier", "l'IRM d'hier"),
        ("in\ufb01ltration, re\ufb02ux", "infiltration, reflux"),
        ("ligne 1\r\nligne 2\rligne 3", "ligne 1\nligne 2\nligne 3"),
        ("pneu\xadmopathie, céré\xad\nbral", "pneumopathie, cérébral"),
        ("NIHSS\x00 9\x07\u200b.\ufeff", "NIHSS 9."),
        ("ope\u0301re\u0301", "opéré"),
        ("l\x92examen c\x9cur", "l'examen cœur"),  # Windows text read as Latin-1
        ("75 \u03bcg, -\u2011 5", "75 µg, -- 5"),
        ("cœur, «\u00a0stable\u00a0», 25 °C, m²", "cœur, « stable », 25 °C, m²"),
    ],
)
def test_characters(source: str, readable: str) -> None:
    assert document(source).text == readable


@pytest.mark.parametrize(
    ("source", "readable"),
    [
        ("une pneumo-\npathie droite", "une pneumopathie droite"),
        ("scanner post-\nopératoire", "scanner post-opératoire"),
        ("abord intra-\nartériel", "abord intra-artériel"),
        ("peut-\nêtre", "peut-être"),
        ("bilan cardio-\nvasculaire ; risque cardio-vasculaire", "bilan cardio-vasculaire ; risque cardio-vasculaire"),
        ("occlusion M1-\nM2", "occlusion M1-\nM2"),
        ("IRM-\nTOF", "IRM-\nTOF"),
        ("PAS 120-\n140", "PAS 120-\n140"),
        ("Motif -\nchute", "Motif -\nchute"),
        ("- HTA\n- diabète", "- HTA\n- diabète"),
    ],
)
def test_words_cut_at_line_ends(source: str, readable: str) -> None:
    assert document(source).text == readable


WRAPPED = """\
Patiente de 81 ans adressée par le centre quinze pour une aphasie brutale
constatée par son auxiliaire de vie vers neuf heures. Antécédent connu de
fibrillation atriale sous anticoagulant oral direct. On note une baisse du
NIHSS à quatre le lendemain matin, avec une récupération du langage parlé,
et un retour à domicile envisagé.

HTA
diabète
- tabac sevré
- alcool occasionnel
Poids : 72 kg
TRAITEMENT
aspirine le matin
"""


def test_paragraphs_broken_at_a_width_are_mended_and_lists_are_not() -> None:
    text = document(WRAPPED).text
    assert text.split("\n\n")[0].count("\n") == 0
    assert text.split("\n\n")[1] == WRAPPED.split("\n\n")[1]


@pytest.mark.parametrize(
    "source",
    [
        "Hb   13,1   12,0   11,4\nplaquettes   200   210   220\nleucocytes   8   9   7\n" * 3,
        "Leucocytes 7,8 G/L | Hémoglobine 131 g/L | VGM 88 fL | Plaquettes 219 G/L\nsuite | de | la | table",
        "MOTIF\nChute de sa hauteur\nANTÉCÉDENTS\nHTA, diabète\n",
        "Dr Martin, service de neurologie vasculaire, hôpital de la Vallée\n12 rue des Lilas\n38000 Ville",
        "",
        "Une seule ligne.",
    ],
)
def test_texts_that_need_nothing_are_returned_as_they_are(source: str) -> None:
    assert clean(source) == (source, None)


def test_headers_and_footers_repeated_on_pages_are_kept_once() -> None:
    page = "CHU de la Vallée – Neurologie\n{body}\nSecrétariat 04 00 00 00 00\nPage {n}/3\n"
    bodies = ["MOTIF\nAphasie brutale chez une patiente de", "81 ans, NIHSS 12.\nSORTIE", "NIHSS 12.\nDr Martin"]
    source = "\f".join(page.format(body=body, n=n) for n, body in enumerate(bodies, 1))
    text = document(source).text
    assert text.count("CHU de la Vallée") == text.count("Secrétariat") == 1
    assert "Page" not in text
    assert "\f" not in text
    assert text.count("NIHSS 12.") == 2  # what differs or stands in the middle is never removed
    assert located(source, "NIHSS 12.\nSORTIE") == "NIHSS 12.\nSORTIE"


def test_page_number_lines_without_form_feeds() -> None:
    source = "CHU X\nNIHSS 4 à l'entrée.\nPage 1 sur 2\nCHU X\nNIHSS 2 à la sortie.\nPage 2 sur 2\n"
    assert document(source).text == "CHU X\nNIHSS 4 à l'entrée.\nNIHSS 2 à la sortie."


def test_the_same_value_on_two_pages_is_told_from_a_header() -> None:
    source = "Visite J1\nNIHSS 4\nstable\f\nVisite J2\nNIHSS 6\nstable"
    text = document(source).text
    assert "NIHSS 4" in text
    assert "NIHSS 6" in text


@pytest.mark.parametrize(
    ("source", "words", "original"),
    [
        ("une pneumo-\npathie droite", "pneumopathie", "pneumo-\npathie"),
        ("in\ufb01ltration", "infiltration", "in\ufb01ltration"),
        ("in\ufb01ltration", "ltration", "ltration"),
        ("a\r\nb\r\nNIHSS\u00a09", "NIHSS 9", "NIHSS\u00a09"),
        ("\ufeffHTA", "HTA", "HTA"),
        (WRAPPED, "une baisse du NIHSS à quatre", "une baisse du\nNIHSS à quatre"),
    ],
)
def test_the_way_back(source: str, words: str, original: str) -> None:
    assert located(source, words) == original


WILD = st.text(
    alphabet=st.sampled_from("abcdefghéà ABC  \n\n\n\r\f-.,:;'’\u00a0\xad\ufb01\u0301\x00\x92/0123|\tPage"),
    max_size=300,
)


@given(WILD | st.text(max_size=200))
def test_every_character_comes_from_the_source_in_order(source: str) -> None:
    text, origins = clean(source)
    if origins is None:
        assert text == source
        return
    assert len(origins) == len(text)
    places = list(origins)
    assert all(a <= b for a, b in pairwise(places))
    assert all(0 <= place < len(source) for place in places)
    for character, place in zip(text, places, strict=True):
        if character.isalnum() and character.isascii() and source[place] != character:
            assert source[place] in "\ufb00\ufb01\ufb02\ufb03\ufb04\ufb05\ufb06" or not source[place].isalnum()


@given(st.text(alphabet="abcé AB\n\r-.,;\u00a0\xad012", max_size=300))
def test_without_pages_no_letter_or_digit_is_lost(source: str) -> None:
    assert [c for c in clean(source).text if c.isalnum()] == [c for c in source if c.isalnum()]


@given(
    st.text(alphabet="abcdef", min_size=1, max_size=30),
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 4), st.text(alphabet="XYZ", max_size=3)), max_size=5),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 4), st.text(alphabet="uvw", max_size=3)), max_size=5),
)
def test_two_maps_in_a_row_are_one_map(
    text: str, first: list[tuple[int, int, str]], second: list[tuple[int, int, str]]
) -> None:
    middle, to_text = apply(text, valid(first, len(text)))
    final, to_middle = apply(middle, valid(second, len(middle)))
    composed = to_text.after(to_middle)
    assert len(composed) == len(final)
    assert list(composed) == [to_text[to_middle[i]] for i in range(len(final))]


def valid(raw: list[tuple[int, int, str]], length: int) -> list[Edit]:
    """Edits that replace something, in order, without overlap."""
    edits: list[Edit] = []
    for start, size, new in sorted(raw):
        end = min(start + size, length)
        if start < end and (not edits or start >= edits[-1].end):
            edits.append(Edit(start, end, new))
    return edits


def test_positions_outside_are_refused() -> None:
    _, origins = apply("abc", [Edit(0, 1, "")])
    assert (origins[0], origins[-1]) == (1, 2)
    with pytest.raises(IndexError):
        origins[2]
