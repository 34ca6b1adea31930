"""What an index was made with, kept with it; an index made with anything else is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from retriever.embed import Encoder
from retriever.passages import PASSAGE_SETTINGS
from schema.problem import InputError, Problem

#: Changes when the rows of a collection do.
_LAYOUT = 3

Manifest = Mapping[str, Any]


def manifest_of(encoder: Encoder) -> dict[str, str | int]:
    """What this program would make an index with."""
    return {
        "layout": _LAYOUT,
        "encoder": encoder.name,
        "dimension": encoder.dimension,
        "passages": json.dumps(PASSAGE_SETTINGS, sort_keys=True),
    }


def require_same(place: str, theirs: Manifest | None, ours: Manifest) -> None:
    """Refuse an index whose vectors cannot be compared with ours.

    Args:
        theirs: the manifest of the index; None when it has none.

    Raises:
        InputError: it was made by another encoder, with other passages, or by another version of this program.
    """
    theirs = theirs or {}
    if all(theirs.get(key) == value for key, value in ours.items()):
        return
    if not all(key in theirs for key in ours) or theirs["layout"] != ours["layout"]:
        what = "was made by another version of this program."
    elif theirs["encoder"] != ours["encoder"] or theirs["dimension"] != ours["dimension"]:
        made, asked = (f"{one['encoder']!r} ({one['dimension']} numbers)" for one in (theirs, ours))
        what = f"was made by the encoder {made}; this run asks for {asked}."
    else:
        what = f"was made of other passages ({theirs['passages']}); this run cuts {ours['passages']}."
    remedy = (
        "Give another --index, or the encoder that it was made by; or make it again, with "
        "cohort-rag retriever index … --rebuild."
    )
    raise InputError(Problem(place, what, remedy))
