"""Which event a date or a time belongs to: "22h07 : ponction artérielle", "Ponction    14:05", "opérée le 12/03".

In a line that tells several events, each time goes to the event that stands nearest in the same clause; the events
that no table asks for (calls, imaging, entry into the room) are there to take theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from generator.rules.annotate import Annotated
from generator.rules.events import WEAK, rival_concepts
from generator.rules.matcher import Hit
from schema.document import DateKind, DateMention

#: What a gap costs, in characters: a mark between an event and its time, a clause that ends between them.
_COMMA, _STOP, _OTHER_TIME, _AFTER, _TOO_FAR = 30, 100, 60, 10, 95
_STOPS = re.compile(r"[;!?|]|(?<!\bm)(?<!\bmr)(?<!\bmme)(?<!\bdr)\.(?=\s|$)")
_COMMAS = re.compile(r",(?!\d)")
#: What stands in brackets between an event and its time: "Ténectéplase (47 kg, 12 mg), faite à 13h22".
_ASIDE = re.compile(r"\([^()]*\)")
_CLOCK_LEADS = re.compile(r"^\s*(?:[:|=>→-]\s*)+$|^\s{2,}$|^\t+$")
_CLAUSE_START = re.compile(r"(?:^|[\n;|(•*/-]|[.,:]\s|\bet|\bpuis|\ba|\bvers|\bdes)\s*$")
#: A form's dots between a name and its value: they end no sentence.
_LEADERS = re.compile(r"(?:\.{2,}|…|_{2,})\s*$")
_DOTS = re.compile(r"\.{2,}|…|_{2,}")
_DURATION_BEFORE = re.compile(
    r"\b(?:delais?|durees?|temps|soit|pendant|durant|intervalle|moins d[e']|plus d[e']|en|toutes les|"
    r"(?:door|onset|ponction|imagerie|debut)\s?(?:-|to|/)\s?\w+)\s*[:=(]?\s*(?:d[e']\s?|environ\s|~\s?)*$"
)
_DURATION_AFTER = re.compile(
    r"^\s*(?:apres (?:le|la|l'|les|un|son|sa)\b|"
    r"de (?:procedure|geste|delai|seringue|perfusion|pse|duree)|plus tard|avant (?:le|la|l')|d'evolution)"
)
_ANNOUNCED = re.compile(r"\b(?:a|vers|des|heure)\s*[:=]?\s*$")
#: "Décision de thrombolyse à 15h20": the time is that of the decision.
_ONLY_DECIDED = re.compile(
    r"\b(?:decision|indication|accord|feu vert|prescription|discussion|alerte|demande|proposition|filiere|appel)s?\s+"
    r"(?:de|d'|pour|a)\s*(?:la |le |une? |l')?$"
)
_REFUSED = re.compile(
    r"\b(?:au lieu d[eu]|et non(?: pas)?|non pas|plutot que|et pas|"
    r"initialement note\w*|errone\w*)\s*[:\"]?\s*(?:a|de|le)?\s*$"
)
_CORRECTION = re.compile(
    r"\b(?:addendum|erratum|rectificati\w+|correcti\w+|corrig\w+|erron\w+|erreur|fausses?|faux|inexact\w*|en realite|"
    r"apres (?:relecture|verification)|lire|rectifi\w+)\b"
)


@dataclass(frozen=True, slots=True)
class Timed:
    """An event and the date or time that belongs to it.

    ``cost`` grows with the distance between the two; ``weak``: the event is named by a weak form; ``corrects``: the
    sentence or the one before says that it mends what was written elsewhere.
    """

    hit: Hit
    mention: DateMention
    cost: int
    weak: bool
    corrects: bool


def times_of(document: Annotated, concepts: Sequence[str], rivals: Sequence[str] = ()) -> Iterator[Timed]:
    """The times of day that belong to any of these matcher concepts; ``rivals`` take those nearer to them."""
    mentions = [mention for mention in document.document.dates if mention.clock is not None]
    yield from _owned(document, concepts, rivals, mentions)


def days_of(document: Annotated, concepts: Sequence[str], rivals: Sequence[str] = ()) -> Iterator[Timed]:
    """The complete dates, relative dates and day offsets that belong to any of these matcher concepts."""
    mentions = [m for m in document.document.dates if m.kind is DateKind.DAY_OFFSET or (m.date and m.date.is_complete)]
    yield from _owned(document, concepts, rivals, mentions)


def _owned(
    document: Annotated, concepts: Sequence[str], rivals: Sequence[str], mentions: Sequence[DateMention]
) -> Iterator[Timed]:
    if not any(document.find(concept) for concept in concepts):
        return
    owned: dict[Hit, tuple[int, DateMention]] = {}
    for mention in mentions:
        if is_duration(document, mention):
            continue
        low, high = span_of(document, mention)
        if not any(True for concept in concepts for _ in document.within(concept, low, high)):
            continue
        best: tuple[int, Hit] | None = None
        for concept in dict.fromkeys((*concepts, *rival_concepts(), *rivals)):
            for hit in document.within(concept, low, high):
                cost = _cost(document, hit, mention)
                # At equal distance the longer form is the more telling one ("fin de thrombolyse", "thrombolyse").
                if cost < _TOO_FAR and (
                    best is None or (cost, hit.start - hit.end) < (best[0], best[1].start - best[1].end)
                ):
                    best = (cost, hit)
        if best and best[1].concept in concepts and not _ONLY_DECIDED.search(_lead(document, best[1])):
            cost, hit = best
            # In a row of names and times, a name that has its own time leaves the others to their names.
            if hit not in owned or cost < owned[hit][0]:
                owned[hit] = (cost, mention)
    for hit, (cost, mention) in owned.items():
        yield Timed(hit, mention, cost, hit.concept.endswith(WEAK), is_correction(document, mention.start))


def _lead(document: Annotated, hit: Hit) -> str:
    return document.folded[max(0, hit.start - 30) : hit.start]


def span_of(document: Annotated, mention: DateMention) -> tuple[int, int]:
    """The sentence of a date; a date alone on its line, or after the dots of a form, also reads what comes before it
    ("Heure de ponction ⏎ 14:05", "Ponction ....... 14:05")."""
    text, sentences = document.folded, document.sentences
    index = document.sentence_of(mention.start)
    low, high = sentences[index]
    alone = not text[low : mention.start].strip(" :-•\t") and not text[mention.end : high].strip(" .")
    if index and (alone or _LEADERS.search(text, sentences[index - 1][0], mention.start)):
        low = sentences[index - 1][0]
    return low, high


def without_dots(text: str) -> str:
    """The text without the dots that a form draws between a name and its value."""
    return _DOTS.sub(" ", text)


def is_duration(document: Annotated, mention: DateMention) -> bool:
    """Whether what looks like a time of day is a length of time, or a time that the sentence itself takes back."""
    if mention.clock is None or mention.kind is not DateKind.CLOCK:
        return bool(_REFUSED.search(document.folded, max(0, mention.start - 40), mention.start))
    before = document.folded[max(0, mention.start - 40) : mention.start]
    after = document.folded[mention.end : mention.end + 30]
    lasts = _DURATION_BEFORE.search(before) or (_DURATION_AFTER.match(after) and not _ANNOUNCED.search(before))
    return bool(lasts or _REFUSED.search(before))


def is_correction(document: Annotated, position: int) -> bool:
    """Whether the paragraph up to this position says that it mends what was written before."""
    start = document.folded.rfind("\n", 0, position) + 1
    return bool(_CORRECTION.search(document.folded, max(start, position - 400), position))


def _cost(document: Annotated, hit: Hit, mention: DateMention) -> int:
    """Distance between an event and a time, in characters, more across punctuation and other times."""
    text = document.folded
    if hit.end <= mention.start:
        low, high, cost = hit.end, mention.start, 0
    elif mention.end <= hit.start:
        low, high = mention.end, hit.start
        gap = text[low:high]
        leads = bool(_CLAUSE_START.search(text, max(0, mention.start - 12), mention.start))
        if _CLOCK_LEADS.match(gap) and leads:
            return 1
        cost = _AFTER if leads else 3 * _AFTER
    else:
        return 0
    gap = _ASIDE.sub(" ", without_dots(text[low:high]))
    if gap.strip() == "|":
        return cost
    others = sum(1 for other in document.dates_in(low, high) if other.end <= high)
    stops = len(_STOPS.findall(gap)) + gap.count("\n") * (0 if not gap.strip(" :\n\t-") else 1)
    return cost + len(gap.strip()) + _COMMA * len(_COMMAS.findall(gap)) + _STOP * stops + _OTHER_TIME * others
