"""From a variable of the dictionary to the way it is read: reader, words, moment.

An unknown dictionary is read from its labels, choices, notes and units alone; a study file overrides any part.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field

from generator.rules.asked import (
    DATED,
    NUMBERS,
    bounds_of,
    cause_of_readmission,
    counted,
    is_no,
    is_other,
    is_unknown,
    is_usual_state,
    lasting,
    omission_of,
    reader_of,
)
from generator.rules.choices import BESIDE, completed, wording_of
from generator.rules.cues import cue_forms
from generator.rules.degrees import degree_forms
from generator.rules.drugs import PREFIX as DRUG
from generator.rules.drugs import drug_forms, drugs_of_label
from generator.rules.events import event_forms
from generator.rules.label import Wanted, drugs_named, wanted_of
from generator.rules.lexicon import load_lexicon
from generator.rules.matcher import Matcher
from generator.rules.moments import moment_of
from generator.rules.numbers import canonical_unit
from generator.rules.text import fold
from schema.study import Policy, Study, VariableHints
from schema.variable import Choice, Variable, VariableKind


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
        baseline: it is a usual state, which the team that admits writes down: true of the time before.
        parts: choice code → plan of the yes or no that it stands for, when the variable is a list of conditions.
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
    baseline: bool = False
    hints: VariableHints = field(default_factory=VariableHints)
    parts: dict[str, Plan] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plans:
    """The plans of a dictionary and the one matcher that finds all their words."""

    plans: tuple[Plan, ...]
    matcher: Matcher


#: Readers of presence and degree, whose choices `generator.rules.degrees` puts in words.
_PRESENCE = ("condition", "bleeding")
#: Readers of closed questions, whose words `generator.rules.choices` gives.
_CLOSED = ("choice", "checkbox", "procedure")
#: Those that look for the answers first, and for the words of the question beside them.
_OF_CHOICES = ("choice", "checkbox")
_IF = VariableKind.YESNO
_YES_NO = (Choice("1", "Oui"), Choice("0", "Non"))


def make_plans(variables: tuple[Variable, ...], study: Study) -> Plans:
    """Compile a dictionary, once per run.

    Raises:
        ValueError: the study names a lexicon concept that does not exist.
    """
    forms: dict[str, tuple[str, ...]] = {**cue_forms(), **event_forms()}
    concepts = load_lexicon("concepts")
    for name, entry in concepts.items():
        forms[name] = tuple(entry["forms"])
        if entry.get("except"):
            forms[name + "!"] = tuple(entry["except"])
    for name, entry in load_lexicon("sides").items():
        forms[f"side:{name}"] = tuple(entry["forms"])
    forms.update(drug_forms())
    plans = []
    for variable in variables:
        hints = study.variables.get(variable.name, VariableHints())
        for concept in hints.concepts:
            if concept not in concepts and concept.removeprefix("drug:") not in load_lexicon("drugs"):
                raise ValueError(f"variable {variable.name!r}: the lexicon has no concept {concept!r}")
        plan = _plan(variable, hints)
        plans.append(plan)
        for each in (plan, *plan.parts.values()):
            forms.update({name: tuple(filter(_is_form, group)) for name, group in _forms_of(each).items()})
            for anchor in each.anchors if hints.exceptions else ():
                forms[anchor + "!"] = (*forms.get(anchor + "!", ()), *hints.exceptions)
    return Plans(tuple(plans), Matcher({name: group for name, group in forms.items() if group}))


def _is_form(text: str) -> bool:
    """Whether words of a dictionary can be searched for: each part between "…" holds a letter or a figure."""
    return all(any(sign.isalnum() for sign in part) for part in re.split(r"…|\.\.\.|(?<=\*) ", text))


def _forms_of(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Matcher forms that a plan adds to those of the lexicon: its own words and those of its choices."""
    variable, hints = plan.variable, plan.hints
    own = f"var:{variable.name}"
    forms = {own: hints.synonyms or _wanted(variable).forms} if own in plan.anchors else {}
    labels = {choice.code: choice.label for choice in variable.choices}
    if plan.reader in _CLOSED:
        return forms | _closed_forms(plan)
    if plan.reader in _PRESENCE:
        return forms | degree_forms(plan.anchors, plan.choices, labels, hints.choices)
    for code, concept in plan.choices.items():
        forms[concept] = _choice_forms(labels.get(code, ""), hints.choices.get(code, ()))
    return forms


def _parts(variable: Variable, reader: str, policy: Policy, offset: float | None) -> dict[str, Plan]:
    """What a variable is made of: the yes or no of each choice of a list, the two events of a length of time."""
    if reader == "duration":
        thing = lasting(variable.label)
        if not bounds_of(variable) and thing:
            named = dataclasses.replace(variable, name=f"{variable.name}#of", label=thing, note="", unit="", kind=_IF)
            return {"of": _plan(named, VariableHints())}
        return {event: _plan(_dated(variable, event), VariableHints(settings={"event": event}))
                for event in bounds_of(variable)}  # fmt: skip
    if reader != "list":
        return {}
    parts = {}
    for choice in variable.choices:
        if is_no(choice) or is_unknown(choice) or is_other(choice):
            continue
        asked = dataclasses.replace(
            variable, name=f"{variable.name}#{choice.code}", label=choice.label, note="", kind=VariableKind.YESNO,
            choices=_YES_NO,
        )  # fmt: skip
        parts[choice.code] = _plan(asked, VariableHints(policy=policy, offset=offset))
    return parts


def _dated(variable: Variable, event: str) -> Variable:
    """The variable that would ask for the day, or the day and time, of one event."""
    kind = VariableKind.DATETIME if canonical_unit(variable.unit) in ("hours", "minutes") else VariableKind.DATE
    return dataclasses.replace(
        variable, name=f"{variable.name}#{event}", label=event, note="", unit="", minimum=None, maximum=None, kind=kind
    )


def _plan(variable: Variable, hints: VariableHints) -> Plan:
    wanted = Wanted(hints.concepts) if hints.concepts or hints.synonyms else _wanted(variable)
    named = wanted.concepts
    reader = hints.reader or reader_of(variable, wanted)
    asked = hints.synonyms or wanted.forms or reader in _OF_CHOICES
    own = (f"var:{variable.name}",) if asked else ()
    if reader in _OF_CHOICES:
        hints = completed(variable, hints)
    policy, offset = (hints.policy, hints.offset) if hints.policy else moment_of(variable)
    if reader == "procedure" and policy is Policy.BEFORE and not hints.reader:
        reader = "condition"  # an old act is found where old diseases are: in the history
    return Plan(
        variable=variable,
        reader=reader,
        anchors=(*named, *own),
        choices={code: f"var:{variable.name}#{code}" for code in _codes(variable, hints)},
        policy=policy,
        offset=hints.offset if hints.offset is not None else offset,
        analyte=next((str(a) for n in named if (a := load_lexicon("concepts").get(n, {}).get("analyte"))), ""),
        unit=canonical_unit(variable.unit),
        omission=hints.omission if hints.omission is not None else omission_of(variable, reader, policy),
        baseline=bool(hints.settings.get("baseline", is_usual_state(variable, named))),
        hints=hints,
        parts=_parts(variable, reader, policy, offset),
    )


def _closed_forms(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Matcher forms of a closed question; those that answer only beside one of its words are under "concept@"."""
    wording = wording_of(plan.variable, plan.hints)
    near = (*wording.near, *_wanted(plan.variable).forms)
    forms = {f"var:{plan.variable.name}": near} if plan.reader in _OF_CHOICES else {}
    for code, concept in plan.choices.items():
        for name, group in ((concept, wording.forms.get(code, ())), (concept + BESIDE, wording.beside.get(code, ()))):
            forms[name] = group
            forms[name + "!"] = wording.exceptions
    return forms


def _codes(variable: Variable, hints: VariableHints) -> tuple[str, ...]:
    """Choice codes; for a number, the values that the study file puts in words."""
    return tuple(choice.code for choice in variable.choices) or tuple(hints.choices)


def _wanted(variable: Variable) -> Wanted:
    """What the label asks for; a question about a treatment that names none takes the drugs of its note."""
    if (cause := cause_of_readmission(variable.label)) is not None:
        return wanted_of(cause) if cause else Wanted()
    if variable.kind in DATED:
        return wanted_of(_DATED_ACT.sub("", variable.label) or variable.label)
    label = _OF_RELATIVES.sub(r"\1", counted(variable.label))  # the reader of conditions asks it of the family
    if drugs_of_label(label):  # "Insuline au domicile" asks since when the drug is taken, not for a place
        label = _AT_HOME.sub(" ", label)
    wanted = wanted_of(label, named=variable.kind in NUMBERS)
    named = any(name.startswith(DRUG) for name in wanted.concepts)
    if "traitement" in fold(variable.label) and not named and (drugs := drugs_named(variable.note)):
        return Wanted(drugs)
    return wanted


#: "Date de pose du pacemaker": the documents date the pacemaker, in words of their own.
_DATED_ACT = re.compile(
    r"\b(?:dates?|heures?|d[ée]but|pose|implantation|mise en place|r[ée]alisation|initiation|introduction|instauration|"
    r"survenue|apparition|(?:premi|derni)[eè]re?|(?:injection|dose|prise|administration|perfusion|bolus|s[ée]ance|cure|"
    r"cycle)s?(?= d))\b\s*(?:et\s+)?(?:d['’]\s?|de l['’]\s?|de la |du |des |de )?",
    re.IGNORECASE,
)
_AT_HOME = re.compile(r"\b(?:au|à|a)\s+domicile\b", re.IGNORECASE)
_OF_RELATIVES = re.compile(r"\b(ant[ée]c[ée]dents?|atcd)\s+familia\w+", re.IGNORECASE)
_PARENTHESES = re.compile(r"\([^)]*\)|\[[^\]]*\]")


def _choice_forms(label: str, extra: tuple[str, ...]) -> tuple[str, ...]:
    bare = " ".join(_PARENTHESES.sub(" ", fold(label)).split())
    return tuple(form for form in dict.fromkeys((bare, *extra)) if form)
