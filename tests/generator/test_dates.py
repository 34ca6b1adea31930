# ruff: noqa: E501 (an annotated case reads best on its line)
"""Days of events, the index stay among several, and death, under the stroke study and under unknown dictionaries."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.rules.reader import RulesGenerator
from schema.value import Status
from schema.variable import Variable, VariableKind
from tests.generator.closed_questions import Note, ask, fill, radio

DAY, OUT, LATER = "2022-03-08", "2022-03-15", "2022-06-10"
IN, LEFT, DIED = "date_admission", "date_sortie", "date_deces"


def urgent(text: str, day: str = DAY) -> Note:
    return ("urgences", day, text)


def summary(text: str, day: str = OUT) -> Note:
    return ("crh", day, text)


def visit(text: str, day: str = LATER) -> Note:
    return ("consultation", day, text)


STAYS: list[tuple[str, str | None, list[Note]]] = [
    ("2022-03-08", "2022-03-15", [summary("Compte rendu d'hospitalisation du 08/03/2022 au 15/03/2022.")]),
    ("2022-03-08", "2022-03-15", [summary("Séjour du 8 au 15 mars 2022 dans le service.", "2022-03-17")]),
    ("2022-03-08", "2022-03-15", [summary("Date d'entrée : 08/03/2022   Date de sortie : 15/03/2022", "2022-03-20")]),
    ("2022-03-08", "2022-03-15", [summary("DATE D'ENTREE 08.03.2022\nDATE DE SORTIE 15.03.2022")]),
    ("2022-03-08", "2022-03-15", [summary("Du 08/03/2022 au 15/03/2022\nAVC ischémique sylvien gauche.")]),
    ("2022-03-08", "2022-03-15", [summary("Cher confrère, votre patient a été hospitalisé du 8 mars au 15 mars 2022.")]),
    ("2022-03-08", "2022-03-15", [urgent("Arrivée 10h26."), summary("Hospitalisée depuis le 08/03. Transfert le 15/03 en SSR.")]),
    ("2022-03-08", "2022-03-15", [urgent("Arrivée 10h26."), summary("Retour au domicile le 15/03/2022.", "2022-03-18")]),
    ("2022-03-08", "2022-03-15", [urgent("Arrivée 10h26."), ("soins", OUT, "15/03 14h : sortie vers le SSR en ambulance.")]),
    ("2022-03-08", "2022-03-15", [urgent("Arrivée 10h26."), summary("Rentre à domicile ce jour.")]),
    ("2022-03-08", None, [urgent("Arrivée 10h26 par le SMUR.")]),
    # the first hospital counts for the admission
    ("2022-03-08", "2022-03-15", [
        urgent("CH de Mende. Arrivée 22h40. Transfert au CHU pour thrombectomie."),
        ("thrombectomie", "2022-03-09", "Ponction 00h50."),
        summary("CHU. Hospitalisation du 09/03/2022 au 15/03/2022.")]),
    # an old stay, a stay in rehabilitation, a later readmission
    ("2022-03-08", "2022-03-15", [
        summary("Hospitalisation du 02/05/2019 au 06/05/2019 pour AIT.", "2019-05-06"),
        urgent("Arrivée 10h26."), ("imagerie", DAY, "IRM du 08/03/2022."),
        summary("Hospitalisation du 08/03/2022 au 15/03/2022.")]),
    ("2022-03-08", "2022-03-15", [
        urgent("Arrivée 10h26."), summary("Hospitalisation du 08/03/2022 au 15/03/2022."),
        ("crh", "2022-05-20", "SSR neurologique. Séjour en rééducation du 15/03/2022 au 20/05/2022.")]),
    ("2022-03-08", "2022-03-15", [
        urgent("Arrivée 10h26."), ("imagerie", DAY, "Scanner."), summary("Hospitalisation du 08/03/2022 au 15/03/2022."),
        summary("Hospitalisation du 02/09/2022 au 05/09/2022 pour pyélonéphrite.", "2022-09-05")]),
    # leaving a ward is not leaving the hospital
    ("2022-03-08", "2022-03-15", [
        urgent("Arrivée 10h26."),
        summary("Entrée le 08/03/2022. Sortie de réanimation le 11/03/2022. Sortie le 15/03/2022 à domicile.")]),
    ("2022-03-08", "2022-03-15", [
        urgent("Arrivée 10h26."), ("soins", "2022-03-10", "10/03 : sortie de l'USINV, transfert en secteur conventionnel."),
        summary("Hospitalisation du 08/03/2022 au 15/03/2022.")]),
    ("2022-03-08", "2022-03-15", [
        summary("Hospitalisation du 08/03/2022 au 15/03/2022.\nHolter du 10/03/2022 au 12/03/2022 : pas de FA.\n"
                "Augmentin du 09/03 au 14/03.")]),
    ("2022-03-08", "2022-03-13", [urgent("Arrivée 10h26."), summary("Hospitalisée le 08/03/2022, décédée le 13/03/2022.")]),
]  # fmt: skip


@pytest.mark.parametrize(("admission", "discharge", "notes"), STAYS)
def test_index_stay(stroke: RulesGenerator, admission: str, discharge: str | None, notes: list[Note]) -> None:
    found = fill(stroke, *notes)
    assert (str(found[IN].value), found[LEFT].value and str(found[LEFT].value)) == (admission, discharge)
    assert found[IN].evidence
    assert found[LEFT].evidence or discharge is None


DEATHS: list[tuple[str | None, str | None, list[Note]]] = [
    ("1", "2022-03-13", [summary("Hospitalisation du 08/03/2022 au 13/03/2022. Décès le 13/03/2022 à 4h40.")]),
    ("1", "2022-03-13", [summary("Hospitalisé du 08/03/2022 au 13/03/2022.\nDECES CONSTATE LE 13/03/2022.")]),
    ("1", "2022-03-13", [urgent("Arrivée 10h."), ("soins", "2022-03-13", "13/03 04h40 : décès constaté par l'interne.")]),
    ("1", "2022-03-13", [urgent("Arrivée 10h."), summary("La patiente s'est éteinte le 13 mars 2022.", "2022-03-14")]),
    ("1", "2022-03-13", [urgent("Arrivée 10h."), summary("Le patient est décédé à J5.", "2022-03-14")]),
    ("1", "2022-04-20", [
        summary("Hospitalisation du 08/03/2022 au 15/03/2022."),
        ("suivi", LATER, "Appel : la fille nous apprend que le patient est décédé le 20/04/2022 d'une pneumopathie.")]),
    ("1", "2022-03-13", [urgent("Arrivée 10h."), summary("DCD le 13/03/2022.")]),
    ("0", None, [summary("Hospitalisation du 08/03/2022 au 15/03/2022."), visit("Je revois M. X à trois mois, mRS 2.")]),
    ("0", None, [summary("Hospitalisation du 08/03/2022 au 15/03/2022."), ("suivi", LATER, "Patient joint par téléphone.")]),
    ("0", None, [
        summary("Hospitalisation du 08/03/2022 au 15/03/2022. Père décédé d'un AVC."),
        visit("Vu ce jour. Vit seul depuis le décès de son épouse le 02/05/2022.")]),
    ("0", None, [
        summary("Hospitalisation du 08/03/2022 au 15/03/2022."),
        visit("Je revois la patiente. Décédée... non, sa sœur est décédée le 01/05/2022.".replace("Décédée... non, ", ""))]),
    ("0", None, [
        summary("Hospitalisation du 08/03/2022 au 15/03/2022."),
        visit("Je revois M. X un an après ; depuis, sa mère est morte.", "2023-03-10")]),
    ("0", None, [
        summary("Hospitalisation du 08/03/2022 au 15/03/2022."),
        ("suivi", "2023-03-01", "Le patient est décédé le 12/12/2022 selon son médecin.")]),
    (None, None, [summary("Hospitalisation du 08/03/2022 au 15/03/2022. Pronostic réservé, risque de décès expliqué.")]),
    (None, None, [summary("Hospitalisation du 08/03/2022 au 15/03/2022."), visit("Consultation à 1 mois.", "2022-04-10")]),
    (None, None, [
        summary("Hospitalisation du 08/03/2022 au 15/03/2022."),
        ("suivi", LATER, "Appel à 3 mois : patient non joignable, perdu de vue.")]),
]  # fmt: skip


@pytest.mark.parametrize(("dead", "day", "notes"), DEATHS)
def test_death_within_three_months(
    stroke: RulesGenerator, dead: str | None, day: str | None, notes: list[Note]
) -> None:
    found = fill(stroke, *notes)
    told = found[DIED].value if dead == "1" else None
    assert (found["deces_3mois"].value, told and str(told)) == (dead, day)


HIP: list[Note] = [
    urgent("Mme D., 84 ans, née le 02/01/1938. Chute à domicile le 07/03/2022 au soir. Arrivée 10h26.\nFracture du col."),
    ("bloc", "2022-03-09", "Compte rendu opératoire. Date d'intervention : 09/03/2022. Prothèse intermédiaire de hanche."),
    ("anesthesie", "2022-03-08", "Intervention prévue le 10/03/2022."),
    summary("Service d'orthopédie. Hospitalisation du 08/03/2022 au 15/03/2022.\nPère décédé en 1980.\n"
            "Opérée le 09/03/2022. Transfusion de deux culots le 11/03/2022. Doppler veineux le 12/03/2022 : normal."),
    visit("Revue le 10/06/2022, marche avec une canne."),
]  # fmt: skip
UNKNOWN: list[tuple[str, str | None]] = [
    ("Date d'entrée dans le service", "2022-03-08"),
    ("Date d'hospitalisation", "2022-03-08"),
    ("Date de sortie d'hospitalisation", "2022-03-15"),
    ("Date de l'intervention chirurgicale", "2022-03-09"),
    ("Date de naissance", "1938-01-02"),
    ("Date de la chute", "2022-03-07"),
    ("Date de la transfusion", "2022-03-11"),
    ("Date du doppler veineux", "2022-03-12"),
    ("Date de la dernière consultation", "2022-06-10"),
    ("Date de l'IRM", None),
    ("Date du décès", None),
    ("Date de pose du pacemaker", None),
]


@pytest.mark.parametrize(("label", "expected"), UNKNOWN)
def test_date_of_an_unknown_dictionary(label: str, expected: str | None) -> None:
    found = ask(Variable("jour", label, VariableKind.DATE), *HIP)
    assert (found.value and str(found.value)) == expected


VITAL: list[tuple[Variable, str | None]] = [
    (radio("dc", "Décès pendant l'hospitalisation", "0, Non | 1, Oui"), "0"),
    (radio("sv", "Statut vital à la sortie", "1, Vivant | 2, Décédé"), "1"),
    (radio("d3", "Décès à 3 mois", "0, Non | 1, Oui", VariableKind.YESNO), "0"),
    (radio("d12", "Décès à 1 an", "0, Non | 1, Oui"), None),
    (radio("pere", "Décès du père d'un AVC", "0, Non | 1, Oui"), None),
]


@pytest.mark.parametrize(("variable", "expected"), VITAL)
def test_vital_status_of_an_unknown_dictionary(variable: Variable, expected: str | None) -> None:
    found = ask(variable, *HIP)
    assert found.value == expected or (variable.name == "pere" and found.status is not Status.FOUND)


ICU: list[Note] = [
    urgent("Arrivée le 08/03/2022 à 18h40. Dyspnée fébrile."),
    summary(
        "Hospitalisé du 08/03/2022 au 15/03/2022. ATCD : pacemaker implanté le 12/06/2015.\n"
        "Transfert en réanimation le 09/03/2022. Intubé le 09/03/2022, extubé le 12/03/2022.\n"
        "Épuration extra-rénale du 10/03 au 12/03. Sortie de réanimation le 13/03/2022. ETT du 09/03/2022, ETT du 14/03/2022."
    ),
    ("courrier", "2022-09-20", "Nous avons le regret de vous apprendre le décès de M. X le 15 septembre 2022."),
]
INTENSIVE: list[tuple[str, str | None]] = [
    ("Date d'admission en réanimation", "2022-03-09"),
    ("Date de sortie de réanimation", "2022-03-13"),
    ("Date d'intubation", "2022-03-09"),
    ("Date d'extubation", "2022-03-12"),
    ("Date de début de la dialyse", "2022-03-10"),
    ("Date d'implantation du pacemaker", "2015-06-12"),
    ("Date de la dernière ETT", "2022-03-14"),
    ("Date des dernières nouvelles", "2022-09-15"),
    ("Date de la trachéotomie", None),
]


@pytest.mark.parametrize(("label", "expected"), INTENSIVE)
def test_date_of_intensive_care(label: str, expected: str | None) -> None:
    found = ask(Variable("jour", label, VariableKind.DATE), *ICU)
    assert (found.value and str(found.value)) == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from((
    "Ponction", "décès", "sortie", "Hospitalisé du", "au", "08/03/2022", "14h05", "TICI 2b", "début", "vu normal", "à", "\n", ". ", " : ",
    "réveil", "au sol", "bolus", "le", "hier", "J3", "☐", "[x]", "|", "...", "mère", "né le", "Addendum", "et non",
)), max_size=40))  # fmt: skip
def test_any_text_is_read_and_every_value_cites_it(stroke: RulesGenerator, pieces: list[str]) -> None:
    text = " ".join(pieces) or "."
    for value in fill(stroke, urgent(text)).values():
        for evidence in value.evidence:
            assert text[evidence.start : evidence.end] == evidence.quote != ""
