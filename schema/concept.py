"""Concepts of a terminology, and where a document mentions them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CodeSystem(StrEnum):
    """The vocabularies that codes come from, by the names that OMOP and FHIR tooling use."""

    SNOMED = "SNOMEDCT"
    ICD10 = "ICD10"
    ATC = "ATC"
    UMLS = "UMLS"
    LOCAL = "LOCAL"


@dataclass(frozen=True, slots=True, order=True)
class Code:
    """One code of one vocabulary."""

    system: CodeSystem
    code: str


@dataclass(frozen=True, slots=True)
class Concept:
    """A meaning with its names and codes.

    Args:
        concept_id: unique in its terminology ("fibrillation_atriale", "C0004238", "49436004").
        label: the preferred term.
        semantic_types: groups or types of the vocabulary ("DISO", "CHEM", "T047"…), most specific first.
        codes: every code of this concept, the vocabulary's own first.
    """

    concept_id: str
    label: str
    semantic_types: tuple[str, ...] = ()
    codes: tuple[Code, ...] = ()

    def code_in(self, system: CodeSystem) -> str | None:
        """The first code in ``system``, or None."""
        return next((code.code for code in self.codes if code.system is system), None)


class Side(StrEnum):
    """The side of the body that a mention is said of."""

    LEFT = "left"
    RIGHT = "right"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class ConceptMention:
    """A place of a document that names a concept.

    Args:
        fragments: code points [start, end) of ``Document.text``, in order, one or several (a discontinuous mention).
        score: in [0, 1]: how sure the linker is of this concept; comparable within one terminology.
        negated, hypothetical, family, history: what is said of it ("pas de", "suspicion de", "mère :", "ATCD de").
        side: the side of the body, where one is said.
    """

    document_id: str
    fragments: tuple[tuple[int, int], ...]
    concept: Concept
    score: float = 1.0
    negated: bool = False
    hypothetical: bool = False
    family: bool = False
    history: bool = False
    side: Side | None = None

    @property
    def start(self) -> int:
        """Where the first fragment starts."""
        return self.fragments[0][0]

    @property
    def end(self) -> int:
        """Where the last fragment ends."""
        return self.fragments[-1][1]
