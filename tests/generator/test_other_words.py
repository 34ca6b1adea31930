"""What looks like an answer and is another's: doses of the stay, a relative's drugs, another unit, an earlier refusal."""

# ruff: noqa: E501 (one case on one line)

from __future__ import annotations

import pytest

from generator.rules.reader import RulesGenerator
from tests.generator.closed_questions import DAY, Note, angio, fill, imaging, summary, urgent


def stay(text: str) -> Note:
    return ("consultation d'anesthésie", "2022-03-11", text)


def referral(text: str) -> Note:
    return ("courrier médecin traitant", DAY, text)


def geriatrics(text: str) -> Note:
    return (
        "crh",
        "2022-04-05",
        f"Court séjour gériatrique. Entré le 15/03/2022, sorti le 05/04/2022. Chute le 28/03/2022.\n{text}",
    )


# fmt: off
CASES: list[tuple[str, str | None, list[Note]]] = [
    # doses of the stay are not the treatment of home
    ("antiagregant_pre", "0", [urgent("TTT : aucun.\nFDR : HTA.\nCharge aspirine 300 + clopidogrel 300 à 11h10.")]),
    ("antiagregant_pre", "0", [urgent("Ttt : 0.\nFDR : HTA, tabac.\nDose de charge de Kardégic 300 à 9h40")]),
    ("antiagregant_pre", "1", [urgent("FDR : HTA. Prise en charge : IRM. Traitement : aspirine 75.")]),
    ("anticoagulant_pre", "0", [urgent("Traitement : aspirine 75."), stay("Traitement actuel : aspirine 75, énoxaparine 4000 UI/j")]),
    ("anticoagulant_pre", "0", [urgent("Traitement : aspirine 75."), stay("Traitement en cours : Lovenox 0,4, aspirine")]),
    ("antiagregant_pre", "1", [referral("Ordonnance : metformine 1000 x 2, aspirine 75, irbésartan 300.")]),
    ("anticoagulant_pre", "0", [referral("Ordonnance : metformine 1000 x 2, aspirine 75, irbésartan 300.")]),
    ("antiagregant_pre", "0", [urgent("L'ordonnance comporte : Préviscan, bisoprolol, ramipril. Rien d'autre.")]),
    ("anticoagulant_pre", "0", [urgent("Traitement : aspirine."), summary("L'ordonnance comporte : apixaban 5 x 2, bisoprolol.")]),
    # a relative's drugs
    ("anticoagulant_pre", "0", [urgent("Traitement : aspirine, Tahor, boîte de XARELTO 20 mg (au nom du mari).")]),
    ("anticoagulant_pre", "0", [urgent("Traitement : aspirine, Tahor.\nBoîte d'Eliquis appartenant à son épouse.")]),
    ("anticoagulant_pre", "2", [urgent("Traitement (liste donnée par l'épouse) : Eliquis 5 x 2, bisoprolol.")]),
    # at discharge
    ("antithrombotique_sortie", "1", [summary("Traitement de sortie : aspirine 75 mg ; clopidogrel envisagé puis non retenu. Tahor 80.")]),
    ("antithrombotique_sortie", "3", [urgent("Hémiplégie droite."), summary("Traitement de transfert : apixaban 2,5 mg x 2."), geriatrics("L'apixaban est arrêté le 01/04/2022.")]),
    ("destination", "3", [urgent("Hémiplégie droite."), summary("Muté ce jour au court séjour gériatrique."), geriatrics("Retour à la maison avec HAD.")]),
    ("destination", "2", [urgent("Hémiplégie droite."), summary("Sortie vers le SMR des Pins."), geriatrics("Sortie à domicile.")]),
    # the index stroke among the history
    ("atcd_avc_ait", "0", [urgent("Hémiplégie gauche."), stay("ATCD : HTA, DT2, AVC ischémique hémisphérique D le 07/03."), summary("Infarctus sylvien.")]),
    ("atcd_avc_ait", "0", [summary("Aucun épisode neurologique antérieur."), stay("ATCD : HTA, AVC ischémique le 08/03.")]),
    ("atcd_avc_ait", "1", [stay("ATCD : HTA, AVC ischémique le 12/06/2019.")]),
    # refusals
    ("thrombolyse", "0", [urgent("L'anticoagulation interdit la fibrinolyse.")]),
    ("thrombolyse", "0", [summary("L'INR interdisait toute thrombolyse.")]),
    ("thrombolyse", "1", [summary("Rien n'interdisait la thrombolyse, faite à 10h12.")]),
    # tobacco
    ("tabac", "1", [urgent("Il a fumé la pipe, abandonnée en 1998.")]),
    ("tabac", "1", [urgent("A fumé 20 ans.")]),
    ("tabac", "0", [urgent("N'a jamais fumé.")]),
    ("tabac", "2", [urgent("Tabac 40 PA, fumait jusqu'au jour de l'entrée.")]),
    ("tabac", "2", [urgent("A fumé jusqu'à l'hospitalisation, 30 PA.")]),
    ("tabac", "1", [urgent("Fumait jusqu'en 2005.")]),
    # first imaging
    ("imagerie_initiale", "1", [imaging("IRM à 10h58 : infarctus."), ("feuille de surveillance", DAY, "09h15 départ scanner")]),
    # what stands beside the occlusion
    ("site_occlusion", "5", [imaging("Site : P1 droite occluse   Vertébrale droite : dissection V3")]),
    ("site_occlusion", "5", [imaging("Occlusion P1 droite, embolique sur dissection vertébrale droite V3.")]),
    ("site_occlusion", "6", [imaging("Occlusion de la vertébrale gauche en V4.")]),
    ("site_occlusion", "6", [imaging("Occlusion vertébrale droite par dissection.")]),
    # forms
    ("anesthesie", "1", [angio("Ponction : 10:10\nAnesthésie : GÉNÉRALE   Conversion : NON")]),
    ("tici_final", "0", [angio("Ponction à 10h10. Quatre passages sans succès. mTICI 0.")]),
    ("complication_tm", "2", [angio("Ponction à 10h10. Lors du retrait du cathéter porteur, dissection de la vertébrale gauche.")]),
    # words of certainty are no denials
    ("etiologie_toast", "2", [summary("Nous concluons sans hésitation à un accident cardio-embolique.")]),
    ("etiologie_toast", "2", [summary("Infarctus rattaché sans équivoque à une cause cardio-embolique.")]),
    ("hemorragie_symptomatique", "0", [summary("Les pétéchies du scanner de contrôle n'ont eu nulle conséquence.")]),
    ("diabete", "0", [urgent("Antécédents deux points cardiomyopathie, hypothyroïdie.")]),
]
# fmt: on


@pytest.mark.parametrize(("name", "expected", "notes"), CASES)
def test_answer(stroke: RulesGenerator, name: str, expected: str | None, notes: list[Note]) -> None:
    assert fill(stroke, *notes)[name].value == expected
