"""The places of a record that quotes show: the quote itself, its sentences, the list or the section that holds it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from generator.llm.ground import Located
from generator.rules.annotate import Annotated
from generator.rules.reading import PatientView
from schema.document import Span
from schema.passage import Passage


@dataclass(frozen=True, slots=True)
class Shown:
    """A quote at [start, end) of a document, and the sentences that it touches, [low, high)."""

    document: Annotated
    start: int
    end: int
    low: int
    high: int

    @property
    def words(self) -> str:
        """The quote, folded."""
        return self.document.folded[self.start : self.end]

    @property
    def sentence(self) -> str:
        """The sentences, folded."""
        return self.document.folded[self.low : self.high]

    @property
    def coverage(self) -> float:
        """The share of its sentences that the quote shows."""
        return (self.end - self.start) / max(1, self.high - self.low)


def shown_by(view: PatientView, quotes: Iterable[Located]) -> list[Shown]:
    """The places of quotes in the documents of a view; those of other documents are left out."""
    documents = {document.document.document_id: document for document in view.documents}
    places = []
    for quote in quotes:
        document = documents.get(quote.passage.span.document_id)
        if document is not None:
            places.append(place_of(document, quote.start, quote.end))
    return places


def place_of(document: Annotated, start: int, end: int) -> Shown:
    """A quote at [start, end) with the sentences that it touches."""
    low = document.sentences[document.sentence_of(start)][0]
    high = document.sentences[document.sentence_of(max(start, end - 1))][1]
    return Shown(document, start, end, min(low, start), max(high, end))


def limited_to(view: PatientView, spans: Sequence[tuple[Annotated, int, int]]) -> PatientView:
    """The patient seen through these stretches only."""
    return view.limited_to([_passage(document, low, high) for document, low, high in spans])


def quotes_alone(view: PatientView, places: Sequence[Shown]) -> PatientView:
    """The patient seen through the quotes only; what is said of them may stand in their sentences."""
    return limited_to(view, [(place.document, place.start, place.end) for place in places])


def sentences_alone(view: PatientView, places: Sequence[Shown]) -> PatientView:
    """The patient seen through the sentences of the quotes only."""
    return limited_to(view, [(place.document, place.low, place.high) for place in places])


def with_sentence_before(view: PatientView, places: Sequence[Shown]) -> tuple[PatientView, PatientView]:
    """The patient seen through the sentences of the quotes and those before them; and through those before alone."""
    before = [span for place in places if (span := _sentence_before(place)) is not None]
    own = [(place.document, place.low, place.high) for place in places]
    return limited_to(view, [*before, *own]), limited_to(view, before)


def with_line_before(place: Shown) -> tuple[int, int]:
    """The bounds of a quote's sentences and of the one before them in their section."""
    before = _sentence_before(place)
    return (before[1] if before else place.low), place.high


def with_text_before(view: PatientView, places: Sequence[Shown], reach: int) -> PatientView:
    """The patient seen through the quotes and so many characters before each, within its section."""
    spans = [(p.document, max(p.start - reach, p.document.section_of(p.start).start), p.end) for p in places]
    return limited_to(view, spans)


def _sentence_before(place: Shown) -> tuple[Annotated, int, int] | None:
    document = place.document
    index = document.sentence_of(place.low)
    if index == 0 or document.section_of(document.sentences[index - 1][0]) != document.section_of(place.low):
        return None
    return (document, *document.sentences[index - 1])


def _passage(document: Annotated, start: int, end: int) -> Passage:
    source = document.document
    span = Span(source.document_id, start, end)
    return Passage(source.patient_id, span, source.text[start:end], source.type, source.written_on)
