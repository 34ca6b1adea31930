"""Closed questions with several labels, under the stroke study and under dictionaries never seen."""

from __future__ import annotations

import pytest
from closed_questions import Note, ask, fill, radio, stroke_generator

from generator.rules.reader import RulesGenerator
from schema.value import Status
from schema.variable import VariableKind

DAY, OUT = "2022-03-08", "2022-03-15"


@pytest.fixture(scope="module")
def stroke() -> RulesGenerator:
    return stroke_generator()


def urgent(text: str) -> Note:
    return ("urgences", DAY, text)


def imaging(text: str) -> Note:
    return ("imagerie", DAY, text)


def angio(text: str) -> Note:
    return ("thrombectomie", DAY, text)


def summary(text: str) -> Note:
    return ("crh", OUT, f"Hospitalisation du 08/03/2022 au 15/03/2022.\n{text}")


CASES: list[tuple[str, str | None, list[Note]]] = [
    ("site_occlusion", "2", [imaging("Occlusion du segment M1 droit. Carotides perméables.")]),
    ("site_occlusion", "2", [imaging("OCCLUSION M1 G, POLYGONE PAR AILLEURS NORMAL")]),
    ("site_occlusion", "2", [imaging("Arrêt en cupule de la M1 gauche.")]),
    ("site_occlusion", "3", [imaging("TOF : M1 perméable. Occlusion d'une branche M2 inférieure gauche.")]),
    ("site_occlusion", "1", [imaging("Occlusion de la terminaison carotidienne droite, étendue à M1.")]),
    ("site_occlusion", "6", [imaging("Thrombus du tronc basilaire, artères vertébrales perméables.")]),
    ("site_occlusion", "7", [imaging("Occlusion en tandem : bulbe carotidien gauche et M1.")]),
    ("site_occlusion", "5", [imaging("Occlusion de P2 droite.")]),
    ("site_occlusion", "0", [imaging("Pas d'occlusion artérielle visible.")]),
    ("site_occlusion", "0", [imaging("Polygone de Willis perméable, sans occlusion ni sténose.")]),
    ("site_occlusion", "3", [imaging("Occlusion M1 droite."), angio("Série initiale : occlusion de M2 droite, M1 perméable.")]),
    ("site_occlusion", "2", [imaging("Occlusion M1 droite."), angio("L'artère est retrouvée ouverte, pas de geste.")]),
    ("site_occlusion", "2", [imaging("Occlusion M1 gauche avec sténose carotidienne serrée, pas de tandem.")]),
    ("site_occlusion", None, [urgent("ATCD : occlusion M1 gauche en 2015. Déficit droit ce jour.")]),
    ("imagerie_initiale", "1", [urgent("IRM 14h48 : diffusion +."), ("imagerie", "2022-03-09", "Scanner de contrôle.")]),
    ("imagerie_initiale", "2", [urgent("TDM cérébral à 10h12, sans saignement. IRM à 11h30 : infarctus M1.")]),
    ("imagerie_initiale", "2", [urgent("TDM + angio-TDM : occlusion. IRM possible demain.")]),
    ("imagerie_initiale", "1", [imaging("IRM CÉRÉBRALE\n09:22\nDiffusion : infarctus."), urgent("IRM = occlusion M2.")]),
    ("imagerie_initiale", None, [urgent("Scanner thoracique sans foyer.")]),
    ("agent_thrombolyse", "2", [urgent("TNK 15 mg IVD à 15h18.")]),
    ("agent_thrombolyse", "1", [urgent("Actilyse 0,9 mg/kg, bolus 9h46.")]),
    ("agent_thrombolyse", "1", [urgent("rt-PA débuté à 11h.")]),
    ("agent_thrombolyse", "1", [urgent("Ténectéplase indisponible, altéplase bolus 10h12.")]),
    ("anesthesie", "1", [angio("Ponction fémorale 16h58. Anesthésie générale d'emblée.")]),
    ("anesthesie", "1", [angio("Sédation consciente, puis conversion en AG devant une agitation. Ponction 10h.")]),
    ("anesthesie", "2", [angio("Procédure sous sédation consciente. Ponction 10h.")]),
    ("anesthesie", "3", [angio("Sous anesthésie locale seule, ponction fémorale droite à 10h.")]),
    ("anesthesie", None, [angio("Ponction fémorale 16h58."), summary("Atrophie en rapport avec l'âge.")]),
    ("technique_tm", "1", [angio("Ponction 10h. Un passage en thromboaspiration (SOFIA), TICI 3.")]),
    ("technique_tm", "2", [angio("Ponction 10h. Deux passages de stent retriever Trevo, TICI 2b.")]),
    ("technique_tm", "3", [angio("Ponction 10h. Premier passage par aspiration. Deuxième passage avec Solitaire.")]),
    ("technique_tm", "3", [angio("Ponction 10h. Technique combinée, un passage.")]),
    ("complication_tm", "0", [angio("Ponction 10h. TICI 3. Procédure sans incident.")]),
    ("complication_tm", "0", [angio("Ponction 10h. Complications : aucune")]),
    ("complication_tm", "3", [angio("Ponction 10h. Extravasation de contraste au retrait du stent.")]),
    ("complication_tm", "2", [angio("Ponction 10h. Dissection iatrogène de la carotide, non occlusive.")]),
    ("complication_tm", "4", [angio("Ponction 10h. En fin de geste, hématome au point de ponction. Pas d'autre complication.")]),
    ("complication_tm", "1", [angio("Ponction 10h. Embolie dans un nouveau territoire (A2).")]),
    ("complication_tm", None, [angio("Ponction 10h. TICI 3.")]),
    ("etiologie_toast", "2", [summary("Au total : AVC d'origine cardio-embolique sur FA.")]),
    ("etiologie_toast", "2", [summary("Conclusion : infarctus sylvien cardioembolique.")]),
    ("etiologie_toast", "3", [summary("Nous retenons une maladie des petites artères.")]),
    ("etiologie_toast", "1", [summary("AVC d'origine athéromateuse, sur sténose carotidienne serrée.")]),
    ("etiologie_toast", "4", [summary("AVC secondaire à une dissection carotidienne.")]),
    ("etiologie_toast", "5", [summary("Bilan étiologique négatif : AVC cryptogénique (ESUS).")]),
    ("etiologie_toast", "5", [summary("AVC de cause indéterminée, deux causes possibles : FA et sténose carotidienne.")]),
    ("etiologie_toast", "2", [summary("AVC cryptogénique à ce stade."),
                              ("consultation", "2022-06-20", "Holter : FA. AVC désormais rattaché à la fibrillation atriale.")]),
    ("etiologie_toast", "5", [summary("AVC de cause indéterminée."),
                              ("consultation", "2022-06-20", "Étiologie : indéterminée. Pas de FA au Holter.")]),
    ("etiologie_toast", None, [urgent("Déficit brutal. FA connue. Recherche de FA au scope.")]),
    ("destination", "1", [summary("Retour à domicile ce jour.")]),
    ("destination", "1", [summary("RAD le 15/03 avec IDE.")]),
    ("destination", "1", [summary("Elle rentre chez elle avec orthophonie et kinésithérapie.")]),
    ("destination", "2", [summary("Transféré en SSR neurologique.")]),
    ("destination", "2", [summary("Il poursuit sa prise en charge en SMR.")]),
    ("destination", "2", [summary("DESTINATION : CENTRE DE REEDUCATION")]),
    ("destination", "3", [summary("Muté ce jour en cardiologie.")]),
    ("destination", "3", [summary("Transfert au CH de Lens, service de médecine polyvalente.")]),
    ("destination", "4", [summary("Retour en EHPAD.")]),
    ("destination", "4", [summary("Elle regagne sa maison de retraite.")]),
    ("destination", "5", [summary("Évolution défavorable, décès le 15/03/2022 à 2h.")]),
    ("destination", "2", [summary("Thrombolysé puis transféré pour thrombectomie au CHU. Sortie ce jour en SSR.")]),
    ("destination", "1", [summary("Père décédé d'un AVC. Sortie à domicile."),
                          ("consultation", "2022-06-20", "Décédé le 2 juin.")]),
    ("destination", None, [summary("Vit à domicile avec son épouse.")]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "expected", "notes"), CASES)
def test_stroke(stroke: RulesGenerator, name: str, expected: str | None, notes: list[Note]) -> None:
    found = fill(stroke, *notes)[name]
    assert found.value == expected, found
    if expected is not None:
        assert found.evidence[0].quote


UNKNOWN = [
    (radio("a", "Type d'anesthésie", "1, Générale | 2, Rachianesthésie | 3, Locorégionale"),
     [("bloc", "Sous rachianesthésie, installation en décubitus latéral.", "2"),
      ("bloc", "Anesthésie générale, intubation.", "1"), ("bloc", "ALR par bloc fémoral.", "3"),
      ("bloc", "Anesthésie : rachi", "2"), ("bloc", "Installation sur table orthopédique.", None)]),
    (radio("v", "Mode de vie", "1, Domicile | 2, EHPAD | 3, Foyer-logement"),
     [("urgences", "Vit à domicile avec son mari.", "1"), ("urgences", "Mode de vie : vit seule, aide-ménagère.", "1"),
      ("urgences", "Résidente en EHPAD depuis 2019.", "2"), ("urgences", "Douleur de hanche.", None)]),
    (radio("f", "Type de fracture", "1, Cervicale | 2, Pertrochantérienne | 3, Sous-trochantérienne"),
     [("imagerie", "Fracture per-trochantérienne droite.", "2"), ("imagerie", "Fracture du col fémoral, Garden IV.", "1"),
      ("imagerie", "Fracture sous-trochantérienne du fémur gauche.", "3"), ("imagerie", "Pas de fracture du bassin.", None)]),
    (radio("c", "Type de chirurgie", "1, Prothèse totale de hanche | 2, Prothèse intermédiaire | 3, Clou gamma | 4, Vissage"),
     [("bloc", "Ostéosynthèse par clou gamma court.", "3"), ("bloc", "Mise en place d'une PIH.", "2"),
      ("bloc", "Arthroplastie totale à double mobilité.", "1"), ("bloc", "Triple vissage percutané.", "4")]),
    (radio("d", "Destination de sortie", "1, Domicile | 2, SSR | 3, EHPAD | 4, Décès | 5, Autre service"),
     [("crh", "Sortie en SSR gériatrique.", "2"), ("crh", "Retour au domicile avec passage IDE.", "1"),
      ("crh", "Le patient est décédé dans le service.", "4"), ("crh", "Retour à son EHPAD.", "3"),
      ("crh", "Un dossier SSR est refusé. Retour à domicile.", "1")]),
    (radio("m", "Étiologie de l'insuffisance cardiaque", "1, Ischémique | 2, Hypertensive | 3, Valvulaire | 4, Autre"),
     [("crh", "Cardiopathie ischémique à FEVG altérée.", "1"), ("crh", "Cardiopathie hypertensive.", "2"),
      ("crh", "Pas de cardiopathie ischémique.", None)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("variable", "kind", "text", "expected"),
    [(variable, *case) for variable, cases in UNKNOWN for case in cases],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_unknown_dictionary(variable, kind, text, expected) -> None:  # type: ignore[no-untyped-def]
    assert ask(variable, (kind, DAY, text)).value == expected


def test_equal_rivals_are_a_conflict_with_both_sides_cited() -> None:
    variable = radio("r", "Rythme à l'ECG", "1, Sinusal | 2, Fibrillation atriale")
    found = ask(variable, urgent("ECG : rythme sinusal."), urgent("ECG : fibrillation atriale."))
    assert found.status is Status.CONFLICTING
    assert found.value is None
    assert set(found.candidates) == {"1", "2"}
    assert {e.document_id for e in found.evidence} == {"P1-0", "P1-1"}


BOXES = radio("b", "Facteur déclenchant", "1, Infection | 2, Trouble du rythme | 3, Écart de régime | 4, Anémie",
              VariableKind.CHECKBOX)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Facteurs déclenchants : surinfection bronchique et écart de régime.", ("1", "3")),
        ("Décompensation sur passage en FA. Pas d'anémie.", ("2",)),
        ("Pas de facteur infectieux. Recherche d'une anémie.", None),
    ],
)
def test_checkbox_ticks_all_that_is_affirmed(text: str, expected: tuple[str, ...] | None) -> None:
    assert ask(BOXES, urgent(text)).value == expected
