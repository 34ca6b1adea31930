"""From a variable of the dictionary to the way it is read: reader, words, moment.

An unknown dictionary is read from its labels, choices, notes and units alone; a study file overrides any part.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from generator.rules.cues import cue_forms
from generator.rules.lexicon import load_lexicon
from generator.rules.matcher import Matcher
from generator.rules.numbers import canonical_unit
from generator.rules.text import fold
from schema.study import Policy, Study, VariableHints
from schema.variable import Variable, VariableKind


@dataclass(frozen=True, slots=True)
class Plan:
    """How one variable is read.

    Args:
        reader: name in `generator.rules.readers.READERS`.
        anchors: matcher concepts that name the variable.
        choices: choice code → matcher concept of its forms.
        policy, offset: the moment that answers.
        analyte: substance, for conversions from mass to amount ("glucose"); "" when none.
        unit: canonical unit of the variable; "" when it has none or an unknown one.
        omission: "history", "treatment", "care" or "": where a list that omits the variable answers no.
    """

    variable: Variable
    reader: str
    anchors: tuple[str, ...]
    choices: dict[str, str]
    policy: Policy
    offset: float | None
    analyte: str
    unit: str
    omission: str
    hints: VariableHints = field(default_factory=VariableHints)


@dataclass(frozen=True, slots=True)
class Plans:
    """The plans of a dictionary and the one matcher that finds all their words."""

    plans: tuple[Plan, ...]
    matcher: Matcher


def make_plans(variables: tuple[Variable, ...], study: Study) -> Plans:
    """Compile a dictionary, once per run."""
    forms: dict[str, tuple[str, ...]] = dict(cue_forms())
    concepts = load_lexicon("concepts")
    for name, entry in concepts.items():
        forms[name] = tuple(entry["forms"])
        if entry.get("except"):
            forms[name + "!"] = tuple(entry["except"])
    for name, entry in load_lexicon("drugs").items():
        forms[f"drug:{name}"] = tuple(entry["forms"])
    plans = []
    for variable in variables:
        hints = study.variables.get(variable.name, VariableHints())
        plan = _plan(variable, hints)
        plans.append(plan)
        own = f"var:{variable.name}"
        if own in plan.anchors:
            forms[own] = hints.synonyms or (label_words(variable),)
        if hints.exceptions:
            for anchor in plan.anchors:
                forms[anchor + "!"] = (*forms.get(anchor + "!", ()), *hints.exceptions)
        labels = {choice.code: choice.label for choice in variable.choices}
        for code, concept in plan.choices.items():
            forms[concept] = _choice_forms(labels.get(code, ""), hints.choices.get(code, ()))
    return Plans(tuple(plans), Matcher({name: group for name, group in forms.items() if group}))


def _plan(variable: Variable, hints: VariableHints) -> Plan:
    named = hints.concepts or (() if hints.synonyms else concepts_of_label(variable.label))
    own = (f"var:{variable.name}",) if hints.synonyms or not named else ()
    policy, offset = (hints.policy, hints.offset) if hints.policy else policy_of(variable)
    return Plan(
        variable=variable,
        reader=hints.reader or reader_of(variable, named),
        anchors=(*named, *own),
        choices={code: f"var:{variable.name}#{code}" for code in _codes(variable, hints)},
        policy=policy,
        offset=hints.offset if hints.offset is not None else offset,
        analyte=next((str(a) for n in named if (a := load_lexicon("concepts")[n].get("analyte"))), ""),
        unit=canonical_unit(variable.unit),
        omission=hints.omission if hints.omission is not None else omission_of(variable),
        hints=hints,
    )


def _codes(variable: Variable, hints: VariableHints) -> tuple[str, ...]:
    """Choice codes; for a number, the values that the study file puts in words."""
    return tuple(choice.code for choice in variable.choices) or tuple(hints.choices)


def concepts_of_label(label: str) -> tuple[str, ...]:
    """Lexicon concepts that a label names: the longest form found wins; others inside it are dropped."""
    folded = fold(label)
    hits = _label_matcher().find(folded, [(0, len(folded))])
    kept: list[str] = []
    covered = -1
    for hit in hits:
        if hit.start >= covered and not hit.concept.endswith("!"):
            kept.append(hit.concept)
            covered = hit.end
    return tuple(dict.fromkeys(kept))


_matchers: dict[str, Matcher] = {}


def _label_matcher() -> Matcher:
    if "label" not in _matchers:
        _matchers["label"] = Matcher({name: tuple(entry["forms"]) for name, entry in load_lexicon("concepts").items()})
    return _matchers["label"]


_PARENTHESES = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_TIME_WORDS = re.compile(
    r"\b(?:a l'(?:admission|arrivee|entree)(?: a l'hopital)?|a la sortie|de sortie|initial\w*|"
    r"a \d+ (?:h\w*|mois|ans?|jours?)|[jhm]\+?\d+|avant l'\w+|pendant le sejour|au domicile|connue?)\b"
)


def label_words(variable: Variable) -> str:
    """The label without unit, remarks and time words: what a document would have to write."""
    words = _PARENTHESES.sub(" ", fold(variable.label))
    return " ".join(_TIME_WORDS.sub(" ", words).split()).strip(" ,:?") or fold(variable.label)


def _choice_forms(label: str, extra: tuple[str, ...]) -> tuple[str, ...]:
    bare = " ".join(_PARENTHESES.sub(" ", fold(label)).split())
    return tuple(form for form in dict.fromkeys((bare, *extra)) if form)


_POLICIES: tuple[tuple[str, Policy], ...] = (
    (r"\b(?:plus eleve\w*|plus haut\w*|maxim\w+|pic\b|pire)", Policy.HIGHEST),
    (r"\b(?:plus bas\w*|minim\w+|nadir)", Policy.LOWEST),
    (r"\b(?:a l'admission|a l'arrivee|a l'entree|initiale?s?|d'entree|d'admission|aux urgences|a la prise en charge)\b",
     Policy.AT_ADMISSION),
    (r"\b(?:a la sortie|de sortie|en sortie)\b", Policy.AT_DISCHARGE),
    (r"\b(?:avant|anterieur\w*|antecedents?|pre-?operatoire|pre-?\w+|connue?s?|habituel\w*|au domicile|a domicile)\b",
     Policy.BEFORE),
    (r"\b(?:au suivi|de suivi|derniere? (?:consultation|nouvelle)\w*)\b", Policy.AT_FOLLOW_UP),
    (r"\b(?:derniere?|final\w*)\b", Policy.LAST),
    (r"\bpremiere?\b", Policy.FIRST),
    (r"\b(?:pendant|durant|du sejour|per-?operatoire|post-?operatoire|hospitali\w+)\b", Policy.DURING_STAY),
)  # fmt: skip
_DAY = re.compile(r"\b(?:j\s?\+?\s?(\d+)|(?:a\s)?(\d+)\s?(?:h|heures)\b|h\s?\+?(\d+))\b")
_MONTHS = re.compile(r"\b(?:(?:a\s)?(\d+|un|deux|trois|six|douze)\s?(mois|ans?)|m\s?\+?(\d+))\b")
_IN_WORDS = {"un": 1, "deux": 2, "trois": 3, "six": 6, "douze": 12}


def policy_of(variable: Variable) -> tuple[Policy, float | None]:
    """The moment that a label asks for, and its days after the admission where it names some."""
    label = fold(variable.label)
    if months := _MONTHS.search(label):
        count = months[1] or months[3]
        number = _IN_WORDS.get(count) or int(count)
        return Policy.AT_FOLLOW_UP, number * (365.25 if (months[2] or "").startswith("an") else 30.44)
    if day := _DAY.search(label):
        return Policy.AT_DAY, float(day[1]) if day[1] else float(day[2] or day[3]) / 24
    for pattern, policy in _POLICIES:
        if re.search(pattern, label):
            return policy, None
    if re.search(r"antecedent|facteurs? de risque", fold(f"{variable.section} {variable.form}")):
        return Policy.BEFORE, None
    return Policy.ANY_TIME, None


def omission_of(variable: Variable) -> str:
    """Which list answers "no" by omission, as the annotation rule says it; "" when the rule does not."""
    note = fold(variable.note)
    if re.search(r"\btraitement\b[^.;]*\b(?:liste|sans)\b|aucun traitement", note):
        return "treatment"
    if re.search(r"enumer\w+|\bliste\b[^.;]*\bsans\b", note):
        return "history"
    if re.search(r"\bdecrites? sans\b|si les suites|prise en charge est decrite", note):
        return "care"
    return ""


def reader_of(variable: Variable, concepts: tuple[str, ...]) -> str:
    """The reader for a variable's kind and words."""
    lexicon = load_lexicon("concepts")
    for concept in concepts:
        if reader := lexicon[concept].get("reader"):
            return str(reader)
    kind = variable.kind
    if kind in (VariableKind.INTEGER, VariableKind.NUMBER):
        return "measure"
    if kind is VariableKind.DATE:
        return "date"
    if kind in (VariableKind.DATETIME, VariableKind.TIME):
        return "clock"
    if kind in (VariableKind.YESNO, VariableKind.TRUEFALSE) or is_yes_no(variable):
        return "condition"
    if kind is VariableKind.CHECKBOX:
        return "checkbox"
    if kind is VariableKind.CHOICE:
        return "choice"
    return "text"


def is_yes_no(variable: Variable) -> bool:
    """Whether the first choices say no and yes ("0, Non | 1, Oui", "0, Absente | 1, …")."""
    labels = [fold(choice.label) for choice in variable.choices]
    return len(labels) >= 2 and bool(re.match(r"(?:non|absen|aucun|jamais)", labels[0]))
