"""Addresses, postcodes and towns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from rag.deid.gazetteer import Gazetteer, read_yaml
from rag.deid.merge import Candidate, Rank
from rag.deid.tokens import CAPITALISED, LINE, LOWER, NUMBER, SIGN, UPPER, WORD, Phrases, Token, fold
from schema.phi import PhiLabel

_LINKS = frozenset("de du des la le les l d a au aux sur sous en et lez s".split())
_NUMBER_BEFORE = re.compile(
    r"(?<![\w/.,])(?P<n>\d{1,4}(?:[ ]?[-–/à][ ]?\d{1,4})?(?:[ ]?(?:bis|ter|quater|[A-Da-dT])(?![^\W\d_]))?|(?:%s))[ ]?,?[ \t]{1,2}$|(?<!\d)(?P<m>\d{1,4})[ ]?,?$",
    re.IGNORECASE,
)
_STREET_NAME = re.compile(
    r"\.?[ \t]{1,2}(?:[^\W\d_][\w'’.-]*|\d{1,2}[ ](?:janvier|f[ée]vrier|mars|avril|mai|juin|juillet|ao[ûu]t|septembre|octobre|novembre|d[ée]cembre)(?:[ ]\d{4})?|\d{1,4}(?:e|er|[èe]me)\b)"
    r"(?:[ \t]{1,2}(?:[^\W\d_][\w'’.-]*|n°[ ]?\d+))*",
)
_GERMAN_STREET = re.compile(
    r"(?<![\w])(?:[A-ZÄÖÜ][\w-]*(?:str(?:a(?:ss|ß)e|\.)|platz|weg|laan|straat)|(?:Stra(?:ss|ß)e|Via|Calle|Rua|Piazza)(?: [\w.]+){1,5}?)[ ]\d{1,4}[a-c]?\b"
)
_POSTCODE = re.compile(
    r"(?<![\w.,/+-])(?<!\d )(?:F-|FR-|B-|CH-|L-)?(?P<z>(?:0[1-9]|[1-8]\d|9[0-8])(?:\d{3}| \d{3}))(?![\w%]|[.,/-]\d| \d{2,})"
)
_POSTCODE_CUE = re.compile(
    r"(?:\bCP|code[ ]postal|\bdans le|\bB\.?P\.?[ ]?\d+)[ \t]{0,2}[:.]?[ \t]{0,2}$", re.IGNORECASE
)
_BREAK = re.compile(r"[\n,;:()|\"»]|[ \t][–—-][ \t]|[ \t]{3,}|\.(?:[ \t]|$)(?=[A-ZÀ-Ý][a-zà-ÿ])")


@lru_cache(maxsize=1)
def _vocabulary() -> tuple[re.Pattern[str], frozenset[str], re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    data = read_yaml("places.yml")
    ambiguous = frozenset(data["ambiguous_streets"])
    streets = sorted({*data["streets"], *ambiguous}, key=len, reverse=True)
    numbers = "|".join(data["numbers"])
    street = re.compile(r"(?<![^\W_])(?:" + "|".join(re.escape(word) for word in streets) + r")(?![^\W_])")
    number = re.compile(_NUMBER_BEFORE.pattern % numbers, re.IGNORECASE)
    extra = "|".join(re.escape(word) for word in sorted(data["complements"], key=len, reverse=True))
    complement = re.compile(
        rf"[ \t]?[,–-]?[ \t]{{1,2}}(?:(?:{extra})\.?[ \t]?(?:n°[ ]?)?:?[ \t]?(?:\d{{1,5}}[a-z]{{0,2}}\d{{0,3}}|[a-z]\d{{0,3}}(?![^\W_])|(?:les|le|la|du|des)[ ][\w'’ -]{{2,30}}|[\w-]{{2,20}})|(?:\d{{1,2}}|rdc)(?:er|e|eme|nd)?[ ]?(?:etage|etg)(?:[ ](?:droite|gauche|droit|face))?)",
    )
    homes = "|".join(sorted((re.escape(word) for word in data["homes"]), key=len, reverse=True))
    home = re.compile(
        rf"(?<![^\W_])(?P<h>{homes})[ \t]{{1,2}}(?P<n>[«\"“][^\n»\"”]{{2,60}}[»\"”]|(?:(?:les|le|la|du|des|de|l'|d')[ ]?)*[^\W\d_][\w'’-]*(?:[ ][\w'’-]+){{0,4}})"
    )
    return street, ambiguous, number, complement, home


def _same_length_fold(text: str) -> str:
    """Folded text whose positions are those of the text (ligatures are left as they are)."""
    if text.isascii():
        return text.lower()
    folded = [fold(char) for char in text]
    return "".join(piece if len(piece) == 1 else char for piece, char in zip(folded, text, strict=True))


def _name_end(text: str, start: int) -> int:
    """Where the name of a street that starts at ``start`` ends: at a break, a number, or a word in another case."""
    match = _STREET_NAME.match(text, start, min(len(text), start + 90))
    if not match:
        return start
    end = match.end()
    if stop := _BREAK.search(text, start + 1, end):
        end = stop.start()
    return end


def _trim(text: str, start: int, end: int) -> int:
    """Cut the words that no longer belong to a street: lower-case words that are no link and follow a capital."""
    words = list(re.finditer(r"[^\s]+", text[start:end]))
    seen_capital, last = False, 0
    for place, word in enumerate(words):
        piece = word.group()
        folded = fold(piece)
        if folded.split("'")[0] in _LINKS or folded in _LINKS or "'" in folded[:3]:
            if any(char.isupper() for char in piece[1:]):
                seen_capital, last = True, word.end()
            continue
        capital = piece[0].isupper() or piece[0].isdigit() or piece.startswith("n°")
        if folded in {
            "a",
            "est",
            "tel",
            "tél",
            "fax",
            "dans",
            "avec",
            "cedex",
            "et",
            "chez",
            "au",
        } or folded.startswith(("tel", "cedex")):
            break
        if not capital and seen_capital:
            break
        if not capital and place > 4:
            break
        seen_capital |= capital
        last = word.end()
    return start + last


def find_addresses(text: str) -> list[Candidate]:
    """Streets with their number and what goes with them (building, floor, flat), homes, foreign streets."""
    street, ambiguous, number, complement, home = _vocabulary()
    low = _same_length_fold(text)
    found: list[Candidate] = []
    last_end = 0
    for match in street.finditer(low):
        if match.start() < last_end:
            continue
        window_start = max(last_end, match.start() - 24)
        before = number.search(low[window_start : match.start()])
        name_end = _trim(text, match.end(), _name_end(text, match.end()))
        name = text[match.end() : name_end].strip(" .")
        capital = re.search(r"(?<![^\W_])[A-ZÀ-Ý]", name) is not None
        if not name:
            continue
        if match.group() in ambiguous and not (
            before and (capital or fold(name).split("'")[0].split(" ")[0] in _LINKS)
        ):
            if not (
                match.group() in {"place", "cours", "passage", "route", "cite", "port"}
                and capital
                and text[match.start()].isupper()
                and _starts_line(text, match.start())
            ):
                continue
        if not before and not capital:
            continue
        if (
            before
            and not capital
            and match.group() not in {"rue", "avenue", "boulevard", "impasse", "allee", "chemin", "quai", "bd", "av"}
        ):
            continue
        start = match.start() if not before else window_start + before.start("n" if before["n"] else "m")
        end = name_end
        while extra := complement.match(low, end):
            end = extra.end()
        found.append(Candidate(start, end, PhiLabel.ADRESSE, Rank.PLACE))
        last_end = end
    for match in home.finditer(low):
        name = text[match.start("n") : match.end("n")]
        if not (name[0] in '«"“' or name[0].isupper() or re.match(r"(?:les|le|la|des|du|l['’])\s?[A-ZÀ-Ý]", name)):
            continue
        quoted = name[0] in '«"“'
        end = match.end() if quoted else _trim(text, match.start("n"), match.end())
        plain = not quoted and " " not in match["h"]
        while extra := complement.match(low, end):
            end = extra.end()
        if end > match.start("n"):
            found.append(Candidate(match.start() if plain else match.start("n"), end, PhiLabel.ADRESSE, Rank.PLACE))
    found += [Candidate(*match.span(), PhiLabel.ADRESSE, Rank.PLACE) for match in _GERMAN_STREET.finditer(text)]
    return found


def _starts_line(text: str, at: int) -> bool:
    return text[text.rfind("\n", 0, at) + 1 : at].strip() == ""


def read_town(tokens: Sequence[Token], at: int, lists: Gazetteer, stops: frozenset[str]) -> int:
    """The index after the town that starts at ``at``; ``at`` itself when there is none. "CEDEX" is left out."""
    place, shape, last = at, "", at
    while place < len(tokens) and place - at < 9:
        token = tokens[place]
        if place > at and token.start - tokens[place - 1].end > 1:
            break
        if token.kind == LINE:
            after = tokens[place + 1] if place + 1 < len(tokens) else None
            joins = (
                place > at
                and after is not None
                and (
                    tokens[place - 1].fold in _LINKS | {"saint", "ste", "st"}
                    or after.fold in {"sur", "sous", "en", "lez", "les"}
                )
            )
            if not joins or after is None or after.kind != WORD:
                break
        elif token.kind == WORD and token.fold == "cedex":
            break
        elif token.kind == WORD and token.shape in (CAPITALISED, UPPER):
            known = token.fold in lists.towns
            if token.fold in stops and token.fold not in {"le", "la", "les", "du", "des", "sur"} and not known:
                break
            link = token.fold in _LINKS
            if last > at and not link and not known:
                if (
                    shape == UPPER
                    and token.shape != UPPER
                    or lists.is_common(token.fold)
                    and tokens[place - 1].fold not in _LINKS | {"saint"}
                ):
                    break
                if shape == CAPITALISED and token.shape == UPPER and tokens[place - 1].fold not in _LINKS:
                    break
            if not link:
                shape, last = token.shape, place + 1
        elif token.kind == WORD and token.fold in _LINKS and (token.shape == LOWER or token.fold in {"d", "l"}):
            if last == at and token.fold not in {"le", "la", "les", "l"}:
                break
        elif not (
            token.kind == SIGN and token.fold in {"'", "/", "-"} and last > at and token.start == tokens[place - 1].end
        ):
            break
        place += 1
    return last


def find_towns(
    text: str, tokens: Sequence[Token], lists: Gazetteer, cues: Phrases, before_town: Phrases, stops: frozenset[str]
) -> Iterator[Candidate]:
    """Postcodes with their town, towns after a word of place, "Town, le DATE" at a line's start."""
    starts = {token.start: index for index, token in enumerate(tokens)}
    for match in _POSTCODE.finditer(text):
        index = starts.get(match.start("z"))
        if index is None:
            continue
        following = index + 1
        while following < len(tokens) and tokens[following].kind == NUMBER and tokens[following].start < match.end():
            following += 1
        while (
            following < len(tokens)
            and following - index < 4
            and tokens[following].fold in {",", "-", "–", "(", "\n", "\r\n"}
        ):
            following += 1
        end = read_town(tokens, following, lists, stops)
        town = end > following and (len(match["z"]) == 5 or tokens[following].fold in lists.towns)
        ordinary = (
            town
            and end - following == 1
            and lists.is_common(tokens[following].fold)
            and tokens[following].fold not in lists.towns
        )
        if town and not ordinary:
            yield Candidate(match.start(), match.end(), PhiLabel.ZIP, Rank.PLACE)
            yield Candidate(tokens[following].start, tokens[end - 1].end, PhiLabel.VILLE, Rank.PLACE)
        elif _POSTCODE_CUE.search(text[max(0, match.start() - 16) : match.start()]) or _after_town(
            tokens, index, lists
        ):
            yield Candidate(match.start(), match.end(), PhiLabel.ZIP, Rank.PLACE)
    for index, token in enumerate(tokens):
        if not (token.kind == WORD and (token.is_capital or token.fold in {"le", "la", "les", "l"})):
            continue
        yield from _lone_town(text, tokens, index, lists, cues, before_town, stops)


def _after_town(tokens: Sequence[Token], index: int, lists: Gazetteer) -> bool:
    before = index - 1
    while before >= 0 and tokens[before].fold in {",", "(", "-", "–"}:
        before -= 1
    return (
        before >= 0 and tokens[before].kind == WORD and tokens[before].is_capital and tokens[before].fold in lists.towns
    )


def _lone_town(
    text: str,
    tokens: Sequence[Token],
    index: int,
    lists: Gazetteer,
    cues: Phrases,
    before_town: Phrases,
    stops: frozenset[str],
) -> Iterator[Candidate]:
    token = tokens[index]
    previous = tokens[index - 1] if index else None
    if previous is not None and previous.fold == "'" and index > 1:
        previous = tokens[index - 2]
    listed = lists.town_phrases.match(tokens, index)
    if previous is None or previous.kind == LINE:
        end = read_town(tokens, index, lists, stops) or index
        if end > index and re.match(
            r"[ ]?,?[ ](?:le|ce)[ ](?:lundi |mardi |mercredi |jeudi |vendredi |samedi |dimanche )?\d",
            text[tokens[end - 1].end : tokens[end - 1].end + 20],
            re.IGNORECASE,
        ):
            yield Candidate(token.start, tokens[end - 1].end, PhiLabel.VILLE, Rank.CUED)
        return
    if token.shape == LOWER and listed == index:
        return
    unit = before_town.ends_before(
        tokens, index if previous.fold not in {"de", "du", "d"} else index - (2 if tokens[index - 1].fold == "'" else 1)
    )
    cued = cues.ends_before(tokens, index)
    if unit or cued:
        end = max(read_town(tokens, index, lists, stops), listed)
        form = " ".join(t.fold for t in tokens[index:end])
        if (
            end > index
            and (listed > index or not lists.is_common(form))
            and not (end - index == 1 and token.shape == UPPER and len(token.fold) < 4)
        ):
            yield Candidate(token.start, tokens[end - 1].end, PhiLabel.VILLE, Rank.CUED)
        return
    if previous.kind != WORD:
        if (
            listed > index
            and previous.fold in {"(", ",", "-", "–", ":"}
            and not lists.is_name(token.fold)
            and not lists.is_common(token.fold)
        ):
            yield Candidate(token.start, tokens[listed - 1].end, PhiLabel.VILLE, Rank.LISTED)
        return
    if previous.fold not in {"a", "de", "d", "depuis", "vers", "sur", "en", "pres", "par", "entre"}:
        if (
            listed > index
            and not lists.is_common(token.fold)
            and not lists.is_name(token.fold)
            and token.shape != LETTER_ONLY
        ):
            yield Candidate(token.start, tokens[listed - 1].end, PhiLabel.VILLE, Rank.LISTED)
        return
    if listed > index:
        if not lists.is_protected(token.fold) or previous.fold == "a":
            yield Candidate(token.start, tokens[listed - 1].end, PhiLabel.VILLE, Rank.WEAK)
        return
    plain = (
        token.shape == CAPITALISED
        and not lists.is_common(token.fold)
        and not lists.is_protected(token.fold)
        and token.fold not in stops
    )
    if previous.fold == "a" and plain and not lists.is_first(token.fold):
        end = read_town(tokens, index, lists, stops)
        if end > index:
            yield Candidate(token.start, tokens[end - 1].end, PhiLabel.VILLE, Rank.LISTED)

