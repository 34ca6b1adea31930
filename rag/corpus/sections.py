"""Sections of a note, found by their titles."""

from __future__ import annotations

import re
from typing import NamedTuple

from rag.corpus.titles import fold, kind_of, kind_of_misspelt, may_open, titles
from schema.document import Section

# What may stand before a title: bullets, markdown, a number.
_PREFIX = r"[ \t#>*•▪■►=_-]*(?:(?:\d{1,2}(?:\.\d{1,2})*|[IVX]{1,4}|[A-H])(?:[.)/°-]+|[ ][–—-])[ \t]*(?:[*_]+)?)?"
# A title and how it ends: a colon (never that of 09:10), a dash, a full stop, a comma, or the end of the line.
_TITLE = re.compile(
    rf"^{_PREFIX}(?P<title>(?P<word>[^\W\d_]+)(?:[^\n:–—|•=]|:(?=\d)){{0,60}}?)"
    r"(?P<mark>[*_ ]*(?:\.? ?:(?!\d)[*_]*| [–—-] |[.,](?=\s|$)|(?=\n|\Z)))[ \t]*",
    re.MULTILINE,
)
# Within a line only a title with a colon is one: "ATCD : HTA. TTT : aspirine. Allergies : 0".
_INNER_TITLE = re.compile(
    r"(?<=[.;|!?] |  )(?P<title>(?P<word>[A-ZÀ-ÖØ-ÞŒ][^\W\d_]+)[^\n:.;|–—]{0,40}?) ?:(?!\d)[ \t]*"
)
_UNDERLINE = re.compile(r"\n[ \t]*[-=_*~]{3,}[ \t]*(?=\n|\Z)")
_BLANK_LINE = re.compile(r"\n[ \t]*\n\s*(?![\s•*>-])")
_PERSON = re.compile(
    r"(?:dr|pr|m|mr|mme|mlle|monsieur|madame|docteur|professeur|patiente?|nom|service|p[ôo]le)\b", re.I
)
_DATED = re.compile(r"(?<!\w)(?:du|au|le|des) \d")
_LEAST_LETTERS = 5  # of a line of capitals that is a title although unknown
_LETTERHEAD = 3  # lines at the top where "Imagerie – CHU Bellevue" is a letterhead


class _Heading(NamedTuple):
    title: str
    kind: str
    start: int
    body_start: int
    inline: bool


def find_sections(text: str) -> tuple[Section, ...]:
    """The sections of ``text``, in order, touching one another; together they cover it.

    A title is a line by itself, or opens a line before ":", "–" or a full stop; within a line it is followed by
    ":". Titles are those of the vocabulary; a line of capitals after a blank line is a title even when unknown
    (kind ""). Text before the first title, and after a one-paragraph section, is a section without title.
    """
    sections: list[Section] = []
    headings = _headings(text)
    if text and (not headings or headings[0].start > 0):
        sections.append(Section("", "", 0, 0, headings[0].start if headings else len(text)))
    for i, heading in enumerate(headings):
        end = headings[i + 1].start if i + 1 < len(headings) else len(text)
        body = min(heading.body_start, end)
        stop = end
        if heading.inline and heading.kind in titles().one_paragraph:
            blank = _BLANK_LINE.search(text, body, end)
            stop = blank.end() if blank else end
        sections.append(Section(heading.title, heading.kind, heading.start, body, stop))
        if stop < end:
            sections.append(Section("", "", stop, stop, end))
    return tuple(sections)


def _headings(text: str) -> list[_Heading]:
    candidates = [*_TITLE.finditer(text), *_INNER_TITLE.finditer(text)]
    candidates.sort(key=re.Match.start)
    headings: list[_Heading] = []
    for match in candidates:
        if headings and match.start() < headings[-1].body_start:
            continue
        heading = _inner(match, headings) if match.re is _INNER_TITLE else _at_line_start(text, match, headings)
        if heading:
            headings.append(heading)
    return headings


def _inner(match: re.Match[str], earlier: list[_Heading]) -> _Heading | None:
    kind = kind_of(match["title"]) if may_open(match["word"]) else None
    if kind is None:
        return None
    return _Heading(match["title"], _meant(kind, match["title"], earlier), match.start(), match.end(), inline=True)


def _at_line_start(text: str, match: re.Match[str], earlier: list[_Heading]) -> _Heading | None:
    title = match["title"].strip(" *_\t")
    mark = match["mark"].strip(" *_.") or match["mark"].strip(" *_")
    end = match.end()
    alone = end >= len(text) or text[end] == "\n"
    kind = kind_of(title) if may_open(match["word"]) else None
    if kind is None and (mark == ":" or (alone and title.isupper())):
        kind = kind_of_misspelt(title)
    if kind is None:
        if not (alone and earlier and _is_unknown_title(text, match, title)):
            return None
        kind = ""
    elif not _is_used_as_title(text, match, title, mark):
        return None
    underline = _UNDERLINE.match(text, end)
    body_start = underline.end() if underline else end
    return _Heading(title, _meant(kind, title, earlier), match.start(), body_start, not alone)


def _is_used_as_title(text: str, match: re.Match[str], title: str, mark: str) -> bool:
    """Whether a known title is used as one: "Conclusion : …" is, "Examen, puis retour" is not."""
    if mark == ":":
        return True
    if mark == ",":
        return fold(title) in titles().openings
    if not title[0].isupper() or _DATED.search(title):
        return False  # "Séjour du 05/03 au 14/03" titles nothing, "Addendum du 18/05 :" does
    if mark == ".":  # "Examen. PA 13/8" but not "Autonomie complète."
        return fold(title) in titles().kinds
    if mark:  # a dash
        return text.count("\n", 0, match.start()) >= _LETTERHEAD
    return True


def _is_unknown_title(text: str, match: re.Match[str], title: str) -> bool:
    """A line of capitals after a blank line, which is neither a name, nor an address, nor a reading."""
    return (
        title.isupper()
        and text[max(0, match.start() - 2) : match.start()].strip(" \t") == "\n\n"
        and _LEAST_LETTERS <= sum(map(str.isalpha, title)) >= 0.8 * len(title.replace(" ", ""))
        and not _PERSON.match(title)
        and text[match.end() : match.end() + 2].strip() != ""
    )


def _meant(kind: str, title: str, earlier: list[_Heading]) -> str:
    """What "Traitement" without more means, given the sections before it."""
    if kind != "traitement_entree" or " " in title.strip():
        return kind
    after = titles().treatment_after
    return next((after[heading.kind] for heading in reversed(earlier) if heading.kind in after), kind)
