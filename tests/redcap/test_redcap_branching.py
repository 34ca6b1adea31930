"""Branching logic, as REDCap evaluates it."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.redcap.branching import BranchingError, parse
from schema.value import Value


@pytest.mark.parametrize(
    ("logic", "values", "applies"),
    [
        ("", {}, True),
        ("[a] = '1'", {"a": "1"}, True),
        ("[a]='1'", {"a": "0"}, False),
        ("[a] = 1", {"a": "1"}, True),
        ('[a] = "2a"', {"a": "2a"}, True),
        ("[a] = '1'", {}, False),
        ("[a] <> '1'", {}, True),
        ("[a] != '1'", {"a": "1"}, False),
        ("[a] = ''", {"a": None}, True),
        ('[a] <> ""', {"a": "0"}, True),
        ("[n] >= 18", {"n": 18}, True),
        ("[n] > 18.5", {"n": 18.5}, False),
        ("[n] > 9", {"n": 10}, True),
        ("[n] < 5", {"n": None}, False),
        ("[n] <= 5", {}, False),
        ("[n] >= 0", {}, False),
        ("[n] < 5", {"n": "abc"}, False),
        ("[a] = '1' and [b] = '1'", {"a": "1"}, False),
        ("[a] = '1' AND [b] = '1'", {"a": "1", "b": "1"}, True),
        ("[a] = '1' or [b] = '1' and [c] = '1'", {"a": "1"}, True),
        ("([a] = '1' or [b] = '1') and [c] = '1'", {"a": "1"}, False),
        ("not [a] = '1'", {}, True),
        ("!([a] = '1' || [b] = '1') && [c]='1'", {"c": "1"}, True),
        ("[k(3)] = '1'", {"k": ("1", "3")}, True),
        ("[k(3)] = '1'", {"k": ("1",)}, False),
        ("[k(3)] = '0'", {}, True),
        ("[k(-1)] = 1 and [k(2A)]=1", {"k": ("-1", "2a")}, True),
        ("[visite_arm_1][a] = '1'", {"a": "1"}, True),
        ("[a][2] = '1'", {"a": "1"}, True),
        ("[a:value] = '1'", {"a": "1"}, True),
        ("[d] >= '2021-06-01'", {"d": dt.date(2021, 6, 14)}, True),
        ("[d] < '2021-06-14 10:00'", {"d": dt.datetime(2021, 6, 14, 9, 10)}, True),
        ("[t] > '08:00'", {"t": dt.time(9, 0)}, True),
        ("datediff([d], '2021-07-14', 'd') = 30", {"d": dt.date(2021, 6, 14)}, True),
        ("datediff([d], [e], 'd', 'ymd', true) < 0", {"d": dt.date(2021, 6, 2), "e": dt.date(2021, 6, 1)}, True),
        ("datediff([d], [e], 'h') > 1", {"d": dt.datetime(2021, 6, 1, 8), "e": None}, False),
        ("[x] + [y] * 2 = 7", {"x": 1, "y": 3}, True),
        ("([x] - 1) / 2 > 1", {"x": 4.5}, True),
        ("[x] / 0 = ''", {"x": 1}, True),
        ("[x] + [y] > 0", {"x": 1}, False),
        ("-[x] < 0", {"x": 2}, True),
        ("sum([x], [y], 3) = 5", {"x": 2}, True),
        ("round([x], 1) = 6.3", {"x": 6.25}, True),
        ("max([x], [y]) = 4 and min([x], [y]) = 1 and mean([x],[y]) = 2.5", {"x": 1, "y": 4}, True),
        ("abs([x]) = 2", {"x": -2}, True),
        ("isblankormissingcode([x])", {}, True),
        ("[a]", {"a": "1"}, True),
        ("[a]", {"a": "0"}, False),
        ("[a]", {"a": "texte"}, True),
    ],
)
def test_applies(logic: str, values: dict[str, Value | None], applies: bool) -> None:
    assert parse(logic).applies(values) is applies


def test_names_leave_events_and_instances_out() -> None:
    assert parse("[v1_arm_1][a] = '1' and ([b(2)] = '1' or datediff([c], [d][1], 'd') > 2)").names == set("abcd")


@pytest.mark.parametrize(
    ("logic", "position"),
    [
        ("[a] =", 5),
        ("[a] = '1", 6),
        ("([a] = '1'", 10),
        ("[a] = '1')", 9),
        ("[a] = '1' [b] = '2'", 10),
        ("[a] = 1 = 1", 8),
        ("and [a] = '1'", 0),
        ("[event-name] = 'x'", 0),
        ("[previous-event-name][a] = '1'", 0),
        ("datediff([a], 'today', 'd') > 1", 14),
        ("datediff([a]) > 1", 0),
        ("lower([a]) = 'x'", 0),
        ("[a] = é", 6),
        ("[] = '1'", 0),
        ("a = '1'", 0),
    ],
)
def test_what_cannot_be_read_is_located(logic: str, position: int) -> None:
    with pytest.raises(BranchingError) as raised:
        parse(logic)
    assert raised.value.position == position


@pytest.mark.parametrize("nest", ["(", "not ", "-", "abs("])
def test_deep_nesting_is_refused(nest: str) -> None:
    with pytest.raises(BranchingError, match="nested"):
        parse(nest * 5000 + "1")


def test_long_chains_are_read() -> None:
    logic = " or ".join(f"[a] = '{i}'" for i in range(3000))
    assert parse(logic).applies({"a": "2999"})
    assert parse("+".join("1" * 3000) + " = 3000").applies({})


TOKENS = "[a] [b(1)] [e][a] = <> < >= and or not ( ) ' '1' '' 1 2.5 1e9 + - * / , datediff( round( sum( 'd' true"
tokens = st.sampled_from(TOKENS.split())
values = st.none() | st.integers() | st.floats() | st.text(max_size=5) | st.dates() | st.just(("1", "2"))


@settings(max_examples=300, deadline=None)
@given(st.lists(tokens, max_size=12).map(" ".join) | st.text(max_size=30), values, values)
def test_wild_logic_is_evaluated_or_refused(logic: str, a: Value | None, b: Value | None) -> None:
    try:
        branching = parse(logic)
    except BranchingError as error:
        assert 0 <= error.position <= len(logic)
        return
    assert branching.applies({"a": a, "b": b}) in (True, False)
