import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retriever.lexical import LexicalIndex, tokens
from retriever.passages import passages


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Pas d'HTA ni de diabète", ["pas", "hta", "ni", "diabet"]),
        ("Il n'a jamais fumé", ["ne", "jam", "fum"]),
        ("Il n’y a aucune récidive, sans séquelle", ["ne", "aucun", "recid", "san", "sequel"]),
        ("non", ["non"]),
        ("L'IRM qu'elle a eue jusqu'à J1", ["irm", "eue", "jusqu", "j1"]),
        ("PA 160/90 mmHg", ["pa", "160/90", "mmhg"]),
        ("1,25 g/L", ["1.25", "g/l"]),
        ("IMC 27 kg/m², FEVG 55 %", ["imc", "27", "kg/m2", "fevg", "55", "%"]),
        ("NIHSS 14, TICI 2b, HbA1c 6.2", ["nihss", "14", "tic", "2b", "hba1c", "6.2"]),
        ("le 14/06/2021 à 09h30", ["14/06/2021", "09h30"]),
        ("cœur", ["coeur"]),
        ("", []),
    ],
)
def test_tokens(text, expected):
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ANTECEDENTS", "antécédents"),
        ("opérée", "opéré"),
        ("thrombolysée", "thrombolyse"),
        ("6,2", "6.2"),
        ("l’aphasie", "l'aphasie"),
        ("µmol/L", "μmol/l"),
        ("coeur", "cœur"),
    ],
)
def test_two_writings_of_one_word_are_one_token(one, other):
    assert tokens(one) == tokens(other) != []


@given(st.text(max_size=80))
def test_accents_composed_or_not_give_the_same_tokens(text):
    assert tokens(unicodedata.normalize("NFC", text)) == tokens(unicodedata.normalize("NFD", text))


def best(text: str, query: str, document) -> str:
    found = passages(document(text))
    return found[int(np.argmax(LexicalIndex(found).scores(query)))].text


def test_a_negation_can_be_searched(document):
    text = "# A\nDiabète de type 2 ancien.\n# B\nPas de diabète ce jour.\n"
    assert best(text, "pas de diabète", document).startswith("# B")


def test_no_shared_word_scores_zero(document):
    found = passages(document("# A\nAphasie.\n# B\nApyrétique.\n"))
    index = LexicalIndex(found)
    assert index.scores("thrombectomie").tolist() == [0, 0]
    assert index.scores("").tolist() == [0, 0]


def test_passages_without_a_word_can_be_indexed(document):
    assert LexicalIndex([]).scores("aphasie").shape == (0,)
    assert LexicalIndex(passages(document("---\n"))).scores("aphasie").tolist() == [0]
