"""Figures of a de-identification: what was found, what leaked, what was masked without need.

Two questions are kept apart. *Agreement* asks whether spans and labels are those of the annotators, by label.
*Redaction* asks whether anything that identifies is still readable, whatever label hid it: a surname taken for a town
is hidden all the same. Only letters and digits count: a blank or a hyphen left between two masks tells nothing.

Redaction recall and the share of documents without a leak follow Tannier et al., Methods Inf Med 2024 (eds-pseudo);
exact and relaxed agreement follow Stubbs, Kotfila and Uzuner, J Biomed Inform 2015 (i2b2/UTHealth 2014, track 1).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum, auto

import numpy as np
from numpy.typing import NDArray

from eval.medical_terms import MedicalTerms
from eval.metrics import Array, bootstrap_weights, estimate, f1, ratio
from schema.phi import PhiEntity, PhiLabel
from schema.report import Estimate

REPLICATES = 1000
LABELS = tuple(PhiLabel)

_WORD = re.compile(r"[^\W_]+")
_Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class AnnotatedDocument:
    """A text with its spans, by hand and predicted: code points [start, end) of ``text``.

    ``neutral`` are spans that need not be hidden and may be (an age, an employer): they count for nothing.
    """

    patient_id: str
    document_id: str
    text: str
    gold: tuple[PhiEntity, ...]
    predicted: tuple[PhiEntity, ...]
    neutral: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Leak:
    """A gold span of which at least one letter or digit is still readable. ``whole``: all of them are."""

    entity: PhiEntity
    whole: bool


@dataclass(frozen=True, slots=True)
class ScoredDocument:
    """What went wrong in one document, and its counts.

    Args:
        leaks: by position.
        false_alarms: predicted spans that hide nothing of the gold annotation, nor of a neutral span.
        masked_terms: medical terms hidden without need, as positions in the text.
        by_label: (labels, `Count`), in the order of ``LABELS``.
        whole: (`Total`,).
    """

    document: AnnotatedDocument
    leaks: tuple[Leak, ...]
    false_alarms: tuple[PhiEntity, ...]
    masked_terms: tuple[tuple[int, int], ...]
    by_label: Array
    whole: Array


class Count(IntEnum):
    """Counts of one label. ``TOUCHED``: spans that share a letter or digit with one of that label on the other side."""

    GOLD = 0
    PREDICTED = auto()
    EXACT = auto()
    GOLD_TOUCHED = auto()
    PREDICTED_TOUCHED = auto()
    GOLD_TOKENS = auto()
    PREDICTED_TOKENS = auto()
    EQUAL_TOKENS = auto()
    CHARACTERS = auto()
    HIDDEN_CHARACTERS = auto()


class Total(IntEnum):
    """Counts of a document, whatever the label. Characters are letters and digits; tokens are runs of them."""

    DOCUMENTS = 0
    WITHOUT_IDENTIFIER = auto()
    WITHOUT_LEAK = auto()
    WHOLE_LEAKS = auto()
    PARTIAL_LEAKS = auto()
    CHARACTERS = auto()
    HIDDEN_CHARACTERS = auto()
    MASKED_CHARACTERS = auto()
    TOKENS = auto()
    HIDDEN_TOKENS = auto()
    WORDS = auto()
    MASKED_TERMS = auto()


@dataclass(frozen=True, slots=True)
class Agreement:
    """Precision, recall and their harmonic mean."""

    precision: Estimate
    recall: Estimate
    f1: Estimate


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """Figures of one label, or of all (then ``label`` is "(all)").

    Args:
        gold, predicted: spans counted on each side.
        exact: spans with the same positions and label.
        relaxed: spans that share a letter or digit with one of the same label; many to many, so that a name cut in
            two is not counted as missed.
        tokens: runs of letters and digits with the label.
        hidden: share of the label's letters and digits that some predicted span hides, whatever its label.
    """

    label: str
    gold: int
    predicted: int
    exact: Agreement
    relaxed: Agreement
    tokens: Agreement
    hidden: Estimate


@dataclass(frozen=True, slots=True)
class DeidFigures:
    """Figures of a corpus; proportions are in [0, 1], with intervals by bootstrap over patients.

    Args:
        recall_characters, recall_tokens: share of identifying letters and digits, and of identifying tokens, that are
            hidden, whatever the label; a token with one character left is not hidden.
        precision_characters: share of what was hidden that identifies.
        documents_without_leak, patients_without_leak: share of those in which nothing that identifies is readable;
            ``without_identifier`` documents hold nothing to hide and cannot leak.
        terms_per_1000_words: medical terms hidden without need, per 1,000 words of the documents.
    """

    documents: int
    patients: int
    without_identifier: int
    whole_leaks: int
    partial_leaks: int
    false_alarms: int
    words: int
    masked_terms: int
    recall_characters: Estimate
    recall_tokens: Estimate
    precision_characters: Estimate
    documents_without_leak: Estimate
    patients_without_leak: Estimate
    terms_per_1000_words: Estimate
    overall: LabelFigures
    labels: tuple[LabelFigures, ...]
    ignored: tuple[PhiLabel, ...]
    replicates: int
    seed: int


def score(
    document: AnnotatedDocument, ignored: Collection[PhiLabel] = (), terms: MedicalTerms | None = None
) -> ScoredDocument:
    """Compare the two annotations of one document.

    Args:
        ignored: labels that the gold annotation lacks or that are not asked for. Gold spans of these labels become
            neutral; predicted ones still hide what they cover, but are right or wrong nowhere.
        terms: medical terms that should stay readable.
    """
    text = document.text
    readable = np.fromiter((character.isalnum() for character in text), dtype=bool, count=len(text))
    gold = [entity for entity in document.gold if entity.label not in ignored]
    asked = [entity for entity in document.predicted if entity.label not in ignored]
    identifying = _cover(gold, len(text)) & readable
    hidden = _cover(document.predicted, len(text)) & readable
    neutral = _cover([entity for entity in document.gold if entity.label in ignored], len(text))
    for start, end in document.neutral:
        neutral[start:end] = True
    neutral &= readable & ~identifying
    # A span that hides neutral text alone is neither right nor wrong.
    aside = [e for e in asked if _any(neutral, e) and not _any(identifying, e)]
    counted = [entity for entity in asked if entity not in aside]
    leaks = tuple(
        Leak(entity, whole=not _any(hidden, entity))
        for entity in sorted(set(gold))
        if _any(identifying & ~hidden, entity)
    )
    words = np.array([match.span() for match in _WORD.finditer(text)], dtype=np.intp).reshape(-1, 2)
    masked = tuple(
        (start, end)
        for start, end in (terms.find(text) if terms else ())
        if hidden[start:end].any() and not (identifying | neutral)[start:end].any()
    )
    masked_characters = _cover(counted, len(text)) & readable & ~neutral
    totals = {
        Total.DOCUMENTS: 1,
        Total.WITHOUT_IDENTIFIER: not identifying.any(),
        Total.WITHOUT_LEAK: not leaks,
        Total.WHOLE_LEAKS: sum(leak.whole for leak in leaks),
        Total.PARTIAL_LEAKS: sum(not leak.whole for leak in leaks),
        Total.CHARACTERS: identifying.sum(),
        Total.HIDDEN_CHARACTERS: (identifying & hidden).sum(),
        Total.MASKED_CHARACTERS: (masked_characters | (identifying & hidden)).sum(),
        Total.TOKENS: _touched(identifying, words).sum(),
        Total.HIDDEN_TOKENS: (_touched(identifying, words) & ~_touched(identifying & ~hidden, words)).sum(),
        Total.WORDS: len(words),
        Total.MASKED_TERMS: len(masked),
    }
    return ScoredDocument(
        document=document,
        leaks=leaks,
        false_alarms=tuple(sorted(e for e in set(counted).difference(gold) if not _any(identifying, e))),
        masked_terms=masked,
        by_label=np.array([_count(label, gold, counted, readable, hidden, words) for label in LABELS], dtype=float),
        whole=np.array([totals[total] for total in Total], dtype=float),
    )


def measure(
    scored: Sequence[ScoredDocument],
    ignored: Collection[PhiLabel] = (),
    seed: int = 0,
    replicates: int = REPLICATES,
) -> DeidFigures:
    """The figures of a corpus. ``ignored`` are the labels that `score` was given; at least one document is needed."""
    patients = sorted({row.document.patient_id for row in scored})
    place = {patient: index for index, patient in enumerate(patients)}
    by_label = np.zeros((len(patients), len(LABELS), len(Count)))
    whole = np.zeros((len(patients), len(Total)))
    for row in scored:
        by_label[place[row.document.patient_id]] += row.by_label
        whole[place[row.document.patient_id]] += row.whole
    weights = bootstrap_weights(len(patients), replicates, seed)
    labels = np.tensordot(weights, by_label, axes=1)  # (1 + replicates, labels, counts)
    totals = (weights @ whole).T  # (totals, 1 + replicates)
    dry = whole[:, Total.WITHOUT_LEAK] == whole[:, Total.DOCUMENTS]
    return DeidFigures(
        documents=len(scored),
        patients=len(patients),
        without_identifier=int(whole[:, Total.WITHOUT_IDENTIFIER].sum()),
        whole_leaks=int(whole[:, Total.WHOLE_LEAKS].sum()),
        partial_leaks=int(whole[:, Total.PARTIAL_LEAKS].sum()),
        false_alarms=sum(len(row.false_alarms) for row in scored),
        words=int(whole[:, Total.WORDS].sum()),
        masked_terms=int(whole[:, Total.MASKED_TERMS].sum()),
        recall_characters=estimate(ratio(totals[Total.HIDDEN_CHARACTERS], totals[Total.CHARACTERS])),
        recall_tokens=estimate(ratio(totals[Total.HIDDEN_TOKENS], totals[Total.TOKENS])),
        precision_characters=estimate(ratio(totals[Total.HIDDEN_CHARACTERS], totals[Total.MASKED_CHARACTERS])),
        documents_without_leak=estimate(ratio(totals[Total.WITHOUT_LEAK], totals[Total.DOCUMENTS])),
        patients_without_leak=estimate(ratio(weights @ dry.astype(float), weights.sum(axis=1))),
        terms_per_1000_words=estimate(1000 * ratio(totals[Total.MASKED_TERMS], totals[Total.WORDS])),
        overall=_label_figures("(all)", labels.sum(axis=1)),
        labels=tuple(
            _label_figures(label.value, labels[:, index]) for index, label in enumerate(LABELS) if label not in ignored
        ),
        ignored=tuple(label for label in LABELS if label in ignored),
        replicates=replicates,
        seed=seed,
    )


def _cover(entities: Iterable[PhiEntity], length: int) -> _Mask:
    covered = np.zeros(length, dtype=bool)
    for entity in entities:
        covered[entity.start : entity.end] = True
    return covered


def _touched(mask: _Mask, places: NDArray[np.intp]) -> _Mask:
    """For each place [start, end), of shape (places, 2): whether the mask holds anywhere in it."""
    before = np.concatenate([[0], np.cumsum(mask)])
    touched: _Mask = before[places[:, 1]] > before[places[:, 0]]
    return touched


def _any(mask: _Mask, entity: PhiEntity) -> bool:
    return bool(mask[entity.start : entity.end].any())


def _count(
    label: PhiLabel,
    gold: Iterable[PhiEntity],
    predicted: Iterable[PhiEntity],
    readable: _Mask,
    hidden: _Mask,
    words: NDArray[np.intp],
) -> list[int]:
    """In the order of `Count`."""
    by_hand = {entity for entity in gold if entity.label is label}
    found = {entity for entity in predicted if entity.label is label}
    if not by_hand and not found:
        return [0] * len(Count)
    in_gold, in_found = (_cover(side, len(readable)) & readable for side in (by_hand, found))
    gold_tokens, found_tokens = _touched(in_gold, words), _touched(in_found, words)
    counts = {
        Count.GOLD: len(by_hand),
        Count.PREDICTED: len(found),
        Count.EXACT: len(by_hand & found),
        Count.GOLD_TOUCHED: sum(_any(in_found, entity) for entity in by_hand),
        Count.PREDICTED_TOUCHED: sum(_any(in_gold, entity) for entity in found),
        Count.GOLD_TOKENS: int(gold_tokens.sum()),
        Count.PREDICTED_TOKENS: int(found_tokens.sum()),
        Count.EQUAL_TOKENS: int((gold_tokens & found_tokens).sum()),
        Count.CHARACTERS: int(in_gold.sum()),
        Count.HIDDEN_CHARACTERS: int((in_gold & hidden).sum()),
    }
    return [counts[count] for count in Count]


def _label_figures(name: str, counts: Array) -> LabelFigures:
    """Figures from counts of shape (1 + replicates, `Count`)."""
    of = dict(zip(Count, counts.T, strict=True))
    recall = ratio(of[Count.GOLD_TOUCHED], of[Count.GOLD])
    precision = ratio(of[Count.PREDICTED_TOUCHED], of[Count.PREDICTED])
    nothing_right = (of[Count.GOLD] + of[Count.PREDICTED] > 0) & (of[Count.GOLD_TOUCHED] == 0)
    relaxed = np.where(nothing_right, 0.0, ratio(2 * precision * recall, precision + recall))
    return LabelFigures(
        label=name,
        gold=int(of[Count.GOLD][0]),
        predicted=int(of[Count.PREDICTED][0]),
        exact=_agreement(of[Count.EXACT], of[Count.PREDICTED], of[Count.GOLD]),
        relaxed=Agreement(estimate(precision), estimate(recall), estimate(relaxed)),
        tokens=_agreement(of[Count.EQUAL_TOKENS], of[Count.PREDICTED_TOKENS], of[Count.GOLD_TOKENS]),
        hidden=estimate(ratio(of[Count.HIDDEN_CHARACTERS], of[Count.CHARACTERS])),
    )


def _agreement(right: Array, predicted: Array, gold: Array) -> Agreement:
    return Agreement(
        precision=estimate(ratio(right, predicted)),
        recall=estimate(ratio(right, gold)),
        f1=estimate(f1(right, predicted, gold)),
    )
