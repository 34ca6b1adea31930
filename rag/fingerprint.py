"""Hashes of everything that decides a run's result, so that a resumed run never mixes two of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from schema.run import Fingerprint

#: Packages of the project whose files (code and lexicons) decide what is read.
_CODE = ("schema", "rag", "retriever", "generator")
_LIBRARIES = ("cohort-rag", "edsnlp", "pydantic")


def fingerprint(
    documents: Path,
    dictionary: Path,
    study: Path | None,
    deid_key: Path | None = None,
    retriever: str = "",
    generator: str = "",
) -> Fingerprint:
    """Hash the inputs and the code. Every byte of the documents is read once.

    Args:
        retriever, generator: what finds the passages and what reads them, as `Fingerprint` names them.
    """
    return Fingerprint(
        documents=hash_tree(documents),
        dictionary=hash_tree(dictionary),
        study=hash_tree(study) if study else "",
        code=hash_code(),
        deid_key=hash_tree(deid_key) if deid_key else "",
        retriever=retriever,
        generator=generator,
    )


def versions() -> dict[str, str]:
    """Versions of this project and of the libraries that decide what is read."""
    return {name: metadata.version(name) for name in _LIBRARIES}


def hash_tree(path: Path) -> str:
    """SHA-256 of a file, or of the names and contents of a folder's files."""
    if not path.is_dir():
        return _hash_files([(path.name, path)])
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return _hash_files((file.relative_to(path).as_posix(), file) for file in files)


def hash_code() -> str:
    """SHA-256 of the project's own code and lexicons."""
    files: list[tuple[str, Path]] = []
    for package in _CODE:
        spec = find_spec(package)
        for root in map(Path, (spec and spec.submodule_search_locations) or ()):
            found = (file for file in root.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
            files += [(f"{package}/{file.relative_to(root).as_posix()}", file) for file in found]
    return _hash_files(sorted(files))


def _hash_files(files: Iterable[tuple[str, Path]]) -> str:
    total = hashlib.sha256()
    for name, file in files:
        with file.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        total.update(f"{name}\0{content}\n".encode("utf-8", "surrogateescape"))
    return total.hexdigest()
