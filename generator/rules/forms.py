"""The answers of printed forms: tick boxes, columns of yes and no, signs. All read one folded line."""

from __future__ import annotations

import re

_TICKED = r"\[\s?[x✓✔]\s?\]|\(\s?x\s?\)|[☒☑■✓✔]"
_EMPTY = r"\[[\s_]?\]|\(\s\)|[☐□○]"
_BOX = re.compile(f"(?P<ticked>{_TICKED})|(?P<empty>{_EMPTY})")
_ANY_BOX = f"(?:{_TICKED}|{_EMPTY})"
#: What may open a line before its first box: a bullet, a number.
_BULLET = re.compile(r"\W*(?:\d+\s?[).])?\s*")
#: Space that parts two columns, or the marks that end an item; a line of dots leads to the item's own box.
_PARTS_COLUMNS = re.compile(r"\s{2,}|[;|\n]|\.\s")
_LEADERS = " \t.…_:=-"
#: Options that follow the name of a field: "Tabac : [ ] actif [x] sevré", or "HTA [x] oui [ ] non" without a colon.
_OPTIONS = re.compile(
    rf"[^.\n,;:\[☐☒☑□■(]{{0,25}}?(?::\s*(?={_ANY_BOX}\s*\w|\w[\w /-]{{0,25}}\s*{_ANY_BOX})"
    rf"|\s*(?={_ANY_BOX}\s*(?:oui|non|o|n)\b|(?:oui|non|o|n)\s*{_ANY_BOX}))"
)
#: "[x] non   Diabète de type 2 : …", "[x] non motif : …": the words of a name after a gap, else one word.
_NEXT_FIELD = re.compile(r"(?:(?<=\s\s)|(?<=[;|]))\w(?:[\w'/()-]| (?! ))*:(?!\d)|\b[\w'/()-]+\s?:(?!\d)")
_NO_OPTION, _YES_OPTION = r"(?:non|n|jamais|aucune?|absente?|neant|0)", r"(?:oui|o)"

_ANSWER_AFTER = re.compile(
    r"(?:(?!\s{3,}\w)[^.,;:\n]){0,25}?\s?(?:\(\s*[+-]?\s*\)\s*)?[:=]\s*"
    r"(?P<no>non\b(?!\s+\w)|non connue?s?\b|0\b(?![.,]?\d)|absente?s?\b|aucune?\b|neant\b|negati\w+|n\b(?!')|-\s*$|"
    r"jamais\b)"
)
_YES_ANSWER = re.compile(r"(?:(?!\s{3,}\w)[^.,;:\n]){0,25}?[:=]\s*(?:oui\b|\+)")
_ENDS_ITEM = r"\s*(?:[,;.)/|(](?!\d)|$|\s{2})"
_BARE_NO = re.compile(rf"\s*(?:\|\s*)?(?:\(\s*-\s*\)|(?:non|neg|0){_ENDS_ITEM})")
_BARE_YES = re.compile(rf"\s*(?:\|\s*)?(?:\(\s*\+\s*\)|oui{_ENDS_ITEM})")
#: "HTA+ diabète- tabac+", "HTA + / diabète -": a dash answers no in a line that answers others so.
_SIGN_AFTER = re.compile(r"(?:\s?(?P<plus>\+)|-(?=[\s,;.)+]|$)|\s-(?=\s*(?:[,;/|]|\s\s|$)))(?=[\s,;.)+/|]|$)")
_SIGNED = re.compile(r"\w(?:\s?\++(?=[\s,;./)|]|$)|-(?=[\s,;.)]|$)|\s-(?=\s*(?:[,;/|]|\s\s|$)))")


def answered(line: str, start: int, end: int) -> bool | None:
    """What a form answers of ``line[start:end]``: yes, no, or None where the line is not a form."""
    after = line[end:]
    boxes = list(_BOX.finditer(line))
    if boxes:
        answer = _ticked_option(after)
        if answer is None:
            answer = _own_box(line, boxes, start, end)
        if answer is not None:
            return answer
    if _YES_ANSWER.match(after) or _BARE_YES.match(after):
        return True
    if _ANSWER_AFTER.match(after) or _BARE_NO.match(after):
        return False
    sign = _SIGN_AFTER.match(after)
    if sign and (sign["plus"] or len(_SIGNED.findall(line)) > 1):
        return sign["plus"] is not None
    return None


def _ticked_option(after: str) -> bool | None:
    """Whether the option ticked for a field says no; None when none is ticked or the field has no options."""
    opening = _OPTIONS.match(after)
    if not opening:
        return None
    options = after[opening.end() :]
    following = _NEXT_FIELD.search(options)
    options = options[: following.start()] if following else options
    boxes = list(_BOX.finditer(options))
    first = bool(boxes) and not options[: boxes[0].start()].strip()
    for rank, box in enumerate(boxes):
        if box["ticked"]:
            if first:
                stop = boxes[rank + 1].start() if rank + 1 < len(boxes) else len(options)
                option = options[box.end() : stop].strip()
                return not re.match(rf"{_NO_OPTION}\b", option)
            option = options[boxes[rank - 1].end() if rank else 0 : box.start()].strip()
            return not re.search(rf"\b{_NO_OPTION}$", option)
    return None


def _own_box(line: str, boxes: list[re.Match[str]], start: int, end: int) -> bool | None:
    """Whether the item's own box is ticked, on the side where the line writes its boxes."""
    if _boxes_come_first(line, boxes):
        before = [box for box in boxes if box.end() <= start]
        if before and not _PARTS_COLUMNS.search(line[before[-1].end() : start].lstrip(_LEADERS)):
            return before[-1]["ticked"] is not None
        return None
    box = next((box for box in boxes if box.start() >= end), None)
    if box is None:
        return None
    between = line[end : box.start()].rstrip(_LEADERS)
    return None if "," in between or _PARTS_COLUMNS.search(between) else box["ticked"] is not None


def _boxes_come_first(line: str, boxes: list[re.Match[str]]) -> bool:
    """Whether a line writes "[x] HTA" rather than "HTA [x]": it opens with a box, or no box ends it after a title."""
    lead = line[: boxes[0].start()].rstrip()
    if _BULLET.fullmatch(lead):
        return True
    ends_with_box = not re.search(r"\w", line[boxes[-1].end() :])
    return lead[-1] in ":-" and not ends_with_box
