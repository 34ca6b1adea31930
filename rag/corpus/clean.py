"""From the text as given to a text that can be read, with the way back.

Two steps, each a list of edits: characters (line ends, odd spaces, ligatures, control characters), then layout
(page headers, words and paragraphs broken over lines, in `rag.corpus.layout`). A text that needs neither is
returned as it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from rag.corpus.layout import layout_edits
from rag.corpus.offsets import Edit, OffsetMap, apply


def _windows_character(code: int) -> str | None:
    """What a control character U+0080-U+009F was before Windows text was read as Latin-1 (0x92: an apostrophe)."""
    character = bytes([code]).decode("cp1252", "ignore")
    return _PLAIN.get(character, character) or None


# One character for one: positions do not move. Apostrophes and hyphens become the plain ones, which every later
# step may then rely on.
_PLAIN = {
    **dict.fromkeys("\u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B))), " "),
    **dict.fromkeys("\u00b4\u02bc\u2018\u2019\u201b\u2032", "'"),
    **dict.fromkeys("\u2010\u2011\u2212\ufe63\uff0d", "-"),
    **dict.fromkeys("\x0b\u2028\u2029\r", "\n"),
    "\u03bc": "\u00b5",  # the Greek letter mu for the micro sign
}
_ONE_FOR_ONE = str.maketrans(
    _PLAIN | {chr(code): new for code in range(0x80, 0xA0) if (new := _windows_character(code))}
)
_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}

_ODD = re.compile(
    "[\x00-\x08\x0b\x0d-\x1f\x7f-\xa0\xad\xb4\u02bc\u0300-\u036f\u03bc\u1680\u2000-\u2011\u2018\u2019\u201b\u2028-\u202f"
    "\u2032\u205f-\u206f\u2212\u3000\ufb00-\ufb06\ufe63\ufeff\uff0d\ufff9-\ufffb]"
)
# A carriage return before a line feed, a soft hyphen with the line break it made, a letter written in two parts.
_SEVERAL = re.compile(
    "\r+(?=\n)|\xad(?:[ \t]*\r?\n[ \t]*)?|[A-Za-z][\u0300-\u036f]+"
    "|[\ufb00-\ufb06\x00-\x08\x0e-\x1f\x7f\x81\x8d\x8f\x90\x9d\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)


class Cleaned(NamedTuple):
    """``origins[i]`` is the offset in the source of character ``i``; None when nothing had to change."""

    text: str
    origins: OffsetMap | None


def clean(source: str) -> Cleaned:
    """Make ``source`` readable: no character is made up, and every one kept knows where it came from."""
    text, origins = source, None
    if _ODD.search(source):
        text, origins = apply(source, _character_edits(source))
        text = text.translate(_ONE_FOR_ONE)
    edits = layout_edits(text)
    if edits:
        text, later = apply(text, edits)
        origins = origins.after(later) if origins else later
    return Cleaned(text, origins)


def _character_edits(text: str) -> Iterator[Edit]:
    for match in _SEVERAL.finditer(text):
        found = match[0]
        new = _LIGATURES.get(found, "")
        if found[0].isascii() and found[0].isalpha():
            new = unicodedata.normalize("NFC", found)
            if len(new) != 1:
                continue
        yield Edit(match.start(), match.end(), new)
