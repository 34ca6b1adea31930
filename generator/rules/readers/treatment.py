"""Treatments: drug classes taken at home before the admission, and those that the patient leaves with.

A drug named in a report is not a drug taken: single doses, plans, refusals, arrests and replacements are told apart.
The choices may be "Non | Oui" or classes, their number and their combination ("Un antiagrégant | Deux antiagrégants |
AOD | Association anticoagulant et antiagrégant").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from generator.rules.annotate import Annotated
from generator.rules.context import context_at
from generator.rules.cues import PREFIX
from generator.rules.drugs import DrugHit, drug_hits
from generator.rules.episode import Phase
from generator.rules.mentions import bounds, mention_at
from generator.rules.omission import Enumeration, enumerations, home_treatments
from generator.rules.plan import Plan
from generator.rules.reading import SILENT, Answer, Cite, PatientView
from generator.rules.regimen import Regimen, code_of, regimen_of
from generator.rules.text import fold
from schema.study import Policy
from schema.value import Status

_LINE = re.compile(r"[;\n|]|\.(?!\d)")
_CLAUSE = re.compile(r"[,;\n|()]|\.(?!\d)")
_HISTORY = ("antecedents", "facteurs_risque", "histoire", "motif", "traitement_entree", "mode_de_vie")
_UNDER = re.compile(
    r"\b(?:sous|par|anticoagulee? par|prend|prenait|recevait)\s+(?:(?:du|de|de la|un|une|son|sa|l')\s*)?$"
)
_SINCE = re.compile(
    r"\b(?:il y a|depuis)\s+(?:\w+\s+){0,2}(?:ans?|annees?|mois|semaines?)\b|\ben (?:19|20)\d\d\b|\b(?:19|20)\d\d\b"
)
_INSTEAD = re.compile(r"\b(?:en remplacement|a la place|au lieu|en relais|apres arret|en substitution)\b")
_THEN = re.compile(r"\b(?:puis|ensuite|relais|suivie? d|avant relais|secondairement)\b")


_AT_HOME = re.compile(r"\b(?:domicile|habituel\w*|long cours|chronique)\b")


class Taking(Enum):
    """What a place says of a drug, at the moment that the variable asks about."""

    TAKEN = auto()
    DENIED = auto()
    STOPPED = auto()


@dataclass(frozen=True, slots=True)
class Statement:
    """One place that says something of a drug of the class asked for."""

    document: Annotated
    drug: DrugHit
    taking: Taking
    weight: float


def read_treatment(view: PatientView, plan: Plan) -> Answer:
    """The code of the class or classes taken at home, or at discharge where the label or the study says so."""
    regimen = regimen_of(plan)
    if not regimen.targets:
        return SILENT
    if plan.policy in (Policy.AT_DISCHARGE, Policy.LAST):
        return _at_discharge(view, plan, regimen)
    if plan.policy in (Policy.BEFORE, Policy.AT_ADMISSION) or _AT_HOME.search(fold(plan.variable.label)):
        return _at_home(view, plan, regimen)
    return _given(view, plan, regimen)


# ---------------------------------------------------------------- before the admission


def _at_home(view: PatientView, plan: Plan, regimen: Regimen) -> Answer:
    """The documents of the stay first; earlier ones, latest first, where those say nothing."""
    lists = home_treatments(view)
    current = [d for d in view.documents if Phase.BEFORE < view.timeline.document_phase(d) < Phase.FOLLOW_UP]
    earlier = [d for d in view.documents if view.timeline.document_phase(d) is Phase.BEFORE]
    groups = [group for group in (current, *([document] for document in reversed(earlier))) if group]
    said = [[s for document in group for s in _home_statements(view, regimen, document, lists)] for group in groups]
    for group, statements in zip(groups, said, strict=True):
        taken = [s for s in statements if s.taking is Taking.TAKEN]
        if taken:
            code = code_of(regimen, [s.drug.name for s in taken])
            agreeing = taken + [s for later in said for s in later if s.taking is Taking.TAKEN and s not in taken]
            return _answer(Status.FOUND, code, agreeing, 0.9) if code else SILENT
        denied = [s for s in statements if s.taking is not Taking.TAKEN]
        own = [e for e in lists if e.document in group]
        if regimen.no is None:
            continue
        if denied:
            return _answer(Status.STATED_ABSENT, regimen.no, denied, 0.9)
        nothing = [e for e in own if e.nothing]
        if nothing:
            return Answer(Status.STATED_ABSENT, regimen.no, tuple(e.cite() for e in nothing[:3]), 0.9)
        if own:
            if plan.omission != "treatment":
                return SILENT
            fullest = sorted(own, key=lambda e: -e.items)[:3]
            return Answer(
                Status.ABSENT_BY_OMISSION, regimen.no, tuple(e.cite() for e in fullest), 0.8, (),
                "traitement habituel listé sans cette classe",
            )  # fmt: skip
    return SILENT


def _home_statements(
    view: PatientView, regimen: Regimen, document: Annotated, lists: Sequence[Enumeration]
) -> list[Statement]:
    phase = view.timeline.document_phase(document)
    spans = [(e.start, e.end) for e in lists if e.document is document]
    found = []
    for drug in drug_hits(view, document):
        if regimen.concerns(drug.name):
            listed = any(low <= drug.start < high for low, high in spans)
            taking = _taken_at_home(document, phase, drug, listed, regimen)
            if taking:
                found.append(Statement(document, drug, taking, 3.0 if listed else 1.0))
    return found


def _taken_at_home(document: Annotated, phase: Phase, drug: DrugHit, listed: bool, regimen: Regimen) -> Taking | None:
    text = document.folded
    context = context_at(document, drug.start, drug.end, document.sentence_of(drug.start))
    if context.family or context.other_person or context.hypothetical:
        return None
    low, high = bounds(document, drug.start, drug.end, _CLAUSE)
    line = bounds(document, drug.start, drug.end, _LINE)
    section = document.section_of(drug.start).kind
    at_home = _cued(document, "drug.home", *line) or bool(_UNDER.search(text, line[0], drug.start))
    told_before = listed or phase <= Phase.BEFORE or section in _HISTORY
    if context.negated:
        admits = told_before or phase <= Phase.ADMISSION or at_home
        return Taking.DENIED if admits and regimen.denies(drug.name) else None
    if _cued(document, "drug.stop", low, high) and _SINCE.search(text, low, line[1]):
        return Taking.STOPPED if told_before or at_home else None
    if context.planned or context.declined:
        return None
    if listed:
        return (
            None
            if _cued(document, "drug.acute", low, high) and phase is not Phase.BEFORE and _one_dose(text[low:high])
            else Taking.TAKEN
        )
    if _cued(document, "drug.acute", low, high) or _one_dose(text[low:high]):
        return None
    if phase is Phase.BEFORE or (section in ("antecedents", "facteurs_risque", "traitement_entree")):
        return Taking.TAKEN
    if phase <= Phase.ADMISSION or section in _HISTORY or _cued(document, "list.history", line[0], drug.start):
        return Taking.TAKEN if at_home or _cued(document, "list.history", line[0], drug.start) else None
    strong = re.search(
        r"\b(?:prenait|recevait|habituel\w*|au long cours|traitement (?:a|au|du) domicile)\b", text[line[0] : line[1]]
    )
    return Taking.TAKEN if strong else None


def _one_dose(words: str) -> bool:
    """Whether a clause gives a single dose: a route or a loading dose."""
    return bool(
        re.search(r"\b(?:ivd?|ivse|ivl|bolus|pse|dose de charge)\b|\b(?:300|500|600) ?mg\b|\b\d[\d ]* ?ui\b", words)
    )


# ---------------------------------------------------------------- at discharge


def _at_discharge(view: PatientView, plan: Plan, regimen: Regimen) -> Answer:
    statements: list[Statement] = []
    lists: list[Enumeration] = []
    for document in view.documents:
        if view.timeline.document_phase(document) is not Phase.DISCHARGE:
            continue
        if _died(view, document):
            return SILENT
        own = list(enumerations(document, ("traitement_sortie",), ("list.discharge",)))
        lists += own
        statements += _discharge_statements(view, regimen, document, [(e.start, e.end) for e in own])
    stops = [s for s in statements if s.taking is Taking.STOPPED]
    taken = [s for s in statements if s.taking is Taking.TAKEN]
    best = max((s.weight for s in taken), default=0.0)
    kept = [s for s in taken if s.weight == best and not any(_undoes(stop, s) for stop in stops)]
    if kept:
        code = code_of(regimen, [s.drug.name for s in kept])
        return _answer(Status.FOUND, code, kept, 0.9 if best >= 3 else 0.8) if code else SILENT
    if regimen.no is None:
        return SILENT
    denied = [s for s in statements if s.taking is Taking.DENIED]
    if denied:
        return _answer(Status.STATED_ABSENT, regimen.no, denied, 0.9)
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
    leaving = listed or _cued(document, "time.discharge", *sentence) or _cued(document, "list.discharge", *sentence)
    if context.negated:
        general = leaving or section not in _HISTORY
        return (Taking.DENIED, 2.0) if general and regimen.denies(drug.name) else None
    if section in ("traitement_entree", "antecedents", "facteurs_risque") and not leaving:
        return None
    clause = bounds(document, drug.start, drug.end, _CLAUSE)
    if _cued(document, "drug.switch", *sentence) and len(others) > 1 and not _THEN_LATER.search(text, *sentence):
        last = others[0] if _INSTEAD.search(text, others[0].end, sentence[1]) else others[-1]
        if drug.name != last.name:
            return (Taking.STOPPED, 2.0)
        return (Taking.TAKEN, 3.0 if listed else 2.0)
    if _cued(document, "drug.stop", *clause):
        return (Taking.STOPPED, 2.0)
    if _after_another(text, drug, others):
        return None
    if (context.planned or context.declined) and not listed:
        return None
    if _UNSETTLED.search(text, *sentence) or _BEGUN_LATER.search(text, drug.end, clause[1]):
        return None
    moment = view.timeline.moment(document, drug.start, drug.end, *clause)
    if moment.explicit and (moment.phase is Phase.FOLLOW_UP or (moment.phase is Phase.BEFORE and not leaving)):
        return None
    if leaving:
        return (Taking.TAKEN, 3.0)
    if section in _HISTORY and not _cued(document, "drug.start", sentence[0], drug.start):
        return None
    if _cued(document, "drug.acute", *clause) and _one_dose(text[clause[0] : clause[1]]):
        return None
    return (Taking.TAKEN, 2.0 if _cued(document, "drug.start", *sentence) else 1.0)


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
            if not regimen.concerns(drug.name) or (plan.policy is Policy.DURING_STAY and section in _HISTORY):
                continue
            context = context_at(document, drug.start, drug.end, document.sentence_of(drug.start))
            if context.affirmed:
                statements.append(Statement(document, drug, Taking.TAKEN, 1.0))
            elif context.negated and regimen.denies(drug.name) and not (context.family or context.hypothetical):
                statements.append(Statement(document, drug, Taking.DENIED, 1.0))
    taken = [s for s in statements if s.taking is Taking.TAKEN]
    if taken:
        code = code_of(regimen, [s.drug.name for s in taken])
        return _answer(Status.FOUND, code, taken, 0.8) if code else SILENT
    if statements and regimen.no is not None:
        return _answer(Status.STATED_ABSENT, regimen.no, statements, 0.85)
    return SILENT


# ---------------------------------------------------------------- all


def _cued(document: Annotated, cue: str, low: int, high: int) -> bool:
    return any(True for _ in document.within(PREFIX + cue, low, high))


def _answer(status: Status, code: str, statements: Iterable[Statement], confidence: float) -> Answer:
    cites: dict[str, Cite] = {}
    for statement in sorted(statements, key=lambda s: -s.weight):
        document = statement.document
        low, high = _shown(document, statement.drug)
        cites.setdefault(document.document.document_id, Cite(document, low, high))
    return Answer(status, code, tuple(cites.values())[:3], confidence)


def _shown(document: Annotated, drug: DrugHit) -> tuple[int, int]:
    low, high = document.sentences[document.sentence_of(drug.start)]
    if high - low <= 140:
        return low, high
    low, high = bounds(document, drug.start, drug.end, _LINE)
    low = max(low, drug.start - 70)
    high = min(high, drug.end + 50)
    text = document.folded
    while low < drug.start and low and text[low - 1].isalnum():
        low += 1
    while high > drug.end and high < len(text) and text[high].isalnum():
        high -= 1
    while text[low].isspace():
        low += 1
    while text[high - 1].isspace():
        high -= 1
    return low, high
