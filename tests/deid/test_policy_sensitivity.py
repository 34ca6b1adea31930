"""How much a sentence tells of who the patient is."""

import pytest

from rag.deid.sensitivity import Level, level_at, sentence_levels
from tests.deid.marked import marked


def level(written: str, **others: object) -> Level:
    text, entities = marked(written)
    (sentence,) = sentence_levels(text, [(0, len(text))], entities, **others)
    return sentence.level


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Dr [PRENOM Aline] [NOM Maubert]", Level.IDENTIFYING),
        ("[ADRESSE 3 rue du Cloître] – [ZIP 63200] [VILLE Riom]", Level.IDENTIFYING),
        (
            "Secrétariat ouvert du lundi au vendredi de neuf heures à seize heures : [TEL 04 73 00 18 42]",
            Level.IDENTIFYING,
        ),
        ("Mme [NOM Maubert] se plaint depuis une semaine de vertiges et de nausées matinales", Level.QUASI_IDENTIFYING),
        ("Fibrillation atriale découverte en [DATE mai 2016]", Level.QUASI_IDENTIFYING),
        ("Ancien menuisier, vit seul", Level.QUASI_IDENTIFYING),
        ("Sa sœur est diabétique", Level.QUASI_IDENTIFYING),
        ("PA 165/90 mmHg, apyrétique", Level.CLINICAL),
        ("bisoprolol 2,5 mg le matin", Level.CLINICAL),
        ("Je vous remercie de votre confiance", Level.GENERAL),
    ],
)
def test_levels(written: str, expected: Level) -> None:
    assert level(written) is expected


def test_a_section_that_tells_of_the_illness_is_clinical() -> None:
    assert level("Hypertension ancienne", clinical=[(0, 10)]) is Level.CLINICAL
    assert level("Hypertension ancienne", clinical=[(5, 10)]) is Level.GENERAL


def test_an_old_age_tells_of_the_person() -> None:
    assert level("Patiente de 94 ans", old_ages=[(12, 14)]) is Level.QUASI_IDENTIFYING
    assert level("Patiente de 54 ans") is Level.GENERAL


def test_a_position_has_the_level_of_its_sentence() -> None:
    text = "Merci.\nPA 12/8 mmHg.\n"
    levels = sentence_levels(text, [(0, 6), (7, 20)], [])
    assert [level_at(levels, place) for place in (0, 6, 7, 20)] == [Level.GENERAL] * 2 + [Level.CLINICAL] * 2
    assert level_at([], 3) is Level.GENERAL
