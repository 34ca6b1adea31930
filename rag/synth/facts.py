"""What is true of a patient at each moment, and what the documents tell of it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple


class Key(NamedTuple):
    """A concept at a moment: the encounter ("" for what is true of the patient always), and the moment within it."""

    encounter: str
    concept: str
    moment: str = ""


@dataclass(slots=True)
class Fact:
    """A value. ``silent``: no document tells it. ``like``: equal to that earlier fact, and told by reference to it."""

    value: str
    silent: bool = False
    like: Key | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One telling: where, of what, with which value. ``source``: the earlier telling that the words only point to."""

    document_id: str
    key: Key
    value: str
    quote: str
    source: Told | None = None


@dataclass(slots=True)
class Ledger:
    """All that was told, in the order of writing."""

    told: list[Told] = field(default_factory=list)
    documents: dict[str, tuple[str, dt.date]] = field(default_factory=dict)  # kind and day by document
    _by_key: dict[Key, list[Told]] = field(default_factory=dict)
    _same_words: Counter[tuple[str, str]] = field(default_factory=Counter)
    _by_concept: dict[str, list[Told]] = field(default_factory=dict)

    def add(self, told: Told) -> None:
        """Keep one telling."""
        self.told.append(told)
        self._same_words[told.document_id, told.quote] += 1
        self._by_key.setdefault(told.key, []).append(told)
        self._by_concept.setdefault(told.key.concept, []).append(told)

    def breadth(self, told: Told) -> int:
        """How many facts the same words tell: a list of antecedents tells many, "pas d'AVC" one."""
        return self._same_words[told.document_id, told.quote]

    def of(self, key: Key) -> list[Told]:
        """The tellings of a fact."""
        return self._by_key.get(key, [])

    def about(self, concept: str) -> list[Told]:
        """The tellings of a concept at any moment."""
        return self._by_concept.get(concept, [])
