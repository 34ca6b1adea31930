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
from collections.abc import Collection, Iterable, Sequence
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

import Stemmer
from rapidfuzz.distance import OSA

from rag.terminology.reading import Reading, function_words
from rag.terminology.remember import Remembered
from rag.terminology.tokens import fold, key

Place = tuple[int, int]

_LONGEST = 6  # words of a variant
_MOST_COMBINATIONS = 8
_SHORTEST_STEMMED = 4
#: A typing error is looked for from this length on; a second one from the other.
_SHORTEST_MISSPELT, _SHORTEST_TWICE = 5, 9
#: Words, and spans of several, whose variants are remembered.
_MOST_WORDS, _MOST_SPANS = 1 << 17, 1 << 16
_WORD = re.compile(r"[^\W_]+")


class Kind(IntEnum):
    """How a candidate's writing relates to the name, closest first."""

    EXACT = 0
    CONTENT = 1
    SYNONYM = 2
    MISSPELT = 3
    APART = 4
    ABBREVIATED = 5


#: Names (by key) that stand for what is written, with the way in which they differ from it.
Sources = tuple[tuple[str, Kind], ...]


class Variant(NamedTuple):
    """Tokens [first, stop) say what the names of ``sources`` say, in another writing."""

    first: int
    stop: int
    sources: Sources


class _Known(NamedTuple):
    """A word: the numbers of the contents that it may be a part of, and the names that it is a variant of."""

    contents: frozenset[int]
    alone: Sources


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
        # A content has the same number in both; numbers take less room than texts in the sets below.
        self._with_part: dict[str, set[int]] = {}
        for number, one in enumerate(dict.fromkeys((*self._by_stems, *self._by_meaning))):
            for part in one.split():
                self._with_part.setdefault(part, set()).add(number)
        parts = {word for name in self._by_key for word in name.split()}
        self._words = parts.union(words)
        self._nearby: dict[str, set[str]] = {}
        for word in parts:
            if len(word) >= _SHORTEST_MISSPELT and word.isalpha():
                for shorter in _without_a_letter(word):
                    self._nearby.setdefault(shorter, set()).add(word)
        self._known = Remembered(self._know, _MOST_WORDS)
        self._corrected = Remembered(self.correct, _MOST_WORDS)
        self._saying = Remembered(self._find_saying, _MOST_SPANS)

    def find(self, reading: Reading) -> list[Variant]:
        """The spans of a text that are variants of names and are no name themselves, by place."""
        between, tokens, words = function_words(), reading.keys, reading.words
        known = list(map(self._known.__getitem__, words))
        contents = [one.contents for one in known]
        found: dict[Place, Sources] = {}
        for first, (shared, alone) in enumerate(known):
            if not shared or tokens[first] in between:
                continue
            if alone and tokens[first] not in self._by_key:
                found[first, first + 1] = alone
            for stop, word in enumerate(tokens[first + 1 : first + _LONGEST], start=first + 2):
                if word in between:
                    continue
                # What a span says is in a content that each of its words may be a part of: mostly there is none, and
                # then none for a longer span either.
                shared = shared & contents[stop - 1]
                if not shared:
                    break
                sources = self._saying[tuple(words[first:stop])]
                if sources and reading.key(first, stop) not in self._by_key:
                    found[first, stop] = sources
        for place, name in self._misspelt(reading, contents).items():
            others = (source for source in found.get(place, ()) if source[0] != name)
            found[place] = ((name, Kind.MISSPELT), *others)
        return [Variant(first, stop, found[first, stop]) for first, stop in sorted(found)]

    def _misspelt(self, reading: Reading, contents: Sequence[Collection[int]]) -> dict[Place, str]:
        """The spans that are names, by key, once their misspelt words are corrected."""
        between, tokens = function_words(), reading.keys
        corrected = list(map(self._corrected.__getitem__, tokens))
        if not any(corrected):
            return {}
        wrong = [place for place, new in enumerate(corrected) if new is not None]
        known = [False] * len(tokens)
        for place in {near for one in wrong for near in range(one - _LONGEST + 1, one + _LONGEST)}:
            if 0 <= place < len(tokens):
                known[place] = corrected[place] is not None or tokens[place] in between or bool(contents[place])
        found: dict[Place, str] = {}
        for first, last in _spans(tokens, known):
            if any(corrected[first : last + 1]):
                words = zip(corrected[first : last + 1], tokens[first : last + 1], strict=True)
                name = " ".join(new or old for new, old in words)
                if name in self._by_key:
                    found[first, last + 1] = name
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

    def _know(self, word: str) -> _Known:
        contents = frozenset(number for part in _may_mean(word) for number in self._with_part.get(part, ()))
        return _Known(contents, self._find_saying((word,)))

    def _find_saying(self, words: tuple[str, ...]) -> Sources:
        """The names that have the content of words, or one that they may mean."""
        sources: dict[str, Kind] = {}
        stems, meanings = content(words)
        for name in self._by_stems.get(stems, ()):
            sources.setdefault(name, Kind.CONTENT)
        for meaning in (*meanings, stems):
            for name in self._by_meaning.get(meaning, ()):
                sources.setdefault(name, Kind.SYNONYM)
        return tuple(sources.items())


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
