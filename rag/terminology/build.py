"""Main path of `terminology build`: sources -> one dictionary file, with its index.

The file appears at once, complete, or not at all: it is written beside its place and then renamed.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import NoReturn

from tqdm import tqdm

from rag.terminology.index import StoredIndex
from rag.terminology.loaders.source import Entry, Report, Source
from rag.terminology.store import APPLICATION_ID, BEST_NAME, FORMAT, TABLES, SourceInfo, TerminologyInfo
from schema.problem import InputError, Problem

_BATCH = 10_000  # entries stored at once
_CACHE = 400_000  # KiB of pages that SQLite keeps in memory while it writes
_STALE = 86_400.0  # seconds after which a file that a killed build left is swept away

# A concept is made by its first entry with terms. Later entries add to it; what it has already is left as it is.
_CONCEPT = "INSERT INTO concept (concept_id) VALUES (?) ON CONFLICT DO NOTHING"
_NUMBER = "(SELECT number FROM concept WHERE concept_id = ?)"
_TERM = f"""
INSERT INTO term (concept, text, language, preferred, rank, weight) VALUES ({_NUMBER}, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    preferred = max(preferred, excluded.preferred), rank = min(rank, excluded.rank), weight = weight + excluded.weight
"""  # noqa: S608 -- no value stands in the text of a query
_TYPE = "INSERT INTO semantic_type SELECT number, ?, ? FROM concept WHERE concept_id = ? ON CONFLICT DO NOTHING"
_CODE = "INSERT INTO code SELECT number, ?, ?, ? FROM concept WHERE concept_id = ? ON CONFLICT DO NOTHING"


def build_terminology(
    sources: Sequence[Source],
    out: Path,
    on_problem: Report,
    *,
    languages: Sequence[str] = ("fr", "en"),
    version: str = "",
    progress: bool = False,
) -> TerminologyInfo:
    """Write the dictionary of ``sources`` at ``out``, in the place of the one that is there, and make its index.

    A concept that several sources describe under the same identifier is one concept, with the names, types and codes
    of all. A name's rank tells its source: those of the first source come first.

    Args:
        languages: ISO 639-1, best first: a concept's label is its best name in the first language that it has.
        version: said by `info`; the start of the content's hash when empty.
        progress: show a bar on stderr.

    Raises:
        InputError: a source cannot be read, none gives a name, or ``out`` is something else than a dictionary.
    """
    _check_place(out)
    temporary = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    _sweep(out)
    try:
        with contextlib.closing(sqlite3.connect(temporary, isolation_level=None)) as base:
            for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE}", "temp_store = FILE"):
                base.execute(f"PRAGMA {pragma}")  # nothing to go back to: a build that stops leaves nothing
            base.executescript(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT}; {TABLES}")
            info = _write(base, sources, on_problem, languages, version, progress)
        _learn(sources, temporary, out, progress)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(out)
    except sqlite3.OperationalError as error:
        remedy = "Check that you may write there, and the room left on the disk."
        raise InputError(Problem(str(out), f"cannot be written ({error}).", remedy)) from error
    finally:
        temporary.unlink(missing_ok=True)
    return info


def _check_place(out: Path) -> None:
    if not out.parent.is_dir():
        raise InputError(Problem(str(out.parent), "is not a folder.", "Make it, or give another place with --out."))
    if not os.access(out.parent, os.W_OK):
        raise InputError(Problem(str(out.parent), "cannot be written in.", "Give another place with --out."))
    if out.is_dir():
        raise InputError(Problem(str(out), "is a folder.", "Give the name of a file (stroke.terms) with --out."))
    if out.exists() and out.stat().st_size:
        with out.open("rb") as file:
            header = file.read(72)
        if header[68:72] != APPLICATION_ID.to_bytes(4, "big"):  # SQLite file format, offset 68
            what = "exists and is not a terminology file; it is left as it is."
            raise InputError(Problem(str(out), what, "Give another name with --out, or remove it."))


def _sweep(out: Path) -> None:
    for left in out.parent.glob(f".{glob.escape(out.name)}.*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > _STALE:
                left.unlink()


def _write(
    base: sqlite3.Connection,
    sources: Sequence[Source],
    on_problem: Report,
    languages: Sequence[str],
    version: str,
    progress: bool,
) -> TerminologyInfo:
    infos = []
    base.execute("BEGIN")
    with tqdm(unit=" names", unit_scale=True, disable=not progress) as bar:
        for source in sources:
            bar.set_description(source.name)
            before = _count(base, "term")
            first_rank = 1 + (base.execute("SELECT max(rank) FROM term").fetchone()[0] or 0) if before else 0
            stored = _store(base, source.entries(on_problem), first_rank, bar)
            if not stored:
                what = "gives no name."
                on_problem(
                    Problem(source.name, what, "Check the languages and the filters, and the problems said above.")
                )
            infos.append(SourceInfo(source.name, source.version, source.fingerprint(), _count(base, "term") - before))
    if not _count(base, "term"):
        raise InputError(Problem("the sources", "give no name at all.", "See the problems said above."))
    _label(base, languages)
    info = _summary(base, tuple(infos), version)
    base.execute("INSERT INTO about VALUES ('info', ?)", (json.dumps(asdict(info), ensure_ascii=False),))
    base.execute("COMMIT")
    return info


def _learn(sources: Sequence[Source], path: Path, out: Path, progress: bool) -> None:
    """Add what the sources tell beside their names. The index stands where ``out`` will find it."""
    with contextlib.closing(StoredIndex.open(path, beside=out, progress=progress)) as index:
        for source in sources:
            for name, data in source.extras(index).items():
                index.store.put_extra(name, data)


def _store(base: sqlite3.Connection, entries: Iterator[Entry], first_rank: int, bar: tqdm[NoReturn]) -> int:
    """Store the entries; how many terms they hold, repeated ones included."""
    stored = 0
    position = _count(base, "semantic_type") + _count(base, "code")
    while batch := list(islice(entries, _BATCH)):
        base.executemany(_CONCEPT, ((entry.concept_id,) for entry in batch if entry.terms))
        terms = [
            (term.concept_id, term.text, term.language, term.preferred, first_rank + term.rank, term.weight)
            for entry in batch
            for term in entry.terms
        ]
        base.executemany(_TERM, terms)
        types = [(name, entry.concept_id) for entry in batch for name in entry.semantic_types]
        base.executemany(_TYPE, ((position + n, *row) for n, row in enumerate(types)))
        position += len(types)
        codes = [(code.system.value, code.code, entry.concept_id) for entry in batch for code in entry.codes]
        base.executemany(_CODE, ((position + n, *row) for n, row in enumerate(codes)))
        position += len(codes)
        stored += len(terms)
        bar.update(len(terms))
    return stored


def _label(base: sqlite3.Connection, languages: Sequence[str]) -> None:
    """Give each concept its label: the best name in the best language."""
    order = " ".join(f"WHEN ? THEN {place}" for place in range(len(languages)))
    language = f"CASE language {order} ELSE {len(languages)} END" if languages else "0"
    best = f"ORDER BY {language}, {BEST_NAME} LIMIT 1"
    base.execute(
        f"UPDATE concept SET label = (SELECT text FROM term WHERE concept = concept.number {best})",  # noqa: S608
        tuple(languages),
    )


def _summary(base: sqlite3.Connection, sources: tuple[SourceInfo, ...], version: str) -> TerminologyInfo:
    content = hashlib.sha256()
    for query in (
        "SELECT concept_id, label FROM concept ORDER BY number",
        "SELECT concept, text, language, preferred, rank, weight FROM term ORDER BY number",
        "SELECT concept, name FROM semantic_type ORDER BY concept, position",
        "SELECT concept, system, code FROM code ORDER BY concept, position",
    ):
        rows = base.execute(query)
        while some := rows.fetchmany(_BATCH):
            content.update(json.dumps(some).encode())
    digest = content.hexdigest()
    return TerminologyInfo(
        version=version or digest[:12],
        content=digest,
        sources=sources,
        concepts=_count(base, "concept"),
        terms=_count(base, "term"),
        languages=_counts(base, "term", "language"),
        semantic_types=_counts(base, "semantic_type", "name"),
        systems=_counts(base, "code", "system"),
    )


def _count(base: sqlite3.Connection, table: str) -> int:
    return int(base.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 -- names of ours


def _counts(base: sqlite3.Connection, table: str, column: str) -> dict[str, int]:
    rows: Iterable[tuple[str, int]] = base.execute(
        f"SELECT {column}, count(*) FROM {table} GROUP BY {column} ORDER BY count(*) DESC, {column}"  # noqa: S608
    )
    return dict(rows)
