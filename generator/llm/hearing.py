"""What one answer of a model says of the variables that it was asked for, and what is wrong with it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from generator.confidence import value_probability
from generator.llm.answer import Answer, AnswerStatus, Malformed, NoValue, dates_in, parse_answers, value_of
from generator.llm.engine import Completion
from generator.llm.ground import Located, locate
from generator.rules.text import fold
from schema.document import PatientRecord
from schema.passage import Passage
from schema.value import Value
from schema.variable import Variable


class Flaw(StrEnum):
    """Why an answer cannot be used, or why there is none."""

    FORM = "form"  # not the JSON that was asked for
    VALUE = "value"  # a value that is not one of this variable, or does not go with its status
    QUOTE = "quote"  # none of its quotes stands in a passage
    CUT = "cut"  # longer than it may be
    TOO_LONG = "too_long"  # the question does not fit in the model's context
    REFUSED = "refused"
    UNREACHABLE = "unreachable"  # worth another try, later
    REJECTED = "rejected"  # the server does not take the question

    @property
    def is_mendable(self) -> bool:
        """Whether the model is told what was wrong, once, and asked again."""
        return self in (Flaw.FORM, Flaw.VALUE, Flaw.QUOTE)


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard of one variable.

    Args:
        flaw: what keeps it from being used; None for an answer that can be.
        why: a flaw that can be mended, in words for the model.
        value: typed, where the answer gives one that can be.
        quotes: those that stand in the passages shown, in the answer's order.
        probability: of the value's tokens; None where the server does not tell.
    """

    flaw: Flaw | None
    answer: Answer | None = None
    value: Value | None = None
    quotes: tuple[Located, ...] = ()
    probability: float | None = None
    why: str = ""


class Wording(BaseModel):
    """What is said to the model, and to those who read the table: ``wording.yml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    unquoted: str
    explanation: dict[Flaw, str]
    refusal: tuple[str, ...]


@functools.cache
def wording() -> Wording:
    """The sentences of ``wording.yml``."""
    text = Path(__file__).with_name("wording.yml").read_text(encoding="utf-8")
    return Wording.model_validate(yaml.safe_load(text))


def hear(
    record: PatientRecord, variables: Sequence[Variable], passages: Sequence[Passage], answer: Completion, reason: bool
) -> dict[str, Heard]:
    """What a whole answer says, by variable name.

    Args:
        passages: those that the question showed, in its order.
        reason: the form of answer that was asked for, as given to `answer_schema`.
    """
    told = parse_answers(variables, answer.text, reason)
    heard = {}
    for variable in variables:
        said = told[variable.name]
        if isinstance(said, Malformed):
            heard[variable.name] = Heard(Flaw.REFUSED if _refuses(answer.text) else Flaw.FORM, why=said.reason)
        else:
            probability = value_probability(answer, variable.name if len(variables) > 1 else None)
            heard[variable.name] = _understood(record, variable, passages, said, probability)
    return heard


def _understood(
    record: PatientRecord, variable: Variable, passages: Sequence[Passage], answer: Answer, probability: float | None
) -> Heard:
    if answer.status is AnswerStatus.SILENT:
        return Heard(None, answer)
    found = [locate(quote.text, passages, quote.passage - 1) for quote in answer.quotes]
    quotes = tuple(dict.fromkeys(place for place in found if place is not None))
    documents = {document.document_id: document for document in record.documents}
    dates = [
        dated
        for place in quotes
        for dated in dates_in(documents[place.passage.span.document_id], place.start, place.end)
    ]
    try:
        value = None if answer.status is AnswerStatus.CONFLICTING else value_of(variable, answer, dates)
    except NoValue as error:
        return Heard(Flaw.VALUE, answer, quotes=quotes, why=str(error))
    if not quotes:
        return Heard(Flaw.QUOTE, answer, value, (), probability, wording().unquoted)
    return Heard(None, answer, value, quotes, probability)


def _refuses(text: str) -> bool:
    """Whether a text that is no answer is one of the polite ways to decline."""
    return fold(text).strip(' \n"').startswith(wording().refusal)
