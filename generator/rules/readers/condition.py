"""Conditions: present, denied, left out of a list that would name them, or not spoken of.

The choices may be "Non | Oui", degrees ("Non | Type 1 | Type 2 | Oui sans précision", "Jamais | Sevré | Actif") or
moments ("Absente | Connue avant | Découverte pendant le séjour").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from generator.rules.cite import spread
from generator.rules.lexicon import parents_of
from generator.rules.mentions import Mention, Period, longest_hits, mention_at
from generator.rules.omission import courses, histories
from generator.rules.plan import Plan
from generator.rules.readers.measure import excluded
from generator.rules.reading import SILENT, Answer, Cite, PatientView
from generator.rules.scale import Scale, code_beside, scale_of
from generator.rules.stay import is_summary
from schema.study import Policy
from schema.value import Status

#: Cites of one value: the best place and two that agree.
_MOST_CITES = 3


def read_condition(view: PatientView, plan: Plan) -> Answer:
    """The code of the condition's presence, degree or moment."""
    scale = scale_of(plan)
    found = list(mentions(view, plan, scale))
    allowed = [m for m in found if _in_time(m, plan, scale)]
    affirmed = [m for m in allowed if _affirms(m, scale)]
    found += _denied_wholes(view, plan, scale) if not any(_affirms(m, scale) for m in allowed) else []
    denied = [m for m in found if _denies(m, scale) and _may_deny(m, plan, scale)]
    if affirmed and not _outweighed(affirmed, denied, plan):
        if scale.by_moment:
            return _by_moment(view, plan, scale, affirmed)
        return by_degree(scale, affirmed)
    if scale.no is None:
        return SILENT
    if denied:
        return answer(Status.STATED_ABSENT, scale.no, best_first(denied), 0.9)
    if affirmed or any(m.listed and m.context.hypothetical and not m.context.negated for m in allowed):
        return SILENT
    return _by_omission(view, plan, scale)


def mentions(view: PatientView, plan: Plan, scale: Scale) -> Iterator[Mention]:
    """Every mention of the plan's condition, with the degree that the words beside it give."""
    for document in view.documents:
        if excluded(document, plan):
            continue
        spans: list[tuple[int, int]] = []
        for hit in longest_hits(document, plan):
            spans.append((hit.start, hit.end))
            beside = code_beside(document, plan, scale, hit)
            mention = mention_at(view, document, hit.start, hit.end, beside, event=scale.event)
            if not (mention.context.negated and document.names_narrower(hit)):
                yield mention
        for code, concept in scale.alone.items():
            for hit in document.find(concept):
                if not any(low <= hit.start and hit.end <= high for low, high in spans):
                    yield mention_at(view, document, hit.start, hit.end, code, event=scale.event)


def _denied_wholes(view: PatientView, plan: Plan, scale: Scale) -> Iterator[Mention]:
    """Denials of a broader condition as a whole: "aucune maladie cardiaque connue" denies heart failure."""
    wholes = dict.fromkeys(parent for anchor in plan.anchors for parent in parents_of(anchor))
    for document in view.documents:
        for hit in (hit for parent in wholes for hit in document.find(parent)):
            if WHOLE.match(document.folded, hit.end) and not document.names_narrower(hit):
                mention = mention_at(view, document, hit.start, hit.end, event=scale.event)
                if mention.context.negated:
                    yield mention


#: What may follow the name of a kind when the whole kind is meant: "pas de cardiopathie connue".
WHOLE = re.compile(
    r"\s*(?:$|[.,;)\n]|(?:connue?s?|notables?|particuli\w+|sous-jacente?s?|anterieure?s?|decelee?s?|retrouvee?s?|"
    r"associee?s?|evidente?s?|ni|et|ou|a ce jour|au|aux|dans)\b)"
)


def answer(status: Status, code: str, chosen: Sequence[Mention], confidence: float) -> Answer:
    """A code backed by mentions, the best first, no two of one document before others are cited."""
    return Answer(status, code, cites_of(chosen), confidence)


def cites_of(chosen: Iterable[Mention]) -> tuple[Cite, ...]:
    """The cites of mentions: one by document, best first, the discharge summary no later than second."""
    return _spread(mention.cite() for mention in chosen)


def _spread(cites: Iterable[Cite]) -> tuple[Cite, ...]:
    return spread(cites, _MOST_CITES, second=is_summary)


def best_first(chosen: Iterable[Mention]) -> list[Mention]:
    """Mentions by weight; among equals the earliest document, which is nearest to the source."""
    return sorted(chosen, key=lambda m: -m.weight)


def _affirms(mention: Mention, scale: Scale) -> bool:
    context = mention.context
    if scale.of_relatives:
        return context.family and not (context.negated or context.hypothetical)
    return context.affirmed and mention.code != scale.no


def _denies(mention: Mention, scale: Scale) -> bool:
    context = mention.context
    if context.family is not scale.of_relatives or context.other_person or context.hypothetical:
        return False
    if mention.code and mention.code == scale.no:
        return not context.negated
    return context.negated and mention.code in ("", scale.default)


def _may_deny(mention: Mention, plan: Plan, scale: Scale) -> bool:
    """Whether a denial speaks of the time asked about: what is denied at a later visit was not said of the stay."""
    later = mention.period is Period.LATER
    return later if plan.policy is Policy.AT_FOLLOW_UP and not scale.by_moment else not later or scale.by_moment


def _in_time(mention: Mention, plan: Plan, scale: Scale) -> bool:
    """Whether a mention stands in the period that the variable asks about."""
    if plan.policy is Policy.AT_FOLLOW_UP and not scale.by_moment:
        return mention.period is Period.LATER
    if scale.by_moment or plan.policy not in (Policy.BEFORE, Policy.DURING_STAY, Policy.AT_ADMISSION):
        return mention.period is not Period.LATER or scale.by_moment
    if plan.policy is Policy.DURING_STAY:
        return mention.period in (Period.UNSAID, Period.STAY)
    if mention.period is Period.UNSAID:
        return not (scale.event or (scale.known_only and plan.policy is Policy.BEFORE))
    return mention.period is Period.KNOWN or (plan.policy is Policy.AT_ADMISSION and mention.period is Period.STAY)


def _outweighed(affirmed: Sequence[Mention], denied: Sequence[Mention], plan: Plan) -> bool:
    """Whether a denial among the history beats passing mentions; what is seen during a stay is never undone."""
    if plan.policy is not Policy.BEFORE:
        return False
    return max((m.weight for m in denied), default=0.0) > max(m.weight for m in affirmed)


def by_degree(scale: Scale, affirmed: Sequence[Mention]) -> Answer:
    """The degree best supported, or the most severe where the annotation rule asks for it."""
    support: dict[str, float] = {}
    for mention in affirmed:
        if mention.code:
            support[mention.code] = support.get(mention.code, 0.0) + mention.weight
    named = [code for code in scale.order if code in support and (code != scale.default or scale.graded)]
    if scale.worst and named:
        code = named[-1]
    elif named:
        ranked = sorted(named, key=lambda c: -support[c])
        code = ranked[0]
        if len(ranked) > 1 and support[ranked[1]] == support[code]:
            tied = [m for m in affirmed if m.code in ranked[:2]]
            return Answer(Status.CONFLICTING, None, cites_of(tied), 0.3, tuple(ranked[:2]), "sources discordantes")
    elif scale.default is not None:
        code = scale.default
    else:
        return SILENT
    agreeing = [m for m in affirmed if m.code == code] or list(affirmed)
    return answer(Status.FOUND, code, best_first(agreeing), 0.9 if len(affirmed) > 1 else 0.85)


def _by_moment(view: PatientView, plan: Plan, scale: Scale, affirmed: Sequence[Mention]) -> Answer:
    """Known before, or found since; a mention that does not say is new when the history leaves the condition out."""
    known = [m for m in affirmed if m.period is Period.KNOWN]
    if known:
        return answer(Status.FOUND, scale.known or "", best_first(known), 0.9)
    new = [m for m in affirmed if m.period in (Period.STAY, Period.LATER)]
    if new:
        return answer(Status.FOUND, scale.found or "", best_first(new), 0.85)
    code = scale.found if histories(view) else scale.known
    return answer(Status.FOUND, code or "", best_first(affirmed), 0.6)


def _by_omission(view: PatientView, plan: Plan, scale: Scale) -> Answer:
    """ "No", where the annotation rule lets a list or the story of the stay say so by leaving the condition out."""
    if plan.omission == "history":
        cites = _spread(e.cite() for e in histories(view))
    elif plan.omission == "care":
        cites = tuple(courses(view)[:_MOST_CITES])
    else:
        return SILENT
    if not cites or scale.no is None:
        return SILENT
    return Answer(Status.ABSENT_BY_OMISSION, scale.no, cites, 0.75, (), "énumération qui ne la cite pas")
