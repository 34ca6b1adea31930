"""The main path of the language model: passages -> questions -> answers -> quotes -> values that they bear out."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from generator.arbiter import Arbiter, Dispute, Ruled
from generator.llm.asking import Asking
from generator.llm.deciding import LlmReading, decide
from generator.llm.engine import Engine
from generator.llm.hearing import Flaw, Heard
from generator.llm.layout import Readable
from generator.llm.prompt import PromptStyle
from generator.llm.settings import LlmSettings
from generator.llm.verify import Verifier
from generator.llm.whole import Mentions, whole_record
from schema.document import PatientRecord
from schema.passage import Passage
from schema.problem import InputError
from schema.study import Study
from schema.value import ExtractedValue
from schema.variable import Variable


class LlmGenerator:
    """Asks a language model, and believes it only as far as its quotes go. Picklable.

    Args:
        open_engine: opens what answers, in the process that reads, at the first patient. Where it raises InputError,
            the patient's cells are SERVER_ERROR, and the next patient tries again.
        open_mentions: opens what names the concepts of a document, there too; None: a whole record is shown without.

    Raises:
        InputError: the style of the prompt is missing or faulty.
        ValueError: the study names a lexicon concept that does not exist.
    """

    name = "llm"

    def __init__(
        self,
        variables: Sequence[Variable],
        study: Study,
        settings: LlmSettings,
        open_engine: Callable[[], Engine],
        open_mentions: Callable[[], Mentions] | None = None,
    ) -> None:
        self._given = (tuple(variables), study, settings, open_engine, open_mentions)
        self._variables = tuple(variables)
        self._verifier = Verifier(variables, study)
        self._settings = settings
        self._open_engine = open_engine
        self._open_mentions = open_mentions if settings.concepts else None
        PromptStyle(settings.style)  # said at once, not at the first patient
        self._engine: Engine | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._given  # what was opened stays in its process

    def fill(
        self, record: PatientRecord, passages: Mapping[str, Sequence[Passage]] | None = None
    ) -> list[ExtractedValue]:
        """See `generator.protocol.Generator.fill`.

        Where the settings have the questions of a patient share one record, each shows the passages of all variables,
        and names those that were found for its own.
        """
        return [reading.value for reading in self.read(record, passages)]

    def read(self, record: PatientRecord, passages: Mapping[str, Sequence[Passage]] | None = None) -> list[LlmReading]:
        """As `fill`, each value with its signals."""
        return decide(record, self._ask(record, passages), self._verifier)

    def arbitrate(
        self,
        record: PatientRecord,
        passages: Mapping[str, Sequence[Passage]] | None,
        disputes: Sequence[Dispute],
    ) -> list[Ruled]:
        """Shows the model the two values of each dispute; ``passages`` are those that both were read in."""
        engine = self._opened()
        if engine is None:
            return [Ruled(is_open=True) for _ in disputes]
        readable = self._readable(record, passages)
        return Arbiter(engine, self._settings, self._verifier, record, readable).settle(disputes)

    def _ask(
        self, record: PatientRecord, passages: Mapping[str, Sequence[Passage]] | None
    ) -> Mapping[str, Sequence[Heard]]:
        engine = self._opened()
        if engine is None:
            return {variable.name: (Heard(Flaw.UNREACHABLE),) for variable in self._variables}
        return Asking(engine, self._settings, record, self._readable(record, passages)).ask(self._variables)

    def _readable(self, record: PatientRecord, passages: Mapping[str, Sequence[Passage]] | None) -> Readable:
        whole = whole_record(record, self._mentions) if passages is None else ()
        return Readable(passages, whole, self._settings.concepts)

    def _opened(self) -> Engine | None:
        """The engine, opened once; None while it does not open."""
        if self._engine is None:
            try:
                self._engine = self._open_engine()
            except InputError:
                return None
            weakref.finalize(self, self._engine.close)
        return self._engine

    @functools.cached_property
    def _mentions(self) -> Mentions | None:
        return self._open_mentions() if self._open_mentions else None
