"""Whether a place of the record may tell what is asked of one moment: by date, type, section, and words beside it.

What is told of another moment is weakened, never left out: a discharge summary tells the arrival too.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from retriever.weak_text import Hit, Record, fold, vocabulary
from schema.study import Policy, VariableHints

#: What is left of a place where the date, the type, the section or the words beside it speak of another moment.
OTHER_DATE, OTHER_TYPE, _OTHER_SECTION, _OTHER_WORDS = 0.3, 0.3, 0.5, 0.5
#: What is left where words beside it say no moment, in a record where others do.
_NO_WORDS = 0.85
#: How far from a value the words of its moment stand, in characters.
_BESIDE = 28

#: Days from the admission between which documents may tell a moment.
_DAYS: dict[Policy, tuple[float, float]] = {
    Policy.AT_ADMISSION: (0, 60),
    Policy.DURING_STAY: (0, 400),
    Policy.AT_DISCHARGE: (0, 400),
}
_EVER = (-1e6, 1e6)
#: The stay and its first report; what is left of documents outside of it, where a table asks of the stay or before.
_STAY = (-2, 45)
_AWAY: dict[Policy, float] = {
    Policy.BEFORE: 0.6,
    Policy.FIRST: 0.7,
    Policy.DURING_STAY: 0.5,
    Policy.AT_DAY: 0.6,
    Policy.AT_DISCHARGE: 0.6,
    Policy.ANY_TIME: 0.75,
}
#: A visit is seldom on its day: the parts of the delay between which it is one, and what is left of later ones.
_EARLIEST_VISIT, _LATEST_VISIT = 0.6, 1.7
_LATER_VISIT = 0.5
#: What is left of a place beside a year that is neither the stay's nor the next.
_OTHER_YEAR = 0.4
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
#: Kinds of sections that speak of another moment.
_SECTIONS: dict[Policy, frozenset[str]] = {
    Policy.BEFORE: frozenset({"traitement_sortie", "devenir", "conduite_a_tenir"}),
    Policy.AT_ADMISSION: frozenset({"antecedents", "traitement_sortie", "devenir", "evolution"}),
    Policy.AT_DAY: frozenset({"antecedents", "traitement_entree", "devenir"}),
    Policy.DURING_STAY: frozenset({"antecedents", "traitement_entree", "mode_de_vie"}),
    Policy.AT_DISCHARGE: frozenset({"antecedents", "traitement_entree", "mode_de_vie", "histoire"}),
    Policy.AT_FOLLOW_UP: frozenset({"antecedents", "traitement_entree", "mode_de_vie", "histoire"}),
}


def in_window(record: Record, hints: VariableHints) -> NDArray[np.bool_]:
    """Which passages belong to documents that may tell the moment asked, by their dates alone: shape (N,)."""
    policy, offset = hints.policy, hints.offset
    if policy in (Policy.AT_DAY, Policy.AT_FOLLOW_UP) and offset is not None:
        return _written_within(record, (_EARLIEST_VISIT * offset, _EVER[1]))
    return _written_within(record, _DAYS.get(policy, _EVER) if policy else _EVER)


def _written_within(record: Record, days: tuple[float, float]) -> NDArray[np.bool_]:
    """Which passages were, or may have been, written between two days, counted from the admission: shape (N,)."""
    inside = np.ones(len(record), dtype=bool)
    for i, read in enumerate(record.passages):
        written = read.passage.written_on
        if record.anchor is not None and written is not None:
            last, first = (written.latest() - record.anchor).days, (written.earliest() - record.anchor).days
            inside[i] = days[0] <= last and first <= days[1]
    return inside


def by_document(record: Record, hints: VariableHints) -> NDArray[np.float32]:
    """What is left of each passage by its document's date and type, and by its section: shape (N,)."""
    left = np.where(in_window(record, hints), 1.0, OTHER_DATE)
    if hints.policy in _AWAY:
        left *= np.where(_written_within(record, _STAY), 1.0, _AWAY[hints.policy])
    if hints.policy is Policy.AT_FOLLOW_UP and hints.offset is not None:
        left *= np.where(_written_within(record, (_EVER[0], _LATEST_VISIT * hints.offset)), 1.0, _LATER_VISIT)
    excluded = [fold(word) for word in hints.excluded_types]
    sections = _SECTIONS.get(hints.policy, frozenset()) if hints.policy else frozenset()
    if hints.omission == "care":  # an act of the stay is not told where old ones are
        sections |= {"antecedents"}
    for i, read in enumerate(record.passages):
        if any(word in fold(read.passage.document_type) for word in excluded):
            left[i] *= OTHER_TYPE
        if read.passage.section_kind in sections:
            left[i] *= _OTHER_SECTION
    return left.astype(np.float32)


def by_words(record: Record, hit: Hit, hints: VariableHints) -> float:
    """What is left of a place by the words of time beside it: "NIHSS 12 à H24" is not the one of the arrival."""
    moments = vocabulary().moments
    if hints.policy is None or hints.policy.value not in moments:
        return 1.0
    read = record.passages[hit.passage]
    low, high = read.sentence(hit.start)
    start, end = max(low, hit.start - _BESIDE), min(high, hit.end + _BESIDE)
    said = {name for name, words in moments.items() if words.search(read.folded, start, end)}
    if hints.policy.value in said:
        return 1.0
    return _OTHER_WORDS if said else _NO_WORDS


def by_year(record: Record, hit: Hit, hints: VariableHints) -> float:
    """What is left of a place by the year beside it, where the stay is asked of: an act "en 2012" is an old one."""
    of_stay = hints.omission == "care" or hints.policy in (Policy.DURING_STAY, Policy.AT_ADMISSION, Policy.AT_DISCHARGE)
    if record.anchor is None or not of_stay:
        return 1.0
    read = record.passages[hit.passage]
    low, high = read.sentence(hit.start)
    years = [
        int(year) for year in _YEAR.findall(read.folded, max(low, hit.start - _BESIDE), min(high, hit.end + _BESIDE))
    ]
    return _OTHER_YEAR if years and not {record.anchor.year, record.anchor.year + 1} & set(years) else 1.0
