"""Sentences of French hospital notes, whose lines mean as much as their full stops."""

from __future__ import annotations

import re
from collections.abc import Sequence

from schema.document import Section

# A full stop ends a sentence when a capital, a digit, a quote or a dash follows; a line break always does.
# Five dots or more lead the eye to a value ("HbA1c .......... 8,2 %").
_END = re.compile(r"\n+|(?<!\.)[.!?…]{1,4}(?!\.)(?: ?[»\")\]])*[ \t]+(?=[A-ZÀ-ÖØ-ÞŒ0-9«\"(\[–—•=>→-])")
_LAST_WORD = re.compile(r"[^\W_]+[’']?\Z")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TITLES = _words("dr drs pr prs m mm mme mmes mlle mr")
_BEFORE_NAME = _TITLES | _words("par avec de et chez du au")
_ABBREVIATIONS = _words(
    "mlles st ste me cf p pp bd bld chir serv approx janv jan févr fév fev avr juil sept oct nov déc dec occl isch "
    "sylv carot anesth gén étio hémisph artér clin"
)
# Abbreviations before a number only: "ch. 214", "min. 3", but a sentence ends in "sténose max. Pas de…".
_BEFORE_NUMBER = _words(
    "ch max min ann resp ant post sup inf lat dte gche bilat cp cps gel amp inj hosp ou nb no ex vs env conf méd tel "
    "tél réf ref fig vol art bât bat esc av lun mar mer jeu ven sam dim p m"
)


def sentences(text: str, sections: Sequence[Section]) -> tuple[tuple[int, int], ...]:
    """Positions [start, end) of the sentences of ``text``, trimmed, in order; none crosses a section's start."""
    cuts = {section.start for section in sections}
    for match in _END.finditer(text):
        if text[match.start()] != "." or not _is_abbreviation(text, match.start(), text[match.end()]):
            cuts.add(match.end())
    cuts.add(len(text))
    found: list[tuple[int, int]] = []
    start = 0
    for cut in sorted(cuts):
        piece = text[start:cut]
        bare = piece.strip()
        if bare:
            first = start + len(piece) - len(piece.lstrip())
            found.append((first, first + len(bare)))
        start = cut
    return tuple(found)


def _is_abbreviation(text: str, stop: int, following: str) -> bool:
    """Whether the full stop at ``stop`` belongs to the word before it ("Dr.", "J.", "2." at a line's start)."""
    line_start = text.rfind("\n", max(0, stop - 40), stop) + 1 or max(0, stop - 40)
    before = text[line_start:stop]
    match = _LAST_WORD.search(before)
    if not match:
        return False
    word = match[0]
    if word.isdigit() or (word.isupper() and set(word) <= set("IVX")):
        return not before[: match.start()].strip(" \t-–•*#")  # numbering of a list or a heading
    if len(word) == 1 and word.isupper() and word != "M":  # "par J. Dupont", but "hépatite B. Pas d'alcool"
        previous = before[: match.start()].rstrip(". ").rsplit(None, 1)[-1:]
        return not previous or len(previous[0]) == 1 or previous[0].lower() in _BEFORE_NAME
    folded = word.lower()
    if folded in _TITLES:
        return not following.isdigit()
    return folded in _ABBREVIATIONS or (following.isdigit() and folded in _BEFORE_NUMBER)
