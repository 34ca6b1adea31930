"""A whole record as passages."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from generator.llm.whole import MAX_WORDS, whole_record
from schema.concept import Concept, ConceptMention
from schema.document import Document
from tests.llm.scripted import record

LINES = st.lists(
    st.one_of(
        st.sampled_from(["ANTECEDENTS", "Examen clinique :", "Conclusion", "", "  ", "\t", "Pas de diabète."]),
        st.text(alphabet="aé1 .\n\u00a0\u2028œ😀", max_size=60),
        st.integers(1, 700).map(lambda words: "mot " * words),
    ),
    max_size=12,
).map("\n".join)


@given(texts=st.lists(LINES.filter(str.strip), min_size=1, max_size=3))
@settings(deadline=None, max_examples=30)
def test_every_character_that_is_not_blank_lies_in_one_passage(texts: list[str]) -> None:
    patient = record(*texts)
    passages = whole_record(patient)
    for document in patient.documents:
        own = [passage for passage in passages if passage.span.document_id == document.document_id]
        for passage in own:
            assert passage.text == document.text[passage.span.start : passage.span.end]
            assert len(passage.text.split()) <= MAX_WORDS
        assert [p.span.start for p in own] == sorted(p.span.start for p in own)
        kept = "".join("".join(p.text.split()) for p in own)
        assert kept == "".join(document.text.split())


def test_passages_keep_to_their_section_and_stand_in_order_of_time() -> None:
    text = "ANTECEDENTS\nDiabète de type 2.\n\nCONCLUSION\nAVC ischémique.\n"
    patient = record(text, "Suivi simple.")
    passages = whole_record(patient)
    assert [p.span.document_id for p in passages] == ["d0", "d0", "d1"]
    assert ["Diabète" in p.text for p in passages] == [True, False, False]
    assert [p.section for p in passages] == ["ANTECEDENTS", "CONCLUSION", ""]


def test_concepts_go_with_the_passage_that_holds_them() -> None:
    text = "ANTECEDENTS\nDiabète de type 2.\n\nCONCLUSION\nAVC ischémique.\n"

    def mentions(document: Document) -> list[ConceptMention]:
        start = document.text.index("AVC")
        return [ConceptMention(document.document_id, ((start, start + 3),), Concept("x", "AVC"))]

    assert [len(passage.concepts) for passage in whole_record(record(text), mentions)] == [0, 1]
