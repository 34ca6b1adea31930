"""How a variable of an unknown dictionary is understood from its label, choices, note, unit and section alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.rules.label import wanted_of
from generator.rules.moments import moment_of
from generator.rules.plan import Plan, make_plans
from generator.rules.readers import READERS
from schema.study import Policy, Study, VariableHints
from schema.variable import Choice, Variable, VariableKind

K = VariableKind
YES_NO = (Choice("1", "Oui"), Choice("0", "Non"))


def choices(text: str) -> tuple[Choice, ...]:
    pairs = (part.split(",", 1) for part in text.split("|"))
    return tuple(Choice(code.strip(), label.strip()) for code, label in pairs)


def variable(
    label: str, kind: VariableKind, options: str = "", *, unit: str = "", note: str = "", section: str = ""
) -> Variable:
    given_choices = choices(options) if options else (YES_NO if kind is K.YESNO else ())
    return Variable("x", label, kind, section=section, note=note, choices=given_choices, unit=unit)


def plan(
    label: str, kind: VariableKind, options: str = "", *, unit: str = "", note: str = "", section: str = ""
) -> Plan:
    asked = variable(label, kind, options, unit=unit, note=note, section=section)
    return make_plans((asked,), Study()).plans[0]


@pytest.mark.parametrize(
    ("label", "kind", "options", "unit", "reader", "concepts"),
    [
        # cardiology
        ("FEVG (%)", K.INTEGER, "", "%", "measure", {"fevg"}),
        ("NT-proBNP à l'admission (ng/L)", K.NUMBER, "", "ng/L", "measure", {"nt_probnp"}),
        ("Classe NYHA", K.CHOICE, "1, I | 2, II | 3, III | 4, IV", "", "grade", {"nyha"}),
        ("Fibrilation auriculaire", K.YESNO, "", "", "condition", {"fa"}),
        ("IEC/ARA2 à la sortie", K.YESNO, "", "", "treatment", {"drug:iec", "drug:ara2"}),
        ("TAS à l'entrée (mmHg)", K.INTEGER, "", "mmHg", "pressure", {"pas"}),
        # oncology
        ("Taux de PSA au diagnostic (ng/mL)", K.NUMBER, "", "ng/mL", "measure", {"psa"}),
        ("Statut HER2", K.CHOICE, "0, Négatif | 1, Positif", "", "choice", set()),
        ("Stade OMS", K.CHOICE, "0, 0 | 1, 1 | 2, 2 | 3, 3 | 4, 4", "", "grade", set()),
        # obstetrics
        ("Hémorragie du post-partum", K.YESNO, "", "", "condition", set()),
        ("Voie d'accouchement", K.CHOICE, "1, Voie basse | 2, Césarienne", "", "choice", set()),
        # nephrology, diabetes
        ("Créatininémie (µmol/L)", K.INTEGER, "", "µmol/L", "measure", {"creatinine"}),
        ("Protéinurie des 24h (g/24h)", K.NUMBER, "", "g/24h", "measure", {"proteinurie"}),
        ("Le patient est-il diabétique ?", K.YESNO, "", "", "condition", {"diabete"}),
        ("Type de diabète", K.CHOICE, "1, Type 1 | 2, Type 2 | 3, Autre", "", "condition", {"diabete"}),
        ("Traitement de l'HTA", K.YESNO, "", "", "condition", set()),
        ("Dose totale d'insuline (UI/j)", K.NUMBER, "", "UI/j", "text", None),
        # intensive care
        ("Lactate à l'admission (mmol/L)", K.NUMBER, "", "mmol/L", "measure", {"lactates"}),
        ("Ventilation mécanique invasive", K.YESNO, "", "", "procedure", {"ventilation_mecanique"}),
        ("Durée de séjour (jours)", K.INTEGER, "", "jours", "duration", {"duree_sejour"}),
        ("Mortalité hospitalière", K.YESNO, "", "", "vital", {"deces"}),
        ("Statut vital à J28", K.CHOICE, "1, Vivant | 2, Décédé", "", "vital", None),
        # geriatrics
        ("Nombre de culots globulaires transfusés", K.INTEGER, "", "", "count", {"culots"}),
        ("Mode de vie", K.CHOICE, "1, Domicile | 2, EHPAD", "", "choice", set()),
        # infectious diseases, respiratory
        ("CRP (mg/L)", K.NUMBER, "", "mg/L", "measure", {"crp"}),
        ("BPCO connue ?", K.CHOICE, "1, Oui | 0, Non | 9, NSP", "", "condition", {"bpco"}),
        ("Tabac (paquets-années)", K.NUMBER, "", "paquets-années", "measure", {"tabac"}),
        # surgery, anaesthesia
        ("Date de la chirurgie", K.DATE, "", "", "date", None),
        ("Heure d'incision", K.TIME, "", "", "clock", None),
        ("Conversion en laparotomie", K.YESNO, "", "", "procedure", set()),
        ("Latéralité", K.CHOICE, "1, Droite | 2, Gauche", "", "side", None),
        # everyone
        ("Sexe du patient", K.CHOICE, "M, Masculin | F, Féminin", "", "sex", {"sexe"}),
        ("Âge à l'inclusion (ans)", K.INTEGER, "", "ans", "age", {"age"}),
        ("IMC (kg/m²)", K.NUMBER, "", "kg/m²", "body_mass", {"imc"}),
        ("Année de découverte du diabète", K.INTEGER, "", "", "text", None),
        ("Commentaires", K.NOTES, "", "", "text", None),
        ("Nom du médecin", K.TEXT, "", "", "text", None),
        ("Autres complications", K.YESNO, "", "", "text", set()),
    ],
)  # fmt: skip
def test_reader_and_concepts(
    label: str, kind: VariableKind, options: str, unit: str, reader: str, concepts: set[str] | None
) -> None:
    found = plan(label, kind, options, unit=unit)
    assert found.reader == reader
    if concepts is not None:
        assert {anchor for anchor in found.anchors if not anchor.startswith("var:")} == concepts


@pytest.mark.parametrize(
    ("label", "section", "note", "policy", "offset"),
    [
        ("Score NIHSS à 24 heures (J1)", "", "", Policy.AT_DAY, 1.0),
        ("Rankin à 3 mois", "", "", Policy.AT_FOLLOW_UP, pytest.approx(91.3, abs=1)),
        ("Créatinine M6", "", "", Policy.AT_FOLLOW_UP, pytest.approx(182.6, abs=1)),
        ("Douleur à J3 postopératoire", "", "", Policy.AT_DAY, 3.0),
        ("Infection dans les 30 jours", "", "", Policy.AT_FOLLOW_UP, 30.0),
        ("Hémoglobine la plus basse du séjour", "", "", Policy.LOWEST, None),
        ("Pic de troponine", "", "", Policy.HIGHEST, None),
        ("Créatinine à la sortie", "", "", Policy.AT_DISCHARGE, None),
        ("Score de Parker avant la chute", "", "", Policy.BEFORE, None),
        ("Hb pré-op", "", "", Policy.BEFORE, None),
        ("Chute dans les 6 derniers mois", "", "", Policy.BEFORE, None),
        ("Albumine", "", "Premier dosage du séjour.", Policy.FIRST, None),
        ("Albumine", "Biologie d'entrée", "", Policy.AT_ADMISSION, None),
        ("Albumine", "Suivi à 6 mois", "", Policy.AT_FOLLOW_UP, pytest.approx(182.6, abs=1)),
        ("Diabète", "Antécédents", "", Policy.BEFORE, None),
        ("Escarre", "Complications", "", Policy.FIRST, None),
        ("Albumine", "", "", Policy.FIRST, None),
        ("Albumine", "", "Jamais celle du suivi à 3 mois.", Policy.FIRST, None),
        ("Perte de poids depuis 6 mois", "", "", Policy.FIRST, None),
    ],
)  # fmt: skip
def test_moment(label: str, section: str, note: str, policy: Policy, offset: float | None) -> None:
    assert moment_of(variable(label, K.NUMBER, section=section, note=note)) == (policy, offset)


def test_unit_words_are_not_moments() -> None:
    assert plan("DFG (CKD-EPI, mL/min/1,73m²)", K.NUMBER, unit="mL/min/1,73m²").policy is Policy.FIRST
    assert plan("Durée du geste (min)", K.NUMBER, unit="min").policy is Policy.FIRST
    assert plan("IMC (kg/m2)", K.NUMBER, unit="kg/m2").policy is Policy.FIRST


def test_a_date_is_its_own_moment() -> None:
    assert plan("Date du décès", K.DATE, section="Suivi à 3 mois").policy is Policy.ANY_TIME


@pytest.mark.parametrize(
    ("label", "note", "omission"),
    [
        ("Diabète", "0 si un document énumère les antécédents sans le citer.", "history"),
        ("Diabète", "Non si non mentionné.", "history"),
        ("Antiagrégant à l'admission", "Non si l'ordonnance est connue et n'en comporte pas.", "treatment"),
        ("Aspirine", "Considérer comme non si pas cité.", "treatment"),
        ("Dialyse", "Non si rien n'est écrit.", "care"),
        ("Diabète", "Vide si non mentionné.", ""),
        ("Transfusion", "0 si l'absence de transfusion est écrite.", ""),
        ("Diabète", "", ""),
    ],
)
def test_omission_is_what_the_note_says(label: str, note: str, omission: str) -> None:
    assert plan(label, K.YESNO, note=note).omission == omission


@pytest.mark.parametrize("label", ["Score de Parker", "Rankin avant l'AVC", "Autonomie antérieure", "ADL (/6)"])
def test_usual_state(label: str) -> None:
    assert plan(label, K.INTEGER).baseline


def test_a_measure_is_no_usual_state() -> None:
    assert not plan("Créatinine avant l'admission (µmol/L)", K.INTEGER, unit="µmol/L").baseline


def test_drugs_of_the_note_when_the_label_names_a_disease() -> None:
    note = "Bisphosphonate ou dénosumab dans l'année. Vitamine D seule = Non."
    found = plan("Traitement de fond de l'ostéoporose", K.YESNO, note=note)
    assert found.reader == "treatment"
    assert "drug:bisphosphonate" in found.anchors
    assert not any("vitamine" in anchor for anchor in found.anchors)


def test_a_list_of_conditions_is_a_yes_or_no_for_each() -> None:
    found = plan("Antécédents", K.CHECKBOX, "1, HTA | 2, BPCO | 3, Autre | 0, Aucun")
    assert found.reader == "list"
    assert {code: part.anchors for code, part in found.parts.items()} == {"1": ("hta",), "2": ("bpco",)}
    assert all(part.policy is Policy.BEFORE for part in found.parts.values())


def test_a_length_of_time_runs_between_two_events() -> None:
    assert list(plan("Délai arrivée-incision (h)", K.NUMBER, unit="h").parts) == ["admission", "incision"]
    assert list(plan("Durée de séjour (jours)", K.INTEGER, unit="jours").parts) == ["admission", "discharge"]
    assert plan("Durée des symptômes (jours)", K.INTEGER, unit="jours").parts == {}


def test_words_of_a_label_that_the_lexicon_lacks() -> None:
    assert "epaisseur de breslow" in wanted_of("Épaisseur de Breslow (mm)", named=True).forms
    assert "Breslow" in wanted_of("Épaisseur de Breslow (mm)", named=True).forms
    assert wanted_of("Syndrome inflammatoire clinico-biologique marqué").concepts == ()
    assert wanted_of("Indice ZZQ9").forms  # an abbreviation alone
    assert not wanted_of("Évolution").understood
    assert not wanted_of("Si oui, préciser").understood


def test_brackets_may_hold_another_name_but_no_rule() -> None:
    assert set(wanted_of("Maladie coronaire (infarctus du myocarde, angor)").concepts) >= {"idm", "angor"}
    assert "scanner" not in wanted_of("Score ASPECTS (scanner ou diffusion)", named=True).concepts
    assert "drug:hbpm_preventive" not in wanted_of("Anticoagulant (hors HBPM préventive)").concepts


def test_everyday_words_are_never_searched_for_alone() -> None:
    assert "EN" not in wanted_of("Inconfort (EN)", named=True).forms


def test_a_study_file_overrides_what_is_understood() -> None:
    asked = variable("Score NIHSS à 24 heures", K.INTEGER)
    hints = VariableHints(reader="measure", concepts=("glasgow",), policy=Policy.AT_DISCHARGE)
    found = make_plans((asked,), Study(variables={"x": hints})).plans[0]
    assert (found.reader, found.anchors, found.policy) == ("measure", ("glasgow",), Policy.AT_DISCHARGE)


@settings(deadline=None)  # each example compiles the whole lexicon; a busy machine is no defect
@given(
    label=st.text(max_size=60),
    kind=st.sampled_from(list(K)),
    note=st.text(max_size=60),
    options=st.lists(st.text(max_size=15), max_size=4),
)
def test_any_dictionary_is_planned(label: str, kind: VariableKind, note: str, options: list[str]) -> None:
    given_choices = tuple(Choice(str(number), text) for number, text in enumerate(options))
    found = make_plans((Variable("x", label, kind, note=note, choices=given_choices),), Study()).plans[0]
    assert found.reader in READERS or found.reader == "text"
