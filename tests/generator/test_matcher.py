"""Forms of the lexicon in a text: stars, gaps, endings, sentences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.rules.matcher import Matcher
from generator.rules.text import fold, spellings


def found(form: str, text: str) -> list[str]:
    matcher = Matcher({"it": [form]})
    return [text[hit.start : hit.end] for hit in matcher.find(fold(text), [(0, len(text))])]


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        ("HTA", "HTA et hta", ["HTA", "hta"]),
        ("HTA", "HTAP", []),
        ("thrombect*", "Thrombectomies faites", ["Thrombectomies"]),
        ("occlusion … M1", "Occlusion complète du segment M1", ["Occlusion complète du segment M1"]),
        ("mis* en évidence", "lésions mises en évidence", ["mises en évidence"]),
        ("mis* en évidence", "mise au point, en évidence", []),
        ("stent retriever", "stent-retriever", ["stent-retriever"]),
        ("œdème", "OEDEME", ["OEDEME"]),
        ("statine", "sous statines", ["statines"]),
        ("PA", "pas de fièvre", []),
        ("AG", "âge", []),
        ("pas d'", "pas d’hémorragie", ["pas d’"]),
        (": non", "HTA : non", [": non"]),
    ],
)
def test_a_form_in_a_text(form: str, text: str, expected: list[str]) -> None:
    assert found(form, text) == expected


def test_a_gap_is_short_and_stays_in_its_sentence() -> None:
    matcher = Matcher({"it": ["occlusion … M1"]})
    text = "Occlusion. M1 perméable."
    assert matcher.find(fold(text), [(0, 10), (11, len(text))]) == []
    far = "occlusion " + "x " * 40 + "M1"
    assert matcher.find(fold(far), [(0, len(far))]) == []


def test_a_form_with_an_empty_part_is_refused() -> None:
    with pytest.raises(ValueError, match="empty part"):
        Matcher({"it": ["occlusion …"]})


@given(st.text(max_size=80))
def test_folding_keeps_positions(text: str) -> None:
    assert len(fold(text)) == len(text)


@given(st.lists(st.sampled_from(["pas", "HTA", "père", "M1", "œdème", ",", ".", "-", "\n"]), max_size=25))
def test_one_pass_finds_what_a_search_by_form_finds(words: list[str]) -> None:
    forms = {"hta": ["HTA"], "m": ["M1"], "p": ["père"], "o": ["œdème"]}
    text = " ".join(words)
    together = {(hit.concept, hit.start, hit.end) for hit in Matcher(forms).find(fold(text), [(0, len(text))])}
    apart = {
        (name, at, at + len(spelling))
        for name, (form,) in forms.items()
        for spelling in spellings(form)
        for at in range(len(text))
        if fold(text).startswith(spelling, at)
    }
    assert together == apart
