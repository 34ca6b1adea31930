"""Guards against what looks like a name and is not one: times, doses, lone letters, codes, persons, scales.

They judge a mention by the text around it, whatever the vocabulary that it comes from: a release of ICD-10 or of the
UMLS holds names such as "A15", "H02", "165" or "g", which the figures of a note match. The words and figures they go by
stand in ``guards.yml``, with an example of each.
"""

from __future__ import annotations

import functools
import itertools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.terminology.kinds import Kind, kind_of
from rag.terminology.tokens import fold
from rag.terminology.vocabulary import read_yaml
from schema.concept import ConceptMention

_WORD = re.compile(r"[^\W_]+")
#: A code in full; the letters and figures of one, in any writing ("à 15").
_CODE = re.compile(r"[A-Z]\d\d(?:\.\d+)?")
_LIKE_A_CODE = re.compile(r"[a-z]?\d\d\w*")
#: Before the first word of a sentence or of an item.
_OPENS = re.compile(r"(?:^|[.!?:;\n•*–-])\s*$")
#: Under this score a name is a variant of one of the vocabulary.
_SURE = 0.75
#: "Patient NIHSS à 14": what has a value is the scale.
_VALUE = re.compile(r"\s*(?:[:=]|à|a)?\s*\d")
_PARAGRAPH = re.compile(r"\n\s*\n")
#: Every blank of one line, as the patterns write it.
_BLANKS = dict.fromkeys(map(ord, "\t\u00a0\u2009\u202f"), " ")
#: Characters before a mention in which the words that change it may stand.
_LOOK_BACK = 60
#: A line of at least this many letters, nearly all capitals, is written in capitals: they mean nothing there.
_LEAST_LETTERS, _NEARLY_ALL = 10, 0.8


@dataclass(frozen=True, slots=True)
class _Words:
    """``guards.yml``, compiled."""

    mask: re.Pattern[str]
    figures: re.Pattern[str]
    empty: frozenset[str]
    unless_after: dict[str, frozenset[str]]
    person: re.Pattern[str]
    named: re.Pattern[str]
    signed: re.Pattern[str]
    care: re.Pattern[str]
    place: re.Pattern[str]
    scale: re.Pattern[str]
    prefix: re.Pattern[str]
    coded: re.Pattern[str]


@functools.cache
def _words() -> _Words:
    content = read_yaml(Path(__file__).with_name("guards.yml"))
    return _Words(
        mask=re.compile(content["mask"]),
        figures=re.compile(r"(?<![\w.,])(?:" + "|".join(content["figures"].values()) + ")"),
        empty=frozenset(fold(word) for word in content["empty"]),
        unless_after={word: frozenset(map(fold, before)) for word, before in content["unless_after"].items()},
        person=re.compile(content["person"]),
        named=re.compile(content["named"]),
        signed=re.compile(content["signed"]),
        **{name: re.compile(content[name], re.IGNORECASE) for name in ("care", "place", "scale", "prefix", "coded")},
    )


def admitted(text: str, mentions: Sequence[ConceptMention]) -> list[ConceptMention]:
    """The mentions of a text that name what they seem to name, in their order."""
    guard = _Guard(text)
    kept = [mention for mention in mentions if not guard.refuses(mention)]
    scales = _Cover([(m.start, m.end) for m in kept if kind_of(m.concept) is Kind.SCALE])
    return [m for m in kept if kind_of(m.concept) is not Kind.DIAGNOSIS or not scales.holds(m.start, m.end)]


class _Cover:
    """Spans that may hold others: "Glasgow Coma Scale" holds a coma that nobody has."""

    def __init__(self, spans: list[tuple[int, int]]) -> None:
        spans.sort()
        self._starts = [start for start, _ in spans]
        self._furthest = list(itertools.accumulate((end for _, end in spans), max))

    def holds(self, start: int, end: int) -> bool:
        """Whether one of the spans is wider than [start, end) and holds it."""
        before, at = bisect_left(self._starts, start) - 1, bisect_right(self._starts, start) - 1
        return (before >= 0 and self._furthest[before] >= end) or (at >= 0 and self._furthest[at] > end)


class _Guard:
    """One text, with the stretches that hold no name."""

    def __init__(self, text: str) -> None:
        words = _words()
        text = text.translate(_BLANKS)
        self._text = text
        self._words = words
        self._figures = [match.span() for match in words.figures.finditer(text)]
        self._masks = [match.span() for match in words.mask.finditer(text)]

    def refuses(self, mention: ConceptMention) -> bool:
        """Whether a mention is one of the false names that the module's text lists."""
        pieces = [word.span() for start, end in mention.fragments for word in _WORD.finditer(self._text, start, end)]
        return (
            any(_PARAGRAPH.search(self._text, start, end) for start, end in mention.fragments)
            or any(start < high and low < end for start, end in mention.fragments for low, high in self._masks)
            or self._is_figure(mention, pieces)
            or all(self._is_empty(start, end) for start, end in pieces)
            or self._is_bare_code(mention)
            or self._is_part_of_name(mention)
            or self._is_like_a_name(mention)
        )

    def _is_figure(self, mention: ConceptMention, pieces: Sequence[tuple[int, int]]) -> bool:
        """Whether it is made of figures and units, or cuts through some: "à 15" in "à 15h02"."""
        cut = any(self._cuts(edge) for fragment in mention.fragments for edge in fragment)
        return cut or all(self._covers(start, end) for start, end in pieces)

    def _cuts(self, edge: int) -> bool:
        index = bisect_right(self._figures, (edge, -1)) - 1
        return index >= 0 and self._figures[index][0] < edge < self._figures[index][1]

    def _covers(self, start: int, end: int) -> bool:
        index = bisect_right(self._figures, (start, len(self._text) + 1)) - 1
        return index >= 0 and end <= self._figures[index][1]

    def _is_empty(self, start: int, end: int) -> bool:
        """Whether a word carries no meaning of its own where it stands."""
        word = self._text[start:end]
        if len(word) == 1 or word.isdigit():
            return True
        folded = fold(word)
        if folded not in self._words.empty:
            return False
        if word.isupper() and not self._is_shouted(start):
            return False
        before = _WORD.findall(self._text[max(0, start - _LOOK_BACK) : start])
        return not before or fold(before[-1]) not in self._words.unless_after.get(folded, ())

    def _is_shouted(self, position: int) -> bool:
        """Whether the line of a position, as far as one sees of it, is written in capitals."""
        before = self._text[max(0, position - _LOOK_BACK) : position].rpartition("\n")[2]
        line = before + self._text[position : position + _LOOK_BACK].partition("\n")[0]
        letters = [sign for sign in line if sign.isalpha()]
        return len(letters) >= _LEAST_LETTERS and sum(map(str.isupper, letters)) >= _NEARLY_ALL * len(letters)

    def _is_bare_code(self, mention: ConceptMention) -> bool:
        """Whether it matches a code of its concept, not a name, where no code is announced: "à 15", "H02"."""
        written = "".join(self._text[start:end] for start, end in mention.fragments)
        plain = _plain(fold(written))
        if not _LIKE_A_CODE.fullmatch(plain):
            return False
        if not any(_plain(fold(code.code)).startswith(plain) for code in mention.concept.codes):
            return False
        if not _CODE.fullmatch(written):
            return True
        return "." not in written and not self._words.coded.search(self._before(mention))

    def _is_part_of_name(self, mention: ConceptMention) -> bool:
        """Whether it belongs to another word, or to the name of a person, a way of care, a place or a scale."""
        before = self._before(mention)
        if self._text[mention.start].isupper() and self._words.person.search(before):
            return True
        if self._words.care.search(before) or self._words.prefix.search(before):
            return True
        if kind_of(mention.concept) is Kind.SCALE:
            if _VALUE.match(self._text, mention.end):
                return False
            is_last = self._text[mention.end : mention.end + 2].lstrip(" ")[:1] in ("", "\n")
            return bool(self._words.named.search(before) or (is_last and self._words.signed.search(before)))
        named = self._words.place.search(before) or self._words.scale.search(before)
        return named is not None and kind_of(mention.concept) is Kind.DIAGNOSIS

    def _is_like_a_name(self, mention: ConceptMention) -> bool:
        """Whether a diagnosis that is not written as in the vocabulary has the capital of a first name ("Amélie")."""
        start, end = mention.start, mention.end
        if mention.score >= _SURE or kind_of(mention.concept) is not Kind.DIAGNOSIS:
            return False
        if not self._text[start:end].istitle() or len(_WORD.findall(self._text, start, end)) > 1:
            return False
        return not _OPENS.search(self._before(mention)) or self._text[end : end + 2].strip().istitle()

    def _before(self, mention: ConceptMention) -> str:
        return self._text[max(0, mention.start - _LOOK_BACK) : mention.start]


def _plain(folded: str) -> str:
    return "".join(sign for sign in folded if sign.isalnum())
