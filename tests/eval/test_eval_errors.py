"""Disagreements get the kind that a reader would give them."""

import datetime as dt

import pytest

from eval.align import Table, align
from eval.errors import COLUMNS, ErrorKind, described, find_errors, same_concept
from eval.evidence import EvidenceRow, Quote, by_cell
from schema.value import Status, Value
from schema.variable import Choice, Variable, VariableKind

YESNO = Variable("asthme", "Asthme", VariableKind.YESNO)
HEART = Variable(
    "fa",
    "Fibrillation atriale",
    VariableKind.CHOICE,
    choices=(Choice("0", "Absente"), Choice("1", "Connue"), Choice("2", "Découverte pendant le séjour")),
)
GRADE = Variable("tici", "TICI", VariableKind.CHOICE, choices=(Choice("0", "0"), Choice("1", "1"), Choice("3", "3")))
GLUCOSE = Variable("glycemie", "Glycémie (mmol/L)", VariableKind.NUMBER, unit="mmol/L", decimals=1)
LDL = Variable("ldl", "LDL (mmol/L)", VariableKind.NUMBER, unit="mmol/L", decimals=1)
PRESSURE = Variable("pas", "Pression systolique (mmHg)", VariableKind.INTEGER, unit="mmHg")
SCORE = Variable("nihss", "Score NIHSS", VariableKind.INTEGER)
ARRIVAL = Variable("arrivee", "Arrivée", VariableKind.DATETIME)
BIRTH = Variable("naissance", "Naissance", VariableKind.DATE)
PHONE = Variable("telephone", "Téléphone", VariableKind.PHONE)
TOWN = Variable("ville", "Ville", VariableKind.TEXT)


def kind_of(variable: Variable, predicted: Value | None, gold: Value | None, quote: str = "") -> ErrorKind:
    evidence = (Quote(document_id="D1", quote=quote),) if quote else ()
    reading = EvidenceRow(patient_id="P1", variable=variable.name, evidence=evidence)
    alignment = align([variable], {"P1": {variable.name: predicted}}, {"P1": {variable.name: gold}}, by_cell([reading]))
    (error,) = find_errors(alignment.cells)
    return error.kind


@pytest.mark.parametrize(
    ("variable", "predicted", "gold", "kind"),
    [
        (SCORE, None, 3, "missed"),
        (SCORE, 3, None, "invented"),
        (SCORE, 3, 4, "wrong_value"),
        (SCORE, 1, 10, "wrong_value"),  # a score has no unit
        (YESNO, "1", "0", "negation"),
        (HEART, "0", "2", "negation"),
        (HEART, "1", "2", "wrong_value"),
        (GRADE, "0", "3", "wrong_value"),  # a grade of 0 does not say no
        (GLUCOSE, 1.2, 6.7, "wrong_unit"),  # 1.2 g/L × 5.55 = 6.66
        (GLUCOSE, 120.0, 6.7, "wrong_unit"),  # mg/dL
        (LDL, 1.0, 2.6, "wrong_unit"),  # 1.0 g/L × 2.586 = 2.59
        (LDL, 1.0, 2.8, "wrong_value"),
        (LDL, 1.3, 2.6, "wrong_value"),
        (LDL, 110.0, 2.8, "wrong_unit"),  # mg/dL: 2.8 × 38.67 = 108
        (PRESSURE, 16, 165, "wrong_unit"),  # "16/9"
        (PRESSURE, 120, 150, "wrong_value"),
        (ARRIVAL, dt.datetime(2020, 3, 2, 10, 0), dt.datetime(2020, 3, 1, 10, 0), "wrong_time"),
        (ARRIVAL, dt.datetime(2020, 3, 1, 10, 5), dt.datetime(2020, 3, 1, 10, 0), "wrong_value"),
        (ARRIVAL, dt.datetime(2020, 2, 3, 10, 0), dt.datetime(2020, 3, 2, 10, 0), "format"),
        (BIRTH, dt.date(1950, 4, 12), dt.date(1950, 12, 4), "format"),
        (BIRTH, dt.date(1950, 4, 12), dt.date(1950, 4, 13), "wrong_value"),
        (PHONE, "01 02 03 04 05", "0102030405", "format"),
        (TOWN, "Saint-Malo", "saint malo", "format"),
        (TOWN, "Brest", "Saint-Malo", "wrong_value"),
        (TOWN, "--", "...", "wrong_value"),
        (SCORE, "douze", 12, "format"),
    ],
)
def test_kinds(variable: Variable, predicted: Value | None, gold: Value | None, kind: str) -> None:
    assert kind_of(variable, predicted, gold) == kind


@pytest.mark.parametrize(
    ("predicted", "gold", "quote", "kind"),
    [
        ("1", "0", "Père asthmatique.", "wrong_person"),
        ("1", None, "Asthme chez une sœur", "wrong_person"),
        ("1", None, "Asthme dans l'enfance", "invented"),
        ("0", "1", "Pas d'asthme, vit avec sa mère", "negation"),
    ],
)
def test_a_condition_read_in_words_about_a_relative(predicted: str, gold: str | None, quote: str, kind: str) -> None:
    assert kind_of(YESNO, predicted, gold, quote) == kind


def test_one_concept_at_several_times_is_known_by_its_name_or_its_label() -> None:
    whole = VariableKind.INTEGER
    variables = [
        Variable("nihss_admission", "Score initial", whole),
        Variable("nihss_24h", "À J1", whole),
        Variable("nihss_sortie", "Score NIHSS de sortie", whole),
        Variable("x1", "Score NIHSS à l'entrée (0-42)", whole),
        Variable("age", "Âge à l'admission", whole),
        Variable("poids", "Poids à la sortie", whole),
        Variable("ponction", "Heure de la ponction", VariableKind.DATETIME),
        Variable("fin", "Heure de fin", VariableKind.DATETIME),
    ]

    assert same_concept(variables) == {
        "nihss_admission": ("nihss_24h", "nihss_sortie"),
        "nihss_24h": ("nihss_admission", "nihss_sortie"),
        "nihss_sortie": ("nihss_admission", "nihss_24h", "x1"),
        "x1": ("nihss_sortie",),
        "age": (),
        "poids": (),
        "ponction": ("fin",),
        "fin": ("ponction",),
    }


def test_every_disagreement_has_one_row_that_says_why(
    variables: list[Variable], predictions: Table, gold: Table
) -> None:
    errors = find_errors(align(variables, predictions, gold).cells)

    assert [(e.cell.record, e.cell.variable.name, e.kind.value, e.detail) for e in errors] == [
        ("P1", "score_entree", "wrong_time", "equals the manual value of score_sortie"),
        ("P1", "arrivee", "wrong_time", "right time of day, 1 day off"),
        ("P2", "diabete", "negation", "predicted yes, manual no"),
        ("P2", "glycemie", "wrong_unit", "glucose in g/L and mmol/L"),
        ("P2", "ville", "invented", ""),
        ("P3", "score_entree", "missed", ""),
        ("P3", "score_sortie", "wrong_value", "off by 1"),
    ]


def test_a_missed_no_is_told_from_a_missed_yes() -> None:
    reading = EvidenceRow(patient_id="P1", variable="fa", status=Status.NOT_MENTIONED)
    rows: Table = {"P1": {"fa": "0"}}

    (error,) = find_errors(align([HEART], {"P1": {"fa": None}}, rows, by_cell([reading])).cells)

    assert error.detail == "status not_mentioned, manual value says no"


def test_a_row_shows_codes_with_labels_confidence_and_quotes() -> None:
    reading = EvidenceRow(
        patient_id="P1",
        variable="fa",
        status=Status.FOUND,
        confidence=0.856,
        evidence=(Quote(document_id="D2", quote="FA connue"), Quote(document_id="D3", quote="ACFA")),
    )
    manual = EvidenceRow(patient_id="P1", variable="fa", evidence=(Quote(document_id="D4", quote="FA au scope"),))
    alignment = align([HEART], {"P1": {"fa": "1"}}, {"P1": {"fa": "2"}}, by_cell([reading]))

    (error,) = find_errors(alignment.cells, by_cell([manual]))
    row = described(error)

    assert tuple(row) == COLUMNS
    assert row["predicted"] == "1 (Connue)"
    assert row["gold"] == "2 (Découverte pendant le séjour)"
    assert (row["status"], row["confidence"]) == ("found", "0.86")
    assert row["quotes"] == "[D2] FA connue\n[D3] ACFA"
    assert row["gold_quotes"] == "[D4] FA au scope"
