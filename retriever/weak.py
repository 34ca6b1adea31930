"""Distant supervision: which passages of a patient may tell the value that a table holds, without any span.

From the value alone, a bag of candidate passages with weights, in the manner of MIL-NCE (Miech et al., "End-to-End
Learning of Visual Representations from Uncurated Instructional Videos", CVPR 2020): one of the bag is right, and the
loss may choose which. The bag is meant to hold the right passage; the weights say how likely each is.
"""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from retriever import weak_moments
from retriever.lexical import tokens
from retriever.weak_text import Hit, ReadPassage, Record, Word, fold, vocabulary
from retriever.weak_values import NUMBERS, is_bare_answer, places
from schema.passage import Passage
from schema.study import VariableHints
from schema.variable import Variable, VariableKind

Weights = NDArray[np.float32]

#: What is left of a value's weight by where the nearest word of its variable stands.
_SAME_SENTENCE, _SAME_PASSAGE = 0.8, 0.35
_NEAR = 45  # characters
#: What is left of it when the words around say otherwise.
_DENIED, _DOUBTED, _RELATIVE = 0.15, 0.5, 0.1
#: A list of the history that does not name the thing, where the annotation rule makes that a no.
_OMITTED = 0.45
#: Passages below this are in no bag.
_LEAST = 0.03


class Negative(StrEnum):
    """Why a passage is like the right one and is not."""

    WRONG_VALUE = "wrong_value"  # the variable's words beside another value: another time, another side
    WRONG_TIME = "wrong_time"  # the value itself, in a document of another moment or of another episode
    WRONG_PERSON = "wrong_person"  # said of a relative
    NEGATED = "negated"  # denied where the table says yes, or affirmed where it says no


@dataclass(frozen=True, slots=True)
class HardNegative:
    """The position of a passage in the sequence given, and why it is wrong."""

    passage: int
    kind: Negative


class WeakLabels:
    """Weak labels over the passages of one patient, which are read once for all variables.

    Args:
        passages: of one patient, in any order; N of them. Their concepts, where they carry any, are used.
        anchor: the day of the admission that the table is about, where it is known.
    """

    def __init__(self, passages: Sequence[Passage], anchor: dt.date | None = None) -> None:
        self._record = Record(passages, anchor)

    def positives(
        self, variable: Variable, value: str, hints: VariableHints | None = None, concepts: Collection[str] = ()
    ) -> Weights:
        """How compatible each passage is with telling a value: shape (N,), float32, in [0, 1].

        Args:
            value: as the table holds it ("2", "29.0", "2021-06-14 09:10"); codes of a checkbox parted by commas.
            hints: synonyms, forms of choices and the moment asked; forms that begin with "@" count beside a synonym.
            concepts: identifiers of the concepts that the variable names, as in `Question.concepts`.
        """
        reading = _Reading(self._record, variable, value.strip(), hints or VariableHints(), frozenset(concepts))
        return reading.weights()

    def negatives(
        self,
        variable: Variable,
        value: str,
        positives: Weights,
        hints: VariableHints | None = None,
        concepts: Collection[str] = (),
    ) -> list[HardNegative]:
        """Passages that are like the right one and are not, by position; none is likely by ``positives``, shape (N,).

        One kind for each passage, in the order of `Negative`.
        """
        reading = _Reading(self._record, variable, value.strip(), hints or VariableHints(), frozenset(concepts))
        return reading.negatives(positives)


def weak_positives(
    variable: Variable,
    value: str,
    passages: Sequence[Passage],
    hints: VariableHints | None = None,
    concepts: Collection[str] = (),
) -> Weights:
    """`WeakLabels.positives` for one variable. For several of one patient, keep a `WeakLabels`."""
    return WeakLabels(passages).positives(variable, value, hints, concepts)


def hard_negatives(
    variable: Variable,
    value: str,
    passages: Sequence[Passage],
    positives: Weights,
    hints: VariableHints | None = None,
    concepts: Collection[str] = (),
) -> list[HardNegative]:
    """`WeakLabels.negatives` for one variable. For several of one patient, keep a `WeakLabels`."""
    return WeakLabels(passages).negatives(variable, value, positives, hints, concepts)


class _Reading:
    """One variable and one value in one record."""

    def __init__(
        self, record: Record, variable: Variable, value: str, hints: VariableHints, concepts: frozenset[str]
    ) -> None:
        self._record, self._variable, self._value, self._hints = record, variable, value, hints
        self._cues = _by_passage(cues(record, variable, hints, concepts), len(record))
        self._found = places(record, variable, value, hints) if value else []
        self._role = _role(variable, value)
        self._by_document = weak_moments.by_document(record, hints)

    def weights(self) -> Weights:
        """See `WeakLabels.positives`."""
        weights = self._timeless() * self._by_document
        weights[weights < _LEAST] = 0.0
        return weights

    def negatives(self, positives: Weights) -> list[HardNegative]:
        """See `WeakLabels.negatives`."""
        likely = positives >= 0.2 * max(float(positives.max(initial=0.0)), _LEAST)
        timeless = self._timeless()
        found: dict[int, Negative] = {}
        for kind, passages in (
            (Negative.WRONG_VALUE, self._beside_another()),
            (
                Negative.WRONG_TIME,
                np.flatnonzero((timeless >= 0.3) & (self._by_document <= weak_moments.OTHER_DATE)).tolist(),
            ),
            (Negative.WRONG_PERSON, self._of_relatives()),
            (Negative.NEGATED, self._contrary()),
        ):
            for passage in passages:
                if not likely[passage]:
                    found[passage] = kind
        return [HardNegative(passage, kind) for passage, kind in sorted(found.items())]

    def _timeless(self) -> Weights:
        weights = np.zeros(len(self._record), dtype=np.float32)
        for found in self._found:
            weight = found.hit.weight * max(self._nearness(found.hit), found.alone) * self._said(found.hit)
            weight *= weak_moments.by_words(self._record, found.hit, self._hints)
            weights[found.hit.passage] = max(weights[found.hit.passage], weight)
        for passage, weight in (*self._presence(), *self._coded()):
            weights[passage] = max(weights[passage], weight)
        return weights

    def _nearness(self, hit: Hit) -> float:
        """How near the nearest words of the variable stand, in [0, 1]."""
        read = self._record.passages[hit.passage]
        best = 0.0
        for cue in self._cues[hit.passage]:
            gap = max(cue.start - hit.end, hit.start - cue.end, 0)
            if not read.together(cue.start, hit.start):
                near = _SAME_PASSAGE
            else:
                near = 1.0 if gap <= _NEAR else _SAME_SENTENCE
                low, high = sorted((cue.end, hit.start))
                if self._variable.kind in NUMBERS and cue.end <= hit.start and _number_between(read, low, high):
                    near *= 0.7
            best = max(best, near * cue.weight)
        return best

    def _said(self, hit: Hit) -> float:
        """What is left of a form of the value by what the words around say of it."""
        if self._variable.kind in NUMBERS or not self._variable.choices:
            return 1.0
        denied, doubted, relative = self._flags(hit)
        left = _RELATIVE if relative else 1.0
        if self._role != "no":
            left *= _DENIED if denied else _DOUBTED if doubted else 1.0
        return left

    def _flags(self, hit: Hit) -> tuple[bool, bool, bool]:
        """Denied, doubted, of a relative: as the concepts of the passage say where one stands there."""
        read = self._record.passages[hit.passage]
        offset = read.passage.span.start
        for mention in read.passage.concepts:
            if mention.start - offset < hit.end and hit.start < mention.end - offset:
                return mention.negated, mention.hypothetical, mention.family
        return (
            read.denied(hit.start, hit.end),
            read.doubted(hit.start, hit.end),
            read.of_relative(hit.start, hit.end),
        )

    def _presence(self) -> Iterable[tuple[int, float]]:
        """Passages that affirm or deny the variable's own thing, for a variable that asks whether it is there."""
        if self._role == "":
            return
        affirmed: set[int] = set()
        for cue in (cue for held in self._cues for cue in held):
            denied, doubted, relative = self._flags(cue)
            if not (denied or doubted or relative) and cue.weight >= 0.6:
                affirmed.add(cue.passage)
            right = denied == (self._role == "no")
            weight = (0.9 if self._role in ("no", "yes") else 0.4) * cue.weight
            weight *= _RELATIVE if relative else _DOUBTED if doubted and self._role != "no" else 1.0
            if right:
                yield cue.passage, weight
        if self._role == "no":
            for hit in self._of_other_choices():
                if self._flags(hit)[0]:
                    yield hit.passage, 0.5 * hit.weight
            yield from ((i, weight) for i, weight in self._omissions() if i not in affirmed)
            yield from self._alive()

    def _coded(self) -> Iterable[tuple[int, float]]:
        """Where the code itself stands right after a word of the variable: "TOAST 1", "Fazekas : 2"."""
        if not self._variable.choices:
            return
        after = re.compile(rf"[\s:=(]{{1,3}}{re.escape(fold(self._value))}(?![\w/]|[.,]\d)")
        for cue in (cue for held in self._cues for cue in held):
            if cue.weight >= 0.4 and after.match(self._record.passages[cue.passage].folded, cue.end):
                yield cue.passage, 0.8

    def _of_other_choices(self) -> list[Hit]:
        others = [choice.code for choice in self._variable.choices if _role(self._variable, choice.code) == "graded"]
        return [found.hit for code in others for found in places(self._record, self._variable, code, self._hints)]

    def _omissions(self) -> Iterable[tuple[int, float]]:
        """Lists that would name the thing: the rule makes their silence a no."""
        name = self._hints.omission if self._hints.omission is not None else _omission_of(self._variable)
        if not name:
            return
        words = vocabulary().lists[name]
        for i, read in enumerate(self._record.passages):
            passage = read.passage
            title = fold(passage.section)
            if passage.section_kind in _LIST_KINDS[name] or words.search(title) or words.search(read.folded):
                yield i, _OMITTED if name != "care" else 0.5 * _OMITTED

    def _alive(self) -> Iterable[tuple[int, float]]:
        """Where death is denied: every document of the time asked that sees the patient alive."""
        if not vocabulary().death.search(fold(self._variable.label)):
            return
        inside = weak_moments.in_window(self._record, self._hints)
        for i, read in enumerate(self._record.passages):
            if inside[i] and vocabulary().alive.search(read.folded):
                yield i, 0.5
            elif inside[i] and self._record.anchor is not None:
                yield i, 0.15

    def _beside_another(self) -> Iterable[int]:
        """Passages where the variable's words stand beside another value of its kind."""
        right = {found.hit.passage for found in self._found if self._nearness(found.hit) >= 0.5}
        for i, held in enumerate(self._cues):
            if i in right or not held:
                continue
            read = self._record.passages[i]
            starts = _starts_of_kind(read, self._variable.kind)
            if any(
                cue.weight >= 0.5 and read.together(cue.start, start) and abs(start - cue.end) <= _NEAR
                for cue in held
                for start in starts
            ):
                yield i
        if self._variable.choices:
            yield from (hit.passage for hit in self._of_other_choices() if hit.passage not in right)

    def _of_relatives(self) -> Iterable[int]:
        hits = [cue for held in self._cues for cue in held if cue.weight >= 0.6]
        return [hit.passage for hit in hits if self._flags(hit)[2]]

    def _contrary(self) -> Iterable[int]:
        if self._role == "":
            return []
        hits = [cue for held in self._cues for cue in held if cue.weight >= 0.6]
        flags = [(hit.passage, *self._flags(hit)) for hit in hits]
        no = self._role == "no"
        return [i for i, denied, doubted, relative in flags if not (doubted or relative) and denied != no]


def cues(record: Record, variable: Variable, hints: VariableHints, concepts: frozenset[str]) -> list[Hit]:
    """Where the words of a variable stand: its synonyms, its label whole or in part, its concepts."""
    found = [hit for form in hints.synonyms for hit in record.find(form)]
    excepted = [hit for form in hints.exceptions for hit in record.find(form)]
    label = variable.label.replace(f"({variable.unit})", " ") if variable.unit else variable.label
    found += record.find(label)
    known = set(tokens(" ".join(hints.synonyms)))
    stems = tokens(label)
    content = [stem for stem in dict.fromkeys(stems) if stem not in vocabulary().generic and not stem.isdigit()]
    content = content or list(dict.fromkeys(stems))
    named = [word for word in tokens(variable.name.replace("_", " ")) if len(word) > 2]
    content += [word for word in named if word not in content and word not in vocabulary().generic | known]
    each = (0.85 if len(content) == 1 else 0.45) * (0.6 if hints.synonyms else 1.0)
    held: dict[int, list[tuple[str, Word]]] = {}
    for stem in content:
        for i, word in record.places(stem):
            held.setdefault(i, []).append((stem, word))
    for i, words in held.items():
        read = record.passages[i]
        for _, word in words:
            beside = {stem for stem, other in words if read.together(other.start, word.start)}
            found.append(Hit(i, word.start, word.end, min(each * len(beside), 0.9)))
    for i, read in enumerate(record.passages if concepts else ()):
        offset = read.passage.span.start
        for mention in read.passage.concepts:
            if mention.concept.concept_id in concepts:
                found.append(Hit(i, mention.start - offset, mention.end - offset, 0.5))
    covered = {(hit.passage, hit.start, hit.end) for hit in excepted}
    return [
        hit
        for hit in found
        if not any(p == hit.passage and low <= hit.start and hit.end <= high for p, low, high in covered)
    ]


def _by_passage(hits: Iterable[Hit], size: int) -> list[list[Hit]]:
    """Hits of each passage in order; of several at one place the plainest."""
    held: list[dict[tuple[int, int], Hit]] = [{} for _ in range(size)]
    for hit in hits:
        place = (hit.start, hit.end)
        if place not in held[hit.passage] or held[hit.passage][place].weight < hit.weight:
            held[hit.passage][place] = hit
    return [sorted(one.values()) for one in held]


def _role(variable: Variable, value: str) -> str:
    """What a value says of presence: "no", "yes", "graded" (there, of some kind); "" where presence is not asked."""
    if variable.kind in (VariableKind.YESNO, VariableKind.TRUEFALSE) and not variable.choices:
        return "no" if value == "0" else "yes"
    labels = {choice.code: choice.label for choice in variable.choices}
    if not any(_says_no(label) for label in labels.values()):
        return ""
    label = labels.get(value, "")
    if _says_no(label):
        return "no"
    return "yes" if is_bare_answer(label) else "graded"


def _says_no(label: str) -> bool:
    words = fold(label).replace("'", " ").split()
    return bool(words) and words[0] in vocabulary().labels["no"]


#: Kinds of sections that list what an omission is read from.
_LIST_KINDS = {
    "history": ("antecedents", "facteurs_risque"),
    "treatment": ("traitement_entree",),
    "care": ("evolution", "conclusion"),
}
_OMISSION_STEMS = {"history": ("enumer", "liste des antecedents"), "treatment": ("traitement habituel", "est liste")}


def _omission_of(variable: Variable) -> str:
    """Where the annotation rule lets silence answer no; "" when it does not."""
    note = fold(variable.note)
    return next((name for name, words in _OMISSION_STEMS.items() if any(word in note for word in words)), "")


def _number_between(read: ReadPassage, low: int, high: int) -> bool:
    at = bisect_left(read.numbers, low, key=lambda number: number.start)
    return at < len(read.numbers) and read.numbers[at].start < high


def _starts_of_kind(read: ReadPassage, kind: VariableKind) -> list[int]:
    """Where the values of a kind of variable begin: numbers, dates or times."""
    if kind in NUMBERS:
        return [number.start for number in read.numbers]
    if kind is VariableKind.DATE:
        return [day.start for day in read.days]
    return [clock.start for clock in read.clocks] if kind in (VariableKind.DATETIME, VariableKind.TIME) else []
