"""Two readers, one answer: the rules and a language model read the same passages.

| the rules read | the model reads | the cell |
|---|---|---|
| a value | the same | that value, both quoted, surer than either |
| a value | another one, borne out | the model is shown both: its choice, borne out; else conflicting, both quoted |
| a value | another one, not borne out; or a conflict | the rules' value, less sure |
| a value | nothing, or no usable answer | the rules' value, as sure as before |
| a conflict | one of its values | that value, as sure as the model was |
| a conflict | a third value | conflicting, all of them |
| nothing | anything | what the model makes of it |
| anything | could not be asked | SERVER_ERROR: the patient is read again with --resume |

The last line does not fall back on the rules: a cell must not depend on when a server was down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Protocol

from generator.arbiter import Dispute, Ruled
from generator.confidence import confidence, with_second
from generator.llm.deciding import LlmReading
from generator.llm.verify import same
from generator.protocol import Generator
from generator.rules.text import fold
from schema.document import PatientRecord
from schema.passage import Passage
from schema.value import Evidence, ExtractedValue, Status, Value
from schema.variable import Variable

_AGREED = "Les règles et le modèle lisent la même valeur."
_UPHELD = "Les deux lecteurs différaient ; mis devant les deux valeurs, le modèle retient celle-ci."
_DISPUTED = "Les règles et le modèle lisent deux valeurs, et rien ne les départage."
_UNBACKED = "Le modèle lit autre chose, sans citation qui le prouve."
_SETTLED = "Les règles hésitaient ; le modèle lit l'une de leurs valeurs."
_UNASKED = "Le modèle n'a pas pu être interrogé."

#: What a cell that neither fills says: the status that tells a person most.
_TELLING = (
    *(Status.CONFLICTING, Status.TO_REVIEW, Status.INVALID, Status.TRUNCATED, Status.REFUSED, Status.FAILED),
    Status.NOT_MENTIONED,
)


class Model(Protocol):
    """A language model that reads, and that can be shown two values; `generator.llm.reader.LlmGenerator` is one."""

    def read(self, record: PatientRecord, passages: Mapping[str, Sequence[Passage]] | None) -> list[LlmReading]:
        """One reading for each variable, in their order."""
        ...

    def arbitrate(
        self,
        record: PatientRecord,
        passages: Mapping[str, Sequence[Passage]] | None,
        disputes: Sequence[Dispute],
    ) -> list[Ruled]:
        """One ruling for each dispute, in their order."""
        ...


class BothGenerator:
    """The rules and a language model. Both are built with ``variables``, in that order."""

    name = "both"

    def __init__(self, variables: Sequence[Variable], rules: Generator, model: Model) -> None:
        self._variables = tuple(variables)
        self._rules = rules
        self._model = model

    def fill(
        self, record: PatientRecord, passages: Mapping[str, Sequence[Passage]] | None = None
    ) -> list[ExtractedValue]:
        """See `generator.protocol.Generator.fill`."""
        told = self._rules.fill(record, passages)
        read = self._model.read(record, passages)
        pairs = list(zip(self._variables, told, read, strict=True))
        disputes = [
            Dispute(variable, (rules, model.value))
            for variable, rules, model in pairs
            if _differ(variable, rules, model)
        ]
        ruled = dict(zip((d.variable.name for d in disputes), self._settle(record, passages, disputes), strict=True))
        return [
            _settled(rules, model, ruled[variable.name]) if variable.name in ruled else _joined(variable, rules, model)
            for variable, rules, model in pairs
        ]

    def _settle(
        self, record: PatientRecord, passages: Mapping[str, Sequence[Passage]] | None, disputes: Sequence[Dispute]
    ) -> list[Ruled]:
        return self._model.arbitrate(record, passages, disputes) if disputes else []


def _differ(variable: Variable, rules: ExtractedValue, model: LlmReading) -> bool:
    """Whether both fill the cell, with values of their own."""
    read = model.value
    return rules.value is not None and read.value is not None and not _same(variable, rules.value, read.value)


def _settled(rules: ExtractedValue, model: LlmReading, ruled: Ruled) -> ExtractedValue:
    """Both fill the cell with values of their own, and the model was shown both."""
    read = replace(model.value, confidence=_with_rules(model, agree=False))
    if ruled.is_open:
        return _unasked(rules, read)
    if ruled.chosen == 0:
        return replace(rules, explanation=_UPHELD)
    if ruled.chosen == 1:
        return replace(read, explanation=_UPHELD)
    doubted = replace(rules, confidence=with_second(rules.confidence, agrees=False))
    return _conflict(*sorted((doubted, read), key=lambda value: -value.confidence))


def _joined(variable: Variable, rules: ExtractedValue, model: LlmReading) -> ExtractedValue:
    """Any other two readings."""
    read = model.value
    if read.status is Status.SERVER_ERROR:
        return _unasked(rules, read)
    if rules.value is not None:
        named = read.candidates[:1] if read.status is Status.TO_REVIEW else ()
        if read.value is not None or any(_same(variable, rules.value, value) for value in named):
            return _agreed(rules, model)
        if named or read.status is Status.CONFLICTING:
            return replace(rules, confidence=with_second(rules.confidence, agrees=False), explanation=_UNBACKED)
        return rules
    if read.value is not None:
        if rules.status is not Status.CONFLICTING:
            return read
        if not any(_same(variable, candidate, read.value) for candidate in rules.candidates):
            return _conflict(read, rules)
        return replace(read, evidence=_merged(read.evidence, rules.evidence), explanation=_SETTLED)
    if rules.status is Status.CONFLICTING and read.status in (Status.CONFLICTING, Status.TO_REVIEW):
        return _conflict(rules, read)
    return min(read, rules, key=lambda value: _TELLING.index(value.status))


def _agreed(rules: ExtractedValue, model: LlmReading) -> ExtractedValue:
    """The rules' value, which the model gives too, in the table or for review."""
    read = model.value
    status = read.status if rules.status is Status.ABSENT_BY_OMISSION and read.status.fills else rules.status
    sure = max(with_second(rules.confidence, agrees=True), _with_rules(model, agree=True))
    evidence = _merged(rules.evidence, read.evidence if read.status.fills else ())
    return replace(rules, status=status, confidence=sure, evidence=evidence, explanation=_AGREED)


def _conflict(first: ExtractedValue, second: ExtractedValue) -> ExtractedValue:
    """A cell left empty with the values and the quotes of both, those of the first before the others."""
    return ExtractedValue(
        patient_id=first.patient_id,
        variable=first.variable,
        status=Status.CONFLICTING,
        confidence=first.confidence,
        evidence=_merged(first.evidence, second.evidence),
        candidates=_named(first, second),
        explanation=_DISPUTED,
    )


def _unasked(rules: ExtractedValue, read: ExtractedValue) -> ExtractedValue:
    """A cell that waits for the server; what the rules read of it is kept to be seen."""
    return replace(
        rules,
        status=Status.SERVER_ERROR,
        value=None,
        confidence=0.0,
        evidence=_merged(rules.evidence, read.evidence),
        candidates=_named(rules, read),
        explanation=_UNASKED,
    )


def _named(*readings: ExtractedValue) -> tuple[Value, ...]:
    """The values that the readings speak of, each once."""
    named = (value for read in readings for value in (read.value, *read.candidates) if value is not None)
    return tuple(dict.fromkeys(named))


def _with_rules(model: LlmReading, agree: bool) -> float:
    """How sure the model's reading is, now that the rules have read the cell too."""
    return 0.0 if model.signals is None else confidence(replace(model.signals, second=agree))


def _merged(first: Sequence[Evidence], second: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """In turn from both, those of the first before; a quote inside one that is kept is not said again."""
    kept: list[Evidence] = []
    for quote in _in_turn(first, second):
        if not any(_holds(other, quote) for other in kept):
            kept = [other for other in kept if not _holds(quote, other)] + [quote]
    return tuple(kept)


def _in_turn(first: Iterable[Evidence], second: Iterable[Evidence]) -> Iterable[Evidence]:
    return (quote for pair in zip_longest(first, second) for quote in pair if quote is not None)


def _holds(outer: Evidence, inner: Evidence) -> bool:
    return outer.document_id == inner.document_id and outer.start <= inner.start and inner.end <= outer.end


def _same(variable: Variable, one: Value, other: Value) -> bool:
    """Whether two values say the same; words in any spelling of case, accents and blanks."""
    if isinstance(one, str) and isinstance(other, str) and not variable.choices:
        return fold(one).split() == fold(other).split()
    return same(variable, one, other)
