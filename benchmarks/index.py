"""Measure the index: queries as the cohort grows, and the cost of one more document.

    python benchmarks/index.py [--patients 100 1000 10000] [--documents 50] [--server URL] [--encoder FOLDER]

Growth: for each size, an index is filled with patients of ``--documents`` documents of one or two passages each, of
random vectors of 192 numbers; then 500 patients drawn at random are asked for the vectors of all their passages, as
`retriever.retrieve` asks them. For some, the same rows are also found by a filter on patient_id, for comparison.

Update: a timeline of 200 documents is encoded, stored and read by a recurrent network, then one document more is, from
the state that is kept of those before it.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from rag.retrieval import open_encoder
from retriever.embed import Encoder, Vectors
from retriever.index import DenseIndex, _shard, open_index
from retriever.passages import passages
from retriever.recurrent import TemporalConfig, TemporalEncoder, TimelineTensors
from retriever.timeline import encode_timeline
from schema.document import Document, PartialDate, PatientRecord
from schema.problem import Problem

ASKED = 500
TIMELINE = 200
NETWORK = "random-gru"
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
    """Fill an index of each size, and print what a query takes; the sizes take turns, so that all have equal luck."""
    places = [f"{place}/size-{size}" for size in sizes]
    print("patients  passages    fill s  MiB on disk")
    for size, where in zip(sizes, places, strict=True):
        with closing(open_index(RandomEncoder(), where, say)) as index:
            started = time.perf_counter()
            for start in range(0, size, TOGETHER):
                some = range(start, min(start + TOGETHER, size))
                index.upsert(document for number in some for document in record(number, documents))
            seconds = time.perf_counter() - started
            print(f"{size:8}  {index.count():8}  {seconds:8.1f}  {on_disk(where):11.0f}", flush=True)
    drawn = random.Random(0)
    asked: list[list[float]] = [[] for _ in sizes]
    filtered: list[list[float]] = [[] for _ in sizes]
    opened = []
    with ExitStack() as stack:
        indexes = []
        for where in places:
            started = time.perf_counter()
            indexes.append(stack.enter_context(closing(open_index(RandomEncoder(), where, say))))
            ask(indexes[-1], 0, documents)()
            opened.append(time.perf_counter() - started)
        for turn in range(ASKED):
            for index, size, whole, by in zip(indexes, sizes, asked, filtered, strict=True):
                whole.append(timed(ask(index, drawn.randrange(size), documents)))
                if turn % 10 == 0:
                    by.append(timed(by_filter(index, drawn.randrange(size))))
    print("patients  opened and asked once, s  query p50 ms  p95 ms  times the first  by filter p50 ms")
    for size, seconds, whole, by in zip(sizes, opened, asked, filtered, strict=True):
        p50, p95 = np.quantile(whole, [0.5, 0.95])
        times = p50 / np.median(asked[0])
        print(f"{size:8}  {seconds:24.2f}  {p50:12.2f}  {p95:6.2f}  {times:15.2f}  {np.median(by):16.2f}")


def ask(index: DenseIndex, patient: int, documents: int) -> Callable[[], object]:
    """A query: the vectors of all passages of one patient."""
    asked = [passage for document in record(patient, documents) for passage in passages(document)]
    return lambda: index.vectors(f"P{patient}", asked)


def by_filter(index: DenseIndex, patient: int) -> Callable[[], object]:
    """The same rows by a filter on their patient_id."""

    def found() -> object:
        name = index._passages(_shard(f"P{patient}"))
        return index._in(
            name, lambda _, held: held.get(where={"patient_id": f"P{patient}"}, include=["embeddings", "metadatas"])
        )

    return found


def timed(query: Callable[[], object]) -> float:
    """Milliseconds of a query."""
    started = time.perf_counter()
    query()
    return 1000 * (time.perf_counter() - started)


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
    documents = [document(0, n, f"Jour {n}. " + words * (3 + n % 5)) for n in range(TIMELINE + 6)]
    network = TemporalEncoder(TemporalConfig(dim=encoder.dimension)).eval()
    encoder.encode(["Un premier texte, pour que tout soit chargé."])
    with closing(open_index(encoder, place, say)) as index, torch.inference_mode():

        def tensors(some: Sequence[Document]) -> TimelineTensors:
            record = PatientRecord.of("P0", some)
            return TimelineTensors.of(encode_timeline(record, partial(index.vectors, "P0")))

        whole = documents[:TIMELINE]
        network(tensors([]))
        started = time.perf_counter()
        count = index.upsert(whole)
        state = network(tensors(whole)).last
        index.put_states(NETWORK, whole, {TIMELINE: torch.cat([state.cell.flatten(), state.shown]).numpy()})
        first = time.perf_counter() - started
        taken = []
        for number in range(TIMELINE, len(documents)):
            started = time.perf_counter()
            encoded = index.upsert(documents[number : number + 1])
            held = torch.tensor(index.states(NETWORK, documents[:number])[number])
            size = state.cell.numel()
            state = replace(state, cell=held[:size].reshape(state.cell.shape), shown=held[size:])
            state, _ = network.step(state, replace(tensors(documents[number : number + 1]), days=state.day[None] + 1))
            kept = torch.cat([state.cell.flatten(), state.shown]).numpy()
            index.put_states(NETWORK, documents[: number + 1], {number + 1: kept})
            taken.append(time.perf_counter() - started)
        started = time.perf_counter()
        index.upsert(documents)
        again = time.perf_counter() - started
    one = float(np.median(taken))
    print(f"\n{encoder.name}: {TIMELINE} documents, {count} passages encoded, stored, read in time in {first:.2f} s")
    print(f"one document more ({encoded} passages): {1000 * one:.1f} ms, {first / one:.0f} times less")
    print(f"all {len(documents)} given again, unchanged: {1000 * again:.1f} ms")


def on_disk(place: str) -> float:
    """MiB of a folder; not a number for a server."""
    if not Path(place).is_dir():
        return float("nan")
    return sum(file.stat().st_size for file in Path(place).rglob("*") if file.is_file()) / 2**20


def say(problem: Problem) -> None:
    """Print a problem."""
    print(json.dumps(str(problem)))


if __name__ == "__main__":
    main()
