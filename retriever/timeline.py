"""Main path: PatientRecord -> EncodedTimeline, what a temporal model reads of one patient.

Only differences of dates are kept: a stay in 2009 and one in 2024 look alike.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from retriever.kinds import kind_of
from retriever.passages import passages
from schema.concept import ConceptMention
from schema.document import Document, PatientRecord
from schema.passage import Passage

if TYPE_CHECKING:
    from retriever.embed import Vectors

#: The vectors of passages of one patient, one row each, in their order, as `DenseIndex.vectors` gives them.
VectorsOf = Callable[[Sequence[Passage]], "Vectors"]


@dataclass(frozen=True)
class EncodedTimeline:
    """The documents of one patient in order of time, with their passages and the vectors of these.

    Args:
        document_ids: (T,) in the record's order: oldest first, undated last.
        first_day: the day that ``days`` counts from, None when no document is dated. A partial date stands for its
            first day.
        days: (T,) days since ``first_day``, never falling; an undated document has the day of the one before it.
        dated: (T,) whether a date is known, be it partial.
        kinds: (T,) places in `retriever.kinds.KINDS`.
        passages: (N,) by document in their order, then start. A document without text has none.
        owner: (N,) the document of each passage: places in [0, T), never falling.
        vectors: (N, d) the encoder's, of norm 1 (0 for a passage without words).
    """

    patient_id: str
    document_ids: tuple[str, ...]
    first_day: dt.date | None
    days: NDArray[np.float32]
    dated: NDArray[np.bool_]
    kinds: NDArray[np.int64]
    passages: tuple[Passage, ...]
    owner: NDArray[np.int64]
    vectors: Vectors


def encode_timeline(
    record: PatientRecord,
    vectors_of: VectorsOf,
    concepts: Mapping[str, Sequence[ConceptMention]] | None = None,
    as_of: dt.date | None = None,
) -> EncodedTimeline:
    """Cut the documents of a record into passages and encode them.

    Args:
        vectors_of: called once, with all passages in the timeline's order.
        concepts: mentions by document_id, which the passages then carry.
        as_of: read only documents surely written by that day, see `surely_written_by`.

    Raises:
        ValueError: ``vectors_of`` gave another number of vectors than it was given passages.
    """
    documents = [document for document in record.documents if surely_written_by(document, as_of)]
    cut = [passages(document, (concepts or {}).get(document.document_id, ())) for document in documents]
    found = [passage for of_document in cut for passage in of_document]
    starts = [document.written_on.earliest() for document in documents if document.written_on]
    first_day = min(starts, default=None)
    return EncodedTimeline(
        patient_id=record.patient_id,
        document_ids=tuple(document.document_id for document in documents),
        first_day=first_day,
        days=np.asarray(_days(documents, first_day), dtype=np.float32),
        dated=np.asarray([document.written_on is not None for document in documents], dtype=np.bool_),
        kinds=np.asarray([kind_of(document.type, document.title) for document in documents], dtype=np.int64),
        passages=tuple(found),
        owner=np.repeat(np.arange(len(documents), dtype=np.int64), [len(of_document) for of_document in cut]),
        vectors=_vectors(vectors_of, found),
    )


def extend_timeline(
    timeline: EncodedTimeline,
    document: Document,
    vectors_of: VectorsOf,
    mentions: Sequence[ConceptMention] = (),
) -> EncodedTimeline:
    """The timeline with one more document at its end; only that document is cut and encoded.

    Equal to `encode_timeline` of the record with that document, wherever that record has it last.

    Raises:
        ValueError: the document is another patient's, or its place is not the last (older than the last one, or dated
            where the last one is not); encode the whole record again.
    """
    if document.patient_id != timeline.patient_id:
        raise ValueError(f"a document of {document.patient_id} does not go with those of {timeline.patient_id}")
    if document.written_on and len(timeline.dated) and not timeline.dated[-1]:
        raise ValueError(f"{document.document_id} is dated and comes before undated ones; encode the record again")
    first_day = timeline.first_day or (document.written_on.earliest() if document.written_on else None)
    last = float(timeline.days[-1]) if len(timeline.days) else 0.0
    day = _days([document], first_day, last)[0]
    if day < last:
        raise ValueError(
            f"{document.document_id} is {last - day:.0f} days older than the last one; encode it all again"
        )
    found = passages(document, mentions)
    return EncodedTimeline(
        patient_id=timeline.patient_id,
        document_ids=(*timeline.document_ids, document.document_id),
        first_day=first_day,
        days=np.append(timeline.days, np.float32(day)),
        dated=np.append(timeline.dated, document.written_on is not None),
        kinds=np.append(timeline.kinds, kind_of(document.type, document.title)),
        passages=(*timeline.passages, *found),
        owner=np.append(timeline.owner, np.full(len(found), len(timeline.document_ids), dtype=np.int64)),
        vectors=np.concatenate([timeline.vectors, _vectors(vectors_of, found)]) if found else timeline.vectors,
    )


def surely_written_by(document: Document, as_of: dt.date | None) -> bool:
    """Whether a document was written no later than a day, whatever its date leaves open; always so for no day.

    An undated document may come from the future, and so may one dated "2021" when the day is in June 2021.
    """
    if as_of is None:
        return True
    return document.written_on is not None and document.written_on.latest() <= as_of


def _days(documents: Sequence[Document], first_day: dt.date | None, before: float = 0.0) -> list[float]:
    """Days since ``first_day``; an undated document takes the day of the one before it."""
    days = []
    for document in documents:
        if document.written_on is not None and first_day is not None:
            before = float((document.written_on.earliest() - first_day).days)
        days.append(before)
    return days


def _vectors(vectors_of: VectorsOf, found: Sequence[Passage]) -> Vectors:
    vectors = np.asarray(vectors_of(found), dtype=np.float32)
    if len(vectors) != len(found):
        raise ValueError(f"{len(found)} passages were given {len(vectors)} vectors")
    return vectors
