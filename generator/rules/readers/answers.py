"""Mentions of the answers of a closed question: which choice, where, and what is said of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from generator.rules.annotate import Annotated
from generator.rules.choices import BESIDE
from generator.rules.context import Context, context_at
from generator.rules.matcher import Hit
from generator.rules.plan import Plan
from generator.rules.readers.clauses import clause_of, is_stale
from generator.rules.reading import PatientView
from generator.rules.text import fold
from schema.study import Policy

#: A word that asks stands no further than this from the answer.
_NEAR = 70
#: How an asking word is joined to the answer that follows it.
_COMPLEMENT = re.compile(r"\s?(?:\w+\s){0,2}(?:(?:de|du|des|d'|au|aux|a|en|dans|sur)\b[^,;:.()\n]*)?$")
_COMPLEMENT_REACH = 40
_ARROW = re.compile(r"(?:->|=>|→)\s*(?:en |au |vers )?$")
_CODE_ROW = re.compile(r"\s*[:=]?\s*(?:(?:\[\s?[x✓✔]?\s?\]|[☐☒☑□■])\s*\d\b[\s,;/]*){2,}")
_TICKED_CODE = re.compile(r"(?:\[\s?[x✓✔]\s?\]|[☒☑■])\s*(?P<code>\d)\b")
_BOX = re.compile(r"\[[\sx✓✔_]?\]|[☐☒☑□■]")
_PLAIN_REPORT = re.compile(
    r"operatoire|^\s*(?:cro?|compte[ -]rendu|document|note|autre|intervention|geste|procedure)\s*$"
)
_HEAD = 120
_VISIT = re.compile(r"\b(?:consult\w*|cs|rdv|rendez|revu|revoir|suivi|suivra|avis|attente|demande|dossier)\b")
_DENIES = re.compile(r"absence|non |defaut|pas d|perte")
_NONE_LABEL = re.compile(r"^(?:non\b|aucune?\b|absen|pas d|sans\b|neant|jamais|negati)")


@dataclass(frozen=True, slots=True)
class Mention:
    """A choice named in ``document.folded[start:end]``; the asking word that it stands beside is included.

    ``at``: where its own words begin; ``alone`` when the form answers by itself; ``unsure`` when it is planned or
    doubted.
    """

    code: str
    document: Annotated
    start: int
    end: int
    at: int
    denied: bool
    unsure: bool
    alone: bool


def mentions(view: PatientView, plan: Plan, document: Annotated) -> list[Mention]:
    """The choices that a document names, in text order; longer forms hide the shorter ones inside them."""
    hits: list[tuple[Hit, str, bool]] = []
    for code, concept in plan.choices.items():
        hits.extend((hit, code, True) for hit in document.find(concept))
        hits.extend((hit, code, False) for hit in document.find(concept + BESIDE))
    ticked = _ticked_codes(plan, document)
    if not hits:
        return ticked
    hits.sort(key=lambda item: (item[0].start, -item[0].end, not item[2]))
    found: list[Mention] = []
    covered = -1
    asked: dict[Hit, int] = {}
    for hit, code, alone in hits:
        if hit.end <= covered:
            continue
        anchor = None if alone else nearest_anchor(plan, document, hit)
        if not alone and anchor is None and not _opens_outcome(plan, document, hit, found):
            continue
        if anchor and _belongs_to_another(document, anchor, hit, asked, hits):
            continue
        mention = _mention(view, plan, document, hit, code, anchor)
        if mention:
            covered = hit.end
            found.append(mention)
            if anchor:
                asked[anchor] = hit.end
    return sorted([*found, *ticked], key=lambda mention: mention.start) if ticked else found


def _ticked_codes(plan: Plan, document: Annotated) -> list[Mention]:
    """The numbers ticked after a question: "TOAST : [ ] 1 [x] 2 [ ] 3"."""
    found = []
    for anchor in plan.anchors:
        for hit in document.find(anchor):
            _, high = document.sentences[hit.sentence]
            row = _CODE_ROW.match(document.folded, hit.end, high)
            ticked = _TICKED_CODE.search(row[0]) if row else None
            if row and ticked and ticked["code"] in plan.choices:
                found.append(
                    Mention(ticked["code"], document, hit.start, row.end(), hit.start, False, False, alone=True)
                )
    return found


def _belongs_to_another(
    document: Annotated, anchor: Hit, hit: Hit, asked: dict[Hit, int], hits: list[tuple[Hit, str, bool]]
) -> bool:
    """Whether an asking word has another answer: one that a comma ends, or its own complement.

    "Thrombus M3, carotide irrégulière": M3. "Série carotidienne : arrêt net de l'A2": the A2.
    """
    answered = asked.get(anchor)
    if answered is not None and "," in document.folded[answered : hit.start]:
        return True
    if anchor.start < hit.end:
        return False
    return any(
        anchor.end <= other.start <= anchor.end + _COMPLEMENT_REACH
        and _COMPLEMENT.match(document.folded[anchor.end : other.start])
        for other, _, _ in hits
    )


def _opens_outcome(plan: Plan, document: Annotated, hit: Hit, found: list[Mention]) -> bool:
    """Whether a place is the first thing said of the outcome: "Devenir : SSR de Berck", "CAT : SSR", "-> SSR"."""
    if plan.policy is not Policy.AT_DISCHARGE:
        return False
    section = document.section_of(hit.start)
    titled = section.kind == "devenir" or (section.kind == "conduite_a_tenir" and hit.start - section.body_start <= 3)
    is_first = titled and not (found and found[-1].start >= section.start)
    if not is_first and not _ARROW.search(document.folded, max(0, hit.start - 12), hit.start):
        return False
    low, high = clause_of(document, hit.start, hit.end)
    return not _VISIT.search(document.folded, max(low, section.start), min(high, hit.end + _NEAR))


def _mention(
    view: PatientView, plan: Plan, document: Annotated, hit: Hit, code: str, anchor: Hit | None
) -> Mention | None:
    contexts = [context_at(document, hit.start, hit.end, hit.sentence)]
    start, end = hit.start, hit.end
    if anchor is not None:
        asking = context_at(document, anchor.start, anchor.end, anchor.sentence)
        # "Absence d'opacification de M1" says that M1 is occluded: the word of denial is the asking word's own.
        contexts = [asking] if _DENIES.match(document.folded, anchor.start) else [*contexts, asking]
        start, end = min(start, anchor.start), max(end, anchor.end)
    if any(context.family or context.other_person for context in contexts):
        return None
    if plan.policy is not Policy.BEFORE and is_stale(view, document, hit.start, hit.end):
        return None
    denied = any(_is_denied(context) for context in contexts) or _denied_after(plan, document, hit)
    unsure = any(context.hypothetical or context.planned for context in contexts)
    return Mention(code, document, start, end, hit.start, denied, unsure, alone=anchor is None)


def _is_denied(context: Context) -> bool:
    return context.negated or context.declined


def nearest_anchor(plan: Plan, document: Annotated, hit: Hit) -> Hit | None:
    """The asking word of the same clause that is nearest to an answer, if close enough."""
    low, high = clause_of(document, hit.start, hit.end)
    best: Hit | None = None
    best_distance = _NEAR
    for anchor in _anchors(plan, document, max(low, hit.start - 2 * _NEAR), min(high, hit.end + _NEAR)):
        if anchor.start < hit.end and hit.start < anchor.end:
            continue
        before = anchor.end <= hit.start
        between = document.folded[anchor.end : hit.start] if before else document.folded[hit.end : anchor.start]
        if _BOX.search(between) and _BOX.search(document.folded, anchor.start - 3, anchor.start):
            continue  # "[ ] transfert": another option of the form
        distance = len(between) + 15 * between.count(",") + (0 if before else 12)
        if distance < best_distance:
            best, best_distance = anchor, distance
    return best


def _anchors(plan: Plan, document: Annotated, low: int, high: int) -> Iterator[Hit]:
    for anchor in plan.anchors:
        yield from document.within(anchor, low, high)


def _denied_after(plan: Plan, document: Annotated, hit: Hit) -> bool:
    """Whether one of the study's own words of denial follows: "M1 perméable", "carotide droite, perméable, …"."""
    words = plan.hints.settings.get("denials", ())
    if not isinstance(words, tuple):
        return False
    _, high = document.sentences[hit.sentence]
    after = document.folded[hit.end : min(high, hit.end + 60)]
    rest, _, apposed = re.split(r"[;:(\n]", after, maxsplit=1)[0].partition(",")
    return any(fold(word) in rest or apposed.split(",")[0].strip().rstrip("s") == fold(word) for word in words)


def kind_rank(document: Annotated, kinds: Sequence[str]) -> int:
    """Rank of the first of these words of types that a document is of; their number when it is of none.

    A report whose type only says that it is one is known by its first lines.
    """
    name = document.name
    if _PLAIN_REPORT.search(name) or not name.strip():
        name += " " + document.folded[:_HEAD]
    return next((n for n, kind in enumerate(kinds) if re.search(rf"\b{re.escape(fold(kind))}", name)), len(kinds))


def none_code(plan: Plan) -> str | None:
    """The choice that says "none of them" ("Aucune", "Pas d'occlusion visible")."""
    for choice in plan.variable.choices:
        if _NONE_LABEL.match(fold(choice.label)):
            return choice.code
    return None
