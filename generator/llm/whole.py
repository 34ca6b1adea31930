"""A whole record as passages, for a reader that is not given any: nothing is searched, nothing is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from schema.concept import ConceptMention
from schema.document import Document, PatientRecord, Span
from schema.passage import Passage

#: Gives the concepts that a document names.
Mentions = Callable[[Document], Sequence[ConceptMention]]

#: A passage takes whole sentences of one section until the next one would take it past this many words: long enough
#: that its heading costs little, short enough that its number says where to look.
MAX_WORDS = 250


def whole_record(record: PatientRecord, mentions: Mentions | None = None) -> list[Passage]:
    """All the text of a record, once, in order of time then of the text.

    Every character that is not blank lies in one passage, and ``document.text[p.span.start : p.span.end] == p.text``.
    """
    return [
        passage for document in record.documents for passage in _cut(document, mentions(document) if mentions else ())
    ]


def _cut(document: Document, mentions: Sequence[ConceptMention]) -> Iterator[Passage]:
    for title, kind, start, end in _blocks(document):
        for first, last in _windows(_units(document, start, end)):
            yield Passage(
                patient_id=document.patient_id,
                span=Span(document.document_id, first, last),
                text=document.text[first:last],
                document_type=document.type,
                written_on=document.written_on,
                section=title,
                section_kind=kind,
                concepts=tuple(mention for mention in mentions if first <= mention.start and mention.end <= last),
            )


def _blocks(document: Document) -> Iterator[tuple[str, str, int, int]]:
    """The text cut at every border of a section: (title and kind of the innermost section or "", start, end)."""
    text, sections = document.text, document.sections
    borders = sorted({0, len(text), *(s.start for s in sections), *(s.end for s in sections)})
    for start, end in pairwise(borders):
        around = [section for section in sections if section.start <= start < section.end]
        innermost = max(around, key=lambda section: section.start, default=None)
        yield (innermost.title, innermost.kind, start, end) if innermost else ("", "", start, end)


def _units(document: Document, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """The sentences of one block and what lies between them, trimmed: (start, end, words); a long one is cut."""
    borders = {start, end}
    for sentence in document.sentences:
        borders.update(border for border in sentence if start < border < end)
    for left, right in pairwise(sorted(borders)):
        words = list(_words(document.text, left, right))
        for i in range(0, len(words), MAX_WORDS):
            piece = words[i : i + MAX_WORDS]
            yield piece[0][0], piece[-1][1], len(piece)


def _words(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    position = start
    for word in text[start:end].split():
        first = text.index(word, position, end)
        position = first + len(word)
        yield first, position


def _windows(units: Iterator[tuple[int, int, int]]) -> Iterator[tuple[int, int]]:
    first, last, held = 0, 0, 0
    for start, end, words in units:
        if held and held + words > MAX_WORDS:
            yield first, last
            held = 0
        first, last, held = (start if not held else first), end, held + words
    if held:
        yield first, last
