"""Folding: one character becomes one character, so that positions in a folded text are positions in the text."""

from __future__ import annotations

import functools
import re
import unicodedata

_TYPOGRAPHY = {"’": "'", "‘": "'", "ʼ": "'", "`": "'", "–": "-", "—": "-", "‑": "-", "−": "-", "«": '"', "»": '"'}


class _FoldTable(dict[int, str]):
    """Folds characters on demand; `str.translate` asks once for each character it has not met."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        folded = _TYPOGRAPHY.get(character)
        if folded is None:
            base = "".join(c for c in unicodedata.normalize("NFKD", character.lower()) if not unicodedata.combining(c))
            folded = base if len(base) == 1 else character
            folded = "u" if folded == "μ" else folded
        self[code] = folded
        return folded


_TABLE = _FoldTable()


def fold(text: str) -> str:
    """Lower case without accents; "’" → "'", "–" → "-", "µ" → "u", "²" → "2". Length is kept: "œ" stays one sign."""
    folded = text.translate(_TABLE)
    assert len(folded) == len(text)
    return folded


#: Doctors write the ending "-ion" as a degree sign.
_ION = re.compile(r"(?<=\w[ts])ions?\b")


@functools.lru_cache(maxsize=4096)
def spellings(form: str) -> tuple[str, ...]:
    """The folded spellings of a lexicon form: "œdème" is also "oedeme", and the reverse; "aggravation", "aggravat°"."""
    folded = " ".join(fold(form).split())
    joined = folded.replace("oe", "œ")
    split = folded.replace("œ", "oe")
    return tuple(dict.fromkeys((folded, joined, split, _ION.sub("°", folded))))


_WORD = re.compile(r"[a-zœ0-9]+")


def words(folded: str) -> list[str]:
    """The words of a folded text, elided articles apart ("l'avc" → "l", "avc")."""
    return _WORD.findall(folded)
