"""Who the patient is: age and sex, read from civil status, grammar and birth date."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections import Counter
from collections.abc import Iterator

from generator.rules.annotate import Annotated
from generator.rules.context import context_at
from generator.rules.cues import PREFIX
from generator.rules.episode import Phase
from generator.rules.plan import Plan
from generator.rules.policies import vote
from generator.rules.quantity import bounds_of
from generator.rules.reading import SILENT, Answer, Cite, PatientView, Reading
from generator.rules.text import fold
from schema.value import Status

_BORN = re.compile(
    r"\b(?:nee?(?:\s?\(e\))?\b[^.;\n]{0,40}?\ble|ddn|d\.d\.n\.?|date de naissance|nee?|naissance)\s*[:.]?\s*$"
)
_AGED = re.compile(r"\b(?:agee?\s+de\s+)?(\d{1,3})\s*(?:ans|a)\b")
_SUBJECT_BEFORE = re.compile(
    r"(?:\b(?:patiente?|monsieur|madame|mademoiselle|mme|mlle|mr|homme|femme|m|h|f|age|sexe|agee?|dame|retraitee?)\b[^;:\n]{0,60}|[/(,:-]\s*|^\s*)$"
)
_EVENT_BEFORE = re.compile(r"\b(?:a|vers|depuis|pendant|avant|apres|il y a|les|de|des|tous les|pour|sur)\s*$")
_OF_AGE = re.compile(r"\b(?:patiente?|homme|femme|dame|retraitee?|monsieur|madame|agee?)\s+(?:agee?\s+)?(?:de\s*)?$")
_HEADER = 700

_FEMALE = re.compile(
    r"\b(?P<strong>patiente|femme (?:de|agee)|sexe\s*[:=]?\s*(?:f\b|feminin)|dame (?:de|agee)|nee\b(?!\s*\(?e\)))|"
    r"\b(?P<title>mme|madame|mlle|mademoiselle)\b|"
    r"\b(?P<grammar>hospitalisee|admise|adressee|agee|droitiere|gauchere|retraitee|veuve|transferee|elle)\b"
)
_MALE = re.compile(
    r"\b(?P<strong>patient(?!e)|homme (?:de|age)|sexe\s*[:=]?\s*(?:m\b|masculin|h\b)|ne(?= le\b))\b|"
    r"\b(?P<title>mr|monsieur|m\.(?=\s+[a-z]))|"
    r"\b(?P<grammar>hospitalise|admis|adresse(?= par)|age de|droitier|gaucher|retraite|veuf|transfere|il)\b"
)
_CODE_LETTER = re.compile(r"[-/,(\s]\s*(?P<sex>[fhm])\s*[-/,)\s]\s*(?:\d{2,3}\s*a(?:ns)?\b|\d\d/\d\d/\d{4})")
#: Every document says it; the admission's and the summary's are cited first.
_SEX_SOURCES, _SEX_CITES = {Phase.ADMISSION: 0, Phase.DISCHARGE: 1}, 4
_WEIGHTS = {"strong": 3.0, "title": 1.5, "grammar": 0.5}


def read_age(view: PatientView, plan: Plan) -> Answer:
    """Completed years at the admission, from the birth date where there is one, else as written at the time."""
    admission = view.timeline.episode.admission
    if plan.unit in _OF_THE_YOUNG:
        return _age_of_the_young(view, plan)
    readings = [r for document in view.documents for r in _stated_ages(view, plan, document)]
    if admission:
        born = [(birth, cite) for document in view.documents for birth, cite in births(document, admission)]
        if born:
            common = Counter(birth for birth, _ in born).most_common(1)[0][0]
            age = admission.year - common.year - ((admission.month, admission.day) < (common.month, common.day))
            cites = tuple(cite for birth, cite in born if birth == common)
            stated = tuple(c for r in readings if r.value == age for c in r.cites)
            return Answer(
                Status.FOUND, age, (cites[0], *stated[:2], *cites[1:2]), 0.97, explanation="date de naissance"
            )
    return vote(readings) if readings else SILENT


#: Units in which the age of an infant is asked, in days.
_OF_THE_YOUNG = {"days": 1.0, "weeks": 7.0, "months": 30.4375}
_YOUNG = re.compile(
    r"\b(?:nourrisson|bebe|nouveau-ne|enfant|garcon|fille|fillette|patiente?|agee?|age)\s?:?\s*(?:de\s+|agee? de\s+)?"
    r"(?P<number>\d{1,3})\s?(?P<unit>mois|semaines?|jours?|j|ans?)\b"
)


def _age_of_the_young(view: PatientView, plan: Plan) -> Answer:
    """Age in completed months, weeks or days, as written at the time of the stay, else from the birth date."""
    admission = view.timeline.episode.admission
    days = {"m": 30.4375, "s": 7.0, "j": 1.0, "a": 365.25}
    low, high = bounds_of(plan.variable, 0, 6000)
    readings = []
    for document in view.documents:
        for match in document.finditer(_YOUNG):
            context = context_at(document, match.start(), match.end(), document.sentence_of(match.start()))
            value = math.floor(int(match["number"]) * days[match["unit"][0]] / _OF_THE_YOUNG[plan.unit] + 1e-6)
            moment = view.timeline.moment(document, match.start(), match.end(), match.start(), match.end())
            if low <= value <= high and not context.other_person and moment.phase <= Phase.DISCHARGE:
                readings.append(Reading(value, (Cite(document, match.start(), match.end()),), moment))
    if readings:
        return vote(readings)
    if admission is None:
        return SILENT
    born = next((found for document in view.documents for found in births(document, admission)), None)
    if born is None:
        return SILENT
    age = math.floor((admission - born[0]).days / _OF_THE_YOUNG[plan.unit])
    return Answer(Status.FOUND, age, (born[1],), 0.9, explanation="date de naissance")


def births(document: Annotated, admission: dt.date) -> Iterator[tuple[dt.date, Cite]]:
    """Birth dates: after "né(e) le" or "DDN", or a full date in the heading that is too old to be a visit's."""
    for mention in document.dates:
        day = mention.date.to_date() if mention.date else None
        if day is None or not 0 <= (admission - day).days < 115 * 366:
            continue
        lead = document.folded[max(0, mention.start - 60) : mention.start]
        born = _BORN.search(lead)
        heading = mention.start < _HEADER and (admission - day).days > 16 * 365
        if (born or heading) and not any(document.within(PREFIX + "family", max(0, mention.start - 60), mention.start)):
            start = mention.start - len(lead) + born.start() if born else mention.start
            yield day, Cite(document, start, mention.end)


def _stated_ages(view: PatientView, plan: Plan, document: Annotated) -> Iterator[Reading]:
    phase = view.timeline.document_phase(document)
    if not Phase.PREHOSPITAL <= phase <= Phase.DISCHARGE:
        return
    minimum, maximum = bounds_of(plan.variable, 0, 115)
    for match in document.finditer(_AGED):
        age = int(match[1])
        lead = document.folded[max(0, match.start() - 70) : match.start()]
        plain = _OF_AGE.search(lead)
        if not minimum <= age <= maximum or not (plain or _SUBJECT_BEFORE.search(lead)):
            continue
        if _EVENT_BEFORE.search(lead) and not plain:
            continue
        context = context_at(document, match.start(), match.end(), document.sentence_of(match.start()))
        if context.family or context.other_person:
            continue
        moment = view.timeline.moment(document, match.start(), match.end(), match.start(), match.end())
        yield Reading(age, (Cite(document, match.start(), match.end()),), moment)


def read_sex(view: PatientView, plan: Plan) -> Answer:
    """The choice whose label says man or woman, from titles, agreement ("née", "patiente") and coded headings."""
    codes = {_sex_of(choice.label): choice.code for choice in plan.variable.choices}
    support = {"f": 0.0, "m": 0.0}
    cites: dict[str, list[tuple[float, Cite]]] = {"f": [], "m": []}
    for document in view.documents:
        for sex, weight, cite in _sex_signs(document):
            support[sex] += weight
            cites[sex].append((weight, cite))
    best = "f" if support["f"] > support["m"] else "m"
    other = "m" if best == "f" else "f"
    if support[best] < 1.5 or best not in codes or support[other] > 0.6 * support[best]:
        return SILENT
    plainest: dict[str, Cite] = {}
    for _, cite in sorted(cites[best], key=lambda item: -item[0]):
        plainest.setdefault(cite.document.document.document_id, cite)
    backing = sorted(
        plainest.values(), key=lambda cite: _SEX_SOURCES.get(view.timeline.document_phase(cite.document), 2)
    )
    return Answer(Status.FOUND, codes[best], tuple(backing[:_SEX_CITES]), 0.97)


def _sex_of(label: str) -> str:
    folded = fold(label)
    return "f" if folded.startswith("f") else "m" if folded.startswith(("h", "m")) else ""


def _sex_signs(document: Annotated) -> Iterator[tuple[str, float, Cite]]:
    for sex, pattern in (("f", _FEMALE), ("m", _MALE)):
        for match in document.finditer(pattern, 2 * _HEADER):
            kind = match.lastgroup or "grammar"
            yield sex, _WEIGHTS[kind], Cite(document, match.start(), _end_of_name(document, match.end()))
    for match in document.finditer(_CODE_LETTER, _HEADER):
        sex = "f" if match["sex"] == "f" else "m"
        yield sex, 2.0, Cite(document, match.start("sex"), match.end("sex"))


def _end_of_name(document: Annotated, end: int) -> int:
    """The quote runs on over the name, so that a reader sees of whom it is said."""
    match = re.compile(r"[^.;:,\n]{0,40}").match(document.folded, end)
    stop = match.end() if match else end
    while stop > end and document.folded[stop - 1].isspace():
        stop -= 1
    return stop
