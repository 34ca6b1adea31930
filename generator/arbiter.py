"""Two readers differ: a language model is shown both values with their quotes, and its choice must be borne out.

It is asked twice, each value standing first once, since models prefer a place (Zheng et al., Judging LLM-as-a-Judge,
NeurIPS 2023). Nothing is settled unless it chooses the same value both times and the quotes that it gives say that
value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from generator.llm.answer import Quote
from generator.llm.arbitration import (
    Candidate,
    Ruling,
    arbitration_schema,
    messages_for_arbitration,
    parse_arbitration,
)
from generator.llm.engine import Completion, Engine, Fault, Finish, NoAnswer, Request
from generator.llm.ground import Located, locate
from generator.llm.layout import Readable
from generator.llm.prompt import PromptStyle
from generator.llm.settings import Context, LlmSettings
from generator.llm.verdict import Verdict
from generator.llm.verify import Reading, Verifier
from schema.document import PatientRecord
from schema.passage import Passage
from schema.value import ExtractedValue
from schema.variable import Variable

#: Quotes of each value that are shown.
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Dispute:
    """Two readings of one variable that both fill its cell, with different values."""

    variable: Variable
    readings: tuple[ExtractedValue, ExtractedValue]


@dataclass(frozen=True, slots=True)
class Ruled:
    """What became of a dispute.

    Args:
        chosen: 0 or 1, the reading that is upheld; None: neither.
        is_open: the model could not be asked: worth another try.
    """

    chosen: int | None = None
    is_open: bool = False


class Arbiter:
    """Settles the disputes of one patient."""

    def __init__(
        self, engine: Engine, settings: LlmSettings, verifier: Verifier, record: PatientRecord, readable: Readable
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._style = PromptStyle(settings.style)
        self._verifier = verifier
        self._record = record
        self._readable = readable

    def settle(self, disputes: Sequence[Dispute]) -> list[Ruled]:
        """One ruling for each dispute, in their order."""
        shared = self._settings.context is not Context.VARIABLE and not self._readable.is_whole
        asked = [(dispute, self._passages(dispute, shared)) for dispute in disputes]
        answers = self._ask(asked)
        if shared and self._settings.context is Context.AUTO:
            long = [place for place, pair in enumerate(answers) if any(map(_is_too_long, pair))]
            for place in long:
                asked[place] = (disputes[place], self._passages(disputes[place], shared=False))
            for place, pair in zip(long, self._ask([asked[place] for place in long]), strict=True):
                answers[place] = pair
        return [self._ruled(*of, pair) for of, pair in zip(asked, answers, strict=True)]

    def _passages(self, dispute: Dispute, shared: bool) -> tuple[Passage, ...]:
        most = self._readable.most
        layout = self._readable.shared(most) if shared else self._readable.own((dispute.variable,), most)
        return layout.passages

    def _ask(
        self, asked: Sequence[tuple[Dispute, tuple[Passage, ...]]]
    ) -> list[tuple[Completion | NoAnswer, Completion | NoAnswer]]:
        requests = []
        for dispute, passages in asked:
            first, second = (_candidate(reading, passages) for reading in dispute.readings)
            for shown in ((first, second), (second, first)):
                messages = messages_for_arbitration(self._style, passages, dispute.variable, shown)
                requests.append(Request(messages, arbitration_schema(), self._settings.max_tokens))
        answers = self._engine.complete(requests) if requests else []
        return list(zip(answers[::2], answers[1::2], strict=True))

    def _ruled(
        self,
        dispute: Dispute,
        passages: Sequence[Passage],
        answers: tuple[Completion | NoAnswer, Completion | NoAnswer],
    ) -> Ruled:
        if any(isinstance(answer, NoAnswer) and answer.is_passing for answer in answers):
            return Ruled(is_open=True)
        first, second = (_ruling(dispute.variable, answer) for answer in answers)
        if first is None or second is None or first.chosen is None or second.chosen != 1 - first.chosen:
            return Ruled()
        upheld = dispute.readings[first.chosen]
        found = (locate(quote.text, passages, quote.passage - 1) for quote in (*first.quotes, *second.quotes))
        quotes = tuple(dict.fromkeys(place for place in found if place is not None))
        return Ruled(first.chosen) if self._is_borne_out(upheld, quotes) else Ruled()

    def _is_borne_out(self, upheld: ExtractedValue, quotes: tuple[Located, ...]) -> bool:
        if not quotes or upheld.value is None:
            return False
        (checked,) = self._verifier.check(self._record, [Reading(upheld.variable, upheld.value, upheld.status, quotes)])
        return checked.verdict is Verdict.VERIFIED


def _candidate(reading: ExtractedValue, passages: Sequence[Passage]) -> Candidate:
    """The value with its first quotes that stand in a passage, by the passage's number."""
    numbers = {passage.span: number for number, passage in enumerate(passages, start=1)}
    quotes = []
    for evidence in reading.evidence:
        held = [passage for passage in passages if passage.span.document_id == evidence.document_id]
        if (place := locate(evidence.quote, held, None)) is not None:
            quotes.append(Quote(numbers[place.passage.span], place.text))
    return Candidate(reading.value, tuple(dict.fromkeys(quotes))[:_SHOWN])


def _ruling(variable: Variable, answer: Completion | NoAnswer) -> Ruling | None:
    if isinstance(answer, NoAnswer) or answer.finish is not Finish.STOP:
        return None
    return parse_arbitration(variable, answer.text)


def _is_too_long(answer: Completion | NoAnswer) -> bool:
    return isinstance(answer, NoAnswer) and answer.fault is Fault.TOO_LONG
