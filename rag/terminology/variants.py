"""Names written otherwise: another order or derivation of the words, an everyday word, a typing error.

The content of a name is its set of stems (Porter's French stemmer, function words left out), so that "sténose de la
carotide" and "carotide sténosée" share it; a stem stands for the meaning that ``synonyms_fr.txt`` gives it. Everything
is held in memory, which is for vocabularies of ordinary size (`rag.terminology.memory.LARGEST`); a larger one brings
its own variants.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import Stemmer
from rapidfuzz.distance import OSA

from rag.terminology.reading import Reading, function_words
from rag.terminology.tokens import fold, key

_LONGEST = 6  # words of a variant
_MOST_COMBINATIONS = 8
_SHORTEST_STEMMED = 4
#: A typing error is looked for from this length on; a second one from the other.
_SHORTEST_MISSPELT, _SHORTEST_TWICE = 5, 9
_WORD = re.compile(r"[^\W_]+")


class Kind(IntEnum):
    """How a candidate's writing relates to the name, closest first."""

    EXACT = 0
    CONTENT = 1
    SYNONYM = 2
    MISSPELT = 3
    APART = 4
    ABBREVIATED = 5


@dataclass(frozen=True, slots=True)
class Variant:
    """Tokens [first, stop) say what the names under ``sources`` say, in another writing."""

    first: int
    stop: int
    sources: dict[str, Kind]


class Variants:
    """The names of a vocabulary by their content.

    Args:
        names: (key, text) of every name.
        words: keys of words that are no typing error although no name holds them.
    """

    def __init__(self, names: Iterable[tuple[str, str]], words: Collection[str] = ()) -> None:
        self._by_key: set[str] = set()
        self._by_stems: dict[str, set[str]] = {}
        self._by_meaning: dict[str, set[str]] = {}
        for name, text in names:
            if name in self._by_key:
                continue
            self._by_key.add(name)
            stems, meanings = content(_WORD.findall(text))
            if stems:
                self._by_stems.setdefault(stems, set()).add(name)
            for meaning in meanings:
                self._by_meaning.setdefault(meaning, set()).add(name)
        self._stems = {part for content in (*self._by_stems, *self._by_meaning) for part in content.split()}
        parts = {word for name in self._by_key for word in name.split()}
        self._words = parts.union(words)
        self._nearby: dict[str, set[str]] = {}
        for word in parts:
            if len(word) >= _SHORTEST_MISSPELT and word.isalpha():
                for shorter in _without_a_letter(word):
                    self._nearby.setdefault(shorter, set()).add(word)

    def find(self, reading: Reading) -> list[Variant]:
        """The spans of a text that are variants of names and are no name themselves."""
        found = []
        corrected = [self.correct(word) for word in reading.keys]
        known = [
            new is not None or old in function_words() or not self._stems.isdisjoint(_may_mean(word))
            for new, old, word in zip(corrected, reading.keys, reading.words, strict=True)
        ]
        for first, last in _spans(reading.keys, known):
            stop = last + 1
            if (name := reading.key(first, stop)) not in self._by_key:
                sources = self._sources(reading, first, stop, corrected[first:stop])
                sources.pop(name, None)
                if sources:
                    found.append(Variant(first, stop, sources))
        return found

    def correct(self, word: str) -> str | None:
        """The word of a name that an unknown key is a misspelling of, or None.

        One insertion, omission, substitution or exchange of neighbours (Damerau, CACM 1964); two in a long word.
        """
        if len(word) < _SHORTEST_MISSPELT or word in self._words or not word.isalpha():
            return None
        near = {other for shorter in _without_a_letter(word) for other in self._nearby.get(shorter, ())}
        most = 1 + (len(word) >= _SHORTEST_TWICE)
        measured = [(distance, other) for other in near if (distance := OSA.distance(word, other)) <= most]
        return min(measured)[1] if measured else None

    def _sources(self, reading: Reading, first: int, stop: int, corrected: list[str | None]) -> dict[str, Kind]:
        sources: dict[str, Kind] = {}
        if any(corrected):
            name = " ".join(new or old for new, old in zip(corrected, reading.keys[first:stop], strict=True))
            if name in self._by_key:
                sources[name] = Kind.MISSPELT
        stems, meanings = content(reading.words[first:stop])
        for name in self._by_stems.get(stems, ()):
            sources.setdefault(name, Kind.CONTENT)
        for meaning in (*meanings, stems):
            for name in self._by_meaning.get(meaning, ()):
                sources.setdefault(name, Kind.SYNONYM)
        return sources


def content(words: Iterable[str]) -> tuple[str, frozenset[str]]:
    """The stems of a name's content, sorted, and the meanings that they may have.

    Returns:
        Stems joined by a space, "" for function words alone; each meaning is the same with some stems replaced.
    """
    return _content(tuple(words))


@functools.lru_cache(maxsize=1 << 16)
def _content(words: tuple[str, ...]) -> tuple[str, frozenset[str]]:
    stems = [stem(word) for word in words if _key_of(word) not in function_words()]
    plain = " ".join(sorted(set(stems)))
    if not stems:
        return "", frozenset()
    meanings = _meanings()
    found = set(meanings.get(plain, ()))
    if len(stems) > 1:
        one_by_one = [sorted(meanings.get(part, ())) or [part] for part in stems]
        choices = itertools.islice(itertools.product(*one_by_one), _MOST_COMBINATIONS)
        found.update(" ".join(sorted(set(choice))) for choice in choices)
        for place in range(len(stems) - 1):
            pair = " ".join(sorted({stems[place], stems[place + 1]}))
            rest = [part[0] for part in one_by_one[:place] + one_by_one[place + 2 :]]
            found.update(" ".join(sorted({meaning, *rest})) for meaning in meanings.get(pair, ()))
    found.discard(plain)
    return plain, frozenset(found)


@functools.lru_cache(maxsize=1 << 17)
def stem(word: str) -> str:
    """A word's stem, folded: "lithiasique", "lithiases" → "lithias"."""
    return fold(_stemmer().stemWord(word.lower())) if len(word) >= _SHORTEST_STEMMED else fold(word)


@functools.cache
def _meanings() -> dict[str, frozenset[str]]:
    """Meanings by stems, from ``synonyms_fr.txt`` and ``compounds_fr.txt``."""
    meanings: dict[str, set[str]] = {}
    for number, line in enumerate(_lines("synonyms_fr.txt")):
        for name in line.split(";"):
            meanings.setdefault(_stems(name), set()).add(f"§{number}")
    parts = [line.split(" = ") for line in _lines("compounds_fr.txt")]
    for root, organ in (pair for pair in parts if not pair[0].startswith("-")):
        for ending, sense in (pair for pair in parts if pair[0].startswith("-")):
            both = itertools.product(*(meanings.get(stems) or {stems} for stems in (_stems(organ), _stems(sense))))
            compound = {" ".join(sorted(set(pair))) for pair in both}
            meanings.setdefault(stem(root + ending[1:]), set()).update(compound)
    return {stems: frozenset(some) for stems, some in meanings.items()}


def _lines(name: str) -> list[str]:
    lines = Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _stems(name: str) -> str:
    words = (word for word in _WORD.findall(name) if _key_of(word) not in function_words())
    return " ".join(sorted({stem(word) for word in words}))


@functools.cache
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("french")


@functools.lru_cache(maxsize=1 << 17)
def _key_of(word: str) -> str:
    return key(word)


@functools.lru_cache(maxsize=1 << 16)
def _may_mean(word: str) -> frozenset[str]:
    """The stem of a word, and the parts of every meaning that it has, alone or with other words."""
    own = stem(word)
    return frozenset((own, *_parts_of_meanings().get(own, ())))


@functools.cache
def _parts_of_meanings() -> dict[str, set[str]]:
    """By stem, the parts of the meanings of all expressions that hold it."""
    parts: dict[str, set[str]] = {}
    for stems, meanings in _meanings().items():
        for part in stems.split():
            parts.setdefault(part, set()).update(one for meaning in meanings for one in meaning.split())
    return parts


def _spans(tokens: list[str], known: list[bool]) -> Iterable[tuple[int, int]]:
    """[first, last] of the runs of known words that a variant may fill, no function word at the ends."""
    between = function_words()
    for first, word in enumerate(tokens):
        if not known[first] or word in between:
            continue
        for last in range(first, min(first + _LONGEST, len(tokens))):
            if not known[last]:
                break
            if tokens[last] not in between:
                yield first, last


def _without_a_letter(word: str) -> set[str]:
    return {word, *(word[:place] + word[place + 1 :] for place in range(len(word)))}
