"""Measure BM25, dense, hybrid and entity retrieval on a cohort whose evidence is known.

    python benchmarks/retrieval.py COHORT [--encoder FOLDER] [--terminology T]

COHORT holds documents.jsonl, dictionary.csv and evidence.jsonl. Every (patient, variable) with at least one quote
found in its document is a question. A passage is right when it holds a quote, or at least half of it; a document
when it holds a quote. Recall@k is the share of a question's quotes (of its documents) reached by the first k
passages (documents, in the order of their best passage); hit@k the share of questions with one of them reached;
MRR the mean of 1 / rank of the first right one. The 95 % intervals resample patients.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence, Set
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.evidence import Quote, read_evidence
from rag.concepts import ConceptReader
from rag.corpus.build import build_document
from rag.corpus.read import read_documents
from rag.redcap.dictionary import read_dictionary
from rag.terminology.bundled import open_terminology
from retriever.embed import Encoder, HashedNgramEncoder, SentenceTransformerEncoder
from retriever.index import DenseIndex
from retriever.query import query_text
from retriever.retrieve import HybridRetriever, Method
from schema.document import Document, PatientRecord, Span
from schema.passage import Passage
from schema.problem import Problem
from schema.variable import Question

Figures = NDArray[np.float64]

DEPTHS = (1, 3, 5, 10)
REPLICATES = 1000
#: Figures of one question, in this order: recall@k, hit@k for each depth, then 1 / rank.
HEADER = [*(f"recall@{k}" for k in DEPTHS), *(f"hit@{k}" for k in DEPTHS), "MRR"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and where its answer is written: spans in ``source_text``."""

    question: Question
    gold: tuple[Span, ...]


def main() -> None:
    """Read the command line and print the figures."""
    parser = argparse.ArgumentParser(description="Measure retrieval on a cohort whose evidence is known.")
    parser.add_argument("cohort", type=Path, help="folder with documents.jsonl, dictionary.csv and evidence.jsonl")
    parser.add_argument("--encoder", type=Path, help="folder of a sentence encoder; default: hashed n-grams")
    parser.add_argument("--terminology", type=Path, help="dictionary of concepts; default: the bundled one")
    arguments = parser.parse_args()
    encoder = SentenceTransformerEncoder(arguments.encoder) if arguments.encoder else HashedNgramEncoder()
    run(arguments.cohort, encoder, arguments.terminology)


def run(cohort: Path, encoder: Encoder, terminology: Path | None = None) -> None:
    """Print the figures of every method, by passage and by document."""
    problems: list[Problem] = []
    by_patient: defaultdict[str, list[Document]] = defaultdict(list)
    for raw in read_documents(cohort / "documents.jsonl", problems.append):
        by_patient[raw.patient_id].append(build_document(raw, problems.append))
    records = [PatientRecord.of(patient, documents) for patient, documents in sorted(by_patient.items())]
    reader = ConceptReader(open_terminology(terminology))
    started = time.perf_counter()
    named = {r.patient_id: {d.document_id: reader.mentions(d) for d in r.documents} for r in records}
    normalizing = time.perf_counter() - started
    asked, lost = questions(cohort, records, reader)
    print(f"{len(records)} patients, {sum(len(r.documents) for r in records)} documents, encoder {encoder.name}")
    print(f"{sum(map(len, asked.values()))} questions; {lost} quotes not found word for word, left out")
    print(f"concepts read in {1000 * normalizing / len(records):.0f} ms per patient, start-up excluded")
    with closing(DenseIndex.in_memory(encoder)) as index:
        started = time.perf_counter()
        encoded = sum(index.upsert(record.documents) for record in records)
        print(f"{encoded} passages encoded and stored in {time.perf_counter() - started:.2f} s")
        found = {}
        for method in Method:
            started = time.perf_counter()
            found[method] = [
                figures(HybridRetriever(r, index, method, named[r.patient_id]), r, asked[r.patient_id]) for r in records
            ]
            seconds = time.perf_counter() - started
            show(f"{method.value}, {1000 * seconds / len(records):.0f} ms per patient", found[method])
        for better, other in ((Method.HYBRID, Method.BM25), (Method.HYBRID_CONCEPTS, Method.HYBRID)):
            both = zip(found[better], found[other], strict=True)
            show(f"{better.value} less {other.value}, question by question", [one - two for one, two in both])


def show(title: str, by_patient: Sequence[Figures]) -> None:
    """Print the figures of one method, by passage and by document."""
    print(f"\n{title}")
    print(" " * 9, *(f"{name:>20}" for name in HEADER))
    for level, name in enumerate(("passage", "document")):
        print(f"{name:9}", *interval([figures[:, level] for figures in by_patient]))


def questions(
    cohort: Path, records: Sequence[PatientRecord], reader: ConceptReader
) -> tuple[dict[str, list[Asked]], int]:
    """The questions by patient, and the number of quotes that are not in their document word for word."""
    variables = {variable.name: variable for variable in read_dictionary(cohort / "dictionary.csv").variables}
    concepts = {name: reader.named_in(query_text(Question("", variable))) for name, variable in variables.items()}
    texts = {(r.patient_id, d.document_id): d.source_text for r in records for d in r.documents}
    asked: dict[str, list[Asked]] = {record.patient_id: [] for record in records}
    lost = 0
    for row in read_evidence(cohort / "evidence.jsonl").rows:
        if row.variable not in variables:
            continue
        spans = [span for quote in row.evidence if (span := located(quote, texts, row.patient_id))]
        lost += len(row.evidence) - len(spans)
        if spans:
            question = Question(row.patient_id, variables[row.variable], concepts=concepts[row.variable])
            asked[row.patient_id].append(Asked(question, tuple(spans)))
    return asked, lost


def located(quote: Quote, texts: dict[tuple[str, str], str], patient: str) -> Span | None:
    """Where a quote stands in its document's source text."""
    start = texts.get((patient, quote.document_id), "").find(quote.quote)
    return Span(quote.document_id, start, start + len(quote.quote)) if start >= 0 else None


def figures(retriever: HybridRetriever, record: PatientRecord, asked: Sequence[Asked]) -> Figures:
    """The figures of each question: shape (questions, 2: quotes and documents, len(HEADER))."""
    documents = {document.document_id: document for document in record.documents}
    rows = []
    for one in asked:
        spans = [located_passage(passage, documents) for passage in retriever.retrieve(one.question, k=10_000)]
        order = dict.fromkeys(span.document_id for span in spans)
        gold = {span.document_id for span in one.gold}
        quotes = [{i for i, quote in enumerate(one.gold) if holds(span, quote)} for span in spans]
        rows.append([scored(quotes, len(one.gold)), scored([{name} & gold for name in order], len(gold))])
    return np.array(rows).reshape(-1, 2, len(HEADER))


def located_passage(passage: Passage, documents: dict[str, Document]) -> Span:
    """A passage's place in the source text, where quotes are counted."""
    return documents[passage.span.document_id].locate(passage.span.start, passage.span.end)


def holds(passage: Span, quote: Span) -> bool:
    """Whether a passage holds at least half of a quote."""
    common = min(passage.end, quote.end) - max(passage.start, quote.start)
    return passage.document_id == quote.document_id and 2 * common >= quote.end - quote.start


def scored(reached: Sequence[Set[object]], total: int) -> list[float]:
    """Recall@k, hit@k and reciprocal rank of one question.

    Args:
        reached: for each result, best first, what it reaches of what is sought.
        total: how much is sought, at least 1.
    """
    recalls = [len(set[object]().union(*reached[:k])) / total for k in DEPTHS]
    first = next((rank for rank, one in enumerate(reached, start=1) if one), None)
    return [*recalls, *(float(recall > 0) for recall in recalls), 1 / first if first else 0.0]


def interval(by_patient: Sequence[Figures]) -> Iterator[str]:
    """Mean over questions and its 95 % interval over resampled patients, one text per figure of `HEADER`."""
    sums = np.array([rows.sum(axis=0) for rows in by_patient])  # (patients, figures)
    counts = np.array([len(rows) for rows in by_patient])
    drawn = np.random.default_rng(0).integers(len(counts), size=(REPLICATES, len(counts)))
    low, high = np.quantile(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)[:, None], [0.025, 0.975], axis=0)
    for mean, lower, upper in zip(sums.sum(axis=0) / counts.sum(), low, high, strict=True):
        yield f"{mean:.3f} ({lower:.2f} {upper:.2f})".rjust(20)


if __name__ == "__main__":
    main()
