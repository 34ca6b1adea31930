"""Side of a lesion or of an operation: "infarctus sylvien droit", "occlusion M1 G", "fracture du col fémoral gauche".

A side word belongs to the nearest word on its left. The side of a deficit is that of the body, and the lesion is on
the other one: it is never read as the lesion's. A word that may be said of any organ ("thrombus", "arrêt") counts only
where a cerebral artery or territory stands beside it.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

from generator.rules.annotate import Annotated
from generator.rules.cite import Cite, clause, spread
from generator.rules.context import context_of
from generator.rules.episode import Moment, Phase
from generator.rules.matcher import Hit
from generator.rules.plan import Plan
from generator.rules.policies import vote
from generator.rules.readers.clauses import is_stale
from generator.rules.reading import SILENT, Answer, PatientView, Reading
from generator.rules.text import fold
from schema.study import Policy

#: Concepts of ``lexicon/sides.yml``, as the matcher names them.
PREFIX = "side:"
_REACH = 70
#: Read on the text as written: "D" and "G" are sides in capitals only.
SIDE_WORD = re.compile(
    r"(?<![\w'’])(?:(?P<left>[Gg]auches?|GAUCHES?|[Gg]che?s?|G(?![\w'’/])(?!\s?/\s?[Ll]))"
    r"|(?P<right>[Dd]roite?s?|DROITE?S?|[Dd]te?s?|DTE?S?|[Dd]rt|D(?![\w'’/-]))"
    r"|(?P<both>[Bb]ilat\w*|BILAT\w*|[Dd]es deux (?:côtés|hémisphères)"
    r"|[Bb]i-?(?:hémisph|thalam|occipit|front|pariét|cérébell)\w*))(?!\w)"
)
#: "Côté : D", "Latéralité de la lésion : [ ] D [x] G".
_QUESTION = re.compile(
    r"\b(?:cote|lateralite)(?: atteint)?"
    r"(?: (?:de la |de l'|du |de )?(?:lesion|avc|aic|infarctus|ischemie|occlusion|atteinte)"
    r"(?: cerebrale| ischemique)?)?\s*[:=]\s*"
)
_TICKED = re.compile(r"(?:\[\s?[xX✓✔]\s?\]|[☒☑■✓✔])\s*")
_STOP = re.compile(
    r"[;:\n!?]|(?<!isch)(?<!sylv)(?<!hemisph)(?<!occl)\.(?=\s|$)|"
    r"\b(?:avec|puis|mais|sans|respons\w+|entrainant|realisant|se manifestant|revele\w*|depuis|chez|ayant|"
    r"a l'origine)\b"
)
_BRAIN = re.compile(r"cerebr|avc|infarctus cer|hemispher|occlusion|stroke|hematome intra")
_OPEN = re.compile(r"permeab|libre|normal|sans anomalie|opacifi|respect|conserv|indemne|sain")
_LABELS = (
    ("left", r"^(?:a )?gauche"),
    ("right", r"^(?:a )?droit"),
    ("both", r"bilat|deux"),
    ("middle", r"med|milieu|tronc|axial"),
)
_WEIGHTS = {"lesion": 3.0, "occlusion": 2.0, "stop": 2.0, "place": 1.0, "other": 1.0}
#: For the middle: a midline artery feeds lesions of either side.
_MIDLINE_WEIGHTS = {"lesion": 3.0, "vague": 1.0, "occlusion": 1.0, "stop": 1.0}
_MOST_CITES = 3
#: "céphalées temporales droites": a sign or another organ that opens the words of a place.
_JUST_BEFORE = 22
_SECONDSIDE_WORD = re.compile(r"\s*,?\s*(?:et|ainsi que|\+|/)\s[^.,;:\n()]{0,45}$")


def read_side(view: PatientView, plan: Plan) -> Answer:
    """The side that the lesion words of the index episode have; the middle where they only name midline places."""
    codes = _codes(plan)
    brain = _BRAIN.search(fold(plan.variable.label)) is not None
    kinds = ("lesion", "occlusion", "stop", "place") if brain else ("other",)
    readings: list[Reading] = []
    for document in view.documents:
        factor = _factor(view, plan, document)
        if factor == 0.0:
            continue
        for start, end, side in _asked(document) if brain else ():
            if side in codes and not is_stale(view, document, start, end):
                cite = clause(document, start, end)
                readings.append(Reading(codes[side], (cite,), _moment(view, document), _WEIGHTS["lesion"] * factor))
        for hit, side, end, weight in _sided(view, plan, document, kinds):
            if side in codes:
                cite = clause(document, hit.start, end)
                readings.append(Reading(codes[side], (cite,), _moment(view, document), weight * factor))
        if brain and "middle" in codes:
            readings.extend(_midline(view, document, codes["middle"], factor))
    if not readings:
        return SILENT
    answer = vote(sorted(readings, key=lambda reading: -reading.weight))
    return dataclasses.replace(answer, cites=spread(answer.cites, _MOST_CITES, view.timeline.is_discharge))


def _codes(plan: Plan) -> dict[str, str]:
    """Side → choice code, by the choices' labels."""
    return {
        side: choice.code
        for side, pattern in _LABELS
        for choice in plan.variable.choices
        if re.search(pattern, fold(choice.label))
    }


def _factor(view: PatientView, plan: Plan, document: Annotated) -> float:
    """How much a document's words of side weigh: most where the stay is summed up or the lesion is seen."""
    phase = view.timeline.document_phase(document)
    if phase is Phase.BEFORE:
        return 1.0 if plan.policy is Policy.BEFORE else 0.0
    return {Phase.DISCHARGE: 2.0, Phase.FOLLOW_UP: 1.0}.get(phase, 1.5)


def _sided(
    view: PatientView, plan: Plan, document: Annotated, kinds: tuple[str, ...]
) -> Iterator[tuple[Hit, str, int, float]]:
    """Each lesion word with the side that belongs to it: (word, side, end of the side word, weight)."""
    taken: set[int] = set()
    anchors = [(kind, hit) for kind in kinds for hit in document.find(PREFIX + kind)]
    anchors += [("lesion", hit) for anchor in plan.anchors for hit in document.find(anchor)]
    for kind, hit in sorted(anchors, key=lambda item: (-_WEIGHTS[item[0]], item[1].start)):
        match = _side_after(document, hit)
        if match is None or match.lastgroup is None or match.start() in taken:
            continue
        if kind == "stop" and not _is_cerebral(document, hit.end, match.start()):
            continue
        if kind == "place" and _is_of_another(document, hit):
            continue
        context = context_of(document, hit)
        if not context.affirmed or is_stale(view, document, hit.start, match.end()):
            continue
        if kind != "lesion" and _OPEN.search(document.folded, hit.start, _clause_end(document, match.end())):
            continue
        taken.add(match.start())
        weight = _WEIGHTS[kind]
        if document.section_of(hit.start).kind in ("conclusion", "diagnostic"):
            weight *= 1.5
        side, end = match.lastgroup, match.end()
        if kind == "lesion" and (second := _second_side(document, match)):
            taken.add(second.start())
            side, end = "both", second.end()
        yield hit, side, end, weight


def _is_cerebral(document: Annotated, start: int, end: int) -> bool:
    """Whether a cerebral artery or territory is named within [start, end)."""
    return any(True for kind in ("place", "artery") for _ in document.within(PREFIX + kind, start, end))


def _is_of_another(document: Annotated, hit: Hit) -> bool:
    """Whether a place is that of a sign, or of another organ, named right before it with no stop between."""
    low = max(document.sentences[hit.sentence][0], hit.start - _JUST_BEFORE)
    return any(
        not re.search(r"[,;:.()\n]|\b(?:sur|par|avec)\b", document.folded[other.end : hit.start])
        for other in document.within(PREFIX + "not", low, hit.start)
    )


def _second_side(document: Annotated, first: re.Match[str]) -> re.Match[str] | None:
    """The other side of an enumeration of lesions: "infarctus cérébelleux droit et thalamique gauche"."""
    _, high = document.sentences[document.sentence_of(first.start())]
    second = SIDE_WORD.search(document.document.text, first.end(), min(high, first.end() + _REACH))
    if second is None or second.lastgroup == first.lastgroup:
        return None
    between = document.folded[first.end() : second.start()]
    if not _SECONDSIDE_WORD.match(between) or _STOP.search(between):
        return None
    if any(True for _ in document.within(PREFIX + "not", first.end(), second.start() + 1)):
        return None
    return second


def _asked(document: Annotated) -> Iterator[tuple[int, int, str]]:
    """Answers of a form that asks for the side itself, in words or ticked: (start, end, side)."""
    for question in document.finditer(_QUESTION):
        line_end = document.folded.find("\n", question.end())
        line = document.document.text[question.end() : line_end if line_end >= 0 else None][:_REACH]
        ticked = _TICKED.search(line)
        side = SIDE_WORD.match(line, ticked.end() if ticked else 0)
        if side and side.lastgroup:
            yield question.start(), question.end() + side.end(), side.lastgroup


def _clause_end(document: Annotated, position: int) -> int:
    """The next comma or stop after a position."""
    match = re.compile(r"[,;:.\n(]").search(document.folded, position)
    return match.start() if match else len(document.folded)


def _side_after(document: Annotated, hit: Hit) -> re.Match[str] | None:
    """The first side word after a lesion word, unless a word of body or a stop stands between."""
    _, high = document.sentences[hit.sentence]
    limit = min(high, hit.end + _REACH)
    match = SIDE_WORD.search(document.document.text, hit.end, limit)
    if match is None or _STOP.search(document.folded, hit.end, match.start()):
        return None
    if any(True for _ in document.within(PREFIX + "not", hit.end, match.start() + 1)):
        return None
    return match


def _midline(view: PatientView, document: Annotated, code: str, factor: float) -> Iterator[Reading]:
    """Lesion words followed by a midline place that no side word follows ("infarctus protubérantiel")."""
    for kind, weight in _MIDLINE_WEIGHTS.items():
        for hit in document.find(PREFIX + kind):
            _, high = document.sentences[hit.sentence]
            place = next(document.within(PREFIX + "middle", hit.end, min(high, hit.end + _REACH)), None)
            if place is None or _STOP.search(document.folded, hit.end, place.start):
                continue
            if "," in document.folded[hit.end : place.start] or _side_after(document, place):
                continue
            if context_of(document, hit).affirmed and not is_stale(view, document, hit.start, place.end):
                cite: Cite = clause(document, hit.start, place.end)
                yield Reading(code, (cite,), _moment(view, document), weight * factor)


def _moment(view: PatientView, document: Annotated) -> Moment:
    return Moment(view.timeline.document_phase(document))
