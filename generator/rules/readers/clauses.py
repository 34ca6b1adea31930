"""Clauses: the part of a sentence that says one thing, and whether what it says belongs to another episode."""

from __future__ import annotations

import datetime as dt
import re

from generator.rules.annotate import Annotated
from generator.rules.cues import PREFIX
from generator.rules.episode import Phase
from generator.rules.reading import PatientView
from schema.document import DateKind

_STOP = re.compile(
    r"[;\n|]|\s=+>|\s->|→|\b(?:mais|cependant|toutefois|alors que|tandis que|en revanche|par contre|malgre|hormis)\b"
)
_PAST_SECTIONS = ("antecedents", "antecedents_familiaux", "facteurs_risque", "traitement_entree", "mode_de_vie")
#: Words that end a history written on one line with the present.
_TODAY = re.compile(r"\b(?:ce jour|ce matin|ce soir|aujourd'hui|hdm|actuellement)\b")
#: A date after this belongs to another thing: "origine ischémique (IDM en 2014)".
_OTHER_THING = re.compile(r"\(\s*[a-z]{3,}")
#: "antérieur" is a place after these, a time elsewhere: "cérébrale antérieure", "paroi antérieure".
_PLACE_NOT_TIME = re.compile(
    r"(?:cerebr\w+|communicantes?|choroidiennes?|artere|territoires?|circulation|paroi|insula|temporale?|frontale?|"
    r"capsule interne|bras|voie|cruciat\w*|croise|tibiale?|face|fosse|cornes?|sylvien\w*|carotidien\w*|profond|"
    r"superficiel\w*|et|pole|partie|portion|lobe|gyrus)\s+$"
)


def clause_of(document: Annotated, start: int, end: int) -> tuple[int, int]:
    """The clause around [start, end): its sentence, cut at semicolons, arrows and words of contrast."""
    low, high = document.sentences[document.sentence_of(start)]
    text = document.folded
    for stop in _STOP.finditer(text, low, start):
        low = stop.end()
    after = _STOP.search(text, max(end, low), high)
    return low, after.start() if after else max(high, end)


def is_stale(view: PatientView, document: Annotated, start: int, end: int) -> bool:
    """Whether what stands at [start, end) tells of an earlier episode: by its document, section, date or words."""
    if view.timeline.document_phase(document) is Phase.BEFORE:
        return True
    if document.in_section(start, _PAST_SECTIONS):
        return not _TODAY.search(document.folded, document.section_of(start).start, start)
    low, high = clause_of(document, start, end)
    admission = view.timeline.episode.admission
    if admission:
        for mention in document.dates_in(low, high):
            if mention.kind is DateKind.RELATIVE or not mention.date:
                continue
            between = document.folded[min(end, mention.end) : max(start, mention.start)]
            if mention.date.latest() < admission - dt.timedelta(days=10) and not _OTHER_THING.search(between):
                return True
    return _said_old(document, start, end, low, high)


def _said_old(document: Annotated, start: int, end: int, low: int, high: int) -> bool:
    """Whether a word of age ("ancien", "séquelle de") stands beside, with no comma between."""
    text = document.folded
    for cue in document.within(PREFIX + "old_episode", max(low, start - 60), min(high, end + 60)):
        word = text[cue.start : cue.end]
        if word.startswith(("en ", "il y a")) or (cue.start < end and start < cue.end):
            continue
        if word.startswith("anterieur") and _PLACE_NOT_TIME.search(text, max(0, cue.start - 30), cue.start):
            continue
        between = text[cue.end : start] if cue.end <= start else text[end : cue.start]
        if not re.search(r"[,:(]|\bet\b|\bavec\b", between):
            return True
    return False
