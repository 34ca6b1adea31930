"""What the page did to the text: headers repeated on every page, words and paragraphs broken over lines."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from rag.corpus.offsets import Edit

_EDGE = 4  # lines at the top and the bottom of a page that may be its header and footer
_SHORT = 45  # a shorter line was ended on purpose
_RAGGED = 0.8  # a broken line fills this much of the width once the next word is counted
_SURELY = 3  # this many lines broken in mid-sentence show that the whole text was broken at a width
_WIDEST = 130  # a longer line is a paragraph, not a line of a page

_PAGE_NUMBER = re.compile(
    r"[ \t]*(?:[-–—(] ?)?(?:page|pg?\.?)[ \t]*:?[ \t]*\d{1,3}(?:[ \t]*(?:/|sur|de)[ \t]*\d{1,3})?(?: ?[-–—)])?[ \t]*",
    re.IGNORECASE,
)
_BARE_NUMBER = re.compile(r"[ \t]*(?:[-–—] ?\d{1,3} ?[-–—]|\d{1,3}[ \t]*/[ \t]*\d{1,3}|\d{1,3})[ \t]*")
_PAGED = re.compile(r"\f|^" + _PAGE_NUMBER.pattern + "$", re.IGNORECASE | re.MULTILINE)
_CONTINUED = re.compile(r"\n[ \t]*[a-zà-öø-ÿœ(]")

_ITEM = re.compile(r"[-–—•*→=>+○●▪■□·]|\d{1,2}[.)/°]|[a-zA-Z][.)] ")
_FIELD = re.compile(r"[A-ZÀ-ÖØ-ÞŒ][^:\n]{0,40}?:")
_TABLE = re.compile(r"\t|\||\S {3,}\S|\.{4,}")
_UNFINISHED = re.compile(r"[\wà-ÿ,;)»%'’/+-]\Z")

_HYPHENATED = re.compile(r"(?<![^\W_])([a-zà-öø-ÿœ]{2,})-\Z")
_WORD = re.compile(r"[a-zà-öø-ÿœ]{2,}(?![\w])")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_KEEPS_HYPHEN_AFTER = _words(
    "post sous sus non demi semi mi peut rendez au par ci là vis moi lui elle eux soi nous vous dix vingt trente "
    "quarante cinquante soixante quatre est sont après avant arrière chef bien mal moyen court long haut bas"
)
_KEEPS_HYPHEN_BEFORE = _words(
    "il elle ils elles on ce ci là même mêmes être dire dessus dessous delà vous nous moi un deux trois quatre cinq "
    "six sept huit neuf dix onze"
)
_VOWELS = "aeiouyàâéèêëîïôûùœ"


class _Line(NamedTuple):
    """A line without its outer blanks, at [start, end); ``page`` counts from 0."""

    start: int
    end: int
    text: str
    page: int


def layout_edits(text: str) -> list[Edit]:
    """The edits that undo the page: in order, without overlap; [] when there is nothing to undo."""
    paged = _PAGED.search(text) is not None
    if not paged and not _CONTINUED.search(text):
        return []
    lines = _lines(text)
    removed = _page_furniture(lines) if paged else frozenset()
    kept = [line for i, line in enumerate(lines) if i not in removed]
    if not kept:
        return []
    edits: list[Edit] = []
    if kept[0] is not lines[0]:
        edits.append(Edit(0, kept[0].start, ""))
    broken = _broken_lines(kept, text)
    for above, below in pairwise(kept):
        gap = text[above.end : below.start]
        page_ends = below.page != above.page
        if not page_ends and gap.count("\n") > 1:
            continue  # a blank line was meant
        edit = _mend(above, below, text, broken)
        if edit is None and page_ends and gap.strip(" \t\n"):
            edit = Edit(above.end, below.start, "\n\n" if "\n\n" in gap else "\n")
        if edit:
            edits.append(edit)
    if kept[-1] is not lines[-1] or "\f" in text[kept[-1].end :]:
        edits.append(Edit(kept[-1].end, len(text), ""))
    return edits


def _lines(text: str) -> list[_Line]:
    """The lines that hold something. A form feed, or a line that is a page number, ends a page."""
    lines: list[_Line] = []
    page = position = 0
    feeds = "\f" in text
    for piece in re.split(r"(?<=[\n\f])", text):
        bare = piece.strip(" \t\n\f")
        if bare:
            start = position + piece.index(bare[0])
            lines.append(_Line(start, start + len(bare), bare, page))
        position += len(piece)
        page += piece.endswith("\f") if feeds else bool(bare) and _PAGE_NUMBER.fullmatch(bare) is not None
    return lines


def _page_furniture(lines: list[_Line]) -> frozenset[int]:
    """Indices of the lines to leave out: page numbers, and headers and footers but for their first occurrence.

    A header is the same line, to the letter, at the edge of more than one page: nothing is lost with it.
    """
    bounds = [i for i in range(1, len(lines)) if lines[i].page != lines[i - 1].page]
    starts, ends = [0, *bounds], [*bounds, len(lines)]
    seen: set[str] = set()
    removed: set[int] = set()
    for start, end in zip(starts, ends, strict=True):
        here: set[str] = set()
        for i in range(start, end):
            line = lines[i].text
            if min(i - start, end - 1 - i) >= _EDGE:
                continue
            first_or_last = i in (start, end - 1) and len(starts) > 1
            if _PAGE_NUMBER.fullmatch(line) or (first_or_last and _BARE_NUMBER.fullmatch(line)) or line in seen:
                removed.add(i)
            here.add(line)
        seen |= here
    return frozenset(removed)


def _broken_lines(lines: list[_Line], text: str) -> list[int]:
    """Lengths of the lines that surely were broken: the next goes on in small letters."""
    lengths = [
        above.end - above.start
        for above, below in pairwise(lines)
        if below.text[0].islower() and _UNFINISHED.search(above.text) and text.count("\n", above.end, below.start) == 1
    ]
    return [length for length in lengths if length >= _SHORT]


def _mend(above: _Line, below: _Line, text: str, broken: list[int]) -> Edit | None:
    """The edit that joins two lines, None when the break was meant.

    A line that goes on in small letters is enough when the next word had no room. Before a capital or a number the
    whole text must show that it was broken at a width.
    """
    hyphenated = _HYPHENATED.search(above.text)
    word = _WORD.match(below.text)
    if hyphenated and word:
        keeps = _keeps_hyphen(hyphenated[1], word[0], text)
        return Edit(above.end if keeps else above.end - 1, below.start, "")
    if not broken or not _UNFINISHED.search(above.text) or _ITEM.match(below.text) or len(above.text) < _SHORT:
        return None
    if _TABLE.search(above.text) or _TABLE.search(below.text) or _FIELD.match(below.text):
        return None
    if len(above.text) + 1 + len(below.text.split(None, 1)[0]) < _RAGGED * max(broken):
        return None
    continues = below.text[0].islower() or below.text[0] == "("
    if not continues and not (_at_a_width(broken) and above.text[-1] not in ";)»%" and not below.text.isupper()):
        return None
    return Edit(above.end, below.start, " ")


def _at_a_width(broken: list[int]) -> bool:
    return len(broken) >= _SURELY and max(broken) <= _WIDEST


def _keeps_hyphen(first: str, second: str, text: str) -> bool:
    """Whether a word cut after a hyphen is written with it: as elsewhere in the text, else as French does."""
    if first + second in text:
        return False
    if f"{first}-{second}" in text or first in _KEEPS_HYPHEN_AFTER or second in _KEEPS_HYPHEN_BEFORE:
        return True
    return first[-1] in _VOWELS and second[0] in _VOWELS  # "intra-artériel", "anti-inflammatoire"
