"""What annotated texts teach of names: how often each is annotated where it stands, with which concept, and where.

A dictionary of annotated strings finds many places that no annotator marked ("groupe", "examen"). The share of a
name's occurrences that are annotated, in titles and in prose, alone and inside longer names, tells which to keep.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from rag.brat import BratDocument
from rag.terminology.loaders.brat import concepts_of
from rag.terminology.model import TermIndex
from rag.terminology.reading import Reading
from rag.terminology.tokens import key
from rag.terminology.variants import Variants

#: Between the identifiers of an annotation that holds several, and between the two keys of a pair.
JOIN, _PAIR = "+", "|"
_SHORTEST_WORD = 4

Place = tuple[int, int]
#: (first, stop, key) of the names of a text, by first token, longest first.
Found = Sequence[tuple[int, int, str]]


@dataclass(frozen=True, slots=True)
class Annotated:
    """A text with the concepts of its annotations: by token span, and by key for those in several pieces."""

    reading: Reading
    spans: Mapping[Place, Sequence[str]]
    apart: Sequence[tuple[tuple[Place, ...], str]]
    types: Mapping[str, str]

    @classmethod
    def of(cls, document: BratDocument) -> Annotated:
        """Annotations that do not begin and end with a token are left out."""
        reading = Reading(document.text)
        starts = {token.start: place for place, token in enumerate(reading.tokens)}
        ends = {token.end: place + 1 for place, token in enumerate(reading.tokens)}
        spans: dict[Place, list[str]] = defaultdict(list)
        apart: list[tuple[tuple[Place, ...], str]] = []
        types: dict[str, str] = {}
        for entity in document.entities:
            places = tuple((starts.get(start, -1), ends.get(end, -1)) for start, end in entity.fragments)
            concept = JOIN.join(sorted(concepts_of(entity)))
            if not concept or any(first < 0 or stop <= first for first, stop in places):
                continue
            types[concept] = entity.label
            if len(places) == 1:
                spans[places[0]].append(concept)
            else:
                apart.append((places, concept))
        return cls(reading, dict(spans), apart, types)


@dataclass(slots=True)
class Counts:
    """Counts over annotated texts. Pairs of counters are [titles, prose].

    Args:
        concepts: by key, how often it was annotated with each concept.
        types: the semantic type that each concept was annotated with.
        seen, marked: by key, its occurrences, and those that are annotated.
        seen_inside, marked_inside: the same, within the occurrence of a longer name; ``…_in``: by "longer|key".
        seen_written, marked_written: the same by writing, accents and endings kept.
        before, after: by neighbouring key, occurrences of any name, and those annotated (``…_marked``).
        unnamed: by key of a variant, how often it stands in the texts.
        words: the keys of the texts' words.
        parts, parts_marked: by beginning or ending of a word (`word_parts`), how many different words have it, and the
            sum over them of the share of their occurrences that stand in an annotation.
        whole_words: that share, by word.
    """

    concepts: tuple[dict[str, Counter[str]], dict[str, Counter[str]]] = field(default_factory=lambda: ({}, {}))
    written: dict[str, Counter[str]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    seen: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    marked: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    seen_inside: Counter[str] = field(default_factory=Counter)
    marked_inside: Counter[str] = field(default_factory=Counter)
    seen_in: Counter[str] = field(default_factory=Counter)
    marked_in: Counter[str] = field(default_factory=Counter)
    seen_written: Counter[str] = field(default_factory=Counter)
    before: Counter[str] = field(default_factory=Counter)
    before_marked: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    after_marked: Counter[str] = field(default_factory=Counter)
    unnamed: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    words: set[str] = field(default_factory=set)
    parts: Counter[str] = field(default_factory=Counter)
    parts_marked: dict[str, float] = field(default_factory=dict)
    whole_words: dict[str, float] = field(default_factory=dict)

    def annotations(self, name: str) -> Counter[str]:
        """How often a key was annotated with each concept."""
        titles, prose = self.concepts
        return titles.get(name, _NONE) + prose.get(name, _NONE)

    def to_json(self) -> dict[str, Any]:
        """Plain values, for `from_json`."""
        return {part.name: _plain(getattr(self, part.name)) for part in fields(self)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Counts:
        """The counts that `to_json` gave."""
        one = {name: Counter(values[name]) for name in _COUNTERS}
        two = {name: _counters(values[name]) for name in _PAIRS}
        titles, prose = values["concepts"]
        rest: dict[str, Any] = {**one, **two, "types": dict(values["types"]), "words": set(values["words"])}
        rest |= {name: dict(values[name]) for name in ("parts_marked", "whole_words")}
        return cls(concepts=(_by_key(titles), _by_key(prose)), written=_by_key(values["written"]), **rest)


_COUNTERS = (
    *("seen_inside", "marked_inside", "seen_in", "marked_in", "seen_written"),
    *("before", "before_marked", "after", "after_marked", "parts"),
)
_PAIRS = ("seen", "marked", "unnamed")
_NONE: Counter[str] = Counter()


class Names:
    """The names of a dictionary with their concepts: as its sources give them, and as annotated texts use them.

    Args:
        index: the dictionary.
        counts: names that the dictionary knows from annotations alone are taken from here, so that a text can be read
            as if it, and others, had never been annotated; the dictionary is taken as it is when None.
    """

    def __init__(self, index: TermIndex, counts: Counts | None = None) -> None:
        self.index = index
        self.counts = counts or Counts()
        self._as_it_is = counts is None
        self._concepts: dict[str, Counter[str]] = {}

    def found(self, reading: Reading) -> list[tuple[int, int, str]]:
        """(first, stop, key) of every name in a text, by first token, longest first."""
        names = []
        for match in self.index.matches(reading.keys):
            name = reading.key(match.first, match.stop)
            if self.concepts(name):
                names.append((match.first, match.stop, name))
        return names

    def concepts(self, name: str) -> Counter[str]:
        """The concepts of a name; 0 for those that were never annotated under it."""
        if name not in self._concepts:
            concepts = Counter(self.counts.annotations(name))
            for term in self.index.lookup(name):
                if self._as_it_is or not term.weight:
                    concepts[term.concept_id] += term.weight
            self._concepts[name] = concepts
        return self._concepts[name]

    def all(self) -> Iterator[tuple[str, str]]:
        """(key, text) of every name."""
        for term in self.index.terms():
            name = key(term.text)
            if name and (self._as_it_is or self.concepts(name)):
                yield name, term.text


def count(texts: Sequence[Annotated], index: TermIndex, variants: bool) -> Counts:
    """Count over annotated texts.

    Args:
        variants: also count the variants of names.
    """
    counts = Counts()
    for text in texts:
        counts.types.update(text.types)
        counts.words.update(text.reading.keys)
        by_key = counts.concepts[text.reading.prose]
        for (first, stop), concepts in text.spans.items():
            by_key.setdefault(text.reading.key(first, stop), Counter()).update(concepts)
            counts.written.setdefault(text.reading.written(first, stop), Counter()).update(concepts)
        for places, concept in text.apart:
            name = " ".join(text.reading.key(first, stop) for first, stop in places)
            by_key.setdefault(name, Counter())[concept] += 1
    _count_words(counts, texts)
    names = Names(index, counts)
    others = Variants(names.all(), counts.words) if variants else None
    for text in texts:
        _count_places(counts, text, names.found(text.reading))
        for variant in others.find(text.reading) if others else ():
            counts.unnamed[text.reading.prose][text.reading.key(variant.first, variant.stop)] += 1
    return counts


def _count_places(counts: Counts, text: Annotated, found: Sequence[tuple[int, int, str]]) -> None:
    reading, prose = text.reading, text.reading.prose
    for (first, stop, name), longer in zip(found, holders(found), strict=True):
        marked = (first, stop) in text.spans
        before, after = reading.around(first, stop)
        counts.seen[prose][name] += 1
        counts.marked[prose][name] += marked
        counts.seen_written[reading.written(first, stop)] += 1
        counts.before[before] += 1
        counts.before_marked[before] += marked
        counts.after[after] += 1
        counts.after_marked[after] += marked
        for _, _, holder in longer:
            counts.seen_in[pair(holder, name)] += 1
            counts.marked_in[pair(holder, name)] += marked
        if longer:
            counts.seen_inside[name] += 1
            counts.marked_inside[name] += marked


def _count_words(counts: Counts, texts: Sequence[Annotated]) -> None:
    seen: Counter[str] = Counter()
    marked: Counter[str] = Counter()
    for text in texts:
        inside = {place for first, stop in text.spans for place in range(first, stop)}
        for place, word in enumerate(text.reading.words):
            if word_parts(word):
                seen[word] += 1
                marked[word] += place in inside
    for word, times in seen.items():
        counts.whole_words[word] = marked[word] / times
        for part in word_parts(word):
            counts.parts[part] += 1
            counts.parts_marked[part] = counts.parts_marked.get(part, 0.0) + marked[word] / times


def word_parts(word: str) -> tuple[str, ...]:
    """The endings of three and four letters, and the beginning, of a word that is long enough to have them."""
    if len(word) < _SHORTEST_WORD or not word[0].isalpha():
        return ()
    return f"…{word[-3:]}", f"…{word[-4:]}", f"{word[:4]}…"


def pair(holder: str, name: str) -> str:
    """One key for a name inside a longer one."""
    return f"{holder}{_PAIR}{name}"


def holders(found: Sequence[tuple[int, int, str]]) -> list[list[tuple[int, int, str]]]:
    """For each name of a text (by first token, longest first), those that hold it and are longer."""
    held: list[list[tuple[int, int, str]]] = []
    open_names: list[tuple[int, int, str]] = []
    for one in found:
        open_names = [other for other in open_names if other[1] > one[0]]
        held.append([other for other in open_names if other[1] >= one[1]])
        open_names.append(one)
    return held


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, set):
        return sorted(value)
    return value


def _counters(values: Iterable[Mapping[str, int]]) -> tuple[Counter[str], Counter[str]]:
    titles, prose = values
    return Counter(titles), Counter(prose)


def _by_key(values: Mapping[str, Mapping[str, int]]) -> dict[str, Counter[str]]:
    return {name: Counter(concepts) for name, concepts in values.items()}
