"""Whether a text writes a name as the name may be written: capitals, a final sign, a participle.

The keys that names are compared by (`rag.terminology.tokens`) forget case, endings and a final "-". What they
forget tells "OMI" from "omis", "ASPECTS" from "aspect", "SCA ST-" from "SCA ST+", "retraité" from "retrait".
"""

from __future__ import annotations

import functools
import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag.terminology.candidates import Candidate
from rag.terminology.counts import Names
from rag.terminology.reading import Reading
from rag.terminology.tokens import fold, tokenize
from rag.terminology.variants import Kind

#: How a French word may begin and end: "hta", "avc" and "irm" are none, in small letters either.
_ONSET = r"(?:[b-df-hj-np-tv-xz]|[bcdfgkptv][rl]|[cpst]h[rl]?|gn|qu|rh|s[cfkmnpqtlw]|s[cpt][rlh]|p[snt])?"
_CODA = r"(?:[b-df-hj-np-tvxz]|[rl][cdfgkpst]|n[cdgkstx]|m[bp]|[cpsx]t|[bcdfgmptk]s|[cpst]h|ck|mps|[rnl][cdgkpt]s)?"
_LIKE_A_WORD = re.compile(rf"(?!.*(?:aa|ae|ao|ii|oa|uu)){_ONSET}[aeiouy](?:.*[aeiouy])?{_CODA}")
_SHORTEST_WORD = 2
_WORD = re.compile(rf"[^\W\d_]{{{_SHORTEST_WORD},}}")
#: A line of at least this many letters, nearly all capitals, is written in capitals: they mean nothing there.
_LEAST_LETTERS, _NEARLY_ALL = 10, 0.8
#: A word up to this length in capitals is an abbreviation: "PES" is no form of "pèse".
_LONGEST_ABBREVIATION = 5
_MINUS = ("-", "‐", "‑", "–", "−")
_PARTICIPLE = re.compile(r"ée?s?$")


@dataclass(frozen=True, slots=True)
class _Traits:
    """What the names of one concept under one key have in common.

    Args:
        forms: the names, folded.
        abbreviation: all are in capitals.
        minus: all end with a "-", which the key forgets.
        participle: all end with "é", "ée", "és", "ées".
    """

    forms: frozenset[str]
    abbreviation: bool
    minus: bool
    participle: bool


class Writings:
    """The names of a dictionary, as they are written. Built once; what it has looked up is kept."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._traits: dict[tuple[str, str], _Traits] = {}

    def admitted(self, reading: Reading, candidates: Iterable[Candidate]) -> list[Candidate]:
        """The candidates of a text that its writing allows, in their order."""
        lines = _Lines(reading.text)
        found = [(one, self._of(one.source, one.concept), _written(reading, one)) for one in candidates]
        for one, traits, written in found:
            if traits.abbreviation and written.islower() and _is_unlike_a_word(written):
                lines.write_small(reading.span(one.first, one.stop)[0])
        return [one for one, traits, written in found if _may_be(reading, one, traits, written, lines)]

    def _of(self, source: str, concept: str) -> _Traits:
        found = self._traits.get((source, concept))
        if found is None:
            texts = [term.text for term in self._names.index.lookup(source) if term.concept_id == concept]
            found = self._traits[source, concept] = _traits(texts)
        return found


class _Lines:
    """How the lines of a text are written."""

    def __init__(self, text: str) -> None:
        lines = text.splitlines(keepends=True)
        self._starts = [0]
        for line in lines:
            self._starts.append(self._starts[-1] + len(line))
        self._small = {number for number, line in enumerate(lines) if line == line.lower()}
        self._lines = lines

    def write_small(self, position: int) -> None:
        """An abbreviation of this line is in small letters: the others may be too."""
        self._small.add(self._line(position))

    def is_small(self, position: int) -> bool:
        """Whether abbreviations are in small letters in a line."""
        return self._line(position) in self._small

    def is_shouted(self, position: int) -> bool:
        """Whether a line is written in capitals."""
        return _is_shouted(self._lines[self._line(position)])

    def _line(self, position: int) -> int:
        return bisect_right(self._starts, position) - 1


def _traits(texts: Sequence[str]) -> _Traits:
    return _Traits(
        forms=frozenset(_folded(text) for text in texts),
        abbreviation=bool(texts) and all(text.isupper() for text in texts),
        minus=bool(texts) and all(text.endswith(_MINUS) for text in texts),
        participle=bool(texts) and all(_PARTICIPLE.search(text) for text in texts),
    )


def _may_be(reading: Reading, candidate: Candidate, traits: _Traits, written: str, lines: _Lines) -> bool:
    if candidate.kind is Kind.ABBREVIATED:
        return True
    start, end = reading.span(candidate.first, candidate.stop)
    if traits.minus and not reading.text[end : end + 3].lstrip(" (").startswith(_MINUS):
        return False
    is_in_capitals = written.isupper() and not lines.is_shouted(start)
    is_exact = _folded(written) in traits.forms
    if traits.abbreviation:
        if is_in_capitals or (written[:-1].isupper() and written.endswith("s")):  # "IRMs"
            return True
        if written.isupper():
            return is_exact
        if candidate.kind is Kind.MISSPELT or not is_exact:
            return _is_unlike_a_word(written)
        # "prés" is no "PRES": small letters keep their accents. The guards know the words of two letters.
        is_small = (len(written) == _SHORTEST_WORD and written.isalpha()) or lines.is_small(start)
        return written.isascii() and (is_small or _is_unlike_a_word(written))
    if candidate.kind is not Kind.EXACT or is_exact or " " in written:
        return True
    if traits.participle and not _folded(written).rstrip("s").endswith("e"):
        return False
    return not (is_in_capitals and len(written) <= _LONGEST_ABBREVIATION and not _is_plural(written, traits.forms))


def _is_plural(written: str, forms: Iterable[str]) -> bool:
    singular = _folded(written).rstrip("s")
    return any(form.rstrip("s") == singular for form in forms)


def _written(reading: Reading, candidate: Candidate) -> str:
    return " ".join([form for first, stop in candidate.places for form in reading.forms[first:stop]])


@functools.lru_cache(maxsize=1 << 16)
def _folded(text: str) -> str:
    return " ".join(fold(text[token.start : token.end]) for token in tokenize(text))


def _is_unlike_a_word(written: str) -> bool:
    """Whether a part of it can be no French word."""
    return any(not _LIKE_A_WORD.fullmatch(fold(word)) for word in _WORD.findall(written))


def _is_shouted(line: str) -> bool:
    letters = list(filter(str.isalpha, line))
    return len(letters) >= _LEAST_LETTERS and sum(map(str.isupper, letters)) >= _NEARLY_ALL * len(letters)
