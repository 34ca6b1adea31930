"""Persons found by the words around them: titles, functions, family, form labels, pairs of names, signatures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.deid.gazetteer import Gazetteer, read_yaml
from rag.deid.merge import Candidate, Rank
from rag.deid.names import Known, NameReader, Part, Unit
from rag.deid.tokens import CAPITALISED, LETTER, LINE, NUMBER, SIGN, UPPER, WORD, Phrases, Token
from schema.phi import PhiLabel

_LIST_SIGNS = frozenset({",", "/", ";", "&", "+", "-", "–", "et", "•", "|"})
_DASHES = frozenset({":", "-", "–", "—", "=", "."})
_POSSESSIVES = frozenset("son sa ses l d une un leur leurs sa mon ma votre vos".split())
_PERSON_TITLES = frozenset("mme mlle melle madame mademoiselle mr monsieur dr docteur drs".split())
_DOCTORS = ("medecin", "chirurg", "senior", "operat", "interne", "prescript", "redact", "praticien", "anesth", "biolog")


@dataclass(frozen=True, slots=True)
class PersonCues:
    """The vocabulary of `data/cues.yml`, ready to be matched."""

    titles: frozenset[str]
    weak_titles: frozenset[str]
    maiden: Phrases
    roles: Phrases
    patient: Phrases
    kin: Phrases
    after: frozenset[str]
    labels: dict[str, Phrases]
    stops: frozenset[str]
    medical_before: Phrases

    @classmethod
    def load(cls) -> PersonCues:
        """Read the vocabulary."""
        data = read_yaml("cues.yml")
        return cls(
            titles=frozenset(data["titles"]),
            weak_titles=frozenset(data["weak_titles"]),
            maiden=Phrases(data["maiden"]),
            roles=Phrases(data["roles"]),
            patient=Phrases(data["patient"]),
            kin=Phrases(data["kin"]),
            after=frozenset(data["after"]),
            labels={label: Phrases(words) for label, words in data["labels"].items()},
            stops=frozenset(str(word) for word in data["stops"]),
            medical_before=Phrases(data["medical_before"]),
        )


class PersonFinder:
    """Finds names of persons in one tokenized text."""

    def __init__(self, lists: Gazetteer, cues: PersonCues) -> None:
        self._lists = lists
        self._cues = cues
        self.reader = NameReader(lists, cues.stops)

    def find(self, tokens: Sequence[Token], known: Known) -> Iterator[Candidate]:
        """Candidates of all cues; ``known`` are names already found in the patient's documents."""
        index = 0
        while index < len(tokens):
            token = tokens[index]
            if token.kind != WORD:
                index += 1
                continue
            parts, rank, after = self._cued(tokens, index, known)
            if not parts and token.is_capital:
                parts, rank, after = self._uncued(tokens, index, known)
            yield from (self._candidate(tokens, part, rank) for part in parts)
            index = max(after, index + 1)

    @staticmethod
    def _candidate(tokens: Sequence[Token], part: Part, rank: Rank) -> Candidate:
        return Candidate(tokens[part.first].start, tokens[part.last].end, part.label, rank)

    # -- cues ---------------------------------------------------------------------------------------------------------

    def _cued(self, tokens: Sequence[Token], at: int, known: Known) -> tuple[list[Part], Rank, int]:
        token = tokens[at]
        if token.fold in self._cues.titles:
            parts, after = self._after_title(tokens, at, known)
            if parts:
                return parts, Rank.CUED, after
        for label, phrases in self._cues.labels.items():
            if label != "VILLE" and (end := phrases.match(tokens, at)) > at:
                parts = self._after_label(tokens, end, label, known)
                if parts:
                    return parts, Rank.CERTAIN, parts[-1].last + 1
        if (end := self._cues.patient.match(tokens, at)) > at and token.is_capital:
            place, colon = self._skip(tokens, end)
            units = self._person_units(tokens, place, cued=colon) if self._title_end(tokens, place) == place else []
            if units and (colon or len(units) > 1) and self._credible(units, colon):
                return self.reader.split(units, PhiLabel.NOM, known, header=self._surname_first(tokens, units)), Rank.CUED, units[-1].last + 1
        if (end := self._cues.maiden.match(tokens, at)) > at and not self._is_kin_use(tokens, at):
            units = self.reader.units(tokens, self._skip(tokens, end)[0], cued=True)
            if units and units[0].shape != LETTER and self._credible(units, colon=False):
                return self.reader.split(units, PhiLabel.NOM, known, header=True), Rank.CUED, units[-1].last + 1
        if (end := self._cues.kin.match(tokens, at)) > at:
            parts = self._after_kin(tokens, at, end, known)
            if parts:
                return parts, Rank.CUED, parts[-1].last + 1
        if (end := self._cues.roles.match(tokens, at)) > at:
            parts = self._after_role(tokens, at, end, known)
            if parts:
                return parts, Rank.CUED, parts[-1].last + 1
        return [], Rank.CUED, at + 1

    def _skip(self, tokens: Sequence[Token], at: int, *, newline: bool = False) -> tuple[int, bool]:
        """Past the signs after a cue; whether a colon (or the like) was among them."""
        place, colon = at, False
        while place < len(tokens):
            token = tokens[place]
            if token.kind == SIGN and token.fold in _DASHES:
                colon = colon or token.fold in {":", "="}
            elif token.fold == "(" and place + 2 < len(tokens) and tokens[place + 1].fold in {"s", "e", "es"} and tokens[place + 2].fold == ")":
                place += 2
            elif not (newline and token.kind == LINE):
                break
            place += 1
        return place, colon

    def _title_end(self, tokens: Sequence[Token], at: int) -> int:
        """Past one or more titles ("M. le Pr", "Madame le Docteur"); ``at`` where there is none."""
        place = at
        while place < len(tokens) and tokens[place].kind == WORD:
            if tokens[place].fold in self._cues.titles:
                place += 1
                while place < len(tokens) and tokens[place].fold in {".", ":"}:
                    place += 1
            elif tokens[place].fold in {"le", "la", "l", "s"} and place > at and place + 1 < len(tokens) and tokens[place + 1].fold in self._cues.titles:
                place += 1
            else:
                break
        return place

    def _after_title(self, tokens: Sequence[Token], at: int, known: Known) -> tuple[list[Part], int]:
        title = tokens[at]
        end = self._title_end(tokens, at)
        weak = title.fold in self._cues.weak_titles and end == at + 1 + (tokens[at + 1].fold == "." if at + 1 < len(tokens) else 0)
        if weak and title.shape not in (LETTER, UPPER, CAPITALISED):
            return [], at + 1
        place = end
        if place < len(tokens) and tokens[place].kind == LINE and not weak:
            place += 1
        units = self.reader.units(tokens, place, cued=True, lower=title.fold in _PERSON_TITLES)
        if not units or not self._fits_title(tokens, units, weak, title, place > end):
            return [], at + 1
        parts = self.reader.split(units, PhiLabel.NOM, known)
        after = units[-1].last + 1
        more, after = self._listed(tokens, after, known, PhiLabel.NOM, strict=True)
        return parts + more, after

    def _fits_title(self, tokens: Sequence[Token], units: list[Unit], weak: bool, title: Token, wrapped: bool) -> bool:
        head = units[0]
        only_initials = all(unit.shape == LETTER for unit in units)
        if only_initials:
            return not weak and tokens[units[0].last].fold == "."
        ordinary = self._lists.is_common(head.fold) and not self._lists.is_name(head.fold)
        if weak:
            if ordinary or (self._lists.is_protected(head.fold) and title.fold != "pr" and not self._lists.is_name(head.fold)):
                return False
            known = any(self._lists.is_name(unit.fold) for unit in units)
            dotted = tokens[units[0].first - 1].fold == "."
            return known or (dotted and len(head.fold) > 2) or title.fold == "pr" or len(units) > 1
        if wrapped:
            return any(self._lists.is_name(unit.fold) and not self._lists.is_common(unit.fold) for unit in units) or len(units) > 1
        return not (ordinary and head.fold in self._cues.stops)

    def _after_label(self, tokens: Sequence[Token], end: int, label: str, known: Known) -> list[Part]:
        place, colon = self._skip(tokens, end)
        wrapped = place < len(tokens) and tokens[place].kind == LINE
        if wrapped and not colon:
            return []
        place += wrapped
        if not colon:
            return []
        start = self._title_end(tokens, place)
        units = self.reader.units(tokens, start, cued=True, lower=True)
        units = [unit for unit in units if unit.last < len(tokens)]
        if not units or not self._credible(units, colon=True):
            return []
        if label == "BOTH":
            return self.reader.split(units, PhiLabel.NOM, known, header=True)
        wanted = PhiLabel(label)
        if len(units) > 1 and wanted is PhiLabel.NOM:
            parts = self.reader.split(units, wanted, known, header=True)
            if any(part.label is PhiLabel.NOM for part in parts):
                return parts
        name = " ".join(unit.fold for unit in units)
        return [Part(units[0].first, units[-1].last, wanted, name)]

    def _is_kin_use(self, tokens: Sequence[Token], at: int) -> bool:
        """ "son épouse Corinne", "Épouse Samira": a relative, no married name ("Mme Blanc, épouse Tardieu")."""
        if tokens[at].fold not in {"epouse", "ep"}:
            return False
        before = tokens[at - 1] if at else None
        if before is None or before.kind == LINE or before.fold in {"'", "."} | _POSSESSIVES:
            return True
        following = tokens[at + 1] if at + 1 < len(tokens) else None
        return following is not None and self._lists.is_first(following.fold) and not self._lists.is_last(following.fold)

    def _after_kin(self, tokens: Sequence[Token], at: int, end: int, known: Known) -> list[Part]:
        place, colon = end, False
        while place < len(tokens) and tokens[place].fold in {":", ",", "(", "«", "-", "–", "prenommee", "prenomme", "nommee", "nomme"} and place - end < 4:
            colon = colon or tokens[place].fold in {":", "("}
            place += 1
        if place < len(tokens) and tokens[place].fold == "le" and place + 1 < len(tokens) and tokens[place + 1].fold in _PERSON_TITLES:
            place += 1
        titled = self._title_end(tokens, place)
        if titled > place:
            return []
        units = self.reader.units(tokens, place, cued=colon or place == end)
        if not units or units[0].shape == LETTER and len(units) == 1:
            return []
        head = units[0]
        if self._lists.is_protected(head.fold) and not (self._lists.is_first(head.fold) and not self._lists.is_common(head.fold)):
            return []
        is_name = any(self._lists.is_name(unit.fold) for unit in units)
        ordinary = self._lists.is_common(head.fold)
        if not is_name and (ordinary or head.shape == UPPER or head.fold in self._cues.stops or place - end > 1):
            return []
        if ordinary and len(units) == 1 and (place > end and not colon or not self._lists.is_first(head.fold)):
            return []
        parts = self.reader.split(units, PhiLabel.PRENOM, known)
        more, _ = self._listed(tokens, units[-1].last + 1, known, PhiLabel.PRENOM, strict=True)
        return parts + more

    def _after_role(self, tokens: Sequence[Token], at: int, end: int, known: Known) -> list[Part]:
        role = tokens[at].fold
        if len(role) <= 3 and tokens[at].shape != UPPER:
            return []  # "as", "ide", "mar" are words; the functions are written in capitals
        place, colon = self._skip(tokens, end)
        if place < len(tokens) and tokens[place].kind == LINE and colon:
            place += 1
        alone = PhiLabel.NOM if role.startswith(_DOCTORS) else PhiLabel.PRENOM
        if self._title_end(tokens, place) > place:
            return []
        units = self._person_units(tokens, place, cued=colon)
        if not units or not self._credible(units, colon):
            return []
        head = units[0]
        sure = any(self._lists.is_name(unit.fold) and not self._lists.is_common(unit.fold) for unit in units)
        if not colon and (not sure or self._lists.is_protected(head.fold) and len(units) == 1 or tokens[place - 1].fold in {".", "-", "–"}):
            return []
        if len(units) == 1 and not sure and (head.shape == UPPER or self._lists.is_common(head.fold)):
            return []
        if len(units) == 1 and not self._lists.is_first(head.fold):
            alone = PhiLabel.NOM
        elif len(units) == 1 and not self._lists.is_last(head.fold):
            alone = PhiLabel.PRENOM
        parts = self.reader.split(units, alone, known)
        more, _ = self._listed(tokens, units[-1].last + 1, known, alone, strict=not colon)
        return parts + more

    def _listed(self, tokens: Sequence[Token], at: int, known: Known, alone: PhiLabel, *, strict: bool) -> tuple[list[Part], int]:
        """More names after a first one: "Vasseur / Kim (CCA), Ozturk". Every one must be a listed name or a pair."""
        parts: list[Part] = []
        place = at
        while place < len(tokens):
            if tokens[place].fold == "(":
                close = next((step for step in range(place + 1, min(place + 5, len(tokens))) if tokens[step].fold == ")"), None)
                if close is None:
                    break
                place = close + 1
                continue
            if tokens[place].fold not in _LIST_SIGNS or tokens[place].fold in {"-", "–", "|"} and strict:
                break
            start = place + 1
            if start < len(tokens) and tokens[start].kind == LINE and not strict:
                start += 1
            if self._title_end(tokens, start) > start:
                break
            units = self.reader.units(tokens, start, cued=False)
            if not units:
                break
            sure = [u for u in units if u.shape == LETTER or self._lists.is_name(u.fold) and not self._lists.is_common(u.fold) and not self._lists.is_protected(u.fold)]
            if not sure or all(unit.shape == LETTER for unit in units) or strict and len(units) < 2 and tokens[place].fold not in {"et", "/"}:
                break
            single = self._single_label(units[0], alone)
            parts += self.reader.split(units, single, known)
            place = units[-1].last + 1
        return parts, place

    def _single_label(self, unit: Unit, default: PhiLabel) -> PhiLabel:
        first, last = self._lists.is_first(unit.fold), self._lists.is_last(unit.fold)
        if first is last:
            return default
        return PhiLabel.PRENOM if first else PhiLabel.NOM

    def _person_units(self, tokens: Sequence[Token], at: int, *, cued: bool) -> list[Unit]:
        return self.reader.units(tokens, at, cued=cued) if at < len(tokens) else []

    def _credible(self, units: list[Unit], colon: bool) -> bool:
        """Refuses "Demandeur : USINV", "Patient : Stable", "Signé : le"."""
        head = units[0]
        if all(unit.shape == LETTER for unit in units):
            return False
        if any(self._lists.is_name(unit.fold) and not self._lists.is_common(unit.fold) for unit in units):
            return True
        if head.fold in self._cues.stops or self._lists.is_protected(head.fold) and len(units) == 1:
            return False
        if self._lists.is_common(head.fold):
            return len(units) > 1 and any(self._lists.is_first(unit.fold) for unit in units) and head.fold not in self._cues.stops
        if head.shape == UPPER and len(units) == 1 and len(head.fold) <= 5:
            return False
        return colon or len(units) > 1

    def _surname_first(self, tokens: Sequence[Token], units: list[Unit]) -> bool:
        return all(unit.shape in (UPPER, LETTER) for unit in units)

    # -- no cue before ------------------------------------------------------------------------------------------------

    def _uncued(self, tokens: Sequence[Token], at: int, known: Known) -> tuple[list[Part], Rank, int]:
        """Pairs of names, and names with a function, an age or a birth after them."""
        if at and tokens[at - 1].fold in {"-", "'"} and tokens[at - 1].end == tokens[at].start and tokens[at].shape == LETTER:
            return [], Rank.PAIRED, at + 1
        if (medical := self._lists.protected_phrases.match(tokens, at)) > at:
            return [], Rank.PAIRED, medical
        units = self.reader.units(tokens, at, cued=False)
        if not units or all(unit.shape == LETTER for unit in units):
            return [], Rank.PAIRED, at + 1
        evidence = self._evidence(tokens, at, units)
        if evidence < 2.0:
            return [], Rank.PAIRED, at + 1
        single = self._single_label(units[0], PhiLabel.PRENOM if units[0].shape == CAPITALISED else PhiLabel.NOM)
        return self.reader.split(units, single, known), Rank.PAIRED, units[-1].last + 1

    def _evidence(self, tokens: Sequence[Token], at: int, units: list[Unit]) -> float:
        """How much speaks for a person; 2 is enough. A common word, a medical term count for little or against."""
        total = sum(self._weight(unit) for unit in units[:4])
        shapes = {unit.shape for unit in units if unit.shape != LETTER and len(unit.fold) > 2}
        names = [unit for unit in units if self._lists.is_name(unit.fold) and not self._lists.is_common(unit.fold)]
        if {UPPER, CAPITALISED} <= shapes and names:
            total += 1.0
        if len(units) == 1 and not names:
            return 0.0
        last = units[-1].last + 1
        total += self._after(tokens, last, bool(names))
        starts = at == 0 or tokens[at - 1].kind == LINE
        ends = last >= len(tokens) or tokens[last].kind == LINE
        if starts and ends and len(units) > 1:
            total += 0.75
        elif ends and len(units) > 1 and names and at and tokens[at - 1].kind == SIGN:
            total += 0.5
        elif starts and len(units) > 1 and last < len(tokens) and tokens[last].fold in {",", "–", "-", "|", "/", ":"}:
            total += 0.25
        if at and self._cues.medical_before.ends_before(tokens, at, reach=3):
            total -= 1.5
        return total

    def _weight(self, unit: Unit) -> float:
        if unit.shape == LETTER:
            return 0.75
        if self._lists.is_protected(unit.fold):
            return 0.75 if self._lists.is_name(unit.fold) else -2.0
        if self._lists.is_name(unit.fold):
            weight = 0.5 if self._lists.is_common(unit.fold) else 1.0
            return weight * (0.6 if len(unit.fold) < 4 and unit.shape == UPPER else 1.0)
        return 0.0 if self._lists.is_common(unit.fold) else 0.25 + 0.5 * unit.particle

    def _after(self, tokens: Sequence[Token], at: int, named: bool) -> float:
        place = at
        while place < len(tokens) and tokens[place].fold in {",", "(", "–", "-", "|", "/", ";"} and place - at < 3:
            place += 1
        if place >= len(tokens) or tokens[place].kind == LINE:
            return 0.0
        token = tokens[place]
        if token.fold in self._cues.after and (len(token.fold) > 2 or token.shape == UPPER or token.fold == "ne"):
            return 1.5
        if token.kind == NUMBER and place + 1 < len(tokens) and tokens[place + 1].fold in {"ans", "an", "a"} and len(token.text) <= 3:
            return 1.25
        if token.kind == NUMBER and named and place > at and len(token.text) == 2 and place + 1 < len(tokens) and tokens[place + 1].fold in {"/", "."}:
            return 1.0
        if token.shape == LETTER and token.fold in {"f", "m", "h"} and place + 1 < len(tokens) and (tokens[place + 1].kind in (NUMBER, LINE) or tokens[place + 1].fold in {"|", "/", ",", "–", "-"}):
            return 1.0
        return 0.0
