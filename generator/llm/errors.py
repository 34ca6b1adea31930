"""What went wrong with a request to a server: the one place where errors of the openai client become our faults.

The words of a server's error may quote the prompt: only its status, type and parameter are kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import httpx
import openai

from generator.llm.engine import Fault, NoAnswer

#: Tries of a request that a living server fails to answer: beyond, it is the request that breaks the server.
_TRIES = 10
#: Tries of a request that takes too long.
_SLOW_TRIES = 3
#: The longest pause that a server may ask for. Seconds.
_LONGEST_WAIT = 60.0

_OVERLOADED = (425, 429, 500, 502, 503, 504)
#: A gateway says so when what it stands for is away.
_AWAY = (502, 503, 504)
#: vLLM names the parameter, others say it in words.
_TOO_LONG_PARAMETERS = ("input_tokens", "max_tokens", "max_completion_tokens")
_TOO_LONG_WORDS = re.compile(r"context.(length|size|window)|max_model_len|too (long|large|many tokens)", re.IGNORECASE)


class MalformedReplyError(Exception):
    """The server answered with something that is no chat completion."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request has no answer yet, and whether another try is worth it.

    Args:
        tries: tries that are worth it, this one included; None: as many as patience allows.
        is_down: the server itself may be away: nothing else need be asked before it is back.
        wait: seconds that the server asks to be left alone; None when it does not say.
    """

    answer: NoAnswer
    tries: int | None = 1
    is_down: bool = False
    wait: float | None = None


def translate(error: Exception) -> Failure:
    """What an error of the client means.

    Args:
        error: an ``openai.OpenAIError``, or a `MalformedReplyError`.
    """
    if isinstance(error, openai.APITimeoutError):
        if isinstance(error.__cause__, httpx.ConnectTimeout | httpx.PoolTimeout):
            return Failure(NoAnswer(Fault.UNREACHABLE, "no connection in time"), None, is_down=True)
        return Failure(NoAnswer(Fault.TIMEOUT, "no answer in time"), _SLOW_TRIES)
    if isinstance(error, openai.APIConnectionError):
        refused = isinstance(error.__cause__, httpx.ConnectError)
        detail = "connection refused" if refused else "connection lost before the answer"
        return Failure(NoAnswer(Fault.UNREACHABLE, detail), None if refused else _TRIES, is_down=True)
    if isinstance(error, openai.APIStatusError):
        return _translate_status(error)
    if isinstance(error, MalformedReplyError | openai.APIResponseValidationError):
        return Failure(NoAnswer(Fault.OVERLOADED, "malformed reply"), _TRIES)
    return Failure(NoAnswer(Fault.REJECTED, type(error).__name__))


def _translate_status(error: openai.APIStatusError) -> Failure:
    status = error.status_code
    detail = " ".join(["status", str(status), *(word for word in (error.type, error.param) if word and _is_word(word))])
    if status in _OVERLOADED:
        wait = _retry_after(error.response.headers.get("retry-after", ""))
        tries = None if status in (*_AWAY, 429) else _TRIES
        return Failure(NoAnswer(Fault.OVERLOADED, detail), tries, status in _AWAY, wait)
    if status == 408:
        return Failure(NoAnswer(Fault.TIMEOUT, detail), _SLOW_TRIES)
    if status == 413 or (status in (400, 422) and _is_too_long(error)):
        return Failure(NoAnswer(Fault.TOO_LONG, detail))
    return Failure(NoAnswer(Fault.REJECTED, detail))


def _is_too_long(error: openai.APIStatusError) -> bool:
    if error.param in _TOO_LONG_PARAMETERS or error.code == "context_length_exceeded":
        return True
    return bool(_TOO_LONG_WORDS.search(error.message))


def _is_word(text: object) -> bool:
    """Whether this is a name such as ``BadRequestError``: never a sentence, which may quote."""
    return isinstance(text, str) and bool(re.fullmatch(r"[\w.]{1,40}", text))


def _retry_after(header: str) -> float | None:
    """Seconds of a Retry-After header (RFC 9110, 10.2.3); a date, which servers of models do not give, is not read."""
    try:
        seconds = float(header)
    except ValueError:
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT)  # a NaN becomes 0.0
