"""The vectors of the passages of a cohort, kept in Chroma: in a folder, in memory, or by a server.

Chroma holds identifiers, vectors, dates and types, never a text: passages are read again from the documents.
It is used as a store; ranking is exact, over the few hundred vectors of one patient (`retriever.retrieve`),
because an approximate search filtered by patient may miss passages, and not the same ones on every machine.

A row's name is computed from what it is about (`retriever.rows`), so that a patient's rows are asked by name: a filter
on patient_id takes longer as the cohort grows (docs/index.md has the figures).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np
from chromadb.api.client import Client
from chromadb.api.collection_configuration import CreateCollectionConfiguration
from chromadb.api.models.Collection import Collection
from chromadb.errors import ChromaError, NotFoundError

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
_GRAPH: CreateCollectionConfiguration = {"hnsw": {"space": "l2", "max_neighbors": 4, "ef_construction": 4}}


class EmptiedError(Exception):
    """The index was damaged and has been emptied: what it held must be stored again."""


class DenseIndex:
    """Vectors of the passages of a cohort, by patient and document; and the states of a recurrent network, if put.

    Made by `in_memory`, `in_folder`, `on_server`, or `open_index`. A folder may be used by several processes at a
    time, each with an index that it made itself; none may be a fork of a process that has used one.

    Attributes:
        emptied: how often the index was found damaged, and emptied, since it was opened.
    """

    def __init__(self, encoder: Encoder, place: Place, *, rebuild: bool = False) -> None:
        self.encoder = encoder
        self.emptied = 0
        self._place = place
        self._opened: tuple[Client, Collection] | None = None
        self._query_vector: Callable[[str], Vectors] = lru_cache(maxsize=1024)(lambda text: encoder.encode([text])[0])
        if rebuild:
            with place.held(writes=True):
                place.empty()
        try:
            self._with_passages(lambda held: held.get(limit=1, include=["embeddings"]))  # reads the vectors' files
        except EmptiedError:
            self._with_passages(lambda held: None)

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
        try:
            return self._upsert(wanted)
        except EmptiedError:
            return self._upsert(wanted)

    def delete(self, patient_id: str, document_id: str) -> None:
        """Forget a document and its state; nothing happens when it is not held."""
        key = document_key(patient_id, document_id)

        def forget(client: Client) -> None:
            held = self._passages(client)
            delete_rows(held, names_held(held, [key]))
            for states in self._states(client):
                states.delete(ids=[key])

        self._unless_emptied(forget, None, writes=True)

    def prune(self, documents: Iterable[tuple[str, str]]) -> int:
        """Forget all documents but these, given as (patient_id, document_id).

        Returns:
            How many passages were removed.
        """
        kept = {document_key(*document) for document in documents}

        def forget(client: Client) -> int:
            removed = [0]
            for collection in (*self._states(client), self._passages(client)):
                gone = [name for name in all_names(collection) if key_in(name) not in kept]
                delete_rows(collection, gone[::-1])
                removed.append(len(gone))
            return removed[-1]

        return self._unless_emptied(forget, 0, writes=True)

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
            found = self._with_passages(lambda held: find_vectors(held, asked))
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
        return self._unless_emptied(lambda client: self._passages(client).count(), 0)

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
        chain = _chain(documents)

        def read(client: Client) -> dict[int, Vectors]:
            try:
                held = client.get_collection(self._states_name(model), embedding_function=None)
            except NotFoundError:
                return {}
            rows = read_rows(held, [key for key, _ in chain])
            return {
                number: rows[key][1]
                for number, (key, digest) in enumerate(chain, start=1)
                if key in rows and rows[key][0]["chain"] == digest
            }

        return self._unless_emptied(read, dict[int, Vectors]())

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
        vectors = np.stack([states[number] for number in numbers])

        def write(client: Client) -> None:
            held = client.get_or_create_collection(
                self._states_name(model),
                embedding_function=None,
                metadata={"model": model},
                configuration=_GRAPH,
            )
            write_rows(client, held, names, vectors, rows)

        try:
            self._do(write, writes=True)
        except EmptiedError:
            self._do(write, writes=True)

    def close(self) -> None:
        """Give back memory and files. The index is not to be used afterwards."""
        self._place.close()

    def _upsert(self, wanted: dict[str, Wanted]) -> int:
        changed = self._with_passages(lambda held: changed_keys(held, wanted))
        if not changed:
            return 0
        found = [passage for key in changed for passage in wanted[key].passages]
        vectors = self.encoder.encode([passage.text for passage in found])
        names = [name for key in changed for name in row_names(key, len(wanted[key].rows))]
        rows = [row for key in changed for row in wanted[key].rows]

        def write(client: Client) -> None:
            held = self._passages(client)
            delete_rows(held, names_held(held, changed))
            write_rows(client, held, names, vectors, rows)

        self._do(write, writes=True)
        return len(found)

    def _with_passages(self, operation: Callable[[Collection], T]) -> T:
        return self._do(lambda client: operation(self._passages(client)))

    def _unless_emptied(self, operation: Callable[[Client], T], otherwise: T, *, writes: bool = False) -> T:
        try:
            return self._do(operation, writes=writes)
        except EmptiedError:
            return otherwise

    def _do(self, operation: Callable[[Client], T], *, writes: bool = False) -> T:
        with self._place.held(writes=writes) as client:
            try:
                return operation(client)
            except (ChromaError, DamagedError) as error:
                self._place.mend(error)
                self._opened = None
                self.emptied += 1
                raise EmptiedError from error

    def _passages(self, client: Client) -> Collection:
        if self._opened is None or self._opened[0] is not client:
            ours = manifest_of(self.encoder)
            collection = client.get_or_create_collection(
                f"{self._place.prefix}.passages",
                embedding_function=None,
                metadata=ours,
                configuration=_GRAPH,
            )
            require_same(self._place.name, collection.metadata, ours)
            self._opened = client, collection
        return self._opened[1]

    def _states_name(self, model: str) -> str:
        return f"{self._place.prefix}.states.{digest_of(model)}"

    def _states(self, client: Client) -> list[Collection]:
        return [held for held in client.list_collections() if held.name.startswith(f"{self._place.prefix}.states.")]


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
