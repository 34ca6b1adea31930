"""From the text as given to a text that can be read, with the way back."""

from __future__ import annotations

from typing import NamedTuple

from rag.corpus.offsets import OffsetMap


class Cleaned(NamedTuple):
    """``origins`` is None when nothing had to change."""

    text: str
    origins: OffsetMap | None


def clean(source: str) -> Cleaned:
    """Make ``source`` readable."""
    return Cleaned(source, None)
