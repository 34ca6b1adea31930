"""Passages with their concepts: found by them, and shown with their codes."""

import pytest

from retriever.embed import HashedNgramEncoder
from retriever.index import DenseIndex
from retriever.llama import PatientRetriever
from retriever.passages import passages
from retriever.retrieve import HybridRetriever, Method
from schema.concept import Code, CodeSystem, Concept, ConceptMention
from schema.document import PatientRecord
from schema.passage import Passage
from schema.variable import Question
from tests.retriever.conftest import make_document

HTA = Concept(
    "hta", "Hypertension artérielle", codes=(Code(CodeSystem.SNOMED, "38341003"), Code(CodeSystem.ICD10, "I10"))
)
FA = Concept("fa", "Fibrillation atriale", codes=(Code(CodeSystem.SNOMED, "49436004"), Code(CodeSystem.ICD10, "I48")))
DIABETES = Concept("diabete", "Diabète", ("disorder",), (Code(CodeSystem.ICD10, "E14"),))
NIHSS = Concept("nihss", "NIHSS", ("score",))


def mention(text: str, name: str, concept: Concept, document_id: str = "P1-01", **said: bool) -> ConceptMention:
    start = text.index(name)
    return ConceptMention(document_id, ((start, start + len(name)),), concept, **said)


def passage(text: str, *mentions: ConceptMention) -> Passage:
    (found,) = passages(make_document(text), mentions)
    return found


def test_a_text_is_shown_with_its_codes() -> None:
    text = "FA connue, pas de diabète, mère hypertendue."
    shown = passage(
        text,
        mention(text, "FA", FA, history=True),
        mention(text, "diabète", DIABETES, negated=True),
        mention(text, "hypertendue", HTA, family=True),
    ).coded_text()
    assert shown == (
        "FA [fibrillation atriale, antécédent, SNOMED 49436004, I48] connue, pas de diabète [diabète, nié], "
        "mère hypertendue [hypertension artérielle, famille]."
    )


def test_a_name_in_a_longer_one_is_said_once_and_a_label_in_capitals_stays_so() -> None:
    text = "Score NIHSS à 14."
    shown = passage(text, mention(text, "NIHSS", NIHSS), mention(text, "Score NIHSS", NIHSS)).coded_text()
    assert shown == "Score NIHSS [NIHSS] à 14."


def test_without_concepts_a_text_is_shown_as_it_is() -> None:
    assert passage("Pas de diabète.").coded_text() == "Pas de diabète."


def test_fragments_are_described_after_the_last_one() -> None:
    text = "Œdème des membres inférieurs gauche > droit."
    fragments = ((0, 28), (38, 43))
    shown = passage(text, ConceptMention("P1-01", fragments, Concept("omi", "Œdème du membre"))).coded_text()
    assert shown == "Œdème des membres inférieurs gauche > droit [œdème du membre]."


def test_a_mention_goes_with_the_passages_that_hold_it_whole() -> None:
    text = "# Antécédents\nHTA traitée.\n# Histoire\nAphasie, FA au scope.\n"
    document = make_document(text)
    across = ConceptMention("P1-01", ((text.index("HTA"), text.index("FA") + 2),), DIABETES)
    found = passages(document, [mention(text, "FA", FA), across, mention(text, "HTA", HTA)])
    assert [[m.concept.concept_id for m in p.concepts] for p in found] == [["hta"], ["fa"]]


@pytest.fixture
def named(record: PatientRecord) -> dict[str, list[ConceptMention]]:
    texts = {document.document_id: document.text for document in record.documents}
    return {
        "P1-01": [
            mention(texts["P1-01"], "Hypertension artérielle", HTA, "P1-01"),
            mention(texts["P1-01"], "diabète", DIABETES, "P1-01", negated=True),
        ],
        "P1-02": [mention(texts["P1-02"], "NIHSS", NIHSS, "P1-02")],
    }


def test_concepts_find_what_no_word_shares(record: PatientRecord, named: dict[str, list[ConceptMention]]) -> None:
    question = Question("P1", text="HTA", concepts=("hta",))
    assert HybridRetriever(record, method=Method.BM25).retrieve(question) == []
    (found,) = HybridRetriever(record, None, Method.CONCEPTS, named).retrieve(question)
    assert found.span.document_id == "P1-01"
    assert (found.rank, found.method) == (1, "concepts")
    assert found.score > 0
    assert "hta" in {m.concept.concept_id for m in found.concepts}


def test_a_question_without_concepts_finds_nothing_by_them(
    record: PatientRecord, named: dict[str, list[ConceptMention]]
) -> None:
    assert HybridRetriever(record, None, Method.CONCEPTS, named).retrieve(Question("P1", text="NIHSS")) == []
    assert HybridRetriever(record, None, Method.CONCEPTS, {}).retrieve(Question("P1", concepts=("hta",))) == []


def test_all_three_methods_are_fused(record: PatientRecord, named: dict[str, list[ConceptMention]]) -> None:
    index = DenseIndex.in_memory(HashedNgramEncoder())
    index.upsert(record.documents)
    retriever = HybridRetriever(record, index, Method.HYBRID_CONCEPTS, named)
    found = retriever.retrieve(Question("P1", text="TA", concepts=("hta",)), k=10)
    index.close()
    assert found[0].span.document_id == "P1-01"
    assert {p.method for p in found} == {"hybrid+concepts"}
    assert len(found) > 1


def test_concepts_are_asked_for_where_they_are_needed(record: PatientRecord) -> None:
    with pytest.raises(ValueError, match="needs the concepts"):
        HybridRetriever(record, None, Method.CONCEPTS)


def test_words_alone_still_carry_the_concepts(record: PatientRecord, named: dict[str, list[ConceptMention]]) -> None:
    found = HybridRetriever(record, None, Method.BM25, named).retrieve(Question("P1", text="NIHSS"), k=1)
    assert [m.concept.concept_id for m in found[0].concepts] == ["nihss"]


def test_llama_index_asks_by_concepts(record: PatientRecord, named: dict[str, list[ConceptMention]]) -> None:
    retriever = HybridRetriever(record, None, Method.CONCEPTS, named)
    asked = PatientRetriever(retriever, named_in=lambda words: ("hta",) if "tension" in words else ())
    assert [node.metadata["document_id"] for node in asked.retrieve("la tension")] == ["P1-01"]
    assert PatientRetriever(retriever).retrieve("la tension") == []
