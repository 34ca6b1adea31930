"""Postcodes and towns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.deid.evidence import line_in_capitals
from rag.deid.gazetteer import Gazetteer, read_yaml
from rag.deid.merge import Candidate, Rank
from rag.deid.tokens import CAPITALISED, LINE, LOWER, NUMBER, SIGN, UPPER, WORD, Phrases, Token
from schema.phi import PhiLabel

_LINKS = frozenset({"de", "du", "des", "la", "le", "les", "l", "d", "aux", "sur", "sous", "en", "lez", "s"})
_ARTICLES = frozenset({"le", "la", "les", "l"})
_SAINTS = frozenset({"saint", "sainte", "st", "ste"})
_BELOW = frozenset({"sur", "sous", "en", "lez", "les"})
_POSTCODE = re.compile(
    r"(?<![\w./+])(?<!\d[ ,-])(?:F-|FR-|B-|CH-|L-)?(?P<z>(?:[0O][1-9]|[1-8][\dOl]|9[0-8])(?:[\dOl]{3}"
    r"| \d{3}))(?![\d_%]|[a-zà-ÿ]|[.,/-]\d| \d{2,})"
)
_FOREIGN_POSTCODE = re.compile(
    r"(?<=[,\n] )(?!19|20)[1-9]\d{3}(?= [A-ZÀ-Ý][a-zà-ÿ])|(?<=\n)(?!19|20)[1-9]\d{3}(?= [A-ZÀ-Ý][a-zà-ÿ])"
)
_POSTCODE_CUE = re.compile(
    r"(?:\bCP|code[ ]postal|\bdans le|\bB\.?P\.?[ ]?\d+)[ \t]{0,2}[:.,=—–-]?[ \t]{0,2}$", re.IGNORECASE
)
_DATED = re.compile(
    r"[ ]?,[ ]\d{1,2}[/.]\d|[ ]?,[ ]?(?:le|ce)\b|[ ]?,?[ ](?:le|ce)[ ](?:\d|lundi|mardi|mercredi|jeudi|vendredi"
    r"|samedi|dimanche)"
    r"|,[ ](?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche)[ ]\d",
    re.IGNORECASE,
)
_DISTRICT = re.compile(r"[ ]\d{1,2}[ ]?(?:e|er|[èe]me)\b(?:[ ]arr\w*\.?)?", re.IGNORECASE)
_DEPARTMENT = re.compile(r"[ ]?\((?:[0-9][0-9AB]|97\d)\)")
_ON_RIVER = re.compile(r"[ -]?(?:s/|/s)[ ]?[A-ZÀ-Ý]")
_SPECIALTIES = ("logie", "iatrie", "urgie")  # "service d'hématologie de X"
_BETWEEN = frozenset({",", "-", "–", "(", "/", "\n", "\r\n", ":", "commune", "ville", "."})
_STRONG_BEFORE = frozenset({"a", "vers", "pres", "sur", "en", "par", "entre", "depuis"})


class TownFinder:
    """Finds postcodes with their town, "Town, le DATE", and towns after a word or preposition of place."""

    def __init__(self, lists: Gazetteer, cues: Phrases, stops: frozenset[str]) -> None:
        places = read_yaml("places.yml")
        self._lists = lists
        self._cues = cues
        self._before_town = Phrases(places["town_before"])
        self._stems = tuple(places["town_stems"])
        self._pieces = frozenset(places["town_pieces"])
        self._stops = stops

    def find(self, text: str, tokens: Sequence[Token]) -> Iterator[Candidate]:
        """Candidates ZIP and VILLE."""
        yield from self._postcodes(text, tokens)
        done = 0
        for index, token in enumerate(tokens):
            if index < done:
                continue
            if token.kind == WORD and (token.is_capital or token.fold in _ARTICLES):
                end, rank = self._town_at(text, tokens, index)
                if end > index:
                    done = end
                    stop = tokens[end - 1].end
                    if district := _DISTRICT.match(text, stop):
                        stop = district.end()
                    yield Candidate(token.start, stop, PhiLabel.VILLE, rank)

    def _postcodes(self, text: str, tokens: Sequence[Token]) -> Iterator[Candidate]:
        starts = {token.start: index for index, token in enumerate(tokens) if token.kind == NUMBER}
        for match in _FOREIGN_POSTCODE.finditer(text):
            index = starts.get(match.start())
            if index is not None and (end := self._listed(tokens, index + 1)) > index + 1:
                yield Candidate(*match.span(), PhiLabel.ZIP, Rank.FORM)
                yield Candidate(tokens[index + 1].start, tokens[end - 1].end, PhiLabel.VILLE, Rank.FORM)
        for match in _POSTCODE.finditer(text):
            index = starts.get(match.start("z"))
            if index is None:
                continue
            following = index + 1
            while following < len(tokens) and tokens[following].start < match.end():
                following += 1
            place = following
            while place < len(tokens) and place - following < 4 and tokens[place].fold in _BETWEEN:
                place += 1
            end = self.read(tokens, place)
            known = end > place and self._listed(tokens, place) > place
            short = place < len(tokens) and tokens[place].shape == UPPER and len(tokens[place].fold) < 4
            ordinary = end - place == 1 and (short or self._lists.is_common(tokens[place].fold))
            spaced = " " in match["z"]
            misread = not match["z"].replace(" ", "").isdigit()
            if end > place and (known or not (ordinary or spaced or misread or place - following > 2)):
                yield Candidate(match.start(), match.end(), PhiLabel.ZIP, Rank.PLACE)
                yield Candidate(tokens[place].start, tokens[end - 1].end, PhiLabel.VILLE, Rank.PLACE)
            elif _POSTCODE_CUE.search(text[max(0, match.start() - 16) : match.start()]) or self._after_town(
                tokens, index
            ):
                yield Candidate(match.start(), match.end(), PhiLabel.ZIP, Rank.PLACE)
            elif re.search(
                r"(?i)\b(?:rue|av|avenue|bd|boulevard|all[ée]e|chemin|place|impasse|route|quai|cours"
                r"|square)\b[^\n\d]{3,50}[,( –-]{1,4}$",
                text[max(0, match.start() - 70) : match.start()],
            ):
                yield Candidate(match.start(), match.end(), PhiLabel.ZIP, Rank.FORM)

    def _after_town(self, tokens: Sequence[Token], index: int) -> bool:
        before = index - 1
        while before >= 0 and tokens[before].fold in {",", "(", "-", "–"}:
            before -= 1
        return before >= 0 and tokens[before].is_capital and tokens[before].fold in self._lists.towns

    def _listed(self, tokens: Sequence[Token], at: int) -> int:
        """The index after a town of the list at ``at``; ``at`` where there is none, or only a short abbreviation."""
        end = self._lists.town_phrases.match(tokens, at)
        curated = tokens[at].fold in self._lists.towns
        fewest = 5 if not curated else 3 if at and tokens[at - 1].kind == SIGN else 4
        abbreviation = end - at == 1 and tokens[at].shape == UPPER and len(tokens[at].fold) < fewest
        return at if abbreviation else end

    def read(self, tokens: Sequence[Token], at: int) -> int:
        """The index after the town at ``at``, listed or not, without "CEDEX"; ``at`` where there is none."""
        place, shape, last = at, "", at
        while place < len(tokens) and place - at < 9:
            token = tokens[place]
            if place > at and token.start - tokens[place - 1].end > 1:
                break
            if token.kind == LINE:
                if not (place > at and self._joins_lines(tokens, place)):
                    break
            elif token.kind == WORD and token.fold == "cedex":
                break
            elif token.kind == WORD and token.shape in (CAPITALISED, UPPER):
                if not self._goes_on(tokens, place, shape, last > at):
                    break
                if token.fold not in _LINKS:
                    shape, last = token.shape, place + 1
            elif (
                token.kind == WORD and token.fold in _LINKS and (token.shape == LOWER or token.fold in {"d", "l", "s"})
            ):
                if last == at and token.fold not in _ARTICLES:
                    break
            elif not (
                token.kind == SIGN
                and token.fold in {"'", "/", "-"}
                and (last > at or token.fold == "'")
                and token.start == tokens[place - 1].end
            ):
                break
            place += 1
        return last

    @staticmethod
    def _joins_lines(tokens: Sequence[Token], at: int) -> bool:
        after = tokens[at + 1] if at + 1 < len(tokens) else None
        return (
            after is not None
            and after.kind == WORD
            and (tokens[at - 1].fold in _LINKS | _SAINTS or after.fold in _BELOW)
        )

    def _goes_on(self, tokens: Sequence[Token], at: int, shape: str, begun: bool) -> bool:
        token, before = tokens[at], tokens[at - 1].fold if at else ""
        known = token.fold in self._lists.towns
        if token.fold in _LINKS:
            return begun or token.fold in _ARTICLES
        if token.fold in self._stops and not known:
            return False
        if not begun or before in _LINKS | _SAINTS | {"'", "/"}:
            return True
        if (shape == UPPER and token.shape != UPPER) or (shape == CAPITALISED and token.shape == UPPER):
            return False
        return known or not (self._lists.is_common(token.fold) or (self._lists.is_name(token.fold) and shape != UPPER))

    def _town_at(self, text: str, tokens: Sequence[Token], index: int) -> tuple[int, Rank]:
        """The index after a town at ``index`` and how sure it is; ``index`` where there is none."""
        token = tokens[index]
        lists = self._lists
        listed = self._listed(tokens, index)
        if token.shape == LOWER and not (listed > index + 1 and any(t.is_capital for t in tokens[index + 1 : listed])):
            return index, Rank.LISTED  # "la marche" is no town, "la Ciotat" is
        if lists.protected_phrases.match(tokens, index) > index:
            return index, Rank.LISTED
        previous = tokens[index - 1] if index else None
        if (
            previous is not None
            and previous.kind == LINE
            and index > 1
            and tokens[index - 2].fold in _STRONG_BEFORE | {"de"}
        ):
            previous = tokens[index - 2]  # "près de" at the end of a line
        if (end := self._dated(text, tokens, index, listed)) > index:
            return end, Rank.CUED
        if previous is None or previous.kind == LINE:
            return self._lone_line(tokens, index, listed), Rank.LISTED
        if token.is_capital and _ON_RIVER.match(text, token.end):
            return self.read(tokens, index), Rank.CUED
        linked = previous.fold in {"de", "du", "d", "'"}
        unit = self._before_town.ends_before(tokens, index - (2 if previous.fold == "'" else 1) if linked else index)
        name = tokens[index + 1] if token.fold in _ARTICLES and index + 1 < len(tokens) else token
        plain = name.is_capital and not lists.is_common(name.fold) and not lists.is_protected(name.fold)
        plain = plain and name.fold not in self._stops
        if unit or self._cues.ends_before(tokens, index):
            end = max(self.read(tokens, index), listed)
            short = end - index == 1 and token.shape == UPPER and len(token.fold) < 4
            return (end, Rank.CUED) if listed > index or (plain and not short) else (index, Rank.CUED)
        if previous.fold == "'" and index > 1:
            previous = tokens[index - 2]
        ordinary = listed - index == 1 and lists.is_common(token.fold) and token.fold not in lists.towns
        if listed > index and previous.kind == WORD and previous.fold in _STRONG_BEFORE | {"de", "d"} and not ordinary:
            return (
                (listed, Rank.WEAK)
                if not lists.is_protected(token.fold) or previous.fold == "a"
                else (index, Rank.WEAK)
            )
        if listed - index > 1 and plain:
            return listed, Rank.FORM
        beside_word = previous.kind == WORD and not previous.is_capital
        curated = token.fold in lists.towns
        content = token.shape == CAPITALISED and len(token.fold) > 4 and len(previous.fold) > 4  # "facteur Campan"
        curated_only = curated and name is token and token.is_capital and not lists.is_protected(token.fold)
        plain = plain or curated_only
        personal = lists.is_first(token.fold) and not (curated and previous.kind == SIGN)
        personal = personal or (lists.is_name(token.fold) and previous.kind == WORD)
        if listed > index and plain and not personal and (curated or not beside_word or content):
            return listed, Rank.LISTED
        if token.shape == LOWER:
            return index, Rank.LISTED
        if _DEPARTMENT.match(text, token.end) and plain:
            return self.read(tokens, index), Rank.CUED
        shaped = token.shape == CAPITALISED or (len(token.fold) > 4 and not line_in_capitals(tokens, index))
        aux = previous.fold == "aux" and token.shape == CAPITALISED
        if (previous.fold in {"a", "vers"} or aux) and plain and shaped and not lists.is_first(name.fold):
            return self.read(tokens, index), Rank.LISTED
        if linked and plain and shaped and self._after_stem(tokens, index):
            return self.read(tokens, index), Rank.LISTED
        if self._is_compound(token) and not lists.is_protected(token.fold) and not lists.is_name(token.fold):
            return self.read(tokens, index), Rank.LISTED
        return index, Rank.LISTED

    def _after_stem(self, tokens: Sequence[Token], index: int) -> bool:
        """ "arrivé de X", "le marché de X": a word of place before "de"."""
        before = index - (3 if tokens[index - 1].fold == "'" else 2)
        if before < 0:
            return False
        return tokens[before].fold.startswith(self._stems) or tokens[before].fold.endswith(_SPECIALTIES)

    def _is_compound(self, token: Token) -> bool:
        """ "Vic-sur-Cère", "Saint-Loup": only towns (and hospitals, found before) are made so."""
        pieces = token.fold.split("-")
        if len(pieces) < 2 or len(pieces[-1]) < 3:
            return False
        if pieces[0] in _SAINTS or token.fold.startswith(("l'", "la-", "le-")):
            return True
        return (
            len(pieces) > 2 and any(piece in self._pieces or piece.startswith(("d'", "l'")) for piece in pieces[1:-1])
        ) or (len(pieces) > 2 and pieces[-1] in {"bains", "chateau", "ville", "bourg"})

    def _dated(self, text: str, tokens: Sequence[Token], index: int, listed: int) -> int:
        """ "Riom, le 9 février": a town at a line's start, or after a wide gap, before the date of a letter."""
        previous = tokens[index - 1] if index else None
        opens = (
            previous is None
            or previous.kind == LINE
            or tokens[index].start - previous.end > 4
            or previous.fold in {"a", "–", "-"}
        )
        if not opens:
            return index
        end = max(self.read(tokens, index), listed)
        if end == index or not _DATED.match(text, tokens[end - 1].end):
            return index
        doubtful = self._lists.is_common(tokens[index].fold) or (
            tokens[index].shape == UPPER and len(tokens[index].fold) < 5
        )
        return index if end - index == 1 and doubtful and listed == index else end

    def _lone_line(self, tokens: Sequence[Token], index: int, listed: int) -> int:
        """A listed town that fills a line or opens it before a country or a sign."""
        if listed == index or (self._lists.is_name(tokens[index].fold) and listed - index == 1):
            return index
        ends = listed >= len(tokens) or tokens[listed].kind in (LINE, SIGN)
        return (
            listed
            if ends
            and not self._lists.is_common(tokens[index].fold)
            and not self._lists.is_protected(tokens[index].fold)
            else index
        )
