import datetime as dt
from dataclasses import replace

from llama_index.core import Settings

from retriever.llama import PatientRetriever
from retriever.retrieve import HybridRetriever, Method
from schema.document import PatientRecord


def test_nodes_point_into_the_text_the_user_gave(document):
    source = "CHU, page 1\nAphasie brutale. NIHSS à 14.\n"
    text = source.removeprefix("CHU, page 1\n")
    doc = replace(document(text), source_text=source, origins=range(12, len(source)))
    retriever = PatientRetriever(HybridRetriever(PatientRecord.of("P1", [doc]), method=Method.BM25), k=1)
    (found,) = retriever.retrieve("NIHSS")
    metadata = found.node.metadata
    assert source[metadata["start"] : metadata["end"]] == found.text == "Aphasie brutale. NIHSS à 14."
    assert found.score is not None and found.score > 0
    assert (metadata["document_id"], metadata["date"], metadata["type"]) == ("P1-01", "2021-06-14", "crh")


def test_as_of_and_k_are_kept(record):
    retriever = HybridRetriever(record, method=Method.BM25)
    words = "Rankin, diabète, NIHSS, aphasie, hypertension"
    assert len(PatientRetriever(retriever, k=2).retrieve(words)) == 2
    early = PatientRetriever(retriever, as_of=dt.date(2021, 3, 1)).retrieve(words)
    assert {node.metadata["document_id"] for node in early} == {"P1-01"}


def test_node_names_are_unique_and_stable(record):
    retriever = PatientRetriever(HybridRetriever(record, method=Method.BM25))
    once, again = (retriever.retrieve("diabète NIHSS FEVG Rankin") for _ in range(2))
    names = [node.node.node_id for node in once]
    assert len(set(names)) == len(names) > 1
    assert names == [node.node.node_id for node in again]


def test_no_language_model_is_looked_for(record):
    before = dict(vars(Settings))
    PatientRetriever(HybridRetriever(record, method=Method.BM25)).retrieve("NIHSS")
    assert vars(Settings) == before
    assert Settings._llm is None
    assert Settings._embed_model is None
