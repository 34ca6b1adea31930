"""The words of a dictionary's variables and of their answers, as the rules know them, for a reader that knows none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from generator.rules.asked import is_no
from generator.rules.choices import wording_of
from generator.rules.degrees import ALONE, degree_forms
from generator.rules.drugs import PREFIX as DRUG
from generator.rules.drugs import drug_forms, drugs_of_label
from generator.rules.events import event_concepts, event_forms, event_of_label
from generator.rules.lexicon import load_lexicon
from generator.rules.plan import Plan, make_plans
from schema.study import Policy, Study, VariableHints
from schema.variable import Variable, VariableKind

#: Marks a form of an answer that counts only beside a word of the question.
BESIDE = "@"
_DATED = (VariableKind.DATE, VariableKind.DATETIME, VariableKind.TIME)
_CLOSED = ("choice", "checkbox")
_PRESENCE = ("condition", "bleeding")


def words_of(variables: Sequence[Variable], study: Study) -> dict[str, VariableHints]:
    """By variable name, its hints with what the lexicons add: synonyms, exceptions, forms of its choices, its moment.

    Raises:
        ValueError: the study names a lexicon concept that does not exist.
    """
    return {plan.variable.name: _completed(plan) for plan in make_plans(tuple(variables), study).plans}


def _completed(plan: Plan) -> VariableHints:
    hints, variable = plan.hints, plan.variable
    concepts = load_lexicon("concepts")
    synonyms, exceptions, choices = list(hints.synonyms), list(hints.exceptions), dict(hints.choices)
    for anchor in plan.anchors:
        synonyms += (
            drug_forms().get(anchor, ()) if anchor.startswith(DRUG) else concepts.get(anchor, {}).get("forms", ())
        )
        exceptions += concepts.get(anchor, {}).get("except", ())
    if variable.kind in _DATED:
        event = str(hints.settings.get("event") or event_of_label(variable.label))
        synonyms += (form for concept in event_concepts(event) for form in event_forms()[concept])
    if plan.reader in _PRESENCE:
        codes = {code: code for code in plan.choices}
        labels = {choice.code: choice.label for choice in variable.choices}
        denials = {choice.code for choice in variable.choices if is_no(choice)}
        stated = degree_forms(plan.anchors, codes, labels, hints.choices)
        choices = {
            code: (*stated.get(code + ALONE, ()), *(BESIDE + form for form in stated.get(code, ())))
            for code in codes
            if code in hints.choices or code not in denials
        }
    elif variable.choices:
        wording = wording_of(variable, hints)
        synonyms += wording.near if plan.reader in _CLOSED else ()
        exceptions += wording.exceptions
        choices = {
            code: (*forms, *(BESIDE + form for form in wording.beside.get(code, ())))
            for code, forms in wording.forms.items()
        }
        choices = {choice.code: (*choices[choice.code], *_drugs(choice.label)) for choice in variable.choices}
        if plan.reader == "side":
            synonyms += (form for name in ("lesion", "occlusion") for form in load_lexicon("sides")[name]["forms"])
    return hints.model_copy(
        update={
            "synonyms": _once(synonyms),
            "exceptions": _once(exceptions),
            "choices": {code: _once(forms) for code, forms in choices.items()},
            "policy": plan.policy,
            "offset": plan.offset,
            "omission": plan.omission or _silent_lists(plan),
        }
    )


def _silent_lists(plan: Plan) -> str:
    """The lists from which a table's no was drawn, where the annotation rule names none."""
    if any(anchor.startswith(DRUG) for anchor in plan.anchors):
        return "treatment"
    if plan.reader == "procedure":
        return "care"
    return "history" if plan.policy in (Policy.BEFORE, Policy.ANY_TIME) else "care"


def _drugs(label: str) -> list[str]:
    return [form for name in drugs_of_label(label) for form in drug_forms()[DRUG + name]]


def _once(forms: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(forms))
