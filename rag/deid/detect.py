"""Finds what identifies persons in the documents of one patient: patterns, lists, cues, then propagation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rag.deid.addresses import find_addresses
from rag.deid.births import is_birth_date
from rag.deid.context import PersonFinder
from rag.deid.cues import PersonCues
from rag.deid.dates import FoundDate, find_dates
from rag.deid.gazetteer import gazetteer
from rag.deid.hospitals import HospitalReader
from rag.deid.identifiers import find_identifiers
from rag.deid.merge import Candidate, Rank, masked_regions, merge
from rag.deid.places import TownFinder
from rag.deid.propagate import PatientLexicon, Propagator
from rag.deid.tagged import TagFilter
from rag.deid.tokens import Token, tokenize
from rag.deid.uncapitalised import give_capitals, written_without_capitals
from schema.document import RawDocument
from schema.phi import KnownIdentity, PhiEntity, PhiLabel

_A_GENERATION = 14
"""Years before the latest date of a record from which a date beside a name is taken for a birth."""


_NEXT_CENTURY = 2030
"""From here on, a year is one of two digits that belongs to the century before, or a wrong one."""


class Tagger(Protocol):
    """A trained tagger that adds to the rules."""

    def tag(self, texts: Sequence[str]) -> list[list[PhiEntity]]:
        """Entities of each text, in that text's positions."""
        ...


@dataclass(frozen=True, slots=True)
class _Read:
    """One document after the patterns, before the names."""

    text: str
    tokens: list[Token]
    capitals: bool
    dates: list[FoundDate]
    candidates: list[Candidate]


class Detector:
    """Finds identifying spans.

    Args:
        protected: medical forms written with a capital that must not be masked, beyond the curated list.
        tagger: a trained tagger whose spans are added where the rules found nothing.
    """

    def __init__(self, protected: Iterable[str] = (), tagger: Tagger | None = None) -> None:
        self._lists = gazetteer(tuple(sorted(set(protected))))
        self._cues = PersonCues.load()
        self._persons = PersonFinder(self._lists, self._cues)
        self._hospitals = HospitalReader(self._lists, self._cues.stops)
        self._towns = TownFinder(self._lists, self._cues.labels["VILLE"], self._cues.stops)
        self._tagger = tagger
        self._tag_filter = TagFilter(self._lists, self._cues.stops | self._cues.titles)

    def detect(
        self, documents: Sequence[RawDocument], known: KnownIdentity | None = None
    ) -> list[tuple[PhiEntity, ...]]:
        """Spans of each document, in positions of its text: sorted, without overlap.

        Args:
            documents: all the documents of one patient, so that what one of them tells is found in the others.
            known: what the data warehouse knows of that patient.
        """
        reads = [self._read(document.text) for document in documents]
        lexicon = self._fresh(known, reads, set())
        for _ in range(2):  # the second reading knows the towns, and which word is a surname and which a first name
            persons = [list(self._persons.find(read.tokens, lexicon.names)) for read in reads]
            hospitals = [list(self._hospitals.find(read.tokens, lexicon.towns)) for read in reads]
            lexicon = self._fresh(known, reads, lexicon.towns)
            for read, found, places in zip(reads, persons, hospitals, strict=True):
                lexicon.learn(read.text, self._surviving(read, [*found, *places]))
        days = [found.day[0] for read in reads for found in read.dates if found.day and found.day[0] < _NEXT_CENTURY]
        latest = max(days, default=_NEXT_CENTURY)
        tagged = self._tagger.tag([read.text for read in reads]) if self._tagger else [[] for _ in reads]
        propagator = Propagator(lexicon, self._lists, self._cues.medical_before)
        merged = []
        for read, found, places, spans in zip(reads, persons, hospitals, tagged, strict=True):
            births = self._births_after_names(read, found, latest)
            again = propagator.find(read.text, read.tokens, read.dates)
            blocked = masked_regions(read.text)
            kept = merge([*read.candidates, *found, *places, *births, *again], blocked)
            merged.append(self._with_tags(read, kept, spans, blocked))
        return merged

    @staticmethod
    def _fresh(known: KnownIdentity | None, reads: Sequence[_Read], towns: Iterable[str]) -> PatientLexicon:
        """A lexicon that holds what is known before any name is read."""
        lexicon = PatientLexicon(towns=set(towns))
        if known is not None:
            values = [value for label, value in known.values if label is PhiLabel.DATE_NAISSANCE]
            lexicon.learn_identity(known, (found for value in values for found in find_dates(value)))
        for read in reads:
            lexicon.births.update(found.day for found in read.dates if found.day and is_birth_date(read.text, found))
        return lexicon

    def _read(self, text: str) -> _Read:
        tokens = tokenize(text)
        capitals = not written_without_capitals(tokens)
        if not capitals:
            give_capitals(tokens, self._lists)
        dates = find_dates(text)
        candidates = [*find_identifiers(text), *find_addresses(text), *self._towns.find(text, tokens)]
        for found in dates:
            birth = is_birth_date(text, found)
            candidates.append(
                Candidate(
                    found.start,
                    found.end,
                    PhiLabel.DATE_NAISSANCE if birth else PhiLabel.DATE,
                    Rank.CUED if birth else found.rank,
                )
            )
        return _Read(text, tokens, capitals, dates, candidates)

    @staticmethod
    def _births_after_names(read: _Read, persons: Sequence[Candidate], latest: int) -> list[Candidate]:
        """Dates right after a name ("LEROY Paul, 02/03/1951 –") of a year well before the latest of the record."""
        ends = {person.end for person in persons}
        births = []
        for found in read.dates:
            if found.day is None:
                continue
            year = found.day[0] if found.day[0] <= latest or found.end - found.start > 8 else found.day[0] - 100
            if not 1895 < year <= latest - _A_GENERATION:
                continue
            gap = read.text[max(0, found.start - 4) : found.start]
            lead = len(gap) - len(gap.rstrip(" ,(|–-/\t"))
            if lead and found.start - lead in ends:
                births.append(Candidate(found.start, found.end, PhiLabel.DATE_NAISSANCE, Rank.CUED))
        return births

    @staticmethod
    def _surviving(read: _Read, found: Sequence[Candidate]) -> list[Candidate]:
        """Candidates that a merge would keep, so that no lexicon learns from a street named after someone."""
        everything = [*read.candidates, *found]
        kept = {(entity.start, entity.end, entity.label) for entity in merge(everything, masked_regions(read.text))}
        return [candidate for candidate in everything if (candidate.start, candidate.end, candidate.label) in kept]

    def _with_tags(
        self, read: _Read, kept: tuple[PhiEntity, ...], tagged: Sequence[PhiEntity], blocked: list[tuple[int, int]]
    ) -> tuple[PhiEntity, ...]:
        if not tagged:
            return kept
        taken = [*((entity.start, entity.end) for entity in kept), *blocked]
        return tuple(sorted([*kept, *self._tag_filter.additions(read.text, read.tokens, tagged, taken, read.capitals)]))
