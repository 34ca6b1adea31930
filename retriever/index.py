"""The vectors of the passages of a cohort, kept in Chroma: in a folder, in memory, or by a server.

Chroma holds identifiers, vectors, dates and types, never a text: passages are read again from the documents.
It is used as a store; ranking is exact, over the few hundred vectors of one patient (`retriever.retrieve`),
because an approximate search filtered by patient may miss passages, and not the same ones on every machine.

A row's name is computed from what it is about (`retriever.rows`), so that a patient's rows are asked by name: a filter
on patient_id takes longer as the cohort grows (docs/index.md has the figures).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from chromadb.api.client import Client
from chromadb.api.collection_configuration import CreateCollectionConfiguration
from chromadb.api.models.Collection import Collection
from chromadb.errors import ChromaError

from retriever.embed import Encoder, Vectors
from retriever.manifest import manifest_of, require_same
from retriever.place import REMOTE, FolderPlace, MemoryPlace, OnProblem, Place, ServerPlace
from retriever.rows import (
    DamagedError,
    Row,
    Wanted,
    all_names,
    changed_keys,
    content_of,
    delete_rows,
    digest_of,
    document_key,
    find_vectors,
    key_in,
    names_held,
    plain,
    read_rows,
    row_names,
    wanted_rows,
    write_rows,
)
from schema.document import Document
from schema.passage import Passage

T = TypeVar("T")

#: Nothing is searched through Chroma's graph: it is kept as small as it may be. With "l2" vectors are held as given.
#: A write reads again what Chroma has not yet written to its vector files, at most ``sync_threshold`` rows.
_GRAPH: CreateCollectionConfiguration = {
    "hnsw": {"space": "l2", "max_neighbors": 4, "ef_construction": 4, "sync_threshold": 100}
}
#: Patients are dealt out to this many collections. Chroma writes vector files in place: a process that is killed
#: meanwhile damages one collection. More of them make filling slower.
_SHARDS = 16


class EmptiedError(Exception):
    """A part of the index was damaged and has been emptied: what it held must be stored again."""


class _Rows(NamedTuple):
    """What is to be written in one collection: documents, and names, contents and vectors of their rows."""

    keys: list[str]
    names: list[str]
    rows: list[Row]
    vectors: list[Vectors]


class DenseIndex:
    """Vectors of the passages of a cohort, by patient and document; and the states of a recurrent network, if put.

    Made by `in_memory`, `in_folder`, `on_server`, or `open_index`. A folder may be used by several processes at a
    time, each with an index that it made itself; none may be a fork of a process that has used one.

    Attributes:
        emptied: how often a part of the index was found damaged, and emptied, since it was opened.
    """

    def __init__(self, encoder: Encoder, place: Place, *, rebuild: bool = False) -> None:
        self.encoder = encoder
        self.emptied = 0
        self._place = place
        self._client: Client | None = None
        self._collections: dict[str, Collection] = {}
        self._query_vector: Callable[[str], Vectors] = lru_cache(maxsize=1024)(lambda text: encoder.encode([text])[0])
        if rebuild:
            with place.held(writes=True):
                place.empty()
        self._names("")

    @classmethod
    def in_memory(cls, encoder: Encoder) -> DenseIndex:
        """An empty index that lasts until `close`."""
        return cls(encoder, MemoryPlace())

    @classmethod
    def in_folder(cls, encoder: Encoder, folder: Path, on_problem: OnProblem, *, rebuild: bool = False) -> DenseIndex:
        """The index kept in a folder, made when absent.

        ``on_problem`` is told when the folder was damaged, and is being rebuilt, or when another process has it for
        long. With ``rebuild``, what it holds is dropped.

        Raises:
            InputError: the index was made by another encoder or of other passages; the folder holds other files, or
                cannot be written. So may every method later, when another process has rebuilt the index.
        """
        return cls(encoder, FolderPlace(folder, on_problem), rebuild=rebuild)

    @classmethod
    def on_server(cls, encoder: Encoder, url: str, *, rebuild: bool = False) -> DenseIndex:
        """The index that a Chroma server keeps; see `retriever.place.ServerPlace`.

        Raises:
            InputError: as `in_folder`; or the server is another machine that was not allowed, or does not answer.
        """
        return cls(encoder, ServerPlace(url), rebuild=rebuild)

    def upsert(self, documents: Iterable[Document]) -> int:
        """Index documents, replacing what was held of each; a document that has not changed is not encoded again.

        Encoding is done before the place is locked, and a document is written whole or, if the process is killed,
        again by the next call.

        Returns:
            How many passages were encoded.

        Raises:
            ValueError: two different documents of one patient have the same name.
        """
        wanted = wanted_rows(documents)
        encoded = 0
        for _ in range(_SHARDS + 1):
            try:
                for shard, rows in self._encoded(wanted):
                    self._in(shard, partial(_replace, rows), writes=True)
                    encoded += len(rows.names)
            except EmptiedError:
                continue  # what it held is encoded again
            return encoded
        raise EmptiedError

    def delete(self, patient_id: str, document_id: str) -> None:
        """Forget a document and its state; nothing happens when it is not held."""
        key = document_key(patient_id, document_id)
        shard = _shard(patient_id)
        for name in self._names("states."):
            if name.endswith(f".{shard}"):
                self._unless_emptied(name, lambda _, held: held.delete(ids=[key]), None, writes=True)
        name = self._passages(shard)
        self._unless_emptied(name, lambda _, held: delete_rows(held, names_held(held, [key])), None, writes=True)

    def prune(self, documents: Iterable[tuple[str, str]]) -> int:
        """Forget all documents but these, given as (patient_id, document_id).

        Returns:
            How many passages were removed.
        """
        kept = {document_key(*document) for document in documents}

        def forget(_: Client, held: Collection) -> int:
            gone = [name for name in all_names(held) if key_in(name) not in kept]
            delete_rows(held, gone[::-1])
            return len(gone)

        for name in self._names("states."):
            self._unless_emptied(name, forget, 0, writes=True)
        return sum(self._unless_emptied(name, forget, 0, writes=True) for name in self._names("passages."))

    def vectors(self, patient_id: str, passages: Sequence[Passage]) -> Vectors:
        """The vectors of passages of one patient, in their order: float32 of norm 1, shape (n, dimension).

        Takes the same time whatever the size of the cohort.

        Raises:
            LookupError: a passage is not held for this patient; its document must be upserted first.
        """
        if not passages:
            return np.zeros((0, self.encoder.dimension), dtype=np.float32)
        asked = [content_of(passage) for passage in passages]
        try:
            name = self._passages(_shard(patient_id))
            found = self._in(name, lambda _, held: find_vectors(held, asked))
        except EmptiedError:
            found = {}
        missing = sorted({content[1] for content in asked if content not in found or content[0] != plain(patient_id)})
        if missing:
            raise LookupError(
                f"patient {patient_id}: document(s) {', '.join(missing)} not in the index as they are now; "
                "call upsert with them first"
            )
        return np.stack([found[content] for content in asked])

    def query_vector(self, text: str) -> Vectors:
        """The vector of a query, shape (dimension,). Kept: a study asks every patient the same questions."""
        return self._query_vector(text)

    def count(self) -> int:
        """How many passages are held."""
        return sum(self._unless_emptied(name, lambda _, held: held.count(), 0) for name in self._names("passages."))

    def states(self, model: str, documents: Sequence[Document]) -> dict[int, Vectors]:
        """The states of a recurrent network along a timeline, as far as they are held and still true.

        A state is true as long as all documents up to its own are what they were when it was put, in the same order:
        a document added at the end leaves all states, one that is inserted leaves those before it.

        Args:
            model: name of the network, which changes with its weights.
            documents: the timeline of one patient, in order.

        Returns:
            By number of documents read, from 1: the state after them, float32 of shape (size,).
        """
        if not documents:
            return {}
        chain = _chain(documents)
        name = self._states(model, documents)
        nothing: dict[str, tuple[Row, Vectors]] = {}
        rows = self._unless_emptied(name, lambda _, held: read_rows(held, [key for key, _ in chain]), nothing)
        return {
            number: rows[key][1]
            for number, (key, digest) in enumerate(chain, start=1)
            if key in rows and rows[key][0]["chain"] == digest
        }

    def put_states(self, model: str, documents: Sequence[Document], states: Mapping[int, Vectors]) -> None:
        """Keep states, which replace those of the same documents.

        Args:
            model, documents: as for `states`.
            states: by number of documents read; all of one size.
        """
        if not states:
            return
        chain = _chain(documents)
        numbers = sorted(states)
        patient = plain(documents[0].patient_id)
        rows: list[Row] = [{"patient_id": patient, "chain": chain[number - 1][1]} for number in numbers]
        names = [chain[number - 1][0] for number in numbers]
        vectors = [states[number] for number in numbers]

        def write(client: Client, held: Collection) -> None:
            write_rows(client, held, names, vectors, rows)

        self._unless_emptied(self._states(model, documents), write, None, writes=True)

    def close(self) -> None:
        """Give back memory and files. The index is not to be used afterwards."""
        self._place.close()

    def _encoded(self, wanted: Mapping[str, Wanted]) -> list[tuple[str, _Rows]]:
        """The rows of the documents that are not held as they should be, by the collection that will hold them."""
        by_shard: dict[str, dict[str, Wanted]] = {}
        for key, document in wanted.items():
            by_shard.setdefault(self._passages(_shard(document.patient_id)), {})[key] = document
        changed = {name: self._in(name, partial(_changed, part)) for name, part in by_shard.items()}
        found = [passage for keys in changed.values() for key in keys for passage in wanted[key].passages]
        vectors = iter(self.encoder.encode([passage.text for passage in found])) if found else iter(())
        return [
            (
                name,
                _Rows(
                    keys,
                    [row for key in keys for row in row_names(key, len(wanted[key].rows))],
                    [row for key in keys for row in wanted[key].rows],
                    [next(vectors) for key in keys for _ in wanted[key].rows],
                ),
            )
            for name, keys in changed.items()
            if keys
        ]

    def _unless_emptied(
        self, name: str, operation: Callable[[Client, Collection], T], otherwise: T, *, writes: bool = False
    ) -> T:
        try:
            return self._in(name, operation, writes=writes)
        except EmptiedError:
            return otherwise

    def _in(self, name: str, operation: Callable[[Client, Collection], T], *, writes: bool = False) -> T:
        """Run an operation on one collection, which is made when absent.

        Raises:
            EmptiedError: the collection was damaged, and has been dropped.
        """
        with self._place.held(writes=writes) as client:
            try:
                self._require_manifest(client)
                if name not in self._collections:
                    self._collections[name] = client.get_or_create_collection(
                        name, embedding_function=None, configuration=_GRAPH
                    )
                return operation(client, self._collections[name])
            except (ChromaError, DamagedError) as error:
                self._mend(error, name)
                raise EmptiedError from error

    def _names(self, kind: str) -> list[str]:
        """The names of the collections of a kind ("passages.", "states.")."""
        beginning = f"{self._place.prefix}.{kind}"
        with self._place.held() as client:
            try:
                self._require_manifest(client)
                return [held.name for held in client.list_collections() if held.name.startswith(beginning)]
            except ChromaError as error:
                self._mend(error, f"{self._place.prefix}.manifest")
        return self._names(kind)

    def _mend(self, error: Exception, name: str) -> None:
        self._place.mend(error, name)
        self._client = None
        self.emptied += 1

    def _require_manifest(self, client: Client) -> None:
        if self._client is client:
            return
        ours = manifest_of(self.encoder)
        held = client.get_or_create_collection(f"{self._place.prefix}.manifest", embedding_function=None, metadata=ours)
        require_same(self._place.name, held.metadata, ours)
        self._client, self._collections = client, {}

    def _passages(self, shard: str) -> str:
        return f"{self._place.prefix}.passages.{shard}"

    def _states(self, model: str, documents: Sequence[Document]) -> str:
        return f"{self._place.prefix}.states.{digest_of(model)}.{_shard(documents[0].patient_id)}"


def open_index(encoder: Encoder, place: str, on_problem: OnProblem, *, rebuild: bool = False) -> DenseIndex:
    """The index in a folder, or the one at the URL of a Chroma server ("http://127.0.0.1:8000/stroke").

    Raises:
        InputError: as `DenseIndex.in_folder` and `DenseIndex.on_server`.
    """
    if place.removeprefix(REMOTE).startswith(("http://", "https://")):
        return DenseIndex.on_server(encoder, place, rebuild=rebuild)
    return DenseIndex.in_folder(encoder, Path(place), on_problem, rebuild=rebuild)


def _chain(documents: Sequence[Document]) -> list[tuple[str, str]]:
    """For each document of a timeline its key, and a digest of it and of all those before it."""
    chain = []
    digest = ""
    for d in documents:
        said = (digest, d.text, d.sections, d.sentences, d.type, d.title, str(d.written_on))
        digest = digest_of(repr(said))
        chain.append((document_key(d.patient_id, d.document_id), digest))
    return chain


def _shard(patient_id: str) -> str:
    return f"{int(digest_of(plain(patient_id)), 16) % _SHARDS:02x}"


def _changed(wanted: Mapping[str, Wanted], client: Client, held: Collection) -> list[str]:
    return changed_keys(held, wanted)


def _replace(rows: _Rows, client: Client, held: Collection) -> None:
    delete_rows(held, names_held(held, rows.keys))
    write_rows(client, held, rows.names, rows.vectors, rows.rows)
