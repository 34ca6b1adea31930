"""Answers told in other words than the question's: a contrary, a sound organ, a broader denial, two choices at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from generator.llm.verdict import Finding, Verdict
from generator.llm.verify_lexicon import broader_than, contraries_of, pattern_of, soundness_of, unsoundness_of
from generator.llm.verify_place import Shown, with_line_before
from generator.llm.verify_said import said_of
from generator.llm.verify_words import choice_words, label_words, no_code
from generator.rules.asked import is_no, is_unknown
from generator.rules.plan import Plan
from generator.rules.text import fold
from schema.document import DateMention
from schema.value import Value
from schema.variable import VariableKind

_CLOSED = (VariableKind.CHOICE, VariableKind.YESNO, VariableKind.TRUEFALSE)
_BOTH = re.compile(r"(?:les deux|combine\w*|mixte|association)\b")
_KNOWN = re.compile(r"\b(?:heure|horaire|debut)\b.*\b(?:connue?|precise?|certaine?)\b|\btemoin")
_WAKING = re.compile(r"\breveil\b")


def contrary(plan: Plan, places: Sequence[Shown], value: Value) -> Finding | None:
    """What a quote that says the contrary of the label's adjective answers: "remaniement asymptomatique"."""
    no = no_code(plan)
    pattern = contraries_of(plan.variable.label) if plan.variable.kind in _CLOSED else None
    if pattern is None or no is None:
        return None
    for place in places:
        if pattern.search(place.words) and _is_subject_near(plan, place):
            if value == no:
                return Finding(Verdict.VERIFIED, "La citation dit le contraire de ce que nomme la question.", 0.7)
            return Finding(Verdict.NEGATED, "La citation dit le contraire.")
    return None


def _is_subject_near(plan: Plan, place: Shown) -> bool:
    """Whether the sentence or the one before names what the adjective is said of."""
    low, high = with_line_before(place)
    if any(True for anchor in plan.anchors for _ in place.document.within(anchor, low, high)):
        return True
    return bool(label_words(plan.variable.label).held_by(place.document.folded[low:high])) or bool(
        pattern_of("bleeding").search(place.document.folded, low, high)
    )


def affirmed_otherwise(plan: Plan, places: Sequence[Shown]) -> bool:
    """Whether quotes find unsound what the label's trouble would trouble: "test de déglutition anormal"."""
    unsound = unsoundness_of(plan.variable.label)
    return unsound is not None and any(unsound.search(place.words) for place in places)


def denied_otherwise(plan: Plan, places: Sequence[Shown]) -> bool:
    """Whether quotes deny what the label names without naming it."""
    label = plan.variable.label
    sound, broader = soundness_of(label), broader_than(label)
    for place in places:
        if sound is not None and sound.search(place.words):
            return True
        for match in broader.finditer(place.words) if broader else ():
            start, end = place.start + match.start(), place.start + match.end()
            if said_of(place.document, start, end).negated:
                return True
    return _others_denied(plan, places)


def _others_denied(plan: Plan, places: Sequence[Shown]) -> bool:
    """Whether quotes deny several of the other choices and affirm none: "pas de dissection, pas de perforation"."""
    denied = set()
    for code, affirmed in _told(plan, places):
        if affirmed:
            return False
        denied.add(code)
    return len(denied) > 1


def two_at_once(plan: Plan, places: Sequence[Shown], value: Value) -> Finding | None:
    """What quotes that affirm two choices answer where a third says both: "aspiration, puis stent"."""
    both = next((choice.code for choice in plan.variable.choices if _BOTH.match(fold(choice.label))), None)
    if both is None or not isinstance(value, str):
        return None
    affirmed = {code for code, told in _told(plan, places) if told and code != both}
    if len(affirmed) < 2:
        return None
    if value == both:
        return Finding(Verdict.VERIFIED, "Les citations portent les mots de deux choix.", 0.65)
    return Finding(Verdict.CONTRADICTED, "Les citations portent les mots de deux choix.") if value in affirmed else None


def _told(plan: Plan, places: Sequence[Shown]) -> Iterator[tuple[str, bool]]:
    """The choices, but for no, whose words quotes hold, and whether they are affirmed."""
    words = choice_words(plan)
    for choice in plan.variable.choices:
        if is_no(choice) or is_unknown(choice):
            continue
        for place in places:
            spans = [
                (hit.start, hit.end)
                for hit in place.document.within(plan.choices.get(choice.code, ""), place.start, place.end)
            ]
            if choice.code in words:
                found = words[choice.code].found_in(place.words)
                spans += [(place.start + match.start(), place.start + match.end()) for match in found]
            contexts = [said_of(place.document, start, end) for start, end in spans]
            if any(context.affirmed for context in contexts):
                yield choice.code, True
            elif any(context.negated for context in contexts):
                yield choice.code, False


def check_onset(plan: Plan, places: Sequence[Shown], value: str) -> Finding | None:
    """Whether the hour of onset is known, unknown or that of waking: an hour beside words of an onset is a known one.

    None when the choices do not ask that, or the quotes do not tell.
    """
    labels = {choice.code: fold(choice.label) for choice in plan.variable.choices}
    known = next((code for code, label in labels.items() if _KNOWN.search(label) and "inconnu" not in label), None)
    waking = next((code for code, label in labels.items() if _WAKING.search(label) and "hors" not in label), None)
    unknown = next((code for code, label in labels.items() if "inconnu" in label), None)
    if known is None or (waking is None and unknown is None):
        return None
    told = known if any(map(_tells_hour, places)) else None
    if any(map(_tells_found, places)):
        told = unknown
    if any(_affirms(place, "waking") for place in places):
        told = waking
    if told is None:
        return None
    if told == value:
        return Finding(Verdict.VERIFIED, "La citation dit comment le début est connu.", 0.65)
    return Finding(Verdict.CONTRADICTED, "La citation dit un autre début.")


def _tells_hour(place: Shown) -> bool:
    """Whether a quote gives an hour beside words of an onset."""
    clocked = any(m.clock is not None and place.start <= m.start < place.end for m in _dates(place))
    return clocked and bool(pattern_of("onset").search(place.sentence))


def _dates(place: Shown) -> Sequence[DateMention]:
    return place.document.dates_in(place.low, place.high)


def _tells_found(place: Shown) -> bool:
    """Whether a quote tells only when the patient was last well, or found."""
    return bool(pattern_of("found").search(place.words))


def _affirms(place: Shown, group: str) -> bool:
    return any(
        said_of(place.document, place.start + match.start(), place.start + match.end()).affirmed
        for match in pattern_of(group).finditer(place.words)
    )
