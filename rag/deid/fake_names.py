"""What surrogates are made of: names of people and their sex (Faker's lists), towns, hospitals, streets."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from functools import lru_cache

from rag.deid.gazetteer import read_yaml
from rag.deid.spelling import small

FEMALE, MALE = "f", "m"
#: Languages whose first names tell a person's sex; the first in which a name stands decides.
_LOCALES = (
    "fr_FR", "fr_BE", "fr_CH", "fr_CA", "fr_DZ", "it_IT", "es_ES", "pt_PT", "pl_PL",
    "de_DE", "nl_NL", "tr_TR", "ro_RO", "en_GB", "vi_VN",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Town:
    """A real town. ``size`` is "large", "middle" or "small"."""

    name: str
    postcode: str
    size: str


@dataclass(frozen=True, slots=True)
class Pools:
    """Lists from which surrogates are drawn, in a fixed order, and the words that a surrogate keeps.

    Args:
        first_names: by sex.
        hospitals: by the word before the name ("des", "du", "de la", "de l'", "alone").
        streets: with their link ("des Lilas").
        hospital_words, street_types, particles: folded words that stay.
    """

    first_names: dict[str, tuple[str, ...]]
    surnames: tuple[str, ...]
    towns: tuple[Town, ...]
    hospitals: dict[str, tuple[str, ...]]
    streets: tuple[str, ...]
    hospital_words: frozenset[str]
    street_types: frozenset[str]
    particles: frozenset[str]


@lru_cache(maxsize=50_000)
def name_key(name: str) -> str:
    """A name without what spellings of it differ in: capitals, accents, hyphens, apostrophes, "St" for "Saint"."""
    letters = re.sub(
        r"[^a-z0-9]+", " ", small(name).replace("œ", "oe").replace("æ", "ae").replace("'", "").replace("’", "")
    )
    # A name in another alphabet is its own key.
    return re.sub(r"\bst(e?)\b", r"saint\1", letters.strip()) or small(name).strip()


@lru_cache(maxsize=1)
def pools() -> Pools:
    """The lists, read once."""
    from faker.providers.person.fr_FR import Provider as French

    data = read_yaml("surrogates.yml")
    named = [(*entry.rsplit(" ", 1), size) for size, entries in data["towns"].items() for entry in entries]
    towns = [Town(name, postcode, size) for name, postcode, size in named]
    return Pools(
        {
            FEMALE: _single_words(French.first_names_female, data["not_first_names"]),
            MALE: _single_words(French.first_names_male, data["not_first_names"]),
        },
        _single_words(French.last_names, data["not_surnames"]),
        tuple(towns),
        {before: tuple(names) for before, names in data["hospitals"].items()},
        tuple(data["streets"]["names"]),
        frozenset(map(small, data["hospital_words"].split())),
        frozenset(map(small, data["streets"]["types"].split())),
        frozenset(data["particles"].split()),
    )


def _single_words(names: object, without: str) -> tuple[str, ...]:
    left_out = set(map(small, without.split()))
    assert hasattr(names, "__iter__")
    words = (str(name) for name in names)
    return tuple(dict.fromkeys(word for word in words if word.isalpha() and small(word) not in left_out))


@lru_cache(maxsize=1)
def sexes() -> dict[str, str]:
    """First names by their key, with the sex of those who bear them; names of both sexes are not there."""
    known: dict[str, str] = {}
    for locale in _LOCALES:
        provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
        women = {name_key(str(name)) for name in getattr(provider, "first_names_female", ())}
        men = {name_key(str(name)) for name in getattr(provider, "first_names_male", ())}
        for names, sex in ((women - men, FEMALE), (men - women, MALE)):
            for name in names:
                known.setdefault(name, sex)
    return known


@lru_cache(maxsize=1)
def known_surnames() -> frozenset[str]:
    """Keys of common French surnames: two of them that differ by a letter are two names, not a misspelling."""
    from faker.providers.person.fr_FR import Provider as French

    return frozenset(name_key(str(name)) for name in French.last_names)
