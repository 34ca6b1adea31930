"""What scanning, typing and exporting do to a text: the same spans, harder to read."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from rag.deid.spelling import unaccented
from rag.deid.synthetic.grammar import Piece
from schema.phi import PhiEntity

#: A character (or what became of it) and the number of the piece it comes from.
Cell = tuple[str, int]

_MISREAD = {
    "l": "1", "I": "l", "O": "0", "0": "O", "1": "l", "5": "S", "S": "5", "8": "B", "B": "8", "e": "c", "c": "e",
    "é": "e", "è": "e", "ê": "e", "à": "a", "ç": "c", "n": "u", "u": "n", "m": "rn", "i": "l", "t": "f", "h": "li",
    "6": "G", "G": "6", "2": "Z", ":": ";", ".": ",", ",": ".", "D": "O", "o": "0", "a": "o", "r": "t", "E": "F",
}  # fmt: skip
_NEAR = {"a": "zq", "e": "zr", "i": "uo", "n": "b", "o": "ip", "r": "et", "s": "qd", "t": "ry", "u": "yi", "l": "km"}


def spoil(pieces: Sequence[Piece], dice: random.Random) -> tuple[str, tuple[PhiEntity, ...]]:
    """Join the pieces, with the flaws that dice give to the whole document; most documents get few or none."""
    cells = [(char, number) for number, piece in enumerate(pieces) for char in piece.text]
    for share, flaw in _FLAWS:
        if dice.random() < share:
            cells = flaw(cells, dice)
    return _join(cells, pieces)


def _join(cells: Sequence[Cell], pieces: Sequence[Piece]) -> tuple[str, tuple[PhiEntity, ...]]:
    text = ""
    bounds: dict[int, tuple[int, int]] = {}
    for char, number in cells:
        if pieces[number].label and char:
            start, end = bounds.get(number, (len(text), 0))
            bounds[number] = (start, len(text) + len(char))
        text += char
    entities = []
    for number, (start, end) in bounds.items():
        label = pieces[number].label
        inner = text[start:end]
        start += len(inner) - len(inner.lstrip())
        end = start + len(inner.strip())
        if label and start < end:
            entities.append(PhiEntity(start, end, label))
    return text, tuple(sorted(entities))


def _every(change: Callable[[str], str]) -> Callable[[list[Cell], random.Random], list[Cell]]:
    return lambda cells, dice: [(change(char), number) for char, number in cells]


def _capitals_without_accents(char: str) -> str:
    return unaccented(char) if char.isupper() else char


def _misread(cells: list[Cell], dice: random.Random) -> list[Cell]:
    rate = dice.uniform(0.003, 0.05)
    spoilt = []
    for char, number in cells:
        if dice.random() < rate:
            char = dice.choice((_MISREAD.get(char, char), _MISREAD.get(char, char), "", char + " ", char))
        spoilt.append((char, number))
    return spoilt


def _mistype(cells: list[Cell], dice: random.Random) -> list[Cell]:
    rate = dice.uniform(0.002, 0.015)
    spoilt: list[Cell] = []
    for char, number in cells:
        if char.isalpha() and dice.random() < rate:
            match dice.randrange(4):
                case 0:
                    char = ""
                case 1:
                    char += char
                case 2:
                    char = dice.choice(_NEAR.get(char, char))
                case 3 if spoilt and spoilt[-1][1] == number:  # two letters change places
                    last = spoilt.pop()
                    spoilt.append((char, number))
                    char = last[0]
        spoilt.append((char, number))
    return spoilt


def _glue(cells: list[Cell], dice: random.Random) -> list[Cell]:
    """Spaces lost between words."""
    rate = dice.uniform(0.01, 0.08)
    return [cell for cell in cells if cell[0] != " " or dice.random() > rate]


def _wrap(cells: list[Cell], dice: random.Random) -> list[Cell]:
    """Lines cut at a width, inside names and addresses as anywhere else."""
    width, column = dice.randint(40, 100), 0
    wrapped = []
    for char, number in cells:
        if char == " " and column >= width:
            char = "\n"
        column = 0 if char == "\n" else column + 1
        wrapped.append((char, number))
    return wrapped


def _unwrap(cells: list[Cell], dice: random.Random) -> list[Cell]:
    """Line ends lost, as in an export of one line."""
    between = dice.choice((" ", "  ", "   ", " | ", "\t"))
    return [(between if char == "\n" else char, number) for char, number in cells]


def _letter_by_letter(cells: list[Cell], dice: random.Random) -> list[Cell]:
    """Some stretches written one character to a box, as on forms."""
    numbers = {number for _, number in cells}
    boxed = {number for number in numbers if dice.random() < 0.25}
    return [(f"{char} " if number in boxed and char.isalnum() else char, number) for char, number in cells]


def _spread(cells: list[Cell], dice: random.Random) -> list[Cell]:
    """Columns set with spaces."""
    rate = dice.uniform(0.01, 0.06)
    wide = [("  " if char == " " and dice.random() < rate else char, number) for char, number in cells]
    return [(" \n" if char == "\n" and dice.random() < rate * 4 else char, number) for char, number in wide]


_FLAWS: tuple[tuple[float, Callable[[list[Cell], random.Random], list[Cell]]], ...] = (
    (0.07, _every(str.upper)),
    (0.10, _every(str.lower)),
    (0.12, _every(unaccented)),
    (0.12, _every(_capitals_without_accents)),
    (0.40, _every(lambda char: "’" if char == "'" else char)),
    (0.10, _every(lambda char: "-" if char == "–" else char)),
    (0.10, _misread),
    (0.10, _mistype),
    (0.10, _glue),
    (0.12, _wrap),
    (0.12, _unwrap),
    (0.10, _spread),
    (0.04, _letter_by_letter),
    (0.03, _every(lambda char: "\r\n" if char == "\n" else char)),
    (0.03, _every(lambda char: "\N{NO-BREAK SPACE}" if char == " " else char)),
)
