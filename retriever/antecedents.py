"""What a passage that points back points at: an earlier document, and the passage there that tells it in full."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from retriever.anaphora import Reference, references
from retriever.kinds import KINDS
from retriever.lexical import tokens
from retriever.timeline import EncodedTimeline
from retriever.topics import tells, topics_of

#: A document that what is said does not fit keeps this much of its weight.
UNFIT = 0.2
#: What each document in between leaves of the weight of one further back.
PER_DOCUMENT = 0.9
#: Documents with more days than this between them are of two stays.
STAY_GAP = 10
#: A passage that names the topic and tells nothing of it, or points back itself, keeps this much of its weight.
UNTOLD = 0.05
#: The weight of a passage that is no answer to the question; the best answer's is 1.
IRRELEVANT = 0.6

_Flags = NDArray[np.bool_]


def bearing_on(text: str, asked: str) -> Reference | None:
    """The surest pointing back of a passage that is about what is asked; None when there is none.

    Its strength is halved where it does not say what it is about. With no question, it is the surest of all.
    """
    made = (replace(one, strength=one.strength * _share(one, asked)) for one in references(text))
    surest = max(made, key=lambda one: one.strength, default=None)
    return surest if surest and surest.strength > 0 else None


def _share(pointing: Reference, asked: str) -> float:
    if not asked:
        return 1.0
    topics = subject(pointing)
    if topics & topics_of(asked) or set(tokens(pointing.about)) & set(tokens(asked)):
        return 1.0
    return 0.0 if topics else 0.5


def subject(pointing: Reference) -> frozenset[str]:
    """The topics that a pointing back is about, from its own words or else from the heading above; may be none."""
    return topics_of(pointing.about) or topics_of(pointing.heading)


def antecedents(pointing: Reference, timeline: EncodedTimeline, t: int) -> NDArray[np.float32]:
    """How well each document may be the one that a passage of document ``t`` points at: shape (T,), in [0, 1].

    0 for later documents; nearer ones weigh more. Document ``t`` itself is the nearest, for what stands further up in
    it, unless another date or kind is said. What is said and fits no earlier document is ignored: the document may be
    missing, or its date misread.
    """
    weights = np.zeros(len(timeline.document_ids), dtype=np.float32)
    weights[: t + 1] = PER_DOCUMENT ** np.arange(t, -1, -1, dtype=np.float32)
    fitting = np.ones(t + 1, dtype=np.bool_)
    for told in (_of_kind, _of_date, _of_admission):
        fits = told(pointing, timeline, t)
        if fits is not None and (fits & fitting)[:t].any():
            fitting &= fits
            weights[: t + 1][~fits] *= UNFIT
    return weights


def antecedent(
    pointing: Reference, timeline: EncodedTimeline, i: int, relevance: NDArray[np.floating], asked: str = ""
) -> int | None:
    """The passage before passage ``i`` that tells what ``i`` points at; None where none names its topic.

    Args:
        pointing: one of passage ``i``.
        relevance: (N,) of each passage to the question, in [0, 1].
        asked: the question's words, for a sentence that does not say what it is about.
    """
    topics = subject(pointing) or topics_of(asked)
    rest = timeline.passages[i].text.replace(pointing.words, " ")
    if any(tells(rest, topic) for topic in topics):
        return None
    weights = antecedents(pointing, timeline, int(timeline.owner[i]))[timeline.owner[:i]]
    weights *= IRRELEVANT + (1 - IRRELEVANT) * relevance[:i]
    weights *= [_told(passage.text, topics) for passage in timeline.passages[:i]]
    return int(weights.argmax()) if weights.any() else None


def _told(text: str, topics: frozenset[str]) -> float:
    named = topics & topics_of(text)
    again = frozenset(topic for made in references(text) for topic in subject(made))
    if any(tells(text, topic) for topic in named - again):
        return 1.0
    return UNTOLD if named else 0.0


def _of_kind(pointing: Reference, timeline: EncodedTimeline, t: int) -> _Flags | None:
    fits: _Flags | None = timeline.kinds[: t + 1] == KINDS.index(pointing.kind) if pointing.kind else None
    return fits


def _of_date(pointing: Reference, timeline: EncodedTimeline, t: int) -> _Flags | None:
    days = timeline.days[: t + 1]
    if pointing.days_before is not None:
        slack = max(0.5, 0.2 * pointing.days_before)
        near: _Flags = np.abs(days[t] - pointing.days_before - days) <= slack
        return near & timeline.dated[: t + 1]
    if pointing.date is None or timeline.first_day is None:
        return None
    dates = [timeline.first_day + dt.timedelta(days=float(day)) for day in days]
    fits = timeline.dated[: t + 1] & np.array([pointing.date.fits(date) for date in dates], dtype=np.bool_)
    last: _Flags = fits & (days == days[fits].max(initial=-1))  # of several 12ths of a month
    return last


def _of_admission(pointing: Reference, timeline: EncodedTimeline, t: int) -> _Flags | None:
    """The beginning of the stay that is going on, or else of the one before."""
    days = timeline.days[: t + 1]
    begins = np.flatnonzero(np.diff(days, prepend=-np.inf) > STAY_GAP)
    earlier = begins[begins < t]
    if not pointing.admission or not len(earlier):
        return None
    fits: _Flags = (days >= days[earlier[-1]]) & (days <= days[earlier[-1]] + 1)
    fits[t] = True  # a discharge report tells the admission too
    return fits
