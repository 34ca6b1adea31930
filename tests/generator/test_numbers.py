"""Numbers, units and conversions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.rules.lexicon import load_lexicon
from generator.rules.numbers import canonical_unit, convert, find_numbers
from generator.rules.text import fold
from rag.corpus.dates import find_dates


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("LDL 1,24 g/L", [(1.24, None, "g/L")]),
        ("LDL 1.24 g/l", [(1.24, None, "g/L")]),
        ("PA 172/88 mmHg", [(172, 88, "mmHg")]),
        ("FEVG 50-55 %", [(50, 55, "%")]),
        ("FEVG de 50 à 55 %", [(50, 55, "%")]),
        ("entre 50 et 55 %", [(50, 55, "%")]),
        ("NIHSS 4 et 2", [(4, None, ""), (2, None, "")]),
        ("1m78", [(1.78, None, "m")]),
        ("créatinine 112 µmol/L", [(112, None, "umol/L")]),
        ("plaquettes 4 210/mm3", [(4210, None, "/mm3")]),
        ("trois passages", [(3, None, "")]),
        ("NIHSS à vingt-sept", [(27, None, "")]),
        ("soixante douze ans", [(72, None, "years")]),
        ("M1 gauche, TICI2b, J3", []),
    ],
)
def test_numbers_of_a_text(text: str, expected: list[tuple[float, float | None, str]]) -> None:
    found = find_numbers(fold(text), ())
    assert [(number.value, number.second, number.unit) for number in found] == expected


def test_dates_and_times_are_not_numbers() -> None:
    text = "Le 14/06/2021 à 10h45, NIHSS 12 (J3)."
    assert [number.value for number in find_numbers(fold(text), find_dates(text, None))] == [12]


@given(st.text(alphabet="0123456789,./- %mgLhà€²NIHSS\n\t", max_size=60))
def test_any_text_gives_numbers_in_order_that_lie_in_it(text: str) -> None:
    found = find_numbers(fold(text), ())
    assert all(0 <= number.start < number.end <= len(text) for number in found)
    assert [number.start for number in found] == sorted(number.start for number in found)


@given(st.integers(0, 99_999), st.integers(0, 99), st.sampled_from([",", "."]))
def test_a_decimal_is_read_as_it_is_written(whole: int, cents: int, mark: str) -> None:
    (number,) = find_numbers(f"crp {whole}{mark}{cents:02d} mg/l", ())
    assert number.value == pytest.approx(whole + cents / 100)
    assert (number.decimals, number.unit) == (2, "mg/L")


@pytest.mark.parametrize(
    ("value", "unit", "target", "analyte", "expected"),
    [
        (1.0, "g/L", "mmol/L", "glucose", 5.55),
        (1.0, "g/L", "mmol/L", "cholesterol", 2.586),
        (10.0, "mg/L", "umol/L", "creatinine", 88.4),
        (13.1, "g/dL", "g/L", "", 131.0),
        (178.0, "cm", "m", "", 1.78),
    ],
)
def test_conversions(value: float, unit: str, target: str, analyte: str, expected: float) -> None:
    assert convert(value, unit, target, analyte) == pytest.approx(expected, rel=2e-3)


def test_units_of_two_natures_do_not_convert() -> None:
    assert convert(1.0, "g/L", "mmol/L", "") is None
    assert convert(1.0, "kg", "mmHg") is None


_UNITS = sorted(load_lexicon("units")["units"])


@given(st.sampled_from(_UNITS), st.sampled_from(_UNITS), st.floats(0.01, 1000))
def test_a_conversion_and_its_inverse_agree(unit: str, target: str, value: float) -> None:
    there = convert(value, unit, target, "glucose")
    if there is not None:
        assert convert(there, target, unit, "glucose") == pytest.approx(value)


def test_a_unit_as_written_has_its_canonical_name() -> None:
    assert (canonical_unit("µmol/L"), canonical_unit("MMHG"), canonical_unit("parsec")) == ("umol/L", "mmHg", "")
