"""Whether a quote says a choice: by its words, affirmed of the patient, and by those of no other choice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from generator.llm.verdict import Finding, Verdict
from generator.llm.verify_list import check_omission
from generator.llm.verify_otherwise import affirmed_otherwise, check_onset, denied_otherwise
from generator.llm.verify_place import Shown
from generator.llm.verify_said import said_of
from generator.llm.verify_words import choice_words, label_words, no_code, phrase_of
from generator.rules.asked import is_no, is_unknown, is_yes
from generator.rules.choices import BESIDE
from generator.rules.context import Context
from generator.rules.plan import Plan
from generator.rules.reading import PatientView
from generator.rules.text import fold
from schema.variable import Choice

#: The study's words that state a choice alone carry this suffix in the matcher, as those that answer beside do.
#: Share of the words of a label that a quote must hold to affirm what it asks about; to deny it, the first will do.
_MOST = 0.5
#: A word of so many letters is met for no other reason than to answer.
_LONG = 10
_SUFFIXES = ("", BESIDE)
#: A choice that is made of others: their words beside its own are its parts.
_COMPOUND = re.compile(r"\b(?:tandem|les deux|combine\w*|mixte|bilatera\w*|multiples?)\b")
_GOES_ON = re.compile(r"[\s-]\w")


@dataclass(frozen=True, slots=True)
class _Word:
    """Words of a quote at [start, end) with what is said of them.

    ``telling``: they answer whatever stands beside; ``says_no``: they deny by themselves ("absente", "négatif").
    """

    start: int
    end: int
    context: Context
    telling: bool
    says_no: bool = False

    @property
    def is_of_patient(self) -> bool:
        return not (self.context.family or self.context.other_person)

    @property
    def is_long(self) -> bool:
        return self.end - self.start >= _LONG

    @property
    def affirmed(self) -> bool:
        return self.context.affirmed

    @property
    def denied(self) -> bool:
        return self.is_of_patient and (self.context.negated or self.context.declined)


def check_choice(view: PatientView, plan: Plan, places: Sequence[Shown], code: str) -> Finding:
    """What the quotes say of a choice that the rules did not read in them."""
    if (onset := check_onset(plan, places, code)) is not None:
        return onset
    if is_plain_question(plan) or code == no_code(plan):
        return _of_presence(view, plan, places, code)
    return _of_choice(plan, places, code)


def check_codes(view: PatientView, plan: Plan, places: Sequence[Shown], codes: Sequence[str]) -> Finding:
    """The same for a checkbox field, each of whose codes must be said."""
    if not codes:
        return check_omission(view, plan, places)
    findings = [_of_choice(plan, places, code, alone=False) for code in codes]
    return min(findings, key=lambda finding: finding.strength)


def undone(plan: Plan, places: Sequence[Shown], code: str) -> Finding | None:
    """What takes back a choice that the rules read in the quotes: the head of a list, a relative named after it."""
    words = [word for place in places for word in (*_subject(plan, place), *_words_of(plan, place, code))]
    if not words or any(word.affirmed for word in words):
        return None
    return _refused(words)


def is_of_sides(plan: Plan) -> bool:
    """Whether two of the choices are left and right: a side word alone says of what it is the side only to a reader."""
    labels = [fold(choice.label) for choice in plan.variable.choices]
    return any(label.startswith("gauche") for label in labels) and any(label.startswith("droit") for label in labels)


def is_plain_question(plan: Plan) -> bool:
    """Whether the answers are yes and no, and nothing else that counts."""
    choices = [choice for choice in plan.variable.choices if not is_unknown(choice)]
    if not choices:
        return True
    no = no_code(plan)
    others = [choice for choice in choices if choice.code != no]
    return no is not None and len(others) == 1 and (is_yes(others[0]) or not choice_words(plan).get(others[0].code))


def _of_presence(view: PatientView, plan: Plan, places: Sequence[Shown], code: str) -> Finding:
    """A yes or a no about what the label names."""
    no = no_code(plan)
    if affirmed_otherwise(plan, places):
        if code == no:
            return Finding(Verdict.NEGATED, "La citation l'affirme.")
        return Finding(Verdict.VERIFIED, "La citation trouve anormal ce qui le serait.", 0.6)
    named = [word for place in places for word in _subject(plan, place)]
    said_no = [word for place in places for word in _words_of(plan, place, no) if _answers(place, word)] if no else []
    affirmed = [word for word in named if word.affirmed and word.telling]
    # The words of a choice that says no follow its denial: "Aucune complication" is "Pas de complication".
    denied = [word for word in named if word.denied]
    denied += [word for word in said_no if word.denied or (word.affirmed and (word.telling or word.says_no))]
    if code == no:
        if not affirmed and (denied or denied_otherwise(plan, places)):
            return Finding(Verdict.VERIFIED, "La citation le nie.", 0.7)
        if affirmed and not denied:
            return Finding(Verdict.NEGATED, "La citation l'affirme.")
        return check_omission(view, plan, places)
    if affirmed and not denied:
        return Finding(Verdict.VERIFIED, "La citation l'affirme.", 0.65)
    if denied:
        return Finding(Verdict.NEGATED, "La citation le nie.")
    return _refused(named)


def _answers(place: Shown, word: _Word) -> bool:
    """Whether words that say no answer the question: "non insulinodépendant" says it of what follows."""
    text = place.document.folded
    return text[word.start : word.end] != "non" or not _GOES_ON.match(text, word.end)


def _refused(words: Sequence[_Word]) -> Finding:
    """Why words that are there do not answer."""
    if any(not word.is_of_patient for word in words):
        return Finding(Verdict.OTHER_PERSON, "La citation parle d'un proche.")
    if any(word.context.negated or word.context.declined for word in words):
        return Finding(Verdict.NEGATED, "La citation le nie.")
    if words:
        return Finding(Verdict.UNSUPPORTED, "La citation en doute ou le prévoit seulement.")
    return Finding(Verdict.UNSUPPORTED, "La citation n'en dit rien.")


def _of_choice(plan: Plan, places: Sequence[Shown], code: str, *, alone: bool = True) -> Finding:
    """One choice among several: its own words, beside those of the question unless they answer by themselves."""
    own = [word for place in places for word in _words_of(plan, place, code)]
    affirmed = [word for word in own if word.affirmed]
    if affirmed and not any(word.telling or word.is_long for word in affirmed) and not _enough(plan, places, code):
        return Finding(Verdict.UNSUPPORTED, "La citation ne porte qu'une partie des mots de ce choix.")
    if not affirmed:
        named = own or [word for place in places for word in _subject(plan, place)]
        if any(word.affirmed for word in named):
            return Finding(Verdict.UNSUPPORTED, "La citation ne dit pas ce choix.")
        return _refused(named)
    rivals = [
        word
        for place in places
        for choice in plan.variable.choices
        if choice.code != code and not is_unknown(choice)
        for word in _words_of(plan, place, choice.code)
        if word.affirmed
        and (word.telling or not is_no(choice))
        and not any(one.start <= word.start and word.end <= one.end for one in affirmed)
    ]
    if alone and rivals and not _COMPOUND.search(_label_of(plan, code)):
        return Finding(Verdict.CONTRADICTED, "La citation porte aussi les mots d'un autre choix.")
    if any(word.telling for word in affirmed) or any(_is_asked(plan, place) for place in places):
        return Finding(Verdict.VERIFIED, "La citation porte les mots de ce choix.", 0.65)
    if any(word.is_long for word in affirmed):
        return Finding(Verdict.VERIFIED, "La citation porte un mot qui n'est que de ce choix.", 0.55)
    return Finding(Verdict.UNSUPPORTED, f"Rien ne rapporte ces mots à « {plan.variable.label} ».")


def _enough(plan: Plan, places: Sequence[Shown], code: str) -> bool:
    words = choice_words(plan).get(code)
    if words is None:
        return True
    return words.share_held_by(" ".join(place.words for place in places)) >= _MOST


def _is_asked(plan: Plan, place: Shown) -> bool:
    """Whether the sentence, or the title above it, holds words of the question."""
    document = place.document
    if plan.reader == "sex" or any(
        True for anchor in plan.anchors for _ in document.within(anchor, place.low, place.high)
    ):
        return True
    title = fold(document.section_of(place.start).title)
    return bool(label_words(plan.variable.label).held_by(f"{title} {place.sentence}"))


def _subject(plan: Plan, place: Shown) -> Iterator[_Word]:
    """Where a quote names what the label asks about: by the concept, else by the words of the label."""
    document = place.document
    hits = [hit for anchor in plan.anchors for hit in document.within(anchor, place.start, place.end)]
    if hits:
        yield from (_word(place, hit.start, hit.end, telling=True) for hit in hits)
        return
    words = label_words(plan.variable.label)
    share = words.share_held_by(place.words)
    found = [
        _word(place, place.start + match.start(), place.start + match.end(), telling=share >= _MOST)
        for match in words.found_in(place.words)
        if share >= _MOST or match[0].startswith(words.stems[0])
    ]
    # "Conduite non reprise": what denies one word of a question denies what it asks.
    denied = [word for word in found if word.denied]
    yield from denied or found


def _words_of(plan: Plan, place: Shown, code: str) -> Iterator[_Word]:
    """Where a quote holds words of one choice."""
    concept = plan.choices.get(code, "")
    for suffix in _SUFFIXES if concept else ():
        for hit in place.document.within(concept + suffix, place.start, place.end):
            yield _word(place, hit.start, hit.end, telling=not suffix)
    whole = phrase_of(_label_of(plan, code))
    for match in whole.finditer(place.words) if whole else ():
        yield _word(place, place.start + match.start(), place.start + match.end(), telling=True)
    words = choice_words(plan).get(code)
    for match in words.found_in(place.words) if words else ():
        yield _word(place, place.start + match.start(), place.start + match.end(), telling=False)


def _label_of(plan: Plan, code: str) -> str:
    return next((fold(choice.label) for choice in plan.variable.choices if choice.code == code), "")


def _word(place: Shown, start: int, end: int, *, telling: bool) -> _Word:
    says_no = is_no(Choice("", place.document.folded[start:end]))
    return _Word(start, end, said_of(place.document, start, end), telling, says_no)
