"""The words of a variable in a record, and what a value of it says of presence."""

from __future__ import annotations

import re
from collections.abc import Iterable

from retriever.lexical import tokens
from retriever.weak_text import Hit, ReadPassage, Record, Word, fold, vocabulary
from retriever.weak_values import NUMBERS, is_bare_answer
from schema.study import VariableHints
from schema.variable import Variable, VariableKind


def cues(record: Record, variable: Variable, hints: VariableHints, concepts: frozenset[str]) -> list[Hit]:
    """Where the words of a variable stand: its synonyms, its label whole or in part, its concepts."""
    found = [hit for form in hints.synonyms for hit in record.find(form)]
    excepted = [hit for form in hints.exceptions for hit in record.find(form)]
    label = variable.label.replace(f"({variable.unit})", " ") if variable.unit else variable.label
    found += record.find(label)
    known = set(tokens(" ".join(hints.synonyms)))
    stems = tokens(label)
    content = [stem for stem in dict.fromkeys(stems) if stem not in vocabulary().generic and not stem.isdigit()]
    content = content or list(dict.fromkeys(stems))
    named = [word for word in tokens(variable.name.replace("_", " ")) if len(word) > 2]
    content += [word for word in named if word not in content and word not in vocabulary().generic | known]
    each = (0.85 if len(content) == 1 else 0.45) * (0.6 if hints.synonyms else 1.0)
    held: dict[int, list[tuple[str, Word]]] = {}
    for stem in content:
        for i, word in record.places(stem):
            held.setdefault(i, []).append((stem, word))
    for i, words in held.items():
        read = record.passages[i]
        for _, word in words:
            beside = {stem for stem, other in words if read.together(other.start, word.start)}
            found.append(Hit(i, word.start, word.end, min(each * len(beside), 0.9)))
    for i, read in enumerate(record.passages if concepts else ()):
        offset = read.passage.span.start
        for mention in read.passage.concepts:
            if mention.concept.concept_id in concepts:
                found.append(Hit(i, mention.start - offset, mention.end - offset, 0.5))
    covered = {(hit.passage, hit.start, hit.end) for hit in excepted}
    return [
        hit
        for hit in found
        if not any(p == hit.passage and low <= hit.start and hit.end <= high for p, low, high in covered)
    ]


def by_passage(hits: Iterable[Hit], size: int) -> list[list[Hit]]:
    """Hits of each passage in order; of several at one place the plainest."""
    held: list[dict[tuple[int, int], Hit]] = [{} for _ in range(size)]
    for hit in hits:
        place = (hit.start, hit.end)
        if place not in held[hit.passage] or held[hit.passage][place].weight < hit.weight:
            held[hit.passage][place] = hit
    return [sorted(one.values()) for one in held]


def role_of(variable: Variable, value: str) -> str:
    """What a value says of presence: "no", "yes", "graded" (there, of some kind); "" where presence is not asked."""
    if variable.kind in (VariableKind.YESNO, VariableKind.TRUEFALSE) and not variable.choices:
        return "no" if value == "0" else "yes"
    if variable.kind in NUMBERS:
        return "no" if re.fullmatch(r"0(?:[.,]0+)?", value) else ""
    labels = {choice.code: choice.label for choice in variable.choices}
    if not any(_says_no(label) for label in labels.values()):
        return ""
    label = labels.get(value, "")
    if _says_no(label):
        return "no"
    return "yes" if is_bare_answer(label) else "graded"


def _says_no(label: str) -> bool:
    words = fold(label).replace("'", " ").split()
    return bool(words) and words[0] in vocabulary().labels["no"]


def starts_of_kind(read: ReadPassage, kind: VariableKind) -> list[int]:
    """Where the values of a kind of variable begin: numbers, dates or times."""
    if kind in NUMBERS:
        return [number.start for number in read.numbers]
    if kind is VariableKind.DATE:
        return [day.start for day in read.days]
    return [clock.start for clock in read.clocks] if kind in (VariableKind.DATETIME, VariableKind.TIME) else []
