"""Events that a table dates (admission, puncture, death…): their names in labels and their forms in documents."""

from __future__ import annotations

import functools
from typing import Any

from generator.rules.lexicon import load_lexicon
from generator.rules.matcher import Matcher
from generator.rules.text import fold

#: Matcher concepts of events start with this; those of their weak forms also end with "~".
PREFIX = "event:"
WEAK = "~"


@functools.cache
def event_forms() -> dict[str, tuple[str, ...]]:
    """Matcher concept → forms, for every event; weak forms and exceptions under concepts of their own."""
    forms: dict[str, tuple[str, ...]] = {}
    for name, entry in load_lexicon("events").items():
        forms[PREFIX + name] = tuple(entry["forms"])
        if entry.get("weak"):
            forms[PREFIX + name + WEAK] = tuple(entry["weak"])
        if entry.get("unless"):
            forms[PREFIX + name + "!"] = tuple(entry["unless"])
    return forms


@functools.cache
def rival_concepts() -> tuple[str, ...]:
    """The matcher concepts of all events that may take a time from another one beside them."""
    named = [name for name, entry in load_lexicon("events").items() if not entry.get("vague")]
    return tuple(concept for name in named for concept in event_concepts(name))


def event_concepts(name: str) -> tuple[str, ...]:
    """The matcher concepts of one event, the surer first."""
    return tuple(concept for concept in (PREFIX + name, PREFIX + name + WEAK) if concept in event_forms())


def event_entry(name: str) -> dict[str, Any]:
    """What ``lexicon/events.yml`` says of an event; empty when it has none of that name."""
    entry = load_lexicon("events").get(name, {})
    return dict(entry)


@functools.cache
def _label_matcher() -> Matcher:
    forms: dict[str, tuple[str, ...]] = {}
    for name, entry in load_lexicon("events").items():
        forms[name] = tuple(entry["label"])
        if entry.get("except"):
            forms[name + "!"] = tuple(entry["except"])
    return Matcher({name: group for name, group in forms.items() if group})


@functools.cache
def event_of_label(label: str) -> str:
    """The event whose words come first in a label ("Date de sortie (ou de décès)" → discharge); "" when none does."""
    folded = fold(label)
    hits = _label_matcher().find(folded, [(0, len(folded))])
    excepted = [hit for hit in hits if hit.concept.endswith("!")]
    for hit in hits:
        if hit.concept.endswith("!"):
            continue
        if not any(e.concept == hit.concept + "!" and e.start <= hit.start and hit.end <= e.end for e in excepted):
            return hit.concept
    return ""
