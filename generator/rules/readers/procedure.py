"""Procedures: done or not done. Planned, discussed or possible is neither.

Forms of the study's choices state it outright ("1": done, "0": not done); a form with "@" says so only in the
procedure's own report (``document_types``), where naming the procedure would be idle: "ponction fémorale à 10h02".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from generator.rules.annotate import Annotated
from generator.rules.choices import BESIDE
from generator.rules.cite import Cite, clause, spread
from generator.rules.context import Context, context_of
from generator.rules.cues import PREFIX
from generator.rules.episode import Phase
from generator.rules.label import concepts_named
from generator.rules.lexicon import parents_of
from generator.rules.matcher import Hit
from generator.rules.phrases import alternatives
from generator.rules.plan import Plan
from generator.rules.readers.answers import kind_rank, none_code
from generator.rules.readers.clauses import clause_of, is_stale
from generator.rules.readers.condition import WHOLE
from generator.rules.reading import SILENT, Answer, PatientView
from schema.study import Policy
from schema.value import Status
from schema.variable import VariableKind

_MOST_CITES = 3
_SMALL_WORDS = r"(?:\s+(?:a|au|aux|d|de|du|des|une?|la|le|l|les|eventuel\w*|secondaire|en|par|sur|cette)\b|\s|'|:)*"
_PURPOSE = re.compile(rf"(?:{alternatives('procedure.purpose')}|\?){_SMALL_WORDS}$")
#: An arrow opens a decision: it is carried out only where the time or the dose says so.
_DECISION = re.compile(r"[→>]\s*$")
_NO_BAR = re.compile(
    r"(?:\b(?:pas|sans|absence|aucune?)\b[^,;:.]{0,12}\b(?:contre[ -]?indications?|ci)\b|\bn'interdi\w+)[^,;:.]{0,30}$"
)
_REFUSED_BEFORE = re.compile(rf"{alternatives('procedure.refused_before')}[^,;:.()]{{0,40}}$")
_REFUSED_AFTER = re.compile(rf"(?:\s?:)?[^,;:.()\n]{{0,45}}?{alternatives('procedure.refused_after')}")
_DONE_AFTER = re.compile(rf"(?:\s\w+)?,?\s*(?:qui a ete |ayant ete |a ete )?{alternatives('procedure.done_after')}\b")
#: "intubé", "ventilée": a participle tells the act as done.
_PARTICIPLE = re.compile(r"(?<=\w)ée?s?$")
_STRONG_FORM = re.compile(r"(?:lysee?s?|ectomisee?s?|isee?s?|operee?s?)$")


#: A title that speaks of an act without telling it.
_NOT_A_REPORT = re.compile(
    r"\b(?:demandes?|prescription|bon de|convocation|consentement|information|preparation|avant|pre-?|annul\w*|"
    r"report\w*|programm\w*|consultation|suivi|surveillance|avis|rcp|post)\b"
)
#: How long an act lasted says that it was done: "CPAP pendant 40 minutes", "VNI 2 h".
_LASTED = re.compile(
    r"[^,;.]{0,40}?\b(?:pendant|durant|de \d+ ?h\d* a \d+ ?h|"
    r"\d+ ?(?:h|heures?|min|minutes)\b(?! (?:apres|avant|plus)))"
)


class _Said(IntEnum):
    """What one place says of the procedure."""

    NOT_DONE = 0
    NAMED = 1  # named without more
    DONE = 2
    REPORTED = 3  # told by the report of the act itself


@dataclass(frozen=True, slots=True)
class _Statement:
    said: _Said
    document: Annotated
    start: int
    end: int

    @property
    def cite(self) -> Cite:
        return clause(self.document, self.start, self.end)


def read_procedure(view: PatientView, plan: Plan) -> Answer:
    """ "1" when done, "0" when said not done or, where the note allows, left out of the account of the care."""
    statements = [s for document in view.documents for s in _statements(view, plan, document)]
    reported = [s for s in statements if s.said is _Said.REPORTED]
    if reported:
        return _answer(view, plan, [s for s in statements if s.said is not _Said.NOT_DONE], done=True)
    firm = [s for s in statements if s.said in (_Said.NOT_DONE, _Said.DONE)]
    summary = [s for s in firm if view.timeline.document_phase(s.document) is Phase.DISCHARGE]
    if summary or firm:
        verdict = (summary or firm)[-1].said
        agreeing = [s for s in firm if s.said is verdict]
        return _answer(view, plan, agreeing, done=verdict is _Said.DONE)
    named = [
        s for s in statements
        if s.said is _Said.NAMED and view.timeline.document_phase(s.document) > Phase.ADMISSION
    ]  # fmt: skip
    if named:
        return _answer(view, plan, named, done=True, confidence=0.7)
    return _by_omission(view, plan)


def _answer(
    view: PatientView, plan: Plan, statements: list[_Statement], done: bool, confidence: float = 0.92
) -> Answer:
    first_hand = sorted(statements, key=lambda s: (not _is_own(plan, s.document), not _is_precise(s), -s.said))
    cites = spread((s.cite for s in first_hand), _MOST_CITES, view.timeline.is_discharge)
    value = yes_code(plan) if done else (none_code(plan) or "0")
    return Answer(Status.FOUND if done else Status.STATED_ABSENT, value, cites, confidence)


def _is_precise(statement: _Statement) -> bool:
    """Whether the clause gives the time or the dose: the words of who did it."""
    low, high = clause_of(statement.document, statement.start, statement.end)
    clocks = any(mention.clock for mention in statement.document.dates_in(low, high))
    return clocks or any(number.unit == "mg" for number in statement.document.numbers_in(low, high))


def yes_code(plan: Plan) -> str:
    """The code that says "done": the first that does not say no."""
    if plan.variable.kind is not VariableKind.CHOICE:
        return "1"
    none = none_code(plan)
    return next((c.code for c in plan.variable.choices if c.code != none), "1")


def _statements(view: PatientView, plan: Plan, document: Annotated) -> Iterator[_Statement]:
    """What a document says of the procedure, in text order."""
    phase = view.timeline.document_phase(document)
    if phase is Phase.BEFORE or not _is_asked_of(view, plan, phase):
        return
    found: list[_Statement] = []
    none, yes = none_code(plan) or "0", yes_code(plan)
    for code, said in ((none, _Said.NOT_DONE), (yes, _Said.DONE)):
        for hit in document.find(plan.choices.get(code, "")):
            doubtful = said is _Said.DONE and _is_doubtful(context_of(document, hit))
            if not doubtful and not is_stale(view, document, hit.start, hit.end):
                found.append(_Statement(said, document, hit.start, hit.end))
    if _is_own(plan, document):
        for hit in document.find(plan.choices.get(yes, "") + BESIDE):
            if context_of(document, hit).affirmed:
                found.append(_Statement(_Said.REPORTED, document, hit.start, hit.end))
    for anchor in plan.anchors:
        for hit in document.find(anchor):
            if not is_stale(view, document, hit.start, hit.end):
                told = _said(document, hit)
                if told is not None and not (told is _Said.NOT_DONE and document.names_narrower(hit)):
                    found.append(_Statement(told, document, hit.start, hit.end))
    found += _denied_wholes(plan, document)
    if plan.anchors and not plan.hints.document_types and _is_report(document, plan):
        found.append(_Statement(_Said.REPORTED, document, *document.sentences[0]))
    found.sort(key=lambda s: s.start)
    yield from found


def _is_asked_of(view: PatientView, plan: Plan, phase: Phase) -> bool:
    """Whether a document of that phase counts: those of the follow-up do not for an act of the stay."""
    if view.timeline.outpatient or plan.policy not in (Policy.AT_FOLLOW_UP, Policy.DURING_STAY):
        return True
    return (phase is Phase.FOLLOW_UP) is (plan.policy is Policy.AT_FOLLOW_UP)


def _is_report(document: Annotated, plan: Plan) -> bool:
    """Whether a document is titled after the act: the report of a coronarography says that it was done."""
    name = document.name
    if _NOT_A_REPORT.search(name):
        return False
    return any(concept in plan.anchors for concept in concepts_named(name))


def _denied_wholes(plan: Plan, document: Annotated) -> Iterator[_Statement]:
    """Denials of a broader act as a whole: "aucune ventilation" denies the non-invasive one."""
    for parent in dict.fromkeys(parent for anchor in plan.anchors for parent in parents_of(anchor)):
        for hit in document.find(parent):
            if WHOLE.match(document.folded, hit.end) and not document.names_narrower(hit):
                context = context_of(document, hit)
                if context.negated and not _is_doubtful(context):
                    yield _Statement(_Said.NOT_DONE, document, hit.start, hit.end)


def _is_doubtful(context: Context) -> bool:
    return context.hypothetical or context.family or context.other_person


def _said(document: Annotated, hit: Hit) -> _Said | None:
    """What the words around a mention make of it; None for a plan, a question or another person's."""
    low, high = document.sentences[hit.sentence]
    text = document.folded
    before, after = text[max(low, hit.start - 80) : hit.start], text[hit.end : min(high, hit.end + 60)]
    context = context_of(document, hit)
    if context.family or context.other_person:
        return None
    if _NO_BAR.search(before):
        return _Said.DONE if _is_told_done(document, hit) else None
    if context.negated or context.declined or _REFUSED_BEFORE.search(before) or _REFUSED_AFTER.match(after):
        return _Said.NOT_DONE
    if _DONE_AFTER.match(after) and not context.hypothetical:
        return _Said.DONE
    if context.hypothetical or context.planned or _PURPOSE.search(before):
        return None
    participle = _PARTICIPLE.search(document.document.text, hit.start, hit.end)
    if participle or _STRONG_FORM.search(text[hit.start : hit.end]) or _is_told_done(document, hit):
        return _Said.DONE
    return None if _DECISION.search(before) else _Said.NAMED


def _is_told_done(document: Annotated, hit: Hit) -> bool:
    """Whether the clause holds a word of doing, a time of day or a dose."""
    low, high = clause_of(document, hit.start, hit.end)
    low, high = max(low, hit.start - 60), min(high, hit.end + 70)
    if any(True for _ in document.within(PREFIX + "done", low, high)):
        return True
    if any(mention.clock for mention in document.dates_in(hit.start, high)):
        return True
    if _LASTED.match(document.folded, hit.end, high):
        return True
    return any(number.unit in ("mg", "mL", "L/min") for number in document.numbers_in(hit.end, high))


def _is_own(plan: Plan, document: Annotated) -> bool:
    kinds = plan.hints.document_types
    return kind_rank(document, kinds) < len(kinds)


def _by_omission(view: PatientView, plan: Plan) -> Answer:
    """ "0" when a discharge summary tells the care and never names the procedure."""
    if plan.omission != "care":
        return SILENT
    for document in reversed(view.documents):
        if view.timeline.document_phase(document) is Phase.DISCHARGE:
            told = document.find(PREFIX + "course") or document.find(PREFIX + "done")
            if told:
                cite = clause(document, told[0].start, told[0].end)
                return Answer(
                    Status.ABSENT_BY_OMISSION, none_code(plan) or "0", (cite,), 0.75,
                    explanation="la prise en charge est décrite sans ce geste",
                )  # fmt: skip
    return SILENT
