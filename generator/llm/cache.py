"""Answers kept on disk, so that a run that was killed, or failed in part, asks nothing twice."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from generator.llm.engine import Completion, Engine, Finish, NoAnswer, Request, Token

_TABLE = "CREATE TABLE IF NOT EXISTS answer (request TEXT PRIMARY KEY, completion TEXT NOT NULL) WITHOUT ROWID"
#: Seconds that a process waits for another one's writing to end.
_PATIENCE = 60.0


class CachedEngine:
    """An engine that asks another one only what it has not answered yet. Several processes may share the file.

    Answers quote patients' documents: the file can be read by its owner alone, and whoever makes it removes it.

    Args:
        path: the file of answers, in a folder that exists; made if missing.
    """

    def __init__(self, engine: Engine, path: Path) -> None:
        self.name, self.context = engine.name, engine.context
        self._engine = engine
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        self._base = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
        self._base.execute("PRAGMA journal_mode = WAL")
        self._base.execute("PRAGMA synchronous = NORMAL")
        self._base.execute(_TABLE)

    def complete(self, requests: Sequence[Request]) -> list[Completion | NoAnswer]:
        """See `Engine.complete`. What has no answer is not kept: it is asked again next time."""
        keys = [self._key(request) for request in requests]
        answers: dict[str, Completion | NoAnswer] = {}
        for key in keys:
            row = self._base.execute("SELECT completion FROM answer WHERE request = ?", (key,)).fetchone()
            if row is not None:
                answers[key] = _loaded(row[0])
        left = {key: request for key, request in zip(keys, requests, strict=True) if key not in answers}
        if left:
            answers |= zip(left, self._engine.complete(list(left.values())), strict=True)
            rows = [(key, _dumped(c)) for key in left if isinstance(c := answers[key], Completion)]
            self._base.execute("BEGIN IMMEDIATE")
            self._base.executemany("INSERT OR IGNORE INTO answer VALUES (?, ?)", rows)
            self._base.execute("COMMIT")
        return [answers[key] for key in keys]

    def close(self) -> None:
        """See `Engine.close`."""
        self._base.close()
        self._engine.close()

    def _key(self, request: Request) -> str:
        """Of all that decides the answer."""
        asked = json.dumps([self.name, dataclasses.asdict(request)], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()


def _dumped(completion: Completion) -> str:
    return json.dumps(dataclasses.asdict(completion))


def _loaded(text: str) -> Completion:
    kept = json.loads(text)
    tokens = tuple(Token(**token) for token in kept.pop("tokens"))
    return Completion(**kept | {"finish": Finish(kept["finish"]), "tokens": tokens})
