"""Main path of indexing: documents -> passages -> vectors kept in an index, for `fill` and `ask` to find again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from rag.corpus.build import build_document
from rag.corpus.read import read_documents
from rag.retrieval import open_encoder
from schema.document import Document
from schema.problem import Problem

if TYPE_CHECKING:
    from retriever.index import DenseIndex

#: Documents encoded and written together: what a killed run has to do again, at most.
_TOGETHER = 200


@dataclass(frozen=True, slots=True)
class IndexRequest:
    """The arguments of one indexing.

    Args:
        documents: folder or file, as `rag.corpus.read.read_documents` takes it.
        index: folder, or URL of a Chroma server.
        encoder: folder of an encoder; None: the one that comes with the program.
        prune: forget documents that are not among ``documents``.
        rebuild: forget all that the index holds, whatever encoder made it.
        progress: show a progress bar on stderr.
    """

    documents: Path
    index: str
    encoder: Path | None = None
    prune: bool = False
    rebuild: bool = False
    progress: bool = False


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What an indexing did, in passages.

    Args:
        kept: held before and not encoded again; those of documents that were not read included.
        removed: of documents that have changed, or that were pruned.
    """

    encoder: str
    documents: int
    encoded: int
    kept: int
    removed: int
    seconds: float
    problems: tuple[Problem, ...]

    def summary(self) -> str:
        """What was done, in a line for a person."""
        return (
            f"{self.documents} documents in {self.seconds:.1f} s, with {self.encoder}: passages encoded "
            f"{self.encoded}, kept {self.kept}, removed {self.removed}"
        )


def index_cohort(request: IndexRequest) -> IndexReport:
    """Make or update the index of a cohort. A killed run is gone on from by the next.

    Raises:
        InputError: the documents, the encoder or the index cannot be used, or do not go together.
    """
    from retriever.index import open_index

    started = time.perf_counter()
    problems: dict[Problem, None] = {}
    encoder = open_encoder(request.encoder)
    with closing(open_index(encoder, request.index, problems.setdefault, rebuild=request.rebuild)) as index:
        before = index.count()
        encoded = 0
        while True:
            emptied = index.emptied
            read, more = _upsert_all(request, index, problems.setdefault)
            encoded += more
            if index.emptied == emptied:
                break  # else it was damaged: what was in it before is made again
        pruned = index.prune(read) if request.prune else 0
        after = index.count()
    kept = max(after + pruned - encoded, 0)
    removed = max(before - kept, 0) + pruned
    return IndexReport(
        encoder.name, len(read), encoded, kept - pruned, removed, time.perf_counter() - started, tuple(problems)
    )


def _upsert_all(
    request: IndexRequest, index: DenseIndex, on_problem: Callable[[Problem], None]
) -> tuple[set[tuple[str, str]], int]:
    """The documents that were read, as (patient_id, document_id), and how many passages were encoded."""
    read: set[tuple[str, str]] = set()
    encoded = 0
    with tqdm(unit="document", disable=not request.progress) as bar:
        for documents in _batches(request.documents, on_problem):
            encoded += index.upsert(documents)
            read.update((document.patient_id, document.document_id) for document in documents)
            bar.update(len(documents))
    return read, encoded


def _batches(documents: Path, on_problem: Callable[[Problem], None]) -> Iterator[list[Document]]:
    batch: list[Document] = []
    for raw in read_documents(documents, on_problem):
        batch.append(build_document(raw, on_problem))
        if len(batch) == _TOGETHER:
            yield batch
            batch = []
    if batch:
        yield batch
