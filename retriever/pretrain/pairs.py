"""Pairs of texts that mean the same, or of which one answers the other: what an encoder learns from."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from schema.problem import InputError, Problem


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts that should be near.

    Args:
        source: where the pair is from; a batch holds pairs of one source.
        asks: what the anchor asks for, by a name of its source ("hta"); "" when nothing has a name.
        answers: everything that the positive answers: it is no negative for an anchor that asks for one of them.
        negatives: texts that look like an answer to the anchor and are none.
    """

    anchor: str
    positive: str
    source: str
    asks: str = ""
    answers: frozenset[str] = frozenset()
    negatives: tuple[str, ...] = ()


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    anchor: str
    positive: str
    source: str = ""
    asks: str = ""
    answers: frozenset[str] = frozenset()
    negatives: tuple[str, ...] = ()


def read_pairs(path: Path) -> list[Pair]:
    """Read a file of JSON lines, each with the fields of `Pair`; ``anchor`` and ``positive`` alone are needed.

    Raises:
        InputError: the file cannot be read, or a line of it; no text of it is repeated.
    """
    try:
        lines = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError):
        raise InputError(Problem(str(path), "cannot be read as UTF-8 text.", "Check the path.")) from None
    pairs = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = _Row.model_validate_json(line)
        except ValidationError as error:
            fields = ", ".join(".".join(map(str, item["loc"])) or "line" for item in error.errors())
            remedy = 'Write {"anchor": …, "positive": …}, one pair by line.'
            raise InputError(Problem(f"{path}, line {number}", f"not a pair ({fields}).", remedy)) from None
        fields_of_row = row.model_dump() | {"source": row.source or path.name}
        pairs.append(Pair(**fields_of_row))
    return pairs


class Batches:
    """Batches drawn at random, each of one source; step n depends on the seed and n alone.

    Args:
        size: pairs by batch, at most.
        characters: of a batch, at most, each text counted once: names come by hundreds, passages by dozens.
        weights: how often a kind is drawn, the part of a source's name before ":"; 1 where not said.
    """

    def __init__(
        self, pairs: Sequence[Pair], size: int, characters: int, seed: int, weights: Mapping[str, float]
    ) -> None:
        kinds: dict[str, list[list[Pair]]] = {}
        for source, some in _by_source(pairs).items():
            kinds.setdefault(source.partition(":")[0], []).append(some)
        self._kinds = list(kinds.values())
        self._weights = [weights.get(kind, 1.0) for kind in kinds]
        self._size, self._characters, self._seed = size, characters, seed

    def draw(self, step: int) -> tuple[list[Pair], random.Random]:
        """The batch of a step, and the dice with which its texts may be spoilt."""
        dice = random.Random(f"pairs {self._seed} {step}")  # noqa: S311 (reproducible, no secret)
        (kind,) = dice.choices(self._kinds, self._weights)
        (source,) = dice.choices(kind, [len(some) ** 0.5 for some in kind])
        # Anchors that ask for different things first: the same twice teaches less.
        drawn = dice.sample(source, min(len(source), 2 * self._size))
        seen: set[str] = set()
        first: list[Pair] = []
        rest: list[Pair] = []
        for pair in drawn:
            (rest if pair.asks and pair.asks in seen else first).append(pair)
            seen.add(pair.asks)
        return next(_cut(first + rest, self._size, self._characters)), dice


def fixed_batches(pairs: Sequence[Pair], size: int, characters: int) -> Iterator[list[Pair]]:
    """All pairs, once, by source, in batches that are always the same; see `Batches` for their sizes."""
    for some in _by_source(pairs).values():
        random.Random(0).shuffle(some)  # noqa: S311 (reproducible, no secret)
        yield from _cut(some, size, characters)


def _by_source(pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    found: dict[str, list[Pair]] = {}
    for pair in pairs:
        found.setdefault(pair.source, []).append(pair)
    return dict(sorted(found.items()))


def _cut(pairs: Sequence[Pair], size: int, characters: int) -> Iterator[list[Pair]]:
    batch: list[Pair] = []
    texts: set[str] = set()
    held = 0
    for pair in pairs:
        own = sum(len(text) for text in {pair.anchor, pair.positive} - texts)
        if batch and (len(batch) == size or held + own > characters):
            yield batch
            batch, texts, held = [], set(), 0
            own = len(pair.anchor) + len(pair.positive)
        batch.append(pair)
        texts |= {pair.anchor, pair.positive}
        held += own
    yield batch
