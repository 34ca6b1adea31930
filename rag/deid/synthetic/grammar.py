"""Text from a grammar: symbols, alternatives, and slots that something else fills.

The grammar files (``grammar/*.txt``) hold two kinds of sections::

    == symbol                 one alternative per line
    === symbol                alternatives of several lines, separated by lines "---"
    # comment

In an alternative, ``{symbol}`` is replaced by one of the symbol's alternatives or by the value of a slot;
``{LABEL:symbol}`` too, and the whole is an identifying span of that label; ``{a|b|}`` by one of the parts;
``{symbol*2-4}`` is repeated with spaces between, ``{symbol*2-4/}`` with line ends between; ``⏎`` is a line end.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from schema.phi import PhiLabel


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of generated text, and what identifying span it is (None: none)."""

    text: str
    label: PhiLabel | None = None


#: Gives the value of a slot, by the slot's name; None where the name is unknown.
Slots = Callable[[str], str | None]

_SECTION = re.compile(r"(={2,3}) (\S+)$")
_REFERENCE = re.compile(r"(?:(?P<label>[A-Z_]+):)?(?P<name>.+?)(?:\*(?P<low>\d+)-(?P<high>\d+)(?P<lines>/)?)?$")


@dataclass(frozen=True, slots=True)
class _Reference:
    name: str
    label: PhiLabel | None
    low: int
    high: int
    between: str


@dataclass(frozen=True, slots=True)
class _Choice:
    parts: tuple[_Sequence, ...]


_Node = str | _Reference | _Choice
_Sequence = tuple[_Node, ...]


class GrammarError(ValueError):
    """A grammar file is malformed, or names a symbol that nothing defines."""


class Grammar:
    """The symbols of a set of grammar files.

    Args:
        files: read in order; a symbol defined twice has the alternatives of both.
    """

    def __init__(self, files: Iterable[Path]) -> None:
        self._rules: dict[str, list[_Sequence]] = {}
        for file in files:
            for symbol, alternatives in _read_sections(file).items():
                self._rules.setdefault(symbol, []).extend(map(_parse, alternatives))

    def expand(self, symbol: str, slots: Slots, dice: random.Random) -> list[Piece]:
        """One text of ``symbol``; raise `GrammarError` for a name that is neither a symbol nor a slot."""
        if symbol in self._rules:
            return self._expand_all(dice.choice(self._rules[symbol]), slots, dice)
        value = slots(symbol)
        if value is None:
            raise GrammarError(f"'{{{symbol}}}' is neither a symbol of the grammar nor a slot")
        return [Piece(value)]

    def _expand_all(self, nodes: _Sequence, slots: Slots, dice: random.Random) -> list[Piece]:
        pieces: list[Piece] = []
        for node in nodes:
            match node:
                case str():
                    pieces.append(Piece(node))
                case _Choice(parts):
                    pieces += self._expand_all(dice.choice(parts), slots, dice)
                case _Reference():
                    pieces += self._repeat(node, slots, dice)
        return pieces

    def _repeat(self, reference: _Reference, slots: Slots, dice: random.Random) -> list[Piece]:
        pieces: list[Piece] = []
        for turn in range(dice.randint(reference.low, reference.high)):
            if turn:
                pieces.append(Piece(reference.between))
            inner = self.expand(reference.name, slots, dice)
            if reference.label is None:
                pieces += inner
            else:
                pieces.append(Piece("".join(piece.text for piece in inner), reference.label))
        return pieces


def _read_sections(file: Path) -> Mapping[str, list[str]]:
    """The alternatives of every symbol of a file, as written."""
    sections: dict[str, list[str]] = {}
    blocks, current = False, None
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("#"):
            continue
        if header := _SECTION.match(line):
            blocks = len(header[1]) == 3
            current = sections.setdefault(header[2], [])
            if blocks:
                current.append("")
        elif current is None:
            if line.strip():
                raise GrammarError(f"{file.name}, line {number}: a text before the first '== symbol'")
        elif not blocks:
            current += [line] if line.strip() else []
        elif line == "---":
            current.append("")
        else:
            current[-1] += line + "\n"
    return {symbol: [text.strip("\n") for text in texts if text.strip()] for symbol, texts in sections.items()}


def _parse(text: str) -> _Sequence:
    nodes, end = _parse_sequence(text.replace("⏎", "\n"), 0, "")
    assert end == len(text)
    return nodes


def _parse_sequence(text: str, start: int, stops: str) -> tuple[_Sequence, int]:
    """Parse up to one of ``stops``; give the nodes and where they end."""
    nodes: list[_Node] = []
    literal = ""
    at = start
    while at < len(text) and text[at] not in stops:
        if text[at] != "{":
            literal += text[at]
            at += 1
            continue
        if literal:
            nodes.append(literal)
            literal = ""
        node, at = _parse_braces(text, at + 1)
        nodes.append(node)
    if stops and at >= len(text):
        raise GrammarError(f"a brace is not closed in: {text[:60]}")
    return (*nodes, *([literal] if literal else [])), at


def _parse_braces(text: str, start: int) -> tuple[_Node, int]:
    parts: list[_Sequence] = []
    at = start - 1
    while True:
        nodes, at = _parse_sequence(text, at + 1, "|}")
        parts.append(nodes)
        if text[at] == "}":
            break
    if len(parts) > 1:
        return _Choice(tuple(parts)), at + 1
    if len(parts[0]) != 1 or not isinstance(parts[0][0], str):
        raise GrammarError(f"braces hold neither a name nor alternatives in: {text[:60]}")
    found = _REFERENCE.match(parts[0][0])
    assert found is not None
    low, high = int(found["low"] or 1), int(found["high"] or 1)
    label = PhiLabel(found["label"]) if found["label"] else None
    return _Reference(found["name"], label, low, high, "\n" if found["lines"] else " "), at + 1
