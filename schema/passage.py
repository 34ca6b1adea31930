"""Passages: the unit that is indexed, retrieved and shown to a reader."""

from __future__ import annotations

from dataclasses import dataclass

from schema.document import PartialDate, Span


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of one document (``span``, positions in ``Document.text``) with what is needed to cite it.

    ``score`` and ``rank`` (from 1) are set by the retriever that found it, whose name is ``method``;
    ties are broken by document_id, then start.
    """

    patient_id: str
    span: Span
    text: str
    document_type: str
    written_on: PartialDate | None
    section: str = ""
    score: float = 0.0
    rank: int = 0
    method: str = ""
