"""Two readings of one variable shown to a model, which says which of them the passages support, or neither."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from generator.llm.answer_form import Quote, arbitration_form, written_value
from generator.llm.engine import Message
from generator.llm.prompt import PromptStyle, variable_in_words
from schema.passage import Passage
from schema.value import Value
from schema.variable import Variable

_LETTERS = ("A", "B")
_NEITHER = "aucune"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of the two readings: its value (None: it says that nothing is documented) and the words that it cites."""

    value: Value | None
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the model decides.

    Args:
        chosen: 0 or 1, the candidate in the order given to `messages_for_arbitration`; None: neither.
    """

    chosen: int | None
    quotes: tuple[Quote, ...] = ()


def messages_for_arbitration(
    style: PromptStyle,
    passages: Sequence[Passage],
    variable: Variable,
    candidates: tuple[Candidate, Candidate],
    seed: int = 0,
) -> tuple[Message, ...]:
    """The messages that ask which of two readings is right; they share their beginning with the patient's questions.

    Args:
        seed: draws, with the variable's name, which candidate is shown first: models prefer a place.
    """
    shown = [
        {
            "letter": letter,
            "value": _shown_value(variable, candidates[index].value),
            "quotes": [
                {"passage": quote.passage, "text": style.shown(" ".join(quote.text.split()))}
                for quote in candidates[index].quotes
            ],
        }
        for letter, index in zip(_LETTERS, _order(variable, seed), strict=True)
    ]
    question = style.opened.render("arbitrate.j2", v=variable_in_words(variable), candidates=shown)
    user = style.record(passages) + question
    return Message("system", style.system().strip()), Message("user", user.strip())


def arbitration_schema() -> str:
    """The JSON schema of the answer, as canonical text."""
    return json.dumps(arbitration_form([*_LETTERS, _NEITHER]), ensure_ascii=False, separators=(",", ":"))


def parse_arbitration(variable: Variable, text: str, seed: int = 0) -> Ruling | None:
    """What was decided, by the seed of the question; None for an answer that cannot be read. Never raises."""
    try:
        given = _Given.model_validate_json(text.strip())
    except (ValidationError, ValueError):
        return None
    quotes = tuple(Quote(quote.passage, quote.texte) for quote in given.citations)
    if given.choix == _NEITHER:
        return Ruling(None, quotes)
    return Ruling(_order(variable, seed)[_LETTERS.index(given.choix)], quotes)


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)


class _Quoted(_Strict):
    passage: int
    texte: str


class _Given(_Strict):
    citations: list[_Quoted]
    raison: str
    choix: Literal["A", "B", "aucune"]


def _order(variable: Variable, seed: int) -> tuple[int, int]:
    first = random.Random(f"{seed} {variable.name}").randrange(2)  # noqa: S311 (which is shown first, no secret)
    return first, 1 - first


def _shown_value(variable: Variable, value: Value | None) -> str:
    if value is None:
        return "non documenté"
    written = written_value(variable, value)
    return json.dumps(list(written) if isinstance(written, tuple) else written, ensure_ascii=False)
