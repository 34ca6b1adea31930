"""The kind of a document that came without one, told from its title, its name or its first lines."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources

import yaml

from rag.corpus.titles import fold

_HEAD = 300  # characters of text read when neither title nor name tell


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    data = yaml.safe_load(resources.files("rag.corpus").joinpath("document_types.yml").read_text("utf-8"))
    return tuple(
        (kind, re.compile("|".join(map(_pattern, words)))) for kind, words in (entry.values() for entry in data)
    )


def _pattern(words: str) -> str:
    return r"(?<![a-z])" + re.escape(fold(words)).replace(r"\*", "[a-z]*") + r"(?![a-z])"


def infer_type(title: str | None, document_id: str, text: str) -> str:
    """The kind of document, "" when nothing names it. Read in order: the title, the file name, the first lines."""
    for source in (title or "", document_id.replace("_", " "), text[:_HEAD]):
        folded = fold(source)
        for kind, pattern in _patterns():
            if pattern.search(folded):
                return kind
    return ""
