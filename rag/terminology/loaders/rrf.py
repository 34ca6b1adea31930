"""UMLS in Rich Release Format: MRCONSO (names), MRSTY (semantic types) and MRRANK (precedence of sources), if present.

Specification: NLM, "UMLS Reference Manual", chapter 3 (https://www.ncbi.nlm.nih.gov/books/NBK9685/).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from rag.terminology.loaders.release import ReleaseFile, read_rows, release_files
from rag.terminology.loaders.source import Entry, Report, RowProblems, Source, checked_name, hash_files, language_code
from rag.terminology.model import Term
from rag.terminology.vocabulary import read_yaml
from schema.concept import Code, CodeSystem
from schema.problem import InputError, Problem

_GROUPS = Path(__file__).with_name("semantic_groups.yml")
_CUI = re.compile(r"C\d{7}")
# Fields of a row, and one more after its last bar.
_MRCONSO, _MRSTY, _MRRANK = 19, 7, 5
#: Source vocabularies whose codes are kept, by their abbreviation in the Metathesaurus.
_SYSTEMS = {"SNOMEDCT_US": CodeSystem.SNOMED, "ICD10": CodeSystem.ICD10, "ATC": CodeSystem.ATC}
_AS_RELEASED = "Take the line again from the release."

_Row = tuple[int, list[str], RowProblems]


@dataclass(frozen=True, slots=True)
class RrfSource(Source):
    """The folder of a Metathesaurus (META), or a zip of it.

    Args:
        languages: ISO 639-1; names in other languages are left out.
        vocabularies: source abbreviations ("MSHFRE", "SNOMEDCT_US"); all of them when empty. Codes are kept from any.
    """

    place: Path
    languages: Sequence[str] = ("fr", "en")
    vocabularies: Sequence[str] = ()

    @property
    def name(self) -> str:
        """The release's folder."""
        return f"UMLS ({self.place.name})"

    def fingerprint(self) -> str:
        """A hash of every file that is read."""
        files = (file.path for name in ("MRCONSO", "MRSTY", "MRRANK") for file in self._files(name))
        return hash_files(dict.fromkeys(files))

    def entries(self, report: Report) -> Iterator[Entry]:
        """One entry for each concept in MRCONSO's order, then its types. Suppressed and obsolete names are left out.

        Memory: the concepts that were kept, and MRRANK.

        Raises:
            InputError: there is no MRCONSO.RRF.
        """
        files = self._files("MRCONSO")
        if not files:
            remedy = "Give the folder of the release that holds MRCONSO.RRF (META), or a zip of it."
            raise InputError(Problem(str(self.place), "holds no MRCONSO.RRF.", remedy))
        ranks = self._ranks(report)
        kept: set[str] = set()
        for cui, rows in groupby(self._atoms(files, report), key=lambda row: row[1][0]):
            entry = self._concept(cui, rows, ranks)
            if entry.terms:
                kept.add(cui)
            yield entry
        groups = _groups()
        for file in self._files("MRSTY"):
            for number, row, problems in read_rows(file, "|", (), _MRSTY, report):
                if not _CUI.fullmatch(row[0]) or not row[1]:
                    problems.lost(number, "has no concept or no semantic type.", _AS_RELEASED)
                elif row[0] in kept:
                    yield Entry(row[0], semantic_types=(row[1], *groups.get(row[1], ())))

    def _files(self, name: str) -> list[ReleaseFile]:
        return release_files([self.place], re.compile(rf"{name}\.RRF", re.IGNORECASE))

    def _ranks(self, report: Report) -> dict[tuple[str, str], int]:
        """The place of each (source, term type) in the order of precedence, 0 first."""
        values: dict[tuple[str, str], int] = {}
        for file in self._files("MRRANK"):
            for number, row, problems in read_rows(file, "|", (), _MRRANK, report):
                if row[0].isdecimal():
                    values[row[1], row[2]] = int(row[0])
                else:
                    problems.lost(number, "has no rank.", _AS_RELEASED)
        ordered = sorted(values, key=lambda key: -values[key])  # MRRANK gives the highest number to the best
        return {key: place for place, key in enumerate(ordered)}

    def _atoms(self, files: Sequence[ReleaseFile], report: Report) -> Iterator[_Row]:
        """The rows that are neither suppressed nor obsolete."""
        for file in files:
            for number, row, problems in read_rows(file, "|", (), _MRCONSO, report):
                if not _CUI.fullmatch(row[0]):
                    problems.lost(number, "has no concept identifier (C and seven digits).", _AS_RELEASED)
                elif row[16] == "N":
                    yield number, row, problems

    def _concept(self, cui: str, rows: Iterator[_Row], ranks: Mapping[tuple[str, str], int]) -> Entry:
        terms: list[Term] = []
        codes = [Code(CodeSystem.UMLS, cui)]
        for number, row, problems in rows:
            language, vocabulary, kind, code = row[1], row[11], row[12], row[13]
            if vocabulary in _SYSTEMS and code not in ("", "NOCODE"):
                codes.append(Code(_SYSTEMS[vocabulary], code))
            written = language_code(language)
            if written not in self.languages or (self.vocabularies and vocabulary not in self.vocabularies):
                continue
            if name := checked_name(row[14], number, problems):
                best = (row[2], row[4], row[6]) == ("P", "PF", "Y")
                terms.append(Term(name, cui, written, best, ranks.get((vocabulary, kind), len(ranks))))
        return Entry(cui, tuple(terms), codes=tuple(dict.fromkeys(codes)))


@lru_cache(maxsize=1)
def _groups() -> dict[str, tuple[str, ...]]:
    """The groups of each semantic type (McCray, Burgun & Bodenreider 2001)."""
    groups = read_yaml(_GROUPS)
    return {kind: (group,) for group, kinds in groups.items() for kind in kinds}
