"""What the trained tagger adds to the rules."""

import pytest

from rag.deid.context import PersonCues
from rag.deid.gazetteer import gazetteer
from rag.deid.tagged import TagFilter
from rag.deid.tokens import tokenize
from schema.phi import PhiEntity, PhiLabel


@pytest.fixture(scope="module")
def chooser():
    cues = PersonCues.load()
    return TagFilter(gazetteer(), cues.stops | cues.titles)


def added(chooser, text, *tagged, taken=(), capitals=True):
    """What is left of the tagged words, as text."""
    spans = [PhiEntity(text.index(word), text.index(word) + len(word), label) for word, label in tagged]
    stretches = [(text.index(word), text.index(word) + len(word)) for word in taken]
    found = chooser.additions(text, tokenize(text), spans, stretches, capitals)
    return [(text[entity.start : entity.end], entity.label) for entity in found]


NOM, PRENOM, VILLE, HOPITAL = PhiLabel.NOM, PhiLabel.PRENOM, PhiLabel.VILLE, PhiLabel.HOPITAL


@pytest.mark.parametrize(
    ("text", "word", "label"),
    [
        ("Appel de Kerzhulot hier", "Kerzhulot", NOM),
        ("Vu avec Wojtaszek", "Wojtaszek", NOM),
        ("transfert à Valmesnil demain", "Valmesnil", VILLE),
        ("suivie à Sainte-Odinelle", "Sainte-Odinelle", HOPITAL),
        ("dossier 8017734920 reçu", "8017734920", PhiLabel.IPP),
        ("faxé au 02 97 00 41", "02 97 00 41", PhiLabel.TEL),
        ("C1 le 25/6 puis", "25/6", PhiLabel.DATE),
        ("fini le dix-sept avril 2019", "dix-sept avril 2019", PhiLabel.DATE),
        ("habite La Petite Brandière", "La Petite Brandière", PhiLabel.ADRESSE),
        ("joindre a.b@labo.example", "a.b@labo.example", PhiLabel.MAIL),
    ],
)
def test_what_identifies_is_added(chooser, text, word, label):
    assert [covered for _, covered in added(chooser, text, (word, label))] == [label]


@pytest.mark.parametrize(
    ("text", "word", "label"),
    [
        ("Babinski droit, Rankin 2", "Babinski", NOM),
        ("signe de Claude Bernard-Horner", "Claude Bernard-Horner", NOM),
        ("Kardégic 75 mg", "Kardégic", NOM),
        ("Son épouse dort", "Son", NOM),
        ("M. est parti", "M.", PRENOM),
        ("vertige à G depuis hier", "G", VILLE),
        ("avis NRI demandé", "NRI", NOM),
        ("la clinique est bonne", "clinique", HOPITAL),
        ("une voix pâteuse", "voix", VILLE),
        ("----- page 2", "-----", PhiLabel.MAIL),
        ("poste 12", "12", PhiLabel.TEL),
        ("Tinetti 20/28", "20/28", PhiLabel.DATE),
        ("pèse 3120 g", "3120", PhiLabel.DATE),
        ("il reste sur place", "sur place", PhiLabel.ADRESSE),
        ("droitier, marié", "oitier", NOM),
    ],
)
def test_what_does_not_is_left(chooser, text, word, label):
    assert added(chooser, text, (word, label)) == []


def test_titles_at_the_ends_are_left_out(chooser):
    assert added(chooser, "Dr Kerzhulot, vu", ("Dr Kerzhulot,", NOM)) == [("Kerzhulot", NOM)]


def test_what_a_rule_found_is_kept_and_the_rest_is_added(chooser):
    text = "Marie-Ange Thévenot de Brialmont, PH"
    assert added(chooser, text, ("Thévenot de Brialmont", NOM), taken=["Thévenot"]) == [("Brialmont", NOM)]
    assert added(chooser, text, ("Thévenot", NOM), taken=["Thévenot"]) == []


def test_names_glued_to_each_other_are_kept(chooser):
    text = "KERZHULOTSOAZIG née"
    assert added(chooser, text, ("KERZHULOT", NOM), ("SOAZIG", PRENOM)) == [("KERZHULOT", NOM), ("SOAZIG", PRENOM)]


def test_a_text_without_capitals_keeps_names_in_small_letters(chooser):
    assert added(chooser, "vu avec kerzhulot ce jour", ("kerzhulot", NOM), capitals=False) == [("kerzhulot", NOM)]
