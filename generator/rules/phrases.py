"""Regular expressions made of the phrase lists of ``lexicon/phrases.yml``, to look around a date or a word.

All of them read folded text and stay within one sentence.
"""

from __future__ import annotations

import functools
import re

from generator.rules.lexicon import load_lexicon
from generator.rules.text import fold

_WITHIN = r"[^.;\n]"
_NO_DIGIT = r"[^.;\n\d]"


@functools.cache
def alternatives(name: str) -> str:
    """The phrases of a list, as one group of alternatives, longest first."""
    forms = {_pattern(form) for form in load_lexicon("phrases")[name]["forms"]}
    return rf"\b(?:{'|'.join(sorted(forms, key=lambda form: (-len(form), form)))})"


def _pattern(form: str) -> str:
    words = [_word(word) for word in fold(form).split()]
    return r"[\s-]+".join(words).replace(r"[\s-]+…[\s-]+", rf"\b{_WITHIN}{{1,40}}?\b")


def _word(word: str) -> str:
    if word == "…":
        return word
    if word.endswith("*"):
        return re.escape(word[:-1]) + r"\w*"
    return re.escape(word) + (r"e?s?\b" if (len(word) > 2 and word[-1].isalpha()) or word == "vu" else r"\b")


def anywhere(name: str) -> re.Pattern[str]:
    """Any phrase of the list."""
    return re.compile(alternatives(name))


def closing(name: str, gap: int, *, digits: bool = True) -> re.Pattern[str]:
    """A phrase of the list at most ``gap`` characters before the end; ``digits``: numbers may stand between."""
    return re.compile(rf"{alternatives(name)}{_WITHIN if digits else _NO_DIGIT}{{0,{gap}}}$")


def opening(name: str, gap: int, *, digits: bool = True) -> re.Pattern[str]:
    """A phrase of the list at most ``gap`` characters after the start."""
    return re.compile(rf"^{_WITHIN if digits else _NO_DIGIT}{{0,{gap}}}?(?P<cue>{alternatives(name)})")
