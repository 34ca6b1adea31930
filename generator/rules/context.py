"""What is said of a mention: that it is denied, doubted, planned, declined, or another person's.

After ConText (Harkema et al. 2009): a cue acts from where it stands to the end of its scope. Scopes here follow
French reports: a comma ends the scope of "pas de" unless the list goes on ("pas d'HTA, de diabète ni de tabac"),
a colon after a relative ("Mère : HTA, diabète") opens one to the end of the sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from generator.rules.annotate import Annotated
from generator.rules.cues import PREFIX
from generator.rules.matcher import Hit

_HARD_STOP = re.compile(
    r"[;!\n|]|\.(?!\d)|\s-\s|=>|->|\b(?:mais|puis|cependant|toutefois|sauf|hormis|alors que|tandis que|par contre|"
    r"en revanche|bien que|malgre|chez|sous|avec|compliquant|devant|car|donc|ayant|secondaire|permettant)\b"
)
_NEGATION_REACH, _AFTER_REACH, _PLAN_REACH, _FAMILY_REACH = 75, 40, 70, 90
_LIST_GOES_ON = re.compile(r"^\s*(?:ni\b|de\b|d'|ou\b|et\b|aucune?\b)")
_LIST_ENDS_SO = re.compile(r"^[^.;:\n]{0,60}?\b(?:ni|ou)\b")
_EMPTY_BOX_BEFORE = re.compile(r"(?:\[\s?\]|☐|□|\(\s\))\s*$")
_TICKED_BOX_BEFORE = re.compile(r"(?:\[\s?x\s?\]|☒|☑|■|\(x\))\s*$")
_BOXES_AFTER = re.compile(r"^[^.\n]{0,20}?(?P<yes>\[\s?x?\s?\]|☐|☒|☑)?\s*oui\s*(?P<yes2>\[\s?x?\s?\]|☐|☒|☑)?"
                          r"[\s/,-]*(?P<no>\[\s?x?\s?\]|☐|☒|☑)?\s*non\b\s*(?P<no2>\[\s?x?\s?\]|☐|☒|☑)?")  # fmt: skip
_ANSWER_AFTER = re.compile(
    r"^[^.,;:\n]{0,25}?\s?(?:\(\s*[+-]?\s*\)\s*)?[:=]\s*(?P<no>non\b|0\b(?![.,]\d)|absente?s?\b|aucune?\b|neant\b|negati\w+|n\b|-\s*$|jamais\b)"
)
_BARE_NO_AFTER = re.compile(r"^\s*(?:\(\s*-\s*\)|non\b|neg\b|0\s*(?:[,;.]|$))")
_YES_ANSWER = re.compile(r"^[^.,;:\n]{0,25}?[:=]\s*(?:oui\b|\+)")


#: What may stand between a condition and the relative who has it: "AVC à 74 ans chez la", "diabète (".
_SAID_OF_RELATIVE = re.compile(
    r"^\s*(?:precoce\s*)?(?:a \d+ ans\s*)?(?:\(|(?:chez|du|de|de la|de son|de sa|le|la|son|sa|un|une|\s)+$)"
)


@dataclass(frozen=True, slots=True)
class Context:
    """What is said of one mention of the patient's documents."""

    negated: bool = False
    hypothetical: bool = False
    family: bool = False
    planned: bool = False
    declined: bool = False
    other_person: bool = False
    old: bool = False

    @property
    def affirmed(self) -> bool:
        """Said of the patient, as a fact."""
        return not (self.negated or self.hypothetical or self.family or self.planned or self.declined
                    or self.other_person)  # fmt: skip


def context_of(document: Annotated, hit: Hit) -> Context:
    """The context of one hit within its sentence."""
    return context_at(document, hit.start, hit.end, hit.sentence)


def context_at(document: Annotated, start: int, end: int, sentence: int) -> Context:
    """The context of ``document.folded[start:end]``, which lies in the sentence of that index."""
    low, high = document.sentences[sentence]
    text = document.folded
    before, after = text[low:start], text[end:high]
    boxed = _boxes(before, after)
    return Context(
        negated=(boxed is False) or (boxed is None and _negated(document, start, end, low, high)),
        hypothetical=_hypothetical(document, start, end, low, high),
        family=_family(document, start, end, low, high),
        planned=_near(document, "plan", start, end, low, high),
        declined=_near(document, "declined", start, end, low, high),
        other_person=_other_person(document, start, low),
        old=_near(document, "old_episode", start, end, low, high),
    )


def _boxes(before: str, after: str) -> bool | None:
    """Answer given by tick boxes or "Champ : oui/non"; None when there is no such form."""
    boxes = _BOXES_AFTER.match(after)
    if boxes and any(boxes.groupdict().values()):
        yes, no = boxes["yes"] or boxes["yes2"] or "", boxes["no"] or boxes["no2"] or ""
        ticked = [bool(re.search("x|☒|☑", box)) for box in (yes, no)]
        if ticked[0] != ticked[1]:
            return ticked[0]
    if _EMPTY_BOX_BEFORE.search(before):
        return False
    if _TICKED_BOX_BEFORE.search(before) or _YES_ANSWER.match(after):
        return True
    if _ANSWER_AFTER.match(after) or _BARE_NO_AFTER.match(after):
        return False
    return None


def _masked(document: Annotated, kind: str, start: int, end: int) -> bool:
    """Whether a pseudo-cue ("pas de doute") covers the cue at [start, end)."""
    sentence = document.sentences[document.sentence_of(start)]
    masks = document.within(f"{PREFIX}{kind}.none", *sentence)
    return any(mask.start <= start and end <= mask.end for mask in masks)


def _negated(document: Annotated, start: int, end: int, low: int, high: int) -> bool:
    text = document.folded
    for cue in document.within(PREFIX + "negation.before", max(low, start - _NEGATION_REACH), start + 1):
        if cue.end > start or _masked(document, "negation", cue.start, cue.end):
            continue
        between = text[cue.end : start]
        if _HARD_STOP.search(between) or ":" in between or ")" in between.split("(")[0]:
            continue
        if "," in between and not _list_goes_on(between, text[end:high]):
            continue
        return True
    for cue in document.within(PREFIX + "negation.after", end, min(high, end + _AFTER_REACH)):
        between = text[end : cue.start]
        if _masked(document, "negation", cue.start, cue.end) or _HARD_STOP.search(between):
            continue
        if "," in between or ":" in between or "(" in between:
            continue
        if text[cue.end : cue.end + 12].lstrip().startswith(("seulement", "que ")):
            continue
        return True
    return False


def _list_goes_on(between: str, after: str) -> bool:
    items = between.split(",")[1:]
    if all(_LIST_GOES_ON.match(item) or not item.strip() for item in items):
        return True
    return all(len(item.split()) <= 3 for item in items) and bool(_LIST_ENDS_SO.match(after))


def _hypothetical(document: Annotated, start: int, end: int, low: int, high: int) -> bool:
    text = document.folded
    for cue in document.within(PREFIX + "hypothesis.before", max(low, start - 45), start + 1):
        between = text[cue.end : start]
        if cue.end > start or _masked(document, "hypothesis", cue.start, cue.end):
            continue
        if not (_HARD_STOP.search(between) or "," in between or ":" in between):
            return True
    for cue in document.within(PREFIX + "hypothesis.after", end, min(high, end + 30)):
        between = text[end : cue.start]
        if not (_HARD_STOP.search(between) or "," in between or "(" in between):
            return True
    # "?" carries no letter, so the cue list of words cannot hold it.
    return bool(re.match(r"[^.,;:!\n]{0,25}\?", text[end:high]))


def _family(document: Annotated, start: int, end: int, low: int, high: int) -> bool:
    if document.section_of(start).kind == "antecedents_familiaux":
        return True
    text = document.folded
    cues = list(document.within(PREFIX + "family", max(low, start - _FAMILY_REACH), start + 1))
    for cue in reversed(cues):
        between = text[cue.end : start]
        if re.search(r"[;\n]|\.(?!\d)|\bmais\b|\bpersonnel", between) or (")" in between and "(" not in between):
            continue
        if "," not in between or ":" in text[cue.start : cue.end + 3] or "familia" in text[cue.start : cue.end]:
            return True
    for cue in document.within(PREFIX + "family", end, min(high, end + 40)):
        if _SAID_OF_RELATIVE.search(text[end : cue.start]):
            return True
    return False


def _near(document: Annotated, cue_name: str, start: int, end: int, low: int, high: int) -> bool:
    """Whether a cue stands in the same clause, before or after."""
    text = document.folded
    for cue in document.within(PREFIX + cue_name, max(low, start - _PLAN_REACH), min(high, end + _PLAN_REACH)):
        if cue.start < end and cue.end > start:
            continue
        between = text[cue.end : start] if cue.end <= start else text[end : cue.start]
        if not (_HARD_STOP.search(between) or "," in between or ":" in between):
            return True
    return False


def _other_person(document: Annotated, start: int, low: int) -> bool:
    """Whether a relative or witness is the subject right before: "mari gros fumeur", "(mari diabétique"."""
    text = document.folded
    for cue in document.within(PREFIX + "other_person", max(low, start - 35), start + 1):
        between = text[cue.end : start]
        if cue.end <= start and not re.search(r"[,;:.()\n]|\bet\b|\bdit\b|\bque\b", between):
            return True
    return False
