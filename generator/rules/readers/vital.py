"""Whether and when the patient died: a death that is written, or a visit at which the patient was alive."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass

from generator.rules.annotate import Annotated
from generator.rules.chronology import days_of
from generator.rules.cite import Cite, clause
from generator.rules.context import context_of
from generator.rules.episode import Phase
from generator.rules.events import event_concepts
from generator.rules.matcher import Hit
from generator.rules.phrases import anywhere, closing, opening
from generator.rules.plan import Plan
from generator.rules.reading import SILENT, Answer, PatientView
from generator.rules.stay import FOLLOW_UP, is_kind, is_summary, written_day
from generator.rules.text import fold
from generator.rules.when import told_day
from schema.study import Policy
from schema.value import Status

#: A visit "à 3 mois" takes place from 2 months on; any other document proves life only from nearly the whole time.
_VISIT_SHARE, _ANY_SHARE = 0.65, 0.9
_OF_ANOTHER = closing("death.of_another", 45)
_OF_ANOTHER_AFTER = opening("death.of_another", 14, digits=False)
#: "La fille nous apprend que le patient est décédé": the subject has changed.
_PATIENT = re.compile(r"\b(?:que|patiente?|malade|monsieur|madame|m\.|mr|mme|il|elle)\b")
_SUPPOSED = closing("death.supposed", 25)
_NOT_SEEN = anywhere("alive.not_seen")
#: Words of a visit, the plainest first.
_SEEN = (anywhere("alive.seen"), anywhere("alive.shown"))


@dataclass(frozen=True, slots=True)
class Death:
    """A death of the patient. ``day`` is None when no complete date is told; ``in_stay``: before the discharge."""

    day: dt.date | None
    cites: tuple[Cite, ...]
    in_stay: bool


def find_death(view: PatientView) -> Death | None:
    """The death that the documents tell, with the day that most of them give."""
    told = [item for document in view.documents for item in _deaths(view, document)]
    if not told:
        return None
    dated = [day for day, _, _ in told if day]
    day = max(dict.fromkeys(dated), key=dated.count) if dated else None
    cites = [cite for own, cite, _ in told if own == day] + [cite for own, cite, _ in told if own != day]
    episode = view.timeline.episode
    if day is not None:
        in_stay = episode.discharge is None or day <= episode.discharge
    else:
        in_stay = any(phase <= Phase.DISCHARGE for _, _, phase in told)
    return Death(day, tuple(cites[:3]), in_stay)


def _deaths(view: PatientView, document: Annotated) -> Iterator[tuple[dt.date | None, Cite, Phase]]:
    phase = view.timeline.document_phase(document)
    written = written_day(document)
    if phase is Phase.BEFORE:
        return
    concepts = event_concepts("death")
    days = {timed.hit: timed for timed in sorted(days_of(document, concepts), key=lambda timed: -timed.cost)}
    for concept in concepts:
        for hit in document.find(concept):
            if not _is_patients(document, hit):
                continue
            timed = days.get(hit)
            day = told_day(view.timeline, document, timed.mention) if timed else None
            if day and (day < view.timeline.earliest or (written and day > written)):
                continue
            start, end = hit.start, hit.end
            if timed and day:
                start, end = min(start, timed.mention.start), max(end, timed.mention.end)
            yield day, clause(document, start, end), phase


def _is_patients(document: Annotated, hit: Hit) -> bool:
    if document.section_of(hit.start).kind in (
        "antecedents",
        "antecedents_familiaux",
        "facteurs_risque",
        "mode_de_vie",
    ):
        return False
    context = context_of(document, hit)
    low, high = document.sentences[hit.sentence]
    before, after = document.folded[low : hit.start], document.folded[hit.end : high]
    if not context.affirmed and not (context.planned or context.declined):
        return False
    other = _OF_ANOTHER.search(before)
    if (other and not _PATIENT.search(other[0])) or _SUPPOSED.search(before):
        return False
    # "décès ?" asks; "décès de son frère" says nothing of the patient.
    return not (after.lstrip().startswith("?") or _OF_ANOTHER_AFTER.match(after))


def read_vital(view: PatientView, plan: Plan) -> Answer:
    """Dead or not at the moment asked: within n months, or by the end of the stay.

    Alive is answered only where a document shows the patient alive late enough, or leaving the hospital.
    """
    dead, alive = _codes(plan)
    death = view.once("death", find_death)
    episode = view.timeline.episode
    horizon = _horizon(view, plan)
    if death:
        if plan.policy in (Policy.DURING_STAY, Policy.AT_DISCHARGE):
            within = death.in_stay
        else:
            within = death.day is None or horizon is None or death.day <= horizon
        return Answer(Status.FOUND, dead if within else alive, death.cites, 0.95)
    cites: tuple[Cite, ...] = ()
    if plan.policy not in (Policy.DURING_STAY, Policy.AT_DISCHARGE):
        cites = tuple(cite for document in view.documents if (cite := _alive(view, document, plan.offset or 0.0)))
    if not cites and not plan.offset:
        cites = episode.discharge_cites
    return Answer(Status.STATED_ABSENT, alive, cites[:3], 0.93) if cites else SILENT


def _codes(plan: Plan) -> tuple[str, str]:
    """The codes of "dead" and "alive", by the choices' labels; "1" and "0" for a plain yes or no."""
    for choice in plan.variable.choices:
        if re.match(r"dece|mort|dcd", fold(choice.label)):
            living = next(
                (c.code for c in plan.variable.choices if re.match(r"vivant|en vie|alive", fold(c.label))), "0"
            )
            return choice.code, living
    no = next((c.code for c in plan.variable.choices if fold(c.label).startswith("non")), "0")
    yes = next((c.code for c in plan.variable.choices if fold(c.label).startswith("oui")), "1")
    return yes, no


def _horizon(view: PatientView, plan: Plan) -> dt.date | None:
    """The last day that counts, with the few days that "trois mois" leaves open; None when the label sets none."""
    admission = view.timeline.episode.admission
    if admission is None or not plan.offset:
        return None
    return admission + dt.timedelta(days=round(plan.offset * 1.02) + 1)


def _alive(view: PatientView, document: Annotated, offset: float) -> Cite | None:
    """Where a document shows the patient alive ``offset`` days after the admission; None when it does not."""
    day, admission = written_day(document), view.timeline.episode.admission
    if day is None or admission is None or is_summary(document):
        return None
    if view.timeline.document_phase(document) is not Phase.FOLLOW_UP:
        return None
    visit = is_kind(document, FOLLOW_UP)
    if (day - admission).days < (_VISIT_SHARE if visit else _ANY_SHARE) * offset:
        return None
    if _NOT_SEEN.search(document.folded):
        return None
    seen = next((match for pattern in _SEEN if (match := pattern.search(document.folded))), None)
    return clause(document, seen.start(), seen.end()) if seen else None
