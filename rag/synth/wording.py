"""How a dictionary puts a subject and a moment together."""

from __future__ import annotations

import random
from typing import Any

from rag.synth.load import data

#: Share of the labels of ``variables.yml`` that are put together anew.
_ANEW = 0.45
_NOTE_ALONE = 0.12


def worded(dice: random.Random, ask: str, moment: dict[str, Any], note: str) -> tuple[str, str]:
    """Label and note of a question about a subject at a moment; now and then the note alone says when."""
    when = str(dice.choice(moment["asked"]))
    if not when:
        return ask, note
    start = _start(when, upper=True)
    if dice.random() < _NOTE_ALONE:
        return ask, f"{start}. {note}".strip()
    label = dice.choice([
        f"{ask} {when}", f"{ask} {when}", f"{ask} ({when})", f"{ask}, {when}", f"{ask} – {when}",
        f"{start} : {_start(ask, upper=False)}", f"[{start}] {ask}",
    ])  # fmt: skip
    return label, f"{note} {dice.choice(moment['notes'])}".strip() if dice.random() < 0.5 else note


def anew(dice: random.Random, concept: str, role: str, moment: str) -> str | None:
    """Another label of a variable of ``variables.yml``; None if there is none, or the label is to stay."""
    spec = data("extra_base.yml").get(concept)
    if spec is None or dice.random() >= _ANEW:
        return None
    slots = [
        slot for slot in data("extra_moments.yml").values() if (slot.get("role"), slot.get("moment")) == (role, moment)
    ]
    if not slots:
        return None
    ask, unit = str(dice.choice(spec["ask"])), spec.get("unit", "")
    return worded(dice, f"{ask} ({unit})" if unit and dice.random() < 0.7 else ask, slots[0], "")[0]


def _start(text: str, *, upper: bool) -> str:
    if upper:
        return text[0].upper() + text[1:]
    return text if text[1:2].isupper() or not text[1:2].isalpha() else text[0].lower() + text[1:]
