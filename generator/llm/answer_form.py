"""The answer that a model must give: what it holds, its JSON schema made from the variables, its text.

Keys are in French, as the prompts are, and stand in the order of thought: quotes, then reason, then status, then value.
Schemas keep to what xgrammar compiles at once: free text has no length there. Bounding a string (``maxLength``, a
repeat in a pattern) costs seconds for each schema and milliseconds for each token, and with ``maxLength`` a string may
hold no escape, so that a quote with `"` in it could not be written. The length of the answer bounds it, and
`generator.llm.answer.parse_answers`.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from schema.value import Value
from schema.variable import Variable, VariableKind

#: Characters of a quote, of a reason and of a unit, at most: an answer must end.
QUOTE_LENGTH = 300
REASON_LENGTH = 160
UNIT_LENGTH = 20
#: Quotes of one answer, at most.
QUOTES = 3
#: Characters of a date, as a number or as words that the document uses ("il y a 3 jours").
DATE_LENGTH = 40

NUMBERS = (VariableKind.INTEGER, VariableKind.NUMBER)
_DAYS = (VariableKind.DATE, VariableKind.DATETIME)
#: Digits of an integer without bounds. Bounds only set how many may be written: a value that they forbid must still be
#: said, to be refused later, where a grammar would bend it into another value.
_DIGITS = 9
_TEXT = {"type": "string"}
_DAY, _CLOCK, _SECONDS = "[0-9]{4}-[0-9]{2}-[0-9]{2}", "[0-9]{2}:[0-9]{2}", ":[0-9]{2}"
_FIXED_LABELS = {VariableKind.YESNO: ("Oui", "Non"), VariableKind.TRUEFALSE: ("Vrai", "Faux")}


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
        unit: the unit that the model read; "" when the passages give none, None when it was not asked for one.
    """

    variable: str
    status: AnswerStatus
    value: float | str | tuple[str, ...] | None
    unit: str | None = None
    quotes: tuple[Quote, ...] = ()
    reason: str = ""


def choice_labels(variable: Variable) -> dict[str, str]:
    """How an answer names each choice → its code. Labels that two choices share have their code after them."""
    if not variable.choices and (fixed := _FIXED_LABELS.get(variable.kind)):
        return dict(zip(fixed, ("1", "0"), strict=True))
    named = [(" ".join(choice.label.split()), choice.code) for choice in variable.choices]
    shared = Counter(label for label, _ in named)
    labels = {(label if shared[label] == 1 else f"{label} ({code})"): code for label, code in named if label}
    labels |= {code: code for label, code in named if not label}
    return labels if len(labels) == len(named) else {f"{label} ({code})".strip(): code for label, code in named}


def written_value(variable: Variable, value: Value) -> float | str | tuple[str, ...]:
    """A typed value as an answer writes it: labels for codes, years first; `value_of` takes it back."""
    labels = {code: label for label, code in choice_labels(variable).items()}
    match value:
        case tuple():
            return tuple(labels[code] for code in value)
        case dt.datetime():
            return value.isoformat(sep=" ", timespec="seconds" if variable.seconds else "minutes")
        case dt.time():
            return value.isoformat(timespec="seconds" if variable.seconds else "minutes")
        case dt.date():
            return value.isoformat()
        case str():
            return labels.get(value, value) if labels else value
        case _:
            return value


def answer_schema(variables: Sequence[Variable], reason: bool = True) -> str:
    """The JSON schema of the answer to one question: of one variable, or of several by their names; canonical text.

    Args:
        reason: the full form, with a reason and, where the variable has one, the unit read.
    """
    if len(variables) == 1:
        schema = _schema_of(variables[0], reason)
    else:
        schema = _object({variable.name: _schema_of(variable, reason) for variable in variables})
    return json.dumps(schema, ensure_ascii=False, separators=(",", ":"))


def arbitration_form(choices: Sequence[str]) -> dict[str, Any]:
    """The JSON schema of an answer that chooses between readings."""
    return _object({"citations": _quotes(), "raison": _TEXT, "choix": {"enum": list(choices)}})


def answer_text(answers: Mapping[str, Answer], reason: bool = True) -> str:
    """The JSON text that a perfect model would write: what examples and tuning show."""
    written = {name: _written(answer, reason) for name, answer in answers.items()}
    content: Any = next(iter(written.values())) if len(written) == 1 else written
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def asks_unit(variable: Variable, reason: bool) -> bool:
    """Whether the answer of a variable holds the unit read."""
    return reason and bool(variable.unit) and variable.kind in NUMBERS


def value_pattern(variable: Variable, reason: bool) -> str:
    """The form of a date or time, as a regular expression; "" for text, which is free.

    In the full form a day may also be given in the document's own words, which the program reads itself.
    """
    seconds = f"({_SECONDS})?" if variable.seconds else ""
    if variable.kind is VariableKind.TIME:
        return f"^{_CLOCK}{seconds}$"
    if reason or variable.kind not in _DAYS:
        return ""
    return f"^{_DAY}$" if variable.kind is VariableKind.DATE else f"^{_DAY} {_CLOCK}{seconds}$"


def _written(answer: Answer, reason: bool) -> dict[str, Any]:
    content: dict[str, Any] = {"citations": [{"passage": q.passage, "texte": q.text} for q in answer.quotes]}
    if reason:
        content["raison"] = answer.reason
    content["statut"] = answer.status.value
    content["valeur"] = list(answer.value) if isinstance(answer.value, tuple) else answer.value
    if reason and answer.unit is not None:
        content["unité"] = answer.unit or None
    return content


def _schema_of(variable: Variable, reason: bool) -> dict[str, Any]:
    parts = {"citations": _quotes()}
    if reason:
        parts["raison"] = _TEXT
    parts["statut"] = {"enum": [status.value for status in AnswerStatus]}
    parts["valeur"] = _value_schema(variable, reason)
    if asks_unit(variable, reason):
        parts["unité"] = _or_null(_TEXT)
    return _object(parts)


def _quotes() -> dict[str, Any]:
    quote = _object({"passage": {"type": "integer", "minimum": 1, "maximum": 9999}, "texte": _TEXT})
    return {"type": "array", "items": quote, "maxItems": QUOTES}


def _value_schema(variable: Variable, reason: bool) -> dict[str, Any]:
    labels = list(choice_labels(variable))
    if variable.kind is VariableKind.CHECKBOX:
        return _or_null({"type": "array", "items": {"enum": labels}, "maxItems": len(labels)})
    if labels:
        return {"enum": [*labels, None]}
    if variable.kind in NUMBERS:
        whole = variable.kind is VariableKind.INTEGER and not asks_unit(variable, reason)
        return _or_null(_whole(variable) if whole else {"type": "number"})
    if pattern := value_pattern(variable, reason):
        return _or_null({"type": "string", "pattern": pattern})
    return _or_null(_TEXT)


def _whole(variable: Variable) -> dict[str, Any]:
    wholes = [re.split("[.,]", bound.lstrip("+-"))[0] for bound in (variable.minimum, variable.maximum) if bound]
    digits = max(map(len, wholes)) if len(wholes) == 2 else _DIGITS
    limit = 10**digits - 1
    return {"type": "integer", "minimum": -limit if _may_be_negative(variable) else 0, "maximum": limit}


def _may_be_negative(variable: Variable) -> bool:
    return variable.minimum is None or variable.minimum.lstrip().startswith("-")


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
