"""Where a variable is usually written: in which kind of document, under which section, how late.

Learned by counting, from a table alone: where the passages stand that a weak label or a generator takes for a
variable's. A variable that was never seen borrows the counts of those whose wording looks like its own, so that a
new dictionary is not a blank page. Kept as text that a person can read.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from retriever.embed import HashedNgramEncoder
from retriever.kinds import KINDS
from retriever.query import query_text
from retriever.timeline import EncodedTimeline
from schema.variable import Question

Floats = NDArray[np.float32]
#: Kind, section and delay of a passage.
Traits = tuple[str, str, str]
#: Weight by trait and value: {"kind": {"crh": 3.0}, "section": {…}, "delay": {…}}.
Counts = Mapping[str, Mapping[str, float]]

TRAITS = ("kind", "section", "delay")
#: Columns of `Prior.of`, in order: log-odds of each trait, then how much is known of such a variable.
PRIORS = (*TRAITS, "known")

#: Counts are smoothed by this many imaginary passages drawn from everywhere.
_SMOOTHING = 3.0
#: How fast a variable's counts lose weight as its wording departs: a cosine of 0.9 counts for 0.3, of 0.7 for 0.03.
_NARROWNESS = 12.0
_NEGLIGIBLE = 1e-4
_DELAYS = 12
#: No wording weighs more than this many patients on those that borrow from it.
_MOST = 20.0


def traits_of(timeline: EncodedTimeline) -> list[Traits]:
    """Kind, section and delay of each passage, in the passages' order.

    The delay is a step of time since the first document: the same day, a day, three days, a week, two weeks, a month…
    """
    steps = (1.5 * np.log1p(np.maximum(timeline.days, 0))).astype(int)
    delays: list[int] = np.minimum(steps, _DELAYS - 1).tolist()
    kinds: list[int] = timeline.kinds.tolist()
    owners: list[int] = timeline.owner.tolist()
    return [
        (KINDS[kinds[owner]], passage.section_kind, str(delays[owner]))
        for owner, passage in zip(owners, timeline.passages, strict=True)
    ]


def count(traits: Sequence[Traits], targets: Mapping[str, Floats]) -> dict[str, dict[str, dict[str, float]]]:
    """The counts of one patient: by wording, the traits of the passages that tell it, a weight of 1 in all.

    Args:
        targets: for each wording of a question, a weight of each passage, not negative.
    """
    counts: dict[str, dict[str, dict[str, float]]] = {}
    for wording, weights in targets.items():
        total = float(weights.sum())
        if total > 0:
            by_trait = counts.setdefault(wording, {trait: defaultdict(float) for trait in TRAITS})
            for i in np.flatnonzero(weights).tolist():
                for trait, value in zip(TRAITS, traits[i], strict=True):
                    by_trait[trait][value] += float(weights[i]) / total
    return counts


class Prior:
    """Counts by wording of a variable, and of all passages.

    Args:
        counts: by wording, how the passages that tell it are spread over each trait.
        everywhere: how all passages are.
    """

    def __init__(self, counts: Mapping[str, Counts], everywhere: Counts) -> None:
        self.counts = {wording: {trait: dict(of[trait]) for trait in TRAITS} for wording, of in counts.items()}
        self.everywhere = {trait: dict(everywhere.get(trait, {})) for trait in TRAITS}
        self._spelling = HashedNgramEncoder()
        self._vectors = self._spelling.encode(list(self.counts))
        self._nearest = lru_cache(maxsize=4096)(self._near)

    @classmethod
    def learned(cls, patients: Iterable[tuple[Sequence[Traits], Mapping[str, Floats]]]) -> Prior:
        """From the passages of each patient and their weights by wording, as `count` takes them."""
        total: dict[str, dict[str, dict[str, float]]] = {}
        everywhere: dict[str, dict[str, float]] = {trait: defaultdict(float) for trait in TRAITS}
        for traits, targets in patients:
            for wording, of in count(traits, targets).items():
                held = total.setdefault(wording, {trait: defaultdict(float) for trait in TRAITS})
                for trait in TRAITS:
                    for value, weight in of[trait].items():
                        held[trait][value] += weight
            for one in traits:
                for trait, value in zip(TRAITS, one, strict=True):
                    everywhere[trait][value] += 1
        return cls(total, everywhere)

    def added_to(self, earlier: Prior) -> Prior:
        """These counts and earlier ones. All passages are spread as ours are: the earlier ones may be of other times.

        A wording that both hold keeps the sum of its counts.
        """
        counts = {wording: dict(of) for wording, of in earlier.counts.items()}
        for wording, of in self.counts.items():
            held = counts.get(wording)
            counts[wording] = {t: _sum(held[t], of[t]) for t in TRAITS} if held else of
        return Prior(counts, self.everywhere)

    def of(self, question: Question, traits: Sequence[Traits], without: Mapping[str, Counts] | None = None) -> Floats:
        """What is known of a question's passages: shape (n, len(PRIORS)); zeros when nothing like it was learned.

        Args:
            without: counts to leave out, such as the patient's own while training.
        """
        seen = self._seen(query_text(question), without or {})
        columns = [
            [odds.get(one[place], 0.0) for one in traits]
            for place, odds in enumerate(self._log_odds(trait, seen[trait]) for trait in TRAITS)
        ]
        known = math.log1p(max(0.0, sum(seen["kind"].values())))
        columns.append([known] * len(traits))
        return np.array(columns, dtype=np.float32).T.reshape(len(traits), len(PRIORS))

    def _seen(self, wording: str, without: Mapping[str, Counts]) -> dict[str, dict[str, float]]:
        """The counts of a wording and of those like it, by trait."""
        total: dict[str, dict[str, float]] = {trait: defaultdict(float) for trait in TRAITS}
        for other, nearness in self._nearest(wording):
            held = self.counts[other]
            own = without.get(other)
            left = _less(held, own) if own else held
            weight = nearness * min(1.0, _MOST / max(1.0, sum(left["kind"].values())))
            for trait in TRAITS:
                for value, told in left[trait].items():
                    total[trait][value] += weight * told
        return total

    def _log_odds(self, trait: str, seen: Mapping[str, float]) -> dict[str, float]:
        """log P(value | variable) / P(value), smoothed towards 0, of every value seen anywhere."""
        passages, told = sum(self.everywhere[trait].values()), sum(seen.values())
        odds = {}
        for value, held in self.everywhere[trait].items():
            usual = held / passages
            odds[value] = math.log((seen.get(value, 0.0) + _SMOOTHING * usual) / ((told + _SMOOTHING) * usual))
        return odds

    def _near(self, wording: str) -> list[tuple[str, float]]:
        cosines = self._vectors @ self._spelling.encode([wording])[0]
        weights = np.exp(_NARROWNESS * (cosines - 1))
        return [(other, float(w)) for other, w in zip(self.counts, weights, strict=True) if w > _NEGLIGIBLE]


def _sum(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    return {value: one.get(value, 0.0) + other.get(value, 0.0) for value in {**one, **other}}


def _less(held: Counts, own: Counts) -> dict[str, dict[str, float]]:
    return {t: {value: max(0.0, told - own[t].get(value, 0.0)) for value, told in held[t].items()} for t in TRAITS}
