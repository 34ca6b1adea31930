"""Procedures: done, not done, or only spoken of."""

from __future__ import annotations

import pytest
from closed_questions import Note, ask, fill, radio, stroke_generator

from generator.rules.reader import RulesGenerator
from schema.value import Status

DAY, OUT = "2022-03-08", "2022-03-15"
STAY = "Hospitalisation du 08/03/2022 au 15/03/2022.\n"


@pytest.fixture(scope="module")
def stroke() -> RulesGenerator:
    return stroke_generator()


CASES: list[tuple[str, str | None, list[Note]]] = [
    ("thrombolyse", "1", [("urgences", DAY, "Altéplase 0,9 mg/kg, bolus 9h46.")]),
    ("thrombolyse", "1", [("urgences", DAY, "TIV débutée à 14h02 malgré un risque hémorragique.")]),
    ("thrombolyse", "1", [("crh", OUT, STAY + "AVC sylvien thrombolysé.")]),
    ("thrombolyse", "1", [("crh", OUT, STAY + "Pas de contre-indication à la thrombolyse, administrée à 10h05.")]),
    ("thrombolyse", "1", [("urgences", DAY, "Indication de TIV discutée."), ("crh", OUT, STAY + "Traité par TIV.")]),
    ("thrombolyse", "0", [("urgences", DAY, "Pas de TIV (AOD < 48 h).")]),
    ("thrombolyse", "0", [("urgences", DAY, "TIV non indiquée, hors délai.")]),
    ("thrombolyse", "0", [("urgences", DAY, "Thrombolyse : non")]),
    ("thrombolyse", "0", [("crh", OUT, STAY + "Elle n'a pas été thrombolysée, l'heure étant inconnue.")]),
    ("thrombolyse", "0", [("urgences", DAY, "Thrombolyse contre-indiquée par l'anticoagulant.")]),
    ("thrombolyse", "0", [("urgences", DAY, "TIV prévue, altéplase préparée."), ("crh", OUT, STAY + "La thrombolyse a été annulée.")]),
    ("thrombolyse", "0", [("crh", OUT, STAY + "AVC mineur traité par aspirine. Les suites sont simples.")]),
    ("thrombolyse", None, [("urgences", DAY, "Déficit droit. Discussion de thrombolyse avec le neurologue.")]),
    ("thrombolyse", None, [("urgences", DAY, "Mère thrombolysée en 2010. Déficit droit brutal.")]),
    ("thrombolyse", "0", [("crh", OUT, STAY + "Antécédents : AVC thrombolysé en 2012.\n\nÉvolution : pas de thrombolyse cette fois.")]),
    ("thrombolyse", "1", [("URGENCES", DAY, "THROMBOLYSE FAITE A 10H05 SANS DELAI")]),
    ("thrombolyse", "1", [("urgences", DAY, "Thrombolyse IV : [x] oui [ ] non")]),
    ("thrombolyse", "0", [("urgences", DAY, "Thrombolyse IV : [ ] oui [x] non")]),
    ("thrombectomie", "1", [("thrombectomie", DAY, "Ponction fémorale droite 16h58. Occlusion M1.")]),
    ("thrombectomie", "1", [("thrombectomie", DAY, "Ponction fémorale 16h58. Artère retrouvée ouverte, pas de retrait.")]),
    ("thrombectomie", "1", [("crh", OUT, STAY + "Thrombectomie mécanique réalisée, TICI 2b.")]),
    ("thrombectomie", "0", [("urgences", DAY, "Dossier récusé pour TM.")]),
    ("thrombectomie", "0", [("crh", OUT, STAY + "La thrombectomie n'a pas été retenue.")]),
    ("thrombectomie", "0", [("urgences", DAY, "P2 distale : pas de thrombectomie.")]),
    ("thrombectomie", "0", [("transfert", DAY, "Transfert pour thrombectomie."),
                            ("crh", OUT, STAY + "À l'arrivée l'artère était rouverte, la thrombectomie n'a pas été réalisée.")]),
    ("thrombectomie", None, [("transfert", DAY, "Adressé pour thrombectomie d'une occlusion M1.")]),
    ("thrombectomie", "0", [("urgences", DAY, "Pas de reperfusion.")]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "expected", "notes"), CASES)
def test_stroke(stroke: RulesGenerator, name: str, expected: str | None, notes: list[Note]) -> None:
    found = fill(stroke, *notes)[name]
    assert found.value == expected, found


def test_silence_on_the_procedure_is_not_a_denial(stroke: RulesGenerator) -> None:
    care = fill(stroke, ("crh", OUT, STAY + "Traité par aspirine, suites simples."))["thrombolyse"]
    stated = fill(stroke, ("crh", OUT, STAY + "Pas de thrombolyse, suites simples."))["thrombolyse"]
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
    assert ask(variable, ("crh", OUT, STAY + text)).value == expected
