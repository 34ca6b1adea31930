"""Treatments at home and at discharge, under the stroke study and under dictionaries never seen."""

# ruff: noqa: E501 (one case on one line)

from __future__ import annotations

import pytest

from generator.rules.reader import RulesGenerator
from schema.value import Status
from schema.variable import Variable
from tests.generator.closed_questions import Note, ask, fill, letter, radio, summary, urgent, visit

HOME: list[tuple[str, str | None, list[Note]]] = [
    ("antiagregant_pre", "1", [urgent("Traitement habituel : Kardégic 75, ramipril 5.")]),
    ("antiagregant_pre", "1", [urgent("TTT : PLAVIX 75, AMLOR 5")]),
    ("antiagregant_pre", "1", [urgent("ATCD : IDM stenté, sous aspirine 75 mg au long cours.")]),
    ("antiagregant_pre", "1", [urgent("Il prend du clopidogrel depuis 2018.")]),
    ("antiagregant_pre", "0", [urgent("Traitement habituel : amlodipine, metformine.")]),
    ("antiagregant_pre", "0", [urgent("Aucun traitement au long cours.")]),
    ("antiagregant_pre", "0", [urgent("Ttt : 0")]),
    ("antiagregant_pre", "0", [urgent("Ne prend ni antiagrégant ni anticoagulant.")]),
    ("antiagregant_pre", "0", [urgent("Traitement : amlodipine. CAT : Kardégic 300 mg IV après le scanner.")]),
    ("antiagregant_pre", "0", [urgent("Traitement habituel : bisoprolol."), summary("Introduction d'aspirine 160 mg à J1.")]),
    ("antiagregant_pre", "0", [urgent("Traitement : Préviscan, ramipril. Aspirine arrêtée en 2015.")]),
    ("antiagregant_pre", None, [urgent("Hémiparésie droite. Traitement à préciser.")]),
    ("antiagregant_pre", None, [urgent("TA contrôlée sans traitement.")]),
    ("antiagregant_pre", None, [summary("Aspirine débutée à J1.")]),
    ("antiagregant_pre", "0", [urgent("Traitement : ramipril. Allergie à l'aspirine.")]),
    ("antiagregant_pre", "0", [letter("Traitement : Kardégic 75, ramipril."), urgent("Traitement : ramipril 5 seul.")]),
    ("antiagregant_pre", "1", [letter("Traitement : Kardégic 75, ramipril.")]),
    ("antiagregant_pre", "0", [urgent("Mari sous Plavix. Traitement habituel : lévothyroxine.")]),
    ("anticoagulant_pre", "1", [urgent("Traitement habituel : Coumadine 4 mg, bisoprolol.")]),
    ("anticoagulant_pre", "1", [urgent("ATCD : FA sous AVK (Préviscan), INR 1,4.")]),
    ("anticoagulant_pre", "2", [urgent("FA anticoagulée par Eliquis 5 x 2, dernière prise ce matin.")]),
    ("anticoagulant_pre", "2", [urgent("Ttt : XARELTO 20, bisoprolol, mal pris.")]),
    ("anticoagulant_pre", "3", [urgent("Traitement : Lovenox 0,6 x 2/j depuis une phlébite.")]),
    ("anticoagulant_pre", "0", [urgent("Traitement habituel : aspirine, ramipril.")]),
    ("anticoagulant_pre", "0", [urgent("Pas d'anticoagulant.")]),
    ("anticoagulant_pre", "0", [urgent("Patient sans anticoagulation.")]),
    ("anticoagulant_pre", "0", [urgent("Traitement : amlodipine."), summary("Anticoagulation par Eliquis débutée à J7.")]),
    ("anticoagulant_pre", "2", [letter("Traitement : Préviscan."), urgent("Traitement : Eliquis 5 matin et soir.")]),
    ("anticoagulant_pre", "0", [urgent("Traitement : Kardégic. Préviscan arrêté il y a 2 ans.")]),
    ("anticoagulant_pre", None, [urgent("Héparine 2500 UI IV pendant la coronarographie.")]),
]  # fmt: skip

DISCHARGE: list[tuple[str | None, list[Note]]] = [
    ("1", [summary("Traitement de sortie : aspirine 160 mg, atorvastatine 80 mg.")]),
    ("1", [summary("Il sort sous Kardégic 160.")]),
    ("1", [summary("Ordonnance de sortie\n- Plavix 75\n- Tahor 80\n")]),
    ("2", [summary("Traitement de sortie : Kardégic 75, Plavix 75, Tahor 80.")]),
    ("2", [summary("Sortie sous double antiagrégation pour 3 semaines.")]),
    ("2", [summary("Traitement de sortie : aspirine et clopidogrel 21 jours puis aspirine seule.")]),
    ("3", [summary("Traitement de sortie : Eliquis 5 mg x 2.")]),
    ("3", [summary("Nous avons remplacé la warfarine par du dabigatran 150 mg x 2.")]),
    ("3", [summary("L'aspirine a été relayée par apixaban le 12/03.")]),
    ("4", [summary("TRAITEMENT DE SORTIE : PREVISCAN SELON INR")]),
    ("5", [summary("Traitement à la sortie : Lovenox 0,6 ml x 2 par jour.")]),
    ("6", [summary("Traitement de sortie : Xarelto 15 mg, Kardégic 75 mg.")]),
    ("0", [summary("Pas d'antithrombotique à la sortie en raison de l'hématome.")]),
    ("0", [summary("Aucun traitement antithrombotique n'est prescrit à la sortie.")]),
    ("1", [summary("Traitement de sortie : aspirine 75 mg. Eliquis à débuter à J14 après contrôle.")]),
    ("1", [summary("Traitement de sortie : aspirine 75 mg."), visit("Aspirine remplacée par Eliquis.")]),
    ("1", [summary("Traitement habituel : Préviscan. Préviscan arrêté. Traitement de sortie : aspirine 75.")]),
    ("1", [summary("Traitement de sortie : Eliquis 5 mg x 2 à débuter le 20/03, dans l'attente aspirine 75 mg.")]),
    ("3", [summary("Le Xarelto, interrompu pour une coloscopie, est en cause. Reprise du rivaroxaban 20 mg à J6.")]),
    ("0", [summary("Aucun antithrombotique : réintroduction de l'aspirine à rediscuter.")]),
    (None, [summary("Décès à J5 d'un engagement. Traitement reçu : aspirine.")]),
    (None, [urgent("Kardégic 300 mg ce jour.")]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "expected", "notes"), HOME)
def test_home_treatment(stroke: RulesGenerator, name: str, expected: str | None, notes: list[Note]) -> None:
    found = fill(stroke, *notes)[name]
    assert found.value == expected, found


@pytest.mark.parametrize(("expected", "notes"), DISCHARGE)
def test_antithrombotic_at_discharge(stroke: RulesGenerator, expected: str | None, notes: list[Note]) -> None:
    found = fill(stroke, *notes)["antithrombotique_sortie"]
    assert found.value == expected, found


def yes(label: str, note: str = "") -> Variable:
    return radio("v", label, "0, Non | 1, Oui", note=note)


OTHERS: list[tuple[Variable, str | None, list[Note]]] = [
    (yes("Bêtabloquant à la sortie"), "1", [summary("Traitement de sortie : bisoprolol 2,5, furosémide 40.")]),
    (yes("Bêtabloquant à la sortie"), None, [summary("Traitement de sortie : furosémide 40.")]),
    (yes("Bêtabloquant à la sortie", "0 si le traitement de sortie est listé sans bêtabloquant."), "0",
     [summary("Traitement de sortie : furosémide 40, ramipril 5.")]),
    (yes("Bêtabloquant à la sortie"), None, [urgent("Traitement : bisoprolol."), summary("Évolution favorable.")]),
    (yes("Statine à l'admission"), "1", [urgent("Traitement : Tahor 10, ramipril.")]),
    (yes("Statine à l'admission"), "0", [urgent("Aucun traitement à domicile.")]),
    (yes("IEC ou ARA2 au domicile"), "1", [urgent("Traitement habituel : Coversyl 5, Kardégic.")]),
    (yes("Insuline au domicile"), "1", [urgent("Traitement habituel : Lantus 20 UI le soir, metformine.")]),
    (yes("Corticoïdes au long cours"), "0", [urgent("Pas de corticoïde. Traitement : Ventoline si besoin.")]),
    (radio("v", "Anticoagulant oral au domicile", "0, Aucun | 1, AVK | 2, AOD"), "2", [urgent("Ttt : Pradaxa 110 x 2")]),
    (radio("v", "Anticoagulation à la sortie", "0, Aucune | 1, AVK | 2, AOD | 3, HBPM"), "3",
     [summary("Traitement de sortie : Innohep 14000 UI/j.")]),
]  # fmt: skip


@pytest.mark.parametrize(("variable", "expected", "notes"), OTHERS)
def test_treatments_of_unknown_dictionaries(variable: Variable, expected: str | None, notes: list[Note]) -> None:
    found = ask(variable, *notes)
    assert found.value == expected, found


def test_a_list_without_the_class_is_an_omission_and_is_cited(stroke: RulesGenerator) -> None:
    found = fill(stroke, urgent("Motif : chute.\nTraitement habituel : amlodipine 5, metformine 1000."))
    assert found["anticoagulant_pre"].status is Status.ABSENT_BY_OMISSION
    assert found["anticoagulant_pre"].evidence[0].quote == "Traitement habituel : amlodipine 5, metformine 1000."
