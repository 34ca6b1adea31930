"""Measure the index: queries as the cohort grows, and the cost of one more document.

    python benchmarks/index.py [--patients 100 1000 10000] [--documents 50] [--server URL] [--encoder FOLDER]

Growth: a folder is filled with patients of ``--documents`` documents of one or two passages each, of random vectors of
192 numbers, and at each size 500 patients drawn at random are asked for the vectors of all their passages, as
`retriever.retrieve` asks them; the same rows are then found by a filter on patient_id, for comparison. Update: a
timeline of 200 documents is encoded and stored, then one document more.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from rag.retrieval import open_encoder
from retriever.embed import Encoder, Vectors
from retriever.index import DenseIndex, open_index
from retriever.passages import passages
from schema.document import Document, PartialDate
from schema.problem import Problem

ASKED = 500
BY_FILTER = 50  # asked by filter: it is slow
TIMELINE = 200
TOGETHER = 20  # patients stored at once


class RandomEncoder:
    """Vectors of norm 1 drawn from the length of all texts so far: only their number matters here."""

    name = "random-192"
    dimension = 192

    def __init__(self) -> None:
        self._draw = np.random.default_rng(0)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Random vectors of norm 1, shape (len(texts), 192)."""
        vectors = self._draw.standard_normal((len(texts), self.dimension), dtype=np.float32)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def main() -> None:
    """Read the command line and print the figures."""
    parser = argparse.ArgumentParser(description="Measure the index of passages.")
    parser.add_argument("--patients", nargs="+", type=int, default=[100, 1000, 10_000], help="sizes, rising")
    parser.add_argument("--documents", type=int, default=50, help="documents per patient")
    parser.add_argument("--server", help="URL of a Chroma server; default: a folder that is deleted afterwards")
    parser.add_argument("--encoder", type=Path, help="encoder of the update; default: the one that comes with it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        growth(arguments.server or folder, arguments.patients, arguments.documents)
    with tempfile.TemporaryDirectory() as folder:
        update(open_encoder(arguments.encoder), folder)


def growth(place: str, sizes: Sequence[int], documents: int) -> None:
    """Fill an index to each size in turn, and print what a query takes."""
    drawn = random.Random(0)
    print("patients passages   fill s  open+first s   p50 ms  p95 ms  filter p50 ms   MiB on disk   MiB in memory")
    filled, seconds, started_from = 0, 0.0, 0.0
    first = None
    for size in sizes:
        with closing(open_index(RandomEncoder(), place, say)) as index:
            started = time.perf_counter()
            for start in range(filled, size, TOGETHER):
                some = range(start, min(start + TOGETHER, size))
                index.upsert(document for number in some for document in record(number, documents))
            seconds += time.perf_counter() - started
        filled = size
        started = time.perf_counter()
        with closing(open_index(RandomEncoder(), place, say)) as index:
            ask(index, 0, documents)()
            started_from = time.perf_counter() - started
            asked = timed(ask(index, drawn.randrange(size), documents) for _ in range(ASKED))
            filtered = timed(by_filter(index, drawn.randrange(size)) for _ in range(BY_FILTER))
            p50, p95 = np.quantile(asked, [0.5, 0.95])
            print(
                f"{size:8} {index.count():8} {seconds:8.1f} {started_from:13.2f} {p50:8.2f} {p95:7.2f} "
                f"{np.median(filtered):14.2f} {on_disk(place):13.0f} {in_memory():15.0f}",
                flush=True,
            )
        first = first or p50
        print(f"         p50 is {p50 / first:.2f} times that of {sizes[0]} patients", flush=True)


def ask(index: DenseIndex, patient: int, documents: int) -> Callable[[], object]:
    """A query: the vectors of all passages of one patient."""
    asked = [passage for document in record(patient, documents) for passage in passages(document)]
    return lambda: index.vectors(f"P{patient}", asked)


def by_filter(index: DenseIndex, patient: int) -> Callable[[], object]:
    """The same rows by a filter on their patient_id."""

    def found() -> object:
        with index._place.held() as client:
            held = index._passages(client)
            return held.get(where={"patient_id": f"P{patient}"}, include=["embeddings", "metadatas"])

    return found


def timed(queries: Iterator[Callable[[], object]]) -> list[float]:
    """Milliseconds of each query; the making of it is not counted."""
    taken = []
    for query in queries:
        started = time.perf_counter()
        query()
        taken.append(1000 * (time.perf_counter() - started))
    return taken


def record(patient: int, documents: int) -> list[Document]:
    """Documents of one or two passages."""
    return [
        document(patient, number, f"Jour {number} du patient {patient}.", number % 2) for number in range(documents)
    ]


def document(patient: int, number: int, text: str, longer: int = 0) -> Document:
    """A document of one passage, or of two."""
    text = text + (" Suite." * 90 if longer else "")
    ends = [end for end in range(1, len(text) + 1) if text[end - 1] == "."]
    starts = [0, *ends[:-1]]
    written = PartialDate(2000 + number // 300, 1 + number // 25 % 12, 1 + number % 25)
    sentences = tuple(zip(starts, ends, strict=True))
    return Document(f"P{patient}", f"P{patient}-{number:03}", "crh", "", written, text, text, sentences=sentences)


def update(encoder: Encoder, place: str) -> None:
    """Print what one document more costs, against encoding the timeline again."""
    words = (
        "Patient stable ce jour, apyrétique, tension 130/80, NIHSS inchangé à 4, marche avec aide, poursuite du "
        "traitement par clopidogrel et atorvastatine, reprise de l'alimentation, kinésithérapie quotidienne. "
    )
    timeline = [document(0, n, f"Jour {n}. " + words * (3 + n % 5)) for n in range(TIMELINE + 6)]
    encoder.encode(["Un premier texte, pour que tout soit chargé."])
    whole, more = timeline[:TIMELINE], timeline[TIMELINE:]
    with closing(open_index(encoder, place, say)) as index:
        started = time.perf_counter()
        count = index.upsert(whole)
        first = time.perf_counter() - started
        taken = []
        for one in more:
            started = time.perf_counter()
            encoded = index.upsert([one])
            taken.append(time.perf_counter() - started)
        again = time.perf_counter()
        index.upsert(timeline)
        again = time.perf_counter() - again
    typical = float(np.median(taken))
    print(f"\n{encoder.name}: {TIMELINE} documents, {count} passages encoded and stored in {first:.2f} s")
    print(f"one document more ({encoded} passages): {1000 * typical:.1f} ms, {first / typical:.0f} times less")
    print(f"all {len(timeline)} given again, unchanged: {1000 * again:.1f} ms")


def on_disk(place: str) -> float:
    """MiB of a folder; not a number for a server."""
    if not Path(place).is_dir():
        return float("nan")
    return sum(file.stat().st_size for file in Path(place).rglob("*") if file.is_file()) / 2**20


def in_memory() -> float:
    """MiB that this process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def say(problem: Problem) -> None:
    """Print a problem."""
    print(json.dumps(str(problem)))


if __name__ == "__main__":
    main()
