"""Main path of the corpus: a document as found becomes a document ready to be read."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from rag.corpus.clean import clean
from rag.corpus.dates import find_dates
from rag.corpus.document_type import infer_type
from rag.corpus.note_date import note_date, parse_date
from rag.corpus.sections import find_sections
from rag.corpus.sentences import sentences
from schema.document import Document, RawDocument
from schema.problem import Problem


def build_document(raw: RawDocument, on_problem: Callable[[Problem], None], today: dt.date | None = None) -> Document:
    """Clean the text, find its sections, sentences and dates, and infer what was not given.

    Doubts about the date (``today`` or later among them) go to ``on_problem``; the document is built all the same.
    """
    text, origins = clean(raw.text)
    sections = find_sections(text)
    given = parse_date(raw.date) if raw.date else None
    dates = find_dates(text, given)
    written = note_date(raw, text, dates, today)
    if written.problem:
        on_problem(written.problem)
    if written.date != given:
        dates = find_dates(text, written.date)
    kind = (raw.type or "").strip()
    inferred_kind = "" if kind else infer_type(raw.title, raw.document_id, text)
    inferred = [name for name, done in (("date", written.inferred), ("type", bool(inferred_kind))) if done]
    return Document(
        patient_id=raw.patient_id,
        document_id=raw.document_id,
        type=kind or inferred_kind,
        title=(raw.title or "").strip(),
        written_on=written.date,
        text=text,
        source_text=raw.text,
        sections=sections,
        sentences=sentences(text, sections),
        dates=dates,
        inferred=tuple(inferred),
        origins=origins,
    )


def write_corpus(documents: Iterable[Document], path: Path) -> int:
    """Write one JSON line per document and say how many were written.

    The text is the one given; the positions of the sections are in the readable text. `read_documents` reads the
    file again, with the same identifiers and texts.
    """
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for document in documents:
            line = {
                "patient_id": document.patient_id,
                "document_id": document.document_id,
                "date": str(document.written_on) if document.written_on else None,
                "type": document.type or None,
                "title": document.title or None,
                "text": document.source_text,
                "inferred": list(document.inferred),
                "sections": [
                    {"title": s.title, "kind": s.kind, "start": s.start, "end": s.end} for s in document.sections
                ],
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            count += 1
    return count
