import asyncio
import datetime as dt
from contextlib import closing
from dataclasses import replace

from llama_index.core import Settings
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.response_synthesizers.no_text import NoText

from retriever.embed import HashedNgramEncoder
from retriever.index import DenseIndex
from retriever.llama import PatientRetriever
from retriever.passages import passages
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


def engine_of(retriever):
    return RetrieverQueryEngine(retriever, response_synthesizer=NoText(llm=MockLLM()))


def test_any_retriever_answers_in_a_query_engine(record):
    class Latest:
        """Finds the last document, whatever is asked."""

        def __init__(self):
            self.record = record
            self.asked = []

        def retrieve(self, question, k=10, hints=None):
            self.asked.append((question.text, question.as_of, k))
            found = [p for document in record.documents[-2:] for p in passages(document)]
            return [replace(p, rank=rank, score=1 / rank, method="latest") for rank, p in enumerate(found[:k], start=1)]

    latest = Latest()
    response = engine_of(PatientRetriever(latest, k=2, as_of=dt.date(2022, 1, 1))).query("Quel Rankin ?")
    assert [node.metadata["document_id"] for node in response.source_nodes] == ["P1-03", "P1-04"]
    assert [node.score for node in response.source_nodes] == [1, 0.5]
    assert latest.asked == [("Quel Rankin ?", dt.date(2022, 1, 1), 2)]


def test_an_engine_may_be_asked_asynchronously_and_at_once(record):
    with closing(DenseIndex.in_memory(HashedNgramEncoder())) as index:
        index.upsert(record.documents)
        retriever = PatientRetriever(HybridRetriever(record, index), k=1)
        asked = ("score NIHSS à l'arrivée", "Rankin à trois mois", "FEVG")

        async def ask_all():
            return await asyncio.gather(*(engine_of(retriever).aquery(words) for words in asked))

        together = [[n.node_id for n in response.source_nodes] for response in asyncio.run(ask_all())]
        one_by_one = [[n.node_id for n in engine_of(retriever).query(words).source_nodes] for words in asked]
    assert together == one_by_one
    assert [name.split("/")[1] for (name,) in together] == ["P1-02", "P1-03", "P1-04"]
