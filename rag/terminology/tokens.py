"""Words of a text under the keys that names are compared by: without accents, case, plural or feminine.

The same function reads the vocabulary and the document, so that "cancers du foie", "CANCER DU FOIE" and "cancer de
foie" meet under "cancer de foi". What the key forgets, the linker looks at again (`rag.terminology.features`).
"""

from __future__ import annotations

import itertools
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


class Pieces(NamedTuple):
    """The tokens of a text, one list for each thing that is known of them: a long text is read faster so.

    Args:
        places: see `span_of`.
        keys: as in `Token`.
        forms: as they are written.
        words: in lower case.
    """

    places: list[re.Match[str]]
    keys: list[str]
    forms: list[str]
    words: list[str]


def tokenize(text: str) -> list[Token]:
    """The words and signs of a text, in order.

    Apostrophes and hyphens inside words separate them and are not tokens; other signs are tokens, so that no name
    runs over a comma or the end of a sentence. An article after a preposition ("de la", "à l'") is not a token.
    """
    found = pieces(text)
    return [Token(*span_of(place), key) for place, key in zip(found.places, found.keys, strict=True)]


def pieces(text: str) -> Pieces:
    """What `tokenize` gives, in lists."""
    places = list(_PIECE.finditer(text))
    written = [place.group() for place in places]
    found = list(map(_KEYS.__getitem__, written))
    if not _ARTICLES.isdisjoint(written):
        kept = _kept(written, found)
        places, written = list(itertools.compress(places, kept)), list(itertools.compress(written, kept))
        found = list(itertools.compress(found, kept))
    forms = list(map(_FORMS.__getitem__, written))
    return Pieces(places, found, forms, list(map(str.lower, forms)))


def span_of(place: re.Match[str]) -> tuple[int, int]:
    """The code points [start, end) of a token, its apostrophe left out."""
    start, end = place.span()
    return start, start + 1 if place.group()[-1] in _APOSTROPHES else end


def keys(text: str) -> list[str]:
    """The keys of a text's tokens, in order: what `TermIndex.matches` reads."""
    written = _PIECE.findall(text)
    found = list(map(_KEYS.__getitem__, written))
    return found if _ARTICLES.isdisjoint(written) else list(itertools.compress(found, _kept(written, found)))


def _kept(written: list[str], found: list[str]) -> bytearray:
    """0 for the articles that follow a preposition, 1 for all else."""
    kept = bytearray(b"\1") * len(written)
    for place in [place for place, piece in enumerate(written) if piece in _ARTICLES]:
        if place and (found[place - 1] in _BEFORE_ARTICLES or not kept[place - 1]):
            kept[place] = 0
    return kept


def key(text: str) -> str:
    """A name's keys joined by a space: what `TermIndex.lookup` reads; "" for a name without letter, digit or sign."""
    return " ".join(keys(text))


def _piece_key(piece: str) -> str:
    lowered = piece.lower().rstrip(_APOSTROPHES)
    preposition = _PREPOSITIONS.get(lowered) if piece != "D" else None
    return preposition or (word_key(piece) if piece[0].isalnum() else piece)


_MOST_PIECES = 1 << 18
#: The key of each piece of text.
_KEYS = Remembered(_piece_key, _MOST_PIECES)
#: Its writing, without the apostrophe of a "D'".
_FORMS: Remembered[str, str] = Remembered(lambda piece: piece[0] if piece[-1] in _APOSTROPHES else piece, _MOST_PIECES)


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
