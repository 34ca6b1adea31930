"""Mentions of a condition: where it is named, what is said of it, and whether it came before the index stay."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from generator.rules.annotate import Annotated
from generator.rules.context import Context, context_at
from generator.rules.cues import PREFIX
from generator.rules.episode import Phase
from generator.rules.matcher import Hit
from generator.rules.omission import is_denied
from generator.rules.plan import Plan
from generator.rules.reading import Cite, PatientView
from schema.document import DateMention

HISTORY_SECTIONS = ("antecedents", "facteurs_risque", "traitement_entree")
_LINE_STOP = re.compile(r"[;\n|]|\.(?!\d)")
_CLAUSE_STOP = re.compile(r"[,;\n|]|\.(?!\d)")
_YEAR = re.compile(r"\s*\(?\s*(?:[a-z'-]+ ){0,5}\(?((?:19|20)\d\d)\b")
#: "a fait en 2017 un AIT", "victime il y a trois ans d'un AVC", "le 12/05/2019, premier AIT": dated before it is named.
_INDEFINITE = r"\s*[,:]?\s*(?:d'|par |avec |pour )?(?:une?|deux|plusieurs|premiere?r?|son|sa|ses)\s(?:[\w'-]+\s){0,3}$"
_DATED_BEFORE = re.compile(_INDEFINITE)
_TOLD_YEAR = re.compile(
    r"\b(?:en (?:\w+ )?((?:19|20)\d\d)|il y a (?:\w+ ){1,3}?(?:ans?|annees?|mois)|dans l'enfance)" + _INDEFINITE
)
_AGO = re.compile(r"[^,;.\n]{0,20}\b(?:il y a|depuis)\s+(?:\w+\s+){0,2}(?:ans?|annees?|mois|longtemps|l'enfance)\b")
#: After these words a sentence that opened with the history speaks of the present.
PRESENT = re.compile(
    r"\b(?:victime|present\w+|hospitali\w+|adresse\w*|admis\w*|consulte|amenee?|transfere\w*|ce jour)\b"
)
#: "non connue", "jamais connu": what stands before "connu" may undo it.
_UNKNOWN = re.compile(r"\b(?:non|pas|jamais|peu)\s(?:\w+\s)?$")
_INTERVIEW = re.compile(r"\b(?:interrogatoire|anamnese|entourage|dossier (?:medical|anterieur|ancien))\b")
#: What is added of a thing seen during the stay: "escarre sacrée stade 2, connue avant l'entrée".
_THERE_BEFORE = re.compile(
    r"[^;.\n]{0,50}?\b(?:connue?s?|presente?s?|existante?s?|apparue?s?|deja la)\s(?:deja\s)?"
    r"(?:avant (?:l'|son |sa )|a (?:l'|son |sa )(?:entree|arrivee|admission))"
)
#: A citation longer than this shows more than what states the value.
_LONGEST_CITE = 140


class Period(IntEnum):
    """When a mentioned condition was present."""

    KNOWN = 0  # before the index stay: history, an earlier document, an earlier date
    UNSAID = 1  # named during the stay without saying since when
    STAY = 2
    LATER = 3  # after discharge


@dataclass(frozen=True, slots=True)
class Mention:
    """One place that names a condition.

    Args:
        code: the choice whose words stand beside it; "" when none does.
        listed: it stands in a list of history or with words that say so; such places weigh more.
    """

    document: Annotated
    start: int
    end: int
    context: Context
    period: Period
    listed: bool
    code: str = ""

    @property
    def weight(self) -> float:
        """How directly the place speaks of the condition."""
        return 3.0 if self.listed else 1.0

    def cite(self) -> Cite:
        """The clause that names the condition: from the last stop to the next, shortened around it when long."""
        document = self.document
        low, high = document.sentences[document.sentence_of(self.start)]
        if high - low > _LONGEST_CITE:
            low, high = bounds(document, self.start, self.end, _LINE_STOP)
        if high - low > _LONGEST_CITE:
            clause = bounds(document, self.start, self.end, _CLAUSE_STOP)
            low, high = max(low, min(clause[0], self.start - 40)), min(high, max(clause[1], self.end + 60))
            low, high = _whole_words(document.folded, low, high, self.start, self.end)
        return Cite(document, low, high)


def _whole_words(text: str, low: int, high: int, start: int, end: int) -> tuple[int, int]:
    while low < start and low > 0 and text[low - 1].isalnum():
        low += 1
    while high > end and high < len(text) and text[high].isalnum():
        high -= 1
    while text[low].isspace():
        low += 1
    while text[high - 1].isspace():
        high -= 1
    return low, high


def bounds(document: Annotated, start: int, end: int, stop: re.Pattern[str]) -> tuple[int, int]:
    """The stretch around [start, end) that no stop interrupts, within its sentence; blanks trimmed."""
    low, high = document.sentences[document.sentence_of(start)]
    for match in stop.finditer(document.folded, low, start):
        low = match.end()
    following = stop.search(document.folded, end, high)
    high = max(end, following.start() if following else high)
    while low < start and document.folded[low].isspace():
        low += 1
    return low, high


def clause(document: Annotated, start: int, end: int) -> tuple[int, int]:
    """The stretch around [start, end) between commas or stops."""
    return bounds(document, start, end, _CLAUSE_STOP)


def longest_hits(document: Annotated, plan: Plan) -> Iterator[Hit]:
    """Hits of the plan's anchors, in text order, those inside or overlapping a longer one left out."""
    hits = sorted((h for anchor in plan.anchors for h in document.find(anchor)), key=lambda h: (h.start, -h.end))
    covered = -1
    for hit in hits:
        if hit.start >= covered:
            covered = hit.end
            yield hit


def mention_at(
    view: PatientView, document: Annotated, start: int, end: int, code: str = "", *, event: bool = False
) -> Mention:
    """The mention at [start, end); ``event`` for what happens at a date, such as the reason for the stay itself."""
    context = context_at(document, start, end, document.sentence_of(start))
    period, listed = period_at(view, document, start, end, event=event)
    return Mention(document, start, end, context, period, listed, code)


def period_at(
    view: PatientView, document: Annotated, start: int, end: int, *, event: bool = False
) -> tuple[Period, bool]:
    """When what is named there was present, and whether the place is a list of history or says so itself."""
    phase = view.timeline.document_phase(document)
    low, high = clause(document, start, end)
    dated = _dated_in_stay(view, document, low, high)
    listed = _in_history(document, start, event) and not dated
    if _before_stay(view, document, start, end, low, high):
        return Period.KNOWN, True
    if phase is Phase.FOLLOW_UP and not view.timeline.outpatient:
        return Period.LATER, listed
    if phase is Phase.BEFORE:
        return Period.KNOWN, True
    listed = listed or (not dated and _known_before(document, start, end))
    if phase <= Phase.ADMISSION and _told_at_interview(document, start, low):
        return Period.KNOWN, True
    if phase >= Phase.ADMISSION and _any(document, "time.new", low, min(high, end + 40)):
        return Period.STAY, listed
    if _discovered(document, start, end) and not (listed and phase < Phase.ADMISSION):
        return (Period.KNOWN if listed else Period.STAY), listed
    if listed:
        return Period.KNOWN, True
    moment = view.timeline.moment(document, start, end, low, high)
    if moment.explicit and moment.phase is not Phase.ADMISSION:
        if moment.phase is Phase.BEFORE:
            return (Period.KNOWN, True) if _said_before(document, start, end, low, high) else (Period.UNSAID, False)
        return (Period.LATER if moment.phase is Phase.FOLLOW_UP else Period.STAY), False
    return Period.UNSAID, False


def _in_history(document: Annotated, start: int, event: bool) -> bool:
    """Whether a section of history holds the place.

    "ATCD : HTA. AVC sylvien gauche." : the reason for the stay may follow the list on its own line, so that an event
    counts in the title's sentence only.
    """
    if not document.in_section(start, HISTORY_SECTIONS):
        return False
    section = document.section_of(start)
    first = document.sentence_of(section.start)
    has_own_line = document.sentences[first][1] <= section.start + len(section.title) + 3
    return has_own_line or not event or document.sentence_of(start) == first


def _dated_in_stay(view: PatientView, document: Annotated, low: int, high: int) -> bool:
    """Whether the clause gives a day of the stay or its eve: a result may follow a list of history without a title of
    its own, and a document written later in the stay counts the reason for it among the history."""
    admission = view.timeline.episode.admission
    days = (view.timeline.day_of(mention) for mention in document.dates_in(low, high))
    return admission is not None and any(day is not None and (admission - day).days <= 1 for day in days)


def _discovered(document: Annotated, start: int, end: int) -> bool:
    """Whether the words around say that it was found then: "le bilan découvre une HTA", "FA de novo"."""
    low, high = clause(document, start, end)
    line_low = bounds(document, start, end, _LINE_STOP)[0]
    return _any(document, "time.discovery", max(low, start - 60), high) or _any(
        document, "time.discovery", max(line_low, start - 45), start
    )


def _told_at_interview(document: Annotated, start: int, low: int) -> bool:
    """Whether it was found by asking, not by an examination: "l'interrogatoire retrouve une hypertension"."""
    return bool(_INTERVIEW.search(document.folded, low, start))


def _any(document: Annotated, cue: str, low: int, high: int) -> bool:
    return any(True for _ in document.within(PREFIX + cue, low, high))


def _said_before(document: Annotated, start: int, end: int, low: int, high: int) -> bool:
    """Whether words of time say "before": in "deux jours avant l'AVC" the stroke is what comes after."""
    hits = document.within(PREFIX + "time.before", low, high)
    return any(hit.end <= start or hit.start >= end for hit in hits)


def _before_stay(view: PatientView, document: Annotated, start: int, end: int, low: int, high: int) -> bool:
    """Whether the clause gives a date earlier than the stay: "AVC en 2013", "depuis 10 ans"."""
    if said_long_ago(document, end, high) and view.timeline.document_phase(document) is not Phase.FOLLOW_UP:
        return True
    admission = view.timeline.episode.admission
    return admission is not None and dated_before(document, (start, end), (low, high), admission, view.timeline.day_of)


def said_long_ago(document: Annotated, end: int, high: int) -> bool:
    """Whether the words after ``end`` count months or years back: "il y a 3 ans", "depuis longtemps"."""
    return _AGO.match(document.folded, end, high) is not None


def dated_before(
    document: Annotated,
    place: tuple[int, int],
    around: tuple[int, int],
    day: dt.date,
    day_of: Callable[[DateMention], dt.date | None],
) -> bool:
    """Whether the clause around a place gives a date more than a day earlier than ``day``: "AVC en 2013".

    Args:
        place, around: [start, end) of what is named, and of the words that may date it.
        day_of: the day that a date mention stands for, None when it stands for none.
    """
    (start, end), (low, high) = place, around
    text = document.folded
    year = _YEAR.match(text, end, min(len(text), end + 45))
    if year and int(year[1]) < day.year:
        return True
    dates = [*document.dates_in(start, high)]
    dates += [m for m in document.dates_in(low, start) if _DATED_BEFORE.match(text, m.end, start)]
    if any((told := day_of(m)) is not None and (day - told).days > 1 for m in dates):
        return True
    told_year = _TOLD_YEAR.search(text[low:start])
    return told_year is not None and (told_year[1] is None or int(told_year[1]) < day.year)


def _known_before(document: Annotated, start: int, end: int) -> bool:
    """Whether the words around say that it was there already: "connu pour", "ATCD : …", "FA ancienne"."""
    line_low = bounds(document, start, end, _LINE_STOP)[0]
    for cue in document.within(PREFIX + "list.history", line_low, start):
        if not is_denied(document, cue) and not PRESENT.search(document.folded, cue.end, start):
            return True
    if _THERE_BEFORE.match(document.folded, end, bounds(document, start, end, _LINE_STOP)[1]):
        return True
    clause_low, clause_high = clause(document, start, end)
    known = document.within(PREFIX + "known", clause_low, min(clause_high, end + 40))
    return any(not _UNKNOWN.search(document.folded, clause_low, cue.start) for cue in known)
