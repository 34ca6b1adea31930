"""The answer that a model must give: its JSON schema, made from the variables, and how it is read.

Keys are in French, as the prompts are, and stand in the order of thought: quotes, then reason, then status, then value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from schema.variable import Variable, VariableKind

#: Characters of a quote, and of a reason, at most: an answer must end.
QUOTE_LENGTH = 300
REASON_LENGTH = 160
#: Quotes of one answer, at most.
QUOTES = 3

_NUMBERS = (VariableKind.INTEGER, VariableKind.NUMBER)
_PATTERNS = {
    VariableKind.DATE: r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    VariableKind.DATETIME: r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}$",
    VariableKind.TIME: r"^[0-9]{2}:[0-9]{2}$",
}


class AnswerStatus(StrEnum):
    """What a model says of a variable."""

    DOCUMENTED = "documenté"
    DENIED = "exclu"  # the record says no
    OMITTED = "omis"  # a list that would name it does not
    CONFLICTING = "contradictoire"
    SILENT = "non documenté"


@dataclass(frozen=True, slots=True)
class Quote:
    """Words that a model says it read in a passage, by the passage's number in the prompt."""

    passage: int
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says of one variable, not yet believed.

    Args:
        value: as the schema makes it: a number, text, a choice's label, a list of labels; None when there is none.
        unit: the unit that the model read, "" when it gives none.
    """

    variable: str
    status: AnswerStatus
    value: float | str | tuple[str, ...] | None
    unit: str = ""
    quotes: tuple[Quote, ...] = ()
    reason: str = ""


def answer_schema(variables: Sequence[Variable], reason: bool = True) -> str:
    """The JSON schema of the answer to one question: of one variable, or of several by their names; canonical text."""
    if len(variables) == 1:
        schema = _schema_of(variables[0], reason)
    else:
        schema = _object({variable.name: _schema_of(variable, reason) for variable in variables})
    return json.dumps(schema, ensure_ascii=False, separators=(",", ":"))


def answer_text(answers: Mapping[str, Answer], reason: bool = True) -> str:
    """The JSON text that a perfect model would write: what examples and tuning show."""
    written = {name: _written(answer, reason) for name, answer in answers.items()}
    content: Any = next(iter(written.values())) if len(written) == 1 else written
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _written(answer: Answer, reason: bool) -> dict[str, Any]:
    content: dict[str, Any] = {"citations": [{"passage": q.passage, "texte": q.text} for q in answer.quotes]}
    if reason:
        content["raison"] = answer.reason
    content["statut"] = answer.status.value
    content["valeur"] = list(answer.value) if isinstance(answer.value, tuple) else answer.value
    if answer.unit:
        content["unité"] = answer.unit
    return content


def _schema_of(variable: Variable, reason: bool) -> dict[str, Any]:
    quote = _object(
        {
            "passage": {"type": "integer", "minimum": 1},
            "texte": {"type": "string", "minLength": 1, "maxLength": QUOTE_LENGTH},
        }
    )
    parts: dict[str, Any] = {"citations": {"type": "array", "items": quote, "maxItems": QUOTES}}
    if reason:
        parts["raison"] = {"type": "string", "maxLength": REASON_LENGTH}
    parts["statut"] = {"enum": [status.value for status in AnswerStatus]}
    parts["valeur"] = _value_schema(variable)
    return _object(parts)


def _value_schema(variable: Variable) -> dict[str, Any]:
    null = {"type": "null"}
    if variable.choices and variable.kind is not VariableKind.CHECKBOX:
        return {"enum": [*(choice.label for choice in variable.choices), None]}
    if variable.kind is VariableKind.CHECKBOX:
        labels = {"enum": [choice.label for choice in variable.choices]}
        return {"anyOf": [{"type": "array", "items": labels, "maxItems": len(variable.choices)}, null]}
    if variable.kind in _NUMBERS:
        return {"anyOf": [{"type": "number"}, null]}
    if pattern := _PATTERNS.get(variable.kind):
        return {"anyOf": [{"type": "string", "pattern": pattern}, null]}
    return {"anyOf": [{"type": "string", "minLength": 1, "maxLength": QUOTE_LENGTH}, null]}


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
