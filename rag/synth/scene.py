"""What one document can say: the facts and names in reach of its writer, and the marks of what it tells."""

from __future__ import annotations

import datetime as dt
import random
from typing import NamedTuple

from rag.synth import listing, reference
from rag.synth.facts import Key, Ledger, Told
from rag.synth.forms import Forms
from rag.synth.grammar import Slot, Term
from rag.synth.life import Encounter, Life, Planned
from rag.synth.names import Names
from rag.synth.people import Hospital
from rag.synth.writing import misremembered, written

#: Marks around what tells something, with the number of the telling: signs of the private use area, never in a text.
OPEN, CLOSE = 0xE000, 0xE900
MOST_MARKS = CLOSE - OPEN


class Mark(NamedTuple):
    """What a marked stretch of text tells."""

    key: Key
    value: str
    source: Told | None = None


class Scene:
    """The speaker of one document."""

    def __init__(
        self, life: Life, here: Encounter, planned: Planned, ledger: Ledger, dice: random.Random, contradictions: float
    ) -> None:
        self.dice = dice
        self.life, self.here, self.planned, self.ledger = life, here, planned, ledger
        self.place: Hospital = planned.place or here.place
        self.forms = Forms(dice)
        self.marks: list[Mark] = []
        self.names = Names(life, here, planned, self.place, self.forms, dice)
        self._wrong = dice.random() < contradictions
        past = [
            each for each in life.encounters if each.end < self.today and "stroke" in each.flags and each is not here
        ]
        self.recalled: Encounter | None = None  # the stroke that a list is at
        self.past_strokes = sorted(past, key=lambda encounter: encounter.end)

    def sticky(self, scope: str, name: str) -> random.Random:
        """Dice that fall the same way in all documents of a patient or of an encounter."""
        where = self.here.name if scope == "encounter" else ""
        return random.Random(f"{self.life.seed}/{where}/{name}")  # noqa: S311

    @property
    def today(self) -> dt.date:
        """The day of the document."""
        return self.planned.when.date()

    def holds(self, term: Term) -> bool:
        """Whether a condition of a guard is met; a telling one needs the fact to be told in that way."""
        if term.sign == "~":
            pointed = self._pointed(term.name)
            if pointed is not None:
                source = pointed[1]
                self.names.reference = (*self.ledger.documents[source.document_id], source.key.moment)
            return pointed is not None
        if term.sign == "+":
            key = self.key(term.name)
            return key is not None and self.can_tell(key) and _compare(self._current(key), term)
        known = self._value(term.name)
        met = known not in (None, "", "0") if not term.operator else _compare(known or "", term)
        return met != (term.sign == "!")

    def slot(self, slot: Slot) -> str | None:
        """The value as this author writes it, marked; None if it is not to be told."""
        if slot.name.partition("@")[0].rpartition(".")[2] in listing.LISTS:
            return listing.say(self, slot)
        key = self.key(slot.name)
        if key is None:
            return self.names.get(slot)
        if not self.can_tell(key):
            return None
        value = self._current(key)
        if self._wrong and (key.encounter != self.here.name or key.moment not in ("", self.planned.moment)):
            value = misremembered(key.concept, value, self.dice)
        text = written(self, key, value, slot.form)
        return None if text is None else self.told([Mark(self._dated(key), value)], text)

    def mark(self, term: Term, text: str) -> str:
        """Mark a text as telling a fact, or as pointing back to where it was told."""
        if term.sign == "+":
            key = self.key(term.name)
            return text if key is None else self.told([Mark(self._dated(key), self._current(key))], text)
        key, _ = self._pointed(term.name) or (None, None)
        if key is None:
            return text
        marks = []
        for each in [key, *listing.companions(self.life, key)]:
            source = reference.source(self, each)
            if source is not None:
                marks.append(Mark(each, self.life.facts[each].value, source))
        return self.told(marks, text)

    def told(self, marks: list[Mark], text: str) -> str:
        """The text between marks."""
        for mark in marks:
            if len(self.marks) >= MOST_MARKS:
                return text
            number = len(self.marks)
            self.marks.append(mark)
            text = f"{chr(OPEN + number)}{text}{chr(CLOSE + number)}"
        return text

    def admitted(self, key: Key) -> str:
        """The day of admission of the encounter that a fact is of."""
        return self.life.value(Key(key.encounter, "admission")) or ""

    def key(self, name: str) -> Key | None:
        """The fact that a name means here: ``[alias.]concept[@moment]``.

        Aliases: "avc" the last stroke before, "last" the last encounter before with that concept, "hier" the moment
        before in this stay.
        """
        alias, _, rest = name.rpartition(".")
        concept, explicit, moment = rest.partition("@")
        if concept in listing.LASTING and not alias and not (concept == "fa" and "stroke" in self.here.flags):
            return Key("", concept)
        if alias in ("last", "hier"):
            return self._earlier(concept) if alias == "last" else self._day_before(concept)
        encounter = self._alias(alias)
        if encounter is None:
            return None
        moments = [moment] if explicit else [self.planned.moment, ""] if not alias else ["", "in", "out"]
        for each in moments:
            key = Key(encounter.name, concept, each)
            if key in self.life.facts:
                return key
        return None

    def _earlier(self, concept: str) -> Key | None:
        """The concept's last value at an encounter before this one."""
        before = [each for each in self.life.encounters if each.end < self.here.start]
        for encounter in sorted(before, key=lambda each: each.end, reverse=True):
            for moment in ("out", "", "in"):
                key = Key(encounter.name, concept, moment)
                if key in self.life.facts:
                    return key
        return None

    def _day_before(self, concept: str) -> Key | None:
        """The concept's last value in this stay before the document's moment."""
        now = reference.when(self.life, Key(self.here.name, concept, self.planned.moment))
        keys = [
            key
            for key in (Key(self.here.name, concept, moment) for moment in self._moments_with(concept))
            if reference.when(self.life, key) < now
        ]
        return max(keys, key=lambda key: reference.when(self.life, key), default=None)

    def _moments_with(self, concept: str) -> list[str]:
        days = [f"j{number}" for number in range(2, (self.here.end - self.here.start).days)]
        return [each for each in ("in", "h24", *days) if Key(self.here.name, concept, each) in self.life.facts]

    def can_tell(self, key: Key) -> bool:
        """Whether a fact may be told plainly: one that is told by reference may where there is nothing to point to."""
        fact = self.life.facts[key]
        return not fact.silent and (fact.like is None or reference.source(self, key) is None)

    def _current(self, key: Key) -> str:
        return self.life.facts[key].value if key.encounter else self.life.condition(key.concept, self.today)

    def _dated(self, key: Key) -> Key:
        return key if key.encounter else Key("", key.concept, f"{self.today}")

    def _pointed(self, name: str) -> tuple[Key, Told] | None:
        """A fact that is told by reference, and the earlier telling that its words point to."""
        key = listing.ANTECEDENTS if name == "atcd" and self.here.role == "index" else self.key(name)
        fact = self.life.facts[key] if key else None
        if key is None or fact is None or fact.like is None or fact.silent:
            return None
        source = reference.source(self, key)
        return None if source is None else (key, source)

    def _alias(self, alias: str) -> Encounter | None:
        """This encounter; or "avc", the last stroke before it."""
        if not alias:
            return self.here
        if alias == "avc":
            return self.recalled or (self.past_strokes[-1] if self.past_strokes else None)
        return None

    def _value(self, name: str) -> str | None:
        key = self.key(name)
        if key is not None:
            return self._current(key)
        alias, _, rest = name.rpartition(".")
        encounter = self._alias(alias)
        if encounter is None:
            return None
        if not alias and rest in self.planned.flags:
            return self.planned.flags[rest]
        if rest in encounter.flags:
            return encounter.flags[rest]
        if alias:
            return "1" if not rest else None
        if rest == "has_avc":
            return str(int(bool(self.past_strokes)))
        return self.names.flag(rest)


def _compare(value: str, term: Term) -> bool:
    match term.operator:
        case "":
            return True
        case "=":
            return value in term.value.split("/")
        case "!=":
            return value not in term.value.split("/")
    try:
        number, limit = float(value), float(term.value)
    except ValueError:
        return False
    match term.operator:
        case "<":
            return number < limit
        case ">":
            return number > limit
        case "<=":
            return number <= limit
    return number >= limit
