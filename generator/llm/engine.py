"""What a language model is asked and what it answers, whatever serves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Request:
    """One answer that is asked for.

    Args:
        schema: JSON schema of the answer, as canonical JSON text; decoding is constrained by it.
        max_tokens: the answer is cut there.
        sample: 0 is the likeliest answer (temperature 0); from 1 on, answers drawn with this number as their seed.
    """

    messages: tuple[Message, ...]
    schema: str
    max_tokens: int
    sample: int = 0


class Finish(StrEnum):
    """Why an answer ended."""

    STOP = "stop"
    LENGTH = "length"  # cut: what there is of it is no answer
    REFUSED = "refused"  # filtered or declined


@dataclass(frozen=True, slots=True)
class Token:
    """A token of an answer and the natural logarithm of its probability."""

    text: str
    logprob: float


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer. ``"".join(token.text for token in tokens) == text`` where tokens are given."""

    text: str
    finish: Finish
    tokens: tuple[Token, ...] = ()
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Fault(StrEnum):
    """Why there is no answer."""

    UNREACHABLE = "unreachable"  # no server, or it died: worth another try
    OVERLOADED = "overloaded"  # 429, 500, 503: worth another try
    TIMEOUT = "timeout"  # worth another try
    TOO_LONG = "too_long"  # prompt and answer do not fit in the model's context
    REJECTED = "rejected"  # the server does not take the request: another try gives the same


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """A request without an answer, after the tries that were worth it. ``detail`` holds no text of a document."""

    fault: Fault
    detail: str = ""

    @property
    def is_passing(self) -> bool:
        """Whether the same request may be answered later."""
        return self.fault in (Fault.UNREACHABLE, Fault.OVERLOADED, Fault.TIMEOUT)


class Engine(Protocol):
    """Answers requests. Safe to use from one thread at a time; opened in the process that uses it."""

    #: Model and revision: all that decides the answers, beside the requests.
    name: str
    #: Tokens that a prompt and its answer may take together.
    context: int

    def complete(self, requests: Sequence[Request]) -> list[Completion | NoAnswer]:
        """One answer for each request, in their order. They are sent together, so that the server can batch them."""
        ...

    def close(self) -> None:
        """Free what was opened."""
        ...
