"""Between spans and tags: B-LABEL opens a span, I-LABEL goes on with it, O is outside (Ramshaw and Marcus 1995).

L-, E- (last), U- and S- (alone) are read too, as other trainers write them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schema.phi import PhiEntity, PhiLabel

Floats = npt.NDArray[np.float32]
Offsets = Sequence[tuple[int, int]]

#: The tags that training writes, in the order of the model's outputs.
TAGS: tuple[str, ...] = ("O", *(f"{place}-{label}" for label in PhiLabel for place in "BI"))
_OPENING = frozenset("BUS")
_CLOSING = frozenset("LEUS")
#: Log-probability lost by a span that begins or ends inside a word: only glued words are worth it.
_CUT_WORD = 4.0
_NEVER = -1e9


@dataclass(frozen=True, slots=True)
class Scored:
    """A span found, and the mean probability that its tokens identify somebody, whatever the label."""

    entity: PhiEntity
    score: float


def tag_tokens(offsets: Offsets, entities: Sequence[PhiEntity]) -> list[int]:
    """The place in `TAGS` of every token. A token that only touches a span belongs to it.

    Args:
        offsets: T code point intervals [start, end), in order.
        entities: in order, without overlap.
    """
    tags = [0] * len(offsets)
    place = 0
    opened = -1
    for number, (start, end) in enumerate(offsets):
        while place < len(entities) and entities[place].end <= start:
            place += 1
        if place < len(entities) and start < end and entities[place].start < end:
            tags[number] = TAGS.index(f"{'I' if opened == place else 'B'}-{entities[place].label}")
            opened = place
    return tags


class TagReader:
    """Reads spans from the probabilities of tags.

    Args:
        names: the tag of every output of a model, by its number.

    Raises:
        ValueError: a tag is neither O nor a place and a known label; the message names it.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._labels: list[PhiLabel | None] = []
        places: list[str] = []
        for name in names:
            place, _, label = name.partition("-")
            if name != "O" and (label not in PhiLabel.__members__ or place not in "BILEUS"):
                raise ValueError(name)
            self._labels.append(PhiLabel(label) if label else None)
            places.append(place)
        self._outside = np.array([label is None for label in self._labels])
        self._opening = np.array([place in _OPENING for place in places])
        self._from_word, self._in_word = self._transitions(places)

    def _transitions(self, places: Sequence[str]) -> tuple[Floats, Floats]:
        """K × K log-weights from a tag to the next, at the beginning of a word and inside one."""
        count = len(places)
        between = np.zeros((count, count), np.float32)
        inside = np.zeros((count, count), np.float32)
        for first in range(count):
            for second in range(count):
                same = self._labels[first] is self._labels[second]
                goes_on = not (self._outside[second] or self._opening[second])
                may_go_on = same and places[first] not in _CLOSING
                if goes_on and not may_go_on:
                    between[first, second] = inside[first, second] = _NEVER
                elif not (self._outside[first] and self._outside[second]) and not goes_on:
                    inside[first, second] = -_CUT_WORD
        return between, inside

    def read(self, log_probabilities: Floats, offsets: Offsets, text: str) -> list[Scored]:
        """The spans of the most probable sequence of tags (Viterbi 1967).

        Args:
            log_probabilities: T × K.
            offsets: T code point intervals of ``text``.
        """
        path = self._best_path(log_probabilities, offsets, text)
        identifying = 1.0 - np.exp(log_probabilities[:, self._outside]).sum(axis=1)
        found: list[Scored] = []
        first = 0
        while first < len(path):
            label = self._labels[path[first]]
            last = first + 1
            if label is not None:
                while last < len(path) and self._labels[path[last]] is label and not self._opening[path[last]]:
                    last += 1
                span = _trim(offsets[first][0], offsets[last - 1][1], text)
                if span is not None:
                    score = float(identifying[first:last].mean())
                    found.append(Scored(PhiEntity(*span, label), score))
            first = last
        return found

    def _best_path(self, scores: Floats, offsets: Offsets, text: str) -> list[int]:
        if not len(scores):
            return []
        back = np.zeros(scores.shape, np.int32)
        best = scores[0].copy()
        best[~(self._outside | self._opening)] = _NEVER
        for step in range(1, len(scores)):
            at = offsets[step][0]
            glued = offsets[step - 1][1] == at and 0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum()
            reach = best[:, None] + (self._in_word if glued else self._from_word)
            back[step] = reach.argmax(axis=0)
            best = reach.max(axis=0) + scores[step]
        path = [int(best.argmax())]
        for step in range(len(scores) - 1, 0, -1):
            path.append(int(back[step, path[-1]]))
        return path[::-1]


def _trim(start: int, end: int, text: str) -> tuple[int, int] | None:
    """Without the spaces around: tokenizers count the space before a word as its own."""
    inner = text[start:end]
    start += len(inner) - len(inner.lstrip())
    end = start + len(inner.strip())
    return (start, end) if start < end else None
