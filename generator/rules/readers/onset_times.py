"""What each time of day in a document is to the start of the symptoms: the start, a last time seen well, or nothing.

The nearest words decide. A start word said of something else ("début de la perfusion", "alerte déclenchée") makes no
start, and a time that a sentence takes back ("9h30 correspond en fait à l'appel") is none either.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from generator.rules.annotate import Annotated
from generator.rules.chronology import is_correction, is_duration, span_of, without_dots
from generator.rules.cite import Cite, clause
from generator.rules.phrases import alternatives, anywhere, closing, opening
from generator.rules.reading import PatientView
from generator.rules.when import day_of_clock
from schema.document import DateMention

_BEFORE, _AFTER = 110, 150
#: How plainly the words speak, from a time that the team says it retains to a bare bedtime.
_RETAINED, _PLAIN, _ACT_FINE, _SYMPTOM_ONLY, _ACT = 8.0, 2.0, 1.5, 1.0, 0.5
#: A last time seen well counts from this plainness on; below it, only for want of a better one.
SURE = _ACT_FINE
_BEDTIME, _NEXT_WORDS = 19, 30
_WITNESSED, _MENDED, _DOUBTED = 1.5, 4.0, 0.5


#: From this plainness on, words tell of a start and not only of a symptom at some time.
PLAIN = _PLAIN


class Kind(Enum):
    """What a time is to the start."""

    START = "start"
    WELL = "well"


@dataclass(frozen=True, slots=True)
class Told:
    """One time given for the start, or for the last time seen well.

    ``plain``: how plainly its words say so; ``weight``: that, times the trust in the document; ``retained``: the team
    says that it decided upon this time.
    """

    kind: Kind
    when: dt.datetime
    weight: float
    plain: float
    cite: Cite
    retained: bool = False


_RETAINED_BEFORE = closing("onset.retained", 45, digits=False)
_RETAINED_AFTER = opening("onset.retained_after", 30, digits=False)
_ABOUT_ONSET = anywhere("onset.subject")
_WELL, _WELL_BEFORE = anywhere("onset.well"), closing("onset.well", 55)
_WELL_AFTER = opening("onset.well_after", 30, digits=False)
_LAST_ACT, _CONTACT = closing("onset.last_act", 40), closing("onset.contact", 45)
_DEFICIT = anywhere("onset.deficit")
_FINE, _WITNESS, _MENDS = anywhere("onset.fine"), anywhere("onset.witness"), anywhere("onset.mends")
_START_BEFORE, _START = closing("onset.start", 60, digits=False), anywhere("onset.start")
_FOUND, _FOUND_BEFORE = anywhere("onset.found"), closing("onset.found", 32)
_FOUND_AFTER = opening("onset.found_after", 4)
_SYMPTOM_BEFORE, _SYMPTOM_AFTER = closing("onset.symptom", 55), opening("onset.symptom", 70)
_ACT_BEGUN = closing("onset.act", 30, digits=False)
_DOUBT = re.compile(
    r"^[^.;\n\d]{0,25}?(?:\?|\b(?:a (?:confirmer|verifier|preciser)|a priori|douteu\w+|incertain\w*)\b)"
)
#: "Début de la perfusion", "survenue d'une fièvre": a start word with a complement.
_COMPLEMENT = re.compile(
    r"^(?:heure (?:de |d'|du )?)?(?:debut|apparition|survenue|installation|onset)\s(?:d[eu]s?\s|d')"
    r"(?:la\s|l'|les?\s|une?\s|ses?\s|son\s|sa\s|cette\s)?"
    r"(?P<what>\w.*)"
)
_EPISODE = re.compile(rf"{alternatives('onset.episode')}|{alternatives('onset.symptom')}")
#: "Depuis 9h10" says the start of what stands before it: a symptom, but not "à jeun depuis 8h".
_SINCE = ("depuis", "a partir de")
#: "À 7h55 sa femme le trouve au sol"; but "ne trouve plus ses mots".
_DISCOVERED_AFTER = re.compile(r"^[^.;\n]{0,45}?\b(?:re)?(?:trouve\w*|decouvr\w*|decouverte?s?)\b(?!\s(?:plus|pas))")
#: "L'heure de survenue n'est pas connue": the time that follows is another.
_NOT_KNOWN = re.compile(
    r"\b(?:inconnu|indetermin|imprecis|incertain|ignor|(?:pas|non)\s(?:\w+\s){0,2}(?:connu|determin|precis|dat))"
)
_SUDDEN = re.compile(r"\b(?:brutal\w*|soudain\w*|brusque\w*|d'un coup|tout a coup)\b")
_NEXT_EVENT = re.compile(r"[,/(]|\bpuis\b|\bet\b")
_LAST_CLAUSE = re.compile(r"[^,:(;]*$")
#: A time that the sentence goes on to explain as that of another event.
_TAKEN_BACK = re.compile(
    r"^[^.;\n\d]{0,70}?\b(?:correspond\w*|est|etait|serait|etant|c'est|c est)\s"
    r"(?:en (?:fait|realite)\s|plutot\s|donc\s)*"
    r"(?:(?:a|au|aux|celle|celui|heure|horaire|de|du|des|la|le|les|sa|son|ses)\s|[ld]['\s])+"
    rf"(?:{alternatives('onset.not_start')}|debut\s(?:d[eu]s?\s|d')(?:la\s|l'|les?\s)?(?P<of>\w+))"
)
_WRONG = re.compile(r"^[^.;\n\d]{0,40}?\b(?:a tort|par erreur|errone\w*|inexact\w*|faux|fausse)\b")
UNTICKED_BOX = re.compile(r"\[\s?\]|☐|□|\(\s\)")
_UNTICKED = re.compile(rf"(?:{UNTICKED_BOX.pattern})\s*[\w' -]{{1,20}}?(?=\s{{2,}}|\s*[☐☒☑□\[(:,;/]|$)")
_ABBREVIATED = re.compile(r"(?<=\btel)\.|(?<=\bm)\.|(?<=\bmr)\.|(?<=\bmme)\.|(?<=\bdr)\.|(?<=\benv)\.|(?<=\bsympt)\.")
_TOLD_IN = ("histoire", "motif", "indication", "")


def times_told(view: PatientView, document: Annotated, trust: float) -> Iterator[Told]:
    """The times of a document that are the start, or a last time seen well."""
    for mention in _clocks(document):
        lead, trail = _around(document, mention)
        sort = _sort(document, lead, trail, mention)
        day = day_of_clock(view.timeline, document, mention) if sort else None
        if sort is None or day is None or mention.clock is None:
            continue
        kind, plain, retained = sort
        when = _before_arrival(view, mention, kind, dt.datetime.combine(day, mention.clock))
        # A stroke in hospital is told as sudden; other symptoms timed after the arrival are those of an examination.
        if plain == _SYMPTOM_ONLY and _after_arrival(view, when) and not _SUDDEN.search(lead + trail):
            continue
        weight = trust * plain * (1.0 if retained else _emphasis(document, mention, lead, trail))
        place = clause(document, mention.start - len(lead) // 3, mention.end)
        yield Told(kind, when, weight, plain, place, retained)


def times_taken_back(document: Annotated) -> Iterator[dt.time]:
    """Times that a sentence explains away: "13h30 correspond en fait à la découverte"."""
    for mention in _clocks(document):
        _, trail = _around(document, mention)
        back = _TAKEN_BACK.match(trail)
        explained = back and not (back["of"] and _EPISODE.match(back["of"]))
        if mention.clock and (explained or _WRONG.match(trail)):
            yield mention.clock


def _clocks(document: Annotated) -> Iterator[DateMention]:
    for mention in document.dates:
        if mention.clock is not None and not is_duration(document, mention):
            yield mention


def _around(document: Annotated, mention: DateMention) -> tuple[str, str]:
    """The words of the sentence before and after a time, as far as the next time on each side."""
    low, high = span_of(document, mention)
    low, high = max(low, mention.start - _BEFORE), min(high, mention.end + _AFTER)
    low = max([low, *(other.end for other in document.dates_in(low, mention.start) if other.clock)])
    high = min([high, *(other.start for other in document.dates_in(mention.end, high) if other.clock)])
    lead, trail = document.folded[low : mention.start], document.folded[mention.end : high]
    return _readable(lead), _readable(trail)


def _readable(text: str) -> str:
    """The text without the answers of a form that are not ticked, its dots, nor those of abbreviations."""
    return _ABBREVIATED.sub(" ", without_dots(_UNTICKED.sub(" ", text)))


def _sort(document: Annotated, lead: str, trail: str, mention: DateMention) -> tuple[Kind, float, bool] | None:
    """What the words around a time make of it, how plainly, and whether the team says that it retains it."""
    told_before = document.folded[max(0, mention.start - 2 * _BEFORE) : mention.start]
    if (_RETAINED_BEFORE.search(lead) or _RETAINED_AFTER.match(trail)) and _ABOUT_ONSET.search(told_before + trail):
        fine = not _START.search(lead) and (_FINE.search(told_before) or _FINE.search(trail))
        well = fine or _WELL_BEFORE.search(lead)
        return (Kind.WELL if well else Kind.START), _RETAINED, True
    found = _last(_FOUND, lead) if _FOUND_BEFORE.search(lead) else None
    well = _last(_WELL, lead) if _WELL_BEFORE.search(lead) else None
    if (well and not _passed_over(lead, well, found)) or _WELL_AFTER.match(trail):
        return Kind.WELL, _PLAIN, False
    start = _last(_START, lead) if _START_BEFORE.search(lead) else None
    if start and not (found and found.start() > start.start()) and not _of_another(lead, start):
        return Kind.START, _PLAIN, False
    act = _LAST_ACT.search(lead)
    seen = act or _CONTACT.search(lead)
    if seen and not _passed_over(lead, seen, found) and _is_fine(lead[seen.start() :] + trail):
        return Kind.WELL, _ACT_FINE, False
    if act:
        return Kind.WELL, _ACT, False
    if found or _FOUND_AFTER.match(trail) or _DISCOVERED_AFTER.match(trail):
        return None
    told = document.section_of(mention.start).kind in _TOLD_IN and _SYMPTOM_AFTER.match(trail)
    return (Kind.START, _SYMPTOM_ONLY, False) if _SYMPTOM_BEFORE.search(lead) or told else None


def _passed_over(lead: str, cue: re.Match[str], found: re.Match[str] | None) -> bool:
    """Whether the sentence has gone on to the discovery: "partie à 16h, elle allait bien, rentrée à 18h40"."""
    return found is not None and bool(_NEXT_EVENT.search(lead, cue.start(), found.start()))


def _is_fine(told: str) -> bool:
    """Whether the person is told to be well, before any word of a deficit: "levée à 3h, normale"."""
    fine = _FINE.search(told)
    return fine is not None and not _DEFICIT.search(told, 0, fine.start())


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    last = None
    for match in pattern.finditer(text):
        last = match
    return last


def _of_another(lead: str, start: re.Match[str]) -> bool:
    """Whether a start word is said of another event ("début du repas", "à jeun depuis") or of no known time."""
    if _NOT_KNOWN.search(lead, start.end()):
        return True
    complement = _COMPLEMENT.match(lead[start.start() :])
    if complement:
        return not _EPISODE.match(complement["what"])
    own = _LAST_CLAUSE.search(lead[: start.start()])
    subject = own[0] if own else ""
    if _EPISODE.search(subject):
        return False
    return bool(_ACT_BEGUN.search(subject)) or start[0].startswith(_SINCE)


def _emphasis(document: Annotated, mention: DateMention, lead: str, trail: str) -> float:
    """More for a direct witness and for what mends another statement, less for what the writer doubts."""
    factor = _WITNESSED if _WITNESS.search(lead + trail) else 1.0
    if _DOUBT.match(trail):
        factor *= _DOUBTED
    return factor * (
        _MENDED if is_correction(document, mention.start) or _MENDS.search(lead + trail[:_NEXT_WORDS]) else 1.0
    )


def _before_arrival(view: PatientView, mention: DateMention, kind: Kind, when: dt.datetime) -> dt.datetime:
    """The day before, for a bare time later than the arrival: symptoms of "23h15" told by a patient arrived at 7h48."""
    arrival = _arrival(view)
    if mention.date is not None:
        return when
    if arrival is None:
        bedtime = kind is Kind.WELL and when.hour >= _BEDTIME and when.date() == view.timeline.episode.admission
        return when - dt.timedelta(days=1) if bedtime else when
    late = when.date() == arrival.date() and when.hour >= 17 and arrival.hour < 17 and when > arrival
    # "Vue bien à 11h30" by a patient arrived at 15h is of that morning, not of the next.
    next_morning = when.date() > arrival.date() and when.hour < 12 <= arrival.hour
    return when - dt.timedelta(days=1) if late or next_morning else when


def _after_arrival(view: PatientView, when: dt.datetime) -> bool:
    arrival = _arrival(view)
    return arrival is not None and when > arrival


def _arrival(view: PatientView) -> dt.datetime | None:
    episode = view.timeline.episode
    return dt.datetime.combine(episode.admission, episode.arrival) if episode.admission and episode.arrival else None
