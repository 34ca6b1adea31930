"""Spans replaced, and positions taken across, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.deid.apply import DeidentifiedText, Replacement, apply


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, list[Replacement]]:
    text = draw(st.text(max_size=80))
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    edits = [
        Replacement(start, end, draw(st.text(max_size=6))) for start, end in zip(cuts[::2], cuts[1::2], strict=False)
    ]
    return text, edits


def test_positions_of_one_replacement() -> None:
    done = apply("Mme Blanc, 81 ans", [Replacement(4, 9, "Marchand")])
    assert done.text == "Mme Marchand, 81 ans"
    assert done.to_original(4, 12) == (4, 9)
    assert done.to_original(6, 8) == (4, 9)
    assert done.to_original(14, 20) == (11, 17)
    assert done.to_original(0, 4) == (0, 4)
    assert done.from_original(4, 9) == (4, 12)
    assert done.from_original(0, 17) == (0, 20)
    assert done.from_original(9, 10) == (12, 13)


def test_empty_and_reversed_edits_are_refused() -> None:
    for edits in ([Replacement(1, 1, "x")], [Replacement(3, 4, "x"), Replacement(1, 2, "y")], [Replacement(2, 9, "")]):
        with pytest.raises(ValueError, match="out of order"):
            apply("texte", edits)
    with pytest.raises(ValueError, match="not in a text"):
        apply("texte", []).to_original(2, 6)


@given(edited())
def test_outside_the_replacements_the_text_is_unchanged(case: tuple[str, list[Replacement]]) -> None:
    text, edits = case
    done = apply(text, edits)
    outside = [*zip([0, *(e.end for e in edits)], [*(e.start for e in edits), len(text)], strict=True)]
    for start, end in outside:
        new_start, new_end = done.from_original(start, end) if start < end else (0, 0)
        assert done.text[new_start:new_end] == text[start:end]
        if start < end:
            assert done.to_original(new_start, new_end) == (start, end)
    for edit, (_, _, start, end) in zip(edits, done.replaced, strict=True):
        assert done.text[start:end] == edit.new
        assert done.from_original(edit.start, edit.end) == (start, end)


@given(edited(), st.data())
def test_every_position_has_one_on_the_other_side(case: tuple[str, list[Replacement]], data: st.DataObject) -> None:
    text, edits = case
    done = apply(text, edits)
    start = data.draw(st.integers(0, len(done.text)))
    end = data.draw(st.integers(start, len(done.text)))
    before = done.to_original(start, end)
    assert 0 <= before[0] <= before[1] <= len(text)
    back = done.from_original(*before)
    assert back[0] <= start or not done.text[start:end]
    assert back[1] >= end or not done.text[start:end]


def test_it_holds_nothing_of_the_original() -> None:
    assert "Blanc" not in repr(apply("Mme Blanc", [Replacement(4, 9, "<NOM>")]))
    assert isinstance(apply("", []), DeidentifiedText)
