"""Text of a document that cannot be taken for the marks of a prompt.

One character stays one character, so that positions hold, and becomes one that `generator.rules.text.fold` reads as the
same, so that a quote is found again: "</passage 3>" is shown as "＜/passage 3>".
"""

from __future__ import annotations

import functools
import re
import unicodedata
from pathlib import Path

import yaml

from generator.rules.text import fold

#: A sign and its full-width form are this far apart.
_WIDER = 0xFEE0
#: "<" before a name, a slash or a bar opens a tag; before a figure or a blank it compares ("NIHSS < 5", "LDL <0,7").
_TAG = re.compile(r"<(?=[\s\u00ad]*[/|!?｜▁]?[\s\u00ad]*(?:[^\W\d]|[<|｜▁]))")
#: What a reader does not see: it could hide an order or part a mark. A soft hyphen is as invisible, and harmless.
_HIDDEN, _HARMLESS = ("Cf",), "\u00ad"
_VARIATION = {*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0), 0x115F, 0x1160, 0x3164, 0xFFA0}
#: Marks that lists in documents begin with: they delimit nothing.
_BULLETS = "-–—*•+·>"
_BLOCK = re.compile(r"\{[%#].*?[%#]\}", re.DOTALL)
_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
#: Characters of a line of a template that tell it from a line of a document.
_OPENER_LENGTH = 40


def shield(text: str, openers: re.Pattern[str] | None = None) -> str:
    """``text`` with what could be a mark of the prompt or of a chat template made plain. Length is kept.

    Args:
        openers: what begins the lines of the prompt's own templates (`openers_of`), over folded text.
    """
    shown = "".join(_plain(sign) for sign in text.translate(_VISIBLE))
    marks = [match.span() for pattern in (_TAG, _turns()) for match in pattern.finditer(shown)]
    if openers is not None:
        marks += [match.span() for match in openers.finditer(fold(shown))]
    signs = list(shown)
    for start, end in marks:
        place = next((place for place in range(start, end) if "!" <= shown[place] <= "~"), start)
        signs[place] = _wider(shown[place])
    return "".join(signs)


def shield_line(text: str) -> str:
    """A title or an identifier for the heading of a passage: on one line, without the signs that part its fields."""
    return shield(" ".join(text.split())).replace("|", _wider("|")).replace(">", _wider(">"))


def openers_of(*templates: str) -> re.Pattern[str] | None:
    """What the lines of templates begin with, as one pattern over folded text; None when no line has words of its own.

    "VARIABLE {{ v.name }}" gives "variable", "[{{ p.number }}] {{ p.date }}" a number between brackets.
    """
    lines = [line for template in templates for line in _BLOCK.sub("", template).splitlines()]
    openers = dict.fromkeys(opener for line in lines if (opener := _opener(line.strip())))
    return re.compile(r"^[^\S\n]*(?:" + "|".join(openers) + ")", re.MULTILINE) if openers else None


def _opener(line: str) -> str:
    literal, rest = _parted(line)
    head = fold(literal[:_OPENER_LENGTH]).strip()
    if len(head) > 1:
        return re.escape(head)
    if not head or head in _BULLETS:
        return ""
    expression = _EXPRESSION.match(rest)
    is_number = expression is not None and "number" in expression[0]
    after = _parted(rest[expression.end() :])[0].strip() if expression else ""
    return re.escape(head) + (r"\d+" + re.escape(fold(after)) if is_number else r"(?=\s)")


def _parted(line: str) -> tuple[str, str]:
    """What stands before the first expression of a line, and the rest."""
    match = _EXPRESSION.search(line)
    return (line, "") if match is None else (line[: match.start()], line[match.start() :])


@functools.cache
def _turns() -> re.Pattern[str]:
    """The marks of turns that are not tags."""
    words = yaml.safe_load(Path(__file__).with_name("marks.yml").read_text(encoding="utf-8"))
    bracketed, speakers = ("|".join(map(re.escape, words[key])) for key in ("bracketed", "speakers"))
    return re.compile(
        rf"\[(?=\s*/?\s*(?:{bracketed})\s*\])"
        rf"|(?m:(?<=^)#(?=#+\s*(?i:{speakers})\b))"
        rf"|(?m:(?<=^)(?=(?i:{speakers})\s*[:：])[a-zA-Z])"
    )


def _wider(sign: str) -> str:
    return chr(ord(sign) + _WIDER) if "!" <= sign <= "~" else sign


def _plain(sign: str) -> str:
    """A character that a server takes and a reader sees; the others are one soft hyphen or one blank."""
    if sign.isprintable() or sign in "\n\t":
        return sign
    category = unicodedata.category(sign)
    if category in _HIDDEN:
        return _HARMLESS
    return sign if category == "Zs" else "\ufffd" if category == "Cs" else " "


_VISIBLE = dict.fromkeys(_VARIATION, _HARMLESS)
