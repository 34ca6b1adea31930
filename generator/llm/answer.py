"""What a model answered, read strictly: an `Answer`, or what is wrong with it, said so that the model can mend it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from generator.llm.answer_form import (
    DATE_LENGTH,
    NUMBERS,
    QUOTE_LENGTH,
    QUOTES,
    REASON_LENGTH,
    UNIT_LENGTH,
    Answer,
    AnswerStatus,
    Quote,
    answer_schema,
    answer_text,
    asks_unit,
    choice_labels,
    value_pattern,
    written_value,
)
from generator.llm.answer_value import Dated, NoValue, dates_in, no_codes, value_of
from schema.variable import Variable, VariableKind

__all__ = [
    "Answer",
    "AnswerStatus",
    "Dated",
    "Malformed",
    "NoValue",
    "Quote",
    "answer_schema",
    "answer_text",
    "choice_labels",
    "dates_in",
    "no_codes",
    "parse_answers",
    "value_of",
    "written_value",
]

#: No quantity of a table is larger.
_HUGE = 1e12


@dataclass(frozen=True, slots=True)
class Malformed:
    """An answer that cannot be used. ``reason`` is in French, for the model or the reader; it holds no patient text."""

    variable: str
    reason: str


def parse_answers(variables: Sequence[Variable], text: str, reason: bool = True) -> dict[str, Answer | Malformed]:
    """Read the answer to a question, one entry for each variable asked, by name. Never raises.

    Args:
        variables: those of the question, in its order: one gives a bare answer, several an object of answers.
        reason: the form that was asked for, as given to `answer_schema`.
    """
    content = _load(text)
    if isinstance(content, str):
        return {variable.name: Malformed(variable.name, content) for variable in variables}
    if len(variables) == 1:
        return {variables[0].name: _answer(variables[0], content, reason)}
    return {variable.name: _of_group(variable, content, reason) for variable in variables}


class _Keys(dict[str, Any]):
    """An object of the JSON text, with the keys that it gives more than once."""

    repeated: frozenset[str] = frozenset()


def _keys(pairs: list[tuple[str, Any]]) -> _Keys:
    keys = _Keys(pairs)
    if len(keys) < len(pairs):
        keys.repeated = frozenset(key for key in keys if sum(key == other for other, _ in pairs) > 1)
    return keys


def _integer(digits: str) -> float:
    return int(digits) if len(digits) < 20 else math.inf


def _load(text: str) -> _Keys | str:
    """The object that a text holds, or what is wrong with it."""
    bare = text.strip()
    if not bare:
        return "la réponse est vide"
    if bare.startswith("```"):
        return "la réponse doit être l'objet JSON seul, sans balise de code"
    if not bare.startswith("{"):
        return "la réponse doit être l'objet JSON seul, sans texte avant"
    try:
        # Not strict: grammars let a tab through in a string.
        content = json.loads(
            bare, strict=False, object_pairs_hook=_keys, parse_int=_integer, parse_constant=lambda _: math.nan
        )
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            return "la réponse doit être l'objet JSON seul, sans texte après"
        if error.pos >= len(bare) or error.msg.startswith("Unterminated"):
            return "l'objet JSON est coupé avant sa fin"
        return f"ce n'est pas du JSON valide (caractère {error.pos})"
    except RecursionError:
        return "ce n'est pas l'objet JSON attendu"
    return content if isinstance(content, _Keys) else "ce n'est pas l'objet JSON attendu"


def _of_group(variable: Variable, content: _Keys, reason: bool) -> Answer | Malformed:
    if variable.name not in content:
        return Malformed(variable.name, "la réponse à cette variable manque")
    if variable.name in content.repeated:
        return Malformed(variable.name, "cette variable est donnée deux fois")
    return _answer(variable, content[variable.name], reason)


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)


class _Quoted(_Strict):
    passage: Annotated[int, Field(ge=1, le=9999)]
    texte: Annotated[str, Field(min_length=1, max_length=QUOTE_LENGTH)]


class _Given(_Strict):
    citations: Annotated[list[_Quoted], Field(max_length=QUOTES)]
    raison: str = ""
    statut: str
    valeur: float | str | list[str] | None
    unité: Annotated[str, Field(min_length=1, max_length=UNIT_LENGTH)] | None = None


#: pydantic's error types, as a model is told of them.
_FAULTS = {
    "missing": "manque",
    "extra_forbidden": "n'est pas attendue",
    "too_long": "a trop d'éléments",
    "string_too_long": "est trop longue",
    "string_too_short": "est vide",
}
_KNOWN_KEYS = ("citations", "passage", "texte", "raison", "statut", "valeur", "unité")


def _answer(variable: Variable, content: Any, reason: bool) -> Answer | Malformed:
    fault = _fault_of_keys(variable, content, reason)
    if fault:
        return Malformed(variable.name, fault)
    try:
        given = _Given.model_validate(dict(content))
        status = AnswerStatus(given.statut)
    except ValidationError as error:
        return Malformed(variable.name, _in_french(error))
    except ValueError:
        return Malformed(variable.name, "« statut » n'est pas un des statuts permis")
    value = tuple(dict.fromkeys(given.valeur)) if isinstance(given.valeur, list) else given.valeur
    if isinstance(value, float) and value.is_integer() and variable.kind is VariableKind.INTEGER:
        value = int(value)
    fault = _fault_of_value(variable, value, reason) or _fault_of_status(variable, status, value, given.citations)
    if fault:
        return Malformed(variable.name, fault)
    return Answer(
        variable=variable.name,
        status=status,
        value=value,
        unit=(given.unité or "") if asks_unit(variable, reason) else None,
        quotes=tuple(Quote(quote.passage, quote.texte) for quote in given.citations),
        reason=given.raison[:REASON_LENGTH],
    )


def _fault_of_keys(variable: Variable, content: Any, reason: bool) -> str:
    if not isinstance(content, _Keys):
        return "ce n'est pas l'objet JSON attendu"
    wanted = ["citations", *(["raison"] if reason else []), "statut", "valeur"]
    wanted += ["unité"] if asks_unit(variable, reason) else []
    if missing := next((key for key in wanted if key not in content), ""):
        return f"la clé « {missing} » manque"
    if len(content) > len(wanted):
        return "une clé n'est pas attendue"
    quotes = content["citations"] if isinstance(content["citations"], list) else []
    if content.repeated or any(getattr(quote, "repeated", ()) for quote in quotes):
        return "une clé est donnée deux fois"
    if not _is_text(content):
        return "un caractère ne peut pas être écrit"
    return ""


def _is_text(content: _Keys) -> bool:
    """Whether every string can be written: half a surrogate pair cannot."""
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _in_french(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    key = next((part for part in reversed(first["loc"]) if part in _KNOWN_KEYS), "citations")
    return f"« {key} » {_FAULTS.get(first['type'], 'n’a pas le type attendu')}"


def _fault_of_value(variable: Variable, value: Any, reason: bool) -> str:
    if value is None:
        return ""
    if variable.kind is VariableKind.CHECKBOX:
        known = isinstance(value, tuple) and set(value) <= choice_labels(variable).keys()
        return "" if known else "« valeur » doit être une liste des choix permis, écrits exactement"
    if labels := choice_labels(variable):
        return (
            "" if isinstance(value, str) and value in labels else "« valeur » doit être un des choix, écrit exactement"
        )
    if variable.kind in NUMBERS:
        return _fault_of_number(variable, value, reason)
    if not isinstance(value, str) or not value.strip():
        return "« valeur » doit être un texte"
    pattern = value_pattern(variable, reason)
    longest = DATE_LENGTH if variable.kind in (VariableKind.DATE, VariableKind.DATETIME) else QUOTE_LENGTH
    if pattern and not re.fullmatch(pattern, value):
        return "« valeur » n'a pas le format attendu"
    return "" if len(value) <= longest else "« valeur » est trop longue"


def _fault_of_number(variable: Variable, value: Any, reason: bool) -> str:
    if isinstance(value, str | tuple):
        return "« valeur » doit être un nombre"
    if not math.isfinite(value) or abs(value) > _HUGE:
        return "« valeur » n'est pas un nombre possible"
    whole = variable.kind is VariableKind.INTEGER and not asks_unit(variable, reason)
    return "« valeur » doit être un nombre entier" if whole and value != int(value) else ""


def _fault_of_status(variable: Variable, status: AnswerStatus, value: Any, quotes: Sequence[_Quoted]) -> str:
    if status is AnswerStatus.SILENT:
        return "" if value is None else "« non documenté » va avec une valeur nulle"
    if not quotes:
        return f"« {status.value} » demande au moins une citation"
    if status is AnswerStatus.CONFLICTING:
        return "" if value is None else "« contradictoire » va avec une valeur nulle et des citations"
    if status is AnswerStatus.DOCUMENTED:
        return "« documenté » demande une valeur" if value is None else ""
    if value is None:
        return ""
    labels = choice_labels(variable)
    codes = {labels.get(label) for label in (value if isinstance(value, tuple) else (value,))} if labels else {None}
    return "" if codes <= set(no_codes(variable)) else f"« {status.value} » ne va pas avec cette valeur"
