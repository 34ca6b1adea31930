"""Spans of the trained tagger, beside those of the rules: what they add, where it can be believed.

The tagger finds what no cue announces, and errs where a rule would not: a scale, a capital at the beginning of a
sentence, half a word. The lists that the rules use say so.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

from rag.deid.gazetteer import Gazetteer, read_yaml
from rag.deid.tokens import NUMBER, UPPER, WORD, Token
from schema.phi import PhiEntity, PhiLabel

_NAMES = frozenset({PhiLabel.NOM, PhiLabel.PRENOM, PhiLabel.VILLE, PhiLabel.HOPITAL, PhiLabel.ADRESSE})
_LEAST_DIGITS = {PhiLabel.TEL: 4, PhiLabel.IPP: 5, PhiLabel.NDA: 6, PhiLabel.SECU: 10, PhiLabel.ZIP: 4}
_ACRONYM = 4  # letters of the longest
#: Something with a month or a year: no bare number, no score ("20/28").
_DATE = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|\d{6,8}|\d\D{1,3}(?:0?[1-9]|1[0-2])(?!\d)|[^\W\d_]{3,}")


class TagFilter:
    """Chooses among the tagger's spans.

    Args:
        lists: what words are known to be.
        stops: folded words that are never part of a name: titles, roles, articles; those of ``data/tagger.yml`` are
            added.
    """

    def __init__(self, lists: Gazetteer, stops: Iterable[str]) -> None:
        self._lists = lists
        self._stops = frozenset(stops).union(*read_yaml("tagger.yml").values())

    def additions(
        self,
        text: str,
        tokens: Sequence[Token],
        tagged: Iterable[PhiEntity],
        taken: Sequence[tuple[int, int]],
        capitals: bool,
    ) -> list[PhiEntity]:
        """What the tagger adds to the spans already found, in order.

        Args:
            text: the document's.
            tokens: of the text, in order.
            tagged: the tagger's spans.
            taken: stretches that are spans already, or may not be any; a tagged span keeps what lies outside them.
            capitals: whether the text writes names with a capital letter.
        """
        blocked = sorted(taken)
        spans = sorted(part for span in tagged for part in _outside(span, blocked))
        begins = {span.start for span in spans} | {low for low, _ in blocked}
        ends = {span.end for span in spans} | {high for _, high in blocked}
        starts = [token.start for token in tokens]
        added = []
        for span in spans:
            first, last = bisect_left(starts, span.start), bisect_left(starts, span.end)
            if first and tokens[first - 1].end > span.start:
                first -= 1
            inner = list(tokens[first:last])
            if span.label in _NAMES:
                inner = self._without_titles(inner)
            if not inner or (span.start not in ends and _is_inside_word(text, span.start)):
                continue
            if span.end not in begins and _is_inside_word(text, span.end):
                continue
            start, end = max(span.start, inner[0].start), min(span.end, inner[-1].end)
            whole = PhiEntity(start, end, span.label)
            if self._is_believable(text, inner, whole, capitals):
                added.append(whole)
        return added

    def _without_titles(self, tokens: list[Token]) -> list[Token]:
        """Without the titles, articles and signs at both ends."""
        first, last = 0, len(tokens)
        while first < last and (tokens[first].kind not in (WORD, NUMBER) or tokens[first].fold in self._stops):
            first += 1
        while last > first and tokens[last - 1].kind not in (WORD, NUMBER) and tokens[last - 1].text not in ".»":
            last -= 1
        return tokens[first:last]

    def _is_believable(self, text: str, tokens: Sequence[Token], span: PhiEntity, capitals: bool) -> bool:
        words = [token for token in tokens if token.kind == WORD]
        match span.label:
            case PhiLabel.NOM | PhiLabel.PRENOM | PhiLabel.VILLE | PhiLabel.HOPITAL:
                return bool(words) and self._is_name(tokens, words, capitals)
            case PhiLabel.ADRESSE:
                numbered = any(token.kind == NUMBER for token in tokens)
                return len(words) > 1 and (numbered or not capitals or bool(self._informative(words, capitals)))
            case PhiLabel.MAIL:
                return "@" in text[span.start : span.end]
            case PhiLabel.DATE | PhiLabel.DATE_NAISSANCE:
                return bool(_DATE.search(text[span.start : span.end]))
        return sum(map(str.isdigit, text[span.start : span.end])) >= _LEAST_DIGITS[span.label]

    def _is_name(self, tokens: Sequence[Token], words: Sequence[Token], capitals: bool) -> bool:
        if self._is_medical(tokens):
            return False
        if len(tokens) == 1 and len(words[0].text) == 1:
            return False  # a letter alone; "J." is another matter
        return bool(self._informative(words, capitals))

    def _informative(self, words: Sequence[Token], capitals: bool) -> list[Token]:
        """The words that may name somebody or some place."""
        return [word for word in words if not self._is_ordinary(word) and (word.is_capital or not capitals)]

    def _is_medical(self, tokens: Sequence[Token]) -> bool:
        """Nothing but protected terms."""
        at = 0
        while at < len(tokens):
            end = self._lists.protected_phrases.match(tokens, at)
            if end == at and tokens[at].kind == WORD:
                form = tokens[at].fold
                if not (self._lists.is_protected(form) or all(map(self._lists.is_protected, form.split("-")))):
                    return False
            at = max(end, at + 1)
        return True

    def _is_ordinary(self, word: Token) -> bool:
        """A word that says nothing of anybody: an article, a common word, an acronym."""
        form, lists = word.fold, self._lists
        if form in self._stops or lists.is_protected(form):
            return True
        if lists.is_name(form) or lists.is_town(form):
            return False
        return lists.is_common(form) or (word.shape == UPPER and len(form) <= _ACRONYM)


def _outside(span: PhiEntity, blocked: Sequence[tuple[int, int]]) -> Iterator[PhiEntity]:
    """The parts of a span that no blocked stretch covers."""
    start = span.start
    for low, high in blocked[max(0, bisect_right(blocked, (span.start, span.start)) - 1) :]:
        if low >= span.end:
            break
        if start < low:
            yield PhiEntity(start, low, span.label)
        start = max(start, high)
    if start < span.end:
        yield PhiEntity(start, span.end, span.label)


def _is_inside_word(text: str, at: int) -> bool:
    """Between two letters, where no change to capitals parts them ("DupontMarie")."""
    if not 0 < at < len(text) or not (text[at - 1].isalpha() and text[at].isalpha()):
        return False
    return not (text[at - 1].islower() and text[at].isupper())
