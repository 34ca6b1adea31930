"""Which model a folder holds: a short name that changes when its weights, its tokenizer or its template change."""

from __future__ import annotations

import hashlib
from pathlib import Path

#: Files that decide a model's answers.
_PATTERNS = ("*.json", "*.jinja", "*.model", "*.safetensors", "*.bin")
#: A larger file is read in places: a merge, or a tuning, changes weights everywhere. Bytes.
_READ_WHOLE = 64 * 2**20
_PLACES = 512
_BLOCK = 2**14


def folder_identity(folder: Path) -> str:
    """Twelve hexadecimal digits, the same wherever the folder is copied.

    Raises:
        OSError: a file cannot be read.
    """
    digest = hashlib.sha256()
    for path in sorted({path for pattern in _PATTERNS for path in folder.glob(pattern)}):
        size = path.stat().st_size
        digest.update(f"{path.name}\n{size}\n".encode())
        with path.open("rb") as file:
            if size <= _READ_WHOLE:
                while block := file.read(2**20):
                    digest.update(block)
                continue
            for place in range(_PLACES):
                file.seek((size - _BLOCK) * place // (_PLACES - 1))
                digest.update(file.read(_BLOCK))
    return digest.hexdigest()[:12]
