"""Figures of retrieval against known evidence: pure functions on positions; nothing here knows a retriever.

A question is one variable of one patient, with the quotes that answer it. A passage is right when it holds at least
half of a quote; a document when it holds a quote, and documents stand in the order of their best passage.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import NDArray

from eval.metrics import Array, bootstrap_weights
from schema.document import Span
from schema.report import Estimate

LEVELS = ("passage", "document")
#: Recall and hits are known at every depth up to this one; no method needs to be asked for more.
DEEPEST = 20
_GAIN_DEPTH = 10
#: The figures of one question at one level, in the order of the last axis of `Figures`.
FIGURES = (
    *(f"recall@{k}" for k in range(1, DEEPEST + 1)),
    *(f"hit@{k}" for k in range(1, DEEPEST + 1)),
    "MRR",
    f"nDCG@{_GAIN_DEPTH}",
)
#: Those that tables show; the others draw the curves.
SHOWN = (*(f"{name}@{k}" for name in ("recall", "hit") for k in (1, 2, 3, 5, 10)), "MRR", f"nDCG@{_GAIN_DEPTH}")

REPLICATES = 1000
SEED = 0
#: Sign changes drawn by the permutation test where there are too many to try them all.
DRAWS = 9999
_EXACT_UP_TO = 13  # patients: 2 ** 13 sign changes are fewer than are drawn otherwise

#: Questions whose evidence does not say what kind they are of.
UNLABELLED = "unlabelled"
#: Kinds that take the order of time; both together are one more group, of this name.
_TIMED = ("anaphoric", "order")
TIMED = " or ".join(_TIMED)

#: (questions, 2: `LEVELS`, len(FIGURES))
Figures = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Query:
    """One variable of one patient, and where its answer is written.

    Args:
        kind: "plain", "anaphoric", "order"… as the evidence says it; `UNLABELLED` when it does not.
        quotes: at least one, in positions of the documents as given.
    """

    patient_id: str
    variable: str
    kind: str
    quotes: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Scores:
    """What each method gave for the same questions.

    Args:
        figures: by method, one row for each of ``queries``.
        seconds: by method, spent on all questions.
    """

    queries: tuple[Query, ...]
    figures: Mapping[str, Figures]
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of one method: mean over the questions of a group, interval by resampling patients.

    Args:
        by: "all", "kind" or "variable": what ``group`` is the name of.
    """

    by: str
    group: str
    questions: int
    patients: int
    method: str
    level: str
    figure: str
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of one method less that of another, question by question.

    Args:
        p_value: two-sided, of the permutation test by patient (`sign_change_test`). Not corrected for their number.
    """

    by: str
    group: str
    questions: int
    patients: int
    method: str
    less: str
    level: str
    figure: str
    estimate: Estimate
    p_value: float


def holds(passage: Span, quote: Span) -> bool:
    """Whether a passage holds at least half of a quote."""
    common = min(passage.end, quote.end) - max(passage.start, quote.start)
    return passage.document_id == quote.document_id and 2 * common >= quote.end - quote.start


def score_question(query: Query, found: Sequence[Span], pool: Iterable[Span]) -> Figures:
    """The figures of what one method found for one question.

    Args:
        found: passages in positions of the documents as given, best first.
        pool: all the passages that could be found: they say how many are right, which nDCG needs.

    Returns:
        Shape (2, len(FIGURES)): by passage, then by document.
    """
    right = {span: _reached(span, query.quotes) for span in {*pool, *found}}
    documents = {quote.document_id for quote in query.quotes}
    order = dict.fromkeys(span.document_id for span in found)
    passages = score_ranking(
        [right[span] for span in found], len(query.quotes), sum(1 for reached in right.values() if reached)
    )
    by_document = score_ranking([{name} & documents for name in order], len(documents), len(documents))
    return np.array([passages, by_document])


def score_ranking(reached: Sequence[Set[object]], sought: int, right: int) -> list[float]:
    """The figures of one ranking, in the order of `FIGURES`.

    Recall@k is the share of what is sought that the first k results reach, so that an answer written in two places
    is shared out between them; hit@k is 1 when they reach one of the two. The reciprocal rank is that of the first
    right result, 0 without any (Voorhees, TREC-8, 1999). nDCG@10 counts each right result once, whatever it reaches
    (Järvelin and Kekäläinen, ACM TOIS 20:422, 2002).

    Args:
        reached: for each result, best first, what it reaches of what is sought.
        sought: how much is sought, at least 1.
        right: how many results could reach something, ``reached`` included.
    """
    recalls: list[float] = []
    seen: set[object] = set()
    for k in range(DEEPEST):
        seen |= reached[k] if k < len(reached) else set()
        recalls.append(len(seen) / sought)
    first = next((rank for rank, one in enumerate(reached, start=1) if one), None)
    gain = sum(_discount(rank) for rank, one in enumerate(reached[:_GAIN_DEPTH], start=1) if one)
    ideal = sum(map(_discount, range(1, min(right, _GAIN_DEPTH) + 1)))
    hits = [float(recall > 0) for recall in recalls]
    return [*recalls, *hits, 1 / first if first else 0.0, gain / ideal if right else 0.0]


def figure_rows(scores: Scores) -> Iterator[Row]:
    """Every method's figures: over all questions (all of `FIGURES`), then by kind and by variable (those `SHOWN`)."""
    for by, group, places in _groups(scores.queries):
        names = FIGURES if by == "all" else SHOWN
        columns = [FIGURES.index(name) for name in names]
        held = [scores.queries[i] for i in places]
        size = (len(held), len({query.patient_id for query in held}))
        for method, figures in scores.figures.items():
            estimates = intervals(figures[places][:, :, columns], [query.patient_id for query in held])
            for level, row in zip(LEVELS, estimates, strict=True):
                for name, estimate in zip(names, row, strict=True):
                    yield Row(by, group, *size, method, level, name, estimate)


def difference_rows(scores: Scores, method: str) -> Iterator[Difference]:
    """``method`` less each other one, over all questions and by kind, for the figures `SHOWN`."""
    columns = [FIGURES.index(name) for name in SHOWN]
    for by, group, places in _groups(scores.queries):
        if by == "variable":  # a handful of questions each: no difference could be told from chance
            continue
        patients = [scores.queries[i].patient_id for i in places]
        size = (len(places), len(set(patients)))
        for less in scores.figures:
            if less == method:
                continue
            gained = (scores.figures[method] - scores.figures[less])[places][:, :, columns]
            estimates = intervals(gained, patients)
            p_values = sign_change_test(gained, patients)
            for i, level in enumerate(LEVELS):
                for j, name in enumerate(SHOWN):
                    yield Difference(
                        by, group, *size, method, less, level, name, estimates[i][j], float(p_values[i, j])
                    )


def intervals(figures: Figures, patients: Sequence[str]) -> list[list[Estimate]]:
    """Means over questions and their 95 % percentile intervals, patients being drawn with all their questions.

    Args:
        figures: (questions, levels, figures), at least one question.
        patients: the patient of each question.

    Returns:
        By level, by figure. No interval with a single patient.
    """
    sums, counts = _by_patient(figures, patients)
    weights = bootstrap_weights(len(counts), REPLICATES, SEED)  # (1 + replicates, patients)
    drawn = np.tensordot(weights, sums, axes=1) / (weights @ counts)[:, None, None]  # every patient has a question
    if len(counts) == 1:
        return [[Estimate(value=float(value)) for value in row] for row in drawn[0]]
    low, high = np.percentile(drawn[1:], [2.5, 97.5], axis=0)
    return [
        [Estimate(value=float(v), low=float(a), high=float(b)) for v, a, b in zip(*rows, strict=True)]
        for rows in zip(drawn[0], low, high, strict=True)
    ]


def sign_change_test(differences: Figures, patients: Sequence[str]) -> Array:
    """Two-sided p-values of no difference: how often changing the sign of whole patients gives one as large.

    Fisher's randomization test (Smucker, Allan and Carterette, CIKM 2007) with patients as units, since the questions
    of one patient stand in the same documents. All sign changes are tried for up to 13 patients; beyond, 9,999 are
    drawn and the observed one is counted among them.

    Args:
        differences: (questions, levels, figures).

    Returns:
        (levels, figures).
    """
    sums, _ = _by_patient(differences, patients)
    if len(sums) <= _EXACT_UP_TO:
        signs = np.array(list(product((1.0, -1.0), repeat=len(sums))))
    else:
        drawn = np.random.default_rng(SEED).choice((1.0, -1.0), size=(DRAWS, len(sums)))
        signs = np.vstack([np.ones(len(sums)), drawn])
    totals = np.abs(np.tensordot(signs, sums, axes=1))  # the first line changes no sign: it is what was observed
    p_values: Array = (totals >= totals[0] - 1e-9).mean(axis=0)
    return p_values


def _reached(passage: Span, quotes: Sequence[Span]) -> frozenset[object]:
    return frozenset(i for i, quote in enumerate(quotes) if holds(passage, quote))


def _discount(rank: int) -> float:
    return 1 / math.log2(1 + rank)


def _by_patient(figures: Figures, patients: Sequence[str]) -> tuple[Array, Array]:
    """Sums over the questions of each patient, shape (patients, levels, figures), and the numbers of questions."""
    names, owners = np.unique(np.array(patients, dtype=np.str_), return_inverse=True)
    sums = np.zeros((len(names), *figures.shape[1:]))
    np.add.at(sums, owners, figures)
    return sums, np.bincount(owners, minlength=len(names)).astype(np.float64)


def _groups(queries: Sequence[Query]) -> Iterator[tuple[str, str, list[int]]]:
    """(by, group, places of its questions): all, each kind, each variable."""
    yield "all", "", list(range(len(queries)))
    for by, names in (("kind", [query.kind for query in queries]), ("variable", [query.variable for query in queries])):
        for name in sorted(set(names)):
            yield by, name, [i for i, other in enumerate(names) if other == name]
        if by == "kind" and set(_TIMED) <= set(names):
            yield by, TIMED, [i for i, other in enumerate(names) if other in _TIMED]
