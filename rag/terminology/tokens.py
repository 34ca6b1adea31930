"""Words of a text under the keys that names are compared by: without accents, case, plural or feminine.

The same function reads the vocabulary and the document, so that "cancers du foie", "CANCER DU FOIE" and "cancer de
foie" meet under "cancer de foi". What the key forgets, the linker looks at again (`rag.terminology.features`).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from rag.terminology.remember import Remembered

#: They join words and are none: "l'œil", "goutte-à-goutte". A dash between blanks is a sign of its own.
_APOSTROPHES, _HYPHENS = "'’‘ʼ`´′", "‐‑–\u00ad-"
_LETTER = r"[^\W_]"
#: An elided "D'", told from a lone letter by its apostrophe; a run of letters and digits with its combining accents; or
#: one other visible sign, hyphens that touch a word left out.
_PIECE = re.compile(
    rf"D(?<!{_LETTER}D)[{_APOSTROPHES}]|{_LETTER}+(?:[\u0300-\u036f]+{_LETTER}*)*"
    rf"|[^\s{_APOSTROPHES}{_HYPHENS}]|(?<!{_LETTER})[{_HYPHENS}](?!{_LETTER})"
)

#: Prepositions under one key each: "du", "des", "d'" are "de"; "à" stays apart from the letter of "hépatite A".
_OF, _AT = _BEFORE_ARTICLES = "de", "à"
_PREPOSITIONS = {"de": _OF, "du": _OF, "des": _OF, "d": _OF, "à": _AT, "au": _AT, "aux": _AT}
_ARTICLES = frozenset(form for word in ("l", "la", "le", "les") for form in (word, word.upper(), word.capitalize()))

#: Under these lengths a word is left as it is: an ending says nothing ("os", "pus", "iode").
_SHORTEST_PLURAL, _SHORTEST_FEMININE = 4, 5
_VOWELS = frozenset("aeiouy")


class Token(NamedTuple):
    """A word or a sign.

    Args:
        start, end: code points [start, end) of the text.
        key: what it is compared by; the sign itself for punctuation.
    """

    start: int
    end: int
    key: str


class Columns(NamedTuple):
    """The tokens of a text, one list for each thing that is known of them; see `Token`. ``words`` are in lower case."""

    starts: list[int]
    ends: list[int]
    keys: list[str]
    words: list[str]


def tokenize(text: str) -> list[Token]:
    """The words and signs of a text, in order.

    Apostrophes and hyphens inside words separate them and are not tokens; other signs are tokens, so that no name
    runs over a comma or the end of a sentence. An article after a preposition ("de la", "à l'") is not a token.
    """
    found = columns(text)
    return list(map(Token, found.starts, found.ends, found.keys))


def columns(text: str) -> Columns:
    """What `tokenize` gives, and the words, without an object for each token: a long text is read faster so."""
    starts: list[int] = []
    ends: list[int] = []
    found: list[str] = []
    words: list[str] = []
    after_preposition = False
    for match in _PIECE.finditer(text):
        piece = match.group()
        if after_preposition and piece in _ARTICLES:
            continue
        key = _KEYS[piece]
        start, end = match.span()
        starts.append(start)
        found.append(key)
        if piece[-1] in _APOSTROPHES:
            end, piece = start + 1, piece[0]
        ends.append(end)
        words.append(piece.lower())
        after_preposition = key in _BEFORE_ARTICLES
    return Columns(starts, ends, found, words)


def keys(text: str) -> list[str]:
    """The keys of a text's tokens, in order: what `TermIndex.matches` reads."""
    found: list[str] = []
    after_preposition = False
    for word in _PIECE.findall(text):
        if after_preposition and word in _ARTICLES:
            continue
        key = _KEYS[word]
        found.append(key)
        after_preposition = key in _BEFORE_ARTICLES
    return found


def key(text: str) -> str:
    """A name's keys joined by a space: what `TermIndex.lookup` reads; "" for a name without letter, digit or sign."""
    return " ".join(keys(text))


def _piece_key(piece: str) -> str:
    lowered = piece.lower().rstrip(_APOSTROPHES)
    preposition = _PREPOSITIONS.get(lowered) if piece != "D" else None
    return preposition or (word_key(piece) if piece[0].isalnum() else piece)


#: The key of each piece of text.
_KEYS = Remembered(_piece_key, 1 << 18)


def word_key(word: str) -> str:
    """What one word is compared by.

    Number and gender are taken off as in the minimal French stemmer (Savoy, ACM SAC 2006), without its verb endings:
    "rénaux", "rénale" → "renal"; "auditives" → "auditif"; "fièvres" → "fievr".
    """
    folded = fold(word)
    if not folded.isalpha():
        return folded
    if len(folded) >= _SHORTEST_FEMININE and folded.endswith("aux"):
        return folded[:-2] + "l"
    if len(folded) >= _SHORTEST_PLURAL and folded[-1] in "sx":
        folded = folded[:-1]
    if len(folded) < _SHORTEST_FEMININE or folded[-1] != "e":
        return folded
    stem = folded.rstrip("e") if len(folded.rstrip("e")) >= _SHORTEST_PLURAL - 1 else folded
    if stem[-1] == stem[-2] and stem[-1] not in _VOWELS:
        stem = stem[:-1]
    if stem.endswith("iv"):
        return stem[:-1] + "f"
    return stem[:-1] if stem.endswith("eus") else stem


@lru_cache(maxsize=1 << 18)
def fold(word: str) -> str:
    """Lower case without accents; ligatures and Greek letters are spelt ("Œ" → "oe", "β" → "beta")."""
    if word.isascii():
        return word.lower()
    plain: list[str] = []
    for sign in unicodedata.normalize("NFKD", word.casefold()):
        if unicodedata.combining(sign):
            continue
        name = unicodedata.name(sign, "")
        if sign in "œæ":
            plain.append(sign.replace("œ", "oe").replace("æ", "ae"))
        elif name.startswith("GREEK SMALL LETTER "):
            plain.append(name.split()[3].lower())
        else:
            plain.append(sign)
    return "".join(plain) or word
