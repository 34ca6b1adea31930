"""A patient's documents read together: what one tells is found in the others. And what must hold on any text."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rag.deid.detect import Detector
from rag.deid.merge import Candidate, Rank, merge
from schema.phi import KnownIdentity, PhiLabel
from tests.deid.annotated import detected, documents, write


def test_a_name_is_found_in_the_other_documents_of_the_patient() -> None:
    record = [
        "Mme [Zoubkova](NOM) [Libuse](PRENOM), née le [03/11/1939](DATE_NAISSANCE)",
        "La patiente [ZOUBKOVA](NOM) est calme",
        "Pour [Libuse](PRENOM) il faut un pilulier",
        "madame [zoubkova](NOM) dort",
        "revue le [3 novembre 1939](DATE_NAISSANCE)",
        "[Zoubkowa](NOM) ce matin",
        "prévenir [L.](PRENOM)[Z.](NOM)",
    ]
    assert detected(Detector(), record) == record


def test_a_name_that_is_a_word_needs_its_place() -> None:
    record = [
        "M. [PETIT](NOM) [Sébastien](PRENOM)",
        "Petit infarctus, petit foyer, lésion de petite taille",
        "Monsieur [Petit](NOM) marche",
        "revu avec [PETIT](NOM) ce jour",
    ]
    assert detected(Detector(), record) == record


def test_a_patient_called_like_a_scale() -> None:
    record = [
        "Patiente : Mme [RANKIN](NOM) [Margaret](PRENOM)",
        "score de Rankin à 3, Rankin modifié 4",
        "dossier [RANKIN](NOM) [Margaret](PRENOM)",
    ]
    assert detected(Detector(), record) == record


def test_a_town_and_a_hospital_are_found_again() -> None:
    record = [
        "[15 boulevard des Coteaux](ADRESSE) – [38400](ZIP) [VALSERRE](VILLE)",
        "[CHU BELLEVUE](HOPITAL) [VALSERRE](VILLE)\nNEUROLOGIE",
        "[CH de Saint-Loup](HOPITAL), transfert",
        "thrombolyse faite depuis [Saint-Loup](HOPITAL)",
    ]
    assert detected(Detector(), record) == record


def test_what_the_warehouse_knows_is_found_in_any_writing() -> None:
    identity = KnownIdentity(
        "p",
        (
            (PhiLabel.NOM, "Vaugrenard"),
            (PhiLabel.PRENOM, "Eudoxie"),
            (PhiLabel.DATE_NAISSANCE, "1939-11-03"),
            (PhiLabel.TEL, "0473001842"),
            (PhiLabel.IPP, "8004417290"),
            (PhiLabel.ADRESSE, "4 venelle aux Chats"),
        ),
    )
    record = [
        "la dame [vaugrenard](NOM) et [EUDOXIE](PRENOM)",
        "jour [03-11-39](DATE_NAISSANCE)",
        "[04.73.00.18.42](TEL) ou [8004417290](IPP)",
        "vit [4, venelle aux chats](ADRESSE)",
    ]
    assert detected(Detector(), record, identity) == record


def test_masked_text_is_left_alone() -> None:
    texts = [
        "Dr <NOM> a vu [PRENOM] le XXXX",
        "M. *** né le ***, tel ___",
        "Mme XXX, <DATE_NAISSANCE>",
        "IPP : XXXXXXXX",
    ]
    assert detected(Detector(), texts) == texts


def test_texts_without_capitals() -> None:
    sentence = (
        "compte rendu concernant mme [kermadec](NOM) [odette](PRENOM), vue par dr [s.](PRENOM) [chastagnier](NOM) "
        "pour une chute a domicile sans perte de connaissance, sa fille [simone](PRENOM) est prevenue"
    )
    assert detected(Detector(), [sentence]) == [sentence]


def test_one_patient_does_not_inform_another() -> None:
    detector = Detector()
    detector.detect(documents(["Mme Zoubkova"]))
    assert detected(detector, ["zoubkova"]) == ["zoubkova"]


def test_the_better_rank_then_the_longer_span_wins() -> None:
    label = PhiLabel.NOM
    kept = merge(
        [
            Candidate(0, 5, label, Rank.WEAK),
            Candidate(3, 9, label, Rank.CUED),
            Candidate(3, 12, label, Rank.CUED),
            Candidate(20, 25, label, Rank.WEAK),
            Candidate(30, 35, label, Rank.KNOWN),
        ],
        blocked=[(33, 34)],
    )
    assert [(entity.start, entity.end) for entity in kept] == [(3, 12), (20, 25)]


_PIECES = st.sampled_from(
    [
        *(
            "Dr ",
            "Mme ",
            "M. ",
            "PETIT",
            "Rankin",
            "né le ",
            "12/03/1950",
            "\n",
            " – ",
            "(",
            ")",
            "IPP : ",
            "8004417290",
        ),
        *(
            "rue ",
            "3 ",
            "63000 ",
            "Riom",
            "CHU de ",
            "d'",
            "L'",
            "J.-P. ",
            "é",
            "\u0301",
            "ﬁ",
            "😀",
            "\u00a0",
            "\t",
            "@",
        ),
        *(
            "http://",
            "|0|1|2|",
            "1 2 3 4 5 6 7 8",
            "XXX",
            "<NOM>",
            "mai ",
            "juln ",
            "deux ",
            ",",
            ";",
            "née ",
            "fille ",
        ),
        *("IDE ", "à ", "0", "l", "-", "'", "GRAND1N"),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.lists(_PIECES, max_size=25).map("".join), st.text(max_size=80)), min_size=1, max_size=3))
def test_any_text_gives_sorted_spans_inside_it_without_overlap(texts: list[str]) -> None:
    found = Detector().detect(documents(texts))
    assert len(found) == len(texts)
    for text, entities in zip(texts, found, strict=True):
        place = 0
        for entity in entities:
            assert place <= entity.start < entity.end <= len(text)
            assert text[entity.start : entity.end].strip()
            place = entity.end
        assert write(text, entities) or not text


@settings(max_examples=60, deadline=None)
@given(st.lists(_PIECES, max_size=25).map("".join))
def test_the_same_text_gives_the_same_spans(text: str) -> None:
    assert Detector().detect(documents([text])) == Detector().detect(documents([text]))
