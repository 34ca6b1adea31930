"""A patient's documents in order of time."""

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from retriever.kinds import KINDS
from retriever.timeline import EncodedTimeline, encode_timeline, extend_timeline, surely_written_by
from schema.concept import Concept, ConceptMention
from schema.document import Document, PartialDate, PatientRecord
from schema.passage import Passage

TEXT = "NIHSS à 14. Aphasie.\n"


def vectors_of(passages: Sequence[Passage]) -> NDArray[np.float32]:
    """Four numbers that depend on the text alone."""
    rows = [[len(p.text), p.text.count("a"), p.text.count(" "), 1.0] for p in passages]
    found = np.asarray(rows, dtype=np.float32).reshape(len(rows), 4)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def document(name: str, date: str | None, text: str = TEXT, kind: str = "crh", patient: str = "P1") -> Document:
    written = PartialDate.parse(date) if date else None
    return Document(patient, name, kind, "", written, text, text, sentences=((0, len(text)),) if text else ())


def timeline_of(*documents: Document, as_of: dt.date | None = None) -> EncodedTimeline:
    return encode_timeline(PatientRecord.of("P1", documents), vectors_of, as_of=as_of)


def same(one: EncodedTimeline, other: EncodedTimeline) -> bool:
    return all(
        np.array_equal(a, b) and a.dtype == b.dtype if isinstance(a, np.ndarray) else a == b
        for a, b in ((getattr(one, field.name), getattr(other, field.name)) for field in fields(EncodedTimeline))
    )


def test_documents_are_in_order_of_time_and_passages_follow_them() -> None:
    timeline = timeline_of(
        document("a", "2021-06-16", "Un.", "imagerie"),
        document("b", None, "Deux."),
        document("c", "2021-06-14", "Trois."),
    )
    assert timeline.document_ids == ("c", "a", "b")
    assert timeline.first_day == dt.date(2021, 6, 14)
    assert timeline.days.tolist() == [0, 2, 2]
    assert timeline.dated.tolist() == [True, True, False]
    assert [KINDS[kind] for kind in timeline.kinds] == ["crh", "imagerie", "crh"]
    assert [p.text for p in timeline.passages] == ["Trois.", "Un.", "Deux."]
    assert timeline.owner.tolist() == [0, 1, 2]
    assert np.array_equal(timeline.vectors, vectors_of(timeline.passages))


def test_a_partial_date_stands_for_its_first_day() -> None:
    timeline = timeline_of(document("a", "2020"), document("b", "2020-03-02"), document("c", "2020-03"))
    assert timeline.document_ids == ("a", "c", "b")
    assert timeline.days.tolist() == [0, 60, 61]
    assert timeline.dated.all()


def test_no_date_at_all() -> None:
    timeline = timeline_of(document("a", None), document("b", None))
    assert timeline.first_day is None
    assert timeline.days.tolist() == [0, 0]
    assert not timeline.dated.any()


def test_a_document_without_text_has_no_passage() -> None:
    timeline = timeline_of(document("a", "2021-06-14"), document("b", "2021-06-15", ""), document("c", "2021-06-16"))
    assert timeline.owner.tolist() == [0, 2]
    assert len(timeline.kinds) == 3


def test_a_record_without_documents() -> None:
    timeline = timeline_of()
    assert timeline.vectors.shape == (0, 4)
    assert timeline.days.shape == timeline.owner.shape == (0,)


def test_as_of_hides_what_may_come_later() -> None:
    documents = [document("a", "2021-06-14"), document("b", "2021-07-01"), document("c", None), document("d", "2021")]
    june = dt.date(2021, 6, 30)
    assert timeline_of(*documents, as_of=june).document_ids == ("a",)
    assert same(timeline_of(*documents, as_of=june), timeline_of(documents[0]))
    assert surely_written_by(documents[3], dt.date(2021, 12, 31))
    assert not surely_written_by(documents[3], dt.date(2021, 12, 30))
    assert surely_written_by(documents[2], None)


def test_only_differences_of_dates_are_kept() -> None:
    one = timeline_of(document("a", "2009-05-01"), document("b", "2009-05-04"))
    other = timeline_of(document("a", "2024-05-01"), document("b", "2024-05-04"))
    assert np.array_equal(one.days, other.days)


def test_passages_carry_their_concepts() -> None:
    mention = ConceptMention("a", ((0, 5),), Concept("nihss", "NIHSS"))
    record = PatientRecord.of("P1", [document("a", "2021-06-14")])
    timeline = encode_timeline(record, vectors_of, {"a": [mention]})
    assert timeline.passages[0].concepts == (mention,)


def test_another_number_of_vectors_is_refused() -> None:
    record = PatientRecord.of("P1", [document("a", "2021-06-14")])
    with pytest.raises(ValueError, match="1 passages were given 0 vectors"):
        encode_timeline(record, lambda _: np.zeros((0, 4), dtype=np.float32))


DATES = st.one_of(
    st.none(),
    st.dates(dt.date(2020, 1, 1), dt.date(2021, 12, 31)).map(str),
    st.sampled_from(["2020", "2021", "2020-06", "2021-03"]),
)


@given(st.lists(st.tuples(DATES, st.sampled_from(["", "Un.", TEXT * 40])), max_size=6))
def test_one_document_more_is_as_the_whole_record(given_: list[tuple[str | None, str]]) -> None:
    record = PatientRecord.of("P1", [document(f"{i}", date, text) for i, (date, text) in enumerate(given_)])
    grown = encode_timeline(replace(record, documents=()), vectors_of)
    for i, new in enumerate(record.documents, start=1):
        grown = extend_timeline(grown, new, vectors_of)
        assert same(grown, encode_timeline(replace(record, documents=record.documents[:i]), vectors_of))
    assert (np.diff(grown.days) >= 0).all()


def test_one_document_more_encodes_that_document_alone() -> None:
    seen: list[str] = []

    def counting(passages: Sequence[Passage]) -> NDArray[np.float32]:
        seen.extend(passage.span.document_id for passage in passages)
        return vectors_of(passages)

    extend_timeline(timeline_of(document("a", "2021-06-14")), document("b", "2021-06-15"), counting)
    assert seen == ["b"]


@pytest.mark.parametrize(
    ("new", "message"),
    [
        (document("b", "2021-06-13"), "1 days older"),
        (document("b", "2021-06-15", patient="P2"), "a document of P2"),
    ],
)
def test_a_document_that_is_not_the_last_is_refused(new: Document, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        extend_timeline(timeline_of(document("a", "2021-06-14")), new, vectors_of)


def test_a_dated_document_after_an_undated_one_is_refused() -> None:
    with pytest.raises(ValueError, match="before undated"):
        extend_timeline(timeline_of(document("a", None)), document("b", "2021-06-14"), vectors_of)


def test_the_order_given_does_not_matter() -> None:
    documents = [document(f"{i}", f"2021-06-{1 + i // 2:02d}", f"Texte {i}.") for i in range(12)]
    shuffled = random.Random(0).sample(documents, len(documents))
    assert same(timeline_of(*shuffled), timeline_of(*documents))
