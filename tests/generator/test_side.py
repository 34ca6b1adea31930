"""Side of the lesion, never of the deficit."""

from __future__ import annotations

import pytest

from generator.rules.reader import RulesGenerator
from tests.generator.closed_questions import ask, fill, imaging, radio, urgent


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AVC sylvien gauche avec hémiplégie droite.", "1"),
        ("INFARCTUS SYLVIEN DROIT", "2"),
        ("Hémiplégie droite. Occlusion M1 G.", "1"),
        ("Infarctus de l'ACM dte, déficit gauche.", "2"),
        ("IRM : diff + lenticulaire et insula D, FLAIR négatif.", "2"),
        ("Infarctus capsulo-pallidal gauche responsable d'une maladresse de la main droite.", "1"),
        ("AIC cérébelleux droit dans le territoire de la PICA.", "2"),
        ("Infarctus cérébelleux bilatéraux.", "3"),
        ("Infarctus protubérantiel paramédian.", "4"),
        ("Hématome capsulo-thalamique gauche.", "1"),
        ("Séquelle pariétale gauche ancienne. Infarctus récent frontal droit.", "2"),
        ("Antécédents : AVC sylvien gauche en 2013.\n\nHistoire : infarctus pariétal droit ce jour.", "2"),
        ("Pas d'infarctus droit. Occlusion M2 gauche.", "1"),
        ("Hémiplégie droite, aphasie, déviation du regard à gauche.", None),
        ("Déficit moteur du membre supérieur gauche. Ponction fémorale droite.", None),
        ("Sténose carotidienne droite à 50 %.", None),
        ("AVC hémisphérique dt", "2"),
        ("infarctus jonctionnel antérieur gauche", "1"),
        ("CONCLUSION : ISCHEMIE AIGUE SYLVIENNE SUPERFICIELLE DROITE", "2"),
        ("Hématome profond capsulo-lenticulaire droit.", "2"),
        ("AVC sylvien superficiel et profond droit avec hémiplégie gauche et négligence gauche", "2"),
        ("ARM : occlusion de la branche postérieure de l'artère sylvienne droite (M2).", "2"),
        ("Lésions punctiformes hémisphériques gauches en diffusion. Leucopathie bilatérale.", "1"),
        ("AVC ischémique de l'artère cérébrale moyenne gauche.", "1"),
        ("AVC ischémique dans le territoire de l'artère sylvienne superficielle droite.", "2"),
        ("Sd hémisphérique droit. IRM: ischémie ACM D", "2"),
        ("Hypodensité débutante capsulo-lenticulaire G. Hyperdensité spontanée de l'ACM G.", "1"),
        ("Infarctus récents multiples, sus-tentoriels bilatéraux.", "3"),
        ("AIC thalamique dt", "2"),
        ("Infarctus récent du tronc cérébral, médian.", "4"),
        ("Hémiplégie D + aphasie. TDM : RAS. angio : occl M1 G", "1"),
    ],
)
def test_side_of_the_stroke(stroke: RulesGenerator, text: str, expected: str | None) -> None:
    assert fill(stroke, urgent(text))["cote"].value == expected


HIP = radio("cote_fracture", "Côté de la fracture", "1, Droit | 2, Gauche | 3, Bilatéral")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Fracture du col fémoral gauche.", "2"),
        ("Fracture pertrochantérienne Dte.", "1"),
        ("ATCD : PTH gauche en 2012.\n\nFracture du col fémoral droit sur chute.", "1"),
        ("Chute de sa hauteur.", None),
    ],
)
def test_side_of_any_lesion(text: str, expected: str | None) -> None:
    assert ask(HIP, imaging(text)).value == expected
