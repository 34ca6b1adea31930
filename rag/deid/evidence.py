"""How much speaks for a person where no word announces one: listed names, capitals, what stands before and after."""

from __future__ import annotations

from collections.abc import Sequence

from rag.deid.gazetteer import Gazetteer
from rag.deid.names import Known, Unit
from rag.deid.tokens import CAPITALISED, LETTER, LINE, NUMBER, SIGN, UPPER, WORD, Phrases, Token

ENOUGH = 2.0
"""What a name without a cue must reach."""

_AFTER_SIGNS = frozenset({",", "(", "–", "-", "|", "/", ";"})
_CLOSING = frozenset({",", ":", ")", "/", ";", "(", ".", "–", "-"})
_OPENING = frozenset({":", "(", "/", "par", "–", "->", "|", "signe", "signee", "&"})
_LINKING = frozenset(
    {
        "par",
        "avec",
        "chez",
        "pour",
        "a",
        "dont",
        "et",
        "que",
        "appelle",
        "nomme",
        "nommee",
        "prenomme",
        "prenommee",
        "cher",
        "chere",
        "salut",
        "bonjour",
    }
)
_OF = frozenset({"de", "du", "d", "des", "la", "le", "l", "'", "selon", "«"})
_ANNOUNCING = frozenset({"par", "avec", "chez"})
_PLACES = frozenset({"lit", "ch", "chambre", "box", "sexe"})
_SEXES = frozenset({"f", "m", "h"})
_SENTENCE = frozenset({".", "!", "?", "•", "*", ">"})


class Evidence:
    """Weighs a sequence of name parts in its place."""

    def __init__(self, lists: Gazetteer, after: frozenset[str], medical_before: Phrases) -> None:
        self._lists = lists
        self._after_words = after
        self._medical_before = medical_before

    def weigh(self, tokens: Sequence[Token], at: int, units: Sequence[Unit], known: Known) -> float:
        """The sum of what speaks for and against; `ENOUGH` makes a person.

        Args:
            at: index of the first token of ``units``.
            known: names already found in the patient's documents.
        """
        last = units[-1].last + 1
        if follows_medical_word(tokens, at, self._medical_before):
            return 0.0
        total = sum(self._weight(unit, known) for unit in units[:4])
        names = [unit for unit in units if self._is_sure(unit)]
        if len(units) == 1:
            return total + self._alone(tokens, at, last, units[0])
        mixed = self._capitals(units)
        total += mixed + self._after(tokens, last, bool(names)) * (1.0 if names or mixed else 0.5)
        starts = at == 0 or tokens[at - 1].kind == LINE
        ends = last >= len(tokens) or tokens[last].kind == LINE
        if (starts and ends) or (not starts and tokens[at - 1].fold in _OPENING):
            total += 0.75
        elif starts or tokens[at - 1].fold in _LINKING:
            total += 0.25
        if ends or tokens[last].fold in _CLOSING:
            total += 0.25
        return total

    def _is_sure(self, unit: Unit) -> bool:
        lists = self._lists
        return lists.is_name(unit.fold) and not lists.is_common(unit.fold) and not lists.is_protected(unit.fold)

    def _weight(self, unit: Unit, known: Known) -> float:
        if unit.shape == LETTER:
            return 0.75
        lists = self._lists
        common = lists.is_common(unit.fold)
        if lists.is_protected(unit.fold):
            return 0.75 if lists.is_name(unit.fold) else -2.0
        if not lists.is_name(unit.fold):
            return 0.0 if common else 1.5 if unit.fold in known else 0.25 + 0.25 * unit.particle
        if common:
            return 0.1 if unit.shape == UPPER and len(unit.fold) <= 4 else 0.5
        if len(unit.fold) < 4:
            return 0.6 if unit.shape == UPPER else 0.8
        if lists.is_first(unit.fold) and unit.fold not in lists.towns:
            return 2.0
        return 1.5 if unit.fold in known else 1.0

    def _capitals(self, units: Sequence[Unit]) -> float:
        """ "BLANC Yvette": capitals beside a capitalised word, neither of them an ordinary word."""
        plain = [
            u
            for u in units
            if u.shape != LETTER
            and len(u.fold) > 2
            and (not self._lists.is_common(u.fold) or self._lists.is_name(u.fold))
        ]
        if (
            {UPPER, CAPITALISED} <= {unit.shape for unit in plain}
            and not all(self._lists.is_common(unit.fold) for unit in plain)
            and not any(self._lists.is_protected(u.fold) and not self._lists.is_name(u.fold) for u in plain)
        ):
            return 1.0
        return 0.0

    def _alone(self, tokens: Sequence[Token], at: int, last: int, unit: Unit) -> float:
        """A single word: a listed surname inside a sentence, an unknown one after "par", a name before a function."""
        lists = self._lists
        common, protected, name = lists.is_common(unit.fold), lists.is_protected(unit.fold), lists.is_name(unit.fold)
        previous = tokens[at - 1] if at else None
        inside = previous is not None and previous.kind != LINE and previous.fold not in _SENTENCE
        total = self._after(tokens, last, name) if name else 0.0
        if not (name or common or protected) and unit.shape == CAPITALISED and len(unit.fold) > 2:
            return 2.0 if self._function_follows(tokens, last) or self._announced(tokens, at, last) else 0.0
        if unit.shape == UPPER and name and not common and line_in_capitals(tokens, at):
            return min(total - 1.5, 0.0)
        if protected and name and previous is not None and previous.fold == "par" and unit.shape == CAPITALISED:
            return total + 1.25
        if protected or previous is None:
            return total
        if (
            common
            and lists.is_first(unit.fold)
            and unit.shape == CAPITALISED
            and previous.fold in _LINKING
            and len(unit.fold) > 3
        ):
            return total + 1.5  # a capital inside a sentence: "voir avec Claire"
        if common and not inside:
            return 0.0
        if name and not common and inside and len(unit.fold) > 3 and unit.fold not in lists.towns:
            return total + 1.0
        enclosed = previous.fold == "(" and last < len(tokens) and tokens[last].fold == ")"
        if name and enclosed and not common:
            return total + 1.0
        return total

    @staticmethod
    def _announced(tokens: Sequence[Token], at: int, last: int) -> bool:
        """ "vu par X", "parlé avec X": an unknown capitalised word that no number follows."""
        digits = last < len(tokens) and (tokens[last].kind == NUMBER or tokens[last].fold in {"®", "*", "-", "/"})
        return at > 0 and tokens[at - 1].fold in _ANNOUNCING and not digits and len(tokens[at].fold) > 3

    def _function_follows(self, tokens: Sequence[Token], at: int) -> bool:
        """ "Folasade, IDE": a function in capitals or in full right after."""
        return self._after(tokens, at, named=False) == 1.5 and tokens[at].kind != NUMBER

    def _after(self, tokens: Sequence[Token], at: int, named: bool) -> float:
        """A function, an age, a birth, a sex, a bed after the name."""
        place = at
        while place < len(tokens) and tokens[place].fold in _AFTER_SIGNS and place - at < 3:
            place += 1
        if place >= len(tokens) or tokens[place].kind == LINE:
            return 0.0
        token = tokens[place]
        following = tokens[place + 1] if place + 1 < len(tokens) else None
        if token.fold in self._after_words and (len(token.fold) > 2 or token.shape == UPPER or token.fold == "ne"):
            return 1.5
        if token.fold in _PLACES and following is not None and following.kind == NUMBER:
            return 1.5
        if token.kind == NUMBER and following is not None:
            if following.fold in {"ans", "an", "a"} and len(token.text) <= 3:
                return 1.5
            if (
                len(token.text) <= 2
                and following.fold in {"/", ".", "-"}
                and place + 2 < len(tokens)
                and tokens[place + 2].kind == NUMBER
            ):
                return 1.0
            if len(token.text) >= 8 and (named or place > at):
                return 1.0
        if token.kind == WORD and token.fold in _SEXES and token.shape == LETTER:
            return 1.0 if following is None or following.kind in (NUMBER, LINE, SIGN) else 0.0
        return 0.0


def follows_medical_word(tokens: Sequence[Token], at: int, words: Phrases) -> bool:
    """Whether a word that takes an eponym stands before: "score de X", "maladie d'X", "signe de la X"."""
    place = at
    while place > 0 and at - place < 4 and tokens[place - 1].fold in _OF:
        place -= 1
    return words.ends_before(tokens, place, reach=2)


def line_in_capitals(tokens: Sequence[Token], at: int, reach: int = 8) -> bool:
    """Whether most words around, on the same line, are in capitals: then capitals say nothing."""
    upper = other = 0
    for step in (-1, 1):
        place = at + step
        while 0 <= place < len(tokens) and tokens[place].kind != LINE and abs(place - at) < reach:
            if tokens[place].kind == WORD and len(tokens[place].text) > 2:
                upper += tokens[place].shape == UPPER
                other += tokens[place].shape != UPPER
            place += step
    return upper > other
