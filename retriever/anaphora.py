"""Passages that point back: "NIHSS inchangé", "même traitement qu'à l'entrée", "cf. CR du 12".

Their words alone answer nothing. `reference` says how surely a text points back and where to; `retriever.antecedents`
finds what is meant in a timeline. The vocabulary is in ``anaphora.yml``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from rapidfuzz.distance import OSA

from retriever.forms import any_of
from retriever.kinds import KINDS, kind_of
from retriever.lexical import fold
from retriever.said_dates import SaidDate, said_ago, said_dates
from retriever.vocabulary import read_yaml

#: What a value beside the cue leaves of its strength: with "inchangé à 14" little is to be looked for elsewhere.
WITH_VALUE = 0.4

_SENTENCE_END = re.compile(
    r"(?<!\b[Cc]f)(?<!\bCF)(?<!\b[Ii]d)(?<!\bID)(?<!\bDr)(?<!\bPr)(?<!\bCR)(?<!\bvs)\.(?=\s|$)|[;!?]"
    r"|(?P<line>\n(?!\s{0,20}[a-zà-ÿ]+[\s'’,](?!\s*:)))"  # a line that goes on with a small word is no new one
)
_HYPHEN = re.compile(r"(?<=[a-z])-(?=[a-z])")
_IDEM = re.compile(r"\bid(?:\.(?!\s*(?:patient|\d))|(?=\s*(?:[,;)]|$)))")
#: A digit inside a word, or at the head of a long one.
_MISREAD_DIGIT = re.compile(r"(?<=[a-z]{2})[0156](?![\d/])|\b[015](?=[a-z]{5})")
_READ_AS = {"0": "o", "1": "l", "5": "s", "6": "e"}
_LONG_WORD = re.compile(r"[a-z]{6,}")
_VALUE_AFTER = re.compile(r"[\s,:=(]*(?:(?:a|est|environ)\s+)*(?:[a-z]{2,}\s*(?:\ba\s|[=:])\s*)?(?P<number>\d)")
_LIST_AFTER = re.compile(r"\s?:\s*\w")
_VALUE_BEFORE = re.compile(r"(?P<number>\d[\d.,/]*)\s?(?:%|mg|g|kg|mm|cm|[a-z]{1,4}/[a-z]{1,2})?[\s,:(]+$")
_WORD = re.compile(r"\w+")
#: Characters before a cue in which a value is looked for.
_NEAR = 40
#: Letters of a word that tell whether a clause is worth a closer look.
_HEAD = 4
#: A line of at most so many words may be a heading of the next.
_HEADING = 6


@dataclass(frozen=True, slots=True)
class Reference:
    """A pointing back.

    Args:
        strength: in (0, 1]: how surely the text needs what was written before.
        date: what is said of the date pointed at ("CR du 12": a day alone), None when nothing is.
        days_before: how many days before ("la veille": 1).
        admission: whether the admission is pointed at ("comme à l'entrée").
        kind: canonical kind of the document pointed at, one of `retriever.kinds.KINDS`, or "".
        about: the words before the cue and in it: "NIHSS" is unchanged.
        heading: the line above, where it looks like a heading.
        words: the sentence.
    """

    strength: float
    date: SaidDate | None = None
    days_before: int | None = None
    admission: bool = False
    kind: str = ""
    about: str = ""
    heading: str = ""
    words: str = ""


def reference(text: str) -> Reference | None:
    """The surest pointing back of a sentence or a passage, None when it stands on its own.

    Case, accents and letters that a scan misread do not matter.
    """
    return max(references(text), key=lambda made: made.strength, default=None)


@lru_cache(maxsize=1 << 14)
def references(text: str) -> tuple[Reference, ...]:
    """All pointings back of a passage, in order: at most one of a sentence or a part of it after a semicolon."""
    found = []
    heading, start = "", 0
    for end in [*_SENTENCE_END.finditer(text), None]:
        sentence = text[start : end.start() if end else None]
        if made := _of_clause(sentence, heading):
            found.append(made)
        if sentence.strip():
            heading = sentence if end and end["line"] and len(sentence.split()) <= _HEADING else ""
        start = end.end() if end else start
    return tuple(found)


def _of_clause(words: str, heading: str) -> Reference | None:
    """The pointing back of one clause."""
    clause = _mended(_HYPHEN.sub(" ", fold(words).replace("’", "'")))
    if _heads().isdisjoint(word[:_HEAD] for word in _WORD.findall(clause)):
        return None
    hits = [(match, strength) for strength, cue in _cues() for match in cue.finditer(clause)]
    if not hits:
        return None
    trapped = [match.span() for match in _pattern("traps").finditer(clause)]
    hits = [hit for hit in hits if not any(start < hit[0].end() and hit[0].start() < end for start, end in trapped)]
    if not hits:
        return None
    first = min((match for match, _ in hits), key=lambda match: match.start())
    target = clause[first.start() :]
    dates = [(start, end) for start, end, _ in said_dates(clause)]
    return Reference(
        strength=max(strength * (WITH_VALUE if _has_value(clause, match, dates) else 1.0) for match, strength in hits),
        date=next((date for _, _, date in said_dates(target)), None),
        days_before=_days_before(target),
        admission=_pattern("admission").search(target) is not None,
        kind=_kind(target),
        about=clause[: first.end()],
        heading=heading,
        words=words,
    )


def _mended(clause: str) -> str:
    """Words as they were before a scan: digits read as letters, long words of the vocabulary off by one letter."""
    clause = _MISREAD_DIGIT.sub(lambda match: _READ_AS[match[0]], clause)
    return _LONG_WORD.sub(lambda match: _nearest(match[0]), _IDEM.sub("idem", clause))


@lru_cache(maxsize=1 << 14)
def _nearest(word: str) -> str:
    known = _vocabulary()["misread"]
    if word in known or word in _vocabulary()["own"]:
        return word
    joined = word.replace("rn", "m")
    near = (other for other in known if abs(len(other) - len(joined)) <= 1)
    return next((other for other in near if OSA.distance(other, joined, score_cutoff=1) <= 1), word)


def _has_value(clause: str, cue: re.Match[str], dates: Sequence[tuple[int, int]]) -> bool:
    """Whether what a cue is said of is told: a list after it ("idem : aspirine"), a number, no date, beside it."""
    if _LIST_AFTER.match(clause, cue.end()):
        return True
    values = (
        _VALUE_AFTER.match(clause, cue.end()),
        _VALUE_BEFORE.search(clause, max(0, cue.start() - _NEAR), cue.start()),
    )
    return any(value and not any(start <= value.start("number") < end for start, end in dates) for value in values)


def _days_before(target: str) -> int | None:
    ago = said_ago(target)
    if ago is None and (match := _pattern("days_before").search(target)):
        return int(_vocabulary()["days_before"][" ".join(match[0].split())])
    return ago


def _kind(target: str) -> str:
    """The kind of document that the target names, a few words long ("CR de thrombectomie du 12")."""
    named = _pattern("words", "document").search(target)
    if named is None:
        return ""
    words = target[named.start() :].split(",")[0].split()[:4]
    kind = KINDS[kind_of("", " ".join(words))]
    return "" if kind == KINDS[-1] else kind


@cache
def _vocabulary() -> Mapping[str, Any]:
    return read_yaml(Path(__file__).with_suffix(".yml"))


@cache
def _cues() -> tuple[tuple[float, re.Pattern[str]], ...]:
    return tuple(
        (float(group["strength"]), any_of(group["forms"], _vocabulary()["words"])) for group in _vocabulary()["cues"]
    )


@cache
def _heads() -> frozenset[str]:
    """The heads of one word of each cue, its longest that is no list's: a clause without any of them has no cue."""
    forms = (form for group in _vocabulary()["cues"] for form in group["forms"])
    words = (max(_WORD.findall(re.sub("<.*?>", " ", form)), key=len) for form in forms)
    return frozenset(word[:_HEAD] for word in words)


@cache
def _pattern(*keys: str) -> re.Pattern[str]:
    """Any form of one list of the vocabulary."""
    forms: Any = _vocabulary()
    for key in keys:
        forms = forms[key]
    return any_of(forms, _vocabulary()["words"])
