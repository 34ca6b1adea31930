"""The words that announce persons (`data/cues.yml`), ready to be matched."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from rag.deid.gazetteer import read_yaml
from rag.deid.tokens import Phrases


@dataclass(frozen=True, slots=True)
class PersonCues:
    """The vocabulary of `data/cues.yml`, ready to be matched."""

    titles: frozenset[str]
    weak_titles: frozenset[str]
    plain_titles: frozenset[str]
    plural_titles: frozenset[str]
    surname_roles: tuple[str, ...]
    maiden: Phrases
    roles: Phrases
    role_tails: Phrases
    patient: Phrases
    kin: Phrases
    after: frozenset[str]
    labels: dict[str, Phrases]
    closings: Phrases
    stops: frozenset[str]
    medical_before: Phrases

    @classmethod
    @cache
    def load(cls) -> PersonCues:
        """Read the vocabulary."""
        data = read_yaml("cues.yml")
        return cls(
            titles=frozenset(data["titles"]),
            weak_titles=frozenset(data["weak_titles"]),
            plain_titles=frozenset(data["plain_titles"]),
            plural_titles=frozenset(data["plural_titles"]),
            surname_roles=tuple(data["surname_roles"]),
            maiden=Phrases(data["maiden"]),
            roles=Phrases(data["roles"]),
            role_tails=Phrases(data["role_tails"]),
            patient=Phrases(data["patient"]),
            kin=Phrases(data["kin"]),
            after=frozenset(data["after"]),
            labels={label: Phrases(words) for label, words in data["labels"].items()},
            closings=Phrases(data["closings"]),
            stops=frozenset(str(word) for word in data["stops"]),
            medical_before=Phrases(data["medical_before"]),
        )
