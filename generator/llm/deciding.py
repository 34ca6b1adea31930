"""From what was heard of each variable to its value: samples agree, quotes bear it out, or it goes to review."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from generator.confidence import Signals, confidence
from generator.llm.answer import AnswerStatus
from generator.llm.ground import Located
from generator.llm.hearing import Flaw, Heard, wording
from generator.llm.verify import Checked, Reading, Verdict, Verifier
from schema.document import PatientRecord
from schema.value import Evidence, ExtractedValue, Status, Value

_STATUS = {
    AnswerStatus.DOCUMENTED: Status.FOUND,
    AnswerStatus.DENIED: Status.STATED_ABSENT,
    AnswerStatus.OMITTED: Status.ABSENT_BY_OMISSION,
    AnswerStatus.CONFLICTING: Status.CONFLICTING,
    AnswerStatus.SILENT: Status.NOT_MENTIONED,
}
_FLAWED = {
    Flaw.FORM: Status.INVALID,
    Flaw.VALUE: Status.INVALID,
    Flaw.QUOTE: Status.TO_REVIEW,
    Flaw.CUT: Status.TRUNCATED,
    Flaw.TOO_LONG: Status.TRUNCATED,
    Flaw.REFUSED: Status.REFUSED,
    Flaw.UNREACHABLE: Status.SERVER_ERROR,
    Flaw.REJECTED: Status.FAILED,
}


@dataclass(frozen=True, slots=True)
class LlmReading:
    """A value with what its confidence comes from; ``signals`` is None where the model gives no value."""

    value: ExtractedValue
    signals: Signals | None = None


def decide(record: PatientRecord, heard: Mapping[str, Sequence[Heard]], verifier: Verifier) -> list[LlmReading]:
    """One reading for each variable of ``heard``, in its order.

    Args:
        heard: by variable name, at least one sample.
    """
    agreed = {name: _agreed(samples) for name, samples in heard.items()}
    readings = [
        Reading(name, one.value, _status(one), one.quotes)
        for name, (one, _) in agreed.items()
        if one.flaw is None and one.value is not None and _status(one).fills
    ]
    checked = dict(zip((r.variable for r in readings), verifier.check(record, readings), strict=True))
    return [_read(record, name, one, agreement, checked.get(name)) for name, (one, agreement) in agreed.items()]


def _agreed(samples: Sequence[Heard]) -> tuple[Heard, float | None]:
    """What most samples say (Wang et al., Self-Consistency, ICLR 2023), and their share; None of a single sample.

    Of answers given as often, the one of the first sample that gives one of them. A sample that could not be asked
    leaves the whole open: its answer may decide.
    """
    if unheard := next((one for one in samples if one.flaw is Flaw.UNREACHABLE), None):
        return unheard, None
    if len(samples) == 1:
        return samples[0], None
    told = [one for one in samples if one.flaw is None]
    if not told:
        return samples[0], None
    times = Counter(_said(one) for one in told)
    best = max(told, key=lambda one: times[_said(one)])
    return best, times[_said(best)] / len(samples)


def _said(one: Heard) -> tuple[Status, Value | None]:
    return _status(one), one.value


def _status(one: Heard) -> Status:
    assert one.answer is not None
    return _STATUS[one.answer.status]


def _read(record: PatientRecord, name: str, one: Heard, agreement: float | None, checked: Checked | None) -> LlmReading:
    evidence = _evidence(record, one.quotes)
    patient = record.patient_id
    if one.flaw is not None:
        said = wording().explanation[one.flaw]
        candidates = _candidates(one)
        return LlmReading(ExtractedValue(patient, name, _FLAWED[one.flaw], None, 0.0, evidence, candidates, said))
    if checked is None:
        return LlmReading(ExtractedValue(patient, name, _status(one), evidence=evidence))
    signals = Signals(checked.strength, one.probability, agreement)
    sure = confidence(signals)
    if checked.verdict is Verdict.VERIFIED:
        value = ExtractedValue(patient, name, checked.status, one.value, sure, evidence, (), checked.detail)
    else:
        value = ExtractedValue(patient, name, Status.TO_REVIEW, None, sure, evidence, _candidates(one), checked.detail)
    return LlmReading(value, signals)


def _candidates(one: Heard) -> tuple[Value, ...]:
    """The value that the cell does not get: typed, or else as the model wrote it."""
    given = one.value if one.value is not None or one.answer is None else one.answer.value
    return () if given is None else (given,)


def _evidence(record: PatientRecord, quotes: Sequence[Located]) -> tuple[Evidence, ...]:
    """Quotes in the positions of the documents as they were given."""
    documents = {document.document_id: document for document in record.documents}
    found: list[Evidence] = []
    for quote in quotes:
        document = documents[quote.passage.span.document_id]
        span = document.locate(quote.start, quote.end)
        found.append(Evidence(span.document_id, span.start, span.end, document.source_text[span.start : span.end]))
    return tuple(dict.fromkeys(found))
