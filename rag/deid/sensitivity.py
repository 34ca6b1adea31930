"""How much a sentence tells of who the patient is: four levels, by what stands in it and where it stands."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from rag.deid.gazetteer import read_yaml
from rag.deid.spelling import small
from schema.phi import PhiEntity, PhiLabel


class Level(StrEnum):
    """Levels of sensitivity, the most sensitive first."""

    IDENTIFYING = "identifying"  # letterhead, identity block, signature, address: made of identifiers
    QUASI_IDENTIFYING = "quasi_identifying"  # tells of the person, by itself or put together with other facts
    CLINICAL = "clinical"
    GENERAL = "general"


@dataclass(frozen=True, slots=True)
class LeveledSentence:
    """A sentence, [start, end) in the text as given, and its level."""

    start: int
    end: int
    level: Level


#: Labels that name one person, or reach them.
_DIRECT = frozenset(PhiLabel) - {PhiLabel.DATE, PhiLabel.VILLE, PhiLabel.ZIP, PhiLabel.HOPITAL}
_NUMBERS = frozenset((PhiLabel.IPP, PhiLabel.NDA, PhiLabel.SECU, PhiLabel.TEL, PhiLabel.MAIL, PhiLabel.ADRESSE))
#: Share of the letters of a sentence that are identifiers, from which it says little else.
_MADE_OF_IDENTIFIERS = 0.3


def sentence_levels(
    text: str,
    sentences: Sequence[tuple[int, int]],
    entities: Sequence[PhiEntity],
    clinical: Sequence[tuple[int, int]] = (),
    old_ages: Sequence[tuple[int, int]] = (),
) -> list[LeveledSentence]:
    """The level of each sentence.

    Args:
        sentences, clinical, old_ages: [start, end) in ``text``, in order; ``clinical`` are the sections that tell of
            the illness, ``old_ages`` the ages that few people reach.
        entities: in order.
    """
    opened = [start for start, _ in clinical]
    starts = [entity.start for entity in entities]
    aged = [start for start, _ in old_ages]
    levels = []
    for start, end in sentences:
        held = entities[bisect_left(starts, start) : bisect_left(starts, end)]
        old = bisect_left(aged, start) < bisect_left(aged, end)
        section = bisect_right(opened, start) - 1
        level = _level(text[start:end], held, old, section >= 0 and start < clinical[section][1])
        levels.append(LeveledSentence(start, end, level))
    return levels


def level_at(levels: Sequence[LeveledSentence], position: int) -> Level:
    """The level of the sentence at a position; between two sentences, that of the one before."""
    index = bisect_left(levels, position + 1, key=lambda sentence: sentence.start) - 1
    return levels[index].level if index >= 0 else Level.GENERAL


def _level(sentence: str, entities: Sequence[PhiEntity], old: bool, in_clinical_section: bool) -> Level:
    low = small(sentence)
    direct = sum(entity.end - entity.start for entity in entities if entity.label in _DIRECT)
    letters = sum(map(str.isalnum, sentence)) or 1
    numbers = any(entity.label in _NUMBERS for entity in entities)
    if direct and (numbers or direct / letters >= _MADE_OF_IDENTIFIERS):
        return Level.IDENTIFYING
    words = _words()
    if entities or old or words.personal.search(low):
        return Level.QUASI_IDENTIFYING
    if in_clinical_section or words.measure.search(low):
        return Level.CLINICAL
    return Level.GENERAL


@dataclass(frozen=True, slots=True)
class _Words:
    personal: re.Pattern[str]
    measure: re.Pattern[str]


@lru_cache(maxsize=1)
def _words() -> _Words:
    data = read_yaml("sensitivity.yml")
    personal = "|".join(
        re.escape(word).replace(r"\*", r"\w*") for name in ("professions", "relatives") for word in data[name].split()
    )
    units = "|".join(re.escape(unit) for unit in sorted(data["units"].split(), key=len, reverse=True))
    return _Words(re.compile(rf"(?<!\w)(?:{personal})(?!\w)"), re.compile(rf"\d ?(?:{units})(?!\w)"))
