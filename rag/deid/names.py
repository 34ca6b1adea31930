"""Reads a person's name at a place of the text and tells its first names from its surname."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.deid.gazetteer import Gazetteer, read_yaml
from rag.deid.tokens import CAPITALISED, LETTER, LOWER, MIXED, UPPER, WORD, Token
from schema.phi import PhiLabel

_FOLLOWS_FIRST_NAME = frozenset({"de", "du", "des", "d"})
_FOREIGN_PARTICLES = frozenset({"van", "von", "da", "dos", "di", "del", "el", "al", "ben", "le"})
_MAX_UNITS = 7

Known = Mapping[str, "Counter[PhiLabel]"]
"""Names already found in the patient's documents: folded form to the labels it bore."""


@dataclass(slots=True)
class Unit:
    """One part of a name: an initial, a word, or a particle with its word. Tokens [first, last]."""

    first: int
    last: int
    fold: str
    shape: str
    particle: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A labelled part of a name: tokens [first, last]."""

    first: int
    last: int
    label: PhiLabel
    fold: str


class NameReader:
    """Reads names token by token with the help of the lists."""

    def __init__(self, gazetteer: Gazetteer, stops: frozenset[str]) -> None:
        self.lists = gazetteer
        self._stops = stops
        vocabulary = read_yaml("cues.yml")
        self._particles = frozenset(vocabulary["particles"])
        self._after = frozenset(vocabulary["after"])
        self._short = frozenset(vocabulary["short_first_names"])

    def units(
        self, tokens: Sequence[Token], at: int, *, cued: bool, lower: bool = False, unlisted: bool = False
    ) -> list[Unit]:
        """The parts of the name that starts at ``at``.

        Args:
            cued: a word of the text announces a name, so that an unknown or ordinary first word is one too.
            lower: accept known names written without a capital.
            unlisted: accept a first word without a capital that no list holds, if it is no ordinary word.
        """
        units: list[Unit] = []
        place = at
        while place < len(tokens) and len(units) < _MAX_UNITS:
            if units and tokens[place].start - tokens[place - 1].end > 2:
                break
            unit = self._initial(tokens, place) or self._compound(tokens, place, units, cued)
            unit = unit or self._word(tokens, place, units, cued, lower, unlisted)
            if unit is None and units and self._comma_inside(tokens, place, units):
                place += 1
                continue
            if unit is None:
                break
            units.append(unit)
            place = unit.last + 1
        return units

    def _initial(self, tokens: Sequence[Token], at: int) -> Unit | None:
        """``J.``, ``J.-P.``, ``JP``, ``Ph.``, ``A`` before a name."""
        token = tokens[at]
        if token.kind != WORD or not token.is_capital:
            return None
        pieces = token.fold.split("-")
        letters = all(len(piece) == 1 for piece in pieces)
        dotted = at + 1 < len(tokens) and tokens[at + 1].fold == "." and tokens[at + 1].start == token.end
        short = token.fold in self._short and (dotted or "-" in token.fold)
        if not letters and not short:
            return self._double_initial(tokens, at)
        if at + 1 < len(tokens) and tokens[at + 1].fold == "'":
            return None
        if not dotted:
            follows = (
                at + 1 < len(tokens) and tokens[at + 1].kind == WORD and tokens[at + 1].shape in (CAPITALISED, UPPER)
            )
            return Unit(at, at, token.fold, LETTER) if follows or len(pieces) > 1 else None
        last = at + 1
        while (
            last + 3 < len(tokens)
            and tokens[last + 1].fold in {"-", "–"}
            and len(tokens[last + 2].text) == 1
            and tokens[last + 2].shape == LETTER
            and tokens[last + 3].fold == "."
        ):
            last += 3
        return Unit(at, last, token.fold, LETTER)

    def _double_initial(self, tokens: Sequence[Token], at: int) -> Unit | None:
        token = tokens[at]
        if len(token.fold) != 2 or token.shape != UPPER or self.lists.is_last(token.fold) or token.fold in self._stops:
            return None
        after = at + 1
        dotted = after < len(tokens) and tokens[after].fold == "." and tokens[after].start == token.end
        after += dotted
        follows = after < len(tokens) and tokens[after].kind == WORD and tokens[after].shape in (CAPITALISED, UPPER)
        if follows and token.fold not in self._particles and self.lists.is_name(tokens[after].fold):
            return Unit(at, at + dotted, token.fold, LETTER)
        return None

    def _compound(self, tokens: Sequence[Token], at: int, units: list[Unit], cued: bool) -> Unit | None:
        """A particle (or two) with the word it belongs to: ``Le Bihan``, ``de la Tour``, ``D'Angelo``."""
        place, parts = at, 0
        while (
            place < len(tokens) and tokens[place].kind == WORD and tokens[place].fold in self._particles and parts < 3
        ):
            place += 1
            parts += 1
            if place < len(tokens) and tokens[place].fold == "'" and tokens[place].start == tokens[place - 1].end:
                place += 1
        if parts > 1 and tokens[place - 1].shape == CAPITALISED and (place >= len(tokens) or tokens[place].shape == ""):
            place -= 1  # "Le Dû": the second particle is the name
        if not parts or place >= len(tokens):
            return None
        word, head = tokens[place], tokens[at]
        if word.kind != WORD or word.shape not in (CAPITALISED, UPPER) or word.start - tokens[place - 1].end > 1:
            return None
        name = " ".join(token.fold for token in tokens[at : place + 1] if token.kind == WORD)
        if place > at and tokens[place - 1].fold == "'":
            name = "'".join(name.rsplit(" ", 1))
        doubled = parts > 1 and word.fold in self._particles
        # "Anne du Bois", "de La Tour du Pin": an ordinary word that goes on a name after its first name or particle
        goes_on = cued and bool(units) and (units[-1].particle or self._all_first(units))
        if (word.fold in self._stops and not doubled) or (
            self.lists.is_common(word.fold) and not goes_on and not self._is_name(name, word.fold)
        ):
            return None
        if head.shape == LOWER:
            opens = not units and cued
            after_first = bool(units) and head.fold in _FOLLOWS_FIRST_NAME and self._all_first(units)
            noble = len(units) > 1 or goes_on or (head.fold == "d" and tokens[at + 1].fold == "'")
            after_first = after_first or (
                bool(units) and noble and head.fold in _FOLLOWS_FIRST_NAME and word.fold not in self.lists.towns
            )
            germanic = head.fold in _FOREIGN_PARTICLES and bool(units)
            if not (opens or after_first or germanic):
                return None
        elif (head.shape == LETTER and tokens[at + 1].fold != "'") or not (
            cued or units or self._is_name(name, word.fold)
        ):
            return None
        return Unit(at, place, name, word.shape, particle=True)

    def _word(
        self, tokens: Sequence[Token], at: int, units: list[Unit], cued: bool, lower: bool, unlisted: bool
    ) -> Unit | None:
        token = tokens[at]
        if token.kind != WORD or len(token.text) < 2:
            return None
        form = token.fold
        known = self.lists.is_name(form)
        common = self.lists.is_common(form)
        if token.shape == LOWER:
            new = unlisted and not units and len(form) > 3 and not self.lists.is_protected(form)
            taken = (lower and known) or new
            return Unit(at, at, form, LOWER) if taken and not common and form not in self._stops else None
        if form in self._stops and not (known and not units and cued and form not in {"as", "ide", "an"}):
            return None
        if token.shape == MIXED and not (known or cued or units):
            return None
        if not units:
            if self.lists.is_protected(form) and not cued:
                return Unit(at, at, form, token.shape) if known else None
            return Unit(at, at, form, token.shape) if cued or known or not common else None
        if common and not known:
            return None
        if self.lists.is_protected(form) and not known and not self._all_first(units):
            return None
        if not known and token.shape == UPPER and len(form) <= 5 and units[-1].shape == CAPITALISED:
            # "Dr Barthel USINV": an abbreviation, unless a first name stands before it
            return Unit(at, at, form, UPPER) if self._all_first(units) else None
        if common and token.shape == CAPITALISED and units[-1].shape == CAPITALISED and not self._all_first(units[-1:]):
            # "Mme Blanc Petite": rather a word that opens a sentence, unless a first name ends the line or the phrase
            follows = tokens[at + 1] if at + 1 < len(tokens) else None
            if not self.lists.is_first(form) or (follows is not None and follows.kind == WORD):
                return None
        return Unit(at, at, form, token.shape)

    def _comma_inside(self, tokens: Sequence[Token], at: int, units: list[Unit]) -> bool:
        """``MERGHAD, Zinedine``: a surname in capitals, a comma, a first name."""
        if tokens[at].fold != "," or at + 1 >= len(tokens) or self._any_first(units) or units[-1].shape != UPPER:
            return False
        following = tokens[at + 1]
        return following.kind == WORD and following.is_capital and self.lists.is_first(following.fold)

    def _is_name(self, name: str, word: str) -> bool:
        return self.lists.is_name(name) or self.lists.is_name(word)

    def _all_first(self, units: list[Unit]) -> bool:
        return all(unit.shape == LETTER or self.lists.is_first(unit.fold) for unit in units)

    def _any_first(self, units: list[Unit]) -> bool:
        return any(unit.shape == LETTER or self.lists.is_first(unit.fold) for unit in units)

    def split(self, units: Sequence[Unit], alone: PhiLabel, known: Known, *, header: bool = False) -> list[Part]:
        """Surname and first names of a name.

        Args:
            alone: the label of a name of one word, when the lists do not decide.
            known: names already labelled in the patient's documents.
            header: the name stands as forms write it, surname first.
        """
        if not units:
            return []
        if len(units) == 1:
            return [Part(units[0].first, units[0].last, self._label_of_one(units[0], alone, known), units[0].fold)]
        if len(units) == 2 and units[1].shape == LETTER and self._first_only(units[0], known):  # "Nathalie S."
            return [
                Part(units[0].first, units[0].last, PhiLabel.PRENOM, units[0].fold),
                Part(units[1].first, units[1].last, PhiLabel.NOM, units[1].fold),
            ]
        shapes = {unit.shape for unit in units if unit.shape != LETTER and not unit.particle}
        mixed = {UPPER, CAPITALISED} <= {unit.shape for unit in units if unit.shape != LETTER}
        surname_first = header or shapes == {UPPER}
        best, best_score = (0, False), float("-inf")
        for cut in range(len(units) + 1):
            for first_names_first in (True, False):
                score = self._score(units, cut, first_names_first, mixed, known)
                if 0 < cut < len(units):
                    score += 0.6 if first_names_first is not surname_first else 0.0
                else:
                    score -= 1.0
                if score > best_score:
                    best, best_score = (cut, first_names_first), score
        cut, first_names_first = best
        labels = (PhiLabel.PRENOM, PhiLabel.NOM) if first_names_first else (PhiLabel.NOM, PhiLabel.PRENOM)
        parts = []
        for group, label in ((units[:cut], labels[0]), (units[cut:], labels[1])):
            if group:
                name = " ".join(unit.fold for unit in group)
                parts.append(Part(group[0].first, group[-1].last, label, name))
        return parts

    def _first_only(self, unit: Unit, known: Known) -> bool:
        if not self.lists.is_first(unit.fold) or (unit.fold in known and known[unit.fold][PhiLabel.NOM]):
            return False
        return not self.lists.is_last(unit.fold) or unit.shape == CAPITALISED

    def _label_of_one(self, unit: Unit, alone: PhiLabel, known: Known) -> PhiLabel:
        if unit.shape == LETTER:
            return alone
        first, last = self.lists.is_first(unit.fold), self.lists.is_last(unit.fold)
        if unit.fold in known:
            seen = known[unit.fold]
            if seen[PhiLabel.NOM] != seen[PhiLabel.PRENOM]:
                return PhiLabel.NOM if seen[PhiLabel.NOM] > seen[PhiLabel.PRENOM] else PhiLabel.PRENOM
        if alone is PhiLabel.PRENOM and not first and (last or unit.shape == UPPER):
            return PhiLabel.NOM
        return alone

    def _score(self, units: Sequence[Unit], cut: int, first_names_first: bool, mixed: bool, known: Known) -> float:
        score = 0.0
        for place, unit in enumerate(units):
            is_first_name = (place < cut) is first_names_first
            score += self._affinity(unit, is_first_name, mixed, known)
        return score

    def _affinity(self, unit: Unit, as_first_name: bool, mixed: bool, known: Known) -> float:
        """How well a unit fits as a first name, or as a surname."""
        if unit.shape == LETTER:
            return 3.0 if as_first_name else -3.0
        first, last = self.lists.is_first(unit.fold), self.lists.is_last(unit.fold)
        if as_first_name:
            score = 2.0 if first and not last else 0.8 if first else -1.5 if last else -0.3
            score -= 2.0 if unit.particle and not first else 0.0
        else:
            score = 1.5 if last and not first else 0.8 if last else -1.0 if first else 0.6
            score += 1.0 if unit.particle else 0.0
        if mixed:
            upper = unit.shape == UPPER
            score += 3.0 if upper is not as_first_name else -3.0 if not unit.particle else 0.0
        if unit.fold in known:
            seen = known[unit.fold]
            lean = seen[PhiLabel.PRENOM] - seen[PhiLabel.NOM]
            score += 2.5 if (lean > 0 and as_first_name) or (lean < 0 and not as_first_name) else 0.0
        return score

    def is_sure(self, unit: Unit) -> bool:
        """A listed name that is neither an ordinary word nor a medical term."""
        return (
            self.lists.is_name(unit.fold)
            and not self.lists.is_common(unit.fold)
            and not self.lists.is_protected(unit.fold)
        )

    def is_sure_word(self, tokens: Sequence[Token], at: int) -> bool:
        """A capitalised listed name, no ordinary word, stands at ``at``."""
        lists = self.lists
        known = at < len(tokens) and tokens[at].is_capital and lists.is_name(tokens[at].fold)
        return known and not lists.is_common(tokens[at].fold)

    def is_ordinary(self, unit: Unit) -> bool:
        """An ordinary word that no list holds as a name."""
        return self.lists.is_common(unit.fold) and not self.lists.is_name(unit.fold)

    def label_alone(self, unit: Unit, default: PhiLabel) -> PhiLabel:
        """The label of a name of one word, ``default`` where the lists do not decide."""
        first, last = self.lists.is_first(unit.fold), self.lists.is_last(unit.fold)
        if first is last:
            return default
        return PhiLabel.PRENOM if first else PhiLabel.NOM

    def is_credible(self, units: list[Unit], colon: bool) -> bool:
        """Refuses "Demandeur : USINV", "Patient : Stable", "Signé : le"."""
        words = [unit for unit in units if unit.shape != LETTER]
        if not words:
            return False
        if any(self.is_sure(unit) for unit in words):
            return True
        head = words[0]
        if head.fold in self._stops or (self.lists.is_protected(head.fold) and len(units) == 1):
            return False
        if self.lists.is_common(head.fold) and colon and self.lists.is_first(head.fold) and head.shape == CAPITALISED:
            return head.fold not in self._after
        if self.lists.is_common(head.fold):
            return len(units) > 1 and any(unit.shape == LETTER or self.lists.is_first(unit.fold) for unit in units)
        if head.shape == UPPER and len(units) == 1 and len(head.fold) <= 5:
            return False
        return colon or len(units) > 1
