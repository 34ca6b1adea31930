"""A whole record as passages, for a reader that is not given any: nothing is searched, nothing is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from schema.blocks import Unit, blocks_of, units_of
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
    for title, kind, start, end in blocks_of(document):
        for first, last in _windows(units_of(document, start, end, MAX_WORDS)):
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


def _windows(units: Iterator[Unit]) -> Iterator[tuple[int, int]]:
    first, last, held = 0, 0, 0
    for start, end, words in units:
        if held and held + words > MAX_WORDS:
            yield first, last
            held = 0
        first, last, held = (start if not held else first), end, held + words
    if held:
        yield first, last
