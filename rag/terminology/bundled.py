"""The dictionary that is used when none is given: the bundled terminology, built at its first use into the cache."""

from __future__ import annotations

import hashlib
from pathlib import Path

from rag.terminology import build, store
from rag.terminology.build import build_terminology
from rag.terminology.cache import cache_folder
from rag.terminology.index import StoredIndex
from rag.terminology.loaders import bundled, source
from rag.terminology.loaders.bundled import DATA, BundledSource
from schema.problem import InputError, Problem

_DEFAULT = "stroke"


def open_terminology(path: Path | None = None, *, progress: bool = False) -> StoredIndex:
    """The dictionary at ``path``; the bundled stroke terminology when None.

    Raises:
        InputError: the dictionary cannot be read.
    """
    if path is not None:
        return StoredIndex.open(path, progress=progress)
    folder = DATA / _DEFAULT
    kept = cache_folder() / f"{folder.name}-{_key(folder)}.terms"
    try:
        return StoredIndex.open(kept)
    except InputError:  # not built yet, or damaged since
        kept.unlink(missing_ok=True)
        build_terminology([BundledSource(folder)], kept, _refuse)
        return StoredIndex.open(kept)


def _key(folder: Path) -> str:
    """Names a bundled terminology by its content and by the code that writes it."""
    key = hashlib.sha256()
    for file in (
        *sorted(folder.glob("*.yml")),
        *(Path(str(module.__file__)) for module in (build, store, bundled, source)),
    ):
        key.update(file.read_bytes())
    return key.hexdigest()[:16]


def _refuse(problem: Problem) -> None:
    raise InputError(problem)
