"""Conditions: known, denied, left out of a list, found during the stay; under the stroke study and without any."""

# ruff: noqa: E501 (one case on one line)

from __future__ import annotations

import pytest

from generator.rules.reader import RulesGenerator
from schema.value import Status
from schema.variable import Variable, VariableKind
from tests.generator.closed_questions import Note, ask, control, fill, letter, radio, stay, summary, urgent, visit

DAY = "2022-03-08"


CASES: list[tuple[str, str | None, list[Note]]] = [
    # known, denied, omitted
    ("hta", "1", [urgent("ATCD : HTA, DNID.")]),
    ("hta", "1", [urgent("ANTECEDENTS : HYPERTENSION ARTERIELLE TRAITEE PAR AMLOR")]),
    ("hta", "1", [urgent("Patiente hypertendue et dyslipidémique, adressée pour hémiparésie.")]),
    ("hta", "1", [urgent("FDRCV : HTA+, diabète-, tabac+, dyslipidémie-")]),
    ("hta", "1", [urgent("Facteurs de risque\n[x] HTA\n[ ] Diabète\n[ ] Dyslipidémie")]),
    ("hta", "1", [urgent("HTA : oui    Diabète : non    Tabac : non")]),
    ("hta", "0", [urgent("Facteurs de risque\n[ ] HTA\n[x] Diabète\n[ ] Dyslipidémie")]),
    ("hta", "0", [urgent("HTA : non    Diabète : oui    Tabac : oui")]),
    ("hta", "0", [urgent("Antécédents : appendicectomie. Pas d'HTA, pas de diabète.")]),
    ("hta", "0", [urgent("Antécédents : appendicectomie, migraine.")]),
    ("hta", "0", [urgent("Aucun antécédent notable.")]),
    ("hta", "0", [urgent("ATCD : RAS")]),
    ("hta", "0", [urgent("Sans antécédent cardiovasculaire.")]),
    ("hta", "0", [urgent("ATCD : asthme. Mère : HTA, père diabétique.")]),
    ("hta", "0", [urgent("ATCD familiaux : HTA chez la mère. ATCD personnels : asthme, fracture du poignet.")]),
    ("hta", None, [urgent("Hémiparésie droite brutale à 14h. TA 165/90 mmHg.")]),
    ("hta", None, [urgent("ATCD non connus. Hémiparésie droite.")]),
    ("hta", None, [urgent("ATCD : cf courrier.")]),
    ("hta", "0", [urgent("ATCD : asthme."), summary("Le bilan découvre une hypertension artérielle, traitée par ramipril.")]),
    ("hta", "1", [letter("Antécédents : HTA traitée depuis 2012, goutte.")]),
    ("hta", "0", [urgent("ATCD : glaucome avec hypertension intra-oculaire, HTAP.")]),
    ("diabete", "2", [urgent("ATCD : HTA, DNID sous metformine.")]),
    ("diabete", "2", [urgent("Antécédents : diabète de type 2 insulino-requérant.")]),
    ("diabete", "1", [urgent("Antécédents : diabète de type 1 depuis l'enfance.")]),
    ("diabete", "1", [urgent("ATCD : DT1 sous pompe à insuline")]),
    ("diabete", "3", [urgent("Antécédents : HTA, diabète, tabagisme.")]),
    ("diabete", "2", [urgent("ATCD : HTA."), summary("Découverte d'un diabète de type 2, HbA1c 8,1 %.")]),
    ("diabete", "2", [letter("Antécédents : diabète."), urgent("ATCD : HTA, diabète type 2 mal équilibré.")]),
    ("diabete", "0", [urgent("ATCD : HTA. Non diabétique.")]),
    ("diabete", "0", [urgent("ATCD : HTA, goutte. Deux frères diabétiques.")]),
    ("diabete", "0", [urgent("PAS D'HTA, DE DIABETE NI DE DYSLIPIDEMIE")]),
    ("diabete", None, [urgent("Glycémie 1,32 g/L.")]),
    ("dyslipidemie", "1", [urgent("ATCD : hypercholestérolémie familiale sous statine")]),
    ("dyslipidemie", "0", [urgent("ATCD : HTA. Traitement : atorvastatine 10, ramipril 5.")]),
    ("dyslipidemie", "0", [urgent("Pas d'HTA, de diabète ni de dyslipidémie.")]),
    ("tabac", "0", [urgent("ATCD : HTA. N'a jamais fumé.")]),
    ("tabac", "0", [urgent("Non-fumeuse. ATCD : migraine.")]),
    ("tabac", "0", [urgent("Tabac : jamais. Alcool : occasionnel.")]),
    ("tabac", "1", [urgent("FDR : tabac sevré en 2005 (20 PA), HTA.")]),
    ("tabac", "1", [urgent("Ancien fumeur, 30 paquets-années, arrêt en 1998.")]),
    ("tabac", "1", [urgent("ATCD : HTA, ex-tabagique.")]),
    ("tabac", "1", [urgent("Ne fume plus depuis dix ans.")]),
    ("tabac", "1", [urgent("Tabagisme à 40 PA, sevré il y a 3 ans.")]),
    ("tabac", "2", [urgent("Tabagisme actif à 25 PA.")]),
    ("tabac", "2", [urgent("FDR : TABAC 1 PAQUET/JOUR, HTA")]),
    ("tabac", "2", [urgent("FDR : HTA, tabac non sevré.")]),
    ("tabac", "2", [urgent("Fume 10 cigarettes par jour.")]),
    ("tabac", "2", [urgent("FDR : tabac."), summary("Sevrage tabagique conseillé, substituts prescrits.")]),
    ("tabac", "2", [urgent("FDR : tabac actif."), visit("Tabac arrêté depuis la sortie.")]),
    ("tabac", "0", [urgent("ATCD : HTA. Mari gros fumeur.")]),
    ("tabac", "2", [urgent("FDR : tabac, alcool sevré.")]),
    # found before or since
    ("fa", "1", [urgent("ATCD : HTA, FA anticoagulée par Eliquis.")]),
    ("fa", "1", [urgent("ACFA permanente connue depuis 2014.")]),
    ("fa", "1", [letter("Antécédents : flutter ablaté, HTA.")]),
    ("fa", "2", [urgent("ATCD : HTA. ECG : RRS."), summary("Passage en fibrillation atriale au scope le 10/03.")]),
    ("fa", "2", [urgent("ATCD : HTA."), summary("Scope sans arythmie."), visit("Le Holter a montré une fibrillation atriale.")]),
    ("fa", "2", [urgent("ATCD : HTA. ECG d'entrée : ACFA rapide à 130, de découverte récente.")]),
    ("fa", "0", [urgent("ATCD : HTA."), summary("Scope sans trouble du rythme. Holter : pas de FA.")]),
    ("fa", "0", [urgent("ATCD : HTA."), summary("Un Holter est prévu à la recherche d'une FA.")]),
    ("fa", "0", [urgent("Antécédents : HTA, mère porteuse d'une FA.")]),
    # events: the index stroke is not its own history
    ("atcd_avc_ait", "0", [urgent("ATCD : HTA. AVC sylvien gauche."), summary("AVC ischémique sylvien gauche.")]),
    ("atcd_avc_ait", "1", [urgent("ATCD : HTA, AVC sylvien droit en 2015 sans séquelle.")]),
    ("atcd_avc_ait", "1", [urgent("ATCD : AIT il y a 3 ans.")]),
    ("atcd_avc_ait", "1", [urgent("Antécédents\n- HTA\n- AVC cérébelleux 2013\n")]),
    ("atcd_avc_ait", "0", [urgent("ATCD : HTA. Père décédé d'un AVC.")]),
    ("atcd_avc_ait", "0", [urgent("Pas d'antécédent d'AVC ni d'AIT.")]),
    ("atcd_avc_ait", None, [urgent("Suspicion d'AVC, hémiparésie droite.")]),
    ("coronaropathie", "1", [urgent("ATCD : IDM inférieur stenté en 2010.")]),
    ("coronaropathie", "1", [urgent("ATCD : cardiopathie ischémique (pontage 2008).")]),
    ("coronaropathie", "0", [urgent("ATCD : HTA. Père : infarctus du myocarde à 58 ans.")]),
    ("coronaropathie", "0", [urgent("ATCD : HTA, DNID. Pas de coronaropathie.")]),
    # during the stay
    ("pneumopathie", "1", [summary("Évolution : pneumopathie d'inhalation à J3 traitée par Augmentin.")]),
    ("pneumopathie", "1", [stay("T 38,9. Foyer de crépitants base droite : pneumopathie, Augmentin."), summary("Suites marquées par une infection respiratoire.")]),
    ("pneumopathie", "0", [summary("Les suites sont simples, sans complication infectieuse.")]),
    ("pneumopathie", "0", [summary("Évolution : infection urinaire. Pas de pneumopathie.")]),
    ("pneumopathie", "0", [summary("L'évolution a été marquée par une chute sans gravité.")]),
    ("pneumopathie", "0", [urgent("ATCD : pneumopathie en 2019."), summary("Évolution : suites simples.")]),
    ("pneumopathie", "0", [summary("Évolution : suites simples."), visit("A fait une pneumopathie en mai.")]),
    ("pneumopathie", None, [urgent("ATCD : HTA.")]),
    ("pneumopathie", "0", [summary("AVC sylvien droit. Pas d'épisode infectieux.")]),
    # bleeding
    ("transfo_hemorragique", "2", [control("Infarctus sylvien avec remaniements hémorragiques de type HI2.")]),
    ("transfo_hemorragique", "4", [control("Hématome parenchymateux de type 2 (PH2 ECASS) avec effet de masse.")]),
    ("transfo_hemorragique", "3", [control("PH1 lenticulaire."), summary("Remaniement hémorragique au scanner de contrôle.")]),
    ("transfo_hemorragique", "3", [control("Pétéchies HI1."), ("imagerie", "2022-03-11", "Scanner de contrôle. Majoration : PH1.")]),
    ("transfo_hemorragique", "5", [summary("Le scanner de contrôle montre une transformation hémorragique.")]),
    ("transfo_hemorragique", "0", [control("Infarctus constitué. Pas de transformation hémorragique.")]),
    ("transfo_hemorragique", "0", [summary("Le scanner de contrôle à H24 ne montre pas de remaniement hémorragique.")]),
    ("transfo_hemorragique", "0", [control("Hypodensité lenticulaire, sans saignement.")]),
    ("transfo_hemorragique", None, [("imagerie", DAY, "Scanner initial : pas d'hémorragie.")]),
    ("transfo_hemorragique", None, [summary("Risque de transformation hémorragique élevé, anticoagulation différée.")]),
    ("hemorragie_symptomatique", "0", [control("Pas de transformation hémorragique.")]),
    ("hemorragie_symptomatique", "0", [control("HI1."), summary("Remaniement hémorragique asymptomatique.")]),
    ("hemorragie_symptomatique", "1", [control("PH2."), summary("Hématome PH2 responsable d'une aggravation neurologique.")]),
    ("hemorragie_symptomatique", "1", [summary("Une transformation hémorragique symptomatique est survenue à J1.")]),
    ("hemorragie_symptomatique", "1", [control("PH2."), summary("Dégradation à J1 avec coma, rapportée à l'hématome.")]),
    ("hemorragie_symptomatique", None, [control("Transformation hémorragique HI2.")]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "expected", "notes"), CASES)
def test_stroke_conditions(stroke: RulesGenerator, name: str, expected: str | None, notes: list[Note]) -> None:
    found = fill(stroke, *notes)[name]
    assert found.value == expected, found


def yesno(label: str, note: str = "") -> Variable:
    return radio("v", label, "1, Oui | 0, Non", VariableKind.YESNO, note)


OTHERS: list[tuple[Variable, str | None, list[Note]]] = [
    (yesno("Antécédent de BPCO"), "1", [urgent("Antécédents : BPCO stade 2, HTA.")]),
    (yesno("Antécédent de BPCO"), None, [urgent("Antécédents : HTA.")]),  # no annotation rule: silence is not absence
    (yesno("Antécédent de BPCO"), "0", [urgent("Antécédents : HTA. Pas de BPCO.")]),
    (yesno("BPCO"), "0", [urgent("BPCO : non")]),
    (yesno("Antécédent de BPCO", "0 si les antécédents sont énumérés sans la citer."), "0", [urgent("Antécédents : HTA.")]),
    (yesno("Hypertension artérielle connue avant l'intervention"), "1", [urgent("Antécédents : HTA.")]),
    (yesno("Hypertension artérielle connue avant l'intervention"), None, [urgent("Intervention prévue demain.")]),
    (yesno("Insuffisance rénale chronique"), "1", [urgent("ATCD : insuffisance rénale chronique stade 3b.")]),
    (yesno("Infection urinaire pendant le séjour"), "1", [summary("Évolution : infection urinaire à E. coli.")]),
    (yesno("Infection urinaire pendant le séjour"), None, [summary("Évolution favorable.")]),
    (yesno("Confusion postopératoire"), "1", [stay("Confuse cette nuit, a arraché sa perfusion. Confusion post-opératoire.")]),
    (yesno("Antécédent familial de maladie coronaire"), "1", [urgent("ATCD familiaux : IDM chez le père à 50 ans.")]),
    (radio("v", "Tabagisme", "0, Non-fumeur | 1, Ancien fumeur | 2, Fumeur actif"), "1", [urgent("Ex-fumeur, 20 PA.")]),
    (radio("v", "Tabagisme", "0, Non-fumeur | 1, Ancien fumeur | 2, Fumeur actif"), "2", [urgent("FDR : tabac 20 PA.")]),
    (radio("v", "Diabète", "0, Non | 1, Oui"), "1", [urgent("ATCD : DNID.")]),
    (radio("v", "Fibrillation atriale", "0, Non | 1, Paroxystique | 2, Permanente"), "2", [urgent("ATCD : FA permanente.")]),
    (radio("v", "Diabète", "1, Oui | 2, Non | 3, Ne sait pas"), "2", [urgent("ATCD : HTA. Pas de diabète.")]),
]  # fmt: skip


@pytest.mark.parametrize(("variable", "expected", "notes"), OTHERS)
def test_conditions_of_unknown_dictionaries(variable: Variable, expected: str | None, notes: list[Note]) -> None:
    found = ask(variable, *notes)
    assert found.value == expected, found


def test_an_omission_is_told_from_a_denial_and_cites_the_list(stroke: RulesGenerator) -> None:
    found = fill(stroke, urgent("Antécédents : migraine, appendicectomie. Pas de diabète."))
    assert found["hta"].status is Status.ABSENT_BY_OMISSION
    assert found["hta"].evidence[0].quote == "Antécédents : migraine, appendicectomie."
    assert found["diabete"].status is Status.STATED_ABSENT
    assert found["diabete"].evidence[0].quote == "Pas de diabète."
