"""Forms of a vocabulary file, as clinicians write them, to one regular expression.

Texts are folded: lower case, no accents. In a form, ``*`` stands for any end of a word, ``…`` for up to three words
between, ``<name>`` for any form of the list of that name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

Lists = Mapping[str, Sequence[str]]

_BETWEEN = r"[\s,:.]+"
_ELIDED = r"(?:[a-z]{1,2}')?"


def any_of(forms: Iterable[str], lists: Lists | None = None) -> re.Pattern[str]:
    """A pattern that finds any of some forms, longer ones first."""
    return re.compile(rf"\b(?:{_either(forms, lists or {})})\b")


def _either(forms: Iterable[str], lists: Lists) -> str:
    return "|".join(_expression(form, lists) for form in sorted(map(str, forms), key=len, reverse=True))


def _expression(form: str, lists: Lists) -> str:
    parts: list[str] = []
    for word in form.split():
        if word == "…":
            parts[-1] += r"(?:[\s,:]+[\w']+){0,3}?"
        elif word.startswith("<"):
            parts.append(f"{_ELIDED}(?:{_either(lists[word.strip('<>')], lists)})")
        else:
            parts.append(re.escape(word).replace(r"\*", r"\w*").replace("'", r"['\s]*"))
    return _BETWEEN.join(parts)
