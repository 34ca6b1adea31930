"""Dates of every writing: numbers, words, glued, spaced, partial, misread by OCR. All are code points of the text.

`rag.corpus.dates` reads what a date means, on cleaned text; here only where one stands matters, on text as it came.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from rag.deid.gazetteer import read_yaml
from rag.deid.merge import Rank
from rag.deid.tokens import fold


@dataclass(frozen=True, slots=True)
class FoundDate:
    """A date at [start, end). ``day`` is (year, month, day) where all three are known, else None."""

    start: int
    end: int
    day: tuple[int, int, int] | None
    rank: Rank


_DIGIT_LOOKALIKES = str.maketrans("OoIl|", "00111")
_SEPARATOR = r"[ \t]{0,2}[/.\-|\\][ \t]{0,2}"
_NUMERIC = re.compile(
    rf"(?<!\d)(?<!\d[,/.\-|])(?P<d>[0-3OoIl]?[\dOoIl]){_SEPARATOR}(?P<m>[01OoIl]?[\dOoIl]){_SEPARATOR}"
    r"(?P<y>(?:[1lI][89]|2[0Oo])[\dOolI]{2}|[\dOo]{2})(?![\dOo])(?![/.\-]\d)"
)
_BOXES = re.compile(r"\|?\d(?:\|\d){6,15}\|?")
_SPREAD = re.compile(r"(?<![\d.,])(?P<d>\d ?\d) ?[/.\-|] ?(?P<m>\d ?\d) ?[/.\-|] ?(?P<y>\d ?\d ?\d ?\d)(?! ?\d)")
_SHORT_SPACED = re.compile(r"(?<![\d.,])(?<!\d )(?P<d>[0-3]\d) (?P<m>[01]\d) (?P<y>\d\d)(?![\d.,]|\s?(?:\d|%))")
_YEAR_FIRST = re.compile(
    r"(?<!\d)(?P<y>(?:19|20)\d\d)[-/. ](?P<m>0?[1-9]|1[0-2])[-/. ](?P<d>0?[1-9]|[12]\d|3[01])(?!\d)"
)
_SPACED_GROUPS = re.compile(r"(?<![\d.,] )(?<!\d)(?P<d>[0-3]\d) {1,2}(?P<m>[01]\d) {1,2}(?P<y>(?:19|20)\d\d)(?!\d)")
_MONTH_YEAR = re.compile(
    r"(?<![\d/.,\-])(?:(?P<m>0?[1-9]|1[0-2])\s?[/]\s?|(?P<m2>0[1-9]|1[0-2])[ .\-])(?P<y>(?:19|20)\d\d)(?![\d/])(?!-\d)"
)
_GLUED = re.compile(
    r"(?<![\d.,])(?:(?P<d>[0-3]\d)(?P<m>[01]\d)(?P<y>(?:19|20)\d\d)|(?P<y2>(?:19"
    r"|20)\d\d)(?P<m2>[01]\d)(?P<d2>[0-3]\d))(?![\d,]|\.\d)"
)
_SPACED_DIGITS = re.compile(r"(?<![\d.,])(?<!\d )\d(?: \d(?!\d)){6,47}(?!\d|[.,]\d)")
_ROMAN = re.compile(
    r"(?<![\w/])(?P<d>[0-3]?\d)[ ./-]?(?P<m>X{1,2}I{0,2}|I?V|VI{1,3}|IX|I{2,3})[ ./-]?(?P<y>(?:19|20)\d\d)(?!\w)"
)
_PARTIAL = re.compile(
    r"(?<![\w/.,|])(?<!\d\d-)(?P<d>[0-3]?\d)(?P<s>[ \t]{0,2}[/.][ \t]{0,2})(?P<m>[01]?\d)(?![\w/"
    r"|%])(?![.,]\d)(?! ?[-/]\d)"
)
_DAY_OF_RANGE = re.compile(
    r"(?<![\d/.,])(?P<d>[0-3]?\d|1er)(?= ?(?:au|et|-|–|à|ou) ?(?:le )?[0-3]?\d(?:er)? ?(?:/|[^\W\d_]))"
)
_YEAR = re.compile(
    r"(?<![\w.,/+])(?<![^\d]\d-)(?<!\d\d\d\d\d-)(?P<y>(?:19[0-9]|20[0-6])\d)(?![\w%°]|[.,/]\d|-\d{3}(?!\d))"
)
_CUED_DAY = re.compile(
    r"(?:^|[^\w])(?:le|du|au|des|les|depuis|jusqu.au|dès(?: le)?|d[ée]but[ée]?|rdv|rv|date|inj(?:ection)?|contr[ôo]le|"
    r"lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lun|mar|mer|jeu|ven|sam|dim|accouch[ée]e?"
    r"|n[ée]e?)\s{0,2}[.:(]{0,2}\s?$"
    r"|(?:^|\n)[^\w\n]{0,5}$",
    re.IGNORECASE,
)
_PRESSURE = re.compile(
    r"(?:\bT\.?A\.?|\bP\.?A\.?|tension|\bPAS?D?|score|eva|\ben|glasgow|\bEN|douleur|apgar|cot[ée]e?|acuit[ée]|[oa]d"
    r"|og)\W{0,4}(?:à|de|:)?\W{0,3}$",
    re.IGNORECASE,
)
_MEASURED = re.compile(r"\s?(?:mm\s?hg|cm|/min|mg|g\b|ml|%|kg|ans|°|mois|jours|sem|comprim|cp\b|ui\b)", re.IGNORECASE)


_VARIANTS = {"e": "[eéèêEÉÈ]", "u": "[uûUÛ]", "o": "[oôOÔ0]", "i": "[i1lI]", "a": "[aàâAÀÂ]"}


def _accented(folded: str) -> str:
    """A pattern for a folded word, with or without its accents."""
    return (
        folded.replace("e", "[eéèêEÉÈ]")
        .replace("u", "[uûUÛ]")
        .replace("o", "[oôOÔ0]")
        .replace("i", "[i1lI]")
        .replace("a", "[aàâAÀÂ]")
    )


@dataclass(frozen=True)
class _Words:
    months: dict[str, int]
    weak: frozenset[str]
    month: re.Pattern[str]
    before: re.Pattern[str]
    after: re.Pattern[str]
    full: re.Pattern[str]
    year_before: re.Pattern[str]
    unit_after: re.Pattern[str]
    lead: re.Pattern[str]


@lru_cache(maxsize=1)
def _words() -> _Words:
    data = read_yaml("dates.yml")
    months: dict[str, int] = data["months"]
    names = "|".join(_accented(name) for name in sorted(months, key=len, reverse=True))
    numbers = "|".join(sorted((_accented(str(word)) for word in data["numbers"]), key=len, reverse=True))
    spelled = rf"(?:(?:{numbers})[ \-]{{1,2}}){{0,3}}(?:{numbers})"
    thousands = r"(?:deux[ -]mil(?:le)?|mil(?:le)?[ -](?:neuf|huit)[ -]cents?)"
    year = rf"(?:1[89]|2[0Oo])[\dOolI]{{2}}|{thousands}(?:[ -](?:{numbers})){{0,5}}"
    seasons = "|".join(_accented(str(word)) for word in data["season"])
    return _Words(
        months=months,
        weak=frozenset(data["weak_months"]),
        month=re.compile(rf"(?<![^\W\d_])(?:{names})(?![^\W\d_])", re.IGNORECASE),
        before=re.compile(
            rf"(?<![^\W_])(?:[0-3lIO]?[\dlO]|1 ?er|[1lI]er|(?:le )?{spelled})[ \t]?[-./,]?[ \t]?(?:de )?$",
            re.IGNORECASE,
        ),
        after=re.compile(
            rf"\.?(?:[ \t]{{0,2}}[-,./|]?[ \t]{{0,2}})(?:(?P<y>{year})(?![^\W_])|(?P<s>\d\d)(?!\d|[:,./]\d|[%h]|[ ]?h\d"
            rf"|[^\W_])|(?P<e>[0-3]?\d,[ ]?(?:19|20)\d\d))"
            r"|\.?\s?\n?(?P<n>(?:19|20)\d\d)(?!\w)",
            re.IGNORECASE,
        ),
        full=re.compile(
            rf"(?<![^\W_])(?P<w>{spelled})[ /.\-]{{1,2}}(?:0[1-9]|1[0-2])[ /.\-]{{1,2}}(?:19|20)\d\d(?!\d)",
            re.IGNORECASE,
        ),
        year_before=re.compile(
            r"(?:^|[^\w])(?:"
            + "|".join(sorted((_accented(str(w)) for w in data["year_before"]), key=len, reverse=True))
            + r")\W{0,3}$|(?:^|\n)[ \t]*[-–•*]?[ \t]*$|[(;–=>,-][ \t]{0,2}$|['’]$"
            + rf"|(?<![^\W\d_])(?!(?:{'|'.join(data['no_year_after'])})\b)[^\W\d_]{{1,24}}[.)]? $",
            re.IGNORECASE,
        ),
        unit_after=re.compile(
            r"\s?(?:"
            + "|".join(re.escape(str(u)) for u in sorted(data["units"], key=len, reverse=True))
            + r")(?![^\W_])|\s?[/%]|\s?\d",
            re.IGNORECASE,
        ),
        lead=re.compile(rf"(?<![^\W_])(?:{seasons})[ -]$", re.IGNORECASE),
    )


@lru_cache(maxsize=256)
def _month_number(name: str) -> int:
    """The number of a folded month, OCR's "juln" included."""
    months = _words().months
    if name in months:
        return months[name]
    return next(number for month, number in months.items() if re.fullmatch(_accented(month), name))


def _number(text: str) -> int:
    return int(text.translate(_DIGIT_LOOKALIKES))


def full_year(text: str) -> int:
    """A year of two digits in the century it most likely means: 00-49 are 20xx."""
    year = _number(text)
    if len(text) > 2:
        return year
    return year + (2000 if year < 50 else 1900)


def _valid(day: int, month: int) -> bool:
    return 1 <= day <= 31 and 1 <= month <= 12


def _boxed_dates(start: int, digits: str) -> Iterator[FoundDate]:
    """Dates in a run of digits one space apart: the whole run, or what stands before or after a longer number."""
    if digits in "0123456789":
        return
    if len(digits) in (7, 8):
        whole = _valid(int(digits[:2]), int(digits[2:4])) and len(digits) == 8
        yield FoundDate(start, start + 2 * len(digits) - 1, _day_of(digits) if whole else None, Rank.FORM)
        return
    for at in (0, len(digits) - 8):
        eight = digits[at : at + 8]
        if len(digits) >= 20 and _valid(int(eight[:2]), int(eight[2:4])) and eight[4:6] in {"18", "19", "20"}:
            yield FoundDate(start + 2 * at, start + 2 * at + 15, _day_of(eight), Rank.CERTAIN)


def _day_of(digits: str) -> tuple[int, int, int]:
    return int(digits[4:]), int(digits[2:4]), int(digits[:2])


def _numeric(text: str) -> Iterator[FoundDate]:
    for match in _NUMERIC.finditer(text):
        day, month, year = _number(match["d"]), _number(match["m"]), full_year(match["y"])
        if sum(char.isdigit() for char in match.group()) < 3 or not any(char.isdigit() for char in match["y"]):
            continue
        if len(match["y"]) == 2 and _PRESSURE.search(text[max(0, match.start() - 14) : match.start()]):
            continue
        if not _valid(day, month):
            if not (_valid(month, day) and len(match["y"]) == 4):
                continue
            day, month = month, day
        yield FoundDate(*match.span(), (year, month, day), Rank.FORM)
    for pattern, rank in (
        (_YEAR_FIRST, Rank.FORM),
        (_SPACED_GROUPS, Rank.FORM),
        (_ROMAN, Rank.FORM),
        (_GLUED, Rank.WEAK),
    ):
        for match in pattern.finditer(text):
            parts = match.groupdict()
            day_text, month_text, year_text = (parts.get(key) or parts.get(key + "2") or "" for key in "dmy")
            month = int(month_text) if month_text.isdigit() else 1
            if _valid(int(day_text), month):
                yield FoundDate(
                    *match.span(), (int(year_text), month, int(day_text)) if month_text.isdigit() else None, rank
                )
    for match in _BOXES.finditer(text):
        digits = match.group().replace("|", "")
        if len(digits) == 8 and _valid(int(digits[:2]), int(digits[2:4])) and digits[4:6] in {"18", "19", "20"}:
            yield FoundDate(*match.span(), (int(digits[4:]), int(digits[2:4]), int(digits[:2])), Rank.FORM)
    for match in _SPREAD.finditer(text):
        day, month, year = (int(match[key].replace(" ", "")) for key in "dmy")
        if " " in match["d"] + match["m"] + match["y"] and _valid(day, month) and 1850 < year < 2100:
            yield FoundDate(*match.span(), (year, month, day), Rank.CUED)
    for match in _SHORT_SPACED.finditer(text):
        before, after = text[max(0, match.start() - 14) : match.start()], text[match.end() : match.end() + 6]
        if _valid(int(match["d"]), int(match["m"])) and (_CUED_DAY.search(before) or re.match(r" [àa] \d|$|\n", after)):
            yield FoundDate(*match.span(), (full_year(match["y"]), int(match["m"]), int(match["d"])), Rank.WEAK)
    for match in _MONTH_YEAR.finditer(text):
        yield FoundDate(*match.span(), None, Rank.WEAK)
    for match in _SPACED_DIGITS.finditer(text):
        yield from _boxed_dates(match.start(), match.group().replace(" ", ""))


def _partial(text: str) -> Iterator[FoundDate]:
    for match in _PARTIAL.finditer(text):
        if not _valid(int(match["d"]), int(match["m"])):
            continue
        before = text[max(0, match.start() - 14) : match.start()]
        if _PRESSURE.search(before) or _MEASURED.match(text, match.end()):
            continue
        ends = re.match(r"[,;)\n]|$", text[match.end() : match.end() + 1]) is not None
        cued = _CUED_DAY.search(before) is not None or _listed_day(text, match) or _AFTER_DAY.search(before) is not None
        padded = (len(match["d"]) == 2 and match["m"].startswith("0")) or (
            match["d"].startswith("0") and len(match["m"]) == 2
        )
        if "." in match["s"] and not (
            (cued and (len(match["m"]) == 2 or ends)) or (padded and len(match["d"]) == 2 and _listed_day(text, match))
        ):
            continue
        two = len(match["d"]) == 2 and len(match["m"]) == 2
        if cued or padded or (two and int(match["d"]) > 12 and re.search(r"[^\W\d_(] ?$|\($", before)):
            yield FoundDate(*match.span(), None, Rank.WEAK)
    for match in _DAY_OF_RANGE.finditer(text):
        before = text[max(0, match.start() - 8) : match.start()]
        rest = text[match.end() : match.end() + 20]
        if re.search(r"(?:\bdu|\ble|\bles|\bdes|\bentre le)\s$", before) and re.search(
            rf"\d(?:er)?\s?(?:/\s?[01]?\d|(?:{_words().month.pattern}))", rest, re.IGNORECASE
        ):
            yield FoundDate(*match.span(), None, Rank.WEAK)


_ROMAN_MONTH = re.compile(r"(?<![\w/])(?:X{1,2}I{0,2}|I?V|VI{1,3}|IX|I{2,3})[/.-](?:19|20)\d\d(?!\w)")
_DOUBTFUL_MONTHS = frozenset({"mar", "may", "jan", "mai", "jun", "jul", "march"})  # with two digits after them, words
_AFTER_DAY = re.compile(r"(?<!\d)\d\d?/\d\d?(?:/\d+)? ?(?:et|,|puis|-|ou) ?(?:le )?$")
_CUED_DASH = re.compile(r"(?<![^\W_])(?:le|du|au|depuis le) (?P<d>[0-3]\d)-(?P<m>[01]\d)(?![\d-])")
_SHORT_YEAR = re.compile(
    r"(?<![^\W_])(?:depuis|en|dès|vers|ann[ée]es?|été|hiver|printemps|automne) [’']?(?P<y>[5-9]\d)"
    r"(?!\d|[.,/]\d| ?(?:h|j|mn|min|s|sec|ans?|mois|jours?|sem\w*|kg|%|°|mg|ml|cm|mm|heures?|minutes?|cp|UI"
    r"|\w+[ée]s?)(?![^\W_]))"
)


def _cued(text: str) -> Iterator[FoundDate]:
    for match in _CUED_DASH.finditer(text):
        if _valid(int(match["d"]), int(match["m"])):
            yield FoundDate(match.start("d"), match.end(), None, Rank.WEAK)
    for match in _ROMAN_MONTH.finditer(text):
        yield FoundDate(*match.span(), None, Rank.FORM)
    for match in _SHORT_YEAR.finditer(text):
        yield FoundDate(*match.span("y"), None, Rank.WEAK)


def _listed_day(text: str, match: re.Match[str]) -> bool:
    """Whether a day written with a full stop ("28.09") stands in a list of cycles or dates ("C11 28.09, C12 …")."""
    return (
        re.search(
            r"\b[A-Z]{1,2}\d{1,2}\s?:?\s?(?:inject[ée]e? le )?$", text[max(0, match.start() - 20) : match.start()]
        )
        is not None
    )


def _with_month_name(text: str) -> Iterator[FoundDate]:
    words = _words()
    for match in words.month.finditer(text):
        name = fold(match.group())
        window = text[max(0, match.start() - 48) : match.start()]
        before = words.before.search(window)
        after = words.after.match(text, match.end())
        start = match.start() - (len(window) - before.start()) if before else match.start()
        end = match.end()
        year = None
        if after and after["s"] and not before:
            lead = re.search(r"(?<![^\W_])(?:en|jusqu.en|depuis|d[eè]s|fin|d[ée]but|d[’']) ?$", window, re.IGNORECASE)
            after = (
                None
                if (name in _DOUBTFUL_MONTHS and not lead) or (int(after["s"]) > 31 and int(after["s"]) < 40)
                else after
            )
        if after:
            end = after.end()
            year = full_year(after["y"] or after["s"]) if (after["y"] or after["s"] or "x")[-1:].isdigit() else None
        if before and fold(before.group()).startswith("le "):
            start += 3
        if before is None and after is None:
            if match.group().isupper() and name in words.weak:
                continue
            if name in words.weak and name not in {"mars", "mai"}:
                continue
            lead = re.search(
                r"(?<![^\W_])(?:en|fin|d[ée]but|mi|courant|depuis|mois de|mois d[’']|de|d[’']|d[èe]s|avant|apr[èe]s"
                r"|jusqu.en|jusqu.[àa]|[àa]|au mois de|pour|et|vers)[ \-]?$",
                window,
                re.IGNORECASE,
            )
            ranged = re.match(
                rf" (?:[àa]|au|et|-|–) {words.month.pattern}", text[match.end() : match.end() + 20], re.IGNORECASE
            )
            if lead is None and not ranged:
                continue
        if before is None and (season := words.lead.search(text[max(0, start - 14) : start])):
            start -= len(season.group())
        day = None
        if before and year and (digits := re.match(r"\d+", before.group())):
            number = int(digits.group())
            day = (year, _month_number(name), number) if 1 <= number <= 31 else None
        while end > match.end() and text[end - 1] in " \t,.":
            end -= 1
        yield FoundDate(start, end, day, Rank.FORM)
    for match in words.full.finditer(text):
        yield FoundDate(*match.span(), None, Rank.CUED)


def _years(text: str) -> Iterator[FoundDate]:
    words = _words()
    for match in _YEAR.finditer(text):
        before = text[max(0, match.start() - 20) : match.start()]
        follows = text[match.end() : match.end() + 12]
        if words.unit_after.match(follows):
            continue
        if (
            words.year_before.search(before)
            or re.match(r"\s?[):;]|\s*$", follows)
            or re.search(r"(?:19|20)\d\d ?[-/àa] ?$", before)
        ):
            start = match.start()
            if lead := words.lead.search(before):
                start -= len(lead.group())
            yield FoundDate(start, match.end(), None, Rank.WEAK)


def _born_in(text: str) -> Iterator[FoundDate]:
    for match in _BORN_IN.finditer(text):
        yield FoundDate(*match.span("y"), None, Rank.FORM)


_BORN_IN = re.compile(r"(?:(?<![^\W_])n[ée]e?s?|(?<=[a-zà-ÿ)])) en (?P<y>[0-9]\d)(?=[ ]?(?:[).,;:\n]|$))(?![.,]\d)")


def find_dates(text: str) -> list[FoundDate]:
    """Every date of a text, possibly overlapping (the caller keeps the longer of equal rank)."""
    return [*_numeric(text), *_partial(text), *_with_month_name(text), *_years(text), *_born_in(text), *_cued(text)]
