import datetime as dt
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retriever.embed import HashedNgramEncoder
from retriever.index import DenseIndex
from retriever.retrieve import HybridRetriever, Method, fused
from schema.document import PatientRecord
from schema.study import VariableHints
from schema.variable import Question, Variable, VariableKind

ENCODER = HashedNgramEncoder()
OF_WORDS = [Method.BM25, Method.DENSE, Method.HYBRID]  # tests/retriever/test_entities.py has the others


@pytest.fixture
def index(record):
    made = DenseIndex.in_memory(ENCODER)
    made.upsert(record.documents)
    yield made
    made.close()


@pytest.mark.parametrize("method", OF_WORDS)
@pytest.mark.parametrize(
    ("words", "document_id"),
    [("thrombolyse intraveineuse", "P1-02"), ("Rankin à trois mois", "P1-03"), ("traitement habituel", "P1-01")],
)
def test_the_passage_that_answers_comes_first(record, index, method, words, document_id):
    found = HybridRetriever(record, index, method).retrieve(Question("P1", text=words), k=3)
    assert found[0].span.document_id == document_id
    assert [p.rank for p in found] == list(range(1, len(found) + 1))
    assert {p.method for p in found} == {method.value}
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)


def test_passages_are_cut_from_the_documents(record, index):
    texts = {document.document_id: document.text for document in record.documents}
    for passage in HybridRetriever(record, index).retrieve(Question("P1", text="NIHSS"), k=20):
        assert texts[passage.span.document_id][passage.span.start : passage.span.end] == passage.text


def test_a_variable_is_searched_with_its_hints(record, index):
    variable = Variable("fc", "Fonction cardiaque", VariableKind.INTEGER, unit="%")
    question = Question("P1", variable)
    found = HybridRetriever(record, index).retrieve(question, 1, VariableHints(synonyms=("FEVG",)))
    assert found[0].span.document_id == "P1-04"


@pytest.mark.parametrize(
    ("as_of", "visible"),
    [
        (None, {"P1-01", "P1-02", "P1-03", "P1-04"}),
        (dt.date(2021, 9, 20), {"P1-01", "P1-02", "P1-03"}),
        (dt.date(2021, 9, 19), {"P1-01", "P1-02"}),
        (dt.date(2020, 1, 1), set()),
    ],
)
@pytest.mark.parametrize("method", [Method.DENSE, Method.HYBRID])
def test_as_of_hides_later_and_undated_documents(record, index, method, as_of, visible):
    found = HybridRetriever(record, index, method).retrieve(Question("P1", text="Rankin", as_of=as_of), k=50)
    assert {p.span.document_id for p in found} == visible


@pytest.mark.parametrize("method", OF_WORDS)
def test_a_hidden_document_changes_nothing(record, index, method):
    question = Question("P1", text="pas de diabète, Rankin, NIHSS", as_of=dt.date(2021, 6, 30))
    past = PatientRecord.of("P1", record.documents[:2])
    now = replace(question, as_of=None)
    assert HybridRetriever(record, index, method).retrieve(question) == HybridRetriever(past, index, method).retrieve(
        now
    )


def test_a_document_of_a_year_is_read_once_the_year_is_over(document):
    record = PatientRecord.of("P1", [document("Aphasie brutale.", date="2021")])
    retriever = HybridRetriever(record, method=Method.BM25)
    assert retriever.retrieve(Question("P1", text="aphasie", as_of=dt.date(2021, 12, 30))) == []
    assert len(retriever.retrieve(Question("P1", text="aphasie", as_of=dt.date(2021, 12, 31)))) == 1


def test_ties_go_by_document_then_start(document):
    text = "# A\nAphasie.\n# A\nAphasie.\n"
    documents = [document(text, name=name, date=date) for name, date in [("b", "2020-01-01"), ("a", "2021-01-01")]]
    found = HybridRetriever(PatientRecord.of("P1", documents), method=Method.BM25).retrieve(
        Question("P1", text="aphasie")
    )
    assert [(p.span.document_id, p.span.start) for p in found] == [("a", 0), ("a", 13), ("b", 0), ("b", 13)]


def test_a_passage_that_shares_no_word_is_not_found_by_bm25(record):
    assert HybridRetriever(record, method=Method.BM25).retrieve(Question("P1", text="coloscopie")) == []


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(texts=st.lists(st.tuples(st.sampled_from(["P1", "P2", "P1-01"]), st.text(max_size=40)), max_size=6))
@pytest.mark.parametrize("method", OF_WORDS)
def test_no_passage_of_another_patient_ever_comes(document, method, texts):
    """The same document name and the same words in every record, all in one index."""
    documents = [
        document(f"Thrombolyse. {text}", patient=patient, name="D1", date="2021-01-01")
        for patient, text in dict(texts).items()
    ]
    index = DenseIndex.in_memory(ENCODER)
    index.upsert(documents)
    for patient in {d.patient_id for d in documents}:
        record = PatientRecord.of(patient, [d for d in documents if d.patient_id == patient])
        found = HybridRetriever(record, index, method).retrieve(Question(patient, text="thrombolyse"), k=100)
        assert found
        assert {p.patient_id for p in found} == {patient}
        assert all(any(p.text in d.text for d in record.documents) for p in found)
    index.close()


def test_a_record_with_a_document_of_another_patient_is_refused(record, document):
    mixed = replace(record, documents=(*record.documents, document("Aphasie.", patient="P2")))
    with pytest.raises(ValueError, match="another patient"):
        HybridRetriever(mixed, method=Method.BM25)


def test_a_question_about_another_patient_is_refused(record):
    with pytest.raises(ValueError, match="asked about P2"):
        HybridRetriever(record, method=Method.BM25).retrieve(Question("P2", text="aphasie"))


def test_a_wrong_use_is_said(record, index, document):
    with pytest.raises(ValueError, match="needs an index"):
        HybridRetriever(record)
    with pytest.raises(ValueError, match="k is 0"):
        HybridRetriever(record, index).retrieve(Question("P1", text="aphasie"), k=0)
    stranger = PatientRecord.of("P9", [document("Aphasie.", patient="P9")])
    with pytest.raises(LookupError, match="call upsert"):
        HybridRetriever(stranger, index).retrieve(Question("P9", text="aphasie"))


def test_a_patient_without_documents_has_no_passage(index):
    assert HybridRetriever(PatientRecord("P5", ()), index).retrieve(Question("P5", text="aphasie")) == []


def test_fusion_against_numbers_computed_by_hand():
    scores = fused([np.array([2, 0]), np.array([0, 1, 2])], 3)
    np.testing.assert_allclose(scores, [1 / 62 + 1 / 61, 1 / 62, 1 / 61 + 1 / 63])


def test_bm25_alone_loads_no_vector_store():
    code = (
        "import sys, retriever.retrieve; print([m for m in ('chromadb', 'torch', 'llama_index') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
