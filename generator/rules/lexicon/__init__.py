"""French clinical vocabulary, as YAML files that a clinician can read and correct.

``cues``      words that change what a mention means (negation, plan, family, time)
``concepts``  conditions, procedures and measures with their synonyms and abbreviations
``drugs``     therapeutic classes and the names, generic and commercial, of their drugs
``units``     units of measure, their spellings and the conversions between them
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import yaml


@functools.cache
def load_lexicon(name: str) -> dict[str, Any]:
    """One vocabulary file, by its name without extension."""
    text = (Path(__file__).parent / f"{name}.yml").read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loaded = yaml.load(text, Loader=loader)  # noqa: S506 (a safe loader either way; the C one is ten times faster)
    if not isinstance(loaded, dict):
        raise TypeError(f"{name}.yml: expected a mapping at the top level")
    nested = any("parents" in entry for entry in loaded.values())
    return _with_narrower(loaded) if nested else loaded


def _with_narrower(entries: dict[str, Any]) -> dict[str, Any]:
    """Entries in which a broad one ("statine") also has the forms and exceptions of those that name it as parent.

    Narrow entries come first: where a label's words name both, the matcher's order gives it to the narrower.
    """
    broader = {name: _ancestors(name, entries) for name in entries}
    ordered = sorted(entries, key=lambda name: -len(broader[name]))
    result = {name: dict(entries[name]) for name in ordered}
    for name in ordered:
        for parent in broader[name]:
            for key in ("forms", "except"):
                if inherited := entries[name].get(key):
                    result[parent][key] = list(dict.fromkeys([*result[parent].get(key, ()), *inherited]))
    return result


@functools.cache
def parents_of(concept: str) -> tuple[str, ...]:
    """The broader concepts of one of ``concepts.yml``; none for what is not there."""
    entries = load_lexicon("concepts")
    return _ancestors(concept, entries) if concept in entries else ()


@functools.cache
def narrower_than(concept: str) -> tuple[str, ...]:
    """The concepts of ``concepts.yml`` that lie under one, at any depth."""
    return tuple(name for name in load_lexicon("concepts") if concept in parents_of(name))


def _ancestors(name: str, entries: dict[str, Any]) -> tuple[str, ...]:
    """Parents of an entry, their parents and so on, each once."""
    found: dict[str, None] = {}
    waiting = list(entries[name].get("parents", ()))
    while waiting:
        parent = waiting.pop()
        if parent not in found:
            found[parent] = None
            waiting.extend(entries[parent].get("parents", ()))
    return tuple(found)
