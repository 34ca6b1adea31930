import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.values import as_text, distance, equal, normalised
from schema.value import Value
from schema.variable import Choice, Variable, VariableKind

ONE_DECIMAL = Variable("glycemie", "Glycémie", VariableKind.NUMBER, decimals=1)
FREE_NUMBER = Variable("dose", "Dose", VariableKind.NUMBER)
WHOLE = Variable("age", "Âge", VariableKind.INTEGER)
TEXT = Variable("ville", "Ville", VariableKind.TEXT)
GRADE = Variable("grade", "Grade", VariableKind.CHOICE, choices=(Choice("2a", "2a"), Choice("3", "Complet")))
BOXES = Variable("risques", "Risques", VariableKind.CHECKBOX, choices=(Choice("1", "HTA"), Choice("2", "Tabac")))
DAY = Variable("sortie", "Sortie", VariableKind.DATE)
MOMENT = Variable("arrivee", "Arrivée", VariableKind.DATETIME)
CLOCK = Variable("heure", "Heure", VariableKind.TIME)


@pytest.mark.parametrize(
    ("variable", "predicted", "gold", "same"),
    [
        (ONE_DECIMAL, 6.1, 6.14, True),
        (ONE_DECIMAL, 6.1, 6.15, False),  # halves are rounded away from zero: 6.2
        (ONE_DECIMAL, 6, 6.0, True),
        (FREE_NUMBER, 0.1 + 0.2, 0.3, True),
        (FREE_NUMBER, 0.30001, 0.3, False),
        (WHOLE, 60.5, 61, True),
        (WHOLE, 60, 61, False),
        (TEXT, "  NIMES ", "Nîmes", True),
        (TEXT, "sœur de l’hôpital", "Soeur de l'hopital", True),
        (TEXT, "Nîmes", "Sète", False),
        (GRADE, "2a", "2a ", True),
        (GRADE, "2a", "2A", False),
        (BOXES, ("2", "1"), ("1", "2"), True),
        (BOXES, ("1",), ("1", "2"), False),
        (DAY, dt.date(2020, 1, 2), dt.date(2020, 1, 2), True),
        (MOMENT, dt.datetime(2020, 1, 2), dt.date(2020, 1, 2), False),
        (MOMENT, dt.datetime(2020, 1, 2, 9, 0), dt.datetime(2020, 1, 2, 9, 1), False),
        (TEXT, None, None, True),
        (TEXT, None, "Sète", False),
        (WHOLE, "12", 12, False),
    ],
)
def test_values_are_equal_by_the_rule_of_their_kind(
    variable: Variable, predicted: Value | None, gold: Value | None, same: bool
) -> None:
    assert equal(variable, predicted, gold) is same
    assert equal(variable, gold, predicted) is same


@pytest.mark.parametrize(
    ("predicted", "gold", "apart"),
    [
        (3, 5.5, 2.5),
        (dt.datetime(2020, 1, 2, 0, 10), dt.datetime(2020, 1, 1, 23, 50), 20),
        (dt.time(0, 10), dt.time(23, 50), 20),
        (dt.time(9, 0), dt.time(17, 0), 480),
        (dt.date(2020, 3, 1), dt.date(2020, 2, 28), 2),  # a leap year
        (dt.date(2020, 3, 1), dt.datetime(2020, 3, 1), None),
        ("1", "2", None),
        (None, 3, None),
    ],
)
def test_distance_is_in_minutes_days_or_the_variable_s_own_unit(
    predicted: Value | None, gold: Value | None, apart: float | None
) -> None:
    assert distance(predicted, gold) == apart
    assert distance(gold, predicted) == apart


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_equals_itself_whatever_its_size(number: float) -> None:
    assert equal(ONE_DECIMAL, number, number)
    assert equal(FREE_NUMBER, number, number)


@given(st.text())
def test_text_is_normalised_once_and_for_all(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


@pytest.mark.parametrize(
    ("variable", "value", "text"),
    [
        (GRADE, "3", "3 (Complet)"),
        (GRADE, "2a", "2a"),
        (GRADE, "9", "9"),
        (BOXES, ("1", "2"), "1 (HTA) | 2 (Tabac)"),
        (ONE_DECIMAL, 6, "6.0"),
        (FREE_NUMBER, 6.25, "6.25"),
        (DAY, dt.date(2020, 1, 2), "2020-01-02"),
        (MOMENT, dt.datetime(2020, 1, 2, 9, 5), "2020-01-02 09:05"),
        (CLOCK, dt.time(9, 5, 7), "09:05:07"),
        (TEXT, None, ""),
    ],
)
def test_values_are_shown_with_the_label_of_their_code(variable: Variable, value: Value | None, text: str) -> None:
    assert as_text(variable, value) == text
