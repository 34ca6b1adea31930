"""What is said of a mention, where a quote is all that speaks: the rules' own reading of context, and a little more.

The rules weigh a mention against the rest of a record; a quote has no rest. So the head of a list of denials ("Pas
de : HTA, diabète") and a relative named after the disease count here whatever stands between.
"""

from __future__ import annotations

import re
from dataclasses import replace

from generator.rules.annotate import Annotated
from generator.rules.context import Context, context_at
from generator.rules.cues import PREFIX

#: "Pas de : HTA, diabète", "Aucun argument pour : FA", up to what ends the list.
_LIST_OF_DENIALS = re.compile(
    r"\W*(?:[^.;:,\n]{0,25}\s)??"
    r"(?:pas d(?:e\b|')|pas\b|aucune?s?\b|absence d(?:e\b|')|sans\b|ni\b|negati\w+|non retrouve\w*|exclu\w*)"
    r"[^.;:\n]{0,40}:(?P<items>[^.;:\n]*)"
)
_ENDS_LIST = re.compile(r"\b(?:mais|sauf|hormis|oui|presen\w+|connue?s?|traitee?s?)\b|\+")
_BULLET = re.compile(r"\s*[-•*+–]\s*")
_HEAD_OF_DENIALS = re.compile(
    r"\s*(?:pas d(?:e\b|')|aucune?s?\b|absence d(?:e\b|')|sans\b|negati\w+|non retrouve\w*)[^.;:]{0,40}:\s*$"
)
#: Bullets that one head may govern, and how far after a disease the relative who has it may be named.
_BULLETS, _RELATIVE_REACH = 15, 45
_OF_RELATIVE = re.compile(r"[^.;:,\n]*\b(?:chez|de|du)\s(?:(?:l[ea]|une?|son|sa|ses|les|leur)\s|l')?$")


#: "Alzheimer : pas de trouble connu", "globe vésical – non", "consommation d'alcool nulle".
_ANSWERED_NO = re.compile(
    r"(?:[^.;:,\n]{0,20}:\s*(?:aucun|absen|neg|neant|ras\b|"
    r"pas d(?:e\b|')(?!\s?(?:traitement|suivi|bilan|complication|recidive|retentissement)))|"
    r"\s*-\s*(?:non|absente?|neant)\b(?!\s\w)|\s(?:nulle?s?|absente?s?|negati\w+)\b)"
)
#: "Craniectomie lors de l'AVC : -", "escarre au sacrum = absent": a form's answer, some words after its question.
_FORM_ANSWERS_NO = re.compile(r"[^.;:=\n]{0,45}[:=]\s?(?:-|0|non|absente?|neant)\s*(?=$|[\n.;,])")
#: "La conduite n'est pas reprise", "SNG non nécessaire": what was not done or not found is not there.
_DONE = (
    r"(?:repris|fait|realis|retrouv|constat|present|pos|necessaire|indiqu|administr|effectu|pratiqu|prescrit|requis|"
    r"decel|observ|vu)\w*"
)
#: "Conduite automobile n'est pas reprise", where all of that is the mention.
_PARTED = re.compile(r"\bn(?:e\s|')\w+\s(?:pas|jamais|plus)\b")
_NOT_DONE = re.compile(
    rf"[^.;:,\n]{{0,25}}?\s(?:n'(?:est|a|etait|avait|ont)\s(?:pas|jamais)\s(?:ete\s)?{_DONE}|non\s{_DONE})\b"
)


def said_of(document: Annotated, start: int, end: int) -> Context:
    """What is said of ``document.folded[start:end]``."""
    sentence = document.sentence_of(start)
    context = context_at(document, start, end, sentence)
    low, high = document.sentences[sentence]
    answers = (_ANSWERED_NO, _FORM_ANSWERS_NO, _NOT_DONE)
    if not context.negated and (
        any(answer.match(document.folded, end, high) for answer in answers)
        or _PARTED.search(document.folded, start, end)
    ):
        context = replace(context, negated=True)
    if not context.negated and _is_listed_as_denied(document, start, low):
        context = replace(context, negated=True)
    if not context.family and _is_of_relative(document, end, high):
        context = replace(context, family=True)
    return context


def _is_listed_as_denied(document: Annotated, start: int, low: int) -> bool:
    text = document.folded
    head = _LIST_OF_DENIALS.fullmatch(text, low, start)
    if head is not None:
        return not _ENDS_LIST.search(head["items"])
    line = text.rfind("\n", 0, start) + 1
    for _ in range(_BULLETS):
        if line == 0 or not _BULLET.match(text, line):
            return False
        above = text.rfind("\n", 0, line - 1) + 1
        if _HEAD_OF_DENIALS.match(text, above, line - 1):
            return True
        line = above
    return False


def _is_of_relative(document: Annotated, end: int, high: int) -> bool:
    cues = document.within(PREFIX + "family", end, min(high, end + _RELATIVE_REACH))
    return any(_OF_RELATIVE.match(document.folded[end : cue.start]) for cue in cues)
