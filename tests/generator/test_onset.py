# ruff: noqa: E501 (an annotated case reads best on its line)
"""Start of the symptoms and how it is known, under the stroke study."""

from __future__ import annotations

import pytest

from generator.rules.reader import RulesGenerator
from tests.generator.closed_questions import Note, fill, samu, summary, urgent

DAY, NEXT, OUT = "2022-03-08", "2022-03-09", "2022-03-15"
KNOWN, WAKING, UNKNOWN = "1", "2", "3"


CASES: list[tuple[str | None, str | None, list[Note]]] = [
    # ---- known
    ("2022-03-08 09:10", KNOWN, [urgent("Début brutal à 09h10 d'une hémiplégie gauche, devant son épouse.")]),
    ("2022-03-08 09:10", KNOWN, [urgent("HDM : à 9h10, alors qu'il jardinait, chute et faiblesse du bras droit.")]),
    ("2022-03-08 09:10", KNOWN, [urgent("Installation brutale d'une aphasie à 09h10. Arrivée 10h26.")]),
    ("2022-03-08 09:10", KNOWN, [urgent("HEURE DE DEBUT : 09H10     HEURE D'ARRIVEE : 10H26")]),
    ("2022-03-08 09:10", KNOWN, [urgent("Début des symptômes .......... 09:10\nArrivée ......... 10:26")]),
    ("2022-03-08 09:10", KNOWN, [urgent("Hémiparésie droite apparue brutalement vers 09h10 au marché.")]),
    ("2022-03-08 09:10", KNOWN, [urgent("Dysarthrie et déviation de la bouche depuis 9h10 (témoin : sa fille).")]),
    ("2022-03-08 09:10", KNOWN, [summary("Histoire : le 08/03 à 9 h 10, aphasie et déficit droit. Arrivée à 10 h 26.")]),
    ("2022-03-08 09:10", KNOWN, [urgent("9h10 : survenue d'un déficit de l'hémicorps gauche. 9h25 appel du 15.")]),
    ("2022-03-08 09:10", KNOWN, [
        samu("Début déclaré 09h30."),
        urgent("L'heure donnée au SAMU est celle de l'appel. Heure de début retenue : 09h10.")]),
    ("2022-03-08 09:10", KNOWN, [
        samu("Début des troubles vers 08h30 ?"), urgent("Début précisé par le mari : 09h10, paralysie du bras.")]),
    ("2022-03-07 21:40", KNOWN, [("urgences", DAY, "Arrivée 08h05. Hier soir à 21h40, vertige brutal et chute.")]),
    ("2022-03-06 19:45", KNOWN, [urgent("Dimanche 6/03 à 19h45, vertige brutal et vomissements. Consulte ce jour.")]),
    ("2022-03-08 14:25", KNOWN, [urgent(
        "Alerte intra-hospitalière. Entré ce matin à 07h45. Vu normal à 14h20, début constaté en direct à 14h25.")]),
    ("2022-03-08 23:40", KNOWN, [
        ("urgences", NEXT, "Arrivée 00h35. Début brutal hier à 23h40 : hémiplégie droite."),
        ("crh", OUT, "Hospitalisation du 09/03/2022 au 15/03/2022.")]),
    # ---- waking
    ("2022-03-07 22:30", WAKING, [urgent("Arrivée 8h12. Couché la veille à 22h30 sans déficit ; au réveil à 7h, hémiplégie G.")]),
    ("2022-03-07 23:00", WAKING, [urgent("Arrivée 08h12. AVC du réveil. Dernière fois vu normal hier à 23h00.")]),
    ("2022-03-08 03:10", WAKING, [urgent(
        "Réveil à 6h50 avec un bras inerte. S'était levée à 3h10, normale. On retient 3h10 et non 23h15.")]),
    ("2022-03-07 23:30", WAKING, [urgent("Wake-up stroke. LKW hier 23h30. Arrivée 07h50.")]),
    ("2022-03-07 22:00", WAKING, [summary(
        "AVC ischémique du réveil. Vue pour la dernière fois sans déficit le 07/03 à 22h00, déficit constaté au réveil à 7h.")]),
    (None, WAKING, [urgent("S'est réveillé ce matin avec une faiblesse du bras droit.")]),
    # ---- unknown
    ("2022-03-08 05:50", UNKNOWN, [urgent("Vu normal par son épouse à 05h50, retrouvé au sol à 11h20 par son fils.")]),
    ("2022-03-08 07:40", UNKNOWN, [urgent("Heure de début inconnue. Dernière fois vue normale à 7h40. Découverte à 9h15.")]),
    ("2022-03-08 07:40", UNKNOWN, [urgent(
        "Retrouvée à terre à 9h15 par l'infirmière. Contact téléphonique à 7h40 : allait bien. Horaire exact inconnu.")]),
    ("2022-03-07 20:00", UNKNOWN, [urgent(
        "Arrivée 11h. Vu bien hier à 20h00 par le voisin, retrouvé ce matin au pied du lit, habillé, donc pas du réveil.")]),
    ("2022-03-08 05:50", UNKNOWN, [summary("Heure de début indéterminée (vu asymptomatique le 08/03 à 05h50).")]),
    # ---- nothing, or nothing of the start
    (None, None, [urgent("Hémiplégie gauche. NIHSS 12 à 10h30. Scanner 10h45. Bolus 11h02.")]),
    (None, None, [urgent("Appel à 09h31, arrivée 10h26, examen à 10h30.")]),
    (None, None, [("cardiologie", "2021-05-02", "Début des palpitations à 14h10, spontanément résolutives."),
                  urgent("Hémiplégie gauche, NIHSS 12.")]),
]  # fmt: skip


@pytest.mark.parametrize(("when", "mode", "notes"), CASES)
def test_start_and_mode(stroke: RulesGenerator, when: str | None, mode: str | None, notes: list[Note]) -> None:
    found = fill(stroke, *notes)
    start = found["debut_symptomes"].value
    assert (start and f"{start:%Y-%m-%d %H:%M}", found["mode_debut"].value) == (when, mode)


def test_waking_from_anaesthesia_is_no_mode_of_onset(stroke: RulesGenerator) -> None:
    notes = [urgent("Début brutal à 09h10, aphasie."), ("crh", OUT, "Passage en salle de réveil, réveil calme.")]
    assert fill(stroke, *notes)["mode_debut"].value == KNOWN
