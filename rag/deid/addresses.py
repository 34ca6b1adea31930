"""Postal addresses: streets, homes, what goes with them (building, floor, flat), and what follows "Adresse :"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from rag.deid.gazetteer import read_yaml
from rag.deid.merge import Candidate, Rank
from rag.deid.tokens import fold
from schema.phi import PhiLabel

_LINKS = frozenset({"de", "du", "des", "la", "le", "les", "l", "d", "a", "aux", "sur", "sous", "en", "et", "lez", "s"})
_MONTHS = r"janvier|f[ée]vrier|mars|avril|mai|juin|juillet|ao[ûu]t|septembre|octobre|novembre|d[ée]cembre"
_WORD = rf"(?:\d{{1,2}}(?:er)?[ -](?:{_MONTHS})(?:[ -]\d{{4}})?|\d{{1,4}}(?:e|er|[èe]me)\b|n°[ ]?\d+|[^\W\d_][\w'’.-]*)"
_STREET_NAME = re.compile(rf"\.?[ \t]{{1,2}}{_WORD}(?:[ \t]{{1,2}}{_WORD}){{0,7}}", re.IGNORECASE)
_FOREIGN = re.compile(
    r"(?<![\w-])(?:[A-ZÄÖÜ][\w-]{0,30}(?:[sS]tr(?:a(?:ss|ß)e|\.)|platz|weg|laan|straat)|(?:Stra(?:ss|ß)e|Via|Calle"
    r"|Rua|Piazza)(?: [\w.]+){1,5})[ ]\d{1,4}[a-c]?\b"
)
_BREAK = re.compile(
    r"[\n,;:()|\"»]|[ \t][–—-][ \t]|[ \t]{2,}|[.](?=[ \t\n]"
    r"|$)(?<![\s.]\w[.])(?<!\bSt[.])(?<!\bSte[.])(?<!\bG.al[.])(?<!\bDr[.])(?<!\bPr[.])(?<!\bFbg[.])"
)
_ENDS_NAME = frozenset(
    {"a", "est", "tel", "fax", "dans", "avec", "cedex", "chez", "au", "cp", "ville", "pour", "ou", "qui"}
)
_LABEL = re.compile(
    r"(?<![^\W_])(?:adresse(?:[ ](?:intervention|postale|actuelle|personnelle|du patient|patient|d'intervention"
    r"|habituelle|complète))?|domicile|demeurant|domicilié(?:e)?[ ]au)[ \t]{0,2}:?[ \t]{0,2}(?P<v>[^\n@]{4,110})",
    re.IGNORECASE,
)
_LABEL_END = re.compile(
    r"[ \t]{0,3}(?:[,;/|–-][ \t]{0,2})?(?:\bCP\b|\b\d{5}\b|\b\d{2} \d{3}\b|\bT[ée]l|\bcode postal|\bville\b"
    r"|\bcommune\b|\bportable|\bmail\b|[ \t]{3,}|\||[ ][–—-][ ])",
    re.IGNORECASE,
)
_CODE_AFTER = re.compile(r"[ ,–—/()-]{1,5}(?:F-)?(?P<z>\d{5}|\d\d \d{3})(?!\d)")
_GLUE = re.compile(r"[ \t]?[,/–-]?[ \t]{0,2}")


@dataclass(frozen=True)
class _Words:
    street: re.Pattern[str]
    alone: re.Pattern[str]
    ambiguous: frozenset[str]
    number: re.Pattern[str]
    complement: re.Pattern[str]
    before: re.Pattern[str]
    home: re.Pattern[str]


def _any(words: list[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


@lru_cache(maxsize=1)
def _words() -> _Words:
    data = read_yaml("places.yml")
    numbers, extra, homes = "|".join(data["numbers"]), _any(data["complements"]), _any(data["homes"])
    return _Words(
        street=re.compile(rf"(?<![^\W_])(?:{_any([*data['streets'], *data['ambiguous_streets']])})(?![^\W_])"),
        alone=re.compile(
            r"(?<![\w/.,])\d{1,4}[ ]?,?[ ]{1,2}(?:grande?[- ]rue|grande?[- ]place|le bourg|la ville)(?![^\W_])"
        ),
        ambiguous=frozenset(data["ambiguous_streets"]),
        number=re.compile(
            rf"(?<![\w/.,])(?P<n>(?:l\d{{1,3}}|\d{{1,4}})(?:[ ]?[-–/à][ ]?\d{{1,4}})?(?:[ ]?(?:bis|ter|quater"
            rf"|[a-dt])(?![^\W\d_]))?|(?:{numbers})(?:-(?:{numbers}))?)[ ]?,?[ \t]{{1,2}}$"
            r"|(?<![\d/.])(?P<m>\d{1,4})[ ]?,?$"
        ),
        complement=re.compile(
            rf"[ \t]?[,–-]?[ \t]{{1,2}}(?:(?:{extra})\.?[ \t]?(?:n°[ ]?)?:?[ \t]?(?:\d{{1,5}}[a-z]{{0,2}}\d{{0,3}}"
            rf"|[a-z]\d{{0,3}}(?![^\W_])|(?:les|le|la|du|des|de la)[ ][\w'’ -]{{2,30}}|[\w-]{{2,20}})"
            rf"|(?:\d{{1,2}}|rdc)(?:er|e|eme|nd)?[ ]?(?:etage|etg|et\.|[a-h](?![^\W_]))(?:[ ](?:droite|gauche|droit"
            rf"|face))?)"
        ),
        before=re.compile(rf"(?<![^\W_])(?:{extra})\.?[ ]?(?:n°[ ]?)?(?:\d{{1,4}}[a-z]?|[a-z]\d{{0,3}})[ ]?[,–-][ ]?$"),
        home=re.compile(
            rf"(?<![^\W_])(?P<h>{homes})\.?[ \t]{{1,2}}(?P<n>[«\"“][^\n»\"”]{{2,60}}[»\"”]|(?:(?:les|le|la|du|des|de|l'"
            rf"|d')[ ]?)*[^\W\d_][\w'’-]*(?:[ ][\w'’-]+){{0,4}})"
        ),
    )


def same_length_fold(text: str) -> str:
    """Folded text whose positions are those of the text (what has no single folded letter is left as it is)."""
    if text.isascii():
        return text.lower()
    return "".join(char.lower() if char < "\x80" else _fold_one(char) for char in text)


@lru_cache(maxsize=4096)
def _fold_one(char: str) -> str:
    folded = fold(char)
    return folded if len(folded) == 1 else char


def _name_end(text: str, start: int) -> int:
    """Where the name of a street that starts at ``start`` ends: at a break, or at a word that is no part of it."""
    match = _STREET_NAME.match(text, start, min(len(text), start + 90))
    if not match:
        return start
    end = match.end()
    if stop := _BREAK.search(text, start + 2, end):
        end = stop.start()
    return _trim(text, start, end)


def _trim(text: str, start: int, end: int) -> int:
    """Cut lower-case words that are no link and follow a capital, and words that open something else."""
    seen_capital, last = False, 0
    for place, word in enumerate(re.finditer(r"[^\s]+", text[start:end])):
        piece = word.group()
        folded = fold(piece)
        if folded in _ENDS_NAME or folded.startswith(("tel", "cedex")):
            break
        if folded in _LINKS or folded.split("'")[0] in {"l", "d"}:
            if any(char.isupper() for char in piece[2:]):
                seen_capital, last = True, word.end()
            elif "'" in folded and not seen_capital:
                last = word.end()
            continue
        capital = piece[0].isupper() or piece[0].isdigit() or piece.startswith("n°")
        if not capital and (seen_capital or place > 4):
            break
        seen_capital |= capital
        last = word.end()
    end = start + last
    return end - (last > 0 and text[end - 1] == "." and text[end - 3 : end - 1].isalpha())


def _streets(text: str, low: str) -> Iterator[tuple[int, int]]:
    words = _words()
    last_end = 0
    for match in words.street.finditer(low):
        if match.start() < last_end:
            continue
        window = max(last_end, match.start() - 24)
        before = words.number.search(low[window : match.start()])
        end = _name_end(text, match.end())
        name = text[match.end() : end].strip(" .")
        if not name or not _is_street(text, match, name, before is not None):
            continue
        start = match.start() if not before else window + before.start("n" if before["n"] else "m")
        if lead := words.before.search(low[max(last_end, start - 24) : start]):
            start -= len(lead.group())
        last_end = _complemented(low, end)
        yield start, last_end
    for match in words.alone.finditer(low):
        yield match.span()
    for match in _FOREIGN.finditer(text):
        yield match.span()


def _is_street(text: str, match: re.Match[str], name: str, numbered: bool) -> bool:
    """A number or a capitalised name must show that "rue", "place", "cours" is a street and no common word."""
    word = match.group()
    capital = re.search(r"(?<![^\W_])[A-ZÀ-Ý]", name) is not None
    if word in _words().ambiguous:
        first = fold(name).split("'")[0].split(" ")[0]
        linked = (first in _LINKS and len(name.split()) > 1) or "'" in name
        if numbered:
            return capital or (linked and word in {"place", "cours", "route"})
        opens = text[text.rfind("\n", 0, match.start()) + 1 : match.start()].strip() == ""
        return (
            word in {"place", "cours", "passage", "route", "cite", "port", "av"}
            and capital
            and linked
            and (opens or word == "av")
            and text[match.start()].isupper()
        )
    return capital or (
        numbered and word in {"rue", "avenue", "boulevard", "impasse", "allee", "chemin", "quai", "bd", "allees"}
    )


def _complemented(low: str, end: int) -> int:
    complement = _words().complement
    while extra := complement.match(low, end):
        end = extra.end()
    return end


def _homes(text: str, low: str) -> Iterator[tuple[int, int]]:
    for match in _words().home.finditer(low):
        name = text[match.start("n") : match.end("n")]
        quoted = name[0] in '«"“'
        if not (quoted or re.match(r"(?:(?:les|le|la|des|du|de)[ ])*(?:[ld]['’])?[A-ZÀ-Ý]", name)):
            continue
        end = match.end() if quoted else _trim(text, match.start("n"), match.end())
        if end > match.start("n"):
            whole = not quoted and " " not in match["h"]
            yield (match.start() if whole else match.start("n")), _complemented(low, end)


def _joined(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Neighbours in one address ("Résidence X, appt 4, 3 rue Y") become one span."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if (
            joined
            and start <= joined[-1][1] + 4
            and (start <= joined[-1][1] or _GLUE.fullmatch(text, joined[-1][1], start))
        ):
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def find_addresses(text: str) -> list[Candidate]:
    """Every address of a text. A line that "Adresse :" opens is one by its label, whatever it holds."""
    low = same_length_fold(text)
    spans = _joined(text, [*_streets(text, low), *_homes(text, low)])
    found = [Candidate(start, end, PhiLabel.ADRESSE, Rank.PLACE) for start, end in spans]
    for _, end in spans:
        if code := _CODE_AFTER.match(text, end):
            found.append(Candidate(*code.span("z"), PhiLabel.ZIP, Rank.FORM))
    for match in _LABEL.finditer(text):
        if ":" not in text[match.start() : match.start("v")] and not match["v"][0].isdigit():
            continue
        end = match.end("v")
        if stop := _LABEL_END.search(text, match.start("v"), end):
            end = stop.start()
        while end > match.start("v") and text[end - 1] in " \t,;/-–.":
            end -= 1
        inside = any(start < end and stop_at > match.start("v") for start, stop_at in spans)
        if end - match.start("v") > 5 and not inside and any(char.isupper() for char in match["v"]):
            found.append(Candidate(match.start("v"), end, PhiLabel.ADRESSE, Rank.FORM))
    return found
