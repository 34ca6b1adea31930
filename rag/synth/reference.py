"""What the words "unchanged" or "see the last letter" point to: the last told value, if it is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.synth import listing
from rag.synth.facts import Key, Told

if TYPE_CHECKING:
    from rag.synth.life import Life
    from rag.synth.scene import Scene

_WITHIN = {"pre": -1, "samu": 0, "in": 1, "in2": 2, "tm": 3, "": 5, "h24": 10}


def source(scene: Scene, key: Key) -> Told | None:
    """The earlier document's telling of the last value before this one; None if it differs or there is none."""
    if key == listing.ANTECEDENTS:
        return _list_of_antecedents(scene)
    now = when(scene.life, key)
    before = [
        told
        for told in scene.ledger.about(key.concept)
        if told.source is None and told.key.encounter and when(scene.life, told.key) < now
    ]
    last = max(before, key=lambda told: when(scene.life, told.key), default=None)
    if last is None or last.value != scene.life.facts[key].value:
        return None
    then = when(scene.life, last.key)
    nearer = (mark.key for mark in scene.marks if mark.key.concept == key.concept and mark.key.encounter)
    # "unchanged" would point to what this document itself has just said
    return None if any(then < when(scene.life, each) < now for each in nearer) else last


def when(life: Life, key: Key) -> int:
    """The place of a fact's moment in time, in tenths of days."""
    encounter = life.by_name(key.encounter)
    if key.moment == "out":
        return encounter.end.toordinal() * 10 + 5
    within = _WITHIN.get(key.moment)
    return encounter.start.toordinal() * 10 + (10 * int(key.moment[1:]) if within is None else within)


def _list_of_antecedents(scene: Scene) -> Told | None:
    """The last list, if nothing that it rules out or names has changed since."""
    last: Told | None = None
    for name in listing.ASKED:
        told = [each for each in scene.ledger.about(name) if each.source is None and not each.key.encounter]
        if not told:
            continue
        if told[-1].value != scene.life.condition(name, scene.here.start):
            return None
        last = told[-1]
    return last
