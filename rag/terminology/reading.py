"""A text as the matcher reads it: its tokens, and what their writing says."""

from __future__ import annotations

import functools
from pathlib import Path

from rag.terminology.tokens import Token, key, pieces, span_of

#: Up to this many tokens a text is a title or a line, beyond it is prose: vocabularies are used differently there.
_LONGEST_TITLE = 120


class Reading:
    """One text.

    Args:
        text: as given.

    Attributes:
        keys, forms, words: of its tokens (`rag.terminology.tokens.Token`), as they are compared, as they are written,
            and in lower case.
        prose: longer than a title.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._places, self.keys, self.forms, self.words = pieces(text)
        self.prose = len(self.keys) > _LONGEST_TITLE

    @functools.cached_property
    def tokens(self) -> list[Token]:
        """Its words and signs; where few are asked for, `span` is faster."""
        return [Token(*span_of(place), key) for place, key in zip(self._places, self.keys, strict=True)]

    @functools.cached_property
    def starts(self) -> list[int]:
        """Where each token starts."""
        return [place.start() for place in self._places]

    def key(self, first: int, stop: int) -> str:
        """The key of tokens [first, stop)."""
        return " ".join(self.keys[first:stop])

    def written(self, first: int, stop: int) -> str:
        """The words of tokens [first, stop), in lower case, accents kept."""
        return " ".join(self.words[first:stop])

    def span(self, first: int, stop: int) -> tuple[int, int]:
        """The code points [start, end) of tokens [first, stop)."""
        return self._places[first].start(), span_of(self._places[stop - 1])[1]

    def around(self, first: int, stop: int) -> tuple[str, str]:
        """The keys of the tokens before and after; "^" and "$" at the ends of the text."""
        return (self.keys[first - 1] if first else "^"), (self.keys[stop] if stop < len(self.keys) else "$")

    @functools.cached_property
    def depths(self) -> list[int]:
        """How many brackets are open at each token."""
        depths, depth = [], 0
        for sign in self.keys:
            depth += sign == "("
            depths.append(depth)
            depth = max(0, depth - (sign == ")"))
        return depths


@functools.cache
def function_words() -> frozenset[str]:
    """The keys of the words of ``function_words_fr.txt``."""
    lines = Path(__file__).with_name("function_words_fr.txt").read_text(encoding="utf-8").splitlines()
    words = (word for line in lines if not line.startswith("#") for word in line.split())
    return frozenset(key(word) for word in words) | {"l", "d"}
