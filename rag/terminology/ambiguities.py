"""Names that mean several things: which meaning the sentence, the section and the rest of the document leave."""

from __future__ import annotations

import functools
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from rag.terminology.loaders.bundled import Ambiguity
from rag.terminology.reading import Reading, function_words
from rag.terminology.tokens import fold, key, keys
from schema.document import Section

_END_OF_SENTENCE = frozenset(".;?!")
_LINE_END = re.compile("\n")


class Sentences:
    """The sentences of a text, as far as the words around a name go; a line end closes one too."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def around(self, first: int, stop: int) -> tuple[list[str], list[str]]:
        """The keys, and the words, of the sentence of tokens [first, stop), themselves left out."""
        keys, words = self._reading.keys, self._reading.words
        at = bisect_right(self._starts, first)
        start = self._starts[at - 1]
        end = max(stop, self._starts[at] if at < len(self._starts) else len(keys))
        return keys[start:first] + keys[stop:end], words[start:first] + words[stop:end]

    @functools.cached_property
    def _starts(self) -> list[int]:
        """The first token of each; looked for once an ambiguous name is met."""
        reading = self._reading
        signs = (place + 1 for place, sign in enumerate(reading.keys) if sign in _END_OF_SENTENCE)
        lines = (bisect_left(reading.starts, line.start()) for line in _LINE_END.finditer(reading.text))
        return sorted({0, *signs, *lines})


class _Wanted(NamedTuple):
    """Words of a rule, as sentences are searched for them: ``beginnings`` folded, ``said`` as keys between blanks."""

    beginnings: tuple[str, ...] = ()
    said: tuple[str, ...] = ()

    @classmethod
    def of(cls, words: Collection[str]) -> _Wanted:
        """A final "*" is any ending, several words follow one another."""
        beginnings = tuple(fold(word[:-1]) for word in words if word.endswith("*"))
        return cls(beginnings, tuple(f" {key(word)} " for word in words if not word.endswith("*")))

    def stands(self, words: Sequence[str], written: Sequence[str]) -> bool:
        """Whether one of them stands in a sentence, given as `Sentences.around` does."""
        said = f" {' '.join(words)} "
        if any(word in said for word in self.said):
            return True
        return bool(self.beginnings) and any(fold(word).startswith(self.beginnings) for word in written)


_NOTHING = _Wanted()


class _Rule(NamedTuple):
    """`Ambiguity`, ready to be compared."""

    near: _Wanted
    not_near: _Wanted
    sections: Collection[str]


class Ambiguities:
    """The rules of a dictionary for its ambiguous names."""

    def __init__(self, rules: Iterable[Ambiguity]) -> None:
        self._rules = {
            (key(rule.name), rule.concept_id): _Rule(_Wanted.of(rule.near), _Wanted.of(rule.not_near), rule.sections)
            for rule in rules
        }

    def has(self, name: str, concept_id: str) -> bool:
        """Whether there is a rule for a name as one of its concepts."""
        return (name, concept_id) in self._rules

    def weigh(
        self, name: str, concept_id: str, sentence: tuple[Sequence[str], Sequence[str]], section: str
    ) -> int | None:
        """What the words around a name say of one of its meanings: None against it, 1 for it, 0 nothing."""
        rule = self._rules.get((name, concept_id))
        if rule is None:
            return 0
        if rule.not_near.stands(*sentence):
            return None
        if rule.near == _NOTHING:
            return 0
        if rule.near.stands(*sentence):
            return 1
        return 0 if section in rule.sections else None


def section_kinds(reading: Reading, sections: Sequence[Section]) -> list[str]:
    """The kind of the section of each token; "" outside any."""
    if not sections:
        return [""] * len(reading.keys)
    firsts = [section.start for section in sections]
    kinds = []
    for token in reading.tokens:
        at = bisect_right(firsts, token.start) - 1
        kinds.append(sections[at].kind if at >= 0 and token.end <= sections[at].end else "")
    return kinds


def support(names: Mapping[str, Collection[str]], said: Collection[str]) -> dict[str, int]:
    """For each meaning of an abbreviation, how many words of its other names the document holds.

    Args:
        names: each concept's names.
        said: the keys of the document.
    """
    words = {concept: {word for name in some for word in keys(name)} for concept, some in names.items()}
    shared: dict[str, int] = defaultdict(int)
    for some in words.values():
        for word in some:
            shared[word] += 1
    empty = function_words()
    return {
        concept: sum(1 for word in some if word in said and word not in empty and shared[word] == 1)
        for concept, some in words.items()
    }
