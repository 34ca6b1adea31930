"""What the choices of a condition mean: which says no, which says yes without more, which name a degree or a moment."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field

from generator.rules.annotate import Annotated
from generator.rules.context import context_at
from generator.rules.degrees import ALONE
from generator.rules.lexicon import load_lexicon
from generator.rules.matcher import Hit
from generator.rules.mentions import bounds
from generator.rules.moments import without_moment
from generator.rules.plan import Plan
from generator.rules.text import fold

_NO = re.compile(r"(?:non|absen\w*|aucune?|jamais|pas |negati\w*|sans|indemne|faux|no)\b")
_UNKNOWN = re.compile(r"(?:nsp|ne sait pas|inconnue?|non renseigne|donnee manquante|manquant|non fait|non evaluable)")
_UNSPECIFIED = re.compile(r"sans (?:plus de )?precision|non precise|indetermine|type inconnu|\bsai\b")
_PLAIN_YES = re.compile(r"^(?:oui|presen\w*|vrai|positi\w*|yes)\b|\b(?:acti(?:f|ve)s?|actuel\w*|en cours)\b")
_VAGUE = re.compile(rf"{_UNSPECIFIED.pattern}|^(?:oui|presen\w*|vrai|positi\w*|yes)\b")
_KNOWN = re.compile(r"\b(?:connue?s?|anterieure?s?|ancienn?e?s?|preexistant\w*|avant|antecedent\w*|chronique)\b")
_FOUND = re.compile(
    r"\b(?:decouvert\w*|pendant|de novo|nouve\w+|inaugural\w*|diagnostiqu\w+|revele\w*|durant|au cours)\b"
)
_FLARE = re.compile(r"\b(?:decompens|poussee|exacerb|crise|(?:o|œ)edeme aigu|surinfect)")
_ASKS_KNOWN = re.compile(
    r"\b(?:deja|connue?s? (?:avant|a l'admission|a l'entree)|preexistant\w*|anterieure?s? (?:a|au) )"
)
_WORST = re.compile(r"plus (?:grave|severe|eleve|haut)|\bpire\b|\bmaxim")
#: Words of a label that name something that happens at a date, so that the stay's own must be told from history.
_EVENT = re.compile(
    r"\b(?:avc|ait|infarctus|idm|sca|embolie|thrombose|phlebite|tvp|mtev|hemorragie|hematome|saignement|fracture|chute|"
    r"chirurgie|intervention|accident|crise|exacerbation|decompensation|hospitalisation|pneumopathie|infection|sepsis|"
    r"thrombectomie|thrombolyse|syncope|comitialite|dissection)\b"
)
_RELATIVES = re.compile(r"\b(?:antecedents?|atcd) familia|\bheredit\w*|premier degre|\bapparente")
_BEFORE_REACH, _AFTER_REACH = 30, 60
_OTHER_ITEM = re.compile(r"[;\n|]|\.(?!\d)")


@dataclass(frozen=True, slots=True)
class Scale:
    """The choices of one variable.

    Args:
        no: the code that says absent; None when no choice does.
        default: the code of a presence without degree; None when a degree is needed.
        graded: the default is itself a degree ("Actif"), which words may state.
        known, found: codes of "known before" and "found since", when the choices are moments.
        order: codes from the least to the most severe, as the dictionary lists them.
        worst: the most severe of several degrees answers.
        known_only: the label asks what was known before, of a disease that flares up: named in the stay, it may be new.
        event: the condition happens at a date, and the reason for the stay may be one more of them.
        of_relatives: the label asks about the family.
        alone: code → matcher concept of words that state it by themselves.
    """

    no: str | None
    default: str | None
    graded: bool = False
    known: str | None = None
    found: str | None = None
    order: tuple[str, ...] = ()
    worst: bool = False
    event: bool = False
    of_relatives: bool = False
    known_only: bool = False
    alone: dict[str, str] = field(default_factory=dict)

    @property
    def by_moment(self) -> bool:
        """Whether the choices tell a known condition from a new one."""
        return self.known is not None and self.found is not None


def scale_of(plan: Plan) -> Scale:
    """The scale that a variable's labels, note and hints describe."""
    variable, hints = plan.variable, plan.hints
    labels = {choice.code: fold(choice.label) for choice in variable.choices} or {"0": "non", "1": "oui"}
    no = next((code for code, label in labels.items() if _NO.match(label)), None)
    degrees = [code for code, label in labels.items() if code != no and not _UNKNOWN.match(label)]
    default = hints.settings.get("default")
    if default is None:
        default = next((c for c in degrees if _UNSPECIFIED.search(labels[c])), None) or next(
            (c for c in degrees if _PLAIN_YES.search(labels[c])), degrees[0] if len(degrees) == 1 else None
        )
    known = next((c for c in degrees if _KNOWN.search(labels[c])), None)
    found = next((c for c in degrees if _FOUND.search(labels[c]) and c != known), None)
    return Scale(
        no=no,
        default=str(default) if default not in (None, "") else None,
        graded=not _VAGUE.search(labels.get(str(default), "oui")),
        known=known,
        found=found,
        order=tuple(degrees),
        worst=bool(_WORST.search(fold(variable.note))),
        event=bool(hints.settings.get("event", _EVENT.search(without_moment(fold(variable.label))) is not None)),
        of_relatives=bool(_RELATIVES.search(fold(variable.label))),
        known_only=bool(_ASKS_KNOWN.search(fold(variable.label))) and _flares_up(plan.anchors),
        alone={code: plan.choices[code] + ALONE for code in hints.choices if code in plan.choices},
    )


@functools.cache
def _flares_up(concepts: tuple[str, ...]) -> bool:
    """Whether a disease has acute episodes, one of which may be the reason for the stay (heart failure, asthma)."""
    lexicon = load_lexicon("concepts")
    return any(_FLARE.search(fold(form)) for name in concepts if name in lexicon for form in lexicon[name]["forms"])


def code_beside(document: Annotated, plan: Plan, scale: Scale, hit: Hit) -> str:
    """The degree whose words stand with a mention: inside it, right before it, or after it in the same item."""
    if len(scale.order) < 2 or scale.by_moment:
        return ""
    low, high = bounds(document, hit.start, hit.end, _OTHER_ITEM)
    low, high = max(low, hit.start - _BEFORE_REACH), min(high, hit.end + _AFTER_REACH)
    beside = [(word, code) for code in scale.order for word in document.within(plan.choices[code], low, high)]
    spans = [(word.start, word.end) for word, _ in beside]
    beside = [(word, code) for word, code in beside if not _inside_longer(word, spans)]
    best: tuple[int, str] | None = None
    for word, code in beside:
        if not _belongs(document, hit, word):
            continue
        distance = max(0, word.start - hit.end, hit.start - word.end)
        if best is None or distance < best[0]:
            best = (distance, code)
    return best[1] if best else ""


def _inside_longer(word: Hit, spans: list[tuple[int, int]]) -> bool:
    """Whether a longer form holds this one: "insulino-dépendant" in "non insulino-dépendant"."""
    size = word.end - word.start
    return any(low <= word.start and word.end <= high and high - low > size for low, high in spans)


def _belongs(document: Annotated, hit: Hit, word: Hit) -> bool:
    """Whether a degree is said of the mention and holds: not another item's, not denied, not merely wished."""
    if word.end <= hit.start and "," in document.folded[word.end : hit.start]:
        return False
    if word.start >= hit.end and "," in document.folded[hit.end : word.start] and _other_condition(document, hit, word):
        return False
    if word.start < hit.end and word.end > hit.start and (word.start, word.end) == (hit.start, hit.end):
        return True
    context = context_at(document, word.start, word.end, word.sentence)
    return not (context.planned or context.hypothetical or (context.negated and word.start >= hit.end))


def _other_condition(document: Annotated, hit: Hit, word: Hit) -> bool:
    """Whether another condition is named between a mention and a degree: "tabac, alcool sevré"."""
    return any(
        hit.end <= other.start and other.end <= word.start
        for concept, hits in document.hits.items()
        if load_lexicon("concepts").get(concept, {}).get("kind") == "condition"
        for other in hits
    )
