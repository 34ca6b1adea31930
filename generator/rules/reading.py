"""What readers produce: readings (one value, at one place, at one moment) and the answer drawn from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from generator.rules.annotate import Annotated
from generator.rules.cite import Cite as Cite
from generator.rules.episode import Moment, Timeline
from schema.passage import Passage
from schema.value import ExtractedValue, Status, Value

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Reading:
    """One value read at one place.

    ``weight`` says how directly the place answers (1.0: plainly); readings of one value add up in `policies`.
    """

    value: Value
    cites: tuple[Cite, ...]
    moment: Moment
    weight: float = 1.0

    @property
    def document(self) -> Annotated:
        """The document that holds the first cite."""
        return self.cites[0].document


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reader concludes for one variable of one patient."""

    status: Status
    value: Value | None = None
    cites: tuple[Cite, ...] = ()
    confidence: float = 0.0
    candidates: tuple[Value, ...] = ()
    explanation: str = ""

    def extracted(self, patient_id: str, variable: str) -> ExtractedValue:
        """The answer with its evidence taken back to the user's own texts."""
        evidence = dict.fromkeys(cite.evidence() for cite in self.cites)
        return ExtractedValue(
            patient_id, variable, self.status, self.value, self.confidence, tuple(evidence), self.candidates,
            self.explanation,
        )  # fmt: skip


SILENT = Answer(Status.NOT_MENTIONED)


class PatientView:
    """One patient's documents, annotated, oldest first, with the timeline that dates what they say."""

    def __init__(self, documents: Sequence[Annotated], timeline: Timeline) -> None:
        self.documents = tuple(documents)
        self.timeline = timeline
        self._found: dict[str, Any] = {}

    def once(self, name: str, find: Callable[[PatientView], Found]) -> Found:
        """``find(self)``, computed for the first variable that asks and kept for the others."""
        if name not in self._found:
            self._found[name] = find(self)
        found: Found = self._found[name]
        return found

    def readable(self, cites: Iterable[Cite]) -> tuple[Cite, ...]:
        """Those of the timeline's cites that lie in what may be read, as places of this view's documents."""
        seen = {document.document.document_id: document for document in self.documents}
        placed = ((seen.get(cite.document.document.document_id), cite) for cite in cites)
        return tuple(
            Cite(document, cite.start, cite.end)
            for document, cite in placed
            if document and document.is_readable(cite.start, cite.end)
        )

    def limited_to(self, passages: Sequence[Passage]) -> PatientView:
        """The same patient seen through a few passages only; the timeline stays that of the whole record."""
        spans: dict[str, list[tuple[int, int]]] = {}
        for passage in passages:
            spans.setdefault(passage.span.document_id, []).append((passage.span.start, passage.span.end))
        kept = [d.limited_to(spans[d.document.document_id]) for d in self.documents if d.document.document_id in spans]
        return PatientView(kept, self.timeline)
