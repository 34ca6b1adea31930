"""The vectors of the passages, kept in an embedded Chroma: in a folder, or in memory for the length of a run.

Chroma holds identifiers, vectors, dates and types, never a text: passages are read again from the documents.
It is used as a store; ranking is exact, over the few hundred vectors of one patient (`retriever.retrieve`),
because an approximate search filtered by patient may miss passages, and not the same ones on every machine.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import chromadb
import numpy as np
from chromadb.api.client import Client
from chromadb.config import Settings
from chromadb.errors import NotFoundError

from retriever.embed import Encoder, Vectors
from retriever.passages import PASSAGE_SETTINGS, passages
from schema.document import Document
from schema.passage import Passage
from schema.problem import Problem

MANIFEST = "manifest.json"
_COLLECTION = "passages"
_in_memory = itertools.count()


class DenseIndex:
    """Vectors of the passages of a cohort, by patient and document. Made by `in_memory` or `in_folder`."""

    def __init__(self, encoder: Encoder, client: Client, name: str, temporary: bool) -> None:
        self.encoder = encoder
        self._client = client
        self._temporary = temporary
        self._collection = client.get_or_create_collection(
            name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )
        self._query_vector: Callable[[str], Vectors] = lru_cache(maxsize=1024)(lambda text: encoder.encode([text])[0])

    @classmethod
    def in_memory(cls, encoder: Encoder) -> DenseIndex:
        """An empty index that lasts until `close`."""
        # In-memory clients of one process share their collections: each index takes a name of its own.
        return cls(encoder, _client(None), f"{_COLLECTION}-{next(_in_memory)}", temporary=True)

    @classmethod
    def in_folder(cls, encoder: Encoder, folder: Path, on_problem: Callable[[Problem], None]) -> DenseIndex:
        """The index kept in a folder, made when absent. One process at a time may have it open.

        The folder also holds ``manifest.json``: encoder, dimension and passage settings the vectors were made
        with. Where they are not ours the vectors are dropped, ``on_problem`` is told, and `upsert` makes them again.
        """
        folder.mkdir(parents=True, exist_ok=True)
        client = _client(folder)
        _drop_if_foreign(client, encoder, folder / MANIFEST, on_problem)
        return cls(encoder, client, _COLLECTION, temporary=False)

    def upsert(self, documents: Iterable[Document]) -> int:
        """Index documents, replacing what was held of each; a document that has not changed is not encoded again.

        Returns:
            How many passages were encoded.
        """
        found: list[tuple[Passage, str]] = []
        for document in documents:
            cut = passages(document)
            digest = _digest(cut)
            held = self._held(document.patient_id, document.document_id)
            if held and held["metadatas"][0]["digest"] == digest and len(held["ids"]) == len(cut):
                continue
            if held:
                self._collection.delete(ids=held["ids"])
            found += [(passage, digest) for passage in cut]
        vectors = self.encoder.encode([passage.text for passage, _ in found])
        most = self._client.get_max_batch_size()
        for i in range(0, len(found), most):
            part = found[i : i + most]
            self._collection.upsert(
                ids=[_key(passage) for passage, _ in part],
                embeddings=vectors[i : i + most],
                metadatas=[_metadata(passage, digest) for passage, digest in part],
            )
        return len(found)

    def delete(self, patient_id: str, document_id: str) -> None:
        """Forget a document; nothing happens when it is not held."""
        held = self._held(patient_id, document_id)
        if held:
            self._collection.delete(ids=held["ids"])

    def vectors(self, patient_id: str, passages: Sequence[Passage]) -> Vectors:
        """The vectors of passages of one patient, in their order: float32 of norm 1, shape (n, dimension).

        Raises:
            LookupError: a passage is not held for this patient; its document must be upserted first.
        """
        if not passages:
            return np.zeros((0, self.encoder.dimension), dtype=np.float32)
        held: Any = self._collection.get(where={"patient_id": patient_id}, include=["embeddings"])
        rows = {key: row for row, key in enumerate(held["ids"])}
        try:
            order = [rows[_key(passage)] for passage in passages]
        except KeyError:
            missing = sorted({p.span.document_id for p in passages if _key(p) not in rows})
            raise LookupError(
                f"patient {patient_id}: document(s) {', '.join(missing)} not in the index as they are now; "
                "call upsert with them first"
            ) from None
        return np.asarray(held["embeddings"], dtype=np.float32)[order]

    def query_vector(self, text: str) -> Vectors:
        """The vector of a query, shape (dimension,). Kept: a study asks every patient the same questions."""
        return self._query_vector(text)

    def close(self) -> None:
        """Give back memory and files. The index is not to be used afterwards."""
        if self._temporary:
            self._client.delete_collection(self._collection.name)
        self._client.close()

    def _held(self, patient_id: str, document_id: str) -> dict[str, Any] | None:
        held: Any = self._collection.get(
            where={"$and": [{"patient_id": patient_id}, {"document_id": document_id}]}, include=["metadatas"]
        )
        return held if held["ids"] else None


def _client(folder: Path | None) -> Client:
    settings = Settings(anonymized_telemetry=False)
    made = chromadb.PersistentClient(folder, settings) if folder else chromadb.EphemeralClient(settings)
    return cast(Client, made)  # declared as the interface, which has no close()


def _drop_if_foreign(client: Client, encoder: Encoder, manifest: Path, on_problem: Callable[[Problem], None]) -> None:
    ours = {"encoder": encoder.name, "dimension": encoder.dimension, "passages": PASSAGE_SETTINGS}
    try:
        theirs = json.loads(manifest.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        theirs = None
    if theirs == ours:
        return
    # In this order, a run that is cut here leaves no manifest and the next one starts again.
    manifest.unlink(missing_ok=True)
    try:
        client.delete_collection(_COLLECTION)
    except NotFoundError:
        pass  # a new folder
    else:
        what = (
            "has no readable manifest."
            if theirs is None
            else f"was made with other passages or another encoder; this run uses {encoder.name!r}."
        )
        on_problem(Problem(str(manifest.parent), what, "The index is being rebuilt; nothing to do.", lost=False))
    manifest.write_text(json.dumps(ours, indent=2), "utf-8")


def _key(passage: Passage) -> str:
    """A name that no other passage of the cohort has, nor this one once its text has changed."""
    text = hashlib.blake2b(passage.text.encode(errors="surrogatepass"), digest_size=8).hexdigest()
    return json.dumps([passage.patient_id, passage.span.document_id, passage.span.start, passage.span.end, text])


def _digest(cut: Sequence[Passage]) -> str:
    """Changes when a document's passages, date or type do."""
    said = [[_key(passage), passage.document_type, str(passage.written_on)] for passage in cut]
    return hashlib.blake2b(json.dumps(said).encode(), digest_size=16).hexdigest()


def _metadata(passage: Passage, digest: str) -> dict[str, str | int]:
    return {
        "patient_id": passage.patient_id,
        "document_id": passage.span.document_id,
        "start": passage.span.start,
        "end": passage.span.end,
        "date": str(passage.written_on or ""),
        "type": passage.document_type,
        "digest": digest,
    }
