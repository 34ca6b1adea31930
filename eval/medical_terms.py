"""Medical terms that a de-identification must leave readable: eponyms, scales, devices."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path

from schema.problem import InputError, Problem

_WORD = re.compile(r"[^\W_]+")


class MedicalTerms:
    """Terms to look for, whatever their case and accents. A term of several words stands in a text with any blanks or
    punctuation between them.
    """

    def __init__(self, terms: Iterable[str]) -> None:
        self._terms: set[tuple[str, ...]] = {words for term in terms if (words := tuple(_folded_words(term)))}
        self._longest = max(map(len, self._terms), default=0)

    def __len__(self) -> int:
        return len(self._terms)

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the places [start, end) of the terms, from left to right, the longest at each place, apart."""
        places = [match.span() for match in _WORD.finditer(text)]
        words = [_fold(text[start:end]) for start, end in places]
        index = 0
        while index < len(words):
            for length in range(min(self._longest, len(words) - index), 0, -1):
                if tuple(words[index : index + length]) in self._terms:
                    yield places[index][0], places[index + length - 1][1]
                    index += length
                    break
            else:
                index += 1


def read_medical_terms(file: Path | None = None) -> MedicalTerms:
    """Read a list, one term a line, lines that open with # aside; without a file, the bundled one (French usage).

    Raises:
        InputError: the file cannot be read.
    """
    source = file if file is not None else files("eval").joinpath("medical_terms.txt")
    try:
        lines = source.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(Problem(str(file), "cannot be read as UTF-8.", "Give a list, one term a line.")) from error
    return MedicalTerms(line for line in lines if not line.startswith("#"))


def _folded_words(term: str) -> list[str]:
    return [_fold(match.group()) for match in _WORD.finditer(term)]


def _fold(word: str) -> str:
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))
