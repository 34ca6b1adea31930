"""One patient: documents as given -> the lines that a de-identification writes."""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from rag.corpus.build import build_document
from rag.corpus.clean import clean
from rag.corpus.dates import find_dates
from rag.deid.calendar import Reference, complete_dates, dates_extent
from rag.deid.keys import PatientKey, Secret
from rag.deid.policy import Action, Policy
from rag.deid.redate import shift_month, shift_year
from rag.deid.replace import IdentifiedText, deidentify_patient
from rag.deid.sensitivity import Level
from rag.deid_files import PatientLines
from schema.document import DateKind, DateMention, Document, PartialDate, RawDocument
from schema.phi import KnownIdentity, PhiEntity, PhiLabel
from schema.problem import Problem

_DATES = (PhiLabel.DATE, PhiLabel.DATE_NAISSANCE)
_NAMES = (PhiLabel.NOM, PhiLabel.PRENOM)
_SHORTEST_TELLING = 3  # letters of a name worth looking for in an identifier
#: A day that the date after it lends its month: "22" in "du 22 au 29 octobre".
_DAY = re.compile(r"\d{1,2}(?:er)?")
_DATE_IN_NAME = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d[-_. ]?[01]\d[-_. ]?[0-3]\d|[0-3]\d[-_. ]?[01]\d[-_. ]?(?:19|20)\d\d)(?!\d)"
)


class Detector(Protocol):
    """Finds the identifying spans of one patient's documents."""

    def detect(self, documents: Sequence[RawDocument], known: KnownIdentity | None) -> Sequence[Sequence[PhiEntity]]:
        """The spans of each document, in order, without overlap, in its text as given."""
        ...


@dataclass(frozen=True, slots=True)
class PatientDeidentifier:
    """De-identifies one patient at a time.

    Args:
        earlier: entries of the key of earlier runs, by patient; they are followed.
        identities: by patient.
    """

    detector: Detector
    policy: Policy
    secret: Secret
    earlier: dict[str, PatientKey]
    identities: dict[str, KnownIdentity]

    def read(self, place: int, documents: Sequence[RawDocument]) -> PatientLines:
        """De-identify the documents of one patient (at least one): their titles, texts and dates."""
        patient_id = documents[0].patient_id
        titles = [replace(raw, text=raw.title or "") for raw in documents]
        found = self.detector.detect([*documents, *titles], self.identities.get(patient_id))
        built = [build_document(raw, _ignore) for raw in documents]
        texts = [
            _identified(raw.text, one, entities) for raw, one, entities in zip(documents, built, found, strict=False)
        ]
        for raw, one, entities in zip(titles, built, found[len(documents) :], strict=True):
            texts.append(_identified_title(raw, one, entities))
        misread = functools.partial(_misread, built)
        done = deidentify_patient(patient_id, texts, self.policy, self.secret, self.earlier.get(patient_id), misread)
        rows = [
            {
                "patient_id": patient_id,
                "document_id": raw.document_id,
                "date": self._date(raw, one.written_on, done.key.shift_days),
                "type": raw.type,
                "title": done.texts[len(documents) + number].text or None,
                "text": done.texts[number].text,
            }
            for number, (raw, one) in enumerate(zip(documents, built, strict=True))
        ]
        labels = Counter(entity.label.value for text in texts[: len(documents)] for entity in text.entities)
        return PatientLines(
            place,
            patient_id,
            tuple(rows),
            tuple(_spans_line(raw, text) for raw, text in zip(documents, texts, strict=False)),
            done.key.to_json(),
            dict(labels),
            {level.value: count for level, count in done.levels.items()},
            tuple(_problems(patient_id, texts)),
            tuple(_telling(documents, texts)),
        )

    def _date(self, raw: RawDocument, written_on: PartialDate | None, shift: int) -> str | None:
        """The document's date as its text's dates are treated; the one read in its text or name is then given."""
        match self.policy.action(PhiLabel.DATE, Level.IDENTIFYING):
            case Action.MASK:
                return None
            case Action.KEEP:
                return raw.date
        return str(_shifted(written_on, shift)) if written_on else None


def _ignore(_: Problem) -> None:
    """Doubts about dates are for those who read the documents."""


def _shifted(date: PartialDate, days: int) -> PartialDate:
    whole = date.to_date()
    if whole:
        return PartialDate.of(whole + dt.timedelta(days=days))
    if date.month:
        return PartialDate(*shift_month(date.year, date.month, days))
    return PartialDate(shift_year(date.year, days))


def _misread(built: Sequence[Document], texts: Sequence[str], days: int) -> int:
    """How many dates of the documents `rag.corpus` reads otherwise once they have moved; titles do not count."""
    count = 0
    for document, text in zip(built, texts, strict=False):
        readable, _ = clean(text)
        moved = find_dates(readable, document.written_on and _shifted(document.written_on, days))
        expected = Counter((_shifted(m.date, days), m.clock) for m in _absolute(document.dates) if m.date)
        read = Counter((m.date, m.clock) for m in _absolute(moved) if m.date)
        count += (expected - read).total() + (read - expected).total()
    return count


def _absolute(mentions: Sequence[DateMention]) -> list[DateMention]:
    return [mention for mention in mentions if mention.kind is DateKind.ABSOLUTE and mention.date]


def _identified(text: str, document: Document, entities: Sequence[PhiEntity]) -> IdentifiedText:
    """A text with its spans, completed by the dates that a reader of the corpus finds in it."""
    written = document.written_on
    mentions = _absolute(document.dates)
    written_on = written.earliest() if written else None
    years = {}
    for mention in mentions:
        date = mention.date
        place = slice(*_place(document, mention.start, mention.end))
        if date and date.month and date.day and not complete_dates(text[place], Reference(written_on)):
            years[date.month, date.day] = date.year
    reference = Reference(written_on, years)
    return IdentifiedText(
        text,
        _with_dates(text, document, mentions, entities, reference),
        reference,
        tuple(_place(document, start, end) for start, end in document.sentences),
        tuple(_place(document, section.start, section.end) for section in document.sections if section.kind),
    )


def _identified_title(raw: RawDocument, document: Document, entities: Sequence[PhiEntity]) -> IdentifiedText:
    written = document.written_on
    title = build_document(replace(raw, date=str(written) if written else None), _ignore)
    return replace(_identified(raw.text, title, entities), clinical=())


def _place(document: Document, start: int, end: int) -> tuple[int, int]:
    span = document.locate(start, end)
    return span.start, span.end


def _with_dates(
    text: str,
    document: Document,
    mentions: Sequence[DateMention],
    entities: Sequence[PhiEntity],
    reference: Reference,
) -> tuple[PhiEntity, ...]:
    """The spans in order, with those of dates that `rag.corpus` reads and that were not among them.

    What is read as a date later must move with the others, or the order of events would change.
    """
    found = sorted(entities)
    starts = [entity.start for entity in found]
    added = []
    for mention in mentions:
        start, end = _place(document, mention.start, mention.end)
        extent = dates_extent(text[start:end], reference)
        if extent:
            start, end = start + extent[0], start + extent[1]
        elif not _DAY.fullmatch(text[start:end]):
            continue
        before = bisect_left(starts, end) - 1
        if before < 0 or found[before].end <= start:
            added.append(PhiEntity(start, end, PhiLabel.DATE))
    return tuple(sorted([*found, *added]))


def _spans_line(raw: RawDocument, text: IdentifiedText) -> str:
    spans = [
        {"label": e.label.value, "start": e.start, "end": e.end, "text": text.text[e.start : e.end]}
        for e in text.entities
    ]
    row = {"document_id": raw.document_id, "patient_id": raw.patient_id, "entities": spans}
    return json.dumps(row, ensure_ascii=False) + "\n"


def _problems(patient_id: str, texts: Sequence[IdentifiedText]) -> Iterator[Problem]:
    identifier = _bare(patient_id)
    for text in texts:
        for entity in text.entities:
            if entity.label not in _DATES and _bare(text.text[entity.start : entity.end]) == identifier:
                what = f"this patient_id stands in the documents as an identifier ({entity.label}), and is kept."
                remedy = "Give patients identifiers of the study, and keep their list apart."
                yield Problem(f"patient {patient_id!r}", what, remedy, lost=False)
                return


def _telling(documents: Sequence[RawDocument], texts: Sequence[IdentifiedText]) -> Iterator[str]:
    """Identifiers of documents that hold a date, or a name found in the texts."""
    names = {
        _bare(text.text[entity.start : entity.end])
        for text in texts
        for entity in text.entities
        if entity.label in _NAMES
    }
    for raw in documents:
        words = {_bare(word) for word in re.split(r"[\W_\d]+", raw.document_id)}
        if _DATE_IN_NAME.search(raw.document_id) or any(len(w) >= _SHORTEST_TELLING for w in words & names):
            yield raw.document_id


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()
