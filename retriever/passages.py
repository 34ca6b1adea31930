"""Main path: Document -> passages, the unit that is indexed, retrieved and shown.

A passage is a window of whole sentences of one section. It starts with the last sentence of the passage before
it, so that "Pas de diabète. Ni HTA." is never read with its beginning cut off.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from schema.blocks import Unit, blocks_of, units_of
from schema.concept import ConceptMention
from schema.document import Document, Span
from schema.passage import Passage

#: A window is filled with sentences until the next one would take it past this many words.
MAX_WORDS = 90
#: A sentence is repeated at the start of the next window only when it is at most this long: an overlap of one
#: sentence costs a third of a window, never all of it.
MAX_OVERLAP_WORDS = 30

#: What an index was built with: a difference means that its passages are not ours.
PASSAGE_SETTINGS = {"max_words": MAX_WORDS, "max_overlap_words": MAX_OVERLAP_WORDS, "version": 1}


def passages(document: Document, mentions: Sequence[ConceptMention] = ()) -> list[Passage]:
    """Cut a document into windows of about 60 to 90 words, in order of their start.

    Windows hold whole sentences and never run over a section's border; a section shorter than a window is a
    passage of its own. A single sentence of more than 90 words (a table, a list without stops) is cut at a blank.
    A section's title belongs to its first passage. Every character that is not blank belongs to a passage.

    Args:
        mentions: concepts of the document; each goes with the passages that hold it whole.

    Returns:
        Passages with ``document.text[p.span.start : p.span.end] == p.text``; none when the text is blank.
    """
    found: list[Passage] = []
    ordered = sorted(mentions, key=lambda mention: mention.start)
    starts = [mention.start for mention in ordered]
    for title, kind, start, end in blocks_of(document):
        for first, last in _windows(list(units_of(document, start, end, MAX_WORDS))):
            found.append(
                Passage(
                    patient_id=document.patient_id,
                    span=Span(document.document_id, first, last),
                    text=document.text[first:last],
                    document_type=document.type,
                    written_on=document.written_on,
                    section=title,
                    section_kind=kind,
                    concepts=tuple(
                        mention
                        for mention in ordered[bisect_left(starts, first) : bisect_left(starts, last)]
                        if mention.end <= last
                    ),
                )
            )
    return found


def _windows(units: list[Unit]) -> Iterator[tuple[int, int]]:
    """Fill windows in order; each takes at least one sentence that no window before it held."""
    i = 0
    while i < len(units):
        start, end, words = units[i]
        if i > 0 and units[i - 1][2] <= MAX_OVERLAP_WORDS and units[i - 1][2] + words <= MAX_WORDS:
            start, words = units[i - 1][0], words + units[i - 1][2]
        i += 1
        while i < len(units) and words + units[i][2] <= MAX_WORDS:
            end, words = units[i][1], words + units[i][2]
            i += 1
        yield start, end
