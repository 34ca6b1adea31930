"""Tells a date of birth from another date by the words around it."""

from __future__ import annotations

import re

from rag.deid.dates import FoundDate

_BIRTH = re.compile(
    r"(?:(?<![^\W_])n[ée]{1,2}(?:\s?\(\s?e\s?\)|\.e|e)?(?:[ \t]{0,3}le)?|\bDDN|\bD\.D\.N\.?"
    r"|date[ \t]+(?:de[ \t]+)?nais{1,2}(?:ance)?|"
    r"(?<![^\W_])naissance|\bDN|\bD\.N\.?|\bnele|mise? au monde le|\bDOB|\bnaiss?)"
    r"[ \t]{0,2}\.?[ \t]{0,3}(?:\([^()\n]{0,12}\))?[ \t]{0,3}[:=]?[ \t]{0,3}(?:le|en|:)?[ \t]{0,3}\n?[ \t]{0,3}$",
    re.IGNORECASE,
)
_NAME = r"(?!DDR)[A-ZÀ-Ý][^\W\d_]*(?:['’-][^\W\d_]+)*"
_BORN_NAMED = re.compile(
    rf"(?<![^\W_])n[ée]e?[ \t]+(?:{_NAME}[ \t]+){{1,4}}(?:[,(][ \t]*)?le[ \t]+$"
    rf"|(?<![^\W_])n[ée]e?[ \t]+(?:{_NAME}[ \t]+){{1,3}}$"
    rf"|(?<![^\W_])n[ée]e?[ \t]+[àa][ \t]+{_NAME}[\w'’() -]{{0,30}}[ \t]+le[ \t]+$"
)
_AGE_AFTER = re.compile(r"[ \t]{0,2}\(?[ \t]{0,2}(?:\d{1,3}[ \t]?ans?\b|[àa][ \t]+[A-ZÀ-Ý])", re.IGNORECASE)
_SEX_BEFORE = re.compile(
    r"(?:^|[\s|/–;-])(?:F|M|H|Sexe ?:? ?[FMH])[ \t]{0,3}[|/,–-]?[ \t]{0,3}(?:n[ée]e? ?(?:le)? ?)?$"
)


def is_birth_date(text: str, found: FoundDate) -> bool:
    """Whether the words around a date say that someone was born then."""
    before = text[max(0, found.start - 70) : found.start]
    if _BIRTH.search(before) or _BORN_NAMED.search(before):
        return True
    aged = _AGE_AFTER.match(text, found.end)
    return bool(found.day and (_SEX_BEFORE.search(before) or (aged and "ans" in aged.group().lower())))
