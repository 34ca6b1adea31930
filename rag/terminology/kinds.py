"""What kind of thing a concept is, whatever the vocabulary that it comes from."""

from __future__ import annotations

import functools
from enum import StrEnum
from pathlib import Path

from rag.terminology.vocabulary import read_yaml
from schema.concept import Concept


class Kind(StrEnum):
    """The names are the keys of ``kinds.yml``, which says which semantic types each stands for."""

    DIAGNOSIS = "diagnosis"  # a disease, a sign, a symptom
    PROCEDURE = "procedure"
    DRUG = "drug"
    DEVICE = "device"
    ANATOMY = "anatomy"
    SCALE = "scale"  # a score, as an instrument
    MEASURE = "measure"  # something that is measured
    OTHER = "other"


def kind_of(concept: Concept) -> Kind:
    """The kind of its first known semantic type; DIAGNOSIS where none is known, as in a list of ICD-10 names."""
    known = _kinds()
    return next((known[name] for name in concept.semantic_types if name in known), Kind.DIAGNOSIS)


@functools.cache
def _kinds() -> dict[str, Kind]:
    content = read_yaml(Path(__file__).with_suffix(".yml"))
    return {name: Kind(kind) for kind, names in content.items() for name in names}
