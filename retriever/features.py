"""What is measured between one question and each passage of a patient, beside what the network reads.

Every measure is relative to the other passages of the same question, so that a record of 8 documents and one of 200
give figures of one scale.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from retriever.antecedents import bearing_on
from retriever.concepts import ConceptIndex
from retriever.embed import HashedNgramEncoder
from retriever.lexical import Bm25, LexicalIndex, tokens
from retriever.query import facets, query_text
from schema.passage import Passage
from schema.study import VariableHints
from schema.variable import Question, VariableKind

if TYPE_CHECKING:
    from retriever.embed import Vectors

Floats = NDArray[np.float32]

#: Columns of `PassageMeasures.of`, in order.
MEASURES = (
    "words", "words_rank", "label", "label_rank", "choices", "note", "sentence", "spelling", "spelling_label",
    "concepts", "concept_named", "concept_family", "value", "unit", "value_near", "points_back",
    "number", "date", "clock", "length", "depth",
)  # fmt: skip

#: What a value of each kind of variable looks like in a text; a variable of another kind is in words.
_NUMBER, _DATE, _CLOCK = "number", "date", "clock"
_WRITTEN_AS = {
    VariableKind.INTEGER: _NUMBER,
    VariableKind.NUMBER: _NUMBER,
    VariableKind.DATE: _DATE,
    VariableKind.DATETIME: _CLOCK,
    VariableKind.TIME: _CLOCK,
}
_SHAPES = {
    _NUMBER: re.compile(r"(?<![\w/.,:])\d{1,4}(?:[.,]\d+)?(?![\w/:]|[.,]\d)|\d+\s*/\s*\d+"),
    _DATE: re.compile(
        r"\b\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}\b|\b\d{1,2}(?:er)?\s+(?:janv|f[eé]vr?|mars|avr|mai|juin|juil|ao[uû]t|sept?|oct"
        r"|nov|d[eé]c)\w*",
        re.IGNORECASE,
    ),
    _CLOCK: re.compile(r"\b\d{1,2}\s*[hH:]\s*\d{2}\b|\b\d{1,2}\s*[hH]\b"),
}
_SENTENCE = re.compile(r"(?<=[.;!?])\s+|\n+")
#: Characters before a value in which a word of its variable is looked for; half as many after it.
_NEAR = 45


class PassageMeasures:
    """The passages of one patient, indexed in every way that a question is compared with them.

    Args:
        passages: those that may be read, in their order; n of them.
    """

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._size = len(passages)
        self._passages = passages
        self._lexical = LexicalIndex(passages)
        pieces = [[piece for piece in _SENTENCE.split(p.text) if piece.strip()] or [p.text] for p in passages]
        self._owner = np.repeat(np.arange(self._size), [len(one) for one in pieces])
        self._sentences = Bm25([tokens(piece) for one in pieces for piece in one])
        self._concepts = ConceptIndex(passages)
        self._named = [frozenset(m.concept.concept_id for m in p.concepts) for p in passages]
        self._family = [frozenset(m.concept.concept_id for m in p.concepts if m.family) for p in passages]
        self._ngrams = HashedNgramEncoder()
        self._spelling: Vectors = self._ngrams.encode([p.text for p in passages])
        self._words = [frozenset(tokens(p.text)) for p in passages]
        self._shaped = {name: [_around(shape, p.text) for p in passages] for name, shape in _SHAPES.items()}
        self._static = self._of_passages()

    def of(self, question: Question, hints: VariableHints | None = None) -> Floats:
        """The measures of one question: shape (n, len(MEASURES))."""
        label, choices, note, synonyms = facets(question, hints)
        names = f"{label}\n{synonyms}"
        whole = query_text(question, hints)
        words, own = self._lexical.scores(whole), self._lexical.scores(names)
        spelling = self._spelling @ self._ngrams.encode([whole, names]).T  # (n, 2)
        concepts = set(question.concepts)
        columns = [
            _relative(words),
            _reciprocal(words),
            _relative(own),
            _reciprocal(own),
            _relative(self._lexical.scores(choices)),
            _relative(self._lexical.scores(note)),
            _relative(self._best_sentence(names)),
            _relative(spelling[:, 0]),
            _relative(spelling[:, 1]),
            _relative(self._concepts.scores(question.concepts)),
            [bool(concepts & named) for named in self._named],
            [bool(concepts & family) for family in self._family],
            *self._value(question, names),
            [pointing.strength if (pointing := bearing_on(p.text, label)) else 0.0 for p in self._passages],
        ]
        return np.hstack([np.array(columns, dtype=np.float32).T.reshape(self._size, len(columns)), self._static])

    def _best_sentence(self, names: str) -> Floats:
        best = np.zeros(self._size, dtype=np.float32)
        if self._size:
            np.maximum.at(best, self._owner, self._sentences.scores(tokens(names)))
        return best

    def _value(self, question: Question, names: str) -> list[list[float]]:
        """Whether a value of the variable's kind is written; its unit; a value near a word of its label."""
        variable = question.variable
        written_as = _WRITTEN_AS.get(variable.kind) if variable else None
        unit = frozenset(tokens(variable.unit)) if variable else frozenset()
        units = [float(bool(unit) and unit <= words) for words in self._words]
        if written_as is None:
            return [[0.0] * self._size, units, [0.0] * self._size]
        shaped = self._shaped[written_as]
        stems = frozenset(tokens(names))
        near = [float(any(not stems.isdisjoint(around) for around in found)) for found in shaped]
        return [[float(bool(found)) for found in shaped], units, near]

    def _of_passages(self) -> Floats:
        longest: dict[str, int] = {}
        for passage in self._passages:
            name = passage.span.document_id
            longest[name] = max(longest.get(name, 1), passage.span.end)
        rows = [
            [
                *(min(len(self._shaped[name][i]), 8) / 8 for name in (_NUMBER, _DATE, _CLOCK)),
                min(len(passage.text.split()), 90) / 90,
                passage.span.start / longest[passage.span.document_id],
            ]
            for i, passage in enumerate(self._passages)
        ]
        return np.array(rows, dtype=np.float32).reshape(self._size, 5)


def _around(shape: re.Pattern[str], text: str) -> list[frozenset[str]]:
    """For each value of a shape, the words shortly before it and just after."""
    return [
        frozenset(tokens(text[max(0, found.start() - _NEAR) : found.start()]))
        | frozenset(tokens(text[found.end() : found.end() + _NEAR // 2]))
        for found in shape.finditer(text)
    ]


def _relative(scores: NDArray[np.floating]) -> Floats:
    """Scores over the best of them: 1 for the best passage, 0 everywhere when none has any."""
    best = float(scores.max(initial=0.0))
    return (scores / best if best > 0 else np.zeros(len(scores))).astype(np.float32)


def _reciprocal(scores: NDArray[np.floating]) -> Floats:
    """1 / rank by falling score, equal scores having one rank; 0 where the score is 0."""
    rounded = np.round(scores, 6)
    ranks = 1 + np.searchsorted(np.sort(-rounded), -rounded, side="left")
    return np.where(scores > 0, 1 / ranks, 0.0).astype(np.float32)
