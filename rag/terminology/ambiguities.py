"""Names that mean several things: which meaning the sentence, the section and the rest of the document leave."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from rag.terminology.loaders.bundled import Ambiguity
from rag.terminology.reading import Reading, function_words
from rag.terminology.tokens import fold, key, keys
from schema.document import Section

_END_OF_SENTENCE = frozenset(".;?!")


class Sentences:
    """The sentences of a text, as far as the words around a name go; a line end closes one too."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        tokens = reading.tokens
        self._starts = [0] + [
            place + 1
            for place, (token, after) in enumerate(itertools.pairwise(tokens))
            if token.key in _END_OF_SENTENCE or "\n" in reading.text[token.end : after.start]
        ]

    def around(self, first: int, stop: int) -> tuple[list[str], list[str]]:
        """The keys, and the words folded, of the sentence of tokens [first, stop), themselves left out."""
        at = bisect_right(self._starts, first) - 1
        start = self._starts[at]
        end = self._starts[at + 1] if at + 1 < len(self._starts) else len(self._reading.tokens)
        places = [*range(start, first), *range(stop, end)]
        return [self._reading.keys[i] for i in places], [fold(self._reading.words[i]) for i in places]


class Ambiguities:
    """The rules of a dictionary for its ambiguous names."""

    def __init__(self, rules: Iterable[Ambiguity]) -> None:
        self._rules: dict[tuple[str, str], Ambiguity] = {(key(rule.name), rule.concept_id): rule for rule in rules}

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
        if _stands(rule.not_near, *sentence):
            return None
        if not rule.near:
            return 0
        if _stands(rule.near, *sentence):
            return 1
        return 0 if section in rule.sections else None


def _stands(wanted: Iterable[str], words: Sequence[str], written: Sequence[str]) -> bool:
    """Whether one of ``wanted`` stands among words; a final "*" is any ending, several words follow one another."""
    said = f" {' '.join(words)} "
    for word in wanted:
        if word.endswith("*"):
            start = fold(word[:-1])
            if any(one.startswith(start) for one in written):
                return True
        elif f" {key(word)} " in said:
            return True
    return False


def section_kinds(reading: Reading, sections: Sequence[Section]) -> list[str]:
    """The kind of the section of each token; "" outside any."""
    starts = [section.start for section in sections]
    kinds = []
    for token in reading.tokens:
        at = bisect_right(starts, token.start) - 1
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
