"""SNOMED CT in Release Format 2: the snapshot files of an international release, an edition or an extension.

Specification: SNOMED International, "SNOMED CT Release File Specifications" (https://docs.snomed.org).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.terminology.loaders.release import ReleaseFile, read_rows, release_files
from rag.terminology.loaders.source import Entry, Report, Source, checked_name, hash_files
from rag.terminology.model import Term
from schema.concept import Code, CodeSystem
from schema.problem import InputError, Problem

_CORE = ("id", "effectiveTime", "active", "moduleId")
_CONCEPT = (*_CORE, "definitionStatusId")
_DESCRIPTION = (*_CORE, "conceptId", "languageCode", "typeId", "term", "caseSignificanceId")
_REFSET = (*_CORE, "refsetId", "referencedComponentId")
_LANGUAGE = (*_REFSET, "acceptabilityId")
_MAP = (
    *(*_REFSET, "mapGroup", "mapPriority", "mapRule", "mapAdvice", "mapTarget"),
    *("correlationId", "mapCategoryId"),
)

_FULL_NAME, _SYNONYM = "900000000000003001", "900000000000013009"
_PREFERRED = "900000000000548007"
#: The map to ICD-10 as the WHO publishes it, from which the French CIM-10 is made; others are to national editions.
_ICD10_MAP = "447562003"
#: Rules of the map that hold for every patient; the others ask for age, sex or another diagnosis.
_ALWAYS = ("TRUE", "OTHERWISE TRUE")

_TAG = re.compile(r"(?P<name>.+?) \((?P<tag>[^()]+)\)")
_DATE = re.compile(r"_(\d{8})\.txt$")
#: An extension may name itself in the middle ("der2_cRefset_FRLanguageSnapshot-fr_…").
_LANGUAGE_FILES, _MAP_FILES = r"der2_cRefset_\w*Language", r"der2_iisssccRefset_\w*ExtendedMap"
_SNAPSHOT = r"x?{kind}Snapshot[-_][^.]*\.txt"


@dataclass(frozen=True, slots=True)
class Rf2Source(Source):
    """Folders or zips of RF2 releases read as one: an international release and its French extension, say.

    Args:
        languages: ISO 639-1; names in other languages are left out.
    """

    places: Sequence[Path]
    languages: Sequence[str] = ("fr", "en")

    @property
    def name(self) -> str:
        """The releases' names."""
        return f"SNOMED CT ({', '.join(place.name for place in self.places)})"

    @property
    def version(self) -> str:
        """The most recent release date in the files' names ("20240601")."""
        dates = (_DATE.search(file.name) for file in self._files("sct2_Description_"))
        return max((found[1] for found in dates if found), default="")

    def fingerprint(self) -> str:
        """A hash of every file that is read."""
        kinds = ("sct2_Concept_", "sct2_Description_", _LANGUAGE_FILES, _MAP_FILES)
        return hash_files(dict.fromkeys(file.path for kind in kinds for file in self._files(kind)))

    def entries(self, report: Report) -> Iterator[Entry]:
        """Names first, then types and ICD-10 codes. Memory: the identifiers of active concepts and preferred names.

        Raises:
            InputError: there is no snapshot of concepts or of descriptions, or a file has other columns.
        """
        for kind, what in (("sct2_Concept_", "concepts"), ("sct2_Description_", "descriptions")):
            if not self._files(kind):
                missing = f"holds no snapshot of {what} ({kind}Snapshot_….txt)."
                remedy = "Give the folder of the release that holds Snapshot, or its zip."
                raise InputError(Problem(", ".join(map(str, self.places)), missing, remedy))
        active = set(self._active_concepts(report))
        preferred = set(self._preferred(report))
        tags: dict[int, str] = {}
        yield from self._names(active, preferred, tags, report)
        for concept, tag in tags.items():
            yield Entry(str(concept), semantic_types=(tag,))
        yield from self._icd10(report)

    def _files(self, kind: str) -> list[ReleaseFile]:
        return release_files(self.places, re.compile(_SNAPSHOT.format(kind=kind)))

    def _active_concepts(self, report: Report) -> Iterator[int]:
        for file in self._files("sct2_Concept_"):
            for number, row, problems in read_rows(file, "\t", _CONCEPT, len(_CONCEPT), report):
                if not row[0].isdecimal():
                    problems.lost(number, "has no SNOMED CT identifier.", "Take the line again from the release.")
                elif row[2] == "1":
                    yield int(row[0])

    def _preferred(self, report: Report) -> Iterator[int]:
        """The descriptions that a language reference set prefers."""
        for file in self._files(_LANGUAGE_FILES):
            for _, row, _ in read_rows(file, "\t", _LANGUAGE, len(_LANGUAGE), report):
                if row[2] == "1" and row[6] == _PREFERRED and row[5].isdecimal():
                    yield int(row[5])

    def _names(self, active: set[int], preferred: set[int], tags: dict[int, str], report: Report) -> Iterator[Entry]:
        orphans = 0
        for file in self._files("sct2_Description_"):
            for number, row, problems in read_rows(file, "\t", _DESCRIPTION, len(_DESCRIPTION), report):
                if row[2] != "1" or row[6] not in (_FULL_NAME, _SYNONYM):
                    continue
                if not (row[0].isdecimal() and row[4].isdecimal()):
                    problems.lost(number, "has no SNOMED CT identifier.", "Take the line again from the release.")
                    continue
                concept, language = int(row[4]), row[5].lower()
                if concept not in active:
                    orphans += 1
                    continue
                text, is_full = row[7], row[6] == _FULL_NAME
                if is_full and (tagged := _TAG.fullmatch(text.strip())):
                    text = tagged["name"]
                    if language == "en" or concept not in tags:
                        tags[concept] = sys.intern(tagged["tag"])
                if language not in self.languages:
                    continue
                if name := checked_name(text, number, problems):
                    # A full name is preferred among full names alone: it is not the one that people write.
                    best = not is_full and int(row[0]) in preferred
                    yield Entry(row[4], (Term(name, row[4], language, best),), codes=(Code(CodeSystem.SNOMED, row[4]),))
        if orphans:
            what = f"{orphans} descriptions are of concepts that are inactive, or that no concept file here holds."
            remedy = "With an extension, give the release that it extends as well (--rf2 EXTENSION INTERNATIONAL)."
            report(Problem(self.name, what, remedy, lost=False))

    def _icd10(self, report: Report) -> Iterator[Entry]:
        """The codes of each concept, in the order of the map: by group, then by priority."""
        found: dict[str, list[tuple[int, int, str]]] = {}
        for file in self._files(_MAP_FILES):
            for number, row, problems in read_rows(file, "\t", _MAP, len(_MAP), report):
                if row[2] != "1" or row[4] != _ICD10_MAP or row[8] not in _ALWAYS or not row[10]:
                    continue
                if not (row[6].isdecimal() and row[7].isdecimal()):
                    problems.lost(number, "has no map group or priority.", "Take the line again from the release.")
                    continue
                found.setdefault(row[5], []).append((int(row[6]), int(row[7]), row[10].rstrip("?")))
        for concept, codes in found.items():
            distinct = dict.fromkeys(code for *_, code in sorted(codes))
            yield Entry(concept, codes=tuple(Code(CodeSystem.ICD10, code) for code in distinct))
