"""The words of a condition's choices: those that grade a mention, and those that state a choice by themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping

from generator.rules.lexicon import load_lexicon
from generator.rules.text import fold

#: Suffix of the matcher concept whose words state a choice without the condition being named.
ALONE = "@"
#: Mark of a form of the study file that grades the condition only where it is named: "@arrêté en".
_BESIDE = "@"
_PARENTHESES = re.compile(r"\([^)]*\)|\[[^\]]*\]")


def degree_forms(
    anchors: tuple[str, ...],
    choices: Mapping[str, str],
    labels: Mapping[str, str],
    stated: Mapping[str, tuple[str, ...]],
) -> dict[str, tuple[str, ...]]:
    """Matcher forms of each choice: its label, the narrower conditions that it names, and the study's own words.

    Args:
        anchors: lexicon concepts of the condition.
        choices: code → matcher concept.
        labels: code → label.
        stated: code → forms that the study file gives.
    """
    forms: dict[str, tuple[str, ...]] = {}
    for code, concept in choices.items():
        label = " ".join(_PARENTHESES.sub(" ", fold(labels.get(code, ""))).split())
        own = stated.get(code, ())
        beside = tuple(form.removeprefix(_BESIDE) for form in own)
        forms[concept] = tuple(f for f in dict.fromkeys((label, *_narrower(anchors, label), *beside)) if f)
        if alone := tuple(form for form in own if not form.startswith(_BESIDE)):
            forms[concept + ALONE] = alone
    return forms


def _narrower(anchors: tuple[str, ...], label: str) -> tuple[str, ...]:
    """Forms of the narrower concept that a label names: "Sevré" under tobacco is the former smoker.

    Its ``beside`` forms ("arrêté en") say so only where the broader concept is named.
    """
    if not label:
        return ()
    named = []
    for entry in load_lexicon("concepts").values():
        if not set(entry.get("parents", ())) & set(anchors):
            continue
        if any(re.search(rf"(?<!non )\b{re.escape(label)}\b", fold(form)) for form in entry["forms"]):
            named.append((*entry["forms"], *entry.get("beside", ())))
    return named[0] if len(named) == 1 else ()
