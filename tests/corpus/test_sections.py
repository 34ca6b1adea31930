"""Titles in every form give the same sections; what is not a title gives none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.corpus.sections import find_sections
from rag.corpus.sentences import sentences
from schema.document import Section


def kinds(text: str) -> list[str]:
    return [section.kind for section in find_sections(text)]


def bodies(text: str) -> dict[str, str]:
    return {s.kind: text[s.body_start : s.end].strip() for s in find_sections(text)}


@pytest.mark.parametrize(
    "text",
    [
        "ANTÉCÉDENTS\nHTA, FA",
        "Antécédents\nHTA, FA",
        "ATCD : HTA, FA",
        "Atcd: HTA, FA",
        "2. ANTÉCÉDENTS\nHTA, FA",
        "II - Antécédents :\nHTA, FA",
        "3) Antécédents médicaux\nHTA, FA",
        "**Antécédents**\nHTA, FA",
        "**Antécédents :** HTA, FA",
        "## Antécédents\nHTA, FA",
        "ANTECEDENTS\n-----------\nHTA, FA",
        "Antécédents. HTA, FA",
        "• Antécédents médico-chirurgicaux : HTA, FA",
        "ANTECEDANTS :\nHTA, FA",
        "  ANTÉCÉDENTS PERSONNELS\n\nHTA, FA",
        "Antécédents (selon la fille) : HTA, FA",
    ],
)
def test_forms_of_a_title(text: str) -> None:
    assert bodies(text) == {"antecedents": "HTA, FA"}


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Motif d'hospitalisation", "motif"),
        ("Facteurs de risque cardio-vasculaires", "facteurs_risque"),
        ("FDRCV", "facteurs_risque"),
        ("Antécédents familiaux", "antecedents_familiaux"),
        ("Allergies", "allergies"),
        ("MODE DE VIE", "mode_de_vie"),
        ("TTT PERSO", "traitement_entree"),
        ("Traitement à l’entrée", "traitement_entree"),
        ("Traitement habituel au domicile", "traitement_entree"),
        ("HDM", "histoire"),
        ("Histoire de la maladie", "histoire"),
        ("EXAMEN CLINIQUE À L'ENTRÉE", "examen"),
        ("Examen 10h30", "examen"),
        ("Examens complémentaires", "examens_complementaires"),
        ("Bilan biologique d'entrée", "biologie"),
        ("Imagerie cérébrale", "imagerie"),
        ("RENSEIGNEMENTS CLINIQUES", "indication"),
        ("Technique", "technique"),
        ("Résultats", "resultats"),
        ("AU TOTAL", "conclusion"),
        ("Synthèse", "conclusion"),
        ("Évolution dans le service", "evolution"),
        ("CAT", "conduite_a_tenir"),
        ("Ordonnance de sortie", "traitement_sortie"),
        ("Traitement de sortie", "traitement_sortie"),
        ("Devenir", "devenir"),
    ],
)
def test_kinds(title: str, kind: str) -> None:
    assert kinds(f"{title}\nle texte") == [kind]
    assert kinds(f"{title} : le texte") == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "Examen, puis retour à domicile.",
        "Examen du 14/06/2021 à 10h52 – prescripteur : Dr Martin",
        "Séjour du 05/03/2023 au 14/03/2023",
        "Autonomie complète.",
        "Traitement bien toléré.",
        "évolution favorable",
        "PA : 165/90\nFLAIR : hypersignal",
        "Imagerie – CHU de la Vallée",
        "COMPTE RENDU D'HOSPITALISATION\nle texte",
    ],
)
def test_what_is_no_title(text: str) -> None:
    assert kinds(text) == [""]


def test_sections_touch_and_keep_their_order() -> None:
    text = "CHU\n\nMOTIF\nChute.\n\nANTÉCÉDENTS\nHTA.\n\nCONCLUSION\nRas.\n"
    assert find_sections(text) == (
        Section("", "", 0, 0, 5),
        Section("MOTIF", "motif", 5, 10, 19),
        Section("ANTÉCÉDENTS", "antecedents", 19, 30, 37),
        Section("CONCLUSION", "conclusion", 37, 47, 53),
    )


def test_titles_within_a_line() -> None:
    text = "ATCD : HTA. TTT : aspirine 75. Allergies : 0"
    assert bodies(text) == {"antecedents": "HTA.", "traitement_entree": "aspirine 75.", "allergies": "0"}


def test_treatment_means_what_the_sections_before_it_make_it() -> None:
    assert kinds("Antécédents\nHTA\nTraitement\naspirine") == ["antecedents", "traitement_entree"]
    assert kinds("Évolution\nbonne\nTraitement\naspirine") == ["evolution", "traitement_sortie"]
    assert kinds("Anesthésie\nlocale\nTraitement\nstent") == ["technique", "technique"]


def test_a_section_on_the_line_of_its_title_ends_with_the_paragraph() -> None:
    text = "Antécédents : HTA.\ndiabète.\n\nJe revois ce patient qui va bien.\n\nÉvolution : bonne.\n\nSort demain."
    assert kinds(text) == ["antecedents", "", "evolution"]
    assert bodies(text)["antecedents"] == "HTA.\ndiabète."
    assert bodies(text)["evolution"] == "bonne.\n\nSort demain."
    assert kinds("Antécédents\n\nHTA\n\ndiabète") == ["antecedents"]  # the title has its own line
    assert kinds("Antécédents : dans l'ordre\n\n- HTA\n\n- diabète") == ["antecedents"]  # a list goes on


def test_a_line_of_capitals_after_a_blank_line_is_a_title() -> None:
    text = "MOTIF\nchute\n\nSANS INJECTION\nnormal\n\nDR MARTIN\n\nDUPONT A\n"
    assert [(s.title, s.kind) for s in find_sections(text)] == [("MOTIF", "motif"), ("SANS INJECTION", "")]


def test_an_opening_concludes() -> None:
    assert kinds("Il va bien.\n\nAu total, AVC mineur.") == ["", "conclusion"]


NOTE_TEXT = st.lists(
    st.sampled_from(
        [
            "ATCD : HTA.",
            "CONCLUSION",
            "",
            "Dr. A. Bon va bien.",
            "- un\n- deux",
            "**Motif** : x",
            "SANS IV",
            "1. 2",
            "----",
        ]
    )
    | st.text(alphabet="aBé .:\n–-*1", max_size=20),
    max_size=12,
).map("\n".join)


@given(NOTE_TEXT | st.text(max_size=100))
def test_sections_cover_the_text_and_sentences_stay_inside(text: str) -> None:
    sections = find_sections(text)
    assert [s.start for s in sections] == [0, *(s.end for s in sections[:-1])][: len(sections)]
    assert not text or sections[-1].end == len(text)
    assert all(s.start <= s.body_start <= s.end for s in sections)
    found = sentences(text, sections)
    position = 0
    for start, end in found:
        assert position <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        assert not text[position:start].strip()
        assert sum(s.start <= start < s.end and end <= s.end for s in sections) == 1
        position = end
    assert not text[position:].strip()
