"""A variable in the words that the rules understand: its moment, its plain answers, its sides.

Dictionaries say one thing in many ways: "au premier jour" is J1, "lors de l'AVC qualifiant" is the stay, "Faite | Non
faite" is yes or no, "G | D" is left or right.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from generator.llm.verify_lexicon import pattern_of
from generator.rules.asked import is_no, is_unknown, is_yes
from generator.rules.numbers import find_numbers
from generator.rules.text import fold
from schema.variable import Choice, Variable

_EPISODE = r"(?:avc|ait|accident(?: vasculaire(?: cerebral)?)?|episode|hospitalisation|sejour|stroke)"
_DURING = r"(?:lors|au cours|pendant|durant|au moment|a un moment quelconque)\s(?:de\s|du\s|d')?(?:la\s|l'|le\s)?"
#: What labels write of a moment -> what the rules read of it. The index stroke is the stay that a table is about.
_MOMENTS = tuple(
    (re.compile(pattern), meant)
    for pattern, meant in (
        (r"\bdes (?P<keep>\d+ mois)\b", r"à \g<keep>"),  # "Consultation des 3 mois", which the rules take for a stretch
        (r"\b(?:au|du|le) (?:premier|1er) jour\b|\b(?:au|du|le) lendemain\b(?: (?:de l'|du |de la )\w+)?", "à J1"),
        (
            rf"\b(?:{_DURING}|du |de l'|d'un )"
            rf"(?:premier {_EPISODE}|{_EPISODE} (?:precedente?|anterieure?|ancien(?:ne)?))",
            "antérieur",
        ),
        (
            rf"\b(?:{_DURING}|de l')(?:hospitalisation|sejour) (?:pour (?:l'|un )avc|index|qualifiante?)\b"
            rf"|\b{_DURING}{_EPISODE}(?: (?:index|qualifiante?|actuel(?:le)?|princeps))?(?! \w+ement)(?=\W*$)"
            r"|\ba la phase aigue\b|\bde l'entree a la sortie\b|\b(?:pendant|durant) le sejour en \w+",
            "pendant le séjour",
        ),
    )
)
#: "Cancer actif ou ancien", "connu avant l'AVC ou découvert pendant le séjour": at whatever time.
_EITHER_STATE = re.compile(r"\b(?:actif|active|evoluti(?:f|ve)|actuel(?:le)?)s? ou (?:ancien(?:ne)?|gueri|passe)e?s?\b")
_EITHER_TIME = re.compile(r"\bconnue?s? avant\b[^,;]*? ou (?:diagnostique|decouvert|apparu|survenu)")
_PAIR = 2
_SIDES_IN_FULL = ("gauche", "droit", "droite")
_SIDES = {"g": "Gauche", "d": "Droite"}


def reworded(variable: Variable) -> Variable:
    """The variable as the rules would write it; its name and its codes are kept."""
    return replace(variable, label=_in_time(_in_figures(variable.label)), choices=_plain(variable.choices))


def is_of_any_time(label: str) -> bool:
    """Whether a label asks for what was there before as for what was found since."""
    return bool(_EITHER_TIME.search(fold(label)))


def _in_figures(label: str) -> str:
    """A label with its numbers in figures: "à vingt-quatre heures"."""
    folded = fold(label)
    for number in reversed(find_numbers(folded, ())):
        written = folded[number.start : number.end].split(" ")[0]
        if written.replace("-", "").isalpha() and number.value > 2:
            label = f"{label[: number.start]}{number.value:g}{label[number.start + len(written) :]}"
    return label


def _in_time(label: str) -> str:
    for pattern, meant in (*_MOMENTS, (_EITHER_STATE, "")):
        for match in reversed(list(pattern.finditer(fold(label)))):
            label = f"{label[: match.start()]}{match.expand(meant)}{label[match.end() :]}"
    return label


def _plain(choices: Sequence[Choice]) -> tuple[Choice, ...]:
    """Choices with a plain yes and no, or with sides in full, where that is what they say."""
    if {fold(choice.label)[:1] for choice in choices if fold(choice.label) in (*_SIDES, *_SIDES_IN_FULL)} == {"g", "d"}:
        return tuple(replace(choice, label=_SIDES.get(fold(choice.label), choice.label)) for choice in choices)
    denied = next((other for choice in choices for other in choices if _is_denied(choice, other)), None)
    if denied is not None and len(choices) == _PAIR:  # "Non faite" alone would say that nothing is known
        return tuple(replace(choice, label="Non" if choice is denied else "Oui") for choice in choices)
    telling = [choice for choice in choices if not is_unknown(choice)]
    no = next((choice for choice in telling if is_no(choice)), None)
    others = [choice for choice in telling if choice is not no]
    if no is None or len(others) != 1 or is_yes(others[0]):
        return tuple(choices)
    if not pattern_of("affirmative").fullmatch(fold(others[0].label).strip()):
        return tuple(choices)
    plain = {others[0].code: "Oui", no.code: "Non"}
    return tuple(replace(choice, label=plain.get(choice.code, choice.label)) for choice in choices)


def _is_denied(choice: Choice, other: Choice) -> bool:
    """Whether the other choice is only the denial of one: "Faite | Non faite"."""
    said = fold(choice.label).strip().partition(" ou ")[0]
    return fold(other.label).strip().partition(" ou ")[0] in (f"non {said}", f"pas {said}")
