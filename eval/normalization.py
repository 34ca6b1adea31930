"""Agreement of concept mentions with annotated texts: strict spans, with and without their codes.

A mention agrees when its fragments are exactly those of an annotation, nested and discontinuous ones included, and,
for its code, when its codes are exactly those of the annotation: an annotation with two codes is agreed with by both
together. This is the "exact match" of the CLEF eHealth 2015 and 2016 tasks on QUAERO (Névéol et al., CLEF 2015).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from eval.metrics import Array, bootstrap_weights, estimate, f1, ratio
from schema.report import Estimate

REPLICATES = 1000

Fragments = tuple[tuple[int, int], ...]

_LONG = 4  # tokens: longer mentions are counted together
_LONGEST_ABBREVIATION = 6


@dataclass(frozen=True, slots=True)
class CodedSpan:
    """A mention, annotated or predicted.

    Args:
        fragments: code points [start, end) of the document's text, in order.
        codes: one, or several for a meaning that one code does not give.
        group: its semantic group; "" when unknown.
        written: the text of its fragments, joined by a space.
    """

    document_id: str
    fragments: Fragments
    codes: frozenset[str]
    group: str = ""
    written: str = ""

    @property
    def tokens(self) -> int:
        """How many words, between blanks."""
        return len(self.written.split())

    @property
    def is_abbreviation(self) -> bool:
        """One short word with no small letter: "HTA", "FA"."""
        return len(self.written) <= _LONGEST_ABBREVIATION and self.written.isupper() and self.tokens == 1


class ErrorKind(StrEnum):
    """What went wrong with a mention."""

    MISSED = "missed"  # annotated, nothing predicted there
    BOUNDARY = "boundary"  # annotated, predicted with other limits
    WRONG_CODE = "wrong code"  # annotated, predicted with another code
    SPURIOUS = "spurious"  # predicted, nothing annotated there


@dataclass(frozen=True, slots=True)
class MentionError:
    """One annotation that no prediction agrees with, or one prediction of something never annotated.

    Args:
        gold: the annotation; None when spurious.
        predicted: what was predicted in its place; None when missed.
    """

    kind: ErrorKind
    gold: CodedSpan | None
    predicted: CodedSpan | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """Precision, recall and their harmonic mean, with the counts that they are made of."""

    gold: int
    predicted: int
    correct: int
    precision: Estimate
    recall: Estimate
    f1: Estimate


@dataclass(frozen=True, slots=True)
class Found:
    """How many annotations of a sort there are, and how many were predicted with their code."""

    gold: int
    correct: int


@dataclass(frozen=True, slots=True)
class NormalizationReport:
    """The figures of one evaluation.

    Args:
        spans: fragments alone; ``codes``: fragments and codes.
        groups: fragments and codes by semantic group; a prediction has the group of its concept.
        by_length: by number of tokens, "4+" for the long ones.
        abbreviations: annotations that are one short word of capitals.
        nested: annotations inside a longer one; ``apart``: those in several fragments.
        errors: by document and place.
    """

    documents: int
    spans: Agreement
    codes: Agreement
    groups: Mapping[str, Agreement]
    by_length: Mapping[str, Found]
    abbreviations: Found
    nested: Found
    apart: Found
    errors: tuple[MentionError, ...]


def evaluate(
    documents: Sequence[str],
    gold: Collection[CodedSpan],
    predicted: Collection[CodedSpan],
    *,
    seed: int = 0,
    replicates: int = REPLICATES,
) -> NormalizationReport:
    """Compare the mentions of the same documents. One said twice counts once.

    Args:
        documents: identifiers of all documents, those without any mention included; intervals draw documents.

    Raises:
        ValueError: a mention is of another document.
    """
    places = {document: place for place, document in enumerate(dict.fromkeys(documents))}
    if strangers := {span.document_id for span in (*gold, *predicted)} - places.keys():
        raise ValueError(f"{len(strangers)} documents of the mentions are not among those evaluated")
    weights = bootstrap_weights(len(places), replicates, seed) if places else np.ones((1, 0))
    truth, guess = _unique(gold), _unique(predicted)
    right = truth.keys() & guess.keys()

    def agreement(kept: Collection[_Key], offered: Collection[_Key], agreed: Collection[_Key]) -> Agreement:
        counts = [_by_document(keys, places) for keys in (kept, offered, agreed)]
        return _agreement(counts[0], counts[1], counts[2], weights)

    wide, wide_guess = _spans(truth), _spans(guess)
    groups = sorted({span.group for span in truth.values()})
    return NormalizationReport(
        documents=len(places),
        spans=agreement(wide, wide_guess, wide & wide_guess),
        codes=agreement(truth, guess, right),
        groups={
            group: agreement(
                [key for key, span in truth.items() if span.group == group],
                [key for key, span in guess.items() if (truth.get(key) or span).group == group],
                [key for key in right if truth[key].group == group],
            )
            for group in groups
        },
        by_length=_by_length(truth, right),
        abbreviations=_found([key for key, span in truth.items() if span.is_abbreviation], right),
        nested=_found(_nested(truth), right),
        apart=_found([key for key, span in truth.items() if len(span.fragments) > 1], right),
        errors=tuple(_errors(truth, guess)),
    )


_Key = tuple[str, Fragments, frozenset[str]]


def _unique(spans: Iterable[CodedSpan]) -> dict[_Key, CodedSpan]:
    return {(span.document_id, span.fragments, span.codes): span for span in spans}


def _spans(keys: Iterable[_Key]) -> set[_Key]:
    return {(document, fragments, frozenset()) for document, fragments, _ in keys}


def _by_document(keys: Iterable[_Key], places: Mapping[str, int]) -> Array:
    counts = np.zeros(len(places))
    for document, _, _ in keys:
        counts[places[document]] += 1
    return counts


def _agreement(gold: Array, predicted: Array, correct: Array, weights: Array) -> Agreement:
    g, p, c = weights @ gold, weights @ predicted, weights @ correct
    return Agreement(
        gold=int(gold.sum()),
        predicted=int(predicted.sum()),
        correct=int(correct.sum()),
        precision=estimate(ratio(c, p)),
        recall=estimate(ratio(c, g)),
        f1=estimate(f1(c, p, g)),
    )


def _found(keys: Collection[_Key], right: Collection[_Key]) -> Found:
    return Found(len(keys), sum(key in right for key in keys))


def _by_length(truth: Mapping[_Key, CodedSpan], right: Collection[_Key]) -> dict[str, Found]:
    by_length: dict[str, list[_Key]] = defaultdict(list)
    for key, span in truth.items():
        by_length[str(span.tokens) if span.tokens < _LONG else f"{_LONG}+"].append(key)
    return {length: _found(by_length[length], right) for length in sorted(by_length)}


def _nested(truth: Iterable[_Key]) -> list[_Key]:
    """Those whose extent lies in a longer one's."""
    extents: dict[str, set[tuple[int, int]]] = defaultdict(set)
    keys = list(truth)
    for document, fragments, _ in keys:
        extents[document].add(_extent(fragments))
    return [key for key in keys if any(_is_in(_extent(key[1]), wider) for wider in extents[key[0]])]


def _is_in(extent: tuple[int, int], wider: tuple[int, int]) -> bool:
    return wider[0] <= extent[0] and extent[1] <= wider[1] and wider != extent


def _extent(fragments: Fragments) -> tuple[int, int]:
    return fragments[0][0], fragments[-1][1]


def _errors(truth: Mapping[_Key, CodedSpan], guess: Mapping[_Key, CodedSpan]) -> Iterator[MentionError]:
    wrong: dict[str, list[CodedSpan]] = defaultdict(list)
    for key, span in guess.items():
        if key not in truth:
            wrong[span.document_id].append(span)
    annotated = {(document, fragments) for document, fragments, _ in truth}
    blamed: set[int] = set()
    errors: list[MentionError] = []
    for key, span in truth.items():
        if key in guess:
            continue
        kind, other = _what_happened(span, wrong[span.document_id], annotated)
        errors.append(MentionError(kind, span, other))
        if other is not None:
            blamed.add(id(other))
    for spans in wrong.values():
        errors += [MentionError(ErrorKind.SPURIOUS, None, span) for span in spans if id(span) not in blamed]
    yield from sorted(errors, key=_place)


def _place(error: MentionError) -> tuple[str, Fragments, str]:
    spans = [span for span in (error.gold, error.predicted) if span is not None]
    return spans[0].document_id, spans[0].fragments, error.kind


def _what_happened(
    gold: CodedSpan, wrong: Sequence[CodedSpan], annotated: Collection[tuple[str, Fragments]]
) -> tuple[ErrorKind, CodedSpan | None]:
    """The kind of error, and the prediction in the annotation's place.

    A prediction with other limits stands in its place when it has the same code, or is no annotation of its own.
    """
    for span in wrong:
        if span.fragments == gold.fragments:
            return ErrorKind.WRONG_CODE, span
    touching = [span for span in wrong if _touch(span.fragments, gold.fragments)]
    for span in touching:
        if span.codes == gold.codes:
            return ErrorKind.BOUNDARY, span
    for span in touching:
        if (span.document_id, span.fragments) not in annotated:
            return ErrorKind.BOUNDARY, span
    return ErrorKind.MISSED, None


def _touch(one: Fragments, other: Fragments) -> bool:
    return any(a < d and c < b for a, b in one for c, d in other)
