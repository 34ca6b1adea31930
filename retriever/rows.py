"""The rows of a collection: how they are named, what they say, and how they are read and written whole.

A document's rows are named by its key and a number, from 0. Row 0 also says how many there are; it is written first
and deleted last, so that a killed process leaves no row that nothing leads to. Every row holds the checksum of
its vector.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from chromadb.api.client import Client
from chromadb.api.models.Collection import Collection

from retriever.embed import Vectors
from retriever.passages import passages
from schema.document import Document
from schema.passage import Passage

Row = dict[str, str | int]
#: What a passage is known by, once held: patient, document, start, end, digest of its text.
Content = tuple[str, str, int, int, str]

_CONTENT = ("patient_id", "document_id", "start", "end", "digest")
_COUNT, _CHECKSUM = "passages", "checksum"
_ASKED_AT_ONCE = 5000


class DamagedError(Exception):
    """What is read is not what was stored."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A document as it should be held: its passages, and what the row of each says."""

    patient_id: str
    passages: list[Passage]
    rows: list[Row]


def document_key(patient_id: str, document_id: str) -> str:
    """What the rows of a document are named by."""
    return digest_of(json.dumps([plain(patient_id), plain(document_id)]))


def row_names(key: str, count: int, start: int = 0) -> list[str]:
    """The names of rows ``start`` to ``count``, excluded, of a document."""
    return [f"{key}-{number}" for number in range(start, count)]


def key_in(name: str) -> str:
    """The key of the document to which a row of this name belongs."""
    return name.partition("-")[0]


def wanted_rows(documents: Iterable[Document]) -> dict[str, Wanted]:
    """Documents by key; one that is given twice is held once.

    Raises:
        ValueError: two different documents of one patient have the same name.
    """
    wanted: dict[str, Wanted] = {}
    for document in documents:
        key = document_key(document.patient_id, document.document_id)
        cut = passages(document)
        rows = [_row_of(passage) for passage in cut]
        if rows:
            rows[0][_COUNT] = len(rows)
        if key in wanted and wanted[key].rows != rows:
            raise ValueError(
                f"patient {document.patient_id} has two documents {document.document_id}; give each a name of its own"
            )
        wanted[key] = Wanted(document.patient_id, cut, rows)
    return wanted


def changed_keys(held: Collection, wanted: Mapping[str, Wanted]) -> list[str]:
    """The documents that are not held as they should be.

    Raises:
        DamagedError: a vector is not the one that was stored.
    """
    names = [name for key, document in wanted.items() for name in row_names(key, max(len(document.rows), 1))]
    found = read_rows(held, names)
    said = {name: row for name, (row, _) in found.items()}
    return [
        key
        for key, document in wanted.items()
        if [said.get(name) for name in row_names(key, len(document.rows))] != document.rows
        or (not document.rows and row_names(key, 1)[0] in said)
    ]


def find_vectors(held: Collection, asked: Sequence[Content]) -> dict[Content, Vectors]:
    """The vectors of passages, and of others of the same documents; those that are not held are left out.

    Raises:
        DamagedError: a vector is not the one that was stored.
    """
    counts = Counter(document_key(patient, document) for patient, document, *_ in asked)
    # Nearly always all passages of a document are asked, and these are their rows.
    found = _by_content(held, [name for key, count in counts.items() for name in row_names(key, count)])
    if any(content not in found for content in asked):
        more = _counts(held, counts)
        found |= _by_content(held, [n for key, count in more.items() for n in row_names(key, count, counts[key])])
    return found


def content_of(passage: Passage) -> Content:
    """What a passage is known by."""
    span = passage.span
    return plain(passage.patient_id), plain(span.document_id), span.start, span.end, digest_of(passage.text)


def names_held(held: Collection, keys: Iterable[str]) -> list[str]:
    """The names of the rows that documents have now, row 0 of each after its others."""
    return [name for key, count in _counts(held, keys).items() for name in reversed(row_names(key, count))]


def all_names(held: Collection) -> Iterator[str]:
    """The names of all rows, row 0 of a document after its others where both are near."""
    for offset in range(0, held.count(), _ASKED_AT_ONCE):
        yield from held.get(limit=_ASKED_AT_ONCE, offset=offset, include=[])["ids"]


def read_rows(held: Collection, names: Sequence[str]) -> dict[str, tuple[Row, Vectors]]:
    """What rows say, and their vectors; those that are not held are left out.

    Raises:
        DamagedError: a vector is not the one that was stored.
    """
    found: dict[str, tuple[Row, Vectors]] = {}
    for some in _parts(names):
        got: Any = held.get(ids=some, include=["embeddings", "metadatas"])
        vectors = np.asarray(got["embeddings"], dtype=np.float32)
        for name, row, vector in zip(got["ids"], got["metadatas"], vectors, strict=True):
            said = dict(row)
            if said.pop(_CHECKSUM, None) != _checksum(vector):
                raise DamagedError("a vector is not the one that was stored")
            found[name] = said, vector
    return found


def write_rows(
    client: Client, held: Collection, names: Sequence[str], vectors: Sequence[Vectors], rows: Sequence[Row]
) -> None:
    """Add rows, or replace them; vectors of shape (size,)."""
    most = client.get_max_batch_size()
    for start in range(0, len(names), most):
        part = slice(start, start + most)
        exact = np.asarray(vectors[part], dtype=np.float32)
        said: Any = [{**row, _CHECKSUM: _checksum(vector)} for row, vector in zip(rows[part], exact, strict=True)]
        held.upsert(ids=list(names[part]), embeddings=exact, metadatas=said)


def delete_rows(held: Collection, names: Sequence[str]) -> None:
    """Delete rows in their order; those that are not held are passed over."""
    for some in _parts(names):
        held.delete(ids=some)


def digest_of(text: str) -> str:
    """A short hash of a text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def plain(text: str) -> str:
    """The text as a database can hold it: a broken character is spelled out."""
    return text.encode("utf-8", "backslashreplace").decode()


def _parts(names: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), _ASKED_AT_ONCE):
        yield list(names[start : start + _ASKED_AT_ONCE])


def _row_of(passage: Passage) -> Row:
    said: Row = dict(zip(_CONTENT, content_of(passage), strict=True))
    return said | {"date": str(passage.written_on or ""), "type": plain(passage.document_type)}


def _by_content(held: Collection, names: Sequence[str]) -> dict[Content, Vectors]:
    found: dict[Any, Vectors] = {
        tuple(row[field] for field in _CONTENT): vector for row, vector in read_rows(held, names).values()
    }
    return found


def _counts(held: Collection, keys: Iterable[str]) -> dict[str, int]:
    """How many rows the documents that are held have, by key."""
    found: dict[str, int] = {}
    for some in _parts([name for key in keys for name in row_names(key, 1)]):
        got: Any = held.get(ids=some, include=["metadatas"])
        for name, row in zip(got["ids"], got["metadatas"], strict=True):
            found[key_in(name)] = row[_COUNT]
    return found


def _checksum(vector: Vectors) -> int:
    return zlib.crc32(np.ascontiguousarray(vector, dtype="<f4").tobytes())
