"""How the variables are read to check a model's answers: as the rules read them, and a little more freely.

The rules answer nothing where a label is not understood to the last word, since they would guess. A verifier guesses
nothing: the value is given, and the words of a label that name one measure or one disease are enough to look for it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from generator.rules.asked import NUMBERS
from generator.rules.label import concepts_named, kinds_of, wanted_of
from generator.rules.numbers import find_numbers
from generator.rules.plan import Plan, Plans, make_plans
from generator.rules.text import fold
from schema.study import Policy, Study, VariableHints
from schema.variable import Variable, VariableKind

_LATEST = re.compile(r"\bderniere?s? (?:valeur|nouvelles?|resultat|mesure|controle)|\bplus recente?s?\b|\brecente?s?\b")
#: "Consultation des 3 mois", which the rules take for a stretch of time.
_OF_MONTHS = re.compile(r"\bdes (\d+ mois)\b")
_OF_TREATMENT = re.compile(r"\btraitements?\b|\btherap\w+|\bchirurgie\b")


def plans_for(variables: Sequence[Variable], study: Study) -> Plans:
    """The plans of a dictionary, each with its own variable.

    Raises:
        ValueError: the study names a lexicon concept that does not exist.
    """
    asked = {variable.name: _in_figures(variable) for variable in variables}
    hints = {name: _completed(variable, study.variables.get(name, VariableHints())) for name, variable in asked.items()}
    compiled = make_plans(tuple(asked.values()), study.model_copy(update={"variables": hints}))
    own = {variable.name: variable for variable in variables}
    plans = tuple(replace(plan, variable=own[plan.variable.name]) for plan in compiled.plans)
    return Plans(plans, compiled.matcher)


def words_of_furniture() -> frozenset[str]:
    """Words of labels that say when, or that something is measured."""
    return _vocabulary("furniture")


def words_of_sameness() -> frozenset[str]:
    """Words that give a value as the one told before."""
    return _vocabulary("unchanged")


def words_like(word: str) -> tuple[str, ...]:
    """What documents name instead of a word of a label: "IRM" for "imagerie"; most words have none."""
    return tuple(_content()["instead"].get(word, ()))


def _vocabulary(name: str) -> frozenset[str]:
    return frozenset(_content()[name])


@functools.cache
def _content() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("verify.yml").read_text(encoding="utf-8"))
    return content


def _in_figures(variable: Variable) -> Variable:
    """The variable with the moment of its label in figures: "à vingt-quatre heures", "consultation des trois mois"."""
    label = variable.label
    folded = fold(label)
    for number in reversed(find_numbers(folded, ())):
        written = folded[number.start : number.end].split(" ")[0]
        if written.replace("-", "").isalpha() and number.value > 2:
            label = f"{label[: number.start]}{number.value:g}{label[number.start + len(written) :]}"
    return replace(variable, label=_OF_MONTHS.sub(r"à \1", label))


def _completed(variable: Variable, hints: VariableHints) -> VariableHints:
    """Hints with what a free reading of the label adds, where the study says nothing."""
    if hints.reader or hints.concepts or hints.synonyms:
        return hints
    added: dict[str, object] = {}
    if concept := _concept_named(variable):
        added["concepts"] = (concept,)
    if hints.policy is None and variable.kind in NUMBERS and _LATEST.search(fold(variable.label)):
        added["policy"] = Policy.LAST
    return hints.model_copy(update=added) if added else hints


def _concept_named(variable: Variable) -> str:
    """The one concept that a label names among other words; "" when it is understood, or names none or several."""
    label = fold(variable.label)
    is_number = variable.kind in NUMBERS
    if not is_number and variable.kind not in (VariableKind.CHOICE, VariableKind.YESNO, VariableKind.TRUEFALSE):
        return ""
    kinds = {"measure"} if is_number else {"condition", "procedure"}
    understood = wanted_of(variable.label, named=is_number).concepts
    if any(kinds_of((concept,)) & kinds for concept in understood) or (understood and not is_number):
        return ""
    named = [concept for concept in concepts_named(label) if kinds_of((concept,)) & kinds]
    if len(named) != 1 or (kinds_of((named[0],)) == {"condition"} and _OF_TREATMENT.search(label)):
        return ""
    return named[0]


def plan_at_any_time(plan: Plan) -> Plan:
    """The same plan, whatever the moment."""
    return replace(plan, policy=Policy.ANY_TIME, offset=None)
