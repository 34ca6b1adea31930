"""Labels as people wrote them: HTML taken out, spelling evened out for comparison."""

from __future__ import annotations

import html
import re
import unicodedata

_INLINE = "a|abbr|b|em|font|i|small|span|strong|sub|sup|u"
_BLOCK = "br|center|div|h[1-6]|hr|img|li|ol|p|pre|table|tbody|td|th|thead|tr|ul"
# Only known tag names: "NIHSS <x et >y" is a label, not markup.
_INLINE_TAG = re.compile(rf"</?(?:{_INLINE})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_BLOCK_TAG = re.compile(rf"</?(?:{_BLOCK})(?:\s[^<>]*)?/?>|<!--.*?-->", re.IGNORECASE | re.DOTALL)


def plain(text: str) -> str:
    """The label without HTML, on one line: ``<p>IMC (kg/m<sup>2</sup>)</p>`` → ``IMC (kg/m2)``."""
    text = _BLOCK_TAG.sub(" ", _INLINE_TAG.sub("", text))
    return " ".join(html.unescape(text).split())


def fold(text: str) -> str:
    """Spelling for comparison: no case, no accent, straight apostrophes, single spaces."""
    text = unicodedata.normalize("NFKD", text.replace("’", "'").replace("œ", "oe").replace("Œ", "oe"))
    return " ".join("".join(c for c in text if not unicodedata.combining(c)).casefold().split())
