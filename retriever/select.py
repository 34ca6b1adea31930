"""From the scores of a patient's passages to the few that are returned.

The best ones by score, but for two things. Passages of one document, and copies of a passage, leave room for others
(maximal marginal relevance, Carbonell and Goldstein 1998). And a passage that points back ("NIHSS inchangé") comes with
the passage that it points at, or its reader has nothing to read.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from retriever.antecedents import antecedent, bearing_on
from retriever.lexical import tokens
from retriever.timeline import EncodedTimeline

#: What a passage loses, in standard deviations of the scores: for each passage already chosen from its document…
SAME_DOCUMENT = 0.1
#: …and for being a copy of one already chosen, in its document or in another.
COPY_INSIDE, COPY_ELSEWHERE = 1.0, 0.3
#: Passages that share less than this of their words are no copies.
COPIED = 0.7

#: A passage that points back less surely than this stands on its own.
POINTS_BACK = 0.5

Scores = NDArray[np.floating]


def select(scores: Scores, timeline: EncodedTimeline, k: int, asked: str = "") -> list[int]:
    """The k passages to return, best first; fewer when there are fewer.

    Args:
        scores: (N,) of any scale; higher is better. Ties, to six decimals, go by document_id, then start.
        asked: the question's words; with them, a pointing back that is about something else is left alone.

    Returns:
        Places in ``timeline.passages``. A passage pointed at stands right after the one that points at it, in the
        place of the last ones.
    """
    if not len(scores) or k < 1:
        return []
    spread = float(np.std(scores)) or 1.0
    relevance = np.exp((scores - scores.max()) / spread)
    result: list[int] = []
    for i in _diverse(scores, timeline, k, spread):
        result += [i, *_pointed_at(i, timeline, relevance, asked)]
    return list(dict.fromkeys(result))[:k]


def _diverse(scores: Scores, timeline: EncodedTimeline, k: int, spread: float) -> list[int]:
    """The best k, each chosen with regard to those before it."""
    spans = [passage.span for passage in timeline.passages]
    order = sorted(range(len(scores)), key=lambda i: (-round(float(scores[i]), 6), spans[i]))
    pool = order[: max(4 * k, 20)]
    bags = {i: _bag(timeline.passages[i].text) for i in pool}
    lost = dict.fromkeys(pool, 0.0)
    copied = dict.fromkeys(pool, 0.0)
    chosen: list[int] = []
    while pool and len(chosen) < k:
        best = min(pool, key=lambda i: (-round(float(scores[i]) - spread * (lost[i] + copied[i]), 6), spans[i]))
        pool.remove(best)
        chosen.append(best)
        for i in pool:
            inside = timeline.owner[i] == timeline.owner[best]
            lost[i] += SAME_DOCUMENT * inside
            copied[i] = max(copied[i], _copy(bags[i], bags[best]) * (COPY_INSIDE if inside else COPY_ELSEWHERE))
    return chosen


@lru_cache(maxsize=4096)
def _bag(text: str) -> frozenset[str]:
    return frozenset(tokens(text))  # every variable asks about the same passages


def _copy(one: frozenset[str], other: frozenset[str]) -> float:
    """How far two bags of words are copies, in [0, 1]: Jaccard's index, from `COPIED` on."""
    shared = len(one & other) / max(len(one | other), 1)
    return max(0.0, (shared - COPIED) / (1 - COPIED))


def _pointed_at(i: int, timeline: EncodedTimeline, relevance: Scores, asked: str) -> list[int]:
    """The passage that passage ``i`` points at for what is asked, if there is one."""
    pointing = bearing_on(timeline.passages[i].text, asked)
    if pointing is None or pointing.strength < POINTS_BACK:
        return []
    found = antecedent(pointing, timeline, i, relevance, asked)
    return [] if found is None else [found]
