"""Treatments taken at home before the admission: listed, told in the history, denied, or given up long since."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from generator.rules.annotate import Annotated
from generator.rules.cite import Cite, spread
from generator.rules.context import context_at
from generator.rules.drugs import DrugHit, drug_hits
from generator.rules.episode import Phase
from generator.rules.mentions import bounds
from generator.rules.omission import Enumeration, home_treatments, is_of_stay
from generator.rules.plan import Plan
from generator.rules.reading import SILENT, Answer, PatientView
from generator.rules.regimen import Regimen, code_of
from generator.rules.statements import CLAUSE, HISTORY, LINE, MOST_CITES, Statement, Taking, answer_of, cued, one_dose
from generator.rules.stay import is_summary
from schema.value import Status

_UNDER = re.compile(
    r"\b(?:sous|par|anticoagulee? par|prend|prenait|recevait)\s+(?:(?:du|de|de la|un|une|son|sa|l')\s*)?$"
    r"|\b(?:ac ?/?fa|fa|flutter|avc|ait|idm|stent|ep|tvp|mtev|valve)\s?/\s?$"
)
_SINCE = re.compile(
    r"\b(?:il y a|depuis)\s+(?:\w+\s+){0,2}(?:ans?|annees?|mois|semaines?)\b|\ben (?:19|20)\d\d\b|\b(?:19|20)\d\d\b"
)
#: A course that is over: its length then its end in the same brackets or clause, two years, or "until".
_CLOSED_COURSE = re.compile(
    r"[^;.()\n]{0,15}?(?:"
    r"\b(?:\d+|un|deux|trois|quatre|six|neuf|douze) (?:mois|ans?|semaines?|j|jours)\b[^;.()\n]{0,25}"
    r"\b(?:arret|stop|suspend|interromp)\w*"
    r"|\((?:[^;.()\n]{0,25}\b)?(?:arret|stop|suspend|interromp)\w*[^)]{0,30}\)"
    r"|\bde (?:19|20)\d\d a (?:19|20)\d\d\b"
    r"|\bjusqu'(?:a|au|aux|en) (?!ce\b|hier|ces\b|present|maintenant|admission|l'|la\b|son\b|aujourd|j\d))"
)
#: An end that comes with the stay leaves a treatment taken until then.
_JUST_NOW = re.compile(
    r"\b(?:ce jour|ce matin|ce soir|hier|avant-hier|aujourd'hui|veille|admission|entree|urgences|bloc|chirurgie|"
    r"intervention|depuis (?:\d+|deux|trois|quelques) jours?|j ?-? ?\d)\b"
)
#: "pas d'antiagrégant pendant 24 h" plans the care and says nothing of the home.
_FOR_A_WHILE = re.compile(r"[^,;.\n]{0,20}\b(?:pendant|avant|jusqu|dans les|durant|pour les?|d'ici)\b")


def read_home_treatment(view: PatientView, plan: Plan, regimen: Regimen) -> Answer:
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
            return answer_of(Status.FOUND, code, agreeing, 0.9) if code else SILENT
        denied = [s for s in statements if s.taking is not Taking.TAKEN]
        own = [e for e in lists if e.document in group]
        if regimen.no is None:
            continue
        nothing = [e.cite() for e in own if e.nothing]
        fullest = [e.cite() for e in sorted(own, key=lambda e: -e.items)]
        if denied or nothing:
            places = answer_of(Status.STATED_ABSENT, regimen.no, denied, 0.9).cites
            return Answer(Status.STATED_ABSENT, regimen.no, _spread([*places[:1], *nothing, *fullest, *places]), 0.9)
        if own:
            if plan.omission != "treatment":
                return SILENT
            return Answer(
                Status.ABSENT_BY_OMISSION, regimen.no, _spread(fullest), 0.8, (),
                "traitement habituel listé sans cette classe",
            )  # fmt: skip
    return SILENT


def _spread(cites: Iterable[Cite]) -> tuple[Cite, ...]:
    return spread(cites, MOST_CITES, second=is_summary)


def _home_statements(
    view: PatientView, regimen: Regimen, document: Annotated, lists: Sequence[Enumeration]
) -> list[Statement]:
    phase = view.timeline.document_phase(document)
    spans = [(e.start, e.end) for e in lists if e.document is document]
    found = []
    for drug in drug_hits(view, document):
        if regimen.concerns(drug.name) and not is_of_stay(view, document, drug.start):
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
    low, high = bounds(document, drug.start, drug.end, CLAUSE)
    line = bounds(document, drug.start, drug.end, LINE)
    section = document.section_of(drug.start).kind
    at_home = cued(document, "drug.home", *line) or bool(_UNDER.search(text, line[0], drug.start))
    told_before = listed or phase <= Phase.BEFORE or section in HISTORY
    if context.negated:
        admits = (told_before or phase <= Phase.ADMISSION or at_home) and not _FOR_A_WHILE.match(text, drug.end, high)
        return Taking.DENIED if admits and regimen.denies(drug.name) else None
    if _ended_before(document, drug, low, high, line[1]):
        return Taking.STOPPED if told_before or at_home else None
    if context.planned or context.declined:
        return None
    if listed:
        return (
            None
            if cued(document, "drug.acute", low, high) and phase is not Phase.BEFORE and one_dose(text[low:high])
            else Taking.TAKEN
        )
    if cued(document, "drug.acute", low, high) or one_dose(text[low:high]):
        return None
    if phase is Phase.BEFORE or (section in ("antecedents", "facteurs_risque", "traitement_entree")):
        return Taking.TAKEN
    if phase <= Phase.ADMISSION or section in HISTORY or cued(document, "list.history", line[0], drug.start):
        return Taking.TAKEN if at_home or cued(document, "list.history", line[0], drug.start) else None
    strong = re.search(
        r"\b(?:prenait|recevait|habituel\w*|au long cours|traitement (?:a|au|du) domicile)\b", text[line[0] : line[1]]
    )
    return Taking.TAKEN if strong else None


def _ended_before(document: Annotated, drug: DrugHit, low: int, high: int, line_end: int) -> bool:
    """Whether the drug was given up before the stay: "arrêté depuis 2019", "(AVK 6 mois, arrêtés)"."""
    text = document.folded
    if cued(document, "drug.stop", low, high) and _SINCE.search(text, low, line_end):
        return True
    closing = _CLOSED_COURSE.match(text, drug.end, line_end)
    return closing is not None and not _JUST_NOW.search(text, drug.end, min(line_end, closing.end() + 30))
