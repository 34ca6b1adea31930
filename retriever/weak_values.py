"""The forms of a coded value in French text: where the passages of a patient may tell it.

A hit's weight says how much like the value it looks, before anything is known of the words around it. ``alone`` says
what is left of it where no word of the variable stands near: three decimals say more than a "2".
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from retriever.lexical import tokens
from retriever.weak_text import Clock, Day, Hit, Number, ReadPassage, Record, fold, vocabulary
from schema.study import VariableHints
from schema.variable import Variable, VariableKind

NUMBERS = (VariableKind.INTEGER, VariableKind.NUMBER)
_TIMES = (VariableKind.DATETIME, VariableKind.TIME)

_AGE = re.compile(r"\bage\b")
_MASS_INDEX = re.compile(r"\bimc\b|masse corporelle")
_SEX = re.compile(r"\bsexe\b|\bgenre\b")
_KILOGRAMS = re.compile(r"(?<![\d,.])(\d{2,3}(?:[.,]\d)?)\s?kg(?!/)")
_METRES = re.compile(r"(?<![\d,.])(?:1\s?m\s?(\d{2})|1[.,](\d{2})\s?m|(1\d{2})\s?cm)\b")
_OF_NOTE = re.compile(r"\b1\s?[^\s=]{1,12}\s?=\s?(\d+(?:[.,]\d+)?)\s?[^\s=]{1,12}")
_NOTED = re.compile(r"(?<![\w.,])(\w+)\s?(?:si|en cas de|=|quand)\s([^;.]{3,160})")
_YEARS = re.compile(r"\s?ans\b")
#: Weight and height are rounded, and so is their index.
_INDEX_ERROR = 0.2
#: How far before a date the word of birth may stand.
_BIRTH_REACH = 60


class Found(NamedTuple):
    """A place of a value, and its weight where no word of the variable stands near."""

    hit: Hit
    alone: float


def number_places(record: Record, variable: Variable, value: str, hints: VariableHints) -> Iterator[Found]:
    """Where a number may tell the value: itself, in words, in another unit, in a range, or what it is derived from."""
    try:
        wanted = float(value.replace(",", "."))
    except ValueError:
        return
    label = fold(variable.label)
    for form in hints.choices.get(value, ()):
        yield from ((Found(hit, 0.5)) for hit in record.find(form, 0.9))
    if _AGE.search(label):
        yield from _ages(record, wanted)
    if _MASS_INDEX.search(label):
        yield from _mass_indexes(record, wanted)
    alone = 0.35 if len(re.sub(r"\D", "", f"{wanted:g}")) >= 2 else 0.1
    factors = _factors(variable)
    for i, read in enumerate(record.passages):
        for number in read.numbers:
            weight = _likeness(number, wanted, variable, factors)
            if weight:
                yield Found(Hit(i, number.start, number.end, weight), alone if number.decimals else alone * 0.7)
        for start, end, low, high in read.ranges:
            if low < high and low <= wanted <= high:
                yield Found(Hit(i, start, end, 0.9 if (low + high) // 2 == wanted else 0.3), 0.1)
    if wanted.is_integer() and variable.kind is VariableKind.INTEGER:
        yield from _in_words(record, int(wanted))


def _likeness(number: Number, wanted: float, variable: Variable, factors: Iterable[float]) -> float:
    """How much a written number looks like the value, in [0, 1]."""
    decimals = variable.decimals or 0 if variable.kind is VariableKind.NUMBER else 0
    near = 0.5 * 10.0**-decimals + 1e-9
    penalty = 0.3 if number.second else 1.0
    if abs(number.value - wanted) < (near if number.decimals > decimals else 1e-9):
        return penalty
    if number.paired and number.value < 30 and wanted >= 50 and number.value * 10 == wanted:
        return 0.8 * penalty  # "16/9"
    for factor in factors:
        if abs(number.value * factor - wanted) <= 1.2 * near or abs(number.value / factor - wanted) <= 1.2 * near:
            return 0.9 if number.decimals else 0.5
    return 0.0


def _factors(variable: Variable) -> list[float]:
    """What a number is multiplied with, or divided by, to be in the variable's unit: the note's and known ones."""
    said = [float(match[1].replace(",", ".")) for match in _OF_NOTE.finditer(variable.note)]
    label = fold(variable.label)
    known = [factor for words, factor in vocabulary().conversions if words.search(label)]
    return list(dict.fromkeys(factor for factor in said + known if factor > 0))


def _in_words(record: Record, wanted: int) -> Iterator[Found]:
    words = [word for word, number in vocabulary().numbers.items() if number == wanted]
    ordinal = re.compile(rf"\b{wanted}\s?(?:e|er|ere|eme|nd|nde)\b")
    for i, read in enumerate(record.passages):
        for word in words:
            for match in re.finditer(rf"\b{word}e?\b", read.folded):
                yield Found(Hit(i, match.start(), match.end(), 0.4 if wanted == 1 else 0.8), 0.05)
        for match in ordinal.finditer(read.folded):
            yield Found(Hit(i, match.start(), match.end(), 0.6), 0.05)


def _ages(record: Record, wanted: float) -> Iterator[Found]:
    for i, read in enumerate(record.passages):
        for number in read.numbers:
            if number.value == wanted and _YEARS.match(read.folded, number.end):
                yield Found(Hit(i, number.start, number.end, 1.0), 0.8)
        written = read.passage.written_on
        today = record.anchor or (written.earliest() if written else None)
        for day in read.days:
            if day.year is None or today is None or not _is_birth(read, day):
                continue
            before = (today.month, today.day) < (day.month, day.day or 1)
            if today.year - day.year - before == wanted:
                yield Found(Hit(i, day.start, day.end, 0.9), 0.9)


def _is_birth(read: ReadPassage, day: Day) -> bool:
    return vocabulary().birth.search(read.folded, max(0, day.start - _BIRTH_REACH), day.start) is not None


def _mass_indexes(record: Record, wanted: float) -> Iterator[Found]:
    """Weight and height where both give the index; either where the other is elsewhere in the record."""
    weights: list[tuple[Hit, float]] = []
    heights: list[tuple[Hit, float]] = []
    for i, read in enumerate(record.passages):
        for m in _KILOGRAMS.finditer(read.folded):
            weights.append((Hit(i, m.start(), m.end(), 0.0), float(m[1].replace(",", "."))))
        for m in _METRES.finditer(read.folded):
            heights.append((Hit(i, m.start(), m.end(), 0.0), int(m[3]) / 100 if m[3] else 1 + int(m[1] or m[2]) / 100))
    for weight, kilograms in weights:
        for height, metres in heights:
            if abs(kilograms / metres**2 - wanted) < _INDEX_ERROR:
                shared = 0.9 if weight.passage == height.passage else 0.6
                yield Found(weight._replace(weight=shared), 0.9)
                yield Found(height._replace(weight=shared), 0.9)


def noted_places(record: Record, variable: Variable, value: str) -> Iterator[Found]:
    """Where the words stand that the annotation rule gives to a value: "6 si décès", "0 si non faite, récusée"."""
    for match in _NOTED.finditer(variable.note):
        if match[1] != value:
            continue
        for part in re.split(r"[,/«»]|\bou\b|\bet\b|\best\b", match[2]):
            content = [word for word in part.split() if set(tokens(word)) - vocabulary().generic]
            if 0 < len(content) <= 4:
                yield from (Found(hit, 0.35) for hit in record.find("…".join(content), 0.7))


def date_places(record: Record, variable: Variable, value: str) -> Iterator[Found]:
    """Where a date, a time or both may be told: whole, in part, as "ce jour" in a document of that day."""
    wanted_day, wanted_clock = _moment(value)
    if variable.kind in _TIMES and wanted_clock is not None:
        yield from _clock_places(record, wanted_day, wanted_clock)
    elif wanted_day is not None:
        yield from _day_places(record, wanted_day)
        yield from _range_places(record, fold(variable.label), wanted_day)


def _day_places(record: Record, wanted: dt.date) -> Iterator[Found]:
    for i, read in enumerate(record.passages):
        for day in read.days:
            if weight := _same_day(day, wanted):
                yield Found(Hit(i, day.start, day.end, weight), 0.15 * weight)
        written = read.passage.written_on
        written_day = written.to_date() if written else None
        if written_day is None:
            continue
        words = vocabulary()
        for cue, gap in ((words.same_day, 0), (words.day_before, 1)):
            if written_day - dt.timedelta(days=gap) == wanted:
                for match in cue.finditer(read.folded):
                    yield Found(Hit(i, match.start(), match.end(), 0.7), 0.05)
        if written_day == wanted:  # a report of that day tells it by being written then
            for clock in read.clocks:
                yield Found(Hit(i, clock.start, clock.end, 0.6), 0.05)


def _range_places(record: Record, label: str, wanted: dt.date) -> Iterator[Found]:
    """The ends of a stay: "du 14/06/2021 au 25/06/2021" tells the arrival and the discharge without naming them."""
    moments = vocabulary().moments
    first, last = (moments[name].search(label) is not None for name in ("at_admission", "at_discharge"))
    for i, read in enumerate(record.passages):
        for start, end in pairwise(read.days):
            if read.folded[start.end : end.start].strip() not in ("au", "-", "a", "jusqu'au"):
                continue
            for day in (start,) * first + (end,) * last:
                if _same_day(day, wanted) > 0.5:
                    yield Found(Hit(i, day.start, day.end, 1.0), 0.8)


def _clock_places(record: Record, wanted: dt.date | None, clock: dt.time) -> Iterator[Found]:
    for i, read in enumerate(record.passages):
        for told in read.clocks:
            if (told.hour, told.minute) != (clock.hour, clock.minute):
                continue
            weight = 1.0 if wanted is None else _day_beside(read, told, wanted)
            yield Found(Hit(i, told.start, told.end, weight), 0.4 * weight if told.minute else 0.15 * weight)


def _day_beside(read: ReadPassage, told: Clock, wanted: dt.date) -> float:
    """What the dates of the sentence say of the day of a time: 1 when they agree or say nothing, less otherwise."""
    beside = [day for day in read.days if read.together(day.start, told.start)]
    if not beside:
        return 1.0
    return 1.0 if any(_same_day(day, wanted) > 0.5 for day in beside) else 0.4


def _same_day(day: Day, wanted: dt.date) -> float:
    if day.month != wanted.month or day.year not in (None, wanted.year):
        return 0.0
    if day.day is None:
        return 0.3 if day.year else 0.1
    return (1.0 if day.year else 0.9) if day.day == wanted.day else 0.0


def _moment(value: str) -> tuple[dt.date | None, dt.time | None]:
    day = re.search(r"(\d{4})-(\d{2})-(\d{2})", value)
    clock = re.search(r"(?<![\d-])(\d{1,2}):(\d{2})", value)
    try:
        return (
            dt.date(int(day[1]), int(day[2]), int(day[3])) if day else None,
            dt.time(int(clock[1]), int(clock[2])) if clock else None,
        )
    except ValueError:
        return None, None


def text_places(record: Record, value: str) -> Iterator[Found]:
    """Where free text stands word for word, or most of its words in one passage."""
    if len(value.split()) <= 12:
        yield from (Found(hit, 0.8) for hit in record.find(value))
    stems = set(tokens(value))
    for i, read in enumerate(record.passages if stems else ()):
        held = [word for word in read.words if word.stem in stems]
        share = len({word.stem for word in held}) / len(stems)
        if share >= 0.5:
            yield Found(Hit(i, held[0].start, held[0].end, 0.7 * share), 0.5)


#: Share of the words that tell a choice from the others, below which a sentence says nothing of it.
_FEWEST_WORDS = 0.3
#: Letters of a word long enough to have a family, and of those that its family shares.
_LONG, _ROOT = 8, 6
#: Weight of the forms of a choice: those that answer by themselves, those that do beside a word of the question.
_STATED, _LABEL = 0.9, 1.0


def choice_places(record: Record, variable: Variable, code: str, hints: VariableHints) -> Iterator[Found]:
    """Where a choice's forms or the words of its label stand; what is not said of the patient is not counted out."""
    label = answer_of(variable, code)
    if _SEX.search(fold(variable.label)):
        yield from _civilities(record, label)
    for form in hints.choices.get(code, ()):
        beside = form.startswith("@")
        places = record.find(form.removeprefix("@"), _LABEL if beside else _STATED)
        yield from (Found(hit, 0.1 if beside else 0.6) for hit in places)
    bare = re.sub(r"\([^)]*\)", " ", label)
    for part in {bare, *re.findall(r"\(([^)]*)\)", label), *re.split(r"[,/]|\bou\b", bare)}:
        if not is_bare_answer(part):
            yield from (Found(hit, 0.3 if len(part) > 4 else 0.1) for hit in record.find(part, _LABEL))
            yield from _alike(record, part)
    if vocabulary().both.search(fold(label)):
        for other in variable.choices:
            if other.code != code and not vocabulary().both.search(fold(other.label)):
                found = choice_places(record, variable, other.code, hints)
                yield from (Found(one.hit._replace(weight=0.5 * one.hit.weight), 0.5 * one.alone) for one in found)
    if (full := vocabulary().abbreviated.get(fold(label).strip())) is not None:
        yield from (Found(hit, 0.1) for hit in record.find(full, _LABEL))
    yield from _by_words(record, variable, code)


def _alike(record: Record, label: str) -> Iterator[Found]:
    """Words of the family of a one-word label: "athérome", "athéromateux"; "thrombolyse" in "lyse"."""
    words = [word for word in re.findall(r"[a-z]+", fold(label)) if tokens(word)]
    if len(words) == 1 and len(words[0]) >= _LONG:
        yield from (Found(hit, 0.1) for hit in record.find(words[0][:_ROOT] + "*", 0.4))
        yield from (Found(hit, 0.1) for hit in record.ending(words[0], 0.4))


def answer_of(variable: Variable, code: str) -> str:
    """The label of a choice; "" for a value that is none."""
    return next((choice.label for choice in variable.choices if choice.code == code), "")


def is_bare_answer(label: str) -> bool:
    """Whether a label is a yes or a no and nothing else, or blank."""
    words = vocabulary().labels
    return not tokens(label) or fold(label).strip() in words["no"] | words["yes"] | words["unknown"]


def _by_words(record: Record, variable: Variable, code: str) -> Iterator[Found]:
    """Sentences with most of the words that tell a choice from the others."""
    stems = {choice.code: set(tokens(choice.label)) - vocabulary().generic for choice in variable.choices}
    others = [words for other, words in stems.items() if other != code]
    weights = {
        stem: 1.0 / (1 + sum(stem in words for words in others))
        for stem in stems.get(code, ())
        if len(stem) > 1 or stem.isdigit()
    }
    total = sum(weights.values())
    if total <= 0 or len(weights) < 2:
        return
    for i, read in enumerate(record.passages):
        by_sentence: dict[int, list[tuple[str, int, int]]] = {}
        for word in read.words:
            if word.stem in weights:
                by_sentence.setdefault(read.sentence(word.start)[0], []).append((word.stem, word.start, word.end))
        for held in by_sentence.values():
            share = sum(weights[stem] for stem in {stem for stem, _, _ in held}) / total
            if share >= _FEWEST_WORDS and not all(stem.isdigit() for stem, _, _ in held):
                yield Found(Hit(i, held[0][1], held[0][2], 0.7 * share), 0.1)


def _civilities(record: Record, label: str) -> Iterator[Found]:
    words = vocabulary()
    for name in ("man", "woman"):
        if fold(label).strip() in words.labels[name]:
            for i, read in enumerate(record.passages):
                for match in words.civility[name].finditer(read.folded):
                    strong = match[0] not in ("elle", "ne", "nee", "hospitalise", "hospitalisee", "age", "agee")
                    yield Found(Hit(i, match.start(), match.end(), 1.0 if strong else 0.5), 0.9 if strong else 0.5)


def places(record: Record, variable: Variable, value: str, hints: VariableHints) -> list[Found]:
    """Where a coded value may be told, whatever the kind of its variable; a checkbox's value is "1,3"."""
    if variable.kind in NUMBERS:
        return [*number_places(record, variable, value, hints), *noted_places(record, variable, value)]
    if variable.kind is VariableKind.DATE or variable.kind in _TIMES:
        return list(date_places(record, variable, value))
    if variable.choices or variable.kind in (VariableKind.YESNO, VariableKind.TRUEFALSE):
        codes = value.split(",") if variable.kind is VariableKind.CHECKBOX else [value]
        found = [f for code in codes for f in choice_places(record, variable, code.strip(), hints)]
        return found + [f for code in codes for f in noted_places(record, variable, code.strip())]
    return list(text_places(record, value))
