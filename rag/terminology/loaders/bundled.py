"""The terminologies that come with the program: YAML written for it (`rag/terminology/data/README.md`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rag.terminology.loaders.source import Entry, Report, Source, clean_name, hash_files
from rag.terminology.model import Term, TermIndex
from rag.terminology.vocabulary import read_yaml
from schema.concept import Code, CodeSystem
from schema.problem import Problem

#: The terminologies' folders.
DATA = Path(__file__).parents[1] / "data"
#: The `TermStore.extra` that holds the ambiguous names, as `read_ambiguities` reads it.
AMBIGUITIES = "ambiguities"

_SYSTEMS = {"snomed": CodeSystem.SNOMED, "icd10": CodeSystem.ICD10, "atc": CodeSystem.ATC}
_FIELDS = {"label", "type", "terms", "ambiguous", *_SYSTEMS}


@dataclass(frozen=True, slots=True)
class Ambiguity:
    """A name of a concept that also means something else.

    Args:
        near: one of these words must stand in the same sentence, if there are any; a final "*" is any ending.
        not_near: none of these may.
        sections: kinds of section where no word of ``near`` is needed.
    """

    name: str
    concept_id: str
    near: tuple[str, ...] = ()
    not_near: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BundledSource(Source):
    """One bundled terminology: every YAML file of its folder."""

    folder: Path

    @property
    def name(self) -> str:
        """The folder's name."""
        return f"bundled ({self.folder.name})"

    def fingerprint(self) -> str:
        """A hash of its files."""
        return hash_files(self._files())

    def entries(self, report: Report) -> Iterator[Entry]:
        """One entry for each concept, in the files' order. A concept that is not in the format is said and left out."""
        for file, concept_id, fields in self._concepts():
            if defect := _defect(fields):
                remedy = "See rag/terminology/data/README.md for the format."
                report(Problem(f"{file.name}, concept {concept_id!r}", defect, remedy))
                continue
            label = clean_name(fields["label"])
            others = [*fields.get("terms", ()), *fields.get("ambiguous", {})]
            names = dict.fromkeys([label, *(clean_name(str(name)) for name in others)])
            yield Entry(
                concept_id,
                tuple(Term(name, concept_id, preferred=name == label) for name in names if name),
                (fields["type"],),
                tuple(Code(system, code) for key, system in _SYSTEMS.items() for code in _listed(fields.get(key, ()))),
            )

    def extras(self, index: TermIndex) -> Mapping[str, bytes]:
        """The ambiguous names."""
        found = [
            asdict(Ambiguity(clean_name(name), concept_id, **{key: tuple(words) for key, words in rule.items()}))
            for _, concept_id, fields in self._concepts()
            if not _defect(fields)
            for name, rule in fields.get("ambiguous", {}).items()
        ]
        return {AMBIGUITIES: json.dumps(found, ensure_ascii=False).encode()} if found else {}

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.yml"))

    def _concepts(self) -> Iterator[tuple[Path, str, dict[str, Any]]]:
        for file in self._files():
            for concept_id, fields in read_yaml(file).items():
                yield file, concept_id, fields


def read_ambiguities(data: bytes | None) -> tuple[Ambiguity, ...]:
    """The ambiguous names of a dictionary, from ``store.extra(AMBIGUITIES)``."""
    rows: list[dict[str, Any]] = json.loads(data) if data else []
    words = ("near", "not_near", "sections")
    return tuple(Ambiguity(row["name"], row["concept_id"], *(tuple(row[key]) for key in words)) for row in rows)


def _defect(fields: Any) -> str:
    if not isinstance(fields, dict):
        return "is not a mapping of fields."
    if unknown := set(fields) - _FIELDS:
        return f"has fields that are not known: {', '.join(sorted(map(str, unknown)))}."
    if not isinstance(fields.get("label"), str) or not clean_name(fields["label"]):
        return "has no label."
    if not isinstance(fields.get("type"), str):
        return "has no type."
    rules = fields.get("ambiguous", {})
    known = {"near", "not_near", "sections"}
    if not isinstance(rules, dict) or not all(isinstance(rule, dict) and set(rule) <= known for rule in rules.values()):
        return f"has ambiguous names without their rules ({', '.join(sorted(known))})."
    return ""


def _listed(codes: Any) -> list[str]:
    return [str(code) for code in codes] if isinstance(codes, (list, tuple)) else [str(codes)]
