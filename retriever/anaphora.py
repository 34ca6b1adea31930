"""Passages that point back: "NIHSS inchangé", "même traitement qu'à l'entrée", "cf. CR du 12".

Their words alone answer nothing. `reference` says how surely a text points back and where to; `antecedents` says which
documents of a timeline may be meant. The vocabulary is in ``anaphora.yml``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA

from retriever.kinds import KINDS, kind_of
from retriever.lexical import fold
from retriever.said_dates import SaidDate, said_ago, said_dates
from retriever.timeline import EncodedTimeline
from retriever.vocabulary import read_yaml

#: What a value right after the cue leaves of its strength: with "inchangé à 14" little is to be looked for elsewhere.
WITH_VALUE = 0.4
#: A document that what is said does not fit keeps this much of its weight.
UNFIT = 0.2
#: What each document in between leaves of the weight of one further back.
PER_DOCUMENT = 0.95
#: Documents with fewer days than this between them are of one stay.
STAY_GAP = 10

_Flags = NDArray[np.bool_]

#: A line end inside a sentence, before a small letter, is none.
_CLAUSE_END = re.compile(
    r"(?<!\b[Cc]f)(?<!\bCF)(?<!\b[Ii]d)(?<!\bID)(?<!\bDr)(?<!\bPr)(?<!\bCR)(?<!\bvs)\.(?=\s|$)|[;!?]|\n(?!\s*[a-zà-ÿ])"
)
_HYPHEN = re.compile(r"(?<=[a-z])-(?=[a-z])")
_IDEM = re.compile(r"\bid(?:\.(?!\s*(?:patient|\d))|(?=\s*(?:[,;)]|$)))")
#: A digit inside a word, or at the head of a long one.
_MISREAD_DIGIT = re.compile(r"(?<=[a-z]{2})[0156](?![\d/])|\b[015](?=[a-z]{5})")
_READ_AS = {"0": "o", "1": "l", "5": "s", "6": "e"}
_LONG_WORD = re.compile(r"[a-z]{6,}")
_VALUE_AFTER = re.compile(r"[\s,:=(]*(?:(?:a|est|environ)\s+)*(?:[a-z]{2,}\s*(?:\ba\s|[=:])\s*)?(?P<number>\d)")
_VALUE_BEFORE = re.compile(r"(?P<number>\d[\d.,/]*)\s?(?:%|mg|g|kg|mm|cm|[a-z]{1,4}/[a-z]{1,2})?[\s,:(]+$")
_WORD = re.compile(r"\w+")
#: Letters of a word that tell whether a clause is worth a closer look.
_HEAD = 4


@dataclass(frozen=True, slots=True)
class Reference:
    """A pointing back.

    Args:
        strength: in (0, 1]: how surely the text needs what was written before.
        date: what is said of the date pointed at ("CR du 12": a day alone), None when nothing is.
        days_before: how many days before ("la veille": 1).
        moment: "admission" ("comme à l'entrée"), "previous" ("dernier scanner") or "".
        kind: canonical kind of the document pointed at, one of `retriever.kinds.KINDS`, or "".
    """

    strength: float
    date: SaidDate | None = None
    days_before: int | None = None
    moment: str = ""
    kind: str = ""


@lru_cache(maxsize=1 << 14)
def reference(text: str) -> Reference | None:
    """The surest pointing back of a sentence or a passage, None when it stands on its own.

    Case, accents and letters that a scan misread do not matter.
    """
    found = [made for clause in sentences(text) if (made := _of_clause(fold(clause)))]
    return max(found, key=lambda made: made.strength, default=None)


def sentences(text: str) -> list[str]:
    """The sentences of a passage, parts between semicolons apart: what one pointing back may be about."""
    return [sentence for sentence in _CLAUSE_END.split(text) if sentence.strip()]


def antecedents(pointing: Reference, timeline: EncodedTimeline, t: int) -> NDArray[np.float32]:
    """How well each document may be the one that a passage of document ``t`` points at: shape (T,), in [0, 1].

    0 for later documents; nearer ones weigh more. Document ``t`` itself is the nearest, for what stands further up in
    it, unless another date or kind is said. What is said and fits no earlier document is ignored: the document may be
    missing, or its date misread.
    """
    weights = np.zeros(len(timeline.document_ids), dtype=np.float32)
    weights[: t + 1] = PER_DOCUMENT ** np.arange(t, -1, -1, dtype=np.float32)
    fitting = np.ones(t + 1, dtype=np.bool_)
    for told in (_of_kind, _of_date, _of_moment):
        fits = told(pointing, timeline, t, fitting)
        if fits is not None and (fits & fitting)[:t].any():
            fitting &= fits
            weights[: t + 1][~fits] *= UNFIT
    return weights


def _of_kind(pointing: Reference, timeline: EncodedTimeline, t: int, among: _Flags) -> _Flags | None:
    fits: _Flags | None = timeline.kinds[: t + 1] == KINDS.index(pointing.kind) if pointing.kind else None
    return fits


def _of_date(pointing: Reference, timeline: EncodedTimeline, t: int, among: _Flags) -> _Flags | None:
    days = timeline.days[: t + 1]
    if pointing.days_before is not None:
        slack = max(0.5, 0.2 * pointing.days_before)
        near: _Flags = np.abs(days[t] - pointing.days_before - days) <= slack
        return near & timeline.dated[: t + 1]
    if pointing.date is None or timeline.first_day is None:
        return None
    dates = [timeline.first_day + dt.timedelta(days=float(day)) for day in days]
    fits = among & timeline.dated[: t + 1] & np.array([pointing.date.fits(date) for date in dates], dtype=np.bool_)
    last: _Flags = fits & (days == days[fits].max(initial=-1))  # of several 12ths of a month
    return last


def _of_moment(pointing: Reference, timeline: EncodedTimeline, t: int, among: _Flags) -> _Flags | None:
    """The beginning of the stay that is going on, or was before; the last document among those that fit."""
    if pointing.moment == "admission":
        days = timeline.days[: t + 1]
        begins = np.flatnonzero(np.diff(days, prepend=-np.inf) > STAY_GAP)
        earlier = begins[begins < t]
        if not len(earlier):
            return None
        fits: _Flags = (days >= days[earlier[-1]]) & (days <= days[earlier[-1]] + 1)
        fits[t] = True  # a discharge report tells the admission too
        return fits
    if pointing.moment == "previous":
        fits = np.zeros(t + 1, dtype=np.bool_)
        fits[np.flatnonzero(among[:t])[-1:]] = True
        return fits
    return None


def _of_clause(clause: str) -> Reference | None:
    """The pointing back of one folded clause."""
    clause = _mended(_HYPHEN.sub(" ", clause.replace("’", "'")))
    if _heads().isdisjoint(word[:_HEAD] for word in _WORD.findall(clause)):
        return None
    hits = [(match, strength) for strength, cue in _cues() for match in cue.finditer(clause)]
    if not hits:
        return None
    trapped = [match.span() for match in _pattern("traps").finditer(clause)]
    hits = [hit for hit in hits if not any(start < hit[0].end() and hit[0].start() < end for start, end in trapped)]
    if not hits:
        return None
    target = clause[min(match.start() for match, _ in hits) :]
    return Reference(
        strength=max(strength * (WITH_VALUE if _has_value(clause, match) else 1.0) for match, strength in hits),
        date=next((date for _, _, date in said_dates(target)), None),
        days_before=_days_before(target),
        moment=next((name for name in _moments() if _moments()[name].search(target)), ""),
        kind=_kind(target),
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


def _has_value(clause: str, cue: re.Match[str]) -> bool:
    """Whether a number that is no date stands right after a cue, or right before ("NIHSS 14, inchangé")."""
    values = (_VALUE_AFTER.match(clause, cue.end()), _VALUE_BEFORE.search(clause, 0, cue.start()))
    dates = [(start, end) for start, end, _ in said_dates(clause)]
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
    return tuple((float(group["strength"]), _any_of(group["forms"])) for group in _vocabulary()["cues"])


@cache
def _heads() -> frozenset[str]:
    """The heads of one word of each cue, its longest that is no list's: a clause without any of them has no cue."""
    forms = (form for group in _vocabulary()["cues"] for form in group["forms"])
    words = (max(_WORD.findall(re.sub("<.*?>", " ", form)), key=len) for form in forms)
    return frozenset(word[:_HEAD] for word in words)


@cache
def _moments() -> Mapping[str, re.Pattern[str]]:
    return {name: _any_of(forms) for name, forms in _vocabulary()["moments"].items()}


@cache
def _pattern(*keys: str) -> re.Pattern[str]:
    """Any form of one list of the vocabulary."""
    forms: Any = _vocabulary()
    for key in keys:
        forms = forms[key]
    return _any_of(forms)


def _any_of(forms: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{_either(forms)})\b")


def _either(forms: Iterable[str]) -> str:
    """A regular expression of forms, longer ones first."""
    return "|".join(_expression(form) for form in sorted(map(str, forms), key=len, reverse=True))


def _expression(form: str) -> str:
    """One form: "*" any end of a word, "…" up to three words, "<document>" an entry of that list."""
    parts: list[str] = []
    for word in form.split():
        if word == "…":
            parts[-1] += r"(?:[\s,:]+[\w']+){0,3}?"
        elif word.startswith("<"):
            parts.append(f"(?:{_either(_vocabulary()['words'][word.strip('<>')])})")
        else:
            parts.append(re.escape(word).replace(r"\*", r"\w*").replace("'", r"['\s]*"))
    return r"[\s,:.]+".join(parts)
