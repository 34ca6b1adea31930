"""Procedures: done, not done, or only spoken of."""

from __future__ import annotations

import pytest

from generator.rules.reader import RulesGenerator
from schema.value import Status
from tests.generator.closed_questions import DAY, Note, angio, ask, fill, imaging, radio, summary, urgent

CASES: list[tuple[str, str | None, list[Note]]] = [
    ("thrombolyse", "1", [urgent("Altéplase 0,9 mg/kg, bolus 9h46.")]),
    ("thrombolyse", "1", [urgent("TIV débutée à 14h02 malgré un risque hémorragique.")]),
    ("thrombolyse", "1", [summary("AVC sylvien thrombolysé.")]),
    ("thrombolyse", "1", [summary("Pas de contre-indication à la thrombolyse, administrée à 10h05.")]),
    ("thrombolyse", "1", [urgent("Indication de TIV discutée."), summary("Traité par TIV.")]),
    ("thrombolyse", "0", [urgent("Pas de TIV (AOD < 48 h).")]),
    ("thrombolyse", "0", [urgent("TIV non indiquée, hors délai.")]),
    ("thrombolyse", "0", [urgent("Thrombolyse : non")]),
    ("thrombolyse", "0", [summary("Elle n'a pas été thrombolysée, l'heure étant inconnue.")]),
    ("thrombolyse", "0", [urgent("Thrombolyse contre-indiquée par l'anticoagulant.")]),
    ("thrombolyse", "0", [urgent("TIV prévue, altéplase préparée."), summary("La thrombolyse a été annulée.")]),
    ("thrombolyse", "0", [summary("AVC mineur traité par aspirine. Les suites sont simples.")]),
    ("thrombolyse", None, [urgent("Déficit droit. Discussion de thrombolyse avec le neurologue.")]),
    ("thrombolyse", None, [urgent("Mère thrombolysée en 2010. Déficit droit brutal.")]),
    (
        "thrombolyse",
        "0",
        [summary("Antécédents : AVC thrombolysé en 2012.\n\nÉvolution : pas de thrombolyse cette fois.")],
    ),
    ("thrombolyse", "1", [urgent("THROMBOLYSE FAITE A 10H05 SANS DELAI")]),
    ("thrombolyse", "1", [urgent("Thrombolyse IV : [x] oui [ ] non")]),
    ("thrombolyse", "0", [urgent("Thrombolyse IV : [ ] oui [x] non")]),
    ("thrombectomie", "1", [angio("Ponction fémorale droite 16h58. Occlusion M1.")]),
    ("thrombectomie", "1", [angio("Ponction fémorale 16h58. Artère retrouvée ouverte, pas de retrait.")]),
    ("thrombectomie", "1", [summary("Thrombectomie mécanique réalisée, TICI 2b.")]),
    ("thrombectomie", "0", [urgent("Dossier récusé pour TM.")]),
    ("thrombectomie", "0", [summary("La thrombectomie n'a pas été retenue.")]),
    ("thrombectomie", "0", [urgent("P2 distale : pas de thrombectomie.")]),
    (
        "thrombectomie",
        "0",
        [
            ("transfert", DAY, "Transfert pour thrombectomie."),
            summary("À l'arrivée l'artère était rouverte, la thrombectomie n'a pas été réalisée."),
        ],
    ),
    ("thrombectomie", None, [("transfert", DAY, "Adressé pour thrombectomie d'une occlusion M1.")]),
    ("thrombectomie", "0", [urgent("Pas de reperfusion.")]),
    (
        "thrombolyse",
        "0",
        [
            urgent("Patient non thrombolysable (INR 3,2)."),
        ],
    ),
    ("thrombolyse", "0", [urgent("Récusé TIV car chirurgie récente")]),
    ("thrombolyse", "1", [urgent("TIV H+2h10 par Actilyse : bolus 7 mg puis 63 mg PSE")]),
    (
        "thrombolyse",
        "1",
        [summary("Il a bénéficié d'une fibrinolyse intraveineuse suivie d'une thrombectomie mécanique.")],
    ),
    (
        "thrombectomie",
        "1",
        [summary("Il a bénéficié d'une fibrinolyse intraveineuse suivie d'une thrombectomie mécanique.")],
    ),
    ("thrombolyse", "1", [summary("Prise en charge : TIV + TM")]),
    ("thrombectomie", "1", [summary("Prise en charge : TIV + TM")]),
    ("thrombolyse", "1", [imaging("Contrôle H24 post TIV")]),
    (
        "thrombolyse",
        "0",
        [summary("Sous apixaban il n'était pas possible de réaliser une thrombolyse. Suites simples.")],
    ),
    ("thrombolyse", "0", [summary("Le délai ne permettait pas de thrombolyse. Évolution favorable.")]),
    ("thrombolyse", "0", [urgent("Sous Eliquis donc pas thrombolysé")]),
    (
        "thrombolyse",
        "0",
        [
            urgent("TIV CI (AVK INR 2.8)"),
        ],
    ),
    ("thrombolyse", "0", [urgent("TIV : NON (hors délai)")]),
    ("thrombolyse", "1", [urgent("Thrombolyse : OUI, Actilyse 63 mg")]),
    ("thrombolyse", "0", [urgent("Patient refuse la thrombolyse.")]),
    (
        "thrombolyse",
        "1",
        [
            ("thrombectomie", DAY, "Patient déjà thrombolysé. Ponction 10h."),
        ],
    ),
    ("thrombectomie", "0", [urgent("NRI : pas de cible pour TM")]),
    ("thrombectomie", "0", [urgent("Absence d'indication de thrombectomie (M3).")]),
    ("thrombectomie", "0", [summary("Pas d'indication à un geste endovasculaire. Suites simples.")]),
    (
        "thrombectomie",
        "1",
        [angio("Thrombectomie\nPonction fémorale échoguidée 10h02.\nEchec de cathétérisme, arrêt de la procédure.")],
    ),
    ("thrombectomie", "0", [urgent("Discussion NRI : thrombectomie non indiquée car ASPECTS 3")]),
    (
        "thrombectomie",
        "1",
        [summary("Transfert au CHU pour thrombectomie, réalisée à 16h58 avec recanalisation TICI 3.")],
    ),
    (
        "thrombolyse",
        "0",
        [
            ("samu", DAY, "Pas de TIV en pré-hospitalier."),
            urgent("Heure inconnue, IRM DWI+/FLAIR+ => pas de fibrinolyse"),
        ],
    ),
    ("thrombolyse", "1", [("samu", DAY, "Appel thrombolyse"), urgent("17h05 : début rtPA")]),
    (
        "thrombolyse",
        "0",
        [urgent("Alerte thrombolyse 10h02. Glycémie 0,35 : hypoglycémie... Finalement hors délai pour TIV (réveil).")],
    ),
    (
        "thrombolyse",
        "0",
        [summary("Patient hors délai de thrombolyse à l'arrivée. Transféré pour thrombectomie seule.")],
    ),
    (
        "thrombectomie",
        "1",
        [summary("Patient hors délai de thrombolyse à l'arrivée. Thrombectomie seule, TICI 2c en 1 passage.")],
    ),
    ("thrombolyse", "1", [urgent("RTPA 0.9 MG/KG SOIT 63 MG - BOLUS 6.3 MG A 11H20")]),
    ("thrombolyse", "1", [summary("Thrombolyse IV par rt-PA à H+3.")]),
    ("thrombectomie", "0", [summary("Absence d'occlusion proximale accessible à une thrombectomie. Suites simples.")]),
    ("thrombectomie", "0", [summary("Il n'y avait pas d'indication de traitement endovasculaire.")]),
    ("thrombectomie", "1", [summary("Recanalisation endovasculaire : TICI 3 après 2 passages.")]),
    ("thrombectomie", "1", [angio("NEURORADIOLOGIE INTERVENTIONNELLE\nPONCTION FEMORALE DROITE 12H10")]),
    ("thrombectomie", "1", [summary("TM: TICI2b, 3 passages")]),
    (
        "thrombectomie",
        "0",
        [
            ("transfert", DAY, "Avis NRI : non retenu pour thrombectomie."),
            summary("Traité médicalement, évolution favorable."),
        ],
    ),
    ("thrombectomie", "0", [summary("Elle n'a bénéficié ni de thrombolyse ni de thrombectomie.")]),
    ("thrombolyse", "0", [summary("Elle n'a bénéficié ni de thrombolyse ni de thrombectomie.")]),
    ("thrombolyse", "0", [summary("Pas de traitement de phase aiguë (déficit mineur). Suites simples")]),
    ("thrombectomie", "0", [summary("La famille refuse la thrombectomie.")]),
]


@pytest.mark.parametrize(("name", "expected", "notes"), CASES)
def test_stroke(stroke: RulesGenerator, name: str, expected: str | None, notes: list[Note]) -> None:
    found = fill(stroke, *notes)[name]
    assert found.value == expected, found


def test_silence_on_the_procedure_is_not_a_denial(stroke: RulesGenerator) -> None:
    care = fill(stroke, summary("Traité par aspirine, suites simples."))["thrombolyse"]
    stated = fill(stroke, summary("Pas de thrombolyse, suites simples."))["thrombolyse"]
    assert care.status is Status.ABSENT_BY_OMISSION
    assert stated.status is Status.STATED_ABSENT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Coronarographie réalisée le 09/03, sans lésion.", "1"),
        ("Coronarographie récusée du fait de l'insuffisance rénale.", "0"),
        ("Une coronarographie est prévue.", None),
        ("Bilan biologique normal.", None),
    ],
)
def test_unknown_dictionary(text: str, expected: str | None) -> None:
    variable = radio("coro", "Coronarographie réalisée", "0, Non | 1, Oui")
    assert ask(variable, summary(text)).value == expected
