"""Counts: how many times something was done ("trois passages", "3e passage")."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.rules.annotate import Annotated
from generator.rules.cite import clause
from generator.rules.context import context_of
from generator.rules.episode import Phase
from generator.rules.lexicon import parents_of
from generator.rules.matcher import Hit
from generator.rules.plan import Plan
from generator.rules.policies import fits, settle, vote
from generator.rules.quantity import bounds_of
from generator.rules.readers.measure import excluded
from generator.rules.reading import SILENT, Answer, Cite, PatientView, Reading
from schema.study import Policy
from schema.value import Status

_NUMBERS = {
    "un": 1,
    "une": 1,
    "deux": 2,
    "trois": 3,
    "quatre": 4,
    "cinq": 5,
    "six": 6,
    "sept": 7,
    "huit": 8,
    "neuf": 9,
    "dix": 10,
}
_ORDINALS = {"premier": 1, "premiere": 1, "second": 2, "seconde": 2, "deuxieme": 2, "troisieme": 3, "quatrieme": 4,
             "cinquieme": 5, "sixieme": 6, "septieme": 7, "huitieme": 8, "1er": 1, "1ere": 1,
             "2nd": 2, "2nde": 2}  # fmt: skip
_CARDINAL_BEFORE = re.compile(rf"\b(?P<n>\d{{1,2}}|{'|'.join(_NUMBERS)})\s+(?:seule?s?\s+|simples?\s+|unique\s+)?$")
_ORDINAL_BEFORE = re.compile(rf"\b(?P<n>\d{{1,2}}\s?(?:e|eme|ieme)|{'|'.join(_ORDINALS)})\s+$")
_AFTER = re.compile(
    r"^\s*(?:\([^)]*\)\s*)?(?:intracranien\w*\s*|realises?\s*|effectues?\s*|total\s*)?"
    r"(?:n\s?[°o]\s?|[:=]\s*)?(?P<n>\d{1,2})(?:\s*(?:et|a|-|,|/)\s*(?P<m>\d{1,2}))?(?![\d.,/hx%])"
)
_TOTAL_BEFORE = re.compile(r"\b(?:nombre(?: total)?(?: de)?|nb(?: de)?|total(?: de)?)\s*$")
_SUMMED = re.compile(r"\b(?:au total|en tout|total|soit|apres|issue|nombre|nb|en)\b[^.\n]{0,25}$")
#: A total outweighs what the numbering of the steps suggests.
_TOTAL_WEIGHT, _PLAIN_WEIGHT, _ORDINAL_WEIGHT = 3.0, 2.0, 1.0


def read_count(view: PatientView, plan: Plan) -> Answer:
    """The stated number, else the highest rank reached; 0 where it is said that there was none at all."""
    readings = [r for document in view.documents for r in _readings(view, plan, document)]
    low, high = bounds_of(plan.variable, 0, 99)
    readings = [r for r in readings if isinstance(r.value, int) and low <= r.value <= high]
    readings = [r for r in readings if fits(r, plan, view) or _told_on_arrival(r, plan)]
    totals = [r for r in readings if r.weight >= _TOTAL_WEIGHT]
    if totals:
        return vote(totals)
    if not readings:
        return _none_at_all(view, plan) if low <= 0 else SILENT
    if len({r.value for r in readings}) == 1 or any(r.weight <= _ORDINAL_WEIGHT for r in readings):
        # Steps told one by one ("deux premiers passages…, troisième passage") add up to the highest.
        highest = max(int(str(r.value)) for r in readings)
        return settle([r for r in readings if r.value == highest])
    cites = tuple(cite for r in readings for cite in r.cites)  # several amounts: their sum cannot be told from repeats
    return Answer(Status.CONFLICTING, None, cites, 0.3, tuple(dict.fromkeys(r.value for r in readings)))


def _told_on_arrival(reading: Reading, plan: Plan) -> bool:
    """Whether the team that admits tells what came before: "2 exacerbations dans l'année"."""
    return plan.policy is Policy.BEFORE and reading.moment.phase <= Phase.ADMISSION


def _none_at_all(view: PatientView, plan: Plan) -> Answer:
    """ "Aucune transfusion": what is counted, or the broader act that it belongs to, is denied."""
    concepts = dict.fromkeys(concept for anchor in plan.anchors for concept in (anchor, *parents_of(anchor)))
    denied: list[Reading] = []
    for document in view.documents:
        for hit in (hit for concept in concepts for hit in document.find(concept)):
            if context_of(document, hit).negated:
                moment = view.timeline.moment(document, hit.start, hit.end, *document.sentences[hit.sentence])
                denied.append(Reading(0, (clause(document, hit.start, hit.end),), moment))
    denied = [reading for reading in denied if fits(reading, plan, view)]
    return settle(denied[:2], status=Status.STATED_ABSENT) if denied else SILENT


def _readings(view: PatientView, plan: Plan, document: Annotated) -> Iterator[Reading]:
    if excluded(document, plan):
        return
    best: Reading | None = None
    for anchor in plan.anchors:
        for hit in document.find(anchor):
            reading = None if context_of(document, hit).negated else _of_hit(view, document, hit)
            if reading is None:
                continue
            if reading.weight > _ORDINAL_WEIGHT:
                yield reading
            elif best is None or (
                isinstance(best.value, int) and isinstance(reading.value, int) and reading.value > best.value
            ):
                best = reading
    if best:
        yield best


def _of_hit(view: PatientView, document: Annotated, hit: Hit) -> Reading | None:
    low, high = document.sentences[hit.sentence]
    before = document.folded[max(low, hit.start - 50) : hit.start]
    after = document.folded[hit.end : min(high, hit.end + 30)]
    moment = view.timeline.moment(document, hit.start, hit.end, low, high)
    if match := _ORDINAL_BEFORE.search(before):
        written = match["n"]
        rank = _ORDINALS.get(written) or int(re.sub(r"\D", "", written) or 0)
        return Reading(
            rank, (Cite(document, hit.start - len(before) + match.start(), hit.end),), moment, _ORDINAL_WEIGHT
        )
    if match := _CARDINAL_BEFORE.search(before):
        number = _NUMBERS.get(match["n"]) or int(match["n"])
        weight = _TOTAL_WEIGHT if _SUMMED.search(before[: match.start()]) else _PLAIN_WEIGHT
        return Reading(number, (Cite(document, hit.start - len(before) + match.start(), hit.end),), moment, weight)
    if match := _AFTER.match(after):
        number = max(int(match["n"]), int(match["m"] or 0))
        total = _TOTAL_BEFORE.search(before) or after.lstrip().startswith((":", "="))
        weight = _TOTAL_WEIGHT if total else _ORDINAL_WEIGHT
        return Reading(number, (Cite(document, hit.start, hit.end + match.end()),), moment, weight)
    return None
