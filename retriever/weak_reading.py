"""One variable and one value in the record of a patient: what the words of each passage say of them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from retriever import weak_moments
from retriever.weak_references import references
from retriever.weak_text import Hit, ReadPassage, Record, fold, vocabulary
from retriever.weak_values import NUMBERS, answer_of, is_bare_answer, places
from retriever.weak_words import by_passage, cues, role_of, starts_of_kind
from schema.study import VariableHints
from schema.variable import Variable

Weights = NDArray[np.float32]

#: What is left of a value's weight by where the nearest word of its variable stands.
_SAME_SENTENCE, _SAME_PASSAGE = 0.8, 0.35
_NEAR = 45  # characters
#: What is left of it when the words around say otherwise.
_DENIED, _DOUBTED, _RELATIVE = 0.15, 0.5, 0.1
#: A list that does not name the thing, where nothing denies it; and where something does.
_OMITTED, _OMITTED_TOO = 0.45, 0.25
#: Words of a variable that surely name it.
_PLAIN = 0.6
#: "NIHSS inchangé" tells the value, and so does the place that it refers to.
_REFERENCE = 0.7
#: Passages below this are in no bag.
LEAST = 0.03


class Reading:
    """One variable and one value in one record."""

    def __init__(
        self, record: Record, variable: Variable, value: str, hints: VariableHints, concepts: frozenset[str]
    ) -> None:
        self._record, self._variable, self._value, self._hints = record, variable, value, hints
        self._cues = by_passage(cues(record, variable, hints, concepts), len(record))
        self._found = places(record, variable, value, hints) if value else []
        self._role = role_of(variable, value)
        self._by_document = weak_moments.by_document(record, hints)

    def weights(self) -> Weights:
        """See `WeakLabels.positives`."""
        timeless = self._timeless()
        weights = timeless * self._by_document
        for passage, since, weight in self._referring(timeless):
            weights[passage] = max(weights[passage], weight)
            weights[since] = max(weights[since], weight * timeless[since])
        weights[weights < LEAST] = 0.0
        return weights

    def _referring(self, timeless: Weights) -> Iterator[tuple[int, int, float]]:
        """Passages that tell the value by reference, the passage referred to, and the weight of both."""
        treated = self._hints.omission == "treatment"
        named = self._variable.kind in NUMBERS or (self._variable.choices and self._role != "yes")
        if self._role == "no" or not (named or treated):
            return  # absence is told in words, and a date by itself
        treated |= vocabulary().lists["treatment"].search(fold(self._variable.label)) is not None
        same = [int(i) for i in np.flatnonzero(timeless >= 0.3)]
        for place, since in references(self._record, self._cues, same, list(self.beside_another()), treated=treated):
            weight = _REFERENCE * weak_moments.by_words(self._record, place, self._hints)
            yield place.passage, since, weight * float(self._by_document[place.passage])

    def _timeless(self) -> Weights:
        weights = np.zeros(len(self._record), dtype=np.float32)
        for found in self._found:
            weight = found.hit.weight * max(self._nearness(found.hit), found.alone) * self._said(found.hit)
            weight *= weak_moments.by_words(self._record, found.hit, self._hints)
            weight *= weak_moments.by_year(self._record, found.hit, self._hints)
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
        """Denied, doubted, of a relative: as the concepts of the passage say where one stands there.

        What is said "d'après la famille" is no relative's: the words have to agree. Where the table says no, a denial
        by the words is enough.
        """
        read = self._record.passages[hit.passage]
        offset = read.passage.span.start
        for mention in read.passage.concepts:
            if mention.start - offset < hit.end and hit.start < mention.end - offset:
                relative = mention.family and read.of_relative(hit.start, hit.end)
                denied = mention.negated or (self._role == "no" and read.denied(hit.start, hit.end))
                return denied, mention.hypothetical, relative
        return (
            read.denied(hit.start, hit.end),
            read.doubted(hit.start, hit.end),
            read.of_relative(hit.start, hit.end),
        )

    def _presence(self) -> Iterator[tuple[int, float]]:
        """Passages that affirm or deny the variable's own thing, for a variable that asks whether it is there."""
        if self._role == "":
            return
        affirmed: set[int] = set()
        denials = 0
        for cue in (cue for held in self._cues for cue in held):
            denied, doubted, relative = self._flags(cue)
            plain = cue.weight >= _PLAIN and not (doubted or relative)
            if plain and not denied:
                affirmed.add(cue.passage)
            weight = (0.9 if self._role in ("no", "yes") else 0.4) * cue.weight
            weight *= _RELATIVE if relative else _DOUBTED if doubted and self._role != "no" else 1.0
            weight *= weak_moments.by_year(self._record, cue, self._hints)
            if denied == (self._role == "no"):
                denials += plain and denied
                yield cue.passage, weight
        if self._role != "no":
            return
        for hit in self._of_other_choices():
            if self._flags(hit)[0]:
                denials += 1
                yield hit.passage, 0.5 * hit.weight
        omitted = _OMITTED_TOO if denials else _OMITTED
        yield from ((i, omitted * weight) for i, weight in self._omissions() if i not in affirmed)
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
        others = [choice.code for choice in self._variable.choices if role_of(self._variable, choice.code) == "graded"]
        return [found.hit for code in others for found in places(self._record, self._variable, code, self._hints)]

    def _omissions(self) -> Iterable[tuple[int, float]]:
        """Lists that would name the thing, and how surely: where the rule says so, their silence is a no."""
        name = self._hints.omission if self._hints.omission is not None else _omission_of(self._variable)
        if not name:
            return
        words = vocabulary().lists[name]
        for i, read in enumerate(self._record.passages):
            passage = read.passage
            title = fold(passage.section)
            if passage.section_kind in _LIST_KINDS[name] or words.search(title) or words.search(read.folded):
                yield i, 1.0 if name != "care" else 0.5

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

    def beside_another(self) -> Iterable[int]:
        """Passages where the variable's words stand beside another value of its kind."""
        right = {found.hit.passage for found in self._found if self._nearness(found.hit) >= 0.5}
        for i, held in enumerate(self._cues):
            if i in right or not held:
                continue
            read = self._record.passages[i]
            starts = starts_of_kind(read, self._variable.kind)
            if any(
                cue.weight >= 0.5 and read.together(cue.start, start) and abs(start - cue.end) <= _NEAR
                for cue in held
                for start in starts
            ):
                yield i
        if self._variable.choices:
            others = [hit for hit in self._of_other_choices() if hit.passage not in right]
            yield from (hit.passage for hit in others if hit.weight * self._nearness(hit) >= 0.3)

    def of_another_time(self) -> list[int]:
        """Passages with the value in a document of another moment."""
        away = self._by_document <= weak_moments.OTHER_DATE
        return [int(i) for i in np.flatnonzero((self._timeless() >= 0.3) & away)]

    def of_relatives(self) -> Iterable[int]:
        """Passages that name the variable's thing of a relative."""
        hits = [cue for held in self._cues for cue in held if cue.weight >= _PLAIN]
        return [hit.passage for hit in hits if self._flags(hit)[2]]

    def contrary(self) -> Iterable[int]:
        """Passages that affirm what the table denies, or deny what it affirms."""
        if self._role == "":
            return []
        hits = [cue for held in self._cues for cue in held if cue.weight >= _PLAIN]
        flags = [(hit.passage, *self._flags(hit)) for hit in hits]
        no = self._role == "no"
        if no and not is_bare_answer(answer_of(self._variable, self._value)):
            return []  # "Non ou occasionnelle" denies in part
        return [i for i, denied, doubted, relative in flags if not (doubted or relative) and denied != no]


#: Kinds of sections that list what an omission is read from.
_LIST_KINDS = {
    "history": ("antecedents", "facteurs_risque"),
    "treatment": ("traitement_entree", "traitement_sortie"),
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
