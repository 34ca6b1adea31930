"""Measure a terminology of millions of names: build, index, opening, search; time and peak memory of each.

    python benchmarks/terminology.py [--names 3000000] [--folder FOLDER]

The names are made up with a fixed seed: three to a concept, of one to eight words out of 300,000 made-up words, one
word drawn evenly and the others by a Zipf law; one word in five is accented. Each step runs in a process of its own, so
that its peak of resident memory is its own; "opening" is measured in a fresh process, after its imports. The documents
are words drawn by the same law with a whole name after every nine words, 50 times.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rag.terminology import tokens
from rag.terminology.build import build_terminology
from rag.terminology.index import StoredIndex
from rag.terminology.loaders.source import Entry, Report, Source
from rag.terminology.model import Term
from schema.concept import Code, CodeSystem

WORDS = 300_000
NAMES_PER_CONCEPT = 3
DOCUMENTS = 200
CHUNK = 100_000  # names drawn at once
SEED = 20_240_601


@dataclass(frozen=True, slots=True)
class Synthetic(Source):
    """Made-up names."""

    names: int

    @property
    def name(self) -> str:
        """Says what it is."""
        return f"synthetic ({self.names:,} names)"

    def fingerprint(self) -> str:
        """Of the parameters."""
        return hashlib.sha256(f"{self.names} {WORDS} {SEED}".encode()).hexdigest()

    def entries(self, report: Report) -> Iterator[Entry]:
        """Concepts of three names each."""
        drawn = names(self.names)
        for number in range(self.names // NAMES_PER_CONCEPT):
            concept_id = f"C{number:07d}"
            terms = (Term(next(drawn), concept_id, preferred=place == 0) for place in range(NAMES_PER_CONCEPT))
            yield Entry(concept_id, tuple(terms), ("T047", "DISO"), (Code(CodeSystem.UMLS, concept_id),))


def words() -> list[str]:
    """Made-up words, the same at each call."""
    dice = np.random.default_rng(SEED)
    syllables = [
        c + v for c in ("b", "ch", "d", "f", "g", "l", "m", "n", "p", "qu", "r", "s", "t", "v") for v in "aeiou"
    ]
    accented = [syllable.replace("e", "é") for syllable in syllables]
    drawn = dice.integers(len(syllables), size=(WORDS, 5))
    lengths = dice.integers(2, 6, size=WORDS)
    return [
        "".join((accented if place % 5 == 0 else syllables)[s] for s in row[:length])
        for place, (row, length) in enumerate(zip(drawn.tolist(), lengths.tolist(), strict=True))
    ]


def names(count: int) -> Iterator[str]:
    """Names of one to eight words; the first ones are the same whatever their count."""
    dice = np.random.default_rng(SEED)
    vocabulary = words()
    for first in range(0, count, CHUNK):
        lengths = dice.integers(1, 9, size=CHUNK)
        ranks = np.minimum(dice.zipf(1.15, size=(CHUNK, 8)) - 1, WORDS - 1)
        ranks[:, 0] = dice.integers(WORDS, size=CHUNK)
        for length, row in zip(lengths.tolist()[: count - first], ranks.tolist(), strict=False):
            yield " ".join(vocabulary[rank] for rank in row[:length])


def main() -> None:
    """Read the command line and print the figures."""
    parser = argparse.ArgumentParser(description="Measure a terminology of millions of names.")
    parser.add_argument("--names", type=int, default=3_000_000)
    parser.add_argument("--folder", type=Path, help="where to write (a temporary folder)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        path = Path(folder) / "synthetic.terms"
        print(f"{arguments.names:,} names, {arguments.names // NAMES_PER_CONCEPT:,} concepts")
        step("build, index included", build, path, arguments.names)
        shutil.rmtree(path.with_name(f"{path.name}.index"))
        step("index alone, made again", first_opening, path)
        for again in ("opening", "opening again"):
            step(again, opening, path, next(names(1)))
        step(f"search, {DOCUMENTS} documents", search, path)
        files = [path, *(file for file in path.with_name(f"{path.name}.index").rglob("*") if file.is_file())]
        print("on disk: " + ", ".join(f"{file.name} {file.stat().st_size / 1e6:,.0f} MB" for file in files))


def step(title: str, function: Callable[..., Sequence[str]], *arguments: object) -> None:
    """Run a step in a fresh process and print its duration and its peak of memory."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        pool.submit(int).result()  # imports are done
        seconds, busy, peak, notes = pool.submit(measured, function, arguments).result()
    print(
        f"{title:30} {seconds:9.3f} s ({busy:.3f} s of processor)   peak {peak / 1024:6,.0f} MiB   {'; '.join(notes)}",
        flush=True,
    )


def measured(
    function: Callable[..., Sequence[str]], arguments: Sequence[object]
) -> tuple[float, float, int, Sequence[str]]:
    """Seconds by the clock and of the processor, peak of resident memory in KiB, and what the step has to say."""
    base = peak_memory()
    started, busy = time.perf_counter(), time.process_time()
    notes = function(*arguments)
    seconds, busy = time.perf_counter() - started, time.process_time() - busy
    return seconds, busy, peak_memory(), [f"{base / 1024:,.0f} MiB before", *notes]


def peak_memory() -> int:
    """Peak of resident memory of this process in KiB (Linux); mapped files count when they are read."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1])


def build(path: Path, count: int) -> Sequence[str]:
    """Sources to dictionary."""
    info = build_terminology([Synthetic(count)], path, lambda problem: print(problem))
    return [f"{info.terms:,} distinct names"]


def first_opening(path: Path) -> Sequence[str]:
    """The index is made."""
    StoredIndex.open(path).close()
    return []


def opening(path: Path, name: str) -> Sequence[str]:
    """The index is there: opening, and the first answer."""
    return [f"{name!r} is a name of {len(StoredIndex.open(path).lookup(tokens.key(name)))} concepts"]


def search(path: Path) -> Sequence[str]:
    """Documents, twice: what was read from the disk stays in memory the second time."""
    vocabulary, dice = words(), np.random.default_rng(1)
    inside = names(DOCUMENTS * 50)
    documents = []
    for _ in range(DOCUMENTS):
        ranks = np.minimum(dice.zipf(1.15, size=(50, 9)) - 1, WORDS - 1).tolist()
        documents.append(" ".join(f"{' '.join(vocabulary[r] for r in row)} {next(inside)}" for row in ranks))
    keys = [tokens.keys(document) for document in documents]
    index = StoredIndex.open(path)
    notes = [f"{sum(map(len, keys)) / DOCUMENTS:.0f} tokens each"]
    for turn in ("first", "second"):
        started = time.perf_counter()
        found = sum(1 for document in keys for _ in index.matches(document))
        seconds = time.perf_counter() - started
        notes.append(f"{turn} pass {DOCUMENTS / seconds:,.0f} documents/s, {found / DOCUMENTS:.0f} names each")
    return notes


if __name__ == "__main__":
    main()
