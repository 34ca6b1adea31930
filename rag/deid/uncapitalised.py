"""Documents typed without capitals: words that are known to be names are read as if they had one."""

from __future__ import annotations

from collections.abc import Sequence

from rag.deid.gazetteer import Gazetteer
from rag.deid.tokens import CAPITALISED, LETTER, LOWER, WORD, Token

_CARE = frozenset({"hopital", "clinique", "chu", "ch", "ehpad", "polyclinique"})
_TITLES = frozenset({"dr", "docteur", "mme", "madame", "mr", "monsieur", "pr", "professeur"})
_PLACED = frozenset({"a", "de", "'", "sur", "vers", "puis", "pres", "du"})
_FEWEST_WORDS = 8
_CAPITALS = 0.012  # share of capitalised words (no abbreviations) up to which capitals were not used
_ONE_STRAY = 40  # words; in a text so short, one capital shows no habit


def written_without_capitals(tokens: Sequence[Token]) -> bool:
    """Whether a text of some length has next to no capitalised word; abbreviations in capitals do not count."""
    words = [token for token in tokens if token.kind == WORD and len(token.text) > 1]
    lower = sum(word.shape == LOWER for word in words)
    capitals = sum(word.shape == CAPITALISED for word in words)
    stray = 1 if len(words) <= _ONE_STRAY else 0
    return lower >= _FEWEST_WORDS and capitals <= max(_CAPITALS * len(words), stray)


def give_capitals(tokens: Sequence[Token], lists: Gazetteer) -> None:
    """Mark, in place, as capitalised the words that are names or towns and nothing else, and what a title announces."""
    for index, token in enumerate(tokens):
        if token.shape != LOWER:
            continue
        placed = index > 0 and tokens[index - 1].fold in _PLACED
        end = lists.town_phrases.match(tokens, index) if placed else index
        if end > index + 1 and any(
            len(part.fold) > 4 for part in tokens[index:end]
        ):  # "a la ciotat", "st jean de maurienne"
            for part in tokens[index:end]:
                part.shape = CAPITALISED if len(part.fold) > 2 else part.shape
            continue
        before = tokens[index - 1 - (index > 1 and tokens[index - 1].fold == ".")].fold if index else ""
        if len(token.text) == 1:
            following = tokens[index + 2] if index + 2 < len(tokens) and tokens[index + 1].fold == "." else None
            named = following is not None and following.kind == WORD
            if (
                following
                and named
                and token.fold not in {"m", "y"}
                and (before in _TITLES or lists.is_name(following.fold))
            ):
                token.shape = LETTER
                following.shape = CAPITALISED
        elif before in _TITLES and token.fold in {"le", "la", "de", "du", "des"} and index + 1 < len(tokens):
            tokens[index + 1].shape = CAPITALISED if tokens[index + 1].kind == WORD else tokens[index + 1].shape
        elif before in _TITLES or (len(token.fold) > 3 and _is_only_a_name(token.fold, before, lists)):
            token.shape = CAPITALISED


def _is_only_a_name(form: str, before: str, lists: Gazetteer) -> bool:
    if lists.is_common(form) or (lists.is_protected(form) and not lists.is_first(form)):
        return False
    return before in _CARE or lists.is_name(form) or form in lists.towns or (before in _PLACED and lists.is_town(form))
