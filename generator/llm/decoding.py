"""How answers are drawn, and how their tokens are read: the same for a server and for vLLM in this process."""

from __future__ import annotations

import codecs
from collections.abc import Iterable

from generator.llm.engine import Request, Token

#: Temperature of a drawn answer: far enough from the likeliest one to disagree where the model doubts.
SAMPLE_TEMPERATURE = 0.7


def temperature(request: Request) -> float:
    """0 for the likeliest answer."""
    return SAMPLE_TEMPERATURE if request.sample else 0.0


def tokens_of(pieces: Iterable[tuple[bytes, float]], text: str) -> tuple[Token, ...]:
    """The tokens of an answer, from their bytes and log-probabilities.

    A letter that is cut over several tokens goes to the last of them. What comes after ``text`` (the mark that ends an
    answer) is left out. Nothing is returned when the bytes are not those of the text.
    """
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    tokens: list[Token] = []
    length = 0
    for raw, logprob in pieces:
        if length == len(text):
            break
        tokens.append(Token(decoder.decode(raw), logprob))
        length += len(tokens[-1].text)
    return tuple(tokens) if "".join(token.text for token in tokens) == text else ()
