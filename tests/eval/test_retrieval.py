"""Figures of retrieval: numbers computed by hand, and properties that hold for any ranking."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.retrieval import (
    DEEPEST,
    FIGURES,
    SHOWN,
    Query,
    Scores,
    difference_rows,
    figure_rows,
    holds,
    intervals,
    score_question,
    score_ranking,
    sign_change_test,
)
from schema.document import Span

AT = {name: i for i, name in enumerate(FIGURES)}


def figures(ranking: list[set[object]], sought: int, right: int) -> dict[str, float]:
    return dict(zip(FIGURES, score_ranking(ranking, sought, right), strict=True))


def test_a_ranking_by_hand() -> None:
    # Two quotes; the second passage holds the first quote, the third holds it again, the fourth holds the other.
    found = figures([set(), {0}, {0}, {1}], sought=2, right=3)
    assert [found[f"recall@{k}"] for k in (1, 2, 3, 4, 5)] == [0, 0.5, 0.5, 1, 1]
    assert [found[f"hit@{k}"] for k in (1, 2, 3)] == [0, 1, 1]
    assert found["MRR"] == 0.5
    gain = 1 / math.log2(3) + 1 / math.log2(4) + 1 / math.log2(5)
    assert found["nDCG@10"] == pytest.approx(gain / (1 + 1 / math.log2(3) + 1 / 2))
    assert found["nDCG@10"] == pytest.approx(0.7328, abs=1e-4)


def test_a_right_result_after_the_tenth_gives_no_gain() -> None:
    found = figures([*[set[object]()] * 10, {0}], sought=1, right=1)
    assert (found["nDCG@10"], found["MRR"], found["recall@10"], found["recall@11"]) == (0, 1 / 11, 0, 1)


def test_nothing_found_is_zero_everywhere() -> None:
    assert set(figures([], sought=3, right=0).values()) == {0.0}


@pytest.mark.parametrize(
    ("passage", "right"),
    [
        (Span("a", 0, 15), True),  # half of it
        (Span("a", 0, 14), False),
        (Span("a", 12, 18), True),  # inside it, more than half
        (Span("a", 20, 30), False),  # just after
        (Span("b", 0, 100), False),  # another document
    ],
)
def test_a_passage_is_right_when_it_holds_half_of_a_quote(passage: Span, right: bool) -> None:
    assert holds(passage, Span("a", 10, 20)) is right


def test_documents_stand_in_the_order_of_their_best_passage() -> None:
    query = Query("P", "v", "plain", (Span("a", 0, 10), Span("b", 0, 10)))
    pool = [Span("c", 0, 10), Span("b", 20, 30), Span("c", 20, 30), Span("a", 0, 10), Span("b", 0, 10)]
    by_passage, by_document = score_question(query, pool, pool)
    assert by_passage[AT["recall@3"]] == 0
    assert by_passage[AT["recall@4"]] == 0.5
    # c, b, a: a right document is known by its name, wherever in it the passage stands
    assert [by_document[AT[f"recall@{k}"]] for k in (1, 2, 3)] == [0, 0.5, 1]
    assert by_document[AT["MRR"]] == 0.5


def test_the_gain_is_measured_against_all_the_right_passages_of_the_record() -> None:
    query = Query("P", "v", "plain", (Span("a", 0, 10),))
    pool = [Span("a", 0, 10), Span("a", 5, 20), Span("a", 30, 40)]  # two of them hold half of the quote
    one, _ = score_question(query, pool[:1], pool)
    both, _ = score_question(query, pool[:2], pool)
    assert one[AT["nDCG@10"]] == pytest.approx(1 / (1 + 1 / math.log2(3)))
    assert both[AT["nDCG@10"]] == 1


spans = st.builds(
    lambda name, start, size: Span(name, start, start + size),
    st.sampled_from("abc"),
    st.integers(0, 60),
    st.integers(1, 30),
)
quotes_and_others = st.tuples(
    st.lists(spans, min_size=1, max_size=4, unique=True), st.lists(spans, max_size=40, unique=True)
)


@given(quotes_and_others)
def test_figures_are_shares_and_grow_with_k(drawn: tuple[list[Span], list[Span]]) -> None:
    quotes, pool = drawn
    found = score_question(Query("P", "v", "", tuple(quotes)), pool, pool)
    assert found.shape == (2, len(FIGURES))
    assert (found >= 0).all()
    assert (found <= 1 + 1e-12).all()
    for row in found:
        for name in ("recall", "hit"):
            curve = [row[AT[f"{name}@{k}"]] for k in range(1, DEEPEST + 1)]
            assert all(low <= high for low, high in pairwise(curve))
        assert all(row[AT[f"hit@{k}"]] >= row[AT[f"recall@{k}"]] for k in range(1, DEEPEST + 1))
        assert (row[AT["MRR"]] == 1) == (row[AT["hit@1"]] == 1)


@given(quotes_and_others)
def test_a_perfect_ranking_has_all_figures_at_their_best(drawn: tuple[list[Span], list[Span]]) -> None:
    quotes, others = drawn
    wrong = [span for span in others if not any(holds(span, quote) for quote in quotes)]
    query = Query("P", "v", "", tuple(quotes))
    by_passage, by_document = score_question(query, [*quotes, *wrong], [*wrong, *quotes])
    for row in (by_passage, by_document):
        assert row[AT["nDCG@10"]] == pytest.approx(1)
        assert row[AT["MRR"]] == row[AT["hit@1"]] == row[AT["recall@5"]] == 1


@given(quotes_and_others)
def test_moving_a_right_passage_up_never_lowers_a_figure(drawn: tuple[list[Span], list[Span]]) -> None:
    quotes, pool = drawn
    query = Query("P", "v", "", tuple(quotes))
    i = next((i for i, span in enumerate(pool) if any(holds(span, quote) for quote in quotes)), 0)
    if i:  # the first right passage, and those before it are wrong
        better = [*pool[: i - 1], pool[i], pool[i - 1], *pool[i + 1 :]]
        gained = score_question(query, better, pool)[0] - score_question(query, pool, pool)[0]
        assert (gained >= -1e-12).all()


def columns(*values: float) -> np.ndarray:
    """One figure of several questions, in the shape of `Figures`."""
    return np.array(values, dtype=float).reshape(-1, 1, 1)


def test_the_mean_is_over_questions_and_the_interval_over_patients() -> None:
    ((estimate,),) = intervals(columns(1, 1, 1, 0), ["A", "A", "A", "B"])
    # drawn twice each: both A 1, one of each 3 / 4, both B 0
    assert (estimate.value, estimate.low, estimate.high) == (0.75, 0, 1)


def test_a_single_patient_has_no_interval() -> None:
    ((estimate,),) = intervals(columns(1, 0), ["A", "A"])
    assert (estimate.value, estimate.low, estimate.high) == (0.5, None, None)


def test_sign_changes_by_hand() -> None:
    # Sums by patient 1, 2 and 3: of the 8 changes of sign, only +++ and --- give 6 or more.
    assert sign_change_test(columns(0.5, 0.5, 2, 3), ["A", "A", "B", "C"])[0, 0] == 0.25
    # 3, 1 and -1: +3 +1 -1 = 3; as large: all but ±(3 - 1 - 1) = ±1
    assert sign_change_test(columns(3, 1, -1), ["A", "B", "C"])[0, 0] == 0.75


def test_no_difference_has_a_p_value_of_one() -> None:
    assert sign_change_test(columns(0, 0, 0), ["A", "B", "C"])[0, 0] == 1


def test_many_patients_are_tested_by_drawing() -> None:
    names = [f"P{i}" for i in range(30)]
    assert sign_change_test(columns(*[1] * 30), names)[0, 0] == pytest.approx(1 / 10_000)
    alternating = [(-1) ** i for i in range(30)]
    assert sign_change_test(columns(*alternating), names)[0, 0] > 0.9


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=8))
def test_the_p_value_does_not_know_which_method_was_called_the_first(gained: list[float]) -> None:
    names = [f"P{i}" for i in range(len(gained))]
    forth, back = (sign_change_test(columns(*(sign * g for g in gained)), names)[0, 0] for sign in (1, -1))
    assert forth == back
    assert 2 / 2 ** len(gained) <= forth <= 1


def scores(*hits: tuple[str, str, str, float, float]) -> Scores:
    """Questions of (patient, variable, kind), and a figure of two methods that fills every place."""
    queries = tuple(Query(patient, variable, kind, (Span("a", 0, 1),)) for patient, variable, kind, *_ in hits)
    filled = [np.array([np.full((2, len(FIGURES)), hit[3 + i]) for hit in hits]) for i in (0, 1)]
    return Scores(queries, {"ours": filled[0], "theirs": filled[1]})


SOME = scores(
    ("A", "x", "plain", 1, 0),
    ("A", "y", "order", 1, 1),
    ("B", "x", "plain", 0, 0),
    ("B", "y", "order", 1, 0),
)


def test_figures_are_given_for_all_by_kind_and_by_variable() -> None:
    value = {
        (row.by, row.group, row.method): (row.estimate.value, row.questions, row.patients)
        for row in figure_rows(SOME)
        if (row.level, row.figure) == ("passage", "recall@3")
    }
    assert value["all", "", "ours"] == (0.75, 4, 2)
    assert value["kind", "order", "ours"] == (1, 2, 2)
    assert value["variable", "x", "theirs"] == (0, 2, 2)
    assert len(value) == 2 * (1 + 2 + 2)


def test_kinds_that_take_the_order_of_time_are_also_given_together() -> None:
    timed = scores(("A", "x", "anaphoric", 1, 0), ("A", "y", "order", 0, 0), ("B", "x", "plain", 0, 0))
    value = {
        row.group: (row.estimate.value, row.questions)
        for row in figure_rows(timed)
        if (row.by, row.method, row.level, row.figure) == ("kind", "ours", "passage", "MRR")
    }
    assert value == {"anaphoric": (1, 1), "order": (0, 1), "plain": (0, 1), "anaphoric or order": (0.5, 2)}


def test_differences_are_taken_question_by_question() -> None:
    rows = [row for row in difference_rows(SOME, "ours") if (row.level, row.figure) == ("document", "MRR")]
    found = {(row.by, row.group): row for row in rows}
    assert set(found) == {("all", ""), ("kind", "plain"), ("kind", "order")}
    whole = found["all", ""]
    assert (whole.method, whole.less, whole.questions) == ("ours", "theirs", 4)
    assert (whole.estimate.value, whole.p_value) == (0.5, 0.5)  # one question gained by each patient: 2 of 4 changes
    # each patient gains one half: however they are drawn, so does the mean
    assert (whole.estimate.low, whole.estimate.high) == (0.5, 0.5)


def test_what_is_shown_is_a_part_of_what_is_measured() -> None:
    assert set(SHOWN) <= set(FIGURES)
    assert {row.figure for row in figure_rows(SOME) if row.by == "all"} == set(FIGURES)
