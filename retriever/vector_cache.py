"""Vectors that have been made once are not made again: by the encoder's name and a hash of the text, never the text."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

#: The file in a cache's folder. Any number of encoders and processes may share it.
CACHE_FILE = "vectors.sqlite"
_IN_MEMORY = 128 * 1024 * 1024  # bytes of vectors kept by process and encoder; the oldest unused go first
_ASKED_AT_ONCE = 500
_PATIENCE = 30.0  # seconds to wait for another process that writes


def text_key(text: str) -> bytes:
    """What a text is known by, 16 bytes."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class VectorCache:
    """Vectors of one encoder by `text_key`: the latest in memory, all of them in a folder where one is given.

    A file that is damaged, or that cannot be written, is no error: its vectors are made again.
    """

    def __init__(self, encoder: str, folder: Path | None = None) -> None:
        self._encoder = encoder
        self._held: OrderedDict[bytes, Vector] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._file = _opened(folder / CACHE_FILE) if folder else None

    def get(self, keys: Iterable[bytes]) -> dict[bytes, Vector]:
        """The vectors that are held, each of shape (dimension,)."""
        with self._lock:
            found = {}
            missing = []
            for key in dict.fromkeys(keys):
                vector = self._held.get(key)
                if vector is None:
                    missing.append(key)
                else:
                    self._held.move_to_end(key)
                    found[key] = vector
            read = self._read(missing)
            self._hold(read)
            return found | read

    def put(self, vectors: Mapping[bytes, Vector]) -> None:
        """Keep vectors."""
        with self._lock:
            self._hold(vectors)
            if self._file is None:
                return
            rows = [(self._encoder, key, np.asarray(vector, "<f4").tobytes()) for key, vector in vectors.items()]
            try:
                with self._file:
                    self._file.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)
            except sqlite3.Error:
                self._file = None

    def _hold(self, vectors: Mapping[bytes, Vector]) -> None:
        for key, vector in vectors.items():
            if key not in self._held:
                self._held[key] = vector.copy()  # a row of its own: a view would keep its whole batch
                self._bytes += vector.nbytes
        while self._bytes > _IN_MEMORY:
            _, oldest = self._held.popitem(last=False)
            self._bytes -= oldest.nbytes

    def _read(self, keys: Sequence[bytes]) -> dict[bytes, Vector]:
        found: dict[bytes, Vector] = {}
        if self._file is None:
            return found
        try:
            for start in range(0, len(keys), _ASKED_AT_ONCE):
                some = keys[start : start + _ASKED_AT_ONCE]
                marks = ",".join("?" * len(some))
                query = f"SELECT hash, vector FROM vectors WHERE encoder = ? AND hash IN ({marks})"  # noqa: S608
                for key, vector in self._file.execute(query, (self._encoder, *some)):
                    found[key] = np.frombuffer(vector, "<f4").astype(np.float32)
        except sqlite3.Error:
            self._file = None
        return found


@cache
def shared_cache(encoder: str, folder: Path | None) -> VectorCache:
    """The one cache of this process for an encoder and a folder."""
    return VectorCache(encoder, folder)


def _opened(path: Path) -> sqlite3.Connection | None:
    path.parent.mkdir(parents=True, exist_ok=True)
    for _ in range(2):
        file = sqlite3.connect(path, timeout=_PATIENCE, check_same_thread=False)
        try:
            file.execute("PRAGMA journal_mode=WAL")
            file.execute(
                "CREATE TABLE IF NOT EXISTS vectors"
                " (encoder TEXT, hash BLOB, vector BLOB, PRIMARY KEY (encoder, hash)) WITHOUT ROWID"
            )
        except sqlite3.OperationalError:  # locked, read-only, no space: go on without
            file.close()
            return None
        except sqlite3.DatabaseError:  # not a database (any more)
            file.close()
            path.unlink(missing_ok=True)
        else:
            return file
    return None
