"""Names of persons in one text: those that a word announces, and those that stand by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rag.deid.cued import CuedPersons, spaced_letters
from rag.deid.cues import PersonCues
from rag.deid.evidence import ENOUGH, Evidence
from rag.deid.gazetteer import Gazetteer
from rag.deid.merge import Candidate, Rank
from rag.deid.names import Known, NameReader, Part
from rag.deid.tokens import CAPITALISED, LETTER, WORD, Token
from schema.phi import PhiLabel


class PersonFinder:
    """Finds names of persons in one tokenized text."""

    def __init__(self, lists: Gazetteer, cues: PersonCues) -> None:
        self._lists = lists
        self._kin = cues.kin
        self._reader = NameReader(lists, cues.stops)
        self._cued = CuedPersons(lists, cues, self._reader)
        self._evidence = Evidence(lists, cues.after, cues.medical_before)

    def find(self, tokens: Sequence[Token], known: Known) -> Iterator[Candidate]:
        """Candidates in order; ``known`` are names already found in the patient's documents."""
        index = 0
        while index < len(tokens):
            token = tokens[index]
            if token.kind != WORD or not (token.is_capital or self._cued.may_open(token)):
                index += 1
                continue
            parts, rank = self._cued.find(tokens, index, known), Rank.CUED
            if not parts and token.shape == LETTER:
                parts = self._spread(tokens, index)
            if not parts and token.is_capital:
                parts, rank = self._uncued(tokens, index, known), Rank.PAIRED
            after = index + 1
            for part in parts:
                yield Candidate(tokens[part.first].start, tokens[part.last].end, part.label, rank)
                after = max(after, part.last + 1)
            if not parts and token.is_capital:  # past "Claude Bernard-Horner", so that no part of it is a name
                after = max(after, self._lists.protected_phrases.match(tokens, index))
            index = after

    def _spread(self, tokens: Sequence[Token], at: int) -> list[Part]:
        """Names in boxes without a label before them: "M U L L E R  R O S E". A spread-out heading is no name."""
        parts: list[Part] = []
        place = at
        while place < len(tokens) and (end := spaced_letters(tokens, place, gap=1)) > place + 3:
            word = "".join(token.fold for token in tokens[place:end])
            if self._lists.is_common(word) and not (parts and self._lists.is_name(word)):
                break
            label = PhiLabel.PRENOM if parts else PhiLabel.NOM
            parts.append(Part(place, end - 1, label, word))
            place = end
        return parts

    def _uncued(self, tokens: Sequence[Token], at: int, known: Known) -> list[Part]:
        """Pairs of names, lone listed names, and names with a function, an age or a birth after them."""
        glued = at > 0 and tokens[at - 1].fold in {"-", "'"} and tokens[at - 1].end == tokens[at].start
        if glued and tokens[at].shape == LETTER:
            return []
        if self._lists.protected_phrases.match(tokens, at) > at or self._kin.match(tokens, at) > at:
            return []
        units = self._reader.units(tokens, at, cued=False)
        while len(units) > 1 and self._lists.is_protected(units[-1].fold) and not self._lists.is_name(units[-1].fold):
            units.pop()
        if not units or all(unit.shape == LETTER for unit in units):
            return []
        if self._evidence.weigh(tokens, at, units, known) < ENOUGH:
            return []
        single = PhiLabel.PRENOM if units[0].shape == CAPITALISED else PhiLabel.NOM
        single = self._reader.label_alone(units[0], single) if self._lists.is_name(units[0].fold) else PhiLabel.NOM
        parts = self._reader.split(units, single, known)
        return parts + self._cued.listed(tokens, units[-1].last + 1, known, single, strict=True)
