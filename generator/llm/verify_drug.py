"""Whether a quote names the drugs of a choice, taken at the moment that the variable asks for."""

from __future__ import annotations

from collections.abc import Sequence

from generator.llm.verdict import Finding, Verdict
from generator.llm.verify_list import check_omission
from generator.llm.verify_place import Shown
from generator.llm.verify_said import said_of
from generator.rules.cues import PREFIX
from generator.rules.drugs import drug_hits
from generator.rules.episode import Phase
from generator.rules.mentions import clause
from generator.rules.plan import Plan
from generator.rules.reading import PatientView
from generator.rules.regimen import Regimen, code_of, regimen_of
from schema.study import Policy
from schema.variable import VariableKind

_CLOSED = (VariableKind.CHOICE, VariableKind.YESNO, VariableKind.TRUEFALSE)
_AT_HOME = ("traitement_entree", "antecedents", "facteurs_risque", "mode_de_vie")


def asked_regimen(plan: Plan) -> Regimen | None:
    """The drugs that a variable's choices stand for; None when it asks for something else."""
    if plan.reader not in ("treatment", "choice") or plan.variable.kind not in _CLOSED:
        return None
    regimen = regimen_of(plan)
    return regimen if regimen.targets and regimen.asked else None


def check_drugs(view: PatientView, plan: Plan, regimen: Regimen, places: Sequence[Shown], code: str) -> Finding:
    """What the quotes say of a treatment that the rules did not read in them."""
    taken = [(place, name) for place in places for name in _taken(view, place)]
    told = code_of(regimen, [name for _, name in taken])
    if told is None:
        if code == regimen.no:
            return check_omission(view, plan, places)
        return Finding(Verdict.UNSUPPORTED, "La citation ne nomme pas ces médicaments.")
    if told != code:
        verdict = Verdict.NEGATED if regimen.no in (told, code) else Verdict.CONTRADICTED
        return Finding(verdict, "La citation nomme d'autres médicaments.")
    if all(_in_time(view, plan, place) for place, name in taken if regimen.takes(name)):
        return Finding(Verdict.VERIFIED, "La citation nomme ces médicaments.", 0.65)
    return Finding(Verdict.OTHER_TIME, "Les médicaments cités sont d'un autre moment.")


def _taken(view: PatientView, place: Shown) -> list[str]:
    document = place.document
    names = []
    for drug in drug_hits(view, document):
        if place.start <= drug.start and drug.end <= place.end and said_of(document, drug.start, drug.end).affirmed:
            stopped = document.within(f"{PREFIX}drug.stop", *clause(document, drug.start, drug.end))
            if not any(True for _ in stopped):
                names.append(drug.name)
    return names


def _in_time(view: PatientView, plan: Plan, place: Shown) -> bool:
    phase = view.timeline.document_phase(place.document)
    at_home = place.document.section_of(place.start).kind in _AT_HOME
    if plan.policy in (Policy.BEFORE, Policy.AT_ADMISSION):
        return at_home or phase <= Phase.ADMISSION
    if plan.policy is Policy.AT_DISCHARGE:
        return phase is Phase.DISCHARGE and not at_home
    if plan.policy is Policy.AT_FOLLOW_UP:
        return phase is Phase.FOLLOW_UP
    return True
