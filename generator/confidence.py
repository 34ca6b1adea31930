"""How sure a reading is: one score in [0, 1] from what is known of it. It ranks; calibration makes it a probability.

With logit(x) = ln(x / (1 - x)), x held within [0.001, 0.999]:

    logit(score) = ½ · mean(logit(probability), logit(agreement)) + ½ · logit(strength) ± ln 4

the mean being over those of the two that are known (neither: logit(score) = logit(strength) ± ln 4), and ln 4 being
added when another reader gives the same value, taken away when it gives another one. This is a logarithmic opinion pool
(Genest and Zidek, Statistical Science 1:114, 1986): what the model believes counts as much as what its quotes bear out,
so that a certain model without a quote stays at one half.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from itertools import accumulate

from generator.llm.engine import Completion

#: The surest that a single signal may be.
_SUREST = 0.999
#: A second reader makes the odds this many times better or worse.
_SECOND = 4
_SPACE = re.compile(r"[ \t\r\n]*")
_VALUE_KEY = "valeur"


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of one reading. All shares are in [0, 1].

    Args:
        strength: how well its quotes bear it out (verification); 0: not at all.
        probability: that of the value's tokens, exp of the mean of their log-probabilities; None: the model gave none.
        agreement: share of the drawn answers that give this value (self-consistency, Wang et al., ICLR 2023); None: one
            answer alone was asked for.
        second: whether another reader of the same passages gives this value; None: there is none, or it is silent.
    """

    strength: float
    probability: float | None = None
    agreement: float | None = None
    second: bool | None = None


def confidence(signals: Signals) -> float:
    """The score of a reading, in (0, 1). Never falls when a signal rises."""
    believed = [_logit(share) for share in (signals.probability, signals.agreement) if share is not None]
    borne_out = _logit(signals.strength)
    odds = (sum(believed) / len(believed) + borne_out) / 2 if believed else borne_out
    score = 1 / (1 + math.exp(-odds))
    return score if signals.second is None else with_second(score, signals.second)


def with_second(score: float, agrees: bool) -> float:
    """A reader's own score, in [0, 1], once another reader has given the same value, or another one."""
    times = _SECOND if agrees else 1 / _SECOND
    return times * score / (times * score + 1 - score)


def value_probability(completion: Completion, variable: str | None = None) -> float | None:
    """exp of the mean log-probability of the tokens that write the value: the geometric mean of their probabilities.

    A token that holds a part of the value and something else (``"12}"``) counts whole. Quotation marks around a text do
    not count: the schema imposes them.

    Args:
        variable: whose value, where the answer holds several by name; None: the answer is that of one variable.

    Returns:
        None where the tokens were not given or do not spell the text, or the text is not an answer with a value.
    """
    tokens = completion.tokens
    if not tokens or "".join(token.text for token in tokens) != completion.text:
        return None
    place = _place_of_value(completion.text, variable)
    if place is None:
        return None
    start, end = place
    ends = accumulate(len(token.text) for token in tokens)
    said = [
        token.logprob
        for token, stop in zip(tokens, ends, strict=True)
        if token.text and stop > start and stop - len(token.text) < end
    ]
    return min(1.0, math.exp(sum(said) / len(said)))


def _place_of_value(text: str, variable: str | None) -> tuple[int, int] | None:
    """Where the value stands in the JSON text, end excluded, without quotation marks."""
    start = _after_space(text, 0)
    try:
        if variable is not None:
            start, _ = _members(text, start)[variable]
        start, end = _members(text, start)[_VALUE_KEY]
    except (ValueError, KeyError, IndexError):
        return None
    return (start + 1, end - 1) if text[start] == '"' and end - start > 2 else (start, end)


def _members(text: str, start: int) -> dict[str, tuple[int, int]]:
    """Where the value of each key stands, of the object that begins at ``start``; the last one of a key given twice.

    Raises:
        ValueError, IndexError: no whole object stands there.
    """
    decoder = json.JSONDecoder()
    if text[start] != "{":
        raise ValueError("not an object")
    found: dict[str, tuple[int, int]] = {}
    position = _after_space(text, start + 1)
    while text[position] != "}":
        key, position = decoder.raw_decode(text, position)
        position = _after_space(text, position)
        if text[position] != ":" or not isinstance(key, str):
            raise ValueError("not a member of an object")
        begin = _after_space(text, position + 1)
        _, position = decoder.raw_decode(text, begin)
        found[key] = (begin, position)
        position = _after_space(text, position)
        if text[position] == ",":
            position = _after_space(text, position + 1)
        elif text[position] != "}":
            raise ValueError("not an object")
    return found


def _after_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _logit(share: float) -> float:
    held = min(max(share, 1 - _SUREST), _SUREST)
    return math.log(held / (1 - held))
