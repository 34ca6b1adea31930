"""How documents word the answers of a closed question: the choice's label, and the lexicon's families of questions.

A form that starts with "@" is a place or a word that answers only beside a word that asks: "SSR" is named for many
reasons, "transfert en SSR" is a destination.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from generator.rules.lexicon import load_lexicon
from generator.rules.moments import moment_of
from generator.rules.text import fold
from schema.study import Policy, VariableHints
from schema.variable import Variable

#: Marks a form that counts only beside one of the question's own words.
BESIDE = "@"


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of one closed question.

    Args:
        near: forms that ask the question ("type de fracture": "fracture").
        exceptions: forms that contain an answer's words and mean something else.
        forms: choice code → forms that answer by themselves.
        beside: choice code → forms that answer beside one of ``near``.
    """

    near: tuple[str, ...]
    exceptions: tuple[str, ...]
    forms: dict[str, tuple[str, ...]]
    beside: dict[str, tuple[str, ...]]


def wording_of(variable: Variable, hints: VariableHints) -> Wording:
    """The words of a variable's choices: the study file's, the lexicon's and those of the labels themselves."""
    family = _family_of(fold(variable.label))
    written: dict[str, list[str]] = {}
    named = _family_forms(family, variable)
    for choice in variable.choices:
        known = [*hints.choices.get(choice.code, ()), *named[choice.code]]
        labelled = _label_forms(choice.label)
        if known or _PLACE.search(fold(variable.label)):  # better words are known, or places are named for many reasons
            labelled = [BESIDE + form.removeprefix(BESIDE) for form in labelled]
        written[choice.code] = [*known, *labelled]
    shared = _shared(written)
    kept = {
        code: [
            form for form in dict.fromkeys(forms) if form.lower() not in shared or form in hints.choices.get(code, ())
        ]
        for code, forms in written.items()
    }
    return Wording(
        near=(*hints.synonyms, *family.get("near", ())) or _label_anchors(variable.label),
        exceptions=(*hints.exceptions, *family.get("except", ())),
        forms={code: tuple(f for f in forms if not f.startswith(BESIDE)) for code, forms in kept.items()},
        beside={code: tuple(f[1:] for f in forms if f.startswith(BESIDE)) for code, forms in kept.items()},
    )


def completed(variable: Variable, hints: VariableHints) -> VariableHints:
    """The hints with what the lexicon's family of questions adds where the study says nothing.

    The family's moment counts only where the label does not name one.
    """
    family = _family_of(fold(variable.label))
    added: dict[str, Any] = {}
    if "documents" in family and not hints.document_types:
        added["document_types"] = tuple(family["documents"])
    if "policy" in family and hints.policy is None and moment_of(variable)[0] is Policy.ANY_TIME:
        added["policy"] = Policy(family["policy"])
    return hints.model_copy(update=added)


def is_known_question(variable: Variable) -> bool:
    """Whether the lexicon knows the question and how documents word most of its answers."""
    family = _family_of(fold(variable.label))
    known = [forms for forms in _family_forms(family, variable).values() if forms]
    return len(known) >= 2 and len(known) * 2 >= len(variable.choices)


def _shared(written: dict[str, list[str]]) -> set[str]:
    """Forms that two choices claim: they tell nothing."""
    seen: dict[str, str] = {}
    shared: set[str] = set()
    for code, forms in written.items():
        for form in forms:
            if seen.setdefault(form.lower(), code) != code:
                shared.add(form.lower())
    return shared


@functools.cache
def _family_of(label: str) -> dict:  # type: ignore[type-arg]
    """The family whose question is named in the label, the longest question first; {} when none is."""
    best: tuple[int, dict] = (0, {})  # type: ignore[type-arg]
    for family in load_lexicon("choices").values():
        for question in family["question"]:
            form = fold(question)
            if len(form) > best[0] and re.search(rf"\b{re.escape(form)}s?\b", label):
                best = (len(form), family)
    return best[1]


def _family_forms(family: dict, variable: Variable) -> dict[str, list[str]]:  # type: ignore[type-arg]
    """Choice code → the forms of the answers of the family that its label names.

    An answer that several choices name ("Domicile, seul | Domicile, en couple") is left to those that name no other.
    """
    named = {choice.code: _answers_named(family, fold(choice.label)) for choice in variable.choices}
    times = Counter(answer for answers in named.values() for answer in answers)
    forms = {}
    for code, answers in named.items():
        own = [answer for answer in answers if times[answer] == 1] or answers
        forms[code] = [form for answer in own for form in family["answers"][answer]["forms"]]
    return forms


def _answers_named(family: dict, label: str) -> list[int]:  # type: ignore[type-arg]
    """The answers of a family that a label names, the longer words hiding the shorter.

    "Prothèse totale" is not also the answer "prothèse".
    """
    named = {
        fold(word): index
        for index, answer in enumerate(family.get("answers", ()))
        for word in answer["labels"]
        if re.search(rf"\b{re.escape(fold(word))}s?\b", label)
    }
    return list(
        dict.fromkeys(
            index for word, index in named.items() if not any(word != other and word in other for other in named)
        )
    )


#: A question of place: its answers are places, named in a document for many reasons.
_PLACE = re.compile(
    r"\b(?:sites?|sieges?|locali[sz]ation|topographie|territoire|segment|arteres?|organe|etage|niveau)\b"
)
_CATCH_ALL = re.compile(
    r"^(?:autres?\b.*|inconnue?s?|non (?:precisee?|renseignee?|connue?|evaluable|applicable|fait)|ne sait pas|"
    r"nsp|na|n/a|oui|non|aucune?|absente?|indetermine\w*|manquante?|sans objet|sans precision|normale?)$"
)
_WORD = re.compile(r"[a-z0-9œ]+(?:-[a-z0-9œ]+)*")
_GRADE = re.compile(r"[ivx]{1,4}|\d{1,2}[a-d]?")
#: "Garden III ou IV" stands for two grades of one scale.
_GRADES = re.compile(r"\b([A-Z][a-z]{3,})\s([IVX]{1,4}|\d[a-d]?)\s*(?:ou|et|à|/|-|,)\s*([IVX]{1,4}|\d[a-d]?)\b")
_DENIES = re.compile(r"(?:sans|ne|n'|non|pas|aucune?|jamais)\b")
_SPLIT = re.compile(r"\s+(?:ou|et/ou)\s+|\s*[/,;|]\s*")


@functools.cache
def _words(group: str) -> frozenset[str]:
    """A group of words of ``lexicon/labels.yml``."""
    return frozenset(load_lexicon("labels")[group])


def _label_forms(label: str) -> list[str]:
    """Forms of a choice from its label alone: the label, its alternatives, its words in order."""
    outside = re.sub(r"\([^)]*\)", " ", label)
    parts = [*_SPLIT.split(outside), *(p for inner in re.findall(r"\(([^)]*)\)", label) for p in _SPLIT.split(inner))]
    forms = [f"{scale} {grade}" for scale, *grades in _GRADES.findall(label) for grade in grades]
    for part in (" ".join(outside.split()), *parts):
        bare = " ".join(part.split()).strip(" .:-")
        folded = fold(bare)
        if len(folded) < 2 or _CATCH_ALL.match(folded) or _GRADE.fullmatch(folded):
            continue
        if _DENIES.match(folded):  # without its "sans", the rest would say the contrary
            forms.append(bare)
            continue
        content = [w for w in _WORD.findall(folded) if (len(w) >= 4 or w.isdigit()) and w not in _words("small")]
        own = _is_telling(bare, content)
        mark = "" if own else BESIDE
        forms.append(mark + bare)
        if len(content) == 1 and len(content[0]) >= 5:
            forms.append(mark + _stem(content[0]))
        elif 2 <= len(content) <= 3 and len(_SPLIT.split(part)) == 1:
            forms.append("…".join(_stem(word) for word in content))
        if "-" in bare and own:
            forms.append(_stem(folded.replace("-", "")))
    return forms


def _is_telling(bare: str, content: list[str]) -> bool:
    """Whether a label can be met in a document for no other reason than to answer."""
    if bare.isupper() and len(bare) >= 3:
        return True
    if len(content) >= 2:
        return not all(word in _words("common") for word in content)
    return len(content) == 1 and len(content[0]) >= 9 and content[0] not in _words("common")


def _stem(word: str) -> str:
    """A word with any ending: "pertrochantérienne" → "pertrochanterien*"."""
    stem = re.sub(r"(?:ne|le|e|s|es|x)$", "", word) if len(word) > 5 else word
    return stem + "*" if len(stem) >= 5 else word


def _label_anchors(label: str) -> tuple[str, ...]:
    """The words of a question by which a document may ask it."""
    folded = fold(re.sub(r"\([^)]*\)|\[[^\]]*\]", " ", label))
    words = [w for w in re.findall(r"[a-zœ]+", folded) if len(w) >= 4 and w not in _words("small")]
    return tuple(dict.fromkeys((" ".join(folded.split()), *(_stem(word) for word in words))))
