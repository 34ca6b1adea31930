"""Names of hospitals, clinics and homes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from rag.deid.gazetteer import Gazetteer, read_yaml
from rag.deid.merge import Candidate, Rank
from rag.deid.tokens import CAPITALISED, LETTER, LOWER, SIGN, UPPER, WORD, Phrases, Token
from schema.phi import PhiLabel

_LINKS = frozenset(
    ["de", "du", "des", "la", "le", "les", "l", "d", "saint", "sainte", "st", "ste", "notre", "dame", "et", "sur", "en"]
)
_OPENERS = frozenset(["de", "du", "des", "la", "le", "les", "l", "d"])
_QUOTES = frozenset('«"“”»')
_BARE_BEFORE = frozenset(["a", "de", "depuis", "vers", "au", "du", "d", "par", "sur", "chez", "aux"])
_TOWN_KINDS = frozenset({"maison de sante", "maison medicale"})
_MAX_TOKENS = 12


class HospitalReader:
    """Finds "CHU de Montclar", "Clinique des Ormes", "Hôpital Saint-Louis", and famous names alone after a preposition.

    The kind belongs to the span, as a name without it would still tell the place.
    """

    def __init__(self, lists: Gazetteer, stops: frozenset[str]) -> None:
        self._lists = lists
        places = read_yaml("places.yml")
        self._kinds = Phrases(places["hospitals"])
        self._labels = Phrases(places["hospital_labels"])
        self._weak = frozenset(places["weak_hospitals"])
        self._openers = self._kinds.openers | self._labels.openers | {"hospital", "("}
        self._stops = stops

    def find(self, tokens: Sequence[Token], towns: AbstractSet[str]) -> Iterator[Candidate]:
        """Hospitals in order; ``towns`` are towns known from the patient's addresses, left outside of a name.

        A kind read inside another's span ("SSR neurologique Clinique des Ormes") opens its own.
        """
        index = 0
        while index < len(tokens):
            if not (tokens[index].fold in self._openers or tokens[index].is_capital):
                index += 1
                continue
            if tokens[index].fold == "hospital" and (start := self._english(tokens, index)) < index:
                yield Candidate(tokens[start].start, tokens[index].end, PhiLabel.HOPITAL, Rank.FORM)
            if (end := self._labelled(tokens, index)) > index:
                start = self._labels.match(tokens, index)
                start += next(step for step in range(4) if tokens[start + step].kind == WORD)
                yield Candidate(tokens[start].start, tokens[end - 1].end, PhiLabel.HOPITAL, Rank.LISTED)
            after = self._kinds.match(tokens, index) if tokens[index].kind == WORD else index
            if after > index and self._could_open(tokens[index]):
                end = self._name(tokens, index, after, towns)
                if end > after:
                    yield Candidate(tokens[index].start, tokens[end - 1].end, PhiLabel.HOPITAL, Rank.PLACE)
                    index = end
                    continue
            elif (end := self._enclosed(tokens, index)) > index + 1:
                yield Candidate(tokens[index + 1].start, tokens[end - 1].end, PhiLabel.HOPITAL, Rank.LISTED)
                index = end
                continue
            elif (bare := self._bare(tokens, index)) > index:
                yield Candidate(tokens[index].start, tokens[bare - 1].end, PhiLabel.HOPITAL, Rank.FORM)
                index = bare
                continue
            index += 1

    @staticmethod
    def _could_open(token: Token) -> bool:
        """Two-letter kinds ("CH", "GH") only count in capitals: "ch. 214" is a room."""
        return token.shape in (UPPER, LETTER) if len(token.fold) <= 4 else True

    def _name(self, tokens: Sequence[Token], kind: int, start: int, towns: AbstractSet[str]) -> int:
        """The index after the proper name that follows a kind; ``start`` where there is none."""
        words = " ".join(token.fold for token in tokens[kind:start] if token.kind == WORD)
        weak = words in self._weak
        place, end, proper, shape = start, start, 0, ""
        if words in _TOWN_KINDS and start < len(tokens) and tokens[start].fold not in _LINKS:
            return start  # "Maison de santé Cournon": the town follows
        opened = False
        first = start
        while first < len(tokens) and (tokens[first].fold in _OPENERS or tokens[first].fold == "'"):
            first += 1
        if first < len(tokens) and tokens[first].is_capital:
            named = self._lists.hospital_phrases.match(tokens, start)
            named = named if named > start else self._lists.hospital_phrases.match(tokens, first)
            if named > first:
                return named
        while place < len(tokens) and place - start < _MAX_TOKENS:
            token = tokens[place]
            if token.start - tokens[place - 1].end > 2:
                break
            if token.kind == SIGN and (
                token.fold == "'"
                or (token.fold in _QUOTES and token.fold not in {"»", "”"})
                or (token.fold == "." and tokens[place - 1].fold in {"hop", "clin", "st", "ste"})
            ):
                opened = opened or token.fold in _QUOTES
                place += 1
                continue
            if token.kind == SIGN and opened and proper and token.fold in _QUOTES:
                return place + 1
            if token.kind != WORD:
                break
            if (
                token.shape == LETTER
                and token.fold not in {"l", "d"}
                and place + 2 < len(tokens)
                and tokens[place + 1].fold == "."
            ):
                place += 2  # "CH F. MITTERRAND"
                continue
            if token.fold in _LINKS and (
                token.shape == LOWER
                or token.fold in {"l", "d"}
                or token.shape == shape
                or not proper
                or token.fold in {"saint", "sainte", "st", "ste", "notre", "dame"}
            ):
                if (
                    proper
                    and token.fold in {"de", "du", "d", "des", "et", "en", "la", "le", "les", "l", "sur"}
                    and not self._goes_on(tokens, place, shape, towns)
                ):
                    break
                place += 1
                continue
            if token.shape not in (CAPITALISED, UPPER) or not self._is_proper(
                tokens, place, proper, shape, weak, towns
            ):
                break
            proper, shape, end = proper + 1, token.shape, place + 1
            place += 1
        return end

    def _goes_on(self, tokens: Sequence[Token], at: int, shape: str, towns: AbstractSet[str]) -> bool:
        """Whether after a link another proper word goes on with the name: not in "Nord de garde"."""
        place = at
        while place < len(tokens) and (tokens[place].fold in _LINKS or tokens[place].fold == "'"):
            place += 1
        if place >= len(tokens) or tokens[place].kind != WORD:
            return False
        token = tokens[place]
        return token.shape == shape and token.fold not in self._stops and not self._lists.is_common(token.fold)

    def _is_proper(
        self, tokens: Sequence[Token], at: int, proper: int, shape: str, weak: bool, towns: AbstractSet[str]
    ) -> bool:
        token, before = tokens[at], tokens[at - 1]
        form = token.fold
        linked = before.fold in _LINKS or before.fold in {"'"} | _QUOTES
        if form in self._stops and not linked:
            return False
        common = self._lists.is_common(form) and form not in self._lists.towns and not self._lists.is_name(form)
        if not proper:
            if form in {"universitaire", "regional", "intercommunal", "general", "prive", "local", "civil"}:
                return True
            if common and not (token.shape == CAPITALISED and (linked or (not weak and self._pair(tokens, at)))):
                return False
            if weak and token.shape == UPPER and len(form) <= 4:
                return False
            return not (weak and self._lists.is_common(form) and not linked)
        if common:
            # "Les Trois Vallées": ordinary words one after the other in a name that began with an article
            return token.shape == CAPITALISED and (
                linked or (shape == CAPITALISED and self._lists.is_common(before.fold))
            )
        if not linked and (form in towns or (form in self._lists.towns and not self._lists.is_name(form))):
            return False
        return token.shape == shape

    def _labelled(self, tokens: Sequence[Token], at: int) -> int:
        """ "Provenance : Les Glycines": the index after the name that a form's label announces; ``at`` for none."""
        place = self._labels.match(tokens, at) if tokens[at].kind == WORD else at
        if place == at or place + 1 >= len(tokens) or tokens[place].fold != ":":
            return at
        place += 1
        start = place
        while place < len(tokens) and place - start < 6 and tokens[place].kind == WORD:
            token = tokens[place]
            proper = token.shape in (CAPITALISED, UPPER) and len(token.fold) > 2
            word = (
                self._lists.is_common(token.fold) or self._lists.is_protected(token.fold) or token.fold in self._stops
            )
            if token.fold not in _LINKS and (not proper or (word and place == start)):
                break
            place += 1
        named = any(token.is_capital and not self._lists.is_common(token.fold) for token in tokens[start:place])
        named = named or (place > start + 1 and tokens[start].shape == CAPITALISED and tokens[start].fold in _OPENERS)
        return place if named else at

    @staticmethod
    def _english(tokens: Sequence[Token], at: int) -> int:
        """ "Addenbrooke university hospital": where the name before "hospital" starts."""
        start = at
        while (
            start > 0
            and at - start < 4
            and (tokens[start - 1].is_capital or tokens[start - 1].fold in {"university", "general"})
        ):
            start -= 1
        return start if tokens[start].is_capital else at

    def _pair(self, tokens: Sequence[Token], at: int) -> bool:
        """ "Hôpital Grands Rameaux": two capitalised ordinary words, neither of them a word of forms."""
        return all(
            place < len(tokens) and tokens[place].shape == CAPITALISED and tokens[place].fold not in self._stops
            for place in (at, at + 1)
        )

    def _enclosed(self, tokens: Sequence[Token], at: int) -> int:
        """ "Brest (La Cavale)": capitalised words in brackets after a town; the index of the closing bracket."""
        if (
            tokens[at].fold != "("
            or not at
            or not self._lists.is_town(tokens[at - 1].fold)
            or not tokens[at - 1].is_capital
        ):
            return at
        place = at + 1
        while place < len(tokens) and place - at < 6 and tokens[place].kind == WORD:
            token = tokens[place]
            link = token.fold in _LINKS
            if not link and (
                token.shape not in (CAPITALISED, UPPER)
                or token.fold in self._stops
                or self._lists.is_common(token.fold)
            ):
                return at
            place += 1
        return place if place < len(tokens) and tokens[place].fold == ")" else at

    def _bare(self, tokens: Sequence[Token], at: int) -> int:
        if tokens[at].kind != WORD or not tokens[at].is_capital:
            return at
        end = self._lists.hospital_phrases.match(tokens, at)
        if end == at:
            return at
        previous = tokens[at - 1] if at else None
        if previous is not None and previous.fold == "'" and at > 1:
            previous = tokens[at - 2]
        form = " ".join(token.fold for token in tokens[at:end] if token.kind == WORD)
        lists = self._lists
        placed = previous is not None and previous.fold in _BARE_BEFORE | {"(", "la"}
        if lists.is_protected(form):
            return end if previous is not None and previous.fold == "a" else at
        if form in lists.towns or ("-" not in form and lists.is_common(form)):
            return at
        doubtful = lists.is_name(form) or form.split("-")[0].split(" ")[0] in {
            "saint",
            "sainte",
            "la",
            "jean",
            "paul",
            "hotel",
        }
        return end if placed or not doubtful else at
