"""A text cut into words, numbers and signs, each with its place and its folded form (no accents, lower case)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

_LETTER = "[^\\W\\d_][\u0300-\u036f]*"
_PIECE = f"(?:{_LETTER})+"
# a zero or a one inside a long word is a letter that OCR misread: "GRAND1N", "ANT0INE", "H0PITAL"
_INSIDE = r"(?=[^\W\d_])"
_MISREAD = (
    rf"(?:(?:{_LETTER}){{1,2}}0(?=[^\W\d_]{{3}}){_PIECE}|(?:{_LETTER}){{3,}}[01]{_INSIDE}(?:{_PIECE}|[01]{_INSIDE})*"
    rf"|[01](?=[^\W\d_]{{4}}){_PIECE})"
)
_PIECE = f"(?:{_MISREAD}|{_PIECE})"
_TOKEN = re.compile(
    f"(?P<word>{_PIECE}(?:[-\u2010\u2011'’]{_PIECE})*)|(?P<number>\\d+)|(?P<line>\\r?\\n)|(?P<sign>\\S)"
)
_JOINT = re.compile("[-\u2010\u2011'’]")
# "DrMichel", "ABDOUNourdine": two words that lost their space
_GLUED = re.compile(r"(?P<head>(?:Dr|Pr|Mme|Mr|Mlle|IDE)(?=[A-ZÀ-Ý][a-zà-ÿ]{2})|[A-ZÀ-Ý]{3,}(?=[A-ZÀ-Ý][a-zà-ÿ]{3,}$))")
_ELIDED = frozenset(["d", "l", "j", "m", "n", "s", "t", "c", "qu", "jusqu", "lorsqu", "puisqu"])
_INNER_CAPITAL = re.compile(r"(?:Mac|Mc|De|Di|Da|Du|Le|La|Van|O)[A-ZÀ-Ý][a-zà-ÿ]+$")
_LIGATURES = str.maketrans(
    {"œ": "oe", "æ": "ae", "ß": "ss", "ł": "l", "ø": "o", "ı": "i", "’": "'", "\u2010": "-", "\u2011": "-", "đ": "d"}
)

WORD, NUMBER, LINE, SIGN = "word", "number", "line", "sign"
"""Kinds of token."""

LOWER, CAPITALISED, UPPER, LETTER, MIXED = "lower", "capitalised", "upper", "letter", "mixed"
"""Shapes of a word: ``dupont``, ``Dupont``, ``DUPONT``, ``D``, ``SpO``. Other tokens have the empty shape."""


@dataclass(slots=True)
class Token:
    """Code points [start, end) of the text; ``fold`` is what comparisons use."""

    start: int
    end: int
    text: str
    fold: str
    kind: str
    shape: str

    @property
    def is_capital(self) -> bool:
        """Whether the word begins with a capital letter."""
        return self.shape not in ("", LOWER)


@lru_cache(maxsize=1 << 16)
def fold(text: str) -> str:
    """Lower case, without accents or ligatures, with straight apostrophes."""
    lowered = text.lower()
    if lowered.isascii():
        return lowered
    lowered = lowered.translate(_LIGATURES)
    return "".join(char for char in unicodedata.normalize("NFD", lowered) if not unicodedata.combining(char))


def _shape(word: str) -> str:
    if not word[0].isupper() and word[0] not in "01":
        return LOWER
    if len(word) == 1:
        return LETTER
    if word.isupper() or word.upper() == word or (len(word) > 3 and word.replace("l", "I").isupper()):
        return UPPER
    pieces = _JOINT.split(word)
    plain = (piece[1:] == piece[1:].lower() or _INNER_CAPITAL.match(piece) for piece in pieces)
    upper = (len(pieces) > 1 and len(piece) > 3 and piece.isupper() for piece in pieces)
    return CAPITALISED if all(one or other for one, other in zip(plain, upper, strict=True)) else MIXED


@lru_cache(maxsize=1 << 16)
def _read(text: str) -> tuple[str, str]:
    """The folded form and the shape of a word."""
    form = "mariee" if text.lower() == "marié" else fold(text)  # no "Marie"
    if not text.isalpha() and ("0" in form or "1" in form):
        form = form.replace("0", "o").replace("1", "i")
    return form, _shape(text)


def _word(text: str, start: int) -> Token:
    form, shape = _read(text)
    return Token(start, start + len(text), text, form, WORD, shape)


def tokenize(text: str) -> list[Token]:
    """Tokens in order. A hyphenated word is one token; an elided article (``d'``, ``l'``) is a token of its own."""
    tokens: list[Token] = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or SIGN
        piece, start = match.group(), match.start()
        if kind != WORD:
            tokens.append(Token(start, match.end(), piece, piece if piece != "’" else "'", kind, ""))
            continue
        while (joint := _JOINT.search(piece)) and piece[joint.start()] in "'’":
            head = piece[: joint.start()]
            if fold(head) not in _ELIDED:
                break
            tokens.append(_word(head, start))
            tokens.append(Token(start + len(head), start + len(head) + 1, piece[len(head)], "'", SIGN, ""))
            start += len(head) + 1
            piece = piece[len(head) + 1 :]
        if glued := _GLUED.match(piece):
            tokens.append(_word(glued["head"], start))
            start += len(glued["head"])
            piece = piece[len(glued["head"]) :]
        tokens.append(_word(piece, start))
    return tokens


_SKIPPED = frozenset({"'", "."})


class _Node:
    """A word of some phrases, and the words that may follow it."""

    __slots__ = ("ends", "next")

    def __init__(self) -> None:
        self.ends = False
        self.next: dict[str, _Node] = {}


class Phrases:
    """Finds known sequences of words at a place of the token list, the longest first.

    Full stops and apostrophes between the words of a phrase are ignored ("pers. à prévenir").
    """

    def __init__(self, phrases: Iterable[str]) -> None:
        self._tree = _Node()
        for phrase in phrases:
            form = fold(phrase)
            plain = "'" not in form and "." not in form and "/" not in form
            words = form.split() if plain else [t.fold for t in tokenize(form) if t.fold not in _SKIPPED]
            node = self._tree
            for word in words:
                node = node.next.setdefault(word, _Node())
            node.ends = bool(words)

    @property
    def openers(self) -> frozenset[str]:
        """The first words of the phrases."""
        return frozenset(self._tree.next)

    def match(self, tokens: Sequence[Token], at: int) -> int:
        """The index after the longest phrase that starts at ``at``; ``at`` itself where none does."""
        node = self._tree.next.get(tokens[at].fold)
        if node is None:
            return at
        place = at + 1
        best = place if node.ends else at
        while node.next and place < len(tokens):
            form = tokens[place].fold
            if form in _SKIPPED:
                place += 1
                continue
            following = node.next.get(form)
            if following is None:
                break
            node, place = following, place + 1
            if node.ends:
                best = place
        return best

    def ends_before(self, tokens: Sequence[Token], at: int, reach: int = 5) -> bool:
        """Whether a phrase ends just before ``at`` (signs apart)."""
        end = at
        while end > 0 and tokens[end - 1].kind == SIGN and tokens[end - 1].fold in ":'.(-–":
            end -= 1
        for start in range(max(0, end - reach), end):
            place = self.match(tokens, start)
            if place == end and place > start:
                return True
        return False
