"""One document with everything that the readers look up in it: folded text, hits, numbers, positions."""

from __future__ import annotations

import copy
import functools
import re
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from operator import attrgetter

from generator.rules.cues import PREFIX
from generator.rules.lexicon import load_lexicon, narrower_than
from generator.rules.matcher import Hit, Matcher
from generator.rules.numbers import Number, find_numbers
from generator.rules.text import fold
from schema.document import DateMention, Document, Section

_VALUE = re.compile(r"\s{0,2}(?:[:=]|a\b)?\s{0,2}\d")
_NO_SECTION = Section("", "", 0, 0, 0)
_START = attrgetter("start")


#: A scanner reads "o" as "0" and "l" as "1": between letters of a long word ("clopid0grel") no digit belongs.
_MISREAD = re.compile(r"(?<=[a-z]{3})[01](?=[a-z]{2})")


def _mended(folded: str) -> str:
    return _MISREAD.sub(lambda digit: "o" if digit[0] == "0" else "l", folded)


class Annotated:
    """A document read once for all variables. Positions are those of ``document.text``.

    Hits of a concept are in text order, without those that an exception of the concept covers
    (concept "hta" is dropped where "hta!" matches: "hypertension intracrânienne").

    A limited one (`limited_to`) gives only the hits, numbers, dates and matches that lie in the part that may be read:
    what is read starts there. What the words around say of it may stand anywhere in the document.
    """

    def __init__(self, document: Document, matcher: Matcher) -> None:
        self.document = document
        self.folded = fold(document.text)
        #: Type and title, folded: what kind of document it is.
        self.name = fold(f"{document.type} {document.title}")
        self.sentences = document.sentences or ((0, len(document.text)),)
        self._starts = [start for start, _ in self.sentences]
        self._section_starts = [section.start for section in document.sections]
        self._date_starts = [mention.start for mention in document.dates]
        self.numbers: list[Number] = find_numbers(self.folded, document.dates)
        self._number_starts = [number.start for number in self.numbers]
        self.hits: dict[str, list[Hit]] = {}
        for hit in matcher.find(_mended(self.folded), self.sentences):
            self.hits.setdefault(hit.concept, []).append(hit)
        self._drop_letters()
        self._readable: tuple[tuple[int, int], ...] | None = None
        for concept in [name for name in self.hits if name.endswith("!")]:
            covered = [(hit.start, hit.end) for hit in self.hits[concept]]
            kept = self.hits.get(concept[:-1], [])
            self.hits[concept[:-1]] = [h for h in kept if not any(a <= h.start and h.end <= b for a, b in covered)]

    def _drop_letters(self) -> None:
        """A single letter names a measure only right before its value: "T 38,2", "K : 4,1". Cues ("0") are kept."""
        for concept, hits in self.hits.items():
            if ":" not in concept and any(hit.end - hit.start == 1 for hit in hits):
                self.hits[concept] = [h for h in hits if h.end - h.start > 1 or _VALUE.match(self.folded, h.end)]

    def sentence_of(self, position: int) -> int:
        """Index of the sentence that holds a position (the last that starts before it)."""
        return max(0, bisect_right(self._starts, position) - 1)

    def section_of(self, position: int) -> Section:
        """The section that holds a position; one with an empty kind when there is none."""
        index = bisect_right(self._section_starts, position) - 1
        return self.document.sections[index] if index >= 0 else _NO_SECTION

    def in_section(self, position: int, kinds: Collection[str]) -> bool:
        """Whether a section of one of these kinds holds a position.

        A title with its text on the same line ("ATCD fam : frère ponté") ends with that line, since the next line may
        speak of something else without any title known to us.
        """
        section = self.section_of(position)
        if section.kind not in kinds:
            return False
        opening = self.folded[section.start : section.body_start] + self.folded[section.body_start : position + 1]
        title_line, _, rest = opening.partition("\n")
        return not rest or len(title_line.strip()) <= len(section.title) + 3

    def numbers_in(self, start: int, end: int) -> list[Number]:
        """Numbers that lie within [start, end)."""
        low, high = bisect_left(self._number_starts, start), bisect_left(self._number_starts, end)
        return [number for number in self.numbers[low:high] if number.end <= end]

    def dates_in(self, start: int, end: int) -> tuple[DateMention, ...]:
        """Date mentions that start within [start, end)."""
        return self.document.dates[bisect_left(self._date_starts, start) : bisect_left(self._date_starts, end)]

    def find(self, concept: str) -> list[Hit]:
        """Hits of one concept, in text order."""
        return self.hits.get(concept, [])

    @functools.cached_property
    def _measures(self) -> list[Hit]:
        lexicon = load_lexicon("concepts")
        named = [name for name in self.hits if lexicon.get(name, {}).get("kind") in ("measure", "score")]
        return sorted((hit for name in named for hit in self.hits[name]), key=lambda hit: hit.start)

    def measures_after(self, start: int, stop: int) -> Iterator[Hit]:
        """Names of measures and scores that begin within [start, stop), in text order."""
        for hit in self._measures:
            if hit.start >= stop:
                return
            if hit.start >= start:
                yield hit

    def within(self, concept: str, start: int, end: int) -> Iterator[Hit]:
        """Hits of one concept that lie within [start, end)."""
        hits = self.hits.get(concept, ())
        for index in range(bisect_left(hits, start, key=_START), len(hits)):
            hit = hits[index]
            if hit.start >= end:
                return
            if hit.end <= end:
                yield hit

    def names_narrower(self, hit: Hit) -> bool:
        """Whether a hit names a narrower concept: to deny an infarct is not to deny heart disease."""
        return any(
            (other.start, other.end) == (hit.start, hit.end)
            for name in narrower_than(hit.concept)
            for other in self.within(name, hit.start, hit.end)
        )

    @property
    def dates(self) -> Sequence[DateMention]:
        """The date mentions that may be read, in text order."""
        dates = self.document.dates
        return dates if self._readable is None else [d for d in dates if self.is_readable(d.start, d.end)]

    def finditer(self, pattern: re.Pattern[str], stop: int = sys.maxsize) -> Iterator[re.Match[str]]:
        """The matches of a pattern in the folded text before ``stop`` that may be read, in text order."""
        return (match for match in pattern.finditer(self.folded, 0, stop) if self.is_readable(*match.span()))

    def is_readable(self, start: int, end: int) -> bool:
        """Whether [start, end) lies in what may be read of the document; blanks at its ends do not count."""
        if self._readable is None:
            return True
        while end > start and self.folded[end - 1].isspace():
            end -= 1
        while start < end and self.folded[start].isspace():
            start += 1
        return any(low <= start and end <= high for low, high in self._readable)

    def limited_to(self, spans: Sequence[tuple[int, int]]) -> Annotated:
        """The same document, of which only these spans may be read; spans with only blanks between them are one.

        Cues are kept in whole sentences: a window of a long one may leave out the "pas de" that denies what it names.
        """
        readable = tuple(self._joined(spans))
        around = [self._sentences_of(low, high) for low, high in readable]
        limited = self._kept(readable, around)
        limited._readable = readable
        return limited

    def without_rest(self, start: int, end: int) -> Annotated:
        """The same document as if nothing but [start, end) were written: cues outside it are gone too."""
        return self._kept([(start, end)], [(start, end)])

    def _kept(self, spans: Sequence[tuple[int, int]], of_cues: Sequence[tuple[int, int]]) -> Annotated:
        def lies(start: int, end: int, among: Sequence[tuple[int, int]]) -> bool:
            return any(low <= start and end <= high for low, high in among)

        kept = copy.copy(self)
        kept.__dict__.pop("_measures", None)
        kept.hits = {
            name: [
                hit
                for hit in hits
                if lies(hit.start, hit.end, spans) or (name.startswith(PREFIX) and lies(hit.start, hit.end, of_cues))
            ]
            for name, hits in self.hits.items()
        }
        kept.numbers = [number for number in self.numbers if lies(number.start, number.end, spans)]
        kept._number_starts = [number.start for number in kept.numbers]
        return kept

    def _sentences_of(self, start: int, end: int) -> tuple[int, int]:
        """The bounds of the sentences that [start, end) touches."""
        return self.sentences[self.sentence_of(start)][0], max(end, self.sentences[self.sentence_of(end - 1)][1])

    def _joined(self, spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        low = high = 0
        for start, end in sorted(spans):
            if self.folded[high:start].strip():
                yield low, high
                low = start
            high = max(high, end)
        yield low, high
