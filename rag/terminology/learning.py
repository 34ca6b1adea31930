"""Main path of what a build learns from annotated texts: texts -> counts and a classifier of candidates -> bytes.

Each text is read with a dictionary of the other texts' annotations, as a new text will be, and the classifier learns
from such readings which candidates the annotators had marked. Nothing but numbers and strings is kept (JSON).
"""

from __future__ import annotations

import gzip
import itertools
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from rag.brat import BratDocument
from rag.terminology.candidates import Candidate, Finder, Judge, is_small
from rag.terminology.counts import Annotated, Counts, Names, Place, count
from rag.terminology.features import Rows, number_types
from rag.terminology.memory import in_memory
from rag.terminology.model import TermIndex
from rag.terminology.reading import Reading
from rag.terminology.trees import Trees
from schema.document import Section
from schema.problem import InputError, Problem

#: What the bytes are kept under in the dictionary file.
EXTRA = "selection"

_FORMAT = 1
_PARTS = 10  # of the texts: each is read with a dictionary of the nine others
_PARTITIONS = 3  # made so many times, so that what is learnt does not hang on how the texts fell
#: Least probability of a mention: the F-measure is best at half its own value (Lipton et al., ECML 2014).
_THRESHOLD = 0.26
_FEWEST_TEXTS = 20  # under which there is nothing to learn
_SEED = 20


@dataclass(frozen=True, slots=True)
class Selection:
    """What was learnt: which candidates to keep.

    Args:
        threshold: least probability of a candidate that is kept.
    """

    counts: Counts
    trees: Trees
    threshold: float

    def to_bytes(self) -> bytes:
        """For `from_bytes`; equal selections give equal bytes."""
        content = {
            "format": _FORMAT,
            "threshold": self.threshold,
            "trees": self.trees.to_json(),
            "counts": self.counts.to_json(),
        }
        return gzip.compress(json.dumps(content, ensure_ascii=False).encode(), mtime=0)

    @classmethod
    def from_bytes(cls, data: bytes) -> Selection:
        """What `learn` gave.

        Raises:
            InputError: the bytes are something else, or of another version of this program.
        """
        try:
            content = json.loads(gzip.decompress(data))
            if content["format"] == _FORMAT:
                counts, trees = Counts.from_json(content["counts"]), Trees.from_json(content["trees"])
                return cls(counts, trees, float(content["threshold"]))
        except (OSError, EOFError, ValueError, LookupError, TypeError):
            pass  # said below, like another format
        what = "holds what another version of this program learnt from annotations."
        raise InputError(Problem("the terminology", what, "Build it again with this program."))


def learn(documents: Iterable[BratDocument], index: TermIndex) -> bytes | None:
    """Learn from annotated texts which occurrences of names are mentions, and of which concept.

    Args:
        documents: those whose annotations gave ``index`` its counted names (``Term.weight``), in their order:
            neighbours are taken to come from one source and are learnt from together.

    Returns:
        Bytes for `Selection.from_bytes`; None for too few texts to learn from.
    """
    texts = [Annotated.of(document) for document in documents]
    if len(texts) < _FEWEST_TEXTS:
        return None
    index = in_memory(index)
    small = is_small(index)
    rows: list[list[float]] = []
    wanted: list[bool] = []
    for shares in _partitions(texts):
        for part in range(_PARTS):
            rest = [text for text, share in zip(texts, shares, strict=True) if share != part]
            reader = CandidateReader(index, count(rest, index, small))
            for text in (text for text, share in zip(texts, shares, strict=True) if share == part):
                some, numbers = reader.read(text.reading)
                rows += numbers
                wanted += [_is_marked(text, candidate) for candidate in some]
    if len(set(wanted)) <= 1:
        return None
    answers = np.array(wanted)
    trees = Trees.fit(np.array(rows, dtype=np.float64), answers, _SEED)
    return Selection(count(texts, index, small), trees, _THRESHOLD).to_bytes()


class CandidateReader:
    """The candidates of any text, with their rows of numbers."""

    def __init__(self, index: TermIndex, counts: Counts) -> None:
        self._names = Names(index, counts)
        self._finder = Finder(self._names, counts.words)
        self._types = number_types(counts)

    def read(self, reading: Reading) -> tuple[list[Candidate], list[list[float]]]:
        """The candidates of a text and a row for each."""
        found = self._names.found(reading)
        rows = Rows(reading, self._names.counts, found, self._types)
        some = list(self._finder.find(reading, found))
        return some, [rows.row(candidate) for candidate in some]


class LearntReader:
    """Reads texts the way the annotated ones were read."""

    def __init__(self, index: TermIndex, selection: Selection, judge: Judge | None = None) -> None:
        self._reader = CandidateReader(index, selection.counts)
        self._selection = selection
        self._judge = judge

    def read(self, reading: Reading, sections: Sequence[Section]) -> list[tuple[tuple[Place, ...], str, float]]:
        """The mentions of a text: token spans, concept, its probability. A place may have two likely concepts."""
        some, rows = self._reader.read(reading)
        if not some:
            return []
        sure: list[float] = self._selection.trees.probabilities(rows).tolist()
        if self._judge is not None:
            sure = self._judged(reading, some, sure, self._judge)
        least = self._selection.threshold
        return [(one.places, one.concept, score) for one, score in zip(some, sure, strict=True) if score >= least]

    @staticmethod
    def _judged(reading: Reading, some: Sequence[Candidate], sure: Sequence[float], judge: Judge) -> list[float]:
        """The probability of each place, shared anew among its concepts."""
        by_place: dict[tuple[Place, ...], list[int]] = {}
        for number, one in enumerate(some):
            by_place.setdefault(one.places, []).append(number)
        judged = list(sure)
        for numbers in by_place.values():
            if len(numbers) > 1:
                shares = judge(reading, [some[number] for number in numbers])
                whole = sum(sure[number] for number in numbers)
                weights = [sure[number] * share for number, share in zip(numbers, shares, strict=True)]
                for number, weight in zip(numbers, weights, strict=True):
                    judged[number] = whole * weight / sum(weights)
        return judged


def _is_marked(text: Annotated, candidate: Candidate) -> bool:
    if len(candidate.places) > 1:
        return (candidate.places, candidate.concept) in text.apart
    return candidate.concept in text.spans.get(candidate.places[0], ())


def _partitions(texts: Sequence[Annotated]) -> list[list[int]]:
    """Which of `_PARTS` parts each text is in: first neighbours together, by length, then by chance."""
    total = sum(len(text.reading.tokens) for text in texts)
    before = itertools.accumulate((len(text.reading.tokens) for text in texts), initial=0)
    together = [min(_PARTS - 1, _PARTS * so_far // max(1, total)) for so_far, _ in zip(before, texts, strict=False)]
    partitions = [together]
    for number in range(1, _PARTITIONS):
        by_chance = [place % _PARTS for place in range(len(texts))]
        random.Random(f"{_SEED} {number}").shuffle(by_chance)  # noqa: S311 (reproducible, no secret)
        partitions.append(by_chance)
    return partitions
