# ruff: noqa: E501 (an annotated case reads best on its line)
"""Times of events, under the stroke study: which time belongs to which event, and on which day."""

from __future__ import annotations

import pytest

from generator.rules.reader import RulesGenerator
from schema.value import Status
from schema.variable import Variable, VariableKind
from tests.generator.closed_questions import Note, angio, ask, fill, summary, urgent

DAY, NEXT = "2022-03-08", "2022-03-09"
BOLUS, PUNCTURE, OPEN = "heure_thrombolyse", "heure_ponction", "heure_recanalisation"


CASES: list[tuple[str, str | None, list[Note]]] = [
    # ---- thrombolysis
    (BOLUS, "2022-03-08 15:34", [urgent("Altéplase 0,9 mg/kg, bolus à 15h34 puis PSE sur 1 heure.")]),
    (BOLUS, "2022-03-08 15:34", [urgent("15h34 : bolus d'Actilyse. 16h34 fin de la perfusion.")]),
    (BOLUS, "2022-03-08 15:34", [urgent("TIV : OUI   Produit : TNK   Heure du bolus : 15:34")]),
    (BOLUS, "2022-03-08 15:34", [urgent("THROMBOLYSE IV DEBUTEE A 15H34 (ALTEPLASE 65 MG)")]),
    (BOLUS, "2022-03-08 15:34", [urgent("Décision de thrombolyse à 15h20 avec le Dr Martin, bolus 15h34.")]),
    (BOLUS, "2022-03-08 15:34", [urgent("rt-PA prescrit à 15h25 ; débuté à 15h30 ; erreur. Lire bolus à 15h34.")]),
    (BOLUS, "2022-03-08 15:34", [urgent("Arrivée 14h20, IRM 14h52, TNK 15h34, ponction 16h20.")]),
    (BOLUS, "2022-03-08 15:34", [summary("IRM à 14h52 puis altéplase à 15h34, relais par thrombectomie.")]),
    (BOLUS, "2022-03-08 15:34", [urgent("Ténectéplase 0,25 mg/kg soit 18 mg IVD faite à 15 h 34.")]),
    (
        BOLUS,
        "2022-03-08 15:34",
        [urgent("Thrombolyse (bolus 15h34), délai début-aiguille 2h10, porte-aiguille 54 min.")],
    ),
    (BOLUS, "2022-03-08 09:06", [urgent("Addendum 09 h 20 : pas d'occlusion. Actilyse 50 mg, bolus à 09 h 06.")]),
    (BOLUS, "2022-03-09 00:12", [urgent("Arrivée à 23h05. Scanner 23h31. Bolus de TNK à 00h12.")]),
    (BOLUS, None, [urgent("Pas de thrombolyse : HBPM à dose curative à 08h00.")]),
    (BOLUS, None, [urgent("Thrombolyse prévue à 15h30, finalement récusée devant une amélioration franche.")]),
    (BOLUS, None, [urgent("Altéplase en 2015 pour un premier AVC, début des troubles à 14h.")]),
    # ---- puncture
    (PUNCTURE, "2022-03-08 16:20", [angio("Ponction artérielle fémorale droite à 16h20.")]),
    (PUNCTURE, "2022-03-08 16:20", [angio("16h20 : ponction fémorale D, 8F\n16h31 : guide en place\n17h02 : TICI 3")]),
    (
        PUNCTURE,
        "2022-03-08 16:20",
        [angio("Entrée en salle    16:02\nPonction           16:20\nFin                17:15")],
    ),
    (
        PUNCTURE,
        "2022-03-08 16:20",
        [angio("Horaires : salle 16h02 - ponction 16h20 - recanalisation 16h58 - fin 17h15")],
    ),
    (PUNCTURE, "2022-03-08 16:20", [angio("PONCTION RADIALE DROITE SOUS ECHO 16H20, INTRODUCTEUR 6F")]),
    (PUNCTURE, "2022-03-08 16:20", [angio("Heure de ponction\n16:20\nHeure de recanalisation\n16:58")]),
    (PUNCTURE, "2022-03-08 16:20", [angio("Heure de ponction ........ 16h20")]),
    (PUNCTURE, "2022-03-08 16:20", [angio("Abord fémoral droit échoguidé (16h20), introducteur 8F.")]),
    (PUNCTURE, "2022-03-08 16:20", [angio("À 16h20, ponction de l'artère fémorale commune droite par le Dr Lenoir.")]),
    (PUNCTURE, "2022-03-08 16:20", [angio("Patient installé à 16h02. Artère fémorale ponctionnée à 16h20.")]),
    (
        PUNCTURE,
        "2022-03-08 16:20",
        [
            angio(
                "Ponction fémorale à 16h02.\n\nRECTIFICATIF du 10/03/2022 : horaire erroné, la ponction a été faite à 16h20."
            )
        ],
    ),
    (PUNCTURE, "2022-03-08 16:20", [angio("Ponction à 16h20 (et non 16h02 comme noté initialement).")]),
    (PUNCTURE, "2022-03-09 00:25", [urgent("Arrivée 22h50 par le SAMU."), angio("Ponction fémorale droite 00h25.")]),
    (PUNCTURE, "2022-03-09 00:25", [urgent("Arrivée 22h50."), ("thrombectomie", NEXT, "Ponction fémorale 00h25.")]),
    (PUNCTURE, "2022-03-08 16:20", [summary("Thrombectomie (ponction 16 h 20, trois passages, TICI 2c à 17 h 05).")]),
    (PUNCTURE, None, [urgent("Ponction lombaire à 16h20 : 2 éléments.\nNRI prévenue à 15h45 : thrombectomie.")]),
    # ---- final recanalisation
    (OPEN, "2022-03-08 17:05", [angio("Ponction 16h20.\nPassage 1 : TICI 2a à 16h44.\nPassage 2 : TICI 2c à 17h05.")]),
    (OPEN, "2022-03-08 17:05", [angio("Recanalisation complète (mTICI 3) obtenue à 17h05 après un passage.")]),
    (OPEN, "2022-03-08 17:05", [angio("17h05 : contrôle final, TICI 2b, ablation du matériel.")]),
    (OPEN, "2022-03-08 17:05", [angio("RECANALISATION : 17H05     TICI FINAL : 3")]),
    (OPEN, "2022-03-08 17:05", [angio("Série finale à 17h05 : mTICI 2c. Fin de procédure 17h30.")]),
    (OPEN, "2022-03-08 17:05", [angio("Reperfusion TICI 2b à 16h50 puis, après un 3e passage, TICI 3 à 17h05.")]),
    (OPEN, "2022-03-08 17:05", [summary("Ponction à 16h20, recanalisation TICI 2b à 17h05.")]),
    (OPEN, "2022-03-09 00:58", [urgent("Arrivée 22h50."), angio("Ponction 00h25\nRecanalisation TICI 3 : 00h58")]),
    (OPEN, None, [angio("Ponction 16h20. Trois passages sans succès. Arrêt à 17h20. TICI final 0. Échec.")]),
    (OPEN, None, [angio("Ponction 16h20. Recanalisation partielle TICI 2a à 17h05, procédure arrêtée.")]),
    (OPEN, None, [angio("Ponction 16h20. Recanalisation TICI 3.")]),
]


@pytest.mark.parametrize(("name", "expected", "notes"), CASES)
def test_time_under_the_stroke_study(
    stroke: RulesGenerator, name: str, expected: str | None, notes: list[Note]
) -> None:
    found = fill(stroke, *notes)[name]
    assert (found.value and f"{found.value:%Y-%m-%d %H:%M}") == expected
    if expected:
        assert found.evidence


def test_evidence_of_a_corrected_time_is_the_correction(stroke: RulesGenerator) -> None:
    note = angio(
        "Ponction à 15h14.\n\nADDENDUM : l'heure indiquée ci-dessus est fausse, la ponction a eu lieu à 15h41."
    )
    assert "15h41" in fill(stroke, note)[PUNCTURE].evidence[0].quote


UNKNOWN: list[tuple[str, VariableKind, str | None, list[Note]]] = [
    ("Heure d'arrivée aux urgences", VariableKind.TIME, "10:26", [urgent("Arrivée à 10h26 par les pompiers.")]),
    ("Date et heure d'arrivée", VariableKind.DATETIME, "2022-03-08 10:26", [urgent("Admise 10h26, vue à 10h40.")]),
    ("Heure d'incision", VariableKind.TIME, "09:12",
     [("bloc", DAY, "Entrée en salle 8h40. Induction 8h52. Incision 9h12. Fermeture 10h05.")]),
    ("Date et heure de la chute", VariableKind.DATETIME, "2022-03-08 07:30",
     [urgent("Chute de sa hauteur à 7h30 dans la salle de bain. Arrivée 9h10.")]),
    ("Heure de pose de la voie centrale", VariableKind.TIME, None, [urgent("Arrivée à 10h26.")]),
]  # fmt: skip


@pytest.mark.parametrize(("label", "kind", "expected", "notes"), UNKNOWN)
def test_time_of_an_unknown_dictionary(label: str, kind: VariableKind, expected: str | None, notes: list[Note]) -> None:
    found = ask(Variable("moment", label, kind), *notes)
    shape = "%H:%M" if kind is VariableKind.TIME else "%Y-%m-%d %H:%M"
    assert (found.value and format(found.value, shape)) == expected
    assert expected or found.status is Status.NOT_MENTIONED
