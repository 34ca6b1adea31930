"""How the variables are read to check a model's answers: as the rules read them, and a little more freely.

The rules answer nothing where a label is not understood to the last word, since they would guess. A verifier guesses
nothing: the value is given, and the words of a label that name one measure or one disease are enough to look for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from generator.llm.verify_labels import is_of_any_time, reworded
from generator.llm.verify_lexicon import concepts_meant, grade_of_death
from generator.rules.asked import NUMBERS
from generator.rules.label import concepts_named, kinds_of, wanted_of
from generator.rules.plan import Plan, Plans, make_plans
from generator.rules.text import fold
from schema.study import Policy, Study, VariableHints
from schema.variable import Variable, VariableKind

_LATEST = re.compile(r"\bderniere?s? (?:valeur|nouvelles?|resultat|mesure|controle)|\bplus recente?s?\b|\brecente?s?\b")
_OF_TREATMENT = re.compile(r"\btraitements?\b|\btherap\w+|\bchirurgie\b")


def plans_for(variables: Sequence[Variable], study: Study) -> Plans:
    """The plans of a dictionary, each with its own variable, whose choices are in plain words.

    Raises:
        ValueError: the study names a lexicon concept that does not exist.
    """
    asked = {variable.name: reworded(variable) for variable in variables}
    hints = {name: _completed(variable, study.variables.get(name, VariableHints())) for name, variable in asked.items()}
    compiled = make_plans(tuple(asked.values()), study.model_copy(update={"variables": hints}))
    own = {variable.name: replace(variable, choices=asked[variable.name].choices) for variable in variables}
    plans = tuple(replace(plan, variable=own[plan.variable.name]) for plan in compiled.plans)
    return Plans(plans, compiled.matcher)


def _completed(variable: Variable, hints: VariableHints) -> VariableHints:
    """Hints with what a free reading of the label adds, where the study says nothing."""
    if hints.reader or hints.concepts or hints.synonyms:
        return hints
    added: dict[str, object] = {}
    if concepts := _concepts_named(variable):
        added["concepts"] = concepts
    if hints.policy is None and variable.kind in NUMBERS and _LATEST.search(fold(variable.label)):
        added["policy"] = Policy.LAST
    if hints.policy is None and is_of_any_time(variable.label):
        added["policy"] = Policy.ANY_TIME
    if (grade := grade_of_death(wanted_of(variable.label, named=True).concepts)) is not None:
        added["settings"] = {**hints.settings, "death": grade}
    return hints.model_copy(update=added) if added else hints


def _concepts_named(variable: Variable) -> tuple[str, ...]:
    """The one concept that a label names among other words, or those that it means by a word of its own.

    None when the label is understood, or names several.
    """
    label = fold(variable.label)
    is_number = variable.kind in NUMBERS
    if not is_number and variable.kind not in (VariableKind.CHOICE, VariableKind.YESNO, VariableKind.TRUEFALSE):
        return ()
    kinds = {"measure"} if is_number else {"condition", "procedure", "drug"}
    understood = wanted_of(variable.label, named=is_number).concepts
    if any(kinds_of((concept,)) & kinds for concept in understood) or (understood and not is_number):
        return ()
    named = tuple(concept for concept in concepts_named(label) if kinds_of((concept,)) & kinds)
    if not named:
        return tuple(concept for concept in concepts_meant(label) if kinds_of((concept,)) & kinds)
    if len(named) != 1 or (kinds_of(named) == {"condition"} and _OF_TREATMENT.search(label)):
        return ()
    return named


def plan_at_any_time(plan: Plan) -> Plan:
    """The same plan, whatever the moment."""
    return replace(plan, policy=Policy.ANY_TIME, offset=None)
