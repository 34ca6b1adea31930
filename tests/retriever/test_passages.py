import pytest
from hypothesis import given
from hypothesis import strategies as st

from retriever.passages import MAX_WORDS, passages
from schema.document import Document, Section


def sentence(number: int, words: int) -> str:
    return " ".join([f"Phrase{number}", *["mot"] * (words - 1)]) + ". "


def test_windows_hold_whole_sentences_and_overlap_by_one(document):
    doc = document("".join(sentence(i, 20) for i in range(10)))
    found = passages(doc)
    numbers = [[word for word in p.text.split() if word.startswith("Phrase")] for p in found]
    assert numbers == [
        ["Phrase0", "Phrase1", "Phrase2", "Phrase3"],
        ["Phrase3", "Phrase4", "Phrase5", "Phrase6"],
        ["Phrase6", "Phrase7", "Phrase8", "Phrase9"],
    ]
    assert all(p.text.endswith(".") for p in found)


def test_a_passage_never_runs_over_a_section(document):
    doc = document("Avant tout titre.\n# Antécédents\nHTA.\n# Examen\nPA 160/90 mmHg. Apyrétique.\n")
    assert [(p.section, p.text) for p in passages(doc)] == [
        ("", "Avant tout titre."),
        ("# Antécédents", "# Antécédents\nHTA."),
        ("# Examen", "# Examen\nPA 160/90 mmHg. Apyrétique."),
    ]


def test_a_passage_can_be_cited(document):
    doc = document("# Examen\nApyrétique.", patient="P7", name="P7-02", date="2020-05", kind="urgences")
    (passage,) = passages(doc)
    assert (passage.patient_id, passage.span.document_id) == ("P7", "P7-02")
    assert (passage.document_type, str(passage.written_on)) == ("urgences", "2020-05-??")
    assert doc.text[passage.span.start : passage.span.end] == passage.text


def test_a_sentence_longer_than_a_window_is_cut_at_a_blank(document):
    found = passages(document(sentence(0, 2 * MAX_WORDS + 5)))
    assert [len(p.text.split()) for p in found] == [MAX_WORDS, MAX_WORDS, 5]


def test_a_long_sentence_is_not_repeated(document):
    first, second, third = passages(document(sentence(0, 80) + sentence(1, 80) + sentence(2, 80)))
    assert first.span.end <= second.span.start < second.span.end <= third.span.start


@pytest.mark.parametrize("text", ["", " \n\t "])
def test_a_blank_document_has_no_passage(document, text):
    assert passages(document(text)) == []


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Any text, with sections and sentences at any place: gaps, overlaps, sentences across two sections."""
    text = draw(st.text(alphabet=st.sampled_from("aé.’ \n\u00a0"), max_size=600))
    cuts = st.lists(st.integers(0, len(text)), max_size=12)

    def spans() -> list[tuple[int, int]]:
        bounds = sorted(draw(cuts))
        return [(a, b) for a, b in zip(bounds[::2], bounds[1::2], strict=False) if a < b]

    return Document(
        patient_id="P",
        document_id="D",
        type="",
        title="",
        written_on=None,
        text=text,
        source_text=text,
        sections=tuple(Section(f"S{a}", "", a, a, b) for a, b in spans()),
        sentences=tuple(spans()),
    )


@given(documents())
def test_every_character_of_content_belongs_to_a_passage(doc):
    found = passages(doc)
    covered = set()
    for passage in found:
        start, end = passage.span.start, passage.span.end
        assert doc.text[start:end] == passage.text == passage.text.strip()
        assert len(passage.text.split()) <= MAX_WORDS
        covered.update(range(start, end))
        for section in doc.sections:
            inside, outside = (
                section.start <= start and end <= section.end,
                end <= section.start or section.end <= start,
            )
            assert inside or outside
    assert {i for i, character in enumerate(doc.text) if not character.isspace()} <= covered
    assert [p.span for p in found] == sorted({p.span for p in found})
