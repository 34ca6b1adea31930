"""Words of a text under the keys that names are compared by: without accents, case, plural or feminine.

The same function reads the vocabulary and the document, so that "cancers du foie", "CANCER DU FOIE" and "cancer de
foie" meet under "cancer de foi". What the key forgets, the linker looks at again (`rag.terminology.features`).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

#: A run of letters and digits with its combining accents, or one other visible sign.
_PIECE = re.compile(r"(?:[^\W_][\u0300-\u036f]*)+|[^\s]")

#: Joins words and is not one: "l'œil", "goutte-à-goutte".
_APOSTROPHES = frozenset("'’‘ʼ`´′")
_HYPHENS = frozenset("-‐‑–\u00ad")

#: Prepositions under one key each: "du", "des", "d'" are "de"; "à" stays apart from the letter of "hépatite A".
_PREPOSITIONS = {"de": "de", "du": "de", "des": "de", "d": "de", "à": "à", "au": "à", "aux": "à"}
_ARTICLES = frozenset({"l", "la", "le", "les"})

#: Under these lengths a word is left as it is: an ending says nothing ("os", "pus", "iode").
_SHORTEST_PLURAL, _SHORTEST_FEMININE = 4, 5
_VOWELS = frozenset("aeiouy")


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a sign.

    Args:
        start, end: code points [start, end) of the text.
        key: what it is compared by; the sign itself for punctuation.
    """

    start: int
    end: int
    key: str

    @property
    def is_word(self) -> bool:
        """Letters or digits, not a sign."""
        return self.key[0].isalnum()


def tokenize(text: str) -> list[Token]:
    """The words and signs of a text, in order.

    Apostrophes and hyphens inside words separate them and are not tokens; other signs are tokens, so that no name
    runs over a comma or the end of a sentence. An article after a preposition ("de la", "à l'") is not a token.
    """
    tokens: list[Token] = []
    after_preposition = False
    for piece in _PIECE.finditer(text):
        word = piece.group()
        start, end = piece.span()
        if not word[0].isalnum():
            if word in _APOSTROPHES or (word in _HYPHENS and _is_glued(text, start, end)):
                continue
            tokens.append(Token(start, end, word))
            after_preposition = False
            continue
        lowered = word.lower()
        if after_preposition and lowered in _ARTICLES:
            continue
        preposition = _PREPOSITIONS.get(lowered) if word != "D" or text[end : end + 1] in _APOSTROPHES else None
        tokens.append(Token(start, end, preposition or word_key(word)))
        after_preposition = preposition is not None
    return tokens


def keys(text: str) -> list[str]:
    """The keys of a text's tokens, in order: what `TermIndex.matches` reads."""
    return [token.key for token in tokenize(text)]


def key(text: str) -> str:
    """A name's keys joined by a space: what `TermIndex.lookup` reads; "" for a name without letter, digit or sign."""
    return " ".join(keys(text))


@lru_cache(maxsize=1 << 18)
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


def _is_glued(text: str, start: int, end: int) -> bool:
    """A hyphen that touches a word: a dash between blanks is a sign of its own."""
    return (start > 0 and text[start - 1].isalnum()) or text[end : end + 1].isalnum()
