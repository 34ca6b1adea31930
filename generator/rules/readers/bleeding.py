"""Bleeding inside an infarct: its grade on the control images, and whether it made the patient worse.

What the first images show is not asked: "pas d'hémorragie" before treatment says nothing of what comes after.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from generator.rules.annotate import Annotated
from generator.rules.context import context_of
from generator.rules.cues import PREFIX
from generator.rules.episode import Phase
from generator.rules.mentions import Mention, Period, mention_at
from generator.rules.plan import Plan
from generator.rules.readers.condition import answer, best_first, by_degree, mentions
from generator.rules.reading import SILENT, Answer, PatientView
from generator.rules.scale import Scale, scale_of
from generator.rules.stay import is_kind
from schema.value import Status

_IMAGES = ("imagerie", "scanner", "irm", "tdm", "radio")
_CONTROLS = ("controle", "h24", "j1", "24 h")
#: Title and indication of a report stand within so many characters.
_HEAD = 300
#: A sentence that weighs a bleeding stands with it or right after it.
_NEXT_SENTENCES = 1
#: "Il n'y a pas eu d'imagerie de contrôle".
_NOT_MADE = re.compile(r"\b(?:pas|sans|aucune?|absence)\b[^,;:.]{0,30}$")


def read_bleeding(view: PatientView, plan: Plan) -> Answer:
    """The worst grade seen during the stay; with the hint ``symptomatic``, whether it told on the patient."""
    scale = scale_of(plan)
    stay = [m for m in mentions(view, plan, scale) if m.period in (Period.UNSAID, Period.STAY)]
    seen = [m for m in stay if m.context.affirmed and m.code != scale.no]
    if plan.hints.settings.get("symptomatic"):
        return _told_on_the_patient(view, scale, stay, seen)
    if seen:
        return by_degree(scale, seen)
    denied = [m for m in stay if _denies(view, m, scale, by_course=False)]
    if denied and scale.no is not None:
        return answer(Status.STATED_ABSENT, scale.no, _images_first(denied), 0.9)
    return SILENT


def _told_on_the_patient(view: PatientView, scale: Scale, stay: Sequence[Mention], seen: Sequence[Mention]) -> Answer:
    worse = _weighed(view, "bleeding.symptomatic", seen) or (_blamed(view) if seen else [])
    if worse and scale.default is not None:
        return answer(Status.FOUND, scale.default, worse, 0.9)
    if scale.no is None:
        return SILENT
    silent = _weighed(view, "bleeding.silent", stay) if seen else []
    if silent:
        return answer(Status.FOUND, scale.no, silent, 0.9)
    denied = [m for m in stay if _denies(view, m, scale, by_course=True)]
    if denied and not seen:
        return answer(Status.STATED_ABSENT, scale.no, _images_first(denied), 0.85)
    return SILENT


def _weighed(view: PatientView, cue: str, seen: Sequence[Mention]) -> list[Mention]:
    """Places that say so of a bleeding seen, in its sentence or the next."""
    found: list[Mention] = []
    for mention in seen:
        document = mention.document
        first = document.sentence_of(mention.start)
        last = min(first + _NEXT_SENTENCES, len(document.sentences) - 1)
        for hit in document.within(PREFIX + cue, document.sentences[first][0], document.sentences[last][1]):
            context = context_of(document, hit)
            if not (context.negated or context.hypothetical or context.planned):
                low = mention.start if hit.sentence == first else hit.start
                found.append(mention_at(view, document, min(low, hit.start), hit.end))
    return found


def _blamed(view: PatientView) -> list[Mention]:
    """Sentences that make a bleeding the cause of a worsening: "dégradation à J1 rapportée à l'hématome"."""
    found: list[Mention] = []
    for document in view.documents:
        for hit in document.find(PREFIX + "bleeding.cause"):
            low, high = document.sentences[hit.sentence]
            worse = any(True for _ in document.within(PREFIX + "bleeding.worse", low, high))
            mention = mention_at(view, document, hit.start, hit.end)
            if worse and mention.context.affirmed and mention.period in (Period.UNSAID, Period.STAY):
                found.append(mention)
    return found


def _denies(view: PatientView, mention: Mention, scale: Scale, *, by_course: bool) -> bool:
    """Whether a place says that images made after the first ones show no bleeding; or, ``by_course``, the course."""
    context, document = mention.context, mention.document
    if context.family or context.other_person or context.hypothetical or context.planned:
        return False
    by_words = bool(mention.code) and mention.code == scale.no
    if by_words == context.negated:
        return False
    phase = view.timeline.document_phase(document)
    words = document.folded[mention.start : mention.end]
    low, high = document.sentences[document.sentence_of(mention.start)]
    controls = document.within(PREFIX + "control", low, high)
    controlled = any(not _NOT_MADE.search(document.folded, low, cue.start) for cue in controls)
    moment = view.timeline.moment(document, mention.start, mention.end, low, high)
    later = moment.explicit and moment.phase in (Phase.DAY1, Phase.STAY, Phase.DISCHARGE)
    if is_kind(document, _IMAGES) and _is_control(document):
        return True
    if phase in (Phase.DAY1, Phase.STAY):
        return not by_words or is_kind(document, _IMAGES) or controlled
    if phase is Phase.DISCHARGE:
        return controlled or later or not by_words or (by_course and "complication" in words)
    return controlled and later


def _is_control(document: Annotated) -> bool:
    """Whether the title or the first lines call the examination a control."""
    head = document.within(PREFIX + "control", 0, _HEAD)
    return is_kind(document, _CONTROLS) or any(True for _ in head)


def _images_first(denied: Sequence[Mention]) -> list[Mention]:
    return sorted(best_first(denied), key=lambda m: not is_kind(m.document, _IMAGES))
