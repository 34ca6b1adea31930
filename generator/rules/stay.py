"""The index stay of a patient: its admission, its discharge, the arrival, and where they are written.

How it is decided, in this order:

1. Every document is asked for the stays that it states: "du 14/06/2021 au 25/06/2021" beside words of a stay or at the
   head of a summary, "Entrée le … sortie le …", "hospitalisée depuis le …". Each acute document (emergency note,
   admission note, procedure) proposes its own day as well.
2. The stay around which most was written wins: documents dated within it count, acute ones three times. A stay in
   rehabilitation, an old stay told among the antecedents or a later readmission has fewer acute documents.
3. The admission is the first arrival in a hospital: an emergency note of the day or two before, and a stay in another
   hospital that ends where this one begins, move it back; a call to the SAMU or a visit that ended at home do not.
4. The discharge is the end of the stated stay, or the day beside "sortie", "retour au domicile", "transfert en SSR",
   "décès"…; leaving the operating room or intensive care for a ward of the same hospital is no discharge.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from generator.rules.annotate import Annotated
from generator.rules.chronology import times_of
from generator.rules.cite import Cite, clause
from generator.rules.events import event_concepts
from generator.rules.phrases import alternatives, anywhere, closing, opening
from schema.document import DateKind, DateMention

#: Words of a document's type or title that say what it is.
ACUTE = ("urgence", "admission", "dechoc", "entree", "usinv", "alerte", "reanimation", "observation", "accueil")
PREHOSPITAL = ("samu", "smur", "regulation", "pompier", "vsav")
_SUMMARY = ("crh", "hospitalisation", "sortie", "lettre de liaison", "sejour")
_NO_SUMMARY = (
    "consultation",
    "note d'admission",
    "note d'entree",
    "observation",
    "alerte",
    "suivi",
    "urgences",
    "demande",
)
FOLLOW_UP = ("consultation", "suivi", "3 mois", "teleconsultation", "post-avc", "appel", "6 mois", "1 an")
PROCEDURE = ("thrombectomie", "operatoire", "bloc", "intervention")
REHABILITATION = ("ssr", "smr", "reeducation", "soins de suite", "readaptation", "convalescence", "ehpad")

_LEAD, _HEAD = 60, 900
_JOINT = re.compile(r"\s*(?:\([^)]{0,60}\)\s*)?,?\s*(?:(?:jusqu')?au|-|>|->|→|a|\||et(?: sortie)? le)\s*(?:le\s*)?")
_STAY_CUE = closing("stay.cue", 60)
_NO_STAY = closing("stay.none", 40)
_IN = closing("stay.in", 30)
_OUT = closing("stay.out", 45)
_OUT_AFTER = re.compile(rf"^\s*(?:[,:|)-]\s*|a? \d\d?\s?h\s?\d*\s*[:,-]?\s*)*(?P<cue>{alternatives('stay.out_after')})")
_NO_OUT = re.compile(
    rf"^\w+(?:[^.;\n]{{0,12}}?{alternatives('stay.not_left')}|"
    rf"\s+(?:de|du|des|d')\s?(?:la |l'|le )?{alternatives('stay.elsewhere')})"
)
_NO_OUT_BEFORE = re.compile(rf"{alternatives('stay.about_leaving')}\s*(?:de|d'|a|la|sa|une|le|l'|\s)*$")
#: "Transféré du CHR le 21": where one comes from.
_BROUGHT = re.compile(r"transf[a-z]+ (?:du|de|des|depuis|par)\b")
_HANDED, _HANDED_AFTER = closing("stay.handed", 30), opening("stay.handed", 25)
_PLANNED = anywhere("stay.planned")
_WARD_AFTER = re.compile(
    rf"^[^.;\n]{{0,25}}?\b(?:en|au|a|vers|dans|pour)\s+(?:la |l'|le |notre |unite |service |d')*"
    rf"{alternatives('stay.ward')}"
)
_SENT_HOME = anywhere("stay.sent_home")
_NOT_ARRIVED = anywhere("stay.not_arrived")
#: Longest stay believed, and how far apart two hospitals of one episode may admit.
_LONGEST, _TRANSFER = dt.timedelta(days=200), dt.timedelta(days=2)


#: How much a document that is no summary is believed on the discharge.
_PLAIN_NOTE = 1.5
#: A letter of this name goes with the patient on the day of the discharge.
_GOES_ALONG = ("liaison", "lettre de sortie", "courrier de sortie", "fiche de sortie")


@dataclass(frozen=True, slots=True)
class Episode:
    """The index stay. ``admission`` and ``discharge`` are days; ``arrival`` is the time of day on the first of them.

    The cites are where the two days are written, best first; empty when a document's own date was all there was.
    """

    admission: dt.date | None = None
    discharge: dt.date | None = None
    arrival: dt.time | None = None
    admission_cites: tuple[Cite, ...] = ()
    discharge_cites: tuple[Cite, ...] = ()


@dataclass(frozen=True, slots=True)
class _Stay:
    """A stay that a document states or, without ``cite``, that its own date proposes."""

    start: dt.date
    end: dt.date | None
    document: Annotated
    cite: Cite | None


@dataclass(frozen=True, slots=True)
class _Leaving:
    """A day on which a document says that the patient left, with how much it is believed."""

    day: dt.date
    weight: float
    cite: Cite


def is_kind(document: Annotated, kinds: Sequence[str]) -> bool:
    """Whether the document's type or title contains one of these folded words."""
    name = document.name
    return any(kind in name for kind in kinds)


def is_summary(document: Annotated) -> bool:
    """Whether the document tells a whole stay after it ended: discharge summary, letter of discharge."""
    return document.document.type == "crh" or (is_kind(document, _SUMMARY) and not is_kind(document, _NO_SUMMARY))


def written_day(document: Annotated) -> dt.date | None:
    """The day on which a document was written, when it is known to the day."""
    written = document.document.written_on
    return written.to_date() if written else None


def find_episode(documents: Sequence[Annotated]) -> Episode:
    """The stay that the table is about; see the module's text for how it is told from the others."""
    stays = [stay for document in documents for stay in _stays_of(document)]
    proposed = [*stays, *_own_days(documents)]
    if not proposed:
        return Episode()
    scores = {id(stay): _score(stay, documents) for stay in proposed}
    best = max(proposed, key=lambda stay: (scores[id(stay)], stay.end is not None, -stay.start.toordinal()))
    start = _first_arrival(best, stays, documents)
    agreeing = [s for s in stays if s.cite and abs((s.start - best.start).days) <= 1]
    leavings = _leavings(best, stays, documents) or list(_letter_days(start, documents))
    end = _vote(leavings)
    arrival = _arrival(start, documents)
    cites = [arrival[1]] if arrival else []
    cites += [s.cite for s in agreeing if s.cite]
    if not cites:
        cites = _heading_dates(start, documents)
    return Episode(
        admission=start,
        discharge=end,
        arrival=arrival[0] if arrival else None,
        admission_cites=tuple(dict.fromkeys(cites)),
        discharge_cites=tuple(dict.fromkeys(x.cite for x in sorted(leavings, key=lambda x: -x.weight) if x.day == end)),
    )


def _stays_of(document: Annotated) -> Iterator[_Stay]:
    text = document.folded
    summary = is_summary(document)
    mentions = [m for m in document.document.dates if m.kind is not DateKind.CLOCK and m.date and m.date.is_complete]
    used: set[int] = set()
    for first, second in itertools.pairwise(mentions):
        start, end = _day(first), _day(second)
        if not (start and end and start <= end <= start + _LONGEST and _JOINT.fullmatch(text, first.end, second.start)):
            continue
        line = text.rfind("\n", 0, first.start) + 1
        lead = text[max(line, first.start - _LEAD) : first.start]
        bare = summary and first.start < _HEAD and not lead.strip(" :-•|").removesuffix("du").strip()
        if (bare or _STAY_CUE.search(lead)) and not _NO_STAY.search(lead):
            used.update((first.start, second.start))
            yield _Stay(start, end, document, _cite_from(document, _STAY_CUE.search(lead), first, second.end))
    for mention in mentions:
        day = _day(mention)
        if day is None or mention.start in used or document.section_of(mention.start).kind == "antecedents":
            continue
        lead = _lead(document, mention)
        cue = _IN.search(lead)
        if cue and not _NO_STAY.search(lead) and not _PLANNED.search(lead[cue.start() :]):
            end = next((x.day for x in _leavings_of(document) if x.day >= day), None) if summary else None
            yield _Stay(day, end, document, _cite_from(document, cue, mention, mention.end))


def _lead(document: Annotated, mention: DateMention) -> str:
    """The words of the line before a date, no further back than the date before it."""
    low = max(document.folded.rfind("\n", 0, mention.start) + 1, mention.start - _LEAD)
    previous = [m.end for m in document.dates_in(low, mention.start) if m.date]
    return document.folded[max([low, *previous]) : mention.start]


def _cite_from(document: Annotated, cue: re.Match[str] | None, mention: DateMention, end: int) -> Cite:
    start = mention.start - (len(cue.string) - cue.start()) if cue else mention.start
    return Cite(document, start, end)


def _day(mention: DateMention) -> dt.date | None:
    return mention.date.to_date() if mention.date else None


def _own_days(documents: Sequence[Annotated]) -> Iterator[_Stay]:
    """The days of the acute documents; where there are none, of the first document that is not a later visit."""
    others = [d for d in documents if not is_kind(d, FOLLOW_UP) and not is_summary(d)]
    acute = [d for d in others if is_kind(d, (*ACUTE, *PROCEDURE)) and not is_kind(d, PREHOSPITAL)]
    for document in acute or [d for d in others if is_kind(d, PREHOSPITAL)] or others[:1]:
        day = written_day(document)
        if day:
            yield _Stay(day, None, document, None)


def _score(stay: _Stay, documents: Sequence[Annotated]) -> float:
    end = stay.end or stay.start + dt.timedelta(days=10)
    total = 0.0
    for document in documents:
        day = written_day(document)
        if day is None or not stay.start - dt.timedelta(days=1) <= day <= end + dt.timedelta(days=3):
            continue
        acute = is_kind(document, (*ACUTE, *PREHOSPITAL, *PROCEDURE)) and (day - stay.start).days <= 2
        total += 3.0 if acute else 1.0
    if stay.cite and is_summary(stay.document):
        total += 2.0
    return total - 4.0 if is_kind(stay.document, REHABILITATION) else total


def _first_arrival(best: _Stay, stays: Sequence[_Stay], documents: Sequence[Annotated]) -> dt.date:
    start = best.start
    for stay in stays:
        ends_there = stay.end is not None and best.start - dt.timedelta(days=1) <= stay.end <= best.start
        if stay.start < start and ends_there and best.start - stay.start <= dt.timedelta(days=21):
            start = stay.start if not is_kind(stay.document, REHABILITATION) else start
    for document in documents:
        day = written_day(document)
        if day is None or not start - _TRANSFER <= day < start or not is_kind(document, (*ACUTE, "transfert")):
            continue
        later = is_kind(document, (*PREHOSPITAL, *FOLLOW_UP)) or is_summary(document)
        if not later and not _SENT_HOME.search(document.folded):
            start = day
    return start


def _leavings(best: _Stay, stays: Sequence[_Stay], documents: Sequence[Annotated]) -> list[_Leaving]:
    """Days of leaving that fit the stay: stated ends first, then what each document says of a discharge."""
    found = []
    for stay in stays:
        if stay.end and stay.cite and abs((stay.start - best.start).days) <= 1:
            found.append(_Leaving(stay.end, 4.0 if is_summary(stay.document) else 2.0, stay.cite))
    last = best.end or best.start + _LONGEST
    for document in documents:
        written = written_day(document)
        if (written and written < best.start) or is_kind(document, REHABILITATION):
            continue
        late = written is not None and best.end is not None and written > best.end + dt.timedelta(days=30)
        if late or is_kind(document, FOLLOW_UP):
            continue
        found += [leaving for leaving in _leavings_of(document) if best.start <= leaving.day <= last]
    return found


def _leavings_of(document: Annotated) -> Iterator[_Leaving]:
    text = document.folded
    believed = 3.0 if is_summary(document) else _PLAIN_NOTE
    for mention in document.document.dates:
        day = (
            _day(mention) if mention.kind is not DateKind.CLOCK and mention.date and mention.date.is_complete else None
        )
        if day is None:
            continue
        lead = _lead(document, mention)
        line_end = text.find("\n", mention.end)
        trail = text[mention.end : line_end if line_end >= 0 else len(text)][:80]
        cue = _OUT.search(lead)
        if cue:
            said, start, end = lead[cue.start() :], mention.start - len(lead) + cue.start(), mention.end
            lead = lead[: cue.start()]
        elif (after := _OUT_AFTER.match(trail)) and not any(
            near.date for near in document.dates_in(mention.end, mention.end + after.end() + 25)
        ):
            said, start, end = trail[after.start("cue") :], mention.start, mention.end + after.end()
            lead = ""
        elif believed > _PLAIN_NOTE and day == written_day(document) and _is_handed(mention, lead, trail):
            said, start, end, lead = "", mention.start, mention.end, ""
        else:
            continue
        if _BROUGHT.match(said) or _NO_OUT.search(said) or _NO_OUT_BEFORE.search(lead) or _WARD_AFTER.match(trail):
            continue
        planned = _PLANNED.search(text, max(0, start - 15), min(len(text), end + 25))
        yield _Leaving(day, believed * (0.3 if planned else 1.0), clause(document, start, end))


def _is_handed(mention: DateMention, lead: str, trail: str) -> bool:
    """Whether a letter says that it hands the patient over as it is written: "nous vous confions aujourd'hui"."""
    own = mention.kind is DateKind.RELATIVE
    return own and bool(_HANDED.search(lead) or _HANDED_AFTER.match(trail))


def _letter_days(start: dt.date, documents: Sequence[Annotated]) -> Iterator[_Leaving]:
    """For want of any stated end, the day of the letter that goes along with a living patient."""
    for document in documents:
        day = written_day(document)
        if day is None or not start < day <= start + _LONGEST or document.find("event:death"):
            continue
        if is_kind(document, _GOES_ALONG) and not is_kind(document, REHABILITATION):
            yield _Leaving(day, 1.0, Cite(document, *document.sentences[0]))
            return


def _vote(leavings: Sequence[_Leaving]) -> dt.date | None:
    """The best supported day; between equals, the last."""
    support: dict[dt.date, float] = {}
    for leaving in leavings:
        support[leaving.day] = support.get(leaving.day, 0.0) + leaving.weight
    return max(support, key=lambda day: (support[day], day)) if support else None


def _arrival(start: dt.date, documents: Sequence[Annotated]) -> tuple[dt.time, Cite] | None:
    """The first time of arrival that a document of that day, or the summary of the stay, tells."""
    found: list[tuple[int, dt.time, Cite]] = []
    for document in documents:
        own = written_day(document) == start
        if not own and not is_summary(document):
            continue
        rank = 0 if own and is_kind(document, ACUTE) else 1 if own and not is_kind(document, PREHOSPITAL) else 2
        for timed in times_of(document, event_concepts("admission")):
            low, high = timed.hit.start, timed.mention.end
            around = document.folded[max(0, min(low, timed.mention.start) - 25) : max(high, timed.hit.end) + 15]
            clock = timed.mention.clock
            day = _day(timed.mention)
            if clock and day in (None, start) and not _NOT_ARRIVED.search(around):
                place = clause(document, min(low, timed.mention.start), max(timed.hit.end, high))
                found.append((rank, clock, place))
    if not found:
        return None
    rank, clock, cite = min(found, key=lambda item: (item[0], item[1]))
    return clock, cite


def _heading_dates(start: dt.date, documents: Sequence[Annotated]) -> list[Cite]:
    """Where the documents of that day write their date, else their first line, for want of a stated admission."""
    cites = []
    for document in documents:
        if written_day(document) != start:
            continue
        cites.append((True, True, Cite(document, *document.sentences[0])))
        for mention in document.document.dates:
            if mention.start < _HEAD and mention.date and mention.date.to_date() == start:
                cites.append(
                    (
                        is_kind(document, PREHOSPITAL),
                        not is_kind(document, ACUTE),
                        Cite(document, mention.start, mention.end),
                    )
                )
                break
    return [cite for *_, cite in sorted(cites, key=lambda item: item[:2])][:1]
