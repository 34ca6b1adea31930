"""The phrase language: what is said, what cannot be, and what is refused."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.synth.grammar import Choice, Grammar, GrammarError, Series, Slot, Term, capital, parse_option


class Speaker:
    """Knows some values; marks what is told with brackets."""

    def __init__(self, seed: int = 0, **values: str) -> None:
        self.dice = random.Random(seed)
        self.values = values

    def sticky(self, scope: str, name: str) -> random.Random:
        return random.Random(f"{scope}/{name}")

    def holds(self, term: Term) -> bool:
        known = self.values.get(term.name)
        met = known is not None if not term.operator else known == term.value
        return met != (term.sign == "!")

    def slot(self, slot: Slot) -> str | None:
        return self.values.get(slot.name)

    def mark(self, term: Term, text: str) -> str:
        return f"({term.name}: {text})"


def say(source: str, seed: int = 0, rules: dict[str, Choice | Series] | None = None, **values: str) -> str | None:
    return Grammar(rules or {}).say(parse_option(source), Speaker(seed, **values))


def test_an_option_whose_value_is_missing_gives_way_to_one_that_can_be_said() -> None:
    assert {say("[NIHSS {nihss}|score non fait].", seed) for seed in range(20)} == {"score non fait."}
    assert say("NIHSS {nihss}") is None


def test_alternatives_nest_and_may_be_empty() -> None:
    assert {say("a[b[c|d]|]", seed) for seed in range(50)} == {"abc", "abd", "a"}


def test_a_guard_holds_tells_or_refuses() -> None:
    assert say("?x: oui", x="1") == "oui"
    assert say("?!x: non", x="1") is None
    assert say("?+x=2: deux", x="2") == "(x: deux)"
    assert say("?+x=2: deux", x="1") is None


def test_signs_after_a_backslash_are_signs() -> None:
    assert say(r"a \| b \[c\]") == "a | b [c]"


def test_a_small_less_than_sign_is_no_rule() -> None:
    assert say("PAS < 160 et T° <38") == "PAS < 160 et T° <38"


def test_rules_call_rules_with_a_capital() -> None:
    rules: dict[str, Choice | Series] = {"ta": Choice((parse_option("tension {pas}"),))}
    assert say("<^ta>.", rules=rules, pas="16/9") == "Tension 16/9."


def test_a_series_says_all_that_can_be_said() -> None:
    rules: dict[str, Choice | Series] = {
        "s": Series((parse_option("a"), parse_option("{gone}"), parse_option("b")), keep=1, join=", ", fixed=True)
    }
    assert say("<s>", rules=rules) == "a, b"


def test_a_sticky_rule_says_the_same_whatever_the_dice() -> None:
    options = tuple(parse_option(letter) for letter in "abcdefgh")
    rules: dict[str, Choice | Series] = {"organ": Choice(options, "patient", "organ")}
    assert len({say("<organ>", seed, rules) for seed in range(30)}) == 1


@pytest.mark.parametrize("source", ["[a|b", "{", "a]", "?a b c: x"])
def test_what_cannot_be_read_is_refused(source: str) -> None:
    with pytest.raises(GrammarError):
        parse_option(source)


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(GrammarError, match="nowhere"):
        say("<nowhere>")


@given(st.text(alphabet="abc éà.,;:-–'\n0123456789", max_size=60))
def test_plain_text_is_said_as_it_is(text: str) -> None:
    assert say(text) == text


def test_capitals_leave_abbreviations_alone() -> None:
    assert [capital(text) for text in ("mRS 2", "élan", "12 h", "\ue000té")] == ["mRS 2", "Élan", "12 h", "\ue000Té"]
