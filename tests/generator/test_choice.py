"""Closed questions with several labels, under the stroke study and under dictionaries never seen."""

from __future__ import annotations

import pytest

from generator.rules.reader import RulesGenerator
from schema.value import Status
from schema.variable import Variable, VariableKind
from tests.generator.closed_questions import (
    DAY,
    Note,
    angio,
    ask,
    fill,
    imaging,
    later,
    radio,
    summary,
    surgery,
    urgent,
)

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
    (
        "site_occlusion",
        "3",
        [imaging("Occlusion M1 droite."), angio("Série initiale : occlusion de M2 droite, M1 perméable.")],
    ),
    ("site_occlusion", "2", [imaging("Occlusion M1 droite."), angio("L'artère est retrouvée ouverte, pas de geste.")]),
    ("site_occlusion", "2", [imaging("Occlusion M1 gauche avec sténose carotidienne serrée, pas de tandem.")]),
    ("site_occlusion", None, [urgent("ATCD : occlusion M1 gauche en 2015. Déficit droit ce jour.")]),
    (
        "imagerie_initiale",
        "1",
        [urgent("IRM 14h48 : diffusion +."), ("imagerie", "2022-03-09", "Scanner de contrôle.")],
    ),
    ("imagerie_initiale", "2", [urgent("TDM cérébral à 10h12, sans saignement. IRM à 11h30 : infarctus M1.")]),
    ("imagerie_initiale", "2", [urgent("TDM + angio-TDM : occlusion. IRM possible demain.")]),
    (
        "imagerie_initiale",
        "1",
        [imaging("IRM CÉRÉBRALE\n09:22\nDiffusion : infarctus."), urgent("IRM = occlusion M2.")],
    ),
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
    (
        "complication_tm",
        "4",
        [angio("Ponction 10h. En fin de geste, hématome au point de ponction. Pas d'autre complication.")],
    ),
    ("complication_tm", "1", [angio("Ponction 10h. Embolie dans un nouveau territoire (A2).")]),
    ("complication_tm", None, [angio("Ponction 10h. TICI 3.")]),
    ("etiologie_toast", "2", [summary("Au total : AVC d'origine cardio-embolique sur FA.")]),
    ("etiologie_toast", "2", [summary("Conclusion : infarctus sylvien cardioembolique.")]),
    ("etiologie_toast", "3", [summary("Nous retenons une maladie des petites artères.")]),
    ("etiologie_toast", "1", [summary("AVC d'origine athéromateuse, sur sténose carotidienne serrée.")]),
    ("etiologie_toast", "4", [summary("AVC secondaire à une dissection carotidienne.")]),
    ("etiologie_toast", "5", [summary("Bilan étiologique négatif : AVC cryptogénique (ESUS).")]),
    (
        "etiologie_toast",
        "5",
        [summary("AVC de cause indéterminée, deux causes possibles : FA et sténose carotidienne.")],
    ),
    (
        "etiologie_toast",
        "2",
        [
            summary("AVC cryptogénique à ce stade."),
            later("Holter : FA. AVC désormais rattaché à la fibrillation atriale."),
        ],
    ),
    (
        "etiologie_toast",
        "5",
        [summary("AVC de cause indéterminée."), later("Étiologie : indéterminée. Pas de FA au Holter.")],
    ),
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
    ("destination", "1", [summary("Père décédé d'un AVC. Sortie à domicile."), later("Décédé le 2 juin.")]),
    ("destination", None, [summary("Vit à domicile avec son épouse.")]),
    ("site_occlusion", "2", [urgent("Hémiplégie D + aphasie. TDM : RAS. angio : occl M1 G")]),
    ("site_occlusion", "2", [summary("Occlusion proximale de l'artère cérébrale moyenne droite (M1).")]),
    ("site_occlusion", "6", [imaging("Occlusion basilaire.")]),
    ("site_occlusion", "1", [imaging("Occlusion de la carotide interne gauche dès son origine.")]),
    ("site_occlusion", "0", [imaging("Angio-TDM : pas de thrombus proximal, perméabilité des artères du polygone.")]),
    ("site_occlusion", "0", [imaging("ARM : pas d'occlusion proximale.")]),
    ("site_occlusion", "3", [imaging("Occlusion distale M3 droite.")]),
    ("site_occlusion", "2", [summary("AVC sylvien droit sur occlusion de M1.")]),
    (
        "site_occlusion",
        "7",
        [imaging("Occlusion de la carotide interne gauche au niveau cervical et occlusion M1 gauche.")],
    ),
    ("site_occlusion", "4", [imaging("Occlusion de A2 gauche.")]),
    ("site_occlusion", "2", [imaging("Thrombus visible en M1 droit sur la séquence T2*.")]),
    ("site_occlusion", "2", [imaging("Absence d'opacification du segment M1 de l'artère sylvienne droite.")]),
    ("site_occlusion", "6", [imaging("Thrombose de l'artère vertébrale gauche V4.")]),
    (
        "imagerie_initiale",
        "2",
        [summary("Le scanner cérébral initial montrait une hyperdensité. L'IRM de contrôle confirme.")],
    ),
    ("imagerie_initiale", "1", [summary("L'IRM cérébrale réalisée en urgence montre un infarctus.")]),
    ("imagerie_initiale", "2", [urgent("TDM C-/C+ : pas d'hémorragie")]),
    ("anesthesie", "1", [angio("AG avec IOT. Ponction 10h.")]),
    ("anesthesie", "3", [angio("AL sans sédation. Ponction 10h.")]),
    ("anesthesie", "2", [angio("Anesthésie locale + sédation (rémifentanil). Ponction 10h.")]),
    (
        "anesthesie",
        "1",
        [angio("Ponction 10h. Anesthésie locale et sédation initialement, intubé en cours de procédure.")],
    ),
    ("anesthesie", "2", [angio("Sédation vigile, pas d'anesthésie générale. Ponction 10h.")]),
    ("anesthesie", "3", [angio("Type d'anesthésie : locale\nPonction 10h.")]),
    ("technique_tm", "1", [angio("Ponction 10h. Aspiration seule x2 (ACE 68). Pas de stent retriever utilisé.")]),
    ("technique_tm", "3", [angio("Ponction 10h. Solitaire 4x20 + aspiration SOFIA.")]),
    ("technique_tm", "2", [angio("Ponction 10h. Stent-retriever Embotrap x1.")]),
    ("technique_tm", "1", [summary("Thrombectomie par aspiration en un passage, TICI 3.")]),
    ("complication_tm", "0", [angio("Ponction 10h. Pas de complication immédiate.")]),
    ("complication_tm", "0", [angio("Ponction 10h. Complications per-procédure : Non")]),
    ("complication_tm", "3", [angio("Ponction 10h. Complications : perforation de M2, ballonnet.")]),
    ("complication_tm", "5", [angio("Ponction 10h. Vasospasme sévère traité par nimodipine.")]),
    ("complication_tm", "0", [angio("Ponction 10h. Pas de dissection, pas de perforation. Aucune complication.")]),
    ("etiologie_toast", "2", [summary("Étiologie : cardio-embolique (FA).")]),
    ("etiologie_toast", "2", [summary("Mécanisme : embolie d'origine cardiaque probable sur FA paroxystique.")]),
    ("etiologie_toast", "1", [summary("AVC sylvien gauche d'origine athéroscléreuse (sténose carotidienne 80 %).")]),
    ("etiologie_toast", "5", [summary("Étiologie : indéterminée à ce stade, Holter en cours.")]),
    ("etiologie_toast", "5", [summary("Le bilan étiologique est négatif.")]),
    ("etiologie_toast", "5", [summary("AVC d'origine indéterminée, FA ou athérome carotidien.")]),
    ("etiologie_toast", "3", [summary("TOAST : lacune")]),
    ("etiologie_toast", "4", [summary("AVC ischémique sur dissection de l'artère vertébrale.")]),
    ("etiologie_toast", "4", [summary("AVC sur FOP et ASIA, autre cause.")]),
    (
        "etiologie_toast",
        "2",
        [summary("Conclusion : AVC sylvien droit sur FA de découverte."), later("Va bien. Étiologie inchangée.")],
    ),
    ("etiologie_toast", "1", [summary("TOAST 1 : athérosclérose")]),
    ("destination", "2", [summary("Transfert en MPR le 15/03.")]),
    ("destination", "3", [summary("Le patient est transféré dans le service de cardiologie.")]),
    ("destination", "1", [summary("Sortie le 15/03 à domicile avec HAD.")]),
    (
        "destination",
        "1",
        [summary("Retour au domicile avec le passage d'une IDE. Demande de SSR refusée par le patient.")],
    ),
    ("destination", "5", [summary("Le patient décède le 14 mars entouré de ses proches.")]),
    ("destination", "2", [summary("Il quitte le service pour le centre de rééducation de Berck.")]),
    ("destination", "4", [summary("Sortie vers EHPAD Les Lilas.")]),
    ("destination", "3", [summary("Mutation en neurologie générale.")]),
    ("destination", "2", [summary("Mode de sortie : SSR neuro")]),
    ("destination", "1", [summary("MODE DE SORTIE : DOMICILE")]),
    ("destination", "3", [summary("Transfert vers CH de Béthune ce jour pour suite de prise en charge.")]),
    ("agent_thrombolyse", "2", [summary("Thrombolyse IV par TNK (Metalyse) à 15h18.")]),
    ("agent_thrombolyse", None, [summary("Thrombolyse IV à 15h18.")]),
    ("site_occlusion", "3", [imaging("ARM : occlusion de la branche postérieure de l'artère sylvienne droite (M2).")]),
    ("site_occlusion", "2", [imaging("OCCLUSION DE L'ARTERE CEREBRALE MOYENNE GAUCHE EN M1")]),
    ("site_occlusion", "2", [imaging("Occlusion M1 distale D avec extension M2.")]),
    ("site_occlusion", "6", [imaging("Occlusion du tiers moyen du TB. P1 perméables.")]),
    ("site_occlusion", "0", [imaging("TSA : pas de sténose, pas d'occlusion intracrânienne.")]),
    ("site_occlusion", "1", [imaging("Occlusion de la carotide interne droite supra-clinoïdienne (en T).")]),
    (
        "site_occlusion",
        "2",
        [
            imaging("occlusion M1 G"),
            angio("Occlusion M1 gauche confirmée. Premier passage : occlusion M2 persistante."),
        ],
    ),
    ("site_occlusion", "1", [imaging("Occlusion de l'ACI gauche extracrânienne. Polygone perméable.")]),
    ("site_occlusion", "7", [summary("AVC sylvien G sur occlusion tandem ACI-M1")]),
    ("site_occlusion", "3", [imaging("Petite branche corticale M3 frontale occluse.")]),
    ("site_occlusion", "5", [imaging("Occlusion de l'artère cérébrale postérieure droite (P2).")]),
    ("imagerie_initiale", "2", [urgent("Scanner inj : occlusion M1.")]),
    ("imagerie_initiale", "1", [urgent("IRM d'emblée : AVC sylvien.")]),
    ("imagerie_initiale", "1", [urgent("12h10 IRM: diff +"), ("imagerie", DAY, "ANGIOSCANNER TSA 14h30 : occlusion")]),
    ("imagerie_initiale", "2", [("transfert", DAY, "TDM à Lens 9h10 : normal. IRM refaite au CHU à 11h.")]),
    ("imagerie_initiale", "2", [imaging("SCANNER CEREBRAL SANS INJECTION"), urgent("pas d'IRM (pacemaker)")]),
    ("imagerie_initiale", "1", [("imagerie", DAY, "Examen : IRM encéphalique\nComparaison : scanner du 12/01/2019.")]),
    ("anesthesie", "1", [angio("Sous AG, IOT 10h02, ponction 10h20")]),
    ("anesthesie", "2", [angio("Ponction 10h20 sous AL et neuroleptanalgésie")]),
    ("anesthesie", "1", [angio("Début sous sédation, agitation, conversion AG à 10h40. ponction 10h20")]),
    ("anesthesie", "3", [angio("Anesthésie locale, pas de sédation, patient coopérant. ponction 10h20")]),
    ("technique_tm", "3", [angio("Ponction 10h. P1 : ADAPT (ACE68). P2 : Trevo 4x30.")]),
    ("technique_tm", "2", [angio("Ponction 10h. Deux passages au Solitaire X 6x40 sous flux bloqué par ballonnet.")]),
    ("technique_tm", "3", [angio("Ponction 10h. Stent-retriever associé à une aspiration distale (SAVE).")]),
    ("complication_tm", "0", [angio("Ponction 10h. RAS en per-procédure.")]),
    ("complication_tm", "3", [angio("Ponction 10h. Petite HSA en fin de procédure par perforation distale.")]),
    ("complication_tm", "4", [angio("Ponction 10h. Hématome inguinal compressé.")]),
    (
        "complication_tm",
        "2",
        [angio("Ponction 10h. Dissection de la carotide interne cervicale lors de la montée du cathéter.")],
    ),
    ("etiologie_toast", "2", [summary("AVC ischémique sylvien droit cardio-embolique (FA).")]),
    ("etiologie_toast", "2", [summary("Cardiopathie emboligène : FA. AVC attribué à la FA.")]),
    ("etiologie_toast", "5", [summary("AVC ischémique d'étiologie indéterminée malgré un bilan exhaustif.")]),
    ("etiologie_toast", "5", [summary("AVC d'origine inconnue, recherche de FA par holter implantable.")]),
    ("etiologie_toast", "1", [summary("AVC par athérothrombose carotidienne gauche.")]),
    ("etiologie_toast", "3", [summary("Infarctus lacunaire sur microangiopathie hypertensive.")]),
    ("etiologie_toast", "4", [summary("Cause : SAPL.")]),
    ("etiologie_toast", "5", [summary("TOAST : 5 (deux causes potentielles : FA et sténose carotidienne à 70 %).")]),
    ("etiologie_toast", "1", [summary("Étiologie athéromateuse retenue. Pas de FA au scope.")]),
    ("destination", "2", [summary("DEVENIR : transfert CRF le 15/03/2022")]),
    ("destination", "1", [summary("SORTIE LE 15/03/2022 A DOMICILE")]),
    ("destination", "3", [summary("Elle est réadressée à l'hôpital de Cambrai pour suite de prise en charge.")]),
    ("destination", "4", [summary("Retour ce jour à son EHPAD.")]),
    ("destination", "5", [summary("Malheureusement le patient s'est éteint le 14 mars.")]),
    ("destination", "1", [summary("Sortie : RAD avec kiné et orthophonie. SSR non nécessaire.")]),
    ("destination", "2", [summary("Admis en SMR neurologique à Berck à la sortie")]),
    ("destination", "1", [summary("Il regagne son domicile accompagné de son épouse.")]),
    ("destination", "2", [summary("Nous l'adressons en rééducation à l'hôpital de Berck.")]),
]


@pytest.mark.parametrize(("name", "expected", "notes"), CASES)
def test_stroke(stroke: RulesGenerator, name: str, expected: str | None, notes: list[Note]) -> None:
    found = fill(stroke, *notes)[name]
    assert found.value == expected, found
    if expected is not None:
        assert found.evidence[0].quote


UNKNOWN: list[tuple[Variable, list[tuple[Note, str | tuple[str, ...] | None]]]] = [
    (
        radio("a", "Type d'anesthésie", "1, Générale | 2, Rachianesthésie | 3, Locorégionale"),
        [
            (surgery("Sous rachianesthésie, installation en décubitus latéral."), "2"),
            (surgery("Anesthésie générale, intubation."), "1"),
            (surgery("ALR par bloc fémoral."), "3"),
            (surgery("Anesthésie : rachi"), "2"),
            (surgery("Installation sur table orthopédique."), None),
        ],
    ),
    (
        radio("v", "Mode de vie", "1, Domicile | 2, EHPAD | 3, Foyer-logement"),
        [
            (urgent("Vit à domicile avec son mari."), "1"),
            (urgent("Mode de vie : vit seule, aide-ménagère."), "1"),
            (urgent("Résidente en EHPAD depuis 2019."), "2"),
            (urgent("Douleur de hanche."), None),
        ],
    ),
    (
        radio("f", "Type de fracture", "1, Cervicale | 2, Pertrochantérienne | 3, Sous-trochantérienne"),
        [
            (imaging("Fracture per-trochantérienne droite."), "2"),
            (imaging("Fracture du col fémoral, Garden IV."), "1"),
            (imaging("Fracture sous-trochantérienne du fémur gauche."), "3"),
            (imaging("Pas de fracture du bassin."), None),
        ],
    ),
    (
        radio(
            "c",
            "Type de chirurgie",
            "1, Prothèse totale de hanche | 2, Prothèse intermédiaire | 3, Clou gamma | 4, Vissage",
        ),
        [
            (surgery("Ostéosynthèse par clou gamma court."), "3"),
            (surgery("Mise en place d'une PIH."), "2"),
            (surgery("Arthroplastie totale à double mobilité."), "1"),
            (surgery("Triple vissage percutané."), "4"),
        ],
    ),
    (
        radio("d", "Destination de sortie", "1, Domicile | 2, SSR | 3, EHPAD | 4, Décès | 5, Autre service"),
        [
            (summary("Sortie en SSR gériatrique."), "2"),
            (summary("Retour au domicile avec passage IDE."), "1"),
            (summary("Le patient est décédé dans le service."), "4"),
            (summary("Retour à son EHPAD."), "3"),
            (summary("Un dossier SSR est refusé. Retour à domicile."), "1"),
        ],
    ),
    (
        radio(
            "m", "Étiologie de l'insuffisance cardiaque", "1, Ischémique | 2, Hypertensive | 3, Valvulaire | 4, Autre"
        ),
        [
            (summary("Cardiopathie ischémique à FEVG altérée."), "1"),
            (summary("Cardiopathie hypertensive."), "2"),
            (summary("Pas de cardiopathie ischémique."), None),
        ],
    ),
    (
        radio("nyha", "Classe NYHA", "1, I | 2, II | 3, III | 4, IV"),
        [(urgent("Dyspnée NYHA III."), "3"), (urgent("NYHA 4"), "4"), (urgent("Dyspnée"), None)],
    ),
    (
        radio("asa", "Score ASA", "1, ASA 1 | 2, ASA 2 | 3, ASA 3 | 4, ASA 4"),
        [(surgery("ASA 3"), "3"), (surgery("Score ASA : II"), "2")],
    ),
    (
        radio(
            "vie", "Lieu de vie avant la fracture", "1, Domicile seul | 2, Domicile accompagné | 3, EHPAD | 4, Autre"
        ),
        [
            (urgent("Vit seule à domicile, autonome."), "1"),
            (urgent("Vit avec son mari."), "2"),
            (urgent("Patiente vivant en EHPAD."), "3"),
            (urgent("Institutionnalisée."), "3"),
        ],
    ),
    (
        radio(
            "dest",
            "Destination à la sortie",
            "1, Domicile | 2, SSR | 3, EHPAD | 4, Autre service hospitalier | 5, Décès",
        ),
        [
            (summary("Sortie en SSR à Lille."), "2"),
            (summary("Retour à domicile avec IDE. RDV de consultation au CHU dans 6 semaines."), "1"),
            (summary("La patiente retourne à l'EHPAD"), "3"),
            (summary("Transfert en gériatrie aiguë"), "4"),
        ],
    ),
    (
        radio(
            "chir",
            "Type d'intervention",
            "1, Prothèse totale | 2, Prothèse intermédiaire | 3, Enclouage | 4, Vissage | 5, Vis-plaque (DHS)",
        ),
        [
            (surgery("Enclouage par clou gamma long."), "3"),
            (surgery("Mise en place d'une prothèse intermédiaire cimentée"), "2"),
            (surgery("DHS 3 trous"), "5"),
            (surgery("PTH cimentée"), "1"),
            (summary("Traitement par clou gamma. ATCD de PTH controlatérale en 2010."), "3"),
        ],
    ),
    (
        radio(
            "frac",
            "Type de fracture de l'extrémité supérieure du fémur",
            "1, Fracture du col fémoral | 2, Fracture trochantérienne | 3, Fracture sous-trochantérienne",
        ),
        [
            (imaging("Fracture cervicale vraie Garden III"), "1"),
            (imaging("Fracture per-trochantérienne complexe"), "2"),
            (imaging("FR PERTROCHANTERIENNE G"), "2"),
            (imaging("Fracture du massif trochantérien"), "2"),
        ],
    ),
    (
        radio("lat", "Latéralité", "1, Droite | 2, Gauche"),
        [
            (imaging("Fracture du col fémoral gauche"), "2"),
            (urgent("Chute, impotence hanche D. Fracture pertroch. Dte"), "1"),
        ],
    ),
    (
        radio("anesth", "Mode d'anesthésie", "AG, Anesthésie générale | RA, Rachianesthésie | ALR, Bloc"),
        [(surgery("Rachianesthésie L3L4"), "RA"), (surgery("sous AG"), "AG"), (surgery("Anesthésie : générale"), "AG")],
    ),
    (
        radio("fevg", "Type d'insuffisance cardiaque", "1, FE préservée | 2, FE modérément réduite | 3, FE réduite"),
        [
            (summary("Insuffisance cardiaque à FEVG préservée"), "1"),
            (summary("IC à FE réduite (FEVG 25%)"), "3"),
            (summary("HFpEF"), "1"),
        ],
    ),
    (
        radio(
            "etio",
            "Étiologie de la cardiopathie",
            "1, Ischémique | 2, Hypertensive | 3, Valvulaire | 4, Dilatée primitive | 5, Amylose | 6, Autre",
        ),
        [
            (summary("Cardiopathie ischémique"), "1"),
            (summary("CMD primitive à coronaires saines"), "4"),
            (summary("Amylose cardiaque à TTR"), "5"),
            (summary("Cardiopathie d'origine ischémique (IDM antérieur 2014)"), "1"),
        ],
    ),
    (
        radio("ryt", "Rythme à l'admission", "1, Sinusal | 2, Fibrillation atriale | 3, Électro-entraîné"),
        [
            (urgent("ECG : ACFA à 110/min"), "2"),
            (urgent("ECG: RRS 80"), "1"),
            (urgent("rythme électro-entrainé"), "3"),
            (urgent("ATCD FA paroxystique. ECG : sinusal."), "1"),
        ],
    ),
    (
        radio(
            "fact",
            "Facteur déclenchant principal",
            "1, Infection | 2, Trouble du rythme | 3, Régime | 4, Observance | 5, SCA | 6, Non retrouvé",
        ),
        [
            (summary("Décompensation sur surinfection bronchique"), "1"),
            (summary("Facteur déclenchant : écart sodé"), "3"),
            (summary("sans facteur déclenchant retrouvé"), "6"),
            (summary("Arrêt des diurétiques par le patient"), "4"),
        ],
    ),
    (
        radio("tabac", "Mode d'entrée", "1, Urgences | 2, Transfert | 3, Programmé"),
        [(summary("Admis via les urgences"), "1"), (summary("Transféré du CH de Lens"), "2")],
    ),
    (
        radio("gs", "Groupe sanguin", "1, A+ | 2, O+ | 3, B+ | 4, AB+"),
        [
            (urgent("Groupe sanguin A+"), "1"),
        ],
    ),
    (
        radio("cons", "Type de cholécystectomie", "1, Coelioscopie | 2, Laparotomie | 3, Conversion"),
        [
            (surgery("Cholécystectomie sous cœlioscopie"), "1"),
            (surgery("Laparotomie médiane"), "2"),
        ],
    ),
    (
        radio("germe", "Germe identifié", "1, Pneumocoque | 2, Legionella | 3, Haemophilus influenzae | 4, Aucun"),
        [
            (summary("ECBC : Streptococcus pneumoniae"), "1"),
            (summary("Haemophilus influenzae à l'ECBC"), "3"),
            (summary("Antigénurie légionelle négative, pneumocoque négative"), None),
            (summary("Antigénurie pneumocoque positive"), "1"),
        ],
    ),
    (
        radio("grav", "Gravité de la pancréatite", "1, Légère | 2, Modérée | 3, Sévère"),
        [
            (summary("Pancréatite aiguë modérée"), "2"),
            (summary("Pancréatite aiguë sévère lithiasique"), "3"),
            (summary("HTA sévère"), None),
        ],
    ),
    (
        radio(
            "o2",
            "Oxygénothérapie maximale",
            "0, Aucune | 1, Lunettes | 2, Masque haute concentration | 3, Optiflow | 4, VNI | 5, Intubation",
        ),
        [
            (urgent("O2 3 L/min aux lunettes"), "1"),
            (urgent("MHC 15 L"), "2"),
            (urgent("Mise sous Optiflow"), "3"),
            (urgent("Sous VNI"), "4"),
        ],
    ),
    (
        radio(
            "ttt", "Traitement du cancer", "1, Chirurgie | 2, Chimiothérapie | 3, Radiothérapie", VariableKind.CHECKBOX
        ),
        [(summary("Traité par radiothérapie et chimiothérapie"), ("2", "3")), (summary("Pas de radiothérapie"), None)],
    ),
    (
        radio(
            "diagn",
            "Diagnostic principal retenu",
            "1, Pneumopathie | 2, Embolie pulmonaire | 3, Insuffisance cardiaque | 4, Exacerbation de BPCO",
        ),
        [
            (summary("Conclusion : exacerbation de BPCO"), "4"),
            (summary("Embolie pulmonaire bilatérale. Pas de pneumopathie."), "2"),
        ],
    ),
]


@pytest.mark.parametrize(
    ("variable", "note", "expected"), [(variable, *case) for variable, cases in UNKNOWN for case in cases]
)
def test_unknown_dictionary(variable: Variable, note: Note, expected: str | tuple[str, ...] | None) -> None:
    assert ask(variable, note).value == expected


def test_equal_rivals_are_a_conflict_with_both_sides_cited() -> None:
    variable = radio("r", "Rythme à l'ECG", "1, Sinusal | 2, Fibrillation atriale")
    found = ask(variable, urgent("ECG : rythme sinusal."), urgent("ECG : fibrillation atriale."))
    assert found.status is Status.CONFLICTING
    assert found.value is None
    assert set(found.candidates) == {"1", "2"}
    assert {e.document_id for e in found.evidence} == {"P1-0", "P1-1"}


BOXES = radio(
    "b",
    "Facteur déclenchant",
    "1, Infection | 2, Trouble du rythme | 3, Écart de régime | 4, Anémie",
    VariableKind.CHECKBOX,
)


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
