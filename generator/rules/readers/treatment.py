"""Treatments: drug classes taken at home before the admission, and those that the patient leaves with.

A drug named in a report is not a drug taken: single doses, plans, refusals, arrests and replacements are told apart.
The choices may be "Non | Oui" or classes, their number and their combination ("Un antiagrégant | Deux antiagrégants |
AOD | Association anticoagulant et antiagrégant").
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from generator.rules.annotate import Annotated
from generator.rules.context import context_at
from generator.rules.drugs import DrugHit, drug_hits
from generator.rules.episode import Phase
from generator.rules.mentions import bounds, mention_at
from generator.rules.omission import Enumeration, discharge_treatments
from generator.rules.plan import Plan
from generator.rules.readers.home import read_home_treatment
from generator.rules.readers.leaving import leaving_summaries
from generator.rules.reading import SILENT, Answer, PatientView
from generator.rules.regimen import Regimen, code_of, regimen_of
from generator.rules.statements import CLAUSE, HISTORY, LINE, Statement, Taking, answer_of, cued, one_dose
from generator.rules.text import fold
from schema.study import Policy
from schema.value import Status

_INSTEAD = re.compile(r"\b(?:en remplacement|a la place|au lieu|en relais|apres arret|en substitution)\b")
_THEN = re.compile(r"\b(?:puis|ensuite|relais|suivie? d|avant relais|secondairement)\b")
_AT_HOME = re.compile(r"\b(?:domicile|habituel\w*|long cours|chronique)\b")


def read_treatment(view: PatientView, plan: Plan) -> Answer:
    """The code of the class or classes taken at home, or at discharge where the label or the study says so."""
    regimen = regimen_of(plan)
    if not regimen.targets:
        return SILENT
    if plan.policy in (Policy.AT_DISCHARGE, Policy.LAST):
        return _at_discharge(view, plan, regimen)
    if plan.policy in (Policy.BEFORE, Policy.AT_ADMISSION) or _AT_HOME.search(fold(plan.variable.label)):
        return read_home_treatment(view, plan, regimen)
    return _given(view, plan, regimen)


# ---------------------------------------------------------------- at discharge


def _at_discharge(view: PatientView, plan: Plan, regimen: Regimen) -> Answer:
    statements: list[Statement] = []
    lists: list[Enumeration] = []
    for document in leaving_summaries(view):
        if _died(view, document):
            return SILENT
        own = discharge_treatments(document)
        lists += own
        statements += _discharge_statements(view, regimen, document, [(e.start, e.end) for e in own])
    stops = [s for s in statements if s.taking is Taking.STOPPED]
    taken = [s for s in statements if s.taking is Taking.TAKEN]
    best = max((s.weight for s in taken), default=0.0)
    kept = [s for s in taken if s.weight == best and not any(_undoes(stop, s) for stop in stops)]
    if kept:
        code = code_of(regimen, [s.drug.name for s in kept])
        return answer_of(Status.FOUND, code, kept, 0.9 if best >= 3 else 0.8) if code else SILENT
    if regimen.no is None:
        return SILENT
    denied = [s for s in statements if s.taking is Taking.DENIED]
    if denied:
        return answer_of(Status.STATED_ABSENT, regimen.no, denied, 0.9)
    if plan.omission == "treatment" and lists:
        cites = tuple(e.cite() for e in lists[:3])
        return Answer(Status.ABSENT_BY_OMISSION, regimen.no, cites, 0.75, (), "traitement de sortie sans cette classe")
    return SILENT


def _undoes(stop: Statement, taken: Statement) -> bool:
    """Whether a drug said to be taken is stopped further on; what is stopped first may be taken up again."""
    return stop.drug.name == taken.drug.name and (
        stop.document is not taken.document or stop.drug.start >= taken.drug.start
    )


def _discharge_statements(
    view: PatientView, regimen: Regimen, document: Annotated, spans: Sequence[tuple[int, int]]
) -> list[Statement]:
    drugs = [drug for drug in drug_hits(view, document) if regimen.concerns(drug.name)]
    found = []
    for drug in drugs:
        listed = any(low <= drug.start < high for low, high in spans)
        low, high = document.sentences[document.sentence_of(drug.start)]
        others = [d for d in drugs if low <= d.start < high]
        verdict = _taken_at_discharge(view, document, drug, others, listed, regimen)
        if verdict:
            found.append(Statement(document, drug, *verdict))
    return found


def _taken_at_discharge(
    view: PatientView, document: Annotated, drug: DrugHit, others: Sequence[DrugHit], listed: bool, regimen: Regimen
) -> tuple[Taking, float] | None:
    text = document.folded
    sentence = document.sentences[document.sentence_of(drug.start)]
    context = context_at(document, drug.start, drug.end, document.sentence_of(drug.start))
    if context.family or context.other_person or context.hypothetical:
        return None
    section = document.section_of(drug.start).kind
    leaving = listed or cued(document, "time.discharge", *sentence) or cued(document, "list.discharge", *sentence)
    if context.negated:
        general = leaving or section not in HISTORY
        return (Taking.DENIED, 2.0) if general and regimen.denies(drug.name) else None
    if section in ("traitement_entree", "antecedents", "facteurs_risque") and not leaving:
        return None
    clause = bounds(document, drug.start, drug.end, CLAUSE)
    if cued(document, "drug.switch", *sentence) and len(others) > 1 and not _THEN_LATER.search(text, *sentence):
        last = others[0] if _INSTEAD.search(text, others[0].end, sentence[1]) else others[-1]
        if drug.name != last.name:
            return (Taking.STOPPED, 2.0)
        return (Taking.TAKEN, 3.0 if listed else 2.0)
    if cued(document, "drug.stop", *clause):
        return (Taking.STOPPED, 2.0)
    if _after_another(text, drug, others):
        return None
    if (context.planned or context.declined) and not listed:
        return None
    item = bounds(document, drug.start, drug.end, _ITEM)
    if _UNSETTLED.search(text, *bounds(document, drug.start, drug.end, LINE)) or _BEGUN_LATER.search(
        text, drug.end, item[1]
    ):
        return None
    moment = view.timeline.moment(document, drug.start, drug.end, *clause)
    if moment.explicit and (moment.phase is Phase.FOLLOW_UP or (moment.phase is Phase.BEFORE and not leaving)):
        return None
    if leaving:
        return (Taking.TAKEN, 3.0)
    if section in HISTORY and not cued(document, "drug.start", sentence[0], drug.start):
        return None
    if cued(document, "drug.acute", *clause) and one_dose(text[clause[0] : clause[1]]):
        return None
    return (Taking.TAKEN, 2.0 if cued(document, "drug.start", *sentence) else 1.0)


_ITEM = re.compile(r"[,;\n|]|\.(?!\d)")
_BEGUN_LATER = re.compile(r"\ba (?:debuter|introduire|reprendre|commencer|demarrer)\b(?! (?:ce jour|aujourd|demain))")
_UNSETTLED = re.compile(r"\b(?:re-?)?discut\w+|\bre-?evaluer\b|\benvisag\w+|\breintroduction\b")
_THEN_LATER = re.compile(
    r"\brelais\b[^.;\n]{0,60}\b(?:a j ?\d+|dans \d+|apres \d+|a \d+ (?:jours|semaines|mois)|le \d)"
)


def _after_another(text: str, drug: DrugHit, others: Sequence[DrugHit]) -> bool:
    """Whether the drug comes in its turn: "aspirine et clopidogrel 21 jours puis aspirine seule"."""
    earlier = [other for other in others if other.end <= drug.start]
    return bool(earlier) and bool(_THEN.search(text, earlier[-1].end, drug.start))


def _died(view: PatientView, document: Annotated) -> bool:
    """Whether the summary is that of a patient who died in the service."""
    for match in re.finditer(r"\b(?:dece(?:s|dee?)|exitus|dcd)\b", document.folded):
        mention = mention_at(view, document, match.start(), match.end())
        if mention.context.affirmed and document.section_of(match.start()).kind not in ("antecedents", "mode_de_vie"):
            return True
    return False


# ---------------------------------------------------------------- without a moment, or during the stay
def _given(view: PatientView, plan: Plan, regimen: Regimen) -> Answer:
    """Given at all: stated anywhere before the follow-up; home treatment apart when only the stay counts."""
    statements: list[Statement] = []
    for document in view.documents:
        phase = view.timeline.document_phase(document)
        if phase is Phase.FOLLOW_UP or (plan.policy is Policy.DURING_STAY and phase <= Phase.BEFORE):
            continue
        for drug in drug_hits(view, document):
            section = document.section_of(drug.start).kind
            if not regimen.concerns(drug.name) or (plan.policy is Policy.DURING_STAY and section in HISTORY):
                continue
            context = context_at(document, drug.start, drug.end, document.sentence_of(drug.start))
            if context.affirmed:
                statements.append(Statement(document, drug, Taking.TAKEN, 1.0))
            elif context.negated and regimen.denies(drug.name) and not (context.family or context.hypothetical):
                statements.append(Statement(document, drug, Taking.DENIED, 1.0))
    taken = [s for s in statements if s.taking is Taking.TAKEN]
    if taken:
        code = code_of(regimen, [s.drug.name for s in taken])
        return answer_of(Status.FOUND, code, taken, 0.8) if code else SILENT
    if statements and regimen.no is not None:
        return answer_of(Status.STATED_ABSENT, regimen.no, statements, 0.85)
    return SILENT
