"""Choices of a field: "1, Homme | 2, Femme" -> codes and labels."""

from __future__ import annotations

import re

from rag.redcap.wording import plain
from schema.variable import Choice

_CODE = re.compile(r"[A-Za-z0-9_.-]+")


def read_choices(text: str) -> tuple[tuple[Choice, ...], list[str]]:
    """Choices in order, and what is wrong with the others (one sentence each).

    As REDCap does: choices are parted by "|" (by line ends when there is no "|"), the code ends at the first comma,
    a blank label is the code, and a choice without comma is both code and label.
    """
    choices: dict[str, Choice] = {}
    faults: list[str] = []
    parts = text.split("|") if "|" in text else text.splitlines()
    for number, part in enumerate(parts, start=1):
        code, comma, label = (piece.strip() for piece in part.partition(","))
        if not code:
            faults.append(f"choice {number} is empty." if not label else f"choice {number} ({label!r}) has no code.")
        elif not comma and not _CODE.fullmatch(code):
            faults.append(f"choice {number} ({code!r}) has no code.")
        elif code in choices:
            faults.append(f"choice {number} has the code {code!r} of an earlier one.")
        elif not _CODE.fullmatch(code):
            faults.append(f"choice {number} has the code {code!r}, which REDCap does not accept.")
        else:
            choices[code] = Choice(code, plain(label) or code)
    return tuple(choices.values()), faults
