"""Readmission after the stay: did it happen, for the cause asked about, and when first.

The documents of the follow-up tell it in few words: "réhospitalisé le 03/02 pour nouvelle décompensation", "aucune
hospitalisation depuis la sortie". A planned stay, day care and rehabilitation are no readmission, nor is the stay that
the table is about, told again.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from generator.rules.annotate import Annotated
from generator.rules.cite import Cite, clause
from generator.rules.context import Context, context_at, context_of
from generator.rules.episode import Phase
from generator.rules.plan import Plan
from generator.rules.readers.answers import none_code
from generator.rules.readers.procedure import yes_code
from generator.rules.reading import SILENT, Answer, PatientView
from generator.rules.stay import written_day
from schema.document import DateKind
from schema.value import Status
from schema.variable import VariableKind

_STAY = re.compile(
    r"\b(?P<again>re-?\s?hospitalis\w+|re-?\s?admi(?:s|se|ssion)s?\b|nouvelles? hospitalisations?)|"
    r"\bhospitalis(?P<told>ee?s?\b|ations?\b)"
)
_NONE = re.compile(
    r"\b(?:pas|sans|aucune?|jamais|ni)\s+(?:(?:eu|ete)\s+)?(?:de\s+|d'|l'objet d'une\s+)?(?:autres?\s+|nouve\w+\s+)?$"
)
_EMERGENCY = re.compile(
    r"\b(?:passages?|recours|visites?|consultations?|venues?|retours?) (?:aux? |en )(?:service d')?urgences?\b"
)
#: "Depuis son hospitalisation", "l'hospitalisation de janvier": the stay that the table is about, told again.
_SAME_STAY = re.compile(
    r"\b(?:son|sa|l'|cette|la|lors de|depuis|apres|suite a|au cours de)\s*(?:l'|son |cette |une )?$"
)
_NO_READMISSION = re.compile(
    r"\b(?:programme\w*|planifie\w*|prevue?s?|hopital de jour|hdj|ambulatoire|ssr|smr|soins de suite|reeducation|"
    r"readaptation|convalescence|hospitalisation a domicile|had)\b"
)
_ANEW = re.compile(r"\b(?:nouve\w+|de nouveau|a nouveau|recidiv\w*|depuis|autre|entre[- ]temps|entretemps)\b")
_RELATIVE = re.compile(
    r"\b(?:s(?:œ|oe)ur|frere|mere|pere|mari|epouse|epoux|conjoint\w*|fils|fille|voisine?|compagn\w+)\b[^.;]*$"
)
#: "Aucune hospitalisation pour décompensation" says nothing of the other causes.
_FOR_A_CAUSE = re.compile(r"^[^.;,]{0,30}\b(?:pour|liee? a|en rapport avec|motivee? par)\b")
#: A visit from this share of the asked delay on can say that nothing happened.
_ENOUGH_FOLLOW_UP, _GRACE = 0.65, 1.1


class _Said(Enum):
    DENIED = auto()  # no stay in hospital, or none for the cause
    DENIED_SIGN = auto()  # no emergency visit, or no new episode of the cause: no stay unless one is told
    HAPPENED = auto()
    OTHER = auto()  # a stay of another cause, or of a cause that is not said


@dataclass(frozen=True, slots=True)
class _Statement:
    said: _Said
    cite: Cite
    day: dt.date | None = None


def read_readmission(view: PatientView, plan: Plan) -> Answer:
    """Yes or no, or the day of the first readmission for a date; silence where no later document speaks of one."""
    statements = [
        statement
        for document in view.documents
        if view.timeline.document_phase(document) is Phase.FOLLOW_UP
        for statement in (*_stays(view, plan, document), *_signs(view, plan, document))
    ]
    happened = [s for s in statements if s.said is _Said.HAPPENED and _within(view, plan, s.day)]
    if plan.variable.kind in (VariableKind.DATE, VariableKind.DATETIME):
        first = min((s for s in happened if s.day), key=lambda s: s.day or dt.date.max, default=None)
        return Answer(Status.FOUND, first.day, (first.cite,), 0.85) if first else SILENT
    if happened:
        return Answer(Status.FOUND, yes_code(plan), _cites(happened), 0.85)
    denied = [s for s in statements if s.said is _Said.DENIED]
    if not denied and not any(s.said is _Said.OTHER for s in statements):
        denied = [s for s in statements if s.said is _Said.DENIED_SIGN]
    none = none_code(plan) or ("0" if plan.variable.kind is not VariableKind.CHOICE else None)
    return Answer(Status.STATED_ABSENT, none, _cites(denied), 0.85) if denied and none else SILENT


def _cites(statements: list[_Statement]) -> tuple[Cite, ...]:
    return tuple(dict.fromkeys(s.cite for s in statements))[:3]


def _stays(view: PatientView, plan: Plan, document: Annotated) -> Iterator[_Statement]:
    """What a document says of stays in hospital."""
    for match in document.finditer(_STAY):
        sentence = document.sentence_of(match.start())
        low, high = document.sentences[sentence]
        context = context_at(document, match.start(), match.end(), sentence)
        before = document.folded[low : match.start()]
        if _of_another(context) or _RELATIVE.search(before):
            continue
        cite = clause(document, match.start(), match.end())
        if context.negated or _NONE.search(before):
            any_cause = not plan.anchors and _FOR_A_CAUSE.match(document.folded, match.end(), high)
            if not any_cause and _followed_long_enough(view, plan, document):
                yield _Statement(_Said.DENIED, cite)
            continue
        around = document.folded[max(low, match.start() - 20) : min(high, match.end() + 60)]
        if context.hypothetical or context.planned or context.declined or _NO_READMISSION.search(around):
            continue
        day, later = _day_of(view, document, low, high)
        if not later or (not match["again"] and day is None and not _ANEW.search(document.folded, low, high)):
            continue
        if not match["again"] and match["told"].startswith("ation") and _SAME_STAY.search(before):
            continue
        said = _Said.HAPPENED if _has_cause(plan, document, low, high) else _Said.OTHER
        yield _Statement(said, cite, day)


def _signs(view: PatientView, plan: Plan, document: Annotated) -> Iterator[_Statement]:
    """Denials of what would have led to a stay: no emergency visit, no new episode of the cause."""
    if not _followed_long_enough(view, plan, document):
        return
    for match in document.finditer(_EMERGENCY):
        context = context_at(document, match.start(), match.end(), document.sentence_of(match.start()))
        if context.negated and not _of_another(context):
            yield _Statement(_Said.DENIED_SIGN, clause(document, match.start(), match.end()))
    for hit in (hit for anchor in plan.anchors for hit in document.find(anchor)):
        low, high = document.sentences[hit.sentence]
        context = context_of(document, hit)
        anew = _ANEW.search(document.folded, max(low, hit.start - 30), min(high, hit.end + 30))
        if context.negated and anew and not _of_another(context):
            yield _Statement(_Said.DENIED_SIGN, clause(document, hit.start, hit.end))


def _of_another(context: Context) -> bool:
    return context.family or context.other_person


def _has_cause(plan: Plan, document: Annotated, low: int, high: int) -> bool:
    """Whether the sentence names the cause asked about; any cause will do where the label names none."""
    if not plan.anchors:
        return True
    hits = [hit for anchor in plan.anchors for hit in document.within(anchor, low, high)]
    return any(not context_of(document, hit).negated for hit in hits)


def _day_of(view: PatientView, document: Annotated, low: int, high: int) -> tuple[dt.date | None, bool]:
    """The first complete day of a sentence, and whether nothing in it dates the stay before the discharge."""
    episode = view.timeline.episode
    limit = episode.discharge or episode.admission
    for mention in document.dates_in(low, high):
        if mention.kind is not DateKind.ABSOLUTE or mention.date is None:
            continue
        if limit and mention.date.latest() <= limit:
            return None, False
        return mention.date.to_date(), True
    return None, True


def _within(view: PatientView, plan: Plan, day: dt.date | None) -> bool:
    start = view.timeline.episode.discharge or view.timeline.episode.admission
    return not (day and start and plan.offset) or (day - start).days <= plan.offset * _GRACE


def _followed_long_enough(view: PatientView, plan: Plan, document: Annotated) -> bool:
    """Whether a document is written late enough to say that nothing happened."""
    admission, written = view.timeline.episode.admission, written_day(document)
    if not plan.offset:
        return True
    return bool(admission and written and (written - admission).days >= _ENOUGH_FOLLOW_UP * plan.offset)
