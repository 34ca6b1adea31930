"""Absence by omission: a quote of a list that would name the variable, of the right kind, and does not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from generator.llm.verdict import Finding, Verdict
from generator.llm.verify_place import Shown, place_of
from generator.llm.verify_said import said_of
from generator.llm.verify_words import label_words, resembling
from generator.rules.annotate import Annotated
from generator.rules.asked import asks_for_death, is_no, is_unknown
from generator.rules.drugs import PREFIX as DRUG
from generator.rules.episode import Phase
from generator.rules.lexicon import load_lexicon
from generator.rules.omission import courses, discharge_treatments, enumerations, home_treatments, names_drugs
from generator.rules.plan import Plan
from generator.rules.reading import PatientView
from generator.rules.text import fold
from schema.study import Policy

#: Strength of an absence by omission, and of being alive by being seen.
OMITTED = 0.6
#: A quote that lists so many diseases, acts or drugs is a list, whatever its title.
_LISTED = 2
_TITLES = {
    "treatment": re.compile(r"\bttts?\b|\btrt\b|traitement|medica|ordonnance"),
    "history": re.compile(r"\batcds?\b|antecedent|facteurs? de risque|\bfdr"),
}
_DEATH = re.compile(r"^(?:deces|mort\w*|statut vital|survie)\b")
_POSOLOGY = re.compile(
    r"\b\d+(?:[.,]\d+)?\s?(?:mg|g|ug|ui|gouttes?|cp|inhalations?)\b|/\s?j(?:our)?\b|\ble (?:soir|matin|midi)\b"
)
_TITLE_ALONE = re.compile(r"\W*[a-z' ]{3,40}\s?:\W*")
_SEPARATORS = re.compile(r"[,;+•\n/]|\s-\s|\bet\b|\.\s")
_NOTHING = re.compile(
    r"\W*(?:(?:atcds?|antecedents?|ttt|traitements?|avant|medicaments?)\b[^:]{0,25}:?\s*)?"
    r"(?:aucun\w*(?: (?:antecedents?|traitements?|medicaments?|particulier\w*|notables?|connus?))*|neant|ras|"
    r"rien(?: de \w+)?|(?:pas d(?:e |')|sans )(?:antecedents?|traitements?|medicaments?|atcds?|ttt)\b.{0,25})\W*"
)


def check_omission(view: PatientView, plan: Plan, places: Sequence[Shown]) -> Finding:
    """Whether a quote is a list that leaves the variable out, or tells that there is nothing to list."""
    if asks_for_death(plan.variable) or _DEATH.search(fold(plan.variable.label)):
        return _alive(view, plan, places)
    if not any(not anchor.startswith("var:") for anchor in plan.anchors):
        return Finding(Verdict.UNSUPPORTED, "La question n'est pas assez connue pour qu'une liste y réponde.")
    kind = _kind(plan)
    if any(_lists_nothing(place, kind) for place in places):
        return Finding(Verdict.VERIFIED, "La citation dit qu'il n'y a rien à énumérer.", OMITTED)
    lists = [whole for place in places for whole in _lists(view, plan, place, kind)]
    if not lists:
        return Finding(Verdict.UNSUPPORTED, "La citation n'est pas une liste qui le nommerait.")
    for whole in lists:
        if _names(view, plan, whole):
            return Finding(Verdict.UNSUPPORTED, "La liste citée le nomme.")
    return Finding(Verdict.VERIFIED, "La liste citée ne le nomme pas.", OMITTED)


def _kind(plan: Plan) -> str:
    if plan.omission:
        return plan.omission
    if plan.reader == "treatment" or any(anchor.startswith(DRUG) for anchor in plan.anchors):
        return "treatment"
    if plan.reader == "procedure" or plan.policy is Policy.DURING_STAY:
        return "care"
    return "history"


def _lists(view: PatientView, plan: Plan, place: Shown, kind: str) -> Iterator[Shown]:
    """The lists that hold a quote, whole; the quote itself when it lists several things and no title is known."""
    document = place.document
    found = False
    if _TITLE_ALONE.fullmatch(place.words):
        return  # a title shows nothing of its list
    if kind == "care":
        for cite in courses(view):
            if cite.document is document and cite.start < place.end and place.start < cite.end:
                yield place
        return
    for start, end in _spans(view, plan, document, kind):
        if start < place.end and place.start < end:
            found = True
            yield place_of(document, min(start, place.start), max(end, place.end))
    if not found and _lists_several(place, kind):
        yield place


def _lists_nothing(place: Shown, kind: str) -> bool:
    """Whether a quote is an empty list of the right kind: "Ttt : aucun", "RAS" under the title of the history."""
    if kind == "care" or not _NOTHING.fullmatch(place.words):
        return False
    titled = _TITLES[kind]
    return bool(titled.search(place.words)) or bool(titled.search(fold(place.document.section_of(place.start).title)))


def _spans(view: PatientView, plan: Plan, document: Annotated, kind: str) -> Iterator[tuple[int, int]]:
    if kind == "treatment":
        late = plan.policy in (Policy.AT_DISCHARGE, Policy.AT_FOLLOW_UP)
        found = discharge_treatments(document) if late else home_treatments(view)
        yield from ((e.start, e.end) for e in found if e.document is document)
    else:
        lists = enumerations(document, ("antecedents", "facteurs_risque"), ("list.history",))
        yield from ((e.start, e.end) for e in lists)


def _lists_several(place: Shown, kind: str) -> bool:
    document = place.document
    if kind == "treatment":
        return names_drugs(document, place.start, place.end) or bool(_POSOLOGY.search(place.words))
    concepts = load_lexicon("concepts")
    named = {
        hit.start
        for name, hits in document.hits.items()
        if concepts.get(name, {}).get("kind") in ("condition", "procedure", "event")
        for hit in hits
        if place.start <= hit.start and hit.end <= place.end
    }
    return len(named) >= _LISTED or (len(named) == 1 and bool(_SEPARATORS.search(place.words)))


def _names(view: PatientView, plan: Plan, whole: Shown) -> bool:
    """Whether a list names the variable, or words of its label, without denying it."""
    document = whole.document
    places = [(h.start, h.end) for anchor in plan.anchors for h in document.within(anchor, whole.start, whole.end)]
    if not plan.anchors[0].startswith(DRUG):
        places += [(whole.start + a, whole.start + b) for a, b in resembling(plan.variable.label, whole.words)]
    if not plan.anchors or all(anchor.startswith("var:") for anchor in plan.anchors):
        places += [
            (whole.start + m.start(), whole.start + m.end())
            for m in label_words(plan.variable.label).found_in(whole.words)
        ]
    affirming = [choice.code for choice in plan.variable.choices if not (is_no(choice) or is_unknown(choice))]
    for concept in (plan.choices[code] for code in affirming if code in plan.choices):
        places += [(h.start, h.end) for h in document.within(concept, whole.start, whole.end)]
    contexts = [said_of(document, start, end) for start, end in places]
    return any(not (context.negated or context.family or context.other_person) for context in contexts)


def _alive(view: PatientView, plan: Plan, places: Sequence[Shown]) -> Finding:
    """A document that sees the patient after the stay, and does not tell of a death, is of someone alive."""
    for place in places:
        if view.timeline.document_phase(place.document) is Phase.FOLLOW_UP and not _tells_death(place):
            return Finding(Verdict.VERIFIED, "Le patient est vu après le séjour.", OMITTED)
    return Finding(Verdict.UNSUPPORTED, "La citation ne montre pas le patient en vie à ce moment.")


def _tells_death(place: Shown) -> bool:
    return any(True for name in ("event:death", "event:death~") for _ in place.document.within(name, 0, 10**9))
