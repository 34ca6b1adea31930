"""A value as people and other programs read it: its code, the label of its code, its codes in vocabularies."""

from __future__ import annotations

from collections.abc import Sequence

from rag.redcap import values
from schema.concept import Code
from schema.value import Value
from schema.variable import Variable


def coded(variable: Variable, value: Value | None) -> str | list[str] | None:
    """A value as the table writes it; the codes ticked, for a checkbox; None for an empty cell."""
    if value is None:
        return None
    if isinstance(value, tuple):
        return list(value)
    return values.encode(variable, value)[variable.name]


def meaning(variable: Variable, value: Value | None) -> str:
    """The labels of the codes of a value, "" for a value without code."""
    labels = {choice.code: choice.label for choice in variable.choices}
    codes = value if isinstance(value, tuple) else (value,)
    return " | ".join(labels[code] for code in codes if isinstance(code, str) and code in labels)


def listed(variable: Variable, values_read: Sequence[Value]) -> str:
    """Several values, each with its label where it has one, for a person: "1 (Homme); 2 (Femme)"."""
    texts = ((coded(variable, value), meaning(variable, value)) for value in values_read)
    written = ((",".join(text) if isinstance(text, list) else text, label) for text, label in texts)
    return "; ".join(f"{text} ({label})" if label else str(text) for text, label in written)


def by_system(codes: Sequence[Code]) -> dict[str, list[str]]:
    """Codes by vocabulary, each in the order given: several where several choices are ticked."""
    found: dict[str, list[str]] = {}
    for code in codes:
        found.setdefault(code.system.value, []).append(code.code)
    return found
