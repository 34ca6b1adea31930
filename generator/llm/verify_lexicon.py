"""The vocabulary of ``verify.yml``: how words of questions meet words of documents."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from generator.rules.text import fold


def words_of_furniture() -> frozenset[str]:
    """Words of labels that say when, or that something is measured."""
    return _group("furniture")


def words_of_sameness() -> frozenset[str]:
    """Words that give a value as the one told before."""
    return _group("unchanged")


def words_like(word: str) -> tuple[str, ...]:
    """What documents name instead of a word of a label: "IRM" for "imagerie"; most words have none."""
    return tuple(_content()["instead"].get(word, ()))


def concepts_meant(label: str) -> tuple[str, ...]:
    """The lexicon concepts that a label means by a word which the lexicon does not have."""
    return tuple(concept for name in _held("meant", label) for concept in _content()["meant"][name])


def grade_of_death(concepts: Sequence[str]) -> int | None:
    """The grade that a scale keeps for death."""
    return next((int(grade) for name, grade in _content()["death"].items() if tuple(concepts) == (name,)), None)


def contraries_of(label: str) -> re.Pattern[str] | None:
    """What says the contrary of an adjective of a label: "asymptomatique" where it asks for "symptomatique"."""
    return _any_of([form for name in _held("contraries", label) for form in _content()["contraries"][name]])


def soundness_of(label: str) -> re.Pattern[str] | None:
    """What is found sound when the trouble that a label names is not there: a swallowing test, the skin."""
    return _found(label, None)


def unsoundness_of(label: str) -> re.Pattern[str] | None:
    """What is found unsound when it is."""
    return _found(label, _content()["unsound"])


def _found(label: str, how: Sequence[str] | None) -> re.Pattern[str] | None:
    found = [
        f"(?:{_alternatives(entry['of'])})[^.;,\n]{{0,30}}?(?:{_alternatives(how or entry['is'])})"
        for entry in _content()["sound"]
        if any(_holds(name, label) for name in entry["trouble"])
    ]
    return re.compile("|".join(found)) if found else None


def broader_than(label: str) -> re.Pattern[str] | None:
    """Words whose denial denies what a label names: "infectieux" for a pneumonia."""
    return _any_of([form for name in _held("broader", label) for form in _content()["broader"][name]])


def pattern_of(group: str) -> re.Pattern[str]:
    """Any of the words of one group; "*" stands for any ending."""
    pattern = _any_of(_content()[group])
    assert pattern is not None
    return pattern


def _held(group: str, label: str) -> Iterator[str]:
    return (name for name in _content()[group] if _holds(name, label))


def _holds(name: str, label: str) -> bool:
    return bool(re.search(_form(name), fold(label)))


@functools.lru_cache(maxsize=1024)
def _compiled(forms: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(_alternatives(forms))


def _any_of(forms: Sequence[str]) -> re.Pattern[str] | None:
    return _compiled(tuple(forms)) if forms else None


def _alternatives(forms: Sequence[str]) -> str:
    return "|".join(_form(form) for form in sorted(forms, key=len, reverse=True))


def _form(form: str) -> str:
    stem = re.escape(form.rstrip("*"))
    return rf"\b{stem}\w*" if form.endswith("*") else rf"\b{stem}(?!\w)"


def _group(name: str) -> frozenset[str]:
    return frozenset(_content()[name])


@functools.cache
def _content() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("verify.yml").read_text(encoding="utf-8"))
    return content
