"""Drugs and their classes: which molecule a form names, and which classes it belongs to."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from generator.rules.annotate import Annotated
from generator.rules.lexicon import load_lexicon
from generator.rules.matcher import Matcher
from generator.rules.reading import PatientView
from generator.rules.text import fold

PREFIX = "drug:"
_ALLERGY = re.compile(r"\b(?:allergi\w*|intoleran\w*|effets? secondaires? (?:de|sous|a)|myalgies sous)\b[^.;|\n]*$")


def drug_forms() -> dict[str, tuple[str, ...]]:
    """Matcher concept (with `PREFIX`) → forms, and "concept!" → exceptions."""
    forms: dict[str, tuple[str, ...]] = {}
    for name, entry in load_lexicon("drugs").items():
        forms[PREFIX + name] = tuple(entry["forms"])
        if entry.get("except"):
            forms[PREFIX + name + "!"] = tuple(entry["except"])
    return forms


def rivals_of(document: Annotated, concepts: Iterable[str]) -> tuple[str, ...]:
    """Where one of these concepts is a drug, the other drugs that a document names: each has a time of its own."""
    if not any(concept.startswith(PREFIX) for concept in concepts):
        return ()
    return tuple(name for name in document.hits if name.startswith(PREFIX) and not name.endswith("!"))


@functools.cache
def lineage(name: str) -> frozenset[str]:
    """A drug or class and all the classes it belongs to, by their lexicon names."""
    parents = load_lexicon("drugs")[name].get("parents", ())
    return frozenset({name}).union(*(lineage(parent) for parent in parents))


@functools.cache
def _depth(name: str) -> int:
    return len(lineage(name))


def narrowest(names: Iterable[str]) -> str:
    """Of several entries that one form names, the one that says most ("Eliquis": apixaban, not anticoagulant)."""
    return max(names, key=_depth)


@functools.cache
def _label_matcher() -> Matcher:
    return Matcher({name: (*entry["forms"], entry.get("label", name)) for name, entry in load_lexicon("drugs").items()})


@functools.cache
def drugs_of_label(label: str) -> tuple[str, ...]:
    """Drugs and classes that a label names, in order; the narrowest of those that one word names."""
    folded = fold(label)
    by_span: dict[tuple[int, int], list[str]] = {}
    covered = -1
    for hit in _label_matcher().find(folded, [(0, len(folded))]):
        span = (hit.start, hit.end)
        if span in by_span:
            by_span[span].append(hit.concept)
        elif hit.start >= covered:
            by_span[span] = [hit.concept]
            covered = hit.end
    return tuple(dict.fromkeys(narrowest(names) for names in by_span.values()))


@dataclass(frozen=True, slots=True)
class DrugHit:
    """A drug or class named at [start, end): ``name`` is its narrowest lexicon entry."""

    name: str
    start: int
    end: int


def drug_hits(view: PatientView, document: Annotated) -> list[DrugHit]:
    """Drugs that a document names, in text order, without those inside a longer name."""
    return view.once(f"drugs {document.document.document_id}", lambda _: _find_drugs(document))


def _find_drugs(document: Annotated) -> list[DrugHit]:
    by_span: dict[tuple[int, int], list[str]] = {}
    for concept, hits in document.hits.items():
        if concept.startswith(PREFIX) and not concept.endswith("!"):
            for hit in hits:
                by_span.setdefault((hit.start, -hit.end), []).append(concept.removeprefix(PREFIX))
    found: list[DrugHit] = []
    for (start, end), names in sorted(by_span.items()):
        if (not found or start >= found[-1].end) and not _not_borne(document, start):
            found.append(DrugHit(narrowest(names), start, -end))
    return found


def _not_borne(document: Annotated, start: int) -> bool:
    """Whether the drug is named as one that the patient does not bear: "allergie à la pénicilline"."""
    low = document.sentences[document.sentence_of(start)][0]
    return document.section_of(start).kind == "allergies" or bool(_ALLERGY.search(document.folded, low, start))
