"""Where the user's machine keeps what can be made again."""

from __future__ import annotations

import os
import tempfile
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def cache_folder() -> Path:
    """The folder of this program in the user's cache; one that lasts as long as the process where there is none.

    ``COHORT_RAG_CACHE`` names another one. XDG base directories; ``LOCALAPPDATA`` on Windows.
    """
    given = os.environ.get("COHORT_RAG_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    folder = Path(given) if given else Path(base) / "cohort-rag" if base else Path.home() / ".cache" / "cohort-rag"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(tempfile.mkdtemp(prefix="cohort-rag-"))
    return folder
