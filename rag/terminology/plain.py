"""Which candidates are mentions where nothing was learnt: the dictionary is believed, close writings are allowed.

Of several concepts of one place, the words around decide, then the vocabulary's precedence and preference
(`StoredIndex.lookup` gives them in order).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path

from rag.terminology import kinds
from rag.terminology.ambiguities import Ambiguities, Sentences, section_kinds, support
from rag.terminology.candidates import Candidate, Finder, Judge
from rag.terminology.counts import Names, Place
from rag.terminology.model import TermIndex
from rag.terminology.reading import Reading
from rag.terminology.tokens import fold, tokenize, word_key
from rag.terminology.variants import Kind
from rag.terminology.writing import Writings
from schema.document import Section

#: How sure one is of a name that stands as it is written in the vocabulary, and of its variants.
_SURE = {
    Kind.EXACT: 1.0,
    Kind.CONTENT: 0.8,
    Kind.SYNONYM: 0.7,
    Kind.MISSPELT: 0.7,
    Kind.APART: 0.8,
    Kind.ABBREVIATED: 0.9,
}
#: A lone word has to be this like the name that it varies, as long, and begin as it does: "hémorragique" says
#: "hémorragie", "hématique" does not say "hématies", nor "méningée" "méningisme".
_LIKE, _LONG, _BEGINNING = 0.8, 6, 7
#: Nearly the same word, however short: "marcher".
_SAME = 0.9
#: Keys of those who practise, not of what they do: "anesthésiste", "pneumologue".
_AGENTS = ("ist", "logu")
#: They part two things; a variant does not reach over them ("frontal et cortex" is no "cortex frontal").
_PARTING = frozenset(("et", "ou", "ni", "avec", "sans", "mais", "chez"))
#: The ending of a word tells its meaning ("neurologue" is not a misspelt "neurologie"): no error is mended there.
_ENDING = 3

_NO_VARIANT = (Kind.EXACT, Kind.ABBREVIATED)

Linked = tuple[tuple[Place, ...], str, float]


class PlainReader:
    """Reads texts with a dictionary as it is."""

    def __init__(self, index: TermIndex, ambiguities: Ambiguities, judge: Judge | None = None) -> None:
        self._names = Names(index)
        self._ambiguities = ambiguities
        self._judge = judge
        self._finder = Finder(self._names, _ordinary_words())
        self._writings = Writings(self._names)

    def read(self, reading: Reading, sections: Sequence[Section]) -> list[Linked]:
        """The mentions of a text: token spans, concept, how sure one is of it."""
        found = self._names.found(reading)
        every = self._finder.find(reading, found)
        close = [one for one in every if _is_close(one) and not self._is_renamed_measure(one)]
        by_places: dict[tuple[Place, ...], list[Candidate]] = {}
        for candidate in _without_repeats(self._writings.admitted(reading, close)):
            by_places.setdefault(candidate.places, []).append(candidate)
        context = _Context(reading, sections, self._ambiguities, self._names, self._judge)
        return [one for some in by_places.values() if (one := context.choose(some))]

    def _is_renamed_measure(self, candidate: Candidate) -> bool:
        """Whether it names a measure or a score by synonyms of its words: "incident cardiaque" is no heart rate."""
        if candidate.kind is not Kind.SYNONYM:
            return False
        return kinds.kind_of(self._names.index.concept(candidate.concept)) in (kinds.Kind.MEASURE, kinds.Kind.SCALE)


@functools.cache
def _ordinary_words() -> frozenset[str]:
    """Keys of French words that are near a name and are no misspelling of it."""
    lines = Path(__file__).with_name("ordinary_words_fr.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word_key(word) for line in lines if not line.startswith("#") for word in line.split())


def _is_close(candidate: Candidate) -> bool:
    """Whether a variant may be believed without having been seen in annotated texts."""
    if candidate.kind in (Kind.EXACT, Kind.APART, Kind.ABBREVIATED):
        return True
    words, named = candidate.key.split(), candidate.source.split()
    if candidate.kind is Kind.MISSPELT:
        return all(one == other or one[-_ENDING:] == other[-_ENDING:] for one, other in zip(words, named, strict=False))
    if not _PARTING.isdisjoint(set(words).difference(named)):
        return False
    # "vitamine" alone is not "vitamine D": a letter or a figure tells one thing from another.
    if any(len(word) == 1 and word.isalnum() and word != "à" for word in set(named).difference(words)):
        return False
    if len(words) > 1:
        return True
    if candidate.kind is Kind.SYNONYM or candidate.likeness < _LIKE or len(candidate.key) < _LONG:
        return False
    if candidate.key.endswith(_AGENTS) and not candidate.source.endswith(_AGENTS):
        return False
    return candidate.likeness >= _SAME or candidate.key[:_BEGINNING] == candidate.source[:_BEGINNING]


def _without_repeats(candidates: Sequence[Candidate]) -> Iterator[Candidate]:
    """Leaves out a variant that says again, with more words, what a name inside it says: "traitement de l'HTA"."""
    exact: dict[str, list[Place]] = {}
    for one in candidates:
        if one.kind is Kind.EXACT:
            exact.setdefault(one.concept, []).append((one.first, one.stop))
    repeats = {
        one.places
        for one in candidates
        if one.kind not in _NO_VARIANT
        and any(one.first <= first and stop <= one.stop for first, stop in exact.get(one.concept, ()))
    }
    for one in candidates:
        if one.kind in _NO_VARIANT or one.places not in repeats:
            yield one


class _Context:
    """One document, for its ambiguous names."""

    def __init__(
        self,
        reading: Reading,
        sections: Sequence[Section],
        ambiguities: Ambiguities,
        names: Names,
        judge: Judge | None,
    ) -> None:
        self._reading = reading
        self._judge = judge
        self._sections = section_kinds(reading, sections)
        self._sentences = Sentences(reading)
        self._ambiguities = ambiguities
        self._names = names
        self._said = set(reading.keys)

    def choose(self, some: Sequence[Candidate]) -> Linked | None:
        """The best meaning of one place; None when the words around rule all of them out."""
        left: list[tuple[int, Candidate]] = []
        for one in some:
            weight = 0
            if self._ambiguities.has(one.source, one.concept):
                sentence = self._sentences.around(one.first, one.stop)
                section = self._sections[one.first]
                found = self._ambiguities.weigh(one.source, one.concept, sentence, section)
                if found is None:
                    continue
                weight = found
            left.append((weight, one))
        if not left:
            return None
        kind = min(one.kind for _, one in left)
        rivals = [(weight, one) for weight, one in left if one.kind == kind]
        if len(rivals) > 1:
            merits = self._merits([one for _, one in rivals])
            # The sort is stable: what is equal here stays in the vocabulary's order.
            rivals.sort(key=lambda pair: (pair[0], *merits[pair[1].concept]), reverse=True)
        best = rivals[0][1]
        return best.places, best.concept, _SURE[best.kind] / (1 if len(rivals) == 1 else 2)

    def _merits(self, rivals: Sequence[Candidate]) -> dict[str, tuple[float, ...]]:
        """What speaks for each of several concepts, most telling first."""
        if self._judge is not None:
            shares = self._judge(self._reading, rivals)
            return {one.concept: (share,) for one, share in zip(rivals, shares, strict=True)}
        labels = {one.concept: [self._names.index.concept(one.concept).label] for one in rivals}
        other_names = support(labels, self._said)
        written = fold(self._reading.written(rivals[0].first, rivals[0].stop))
        return {one.concept: (other_names[one.concept], self._is_as_written(one, written)) for one in rivals}

    def _is_as_written(self, candidate: Candidate, written: str) -> bool:
        """Whether one of the concept's names is written so, but for case and accents."""
        return any(
            term.concept_id == candidate.concept
            and " ".join(fold(term.text[token.start : token.end]) for token in tokenize(term.text)) == written
            for term in self._names.index.lookup(candidate.source)
        )
