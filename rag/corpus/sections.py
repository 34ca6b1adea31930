"""Sections of a note, found by their titles."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import NamedTuple

from rag.corpus.titles import kind_of, titles
from schema.document import Section

_LONGEST_TITLE = 60
# What may stand before a title: a bullet, markdown, a number.
_PREFIX = r"[ \t]*(?:[#>*•▪■►=_-]+[ \t]*)*(?:(?:\d{1,2}(?:\.\d{1,2})*|[IVX]{1,4}|[A-H])[.)/°-]+[ \t]*(?:[*_]+)?)?"
_LINE = re.compile(
    rf"^(?P<prefix>{_PREFIX})(?P<title>[^\W\d_][^\n:–—|•=]{{1,{_LONGEST_TITLE}}}?)"
    r"(?P<mark>[*_ ]*(?::[*_]*|[ ][–—-][ ]|[.,](?=\s|$)|(?=\n|\Z)))[ \t]*",
    re.MULTILINE,
)
_RULE = re.compile(r"\n[ \t]*[-=_*~]{3,}[ \t]*(?=\n|\Z)")
_PERSON = re.compile(
    r"(?:dr|pr|m|mr|mme|mlle|monsieur|madame|docteur|professeur|patiente?|nom|service|p[ôo]le)\b", re.I
)


class _Heading(NamedTuple):
    title: str
    kind: str
    start: int
    body_start: int


def find_sections(text: str) -> tuple[Section, ...]:
    """The sections of ``text``, in order, touching one another; together they cover it.

    A title is a line by itself, or opens a line before ":", "–" or a full stop. Only titles of the vocabulary
    open a line; a line of capitals after a blank line is a title even when unknown (kind ""). What stands before
    the first title is a section without title.
    """
    if not text:
        return ()
    headings: list[_Heading] = []
    for match in _LINE.finditer(text):
        heading = _heading(text, match, headings)
        if heading:
            headings.append(heading)
    sections: list[Section] = []
    if not headings or headings[0].start > 0:
        sections.append(Section("", "", 0, 0, headings[0].start if headings else len(text)))
    for heading, following in zip_longest(headings, headings[1:]):
        end = following.start if following else len(text)
        sections.append(Section(heading.title, heading.kind, heading.start, min(heading.body_start, end), end))
    return tuple(sections)


def _heading(text: str, match: re.Match[str], earlier: list[_Heading]) -> _Heading | None:
    title = match["title"].strip(" *_\t")
    mark = match["mark"].strip(" *_")
    end = match.end()
    alone = end >= len(text) or text[end] == "\n"
    strong = alone or mark == ":"
    kind = kind_of(title, forgive=strong and (title.isupper() or mark == ":"))
    if kind is None:
        if not (alone and earlier and _is_unknown_title(text, match, title)):
            return None
        kind = ""
    elif not _is_marked(title, mark, alone, text, end):
        return None
    if kind == "traitement_entree" and kind_of(title) == kind and _follows_discharge(title, earlier):
        kind = "traitement_sortie"
    rule = _RULE.match(text, end)
    body_start = rule.end() if rule else end
    return _Heading(title, kind, match.start(), body_start)


def _is_marked(title: str, mark: str, alone: bool, text: str, end: int) -> bool:
    """Whether a known title is used as one: "Conclusion : …" is, "Examen, puis retour" is not."""
    if mark == ",":
        return title.lower() in titles().openings
    if mark == ".":
        return not alone or title.isupper() or len(title.split()) <= 3
    return mark == ":" or alone or title[:1].isupper()


def _is_unknown_title(text: str, match: re.Match[str], title: str) -> bool:
    """A line of capitals after a blank line, which is neither a name nor an address nor a reading."""
    after_blank = text[max(0, match.start() - 2) : match.start()] in ("\n\n", "\n")
    letters = sum(character.isalpha() for character in title)
    return (
        after_blank
        and title.isupper()
        and letters >= 5
        and letters >= 0.8 * len(title.replace(" ", ""))
        and not _PERSON.match(title)
        and match.end() < len(text)
        and not text.startswith("\n\n", match.end())
    )


def _follows_discharge(title: str, earlier: list[_Heading]) -> bool:
    """ "Traitement" without more, after the stay has been told, is what the patient leaves with."""
    return len(title.split()) == 1 and any(heading.kind in titles().discharge_after for heading in earlier)
