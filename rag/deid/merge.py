"""Candidate spans of several rules brought to one list without overlaps."""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from schema.phi import PhiEntity, PhiLabel


class Rank(IntEnum):
    """How far a rule is trusted against another that wants the same characters."""

    LISTED = 20  # a word of a gazetteer in a plausible place
    WEAK = 30  # a number or date by its form alone
    PROPAGATED = 40  # found elsewhere in the patient's documents
    PAIRED = 50  # two names side by side
    FORM = 60  # a form that is hardly anything else
    CUED = 70  # announced by a word of the text
    PLACE = 80  # an address, a postcode, a hospital: may hold the name of a person
    CERTAIN = 90  # a label before it, a key that holds
    KNOWN = 95  # given by the data warehouse


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span that a rule wants, in code points of the text."""

    start: int
    end: int
    label: PhiLabel
    rank: Rank


_MASKED = re.compile(
    r"<[A-ZÉÈ_ 0-9]{2,30}>|\[[A-ZÉÈ_ ]*(?:NOM|PRENOM|PRÉNOM|DATE|ADRESSE|ZIP|VILLE|TEL|MAIL|IPP|NDA|SECU|HOPITAL"
    r"|PATIENT|"
    r"MASQU|ANONYM|PER|LOC|ORG)[A-ZÉÈ_ 0-9]{0,20}\]|(?<![^\W_])[Xx]{3,}(?![^\W_])|\*{2,}|_{3,}|\u2588+"
)


def masked_regions(text: str) -> list[tuple[int, int]]:
    """Stretches that an earlier masking left: ``<NOM>``, ``[DATE]``, ``XXXX``, ``***``."""
    return [match.span() for match in _MASKED.finditer(text)]


def merge(candidates: Iterable[Candidate], blocked: Iterable[tuple[int, int]] = ()) -> tuple[PhiEntity, ...]:
    """The best candidates that neither overlap one another nor touch a blocked stretch, in order.

    The higher rank wins, then the longer span, then the earlier one.
    """
    taken: list[tuple[int, int]] = sorted(blocked)
    chosen: list[PhiEntity] = []
    order = sorted(set(candidates), key=lambda c: (-c.rank, c.start - c.end, c.start, c.label))
    for candidate in order:
        place = bisect_left(taken, (candidate.start, candidate.start))
        if place < len(taken) and taken[place][0] < candidate.end:
            continue
        if place and taken[place - 1][1] > candidate.start:
            continue
        insort(taken, (candidate.start, candidate.end))
        chosen.append(PhiEntity(candidate.start, candidate.end, candidate.label))
    return tuple(sorted(chosen))
