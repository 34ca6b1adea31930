"""Scores, quantities, pressures, grades, counts, body mass and civil status, under the stroke study."""

# ruff: noqa: E501 (one case on one line)

from __future__ import annotations

import pytest

from generator.rules.reader import RulesGenerator
from schema.value import Status, Value
from tests.generator.closed_questions import Note, angio, fill, lab, letter, samu, summary, urgent, visit

DAY, NEXT = "2022-03-08", "2022-03-09"


NIHSS, DAY1, EXIT = "nihss_admission", "nihss_24h", "nihss_sortie"
CASES: list[tuple[str, Value | None, list[Note]]] = [
    # scores at admission
    (NIHSS, 12, [urgent("NIHSS = 12.")]),
    (NIHSS, 12, [urgent("Score NIHSS côté à 12/42 à l'arrivée.")]),
    (NIHSS, 12, [urgent("On retient un NIHSS de douze.")]),
    (NIHSS, 12, [urgent("SCORE NIHSS A L'ENTREE : 12")]),
    (NIHSS, 8, [urgent("NIHSS\n1a 0 / 1b 0 / 1c 0 - oculo 0 - CV 1 - face 1\nMSG 2 / MSD 0 - MIG 2 / MID 0\nlangage 1 - dysarthrie 1\nTOTAL 8")]),
    (NIHSS, 12, [samu("NIHSS 16 sur place."), urgent("NIHSS 12 à l'arrivée.")]),
    (NIHSS, 12, [urgent("NIHSS SMUR 16. À l'arrivée, NIHSS 12.")]),
    (NIHSS, 12, [urgent("AVC en 2015 (NIHSS 3 à l'époque). Ce jour NIHSS 12.")]),
    (NIHSS, 12, [urgent("NIHSS 12."), ("imagerie", DAY, "Indication : hémiplégie gauche, NIHSS 14.")]),
    (NIHSS, 12, [urgent("NIHSS 12."), summary("EXAMEN À L'ENTRÉE\nNIHSS 12. PA 150/80.\nÉVOLUTION\nNIHSS 5 à la sortie.")]),
    (NIHSS, None, [samu("NIHSS 16 sur place.")]),
    (NIHSS, None, [urgent("NIHSS non coté.")]),
    (NIHSS, None, [urgent("Thrombolyse si NIHSS > 5.")]),
    # the next day, the exit, trends
    (DAY1, 4, [urgent("NIHSS 12."), summary("ÉVOLUTION\nNIHSS 4 à 24 heures, 2 à la sortie.")]),
    (EXIT, 2, [urgent("NIHSS 12."), summary("ÉVOLUTION\nNIHSS 4 à 24 heures, 2 à la sortie.")]),
    (DAY1, 9, [urgent("NIHSS 12."), summary("ÉVOLUTION\nNIHSS 9 à H24, 3 le 15/03.")]),
    (EXIT, 3, [urgent("NIHSS 12."), summary("ÉVOLUTION\nNIHSS 9 à H24, 3 le 15/03.")]),
    (DAY1, 9, [urgent("NIHSS 12."), ("soins", "2022-03-11", "08/03 22h\nDort.\n09/03 8h\nVisite : NIHSS 9.\n10/03\nNIHSS 7.")]),
    (DAY1, 20, [urgent("NIHSS 16."), summary("ÉVOLUTION\nAggravation à H20 : NIHSS 16 -> 20.")]),
    (DAY1, 12, [urgent("NIHSS 12."), ("soins", NEXT, "NIHSS inchangé.")]),
    (EXIT, 2, [urgent("NIHSS 12."), summary("ÉVOLUTION\nNIHSS 4 à J1. Le langage se corrige. À la sortie le score est de 2.")]),
    (DAY1, 2, [urgent("NIHSS 12."), ("soins", NEXT, "J1 : NIHSS : 2 (HLH partielle 1, sensitif 1)")]),
    (EXIT, None, [urgent("NIHSS 12."), summary("ÉVOLUTION\nBonne récupération.")]),
    # Rankin: before, at three months, death
    ("mrs_pre", 1, [urgent("Autonome, mRS antérieur à 1.")]),
    ("mrs_pre", 0, [urgent("mRS 0, travaille à temps plein.")]),
    ("mrs_pre", None, [urgent("Hémiplégie."), visit("Score de Rankin modifié : 3.")]),
    ("mrs_3mois", 3, [urgent("mRS 0."), visit("Score de Rankin modifié ce jour : 3.")]),
    ("mrs_3mois", 3, [urgent("mRS 0."), visit("Sorti de rééducation le 2 mai avec un Rankin à 4. Aujourd'hui Rankin à 3.")]),
    ("mrs_3mois", 6, [urgent("mRS 0."), ("crh", "2022-03-12", "Hospitalisation du 08/03/2022 au 12/03/2022. Décès le 12 mars 2022 à 4h40.")]),
    ("mrs_3mois", None, [urgent("mRS 0."), ("consultation", "2022-04-10", "Rankin à 2.")]),
    # imaging scores and counts
    ("aspects", 8, [("imagerie", DAY, "ASPECTS 8/10.")]),
    ("aspects", 6, [("imagerie", DAY, "Score ASPECTS-diffusion : 6")]),
    ("aspects", None, [("imagerie", DAY, "pc-ASPECTS estimé à 8.")]),
    ("nb_passages", 3, [angio("Premier passage : aspiration. Deuxième passage : échec. 3e passage : TICI 3.")]),
    ("nb_passages", 2, [angio("Recanalisation TICI 3 après deux passages.")]),
    ("nb_passages", 1, [angio("TICI 3 en un seul passage.")]),
    ("nb_passages", 4, [angio("Deux passages d'aspiration puis deux passages de stent. Nombre de passages : 4")]),
    ("tici_final", "2b", [angio("TICI 0 initial. 1er passage : TICI 2a. Contrôle final : mTICI 2b.")]),
    ("tici_final", "3", [angio("SCORE TICI FINAL : 3")]),
    ("tici_final", None, [angio("Thrombectomie difficile.")]),
    # laboratory
    ("glycemie_admission", 8.1, [urgent("Glycémie veineuse 1,46 g/L.")]),
    ("glycemie_admission", 8.1, [urgent("Glycémie 8,1 mmol/l")]),
    ("glycemie_admission", 12.6, [urgent("Glycémie capillaire 2,41 g/L."), ("biologie", DAY, "Glucose (mmol/L)     12,6")]),
    ("glycemie_admission", None, [urgent("Glycémie normale au lecteur.")]),
    ("ldl", 3.2, [urgent("Hémiparésie."), lab("LDL 1,24 g/L (N < 1,60)")]),
    ("ldl", 3.4, [urgent("Hémiparésie."), lab("LDL calculé (Friedewald) ........ 3,4 mmol/L")]),
    ("ldl", 3.2, [letter("LDL 0,98 g/L"), urgent("Hémiparésie."), lab("LDL 1,24 g/L")]),
    ("ldl", None, [urgent("Hémiparésie."), summary("TRAITEMENT DE SORTIE\nAtorvastatine 80 (objectif LDL < 0,55 g/L).")]),
    ("hba1c", 6.9, [urgent("Hémiparésie."), lab("HbA1c (HPLC) 6,9 % - 52 mmol/mol")]),
    ("hba1c", None, [urgent("Hémiparésie."), summary("BIOLOGIE\nHbA1c : 8,1 % en mars 2021, non recontrôlée.")]),
    ("hba1c", 7.2, [urgent("Hémiparésie."), ("biologie", "2022-03-10", "                    08/03/2022    09/03/2022    Réf.\nHbA1c (%)                             7,2        <6\nCRP                       4            11        <5")]),
    ("fevg", 52, [urgent("Hémiparésie."), summary("EXAMENS COMPLÉMENTAIRES\nETT 10/03 : FEVG 50-55 %.")]),
    ("fevg", 57, [urgent("Hémiparésie."), summary("EXAMENS COMPLÉMENTAIRES\nFraction d'éjection entre 55 et 60 %.")]),
    ("fevg", None, [letter("FEVG 45 %"), urgent("Hémiparésie.")]),
    # pressure
    ("pas_admission", 165, [urgent("PA 165/90 mmHg, FC 80.")]),
    ("pas_admission", 160, [urgent("TA 16/9 aux deux bras")]),
    ("pas_admission", 190, [urgent("La pression artérielle est mesurée à 19/10.")]),
    ("pas_admission", 184, [urgent("PA 184/90 puis 171/86 après cinq minutes.")]),
    ("pas_admission", 176, [urgent("SMUR : PA 198/104. À l'arrivée : PA 176/95.")]),
    ("pas_admission", 172, [urgent("PAS : 172 mmHg")]),
    ("pas_admission", None, [urgent("Objectif PA < 185/110.")]),
    ("pas_admission", None, [urgent("Pas de fièvre, pas de douleur. Force 4/5.")]),
    # body mass
    ("taille_poids_imc", 29.0, [urgent("Poids 92 kg (lit-balance)."), ("soins", "2022-03-11", "Taille 1,78 m.")]),
    ("taille_poids_imc", 32.1, [letter("94 kg pour 1,71 m (IMC 32,1)"), urgent("Hémiparésie.")]),
    ("taille_poids_imc", 24.7, [urgent("80 kg, 1m80")]),
    ("taille_poids_imc", None, [urgent("Altéplase 0,9 mg/kg ; poids 80 kg.")]),
    # civil status
    ("age", 81, [urgent("Mme Blanc, née le 03/11/1940, adressée pour aphasie.")]),
    ("age", 81, [urgent("DDN : 03.11.1940")]),
    ("age", 67, [urgent("Patient de 67 ans, père décédé à 74 ans.")]),
    ("age", None, [urgent("Hémiplégie. Père : AVC à 74 ans.")]),
    ("sexe", "2", [urgent("Patiente de 67 ans, adressée par son mari M. Durand.")]),
    ("sexe", "1", [urgent("M. DURAND Paul, né le 03/11/1940. Épouse prévenue.")]),
    ("sexe", None, [urgent("Hémiplégie gauche.")]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "expected", "notes"), CASES, ids=lambda item: str(item)[:60])
def test_value_and_quote(stroke: RulesGenerator, name: str, expected: Value | None, notes: list[Note]) -> None:
    value = fill(stroke, *notes)[name]
    assert value.value == expected
    texts = {f"P1-{rank}": text for rank, (_, _, text) in enumerate(notes)}
    for evidence in value.evidence:
        assert texts[evidence.document_id][evidence.start : evidence.end] == evidence.quote
    if expected is None:
        assert value.status in (Status.NOT_MENTIONED, Status.CONFLICTING)


def test_two_documents_that_disagree_are_both_cited(stroke: RulesGenerator) -> None:
    biology = [lab("LDL 1,24 g/L"), ("biologie", "2022-03-10", "LDL 0,80 g/L")]
    value = fill(stroke, urgent("Hémiparésie."), *biology)["ldl"]
    assert value.status is Status.CONFLICTING
    assert set(value.candidates) == {3.2, 2.1}
    assert {evidence.document_id for evidence in value.evidence} == {"P1-1", "P1-2"}


def test_a_derived_value_cites_every_source(stroke: RulesGenerator) -> None:
    value = fill(stroke, urgent("Poids 92 kg."), ("soins", "2022-03-11", "Taille 1,78 m."))["taille_poids_imc"]
    assert [evidence.document_id for evidence in value.evidence] == ["P1-0", "P1-1"]
