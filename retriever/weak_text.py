"""The passages of one patient, read once for all variables: words, numbers, dates, and what is denied or a relative's.

A light reading on purpose: it decides which passages go in a bag of candidates, not what a cell holds.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from retriever.lexical import tokens
from retriever.vocabulary import read_yaml
from schema.passage import Passage

#: What a denial, or a relative named, reaches: characters.
_SCOPE, _AFTER, _FAMILY_AFTER = 80, 14, 60
#: Words of a form stand no further apart than this: characters between two that follow, and where "…" parts them.
_NEXT, _APART = 12, 45
#: Letters that a word cut short keeps.
_SHORTENED = 6

_PIECE = re.compile(r"[a-z0-9œæμ%]+")
_STOP = re.compile(r"[.;!?](?=\s|$)|\n+")
_NUMBER = re.compile(r"(?<![\w.,])\d{1,5}(?:[.,]\d{1,3})?(?![\d.,]*\d)")
_PAIR = re.compile(r"\s?/\s?$")
_UNIT = re.compile(r"\s?(%|[a-zμ]{1,6}(?:/(?:[a-z]{1,4}\d?))?)")
_CLOCK = re.compile(
    r"(?<![\d/.,])([01]?\d|2[0-3])(?:\s?(?:h|heures?)\b\s?([0-5]\d(?!\d))?|\s?h([0-5]\d)(?!\d)|\s?:\s?([0-5]\d)(?![\d/]))"
)
_DATE = re.compile(r"(?<![\d/])(\d{1,2})(?:/|\.|-)(\d{1,2})(?:(?:/|\.|-)(\d{4}|\d{2}))?(?![\d/])")
_ISO = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)")
_RANGE = re.compile(r"(?<![\w/.,])(\d{1,3})\s?(?:-|a|et)\s?(\d{1,3})(?![\d/]|[.,]\d)")


class Hit(NamedTuple):
    """Something found in a passage, at [start, end) of its text; ``weight`` in [0, 1] says how plainly."""

    passage: int
    start: int
    end: int
    weight: float


class Number(NamedTuple):
    """A number with the unit written after it ("" when none); ``second`` of two that a bar parts: "160/90"."""

    start: int
    end: int
    value: float
    decimals: int
    unit: str
    paired: bool
    second: bool


class Day(NamedTuple):
    """A calendar date as written: year or day may be missing."""

    start: int
    end: int
    year: int | None
    month: int
    day: int | None


class Clock(NamedTuple):
    """A time of day."""

    start: int
    end: int
    hour: int
    minute: int


class Word(NamedTuple):
    """A word that counts: its stem, itself folded, its place."""

    stem: str
    whole: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of ``weak.yml``, folded, as patterns or sets."""

    denies: re.Pattern[str]
    denied: re.Pattern[str]
    stops: re.Pattern[str]
    doubts: re.Pattern[str]
    family: re.Pattern[str]
    birth: re.Pattern[str]
    same_day: re.Pattern[str]
    day_before: re.Pattern[str]
    lists: dict[str, re.Pattern[str]]  # "history", "treatment", "care"
    labels: dict[str, frozenset[str]]  # "no", "yes", "unknown", "man", "woman"
    civility: dict[str, re.Pattern[str]]  # "man", "woman"
    moments: dict[str, re.Pattern[str]]  # by the name of a `Policy`
    alive: re.Pattern[str]
    death: re.Pattern[str]
    both: re.Pattern[str]
    unchanged: re.Pattern[str]
    abbreviated: dict[str, str]
    generic: frozenset[str]
    months: dict[str, int]
    numbers: dict[str, int]
    conversions: tuple[tuple[re.Pattern[str], float], ...]


@cache
def vocabulary() -> Vocabulary:
    """The vocabulary, read once."""
    entries = read_yaml(Path(__file__).with_name("weak.yml"))

    def pattern(name: str) -> re.Pattern[str]:
        return _any_of(entries[name])

    return Vocabulary(
        denies=pattern("negation_before"),
        denied=re.compile(r"[\s:=(,-]{0,3}" + pattern("negation_after").pattern),
        stops=pattern("break"),
        doubts=pattern("hypothesis"),
        family=pattern("family"),
        birth=pattern("birth"),
        same_day=pattern("same_day"),
        day_before=pattern("day_before"),
        lists={name: pattern(name) for name in ("history", "treatment", "care")},
        labels={
            name: frozenset(fold(word) for word in entries[f"{name}_labels"])
            for name in ("no", "yes", "unknown", "man", "woman")
        },
        civility={name: pattern(name) for name in ("man", "woman")},
        moments={name: _any_of(words) for name, words in entries["moments"].items()},
        alive=pattern("alive"),
        death=pattern("death"),
        both=pattern("both"),
        unchanged=pattern("unchanged"),
        abbreviated=dict(entries["abbreviated_labels"]),
        generic=frozenset(stem for word in entries["generic"] for stem in tokens(word)),
        months={fold(name): number for number, names in enumerate(entries["months"], start=1) for name in names},
        numbers={fold(word): number for number, word in enumerate(entries["numbers"])},
        conversions=tuple((_any_of(entry["words"]), float(entry["factor"])) for entry in entries["conversions"]),
    )


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    folded = sorted({fold(word) for word in words}, key=len, reverse=True)
    return re.compile(r"(?<![a-z0-9])(?:" + "|".join(map(re.escape, folded)) + r")(?![a-z0-9])")


class _Fold(dict[int, str]):
    def __missing__(self, code: int) -> str:
        character = chr(code)
        plain = {"’": "'", "‘": "'", "–": "-", "—": "-", "−": "-"}.get(character)
        if plain is None:
            bare = "".join(c for c in unicodedata.normalize("NFKD", character.lower()) if not unicodedata.combining(c))
            plain = bare if len(bare) == 1 else character
        self[code] = plain
        return plain


_FOLD = _Fold()


def fold(text: str) -> str:
    """Lower case without accents, straight apostrophes and hyphens; the length is kept."""
    return text.translate(_FOLD)


@lru_cache(maxsize=1 << 14)
def _stems(word: str) -> tuple[str, ...]:
    return tuple(tokens(word))


class ReadPassage:
    """One passage. Every position is one of ``passage.text``."""

    def __init__(self, passage: Passage) -> None:
        self.passage = passage
        self.folded = folded = fold(passage.text)
        self.stops = [match.end() for match in _STOP.finditer(folded)]
        self.days = sorted(_days(folded), key=lambda day: day.start)
        # "8/10" is a score as often as a day: a date without its year hides no number.
        busy = [(day.start, day.end) for day in self.days if day.year or "/" not in folded[day.start : day.end]]
        clocks = [m for m in _CLOCK.finditer(folded) if not _inside(m.start(), busy)]
        self.clocks = [Clock(m.start(), m.end(), int(m[1]), int(m[2] or m[3] or m[4] or 0)) for m in clocks]
        busy += [(clock.start, clock.end) for clock in self.clocks if folded[clock.start : clock.end].strip()]
        self.numbers = list(_numbers(folded, sorted(busy)))
        self.ranges = [(m.start(), m.end(), int(m[1]), int(m[2])) for m in _RANGE.finditer(folded)]
        self.words = [
            Word(stem, piece[0], piece.start(), piece.end())
            for piece in _PIECE.finditer(folded)
            for stem in _stems(piece[0])
        ]

    def sentence(self, position: int) -> tuple[int, int]:
        """The sentence, or line, that holds a position."""
        at = bisect_right(self.stops, position)
        return (self.stops[at - 1] if at else 0), (self.stops[at] if at < len(self.stops) else len(self.folded))

    def together(self, one: int, other: int) -> bool:
        """Whether two positions lie in one sentence."""
        return bisect_right(self.stops, one) == bisect_right(self.stops, other)

    def denied(self, start: int, end: int) -> bool:
        """Whether what stands at [start, end) is said not to be."""
        words = vocabulary()
        low, high = self.sentence(start)
        for cue in words.denies.finditer(self.folded, max(low, start - _SCOPE), start):
            if not self._parted(cue.end(), start):
                return True
        return words.denied.match(self.folded, end, min(high, end + _AFTER + 12)) is not None

    def _parted(self, start: int, end: int) -> bool:
        between = self.folded[start:end]
        if re.search(r"[:()\n]|,\s?(?!(?:de |d'|ni |ou |du |des |aucun))", between):
            return True
        return vocabulary().stops.search(between) is not None

    def doubted(self, start: int, end: int) -> bool:
        """Whether what stands at [start, end) is a hypothesis."""
        low, high = self.sentence(start)
        if re.match(r"\s?\?", self.folded[end:high]):
            return True
        return vocabulary().doubts.search(self.folded, max(low, start - 25), start) is not None

    def of_relative(self, start: int, end: int) -> bool:
        """Whether what stands at [start, end) is said of a relative."""
        low, high = self.sentence(start)
        for cue in vocabulary().family.finditer(self.folded, max(low, start - _FAMILY_AFTER), start):
            if ";" not in self.folded[cue.end() : start]:
                return True
        return re.match(r"[^.;:,]{0,12}\b(?:chez|du|de la|d'un|d'une)\s(?:le |la |son |sa |ses |un |une )?(?:pere|mere|"
                        r"frere|soeur|sœur|fils|fille|oncle|tante)\b", self.folded[end:high]) is not None  # fmt: skip


def _inside(position: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(low <= position < high for low, high in spans)


def _days(folded: str) -> Iterable[Day]:
    months = vocabulary().months
    for match in _ISO.finditer(folded):
        yield Day(match.start(), match.end(), int(match[1]), int(match[2]), int(match[3]))
    for match in _DATE.finditer(folded):
        day, month = int(match[1]), int(match[2])
        written = folded[match.start() : match.end()]
        if 1 <= day <= 31 and 1 <= month <= 12 and (match[3] or "/" in written):
            yield Day(match.start(), match.end(), _year(match[3]), month, day)
    for match in _in_words().finditer(folded):
        yield Day(match.start(), match.end(), _year(match[3]), months[match[2]], int(match[1]) if match[1] else None)


@cache
def _in_words() -> re.Pattern[str]:
    names = "|".join(sorted(vocabulary().months, key=len, reverse=True))
    return re.compile(rf"(?:\b(\d{{1,2}})(?:er)?\s)?\b({names})\b\.?(?:\s(\d{{4}}))?")


def _year(written: str | None) -> int | None:
    if not written:
        return None
    year = int(written)
    return year if year > 99 else year + (2000 if year < 50 else 1900)


def _numbers(folded: str, busy: Sequence[tuple[int, int]]) -> Iterable[Number]:
    starts = [start for start, _ in busy]
    for match in _NUMBER.finditer(folded):
        at = bisect_right(starts, match.start()) - 1
        if at >= 0 and match.start() < busy[at][1]:
            continue
        text = match[0].replace(",", ".")
        unit = _UNIT.match(folded, match.end())
        second = _PAIR.search(folded, max(0, match.start() - 2), match.start()) is not None
        first = re.match(r"\s?/\s?\d", folded[match.end() : match.end() + 3]) is not None
        yield Number(
            match.start(), match.end(), float(text), len(text.partition(".")[2]), unit[1] if unit else "",
            first or second, second,
        )  # fmt: skip


class Record:
    """Passages of one patient with an index of their words.

    Args:
        passages: in any order; positions of `Hit.passage` are theirs.
        anchor: the day from which moments are counted (the admission), where it is known.
    """

    def __init__(self, passages: Sequence[Passage], anchor: dt.date | None = None) -> None:
        self.passages = [ReadPassage(passage) for passage in passages]
        self.anchor = anchor
        self._places: dict[str, list[tuple[int, int]]] = {}
        wholes: dict[str, set[str]] = {}
        for i, read in enumerate(self.passages):
            for at, word in enumerate(read.words):
                self._places.setdefault(word.stem, []).append((i, at))
                wholes.setdefault(word.whole, set()).add(word.stem)
        self._wholes = sorted(wholes)
        self._stems_of = wholes

    def __len__(self) -> int:
        return len(self.passages)

    def places(self, stem: str) -> list[tuple[int, Word]]:
        """The passages and words of a stem, or of a beginning of it that is cut short: "anticoag."."""
        wholes = {stem[:length] for length in range(_SHORTENED, len(stem))} & self._stems_of.keys()
        stems = {stem}.union(*(self._stems_of[whole] for whole in wholes))
        return [(i, self.passages[i].words[at]) for one in sorted(stems) for i, at in self._places.get(one, ())]

    def ending(self, word: str, weight: float) -> list[Hit]:
        """Places of words that are the end of a longer, folded one: "aspiration" of "thromboaspiration"."""
        wholes = {word[cut:] for cut in range(1, len(word) - _SHORTENED)} & self._stems_of.keys()
        places = (self._places[stem] for whole in sorted(wholes) for stem in self._stems_of[whole])
        words = [(i, self.passages[i].words[at]) for one in places for i, at in one]
        return [Hit(i, found.start, found.end, weight) for i, found in words if found.whole in wholes]

    def find(self, form: str, weight: float = 1.0) -> list[Hit]:
        """Places where a form stands: its words in order, "*" for any ending, "…" for a few words between.

        Articles and the like never count; a form of nothing but those is found nowhere.
        """
        wanted = _compiled(form)
        if not wanted:
            return []
        found = []
        for i, at in self._first(wanted[0]):
            words = self.passages[i].words
            end = self._follow(self.passages[i], at, wanted)
            if end is not None:
                found.append(Hit(i, words[at].start, end, weight))
        return found

    def _first(self, wanted: _Wanted) -> Iterable[tuple[int, int]]:
        if not wanted.prefix:
            return self._places.get(wanted.stem, ())
        low = bisect_left(self._wholes, wanted.whole)
        stems: set[str] = set()
        for whole in self._wholes[low:]:
            if not whole.startswith(wanted.whole):
                break
            stems |= self._stems_of[whole]
        return [
            place
            for stem in sorted(stems)
            for place in self._places[stem]
            if self.passages[place[0]].words[place[1]].whole.startswith(wanted.whole)
        ]

    @staticmethod
    def _follow(read: ReadPassage, at: int, wanted: Sequence[_Wanted]) -> int | None:
        """Where a form that begins at a word ends; None when its other words do not follow."""
        words = read.words
        end = words[at].end
        for part in wanted[1:]:
            reach = _APART if part.apart else _NEXT
            following = range(at + 1, min(at + (9 if part.apart else 2), len(words)))
            hit = next((j for j in following if words[j].start - end <= reach and _is(words[j], part)), None)
            if hit is None or not read.together(words[at].start, words[hit].start):
                return None
            at, end = hit, words[hit].end
        return end


class _Wanted(NamedTuple):
    stem: str
    whole: str
    prefix: bool
    apart: bool  # "…" stands before it


def _is(word: Word, wanted: _Wanted) -> bool:
    return word.whole.startswith(wanted.whole) if wanted.prefix else word.stem == wanted.stem


@lru_cache(maxsize=1 << 14)
def _compiled(form: str) -> tuple[_Wanted, ...]:
    wanted: list[_Wanted] = []
    for n, part in enumerate(re.split(r"…|\.\.\.", fold(form))):
        first = True
        for match in re.finditer(r"([a-z0-9œæμ%]+)(\*?)", part):
            stems = (match[1],) if match[2] else _stems(match[1])
            for stem in stems:
                wanted.append(_Wanted(stem, match[1], bool(match[2]), n > 0 and first))
                first = False
    return tuple(wanted)
