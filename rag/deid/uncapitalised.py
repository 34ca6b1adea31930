"""Documents typed without capitals: words that are known to be names are read as if they had one."""

from __future__ import annotations

from collections.abc import Sequence

from rag.deid.gazetteer import Gazetteer
from rag.deid.tokens import CAPITALISED, LETTER, LOWER, WORD, Token

_CARE = frozenset({"hopital", "clinique", "chu", "ch", "ehpad", "polyclinique"})
_FEWEST_WORDS = 12
_CAPITALS = 0.02  # share of capitalised words below which capitals were not used


def written_without_capitals(tokens: Sequence[Token]) -> bool:
    """Whether a text of some length has next to no capital letter."""
    words = [token for token in tokens if token.kind == WORD and len(token.text) > 1]
    return len(words) >= _FEWEST_WORDS and sum(word.is_capital for word in words) <= _CAPITALS * len(words)


def give_capitals(tokens: Sequence[Token], lists: Gazetteer) -> None:
    """Mark, in place, as capitalised the words that are names or towns and nothing else, and initials before a name."""
    for index, token in enumerate(tokens):
        if token.shape != LOWER:
            continue
        if len(token.text) == 1:
            dotted = index + 2 < len(tokens) and tokens[index + 1].fold == "." and tokens[index + 2].kind == WORD
            if dotted and lists.is_name(tokens[index + 2].fold) and token.fold not in {"m", "y"}:
                token.shape = LETTER
                tokens[index + 2].shape = CAPITALISED
        elif (
            len(token.fold) > 3
            and not lists.is_common(token.fold)
            and (lists.is_first(token.fold) or not lists.is_protected(token.fold))
        ):
            placed = index > 0 and tokens[index - 1].fold in _CARE
            if placed or lists.is_name(token.fold) or token.fold in lists.towns:
                token.shape = CAPITALISED
        elif index and tokens[index - 1].fold in {"dr", "docteur", "mme", "madame", "mr", "monsieur", "pr"}:
            token.shape = CAPITALISED
