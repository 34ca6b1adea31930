"""Grades: a short code written after the name of its scale ("mTICI 2c", "NYHA III", "ASA 2")."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from generator.rules.annotate import Annotated
from generator.rules.context import context_of
from generator.rules.matcher import Hit
from generator.rules.plan import Plan
from generator.rules.policies import choose, eligible, settle
from generator.rules.readers.measure import excluded
from generator.rules.reading import SILENT, Answer, Cite, PatientView, Reading
from generator.rules.stay import is_kind
from generator.rules.text import fold
from schema.study import Policy

_REACH = 30
_FILLER = re.compile(
    r"^[\s:=()/,-]*(?:(?:score|grade|stade|classe|final\w*|finale|type|modifie|ce jour|"
    r"de|d'un|a|est|cote|cotee|evalue\w*|en|obtenu|atteint|estime\w*|initial\w*|post|controle|fin|procedure|au|la|le|l')[\s:=()/,-]*)*"
)
_GRADE_LEAD = re.compile(r"\b(?:stade|classe|grade|niveau)\s+")
_OF_SCALE = re.compile(
    r"\s*(?:\(|de la|de l'|du|de|d'|selon(?: la)?|sur (?:la|l'))?(?: classification)?(?: de la| de)?\s*"
)
_ROMAN = {"1": "i", "2": "ii", "3": "iii", "4": "iv", "5": "v", "6": "vi"}
_FINAL = re.compile(r"\b(?:final\w*|au total|fin de procedure|a l'issue|serie finale|controle final|terminal\w*)\b")


def read_grade(view: PatientView, plan: Plan) -> Answer:
    """The code of the choice whose grade is written; under LAST, the final one of the last document that has any."""
    readings = [r for document in view.documents for r in _readings(view, plan, document)]
    readings = eligible(readings, plan, view)
    if plan.policy is not Policy.LAST:
        return choose(readings, plan, view)
    if not readings:
        return SILENT
    kinds = [fold(kind) for kind in plan.hints.document_types]
    own = [r for r in readings if is_kind(r.document, kinds)]
    pool = own or readings
    finals = [r for r in pool if r.weight > 1.0]
    chosen = (finals or pool)[-1]
    agreeing = [r for r in readings if r.value == chosen.value and r is not chosen]
    return settle([chosen, *agreeing[:2]], 0.9)


def _readings(view: PatientView, plan: Plan, document: Annotated) -> Iterator[Reading]:
    if excluded(document, plan):
        return
    hits = sorted((hit for anchor in plan.anchors for hit in document.find(anchor)), key=lambda hit: hit.start)
    for hit in hits:
        found = _grade_after(document, plan, hit) or _grade_before(document, plan, hit)
        if found is None:
            continue
        code, start, end = found
        # "TICI 0" is a grade, not a denial.
        if document.folded[end - 1] == "0" or not context_of(document, hit).negated:
            low, high = document.sentences[hit.sentence]
            final = _FINAL.search(document.folded, max(low, start - 60), min(high, end + 20))
            moment = view.timeline.moment(document, start, end, low, high)
            yield Reading(code, (Cite(document, start, end),), moment, 1.5 if final else 1.0)


@functools.lru_cache(maxsize=256)
def _spellings(plan_choices: tuple[tuple[str, str], ...]) -> re.Pattern[str]:
    """All grades of a scale, longest first, so that "2b" is not read as "2"."""
    grades = sorted({spelling for _, label in plan_choices for spelling in _forms(label)}, key=len, reverse=True)
    letters = all(len(grade) == 1 and grade.isalpha() for grade in grades) and "i" not in grades
    stop = r"(?![^\W\d])" if letters else r"(?![\w]|[.,/]\d)"  # "Child C11": the score follows its class
    return re.compile(rf"(?:{'|'.join(map(re.escape, grades))}){stop}")


def _forms(label: str) -> tuple[str, ...]:
    """The grade in a choice's label ("Stade II" → "ii", "2"), in Arabic and Roman figures."""
    grade = fold(label).split()[-1] if fold(label).split() else ""
    arabic = {roman: digit for digit, roman in _ROMAN.items()}
    return tuple(dict.fromkeys(form for form in (grade, _ROMAN.get(grade, ""), arabic.get(grade, "")) if form))


def _grade_after(document: Annotated, plan: Plan, hit: Hit) -> tuple[str, int, int] | None:
    """The grade that follows the name of its scale ("NYHA III"): its code, and the place of both."""
    _, high = document.sentences[hit.sentence]
    filler = _FILLER.match(document.folded[hit.end : min(high, hit.end + _REACH)])
    start = hit.end + (filler.end() if filler else 0)
    match = _spellings(tuple((c.code, c.label) for c in plan.variable.choices)).match(document.folded, start)
    return (_code_of(plan, match[0]), hit.start, match.end()) if match else None


def _grade_before(document: Annotated, plan: Plan, hit: Hit) -> tuple[str, int, int] | None:
    """The grade that comes before it: "stade III de la NYHA"."""
    low = max(document.sentences[hit.sentence][0], hit.start - _REACH)
    lead = _GRADE_LEAD.search(document.folded, low, hit.start)
    if lead is None:
        return None
    match = _spellings(tuple((c.code, c.label) for c in plan.variable.choices)).match(document.folded, lead.end())
    if match is None or not _OF_SCALE.fullmatch(document.folded, match.end(), hit.start):
        return None
    return _code_of(plan, match[0]), lead.start(), hit.end


def _code_of(plan: Plan, grade: str) -> str:
    return next(c.code for c in plan.variable.choices if grade in _forms(c.label))
