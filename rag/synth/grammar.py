"""The language of the phrase and voice files: alternatives, rules, slots and guards; see README.md.

A phrase either expands, or cannot be said (a value that it needs is not to be told): then another alternative is tried.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

#: A line break, if the line holds something already; a sign of the private use area, above those of the marks.
SOFT = "\uf8f0"


@dataclass(frozen=True, slots=True)
class Term:
    """One condition of a guard. ``sign``: "" holds, "!" does not, "+" holds and is told, "~" is told by reference."""

    sign: str
    name: str
    operator: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """A value to be written."""

    name: str
    form: str


@dataclass(frozen=True, slots=True)
class Call:
    """Another rule, with a capital where ``capital``."""

    rule: str
    capital: bool


@dataclass(frozen=True, slots=True)
class Option:
    """One way to say something: its guard, then its pieces."""

    terms: tuple[Term, ...]
    pieces: tuple[str | Slot | Call | Choice, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the options that can be said.

    ``sticky``: "patient" or "encounter" where all documents of one choose the same option: a cancer keeps its organ.
    """

    options: tuple[Option, ...]
    sticky: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """All options that can be said, each kept with a probability, in random order unless ``fixed``."""

    options: tuple[Option, ...]
    keep: float
    join: str
    fixed: bool


class Speaker(Protocol):
    """Who knows what can be said."""

    dice: random.Random

    def sticky(self, scope: str, name: str) -> random.Random:
        """Dice that fall the same way for a rule in all documents of a patient or of an encounter."""

    def holds(self, term: Term) -> bool:
        """Whether the condition of the guard is met."""

    def slot(self, slot: Slot) -> str | None:
        """The value as it is written; None if it is not to be told."""

    def mark(self, term: Term, text: str) -> str:
        """The text, marked as telling what the term names."""


_TERM = re.compile(r"([+~!]?)([\w.@-]+)(?:(!=|<=|>=|=|<|>)([^,:]+))?")
_GUARD = re.compile(r"\?([^:\[\]{}?]+): ?")
_SLOT = re.compile(r"\{([\w.@-]+)(?::([\w%/.-]+))?\}")
_CALL = re.compile(r"<(\^?)([a-z][a-z0-9_]*)>")


class GrammarError(ValueError):
    """A phrase that cannot be read, or a rule that no file gives."""


def parse_option(source: str) -> Option:
    """Read one alternative, guard included."""
    terms: tuple[Term, ...] = ()
    guard = _GUARD.match(source)
    if guard:
        terms = tuple(_term(part) for part in guard[1].split(","))
        source = source[guard.end() :]
    return Option(terms, tuple(_pieces(source)))


def _term(source: str) -> Term:
    match = _TERM.fullmatch(source.strip())
    if match is None:
        raise GrammarError(f"guard not understood: {source!r}")
    return Term(match[1], match[2], match[3] or "", (match[4] or "").strip())


def _pieces(source: str) -> list[str | Slot | Call | Choice]:
    pieces: list[str | Slot | Call | Choice] = []
    text: list[str] = []
    at = 0

    def add(piece: Slot | Call | Choice) -> None:
        if text:
            pieces.append("".join(text))
            text.clear()
        pieces.append(piece)

    while at < len(source):
        sign = source[at]
        if sign == "\\" and at + 1 < len(source):
            text.append(source[at + 1])
            at += 2
        elif sign == "[":
            end = _closing(source, at)
            add(Choice(tuple(parse_option(part) for part in _split(source[at + 1 : end]))))
            at = end + 1
        elif sign == "{" and (slot := _SLOT.match(source, at)):
            add(Slot(slot[1], slot[2] or ""))
            at = slot.end()
        elif sign == "<" and (call := _CALL.match(source, at)):
            add(Call(call[2], bool(call[1])))
            at = call.end()
        elif sign in "{]":
            raise GrammarError(f"stray {sign!r} in {source!r}")
        else:
            text.append(sign)
            at += 1
    if text:
        pieces.append("".join(text))
    return pieces


def _closing(source: str, at: int) -> int:
    depth = 0
    while at < len(source):
        if source[at] == "\\":
            at += 1
        elif source[at] == "[":
            depth += 1
        elif source[at] == "]":
            depth -= 1
            if depth == 0:
                return at
        at += 1
    raise GrammarError(f"a bracket is not closed in {source!r}")


def _split(source: str) -> list[str]:
    parts, depth, start, at = [], 0, 0, 0
    while at < len(source):
        if source[at] == "\\":
            at += 1
        elif source[at] == "[":
            depth += 1
        elif source[at] == "]":
            depth -= 1
        elif source[at] == "|" and depth == 0:
            parts.append(source[start:at])
            start = at + 1
        at += 1
    return [*parts, source[start:]]


class Grammar:
    """The rules, by name."""

    def __init__(self, rules: Mapping[str, Choice | Series]) -> None:
        self.rules = rules

    def rule(self, name: str, speaker: Speaker) -> str | None:
        """Say a rule; None if none of its options can be said."""
        rule = self.rules.get(name)
        if rule is None:
            raise GrammarError(f"no rule {name!r}")
        return self._choice(rule, speaker) if isinstance(rule, Choice) else self._series(rule, speaker)

    def say(self, option: Option, speaker: Speaker) -> str | None:
        """Say one option; None if it cannot be."""
        if not all(speaker.holds(term) for term in option.terms):
            return None
        said: list[str] = []
        for piece in option.pieces:
            match piece:
                case str():
                    part: str | None = piece
                case Slot():
                    part = speaker.slot(piece)
                case Call():
                    part = self.rule(piece.rule, speaker)
                    if part and piece.capital:
                        part = capital(part)
                case Choice():
                    part = self._choice(piece, speaker)
            if part is None:
                return None
            said.append(part)
        text = "".join(said)
        for term in option.terms:
            if term.sign in ("+", "~"):
                text = speaker.mark(term, text)
        return text

    def _choice(self, choice: Choice, speaker: Speaker) -> str | None:
        options: Sequence[Option] = choice.options
        if len(options) > 1:
            dice = speaker.sticky(choice.sticky, choice.name) if choice.sticky else speaker.dice
            options = dice.sample(options, len(options))
        for option in options:
            text = self.say(option, speaker)
            if text is not None:
                return text
        return None

    def _series(self, series: Series, speaker: Speaker) -> str | None:
        options: Sequence[Option] = [
            o for o in series.options if series.keep >= 1 or speaker.dice.random() < series.keep
        ]
        if not series.fixed:
            options = speaker.dice.sample(options, len(options))
        said = [text for option in options if (text := self.say(option, speaker))]
        return series.join.join(said) if said else None


def capital(text: str) -> str:
    """The text with its first letter as a capital, whatever marks stand before it."""
    for at, sign in enumerate(text):
        if sign.isalpha():
            if text[at + 1 : at + 2].isupper():  # mRS, mTICI
                return text
            return text[:at] + sign.upper() + text[at + 1 :]
        if sign.isdigit():
            return text
    return text
