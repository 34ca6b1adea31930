"""Values: checked, written to cells, read back."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from rag.redcap.values import InvalidValue, columns, decode, encode, row_model, validate
from schema.value import Value
from schema.variable import Choice, Variable, VariableKind

K = VariableKind


def variable(kind: VariableKind, **others: object) -> Variable:
    return Variable("v", "Question", kind, **others)  # type: ignore[arg-type]


SEX = variable(K.CHOICE, choices=(Choice("1", "Homme"), Choice("2", "Femme"), Choice("2a", "Non précisé")))
DRUGS = variable(K.CHECKBOX, choices=(Choice("1", "AVK"), Choice("-1", "Inconnu"), Choice("2.B", "AOD, autre")))
YES = variable(K.YESNO, choices=(Choice("1", "Oui"), Choice("0", "Non")))
BMI = variable(K.NUMBER, decimals=1, minimum="12", maximum="70")


@pytest.mark.parametrize(
    ("of", "given", "expected"),
    [
        (variable(K.INTEGER), "12", 12),
        (variable(K.INTEGER), " 12.0 ", 12),
        (variable(K.INTEGER), 12.0, 12),
        (variable(K.INTEGER), "-3", -3),
        (variable(K.INTEGER), "\u22123", -3),
        (variable(K.INTEGER), "1 234", 1234),
        (variable(K.INTEGER), "250\u202f000", 250000),
        (variable(K.INTEGER, minimum="0", maximum="42"), "42", 42),
        (variable(K.NUMBER), "12,5", 12.5),
        (variable(K.NUMBER), "3.1e-2", 0.031),
        (variable(K.NUMBER), 7, 7.0),
        (variable(K.NUMBER), ",5", 0.5),
        (variable(K.NUMBER), np.float64(1.5), 1.5),
        (BMI, "6.25e1", 62.5),
        (BMI, "29", 29.0),
        (BMI, 24.25, 24.3),
        (BMI, "24.35", 24.4),
        (BMI, "24.349", 24.3),
        (BMI, 70.04, 70.0),
        (variable(K.NUMBER, decimals=1), "-0.04", 0.0),
        (variable(K.NUMBER, decimals=1), "-0.05", -0.1),
        (variable(K.DATE), "2021-06-14", dt.date(2021, 6, 14)),
        (variable(K.DATE), "14/06/2021", dt.date(2021, 6, 14)),
        (variable(K.DATE, date_order="dmy"), "03-05-2021", dt.date(2021, 5, 3)),
        (variable(K.DATE, date_order="mdy"), "03-05-2021", dt.date(2021, 3, 5)),
        (variable(K.DATE, date_order="mdy"), "2021-03-05", dt.date(2021, 3, 5)),
        (variable(K.DATE), dt.datetime(2021, 6, 14, 9, 10), dt.date(2021, 6, 14)),
        (variable(K.DATE), "2021-06-14 00:00:00", dt.date(2021, 6, 14)),
        (variable(K.DATETIME), "2021-06-14 09:10", dt.datetime(2021, 6, 14, 9, 10)),
        (variable(K.DATETIME), "2021-06-14T09:10:59", dt.datetime(2021, 6, 14, 9, 10)),
        (variable(K.DATETIME, seconds=True), "2021-06-14 09:10:59", dt.datetime(2021, 6, 14, 9, 10, 59)),
        (variable(K.DATETIME), "14/06/2021 à 9h10", dt.datetime(2021, 6, 14, 9, 10)),
        (variable(K.DATETIME), dt.datetime(2021, 6, 14, 9, 10, 59, 7), dt.datetime(2021, 6, 14, 9, 10)),
        (variable(K.TIME), "9h", dt.time(9)),
        (variable(K.TIME), "09 h 10", dt.time(9, 10)),
        (variable(K.TIME, seconds=True), "09:10:11", dt.time(9, 10, 11)),
        (variable(K.TIME), dt.time(9, 10, 11), dt.time(9, 10)),
        (SEX, "2", "2"),
        (SEX, 2, "2"),
        (SEX, 2.0, "2"),
        (SEX, "2.0", "2"),
        (SEX, "2A", "2a"),
        (SEX, "femme", "2"),
        (SEX, "non precise", "2a"),
        (variable(K.CHOICE, choices=(Choice("0", "1"), Choice("1", "0"))), "1", "1"),
        (YES, "oui", "1"),
        (YES, "NON", "0"),
        (YES, True, "1"),
        (YES, 0, "0"),
        (YES, "1.0", "1"),
        (variable(K.TRUEFALSE), "Vrai", "1"),
        (DRUGS, ["2.B", "1"], ("1", "2.B")),
        (DRUGS, (), ()),
        (DRUGS, "1, -1", ("1", "-1")),
        (DRUGS, "AOD, autre", ("2.B",)),
        (DRUGS, "avk | inconnu", ("1", "-1")),
        (variable(K.TEXT), "  Clinique\r\n du  port ", "Clinique du port"),
        (variable(K.NOTES), " a\r\n- b \x00\ud800", "a\n- b"),
        (variable(K.TEXT), 12, "12"),
        (variable(K.EMAIL), "a.b@chu.fr", "a.b@chu.fr"),
        (variable(K.PHONE), "+33 6 12 34 56 78", "+33 6 12 34 56 78"),
        (variable(K.ZIPCODE), "01000", "01000"),
        (variable(K.ZIPCODE), 75013, "75013"),
    ],
)
def test_validate_gives_the_canonical_value(of: Variable, given: object, expected: Value) -> None:
    value = validate(of, given)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("of", "given"),
    [
        (variable(K.INTEGER), "12,5"),
        (variable(K.INTEGER), "douze"),
        (variable(K.INTEGER), True),
        (variable(K.INTEGER), None),
        (variable(K.INTEGER), " "),
        (variable(K.INTEGER), "9" * 5000),
        (variable(K.INTEGER), "1e999"),
        (variable(K.INTEGER, maximum="42"), 43),
        (variable(K.INTEGER), "16/9"),
        (variable(K.NUMBER), "1.234,5"),
        (variable(K.NUMBER), "12 34"),
        (variable(K.NUMBER), "1 2"),
        (variable(K.NUMBER), "nan"),
        (variable(K.NUMBER), math.inf),
        (variable(K.NUMBER), math.nan),
        (variable(K.NUMBER), "> 10"),
        (variable(K.NUMBER), "١٢"),
        (BMI, 70.05),
        (BMI, "11,94"),
        (variable(K.DATE), "14/06/21"),
        (variable(K.DATE), "2021-06"),
        (variable(K.DATE), "30/02/2021"),
        (variable(K.DATE), 44361),
        (variable(K.DATE, minimum="2021-01-01"), "2020-12-31"),
        (variable(K.DATE, date_order="dmy", maximum="01/02/2021"), "2021-02-02"),
        (variable(K.DATETIME), "2021-06-14"),
        (variable(K.DATETIME), dt.date(2021, 6, 14)),
        (variable(K.DATETIME), dt.datetime(2021, 6, 14, tzinfo=dt.UTC)),
        (variable(K.DATETIME), "2021-06-14 24:10"),
        (variable(K.TIME), "25:00"),
        (variable(K.TIME), "9"),
        (variable(K.TIME, maximum="12:00"), "12:01"),
        (SEX, "3"),
        (SEX, ("1",)),
        (SEX, "H"),
        (SEX, 1.5),
        (YES, "peut-être"),
        (YES, 2),
        (DRUGS, "1, 7"),
        (DRUGS, ["7"]),
        (variable(K.CHOICE, choices=(Choice("1", "Autre"), Choice("2", "autre"))), "AUTRE"),
        (variable(K.TEXT), "\x00"),
        (variable(K.TEXT), ["a"]),
        (variable(K.EMAIL), "chu.fr"),
        (variable(K.PHONE), "12"),
        (variable(K.ZIPCODE), "-"),
    ],
)
def test_validate_refuses_with_a_reason(of: Variable, given: object) -> None:
    with pytest.raises(InvalidValue, match=r"\w{4}"):
        validate(of, given)


def test_a_reason_never_holds_the_text() -> None:
    secret = "Mme Durand"
    for kind in VariableKind:
        if kind not in (K.TEXT, K.NOTES):
            with pytest.raises(InvalidValue) as raised:
                validate(variable(kind, choices=SEX.choices), secret)
            assert "Durand" not in str(raised.value)


@pytest.mark.parametrize(
    ("of", "value", "cells"),
    [
        (BMI, 29.0, {"v": "29.0"}),
        (variable(K.NUMBER), 29.0, {"v": "29"}),
        (variable(K.NUMBER), 0.00001, {"v": "0.00001"}),
        (variable(K.NUMBER, decimals=2, decimal_mark=","), 1.5, {"v": "1,50"}),
        (variable(K.NUMBER, decimal_mark=","), -1.5, {"v": "-1,5"}),
        (variable(K.INTEGER), -1, {"v": "-1"}),
        (variable(K.DATE, date_order="dmy"), dt.date(987, 6, 4), {"v": "0987-06-04"}),
        (variable(K.DATETIME), dt.datetime(2021, 6, 14, 9, 5), {"v": "2021-06-14 09:05"}),
        (variable(K.DATETIME, seconds=True), dt.datetime(2021, 6, 14, 9, 5), {"v": "2021-06-14 09:05:00"}),
        (variable(K.TIME), dt.time(9, 5), {"v": "09:05"}),
        (variable(K.TIME, seconds=True), dt.time(9, 5), {"v": "09:05:00"}),
        (YES, "0", {"v": "0"}),
        (YES, None, {"v": ""}),
        (DRUGS, ("1", "2.B"), {"v___1": "1", "v____1": "0", "v___2_b": "1"}),
        (DRUGS, (), {"v___1": "0", "v____1": "0", "v___2_b": "0"}),
        (DRUGS, None, {"v___1": "", "v____1": "", "v___2_b": ""}),
    ],
)
def test_encode_and_back(of: Variable, value: Value | None, cells: dict[str, str]) -> None:
    assert encode(of, value) == cells
    assert list(cells) == columns([of])
    assert decode(of, cells) == value


@pytest.mark.parametrize(
    ("of", "cells", "value"),
    [
        (variable(K.INTEGER), {"v": " 12.0 "}, 12),
        (variable(K.INTEGER), {}, None),
        (variable(K.INTEGER), {"v": "  "}, None),
        (BMI, {"v": "29,04"}, 29.0),
        (variable(K.DATE, date_order="dmy"), {"v": "14-06-2021"}, dt.date(2021, 6, 14)),
        (DRUGS, {"v___1": "Checked", "v____1": "Unchecked"}, ("1",)),
        (DRUGS, {"v___1": "", "v____1": "1"}, ("-1",)),
        (DRUGS, {"v": "1,2.B"}, ("1", "2.B")),
        (DRUGS, {"v": ""}, None),
        (SEX, {"v": "Homme"}, "1"),
    ],
)
def test_decode_is_tolerant(of: Variable, cells: dict[str, str], value: Value | None) -> None:
    assert decode(of, cells) == value


def test_decode_refuses_a_checkbox_mark_it_does_not_know() -> None:
    with pytest.raises(InvalidValue, match="v___1"):
        decode(DRUGS, {"v___1": "2"})


codes = st.from_regex(r"-?[0-9]{1,2}[a-z]?", fullmatch=True)
choices = st.lists(st.builds(Choice, codes, st.text(max_size=8)), min_size=1, max_size=5, unique_by=lambda c: c.code)
variables = st.builds(
    Variable,
    name=st.just("v"),
    label=st.just("Question"),
    kind=st.sampled_from(VariableKind),
    decimals=st.none() | st.integers(1, 4),
    decimal_mark=st.sampled_from(".,"),
    date_order=st.sampled_from(["ymd", "dmy", "mdy"]),
    seconds=st.booleans(),
    choices=choices,
)
typed = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.dates()
    | st.datetimes()
    | st.times()
    | st.text()
    | st.lists(codes, max_size=3).map(tuple)
    | st.from_regex(r"[+-]?[0-9]{1,12}[.,]?[0-9]{0,6}", fullmatch=True)
    | st.from_regex(r"[0-9]{1,4}[-/][0-9]{1,2}[-/][0-9]{1,4} ?[0-9]{0,2}[:h]?[0-9]{0,2}", fullmatch=True)
)


@settings(max_examples=400, deadline=None)
@given(variables, typed)
def test_a_value_is_refused_or_survives_its_cells(of: Variable, value: object) -> None:
    try:
        canonical = validate(of, value)
    except InvalidValue:
        return
    assert validate(of, canonical) == canonical
    assert decode(of, encode(of, canonical)) == canonical


@settings(max_examples=200, deadline=None)
@given(variables, st.data())
def test_every_value_of_the_right_type_survives(of: Variable, data: st.DataObject) -> None:
    strategies: dict[VariableKind, st.SearchStrategy[Value]] = {
        K.INTEGER: st.integers(-(10**15), 10**15),
        K.NUMBER: st.floats(-1e15, 1e15),
        K.DATE: st.dates(),
        K.DATETIME: st.datetimes(),
        K.TIME: st.times(),
        K.YESNO: st.sampled_from(["0", "1"]),
        K.TRUEFALSE: st.sampled_from(["0", "1"]),
        K.CHOICE: st.sampled_from([choice.code for choice in of.choices]),
        K.CHECKBOX: st.sets(st.sampled_from([choice.code for choice in of.choices])).map(tuple),
        K.TEXT: st.text("-=@aé1 '", min_size=1).filter(str.strip),
        K.NOTES: st.text("-=@aé1 '\n", min_size=1).filter(str.strip),
        K.EMAIL: st.just("a@b.fr"),
        K.PHONE: st.just("01 02 03 04 05"),
        K.ZIPCODE: st.just("01000"),
    }
    canonical = validate(of, data.draw(strategies[of.kind]))
    if len({*columns([of])}) == len(columns([of])):
        assert decode(of, encode(of, canonical)) == canonical


def test_a_row_is_checked_as_a_whole() -> None:
    named = [
        Variable("json", "Âge", K.INTEGER, maximum="110"),
        Variable("model_config", "Sexe", K.CHOICE, choices=SEX.choices),
        Variable("date", "Date", K.DATE),
        Variable("k", "Traitements", K.CHECKBOX, choices=DRUGS.choices),
    ]
    model = row_model(named)
    row = model.model_validate({"json": "54,0", "model_config": "femme", "date": "14/06/2021", "k": "1"})
    expected = {"json": 54, "model_config": "2", "date": dt.date(2021, 6, 14), "k": ("1",)}
    assert row.model_dump(by_alias=True) == expected
    assert set(model.model_validate({}).model_dump().values()) == {None}
    with pytest.raises(ValidationError) as raised:
        model.model_validate({"json": 111, "model_config": "Durand", "autre": 1})
    assert [error["loc"] for error in raised.value.errors()] == [("json",), ("model_config",), ("autre",)]
    assert "Durand" not in str(raised.value)
    assert model.model_json_schema()["properties"]["model_config"]["anyOf"][0]["enum"] == ["1", "2", "2a"]
