"""Finds every form of a lexicon in a folded text, in one pass.

A form is written as a clinician writes it, with two signs of its own:

* ``*`` at the end of a word stands for any ending: ``thrombect*``;
* ``…`` stands for a few words in between, within one sentence: ``occlusion … M1``.

Case and accents never count; a word may end in a mark of plural or feminine that the form does not have
("statine" finds "statines"). A space matches a hyphen ("stent retriever", "stent-retriever").
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import ahocorasick

from generator.rules.text import spellings

#: Characters allowed where a form has "…". Six words of a French report are about this long.
MAX_GAP = 45
#: Forms of up to this many characters are abbreviations.
_ABBREVIATION = 3


@dataclass(frozen=True, slots=True)
class Hit:
    """A form of ``concept`` at [start, end); ``sentence`` is the index of the sentence that holds it."""

    concept: str
    start: int
    end: int
    sentence: int


@dataclass(frozen=True, slots=True)
class _Part:
    """One literal part of one form: what may touch it on each side.

    ``any_ending`` for "*"; ``open_end`` for a part that ends in punctuation ("d'"), which no word boundary follows;
    ``reach``: characters allowed between the part before and this one.
    """

    form: int
    index: int
    open_start: bool
    any_ending: bool
    open_end: bool
    reach: int


class Matcher:
    """A compiled lexicon: concept name → forms. Immutable; one pass per text whatever the number of forms."""

    def __init__(self, lexicon: Mapping[str, Iterable[str]]) -> None:
        self._concepts: list[str] = []
        self._lengths: list[int] = []
        self._ranks = {concept: rank for rank, concept in enumerate(lexicon)}
        parts: dict[str, list[_Part]] = {}
        for concept, forms in lexicon.items():
            for form in dict.fromkeys(spelling for written in forms for spelling in spellings(written)):
                literals, reaches = _literals(form)
                if not all(literals):
                    raise ValueError(f"{concept}: the form {form!r} has an empty part")
                identifier = len(self._concepts)
                self._concepts.append(concept)
                self._lengths.append(len(literals))
                for index, literal in enumerate(literals):
                    bare = literal.strip("*").replace("-", " ")
                    starts_open = literal.startswith("*") or not bare[:1].isalnum()
                    ends_open, any_ending = not bare[-1:].isalnum(), literal.endswith("*")
                    part = _Part(identifier, index, starts_open, any_ending, ends_open, reaches[index])
                    parts.setdefault(bare, []).append(part)
        self._automaton = ahocorasick.Automaton()
        for literal, places in parts.items():
            self._automaton.add_word(literal, (len(literal), tuple(places)))
        self._automaton.make_automaton()
        self._empty = not parts

    def find(self, folded: str, sentences: Sequence[tuple[int, int]]) -> list[Hit]:
        """All hits by start, longest first, then in the lexicon's order. They may overlap; none crosses a sentence."""
        if self._empty:
            return []
        hits: list[Hit] = []
        starts = [start for start, _ in sentences]
        pending: dict[tuple[int, int], tuple[int, int]] = {}
        length = len(folded)
        plain = folded.replace("-", " ").replace("\n", " ").replace("\t", " ")
        for last, (size, places) in self._automaton.iter(plain):
            start, end = last + 1 - size, last + 1
            free_start = start == 0 or not plain[start - 1].isalnum()
            free_end = end == length or not plain[end].isalnum()
            plural_end = end
            # An abbreviation takes no ending: "AG" is not in "âge", nor "PA" in "pas".
            marks = "sxe" if size > _ABBREVIATION else "s" if size == _ABBREVIATION else ""
            if not free_end and plain[end] in marks and (end + 1 == length or not plain[end + 1].isalnum()):
                plural_end = end + 1
            for part in places:
                if not (free_start or part.open_start):
                    continue
                stop = end
                if part.any_ending:
                    while stop < length and plain[stop].isalnum():
                        stop += 1
                elif not (free_end or part.open_end):
                    if plural_end == end:
                        continue
                    stop = plural_end
                first = start
                if part.index:
                    previous = pending.get((part.form, part.index - 1))
                    if previous is None or not 0 <= start - previous[1] <= part.reach:
                        continue
                    first = previous[0]
                if part.index + 1 < self._lengths[part.form]:
                    pending[part.form, part.index] = (first, stop)
                    continue
                sentence = bisect_right(starts, first) - 1
                if sentence >= 0 and stop <= sentences[sentence][1]:
                    hits.append(Hit(self._concepts[part.form], first, stop, sentence))
        return sorted(set(hits), key=lambda hit: (hit.start, -hit.end, self._ranks[hit.concept]))


def _literals(form: str) -> tuple[list[str], list[int]]:
    """The literal parts of a form, and how far each may stand from the one before: "mis* en évidence" has two."""
    literals: list[str] = []
    reaches: list[int] = []
    for piece in form.replace("...", "…").split("…"):
        words = [word.strip() for word in re.split(r"(?<=\*) ", piece.strip())]
        literals += words
        reaches += [MAX_GAP, *[1] * (len(words) - 1)]
    return literals, reaches
