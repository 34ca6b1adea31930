"""The moment that a variable asks for, read from its label, its note, its section and its form, in that order."""

from __future__ import annotations

import re

from generator.rules.text import fold
from schema.study import Policy
from schema.variable import Variable, VariableKind

_IN_WORDS = {"un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "six": 6, "neuf": 9, "douze": 12}
_DAYS_PER = {"j": 1.0, "s": 7.0, "m": 30.44, "a": 365.25}
_DATES = (VariableKind.DATE, VariableKind.DATETIME, VariableKind.TIME)
#: From this day on, a value belongs to the follow-up rather than to the stay.
_FOLLOW_UP_DAYS = 28

#: "à 6 mois", "dans les 30 jours", "suivi de 1 an", "Rankin 3 mois"; not "depuis 6 mois" nor "en 6 mois".
_LATER = re.compile(
    r"(?:\b(?:a|dans les|suivi(?: a| de)?|visite(?: a| de)?|consultation(?: a| de)?|apres|au terme de)\s+)?"
    r"\b(?P<count>\d+|un|une|deux|trois|quatre|six|neuf|douze)\s?(?P<unit>mois|ans?\b|annees?|semaines?|jours?)\b"
)
_NOT_LATER = re.compile(
    r"\b(?:en|sur|depuis|de|des|moins de|plus de|pendant|durant|tous les|les|derniers|cours des|superieur\w* a|"
    r"inferieur\w* a|il y a)\s*$|[<>≥≤=-]\s*$"
)
_PAST_SPAN = re.compile(
    r"\b(?:dans|au cours|lors) (?:les|des|de|du|l')\s?[^,;]*?\b(?:precedent\w*|avant|auparavant|dernier\w*|annee)\b"
    r"(?:\s(?:mois|ans?|annees?|semaines?|jours?))?"
)
_CODED = re.compile(r"(?<!/)\b(?P<unit>[jm])\s?\+?\s?(?P<count>\d{1,3})\b|\bjour\s+(?P<day>\d{1,2})\b")
_HOURS = re.compile(r"(?<!des )(?<!/)(?<!/ )\b(?:a\s)?(\d{1,3})\s?(?:h|heures)\b|\bh\s?\+?(\d{1,3})\b")

_ADMISSION = (
    r"\ba l'(?:admission|arrivee|entree|accueil|inclusion)\b|\b(?:initiale?s?|d'entree|d'admission|d'arrivee|"
    r"d'inclusion|"
    r"aux urgences|au sau|baseline|(?:a|de) la prise en charge|au diagnostic|[jdv]\s?0|h0)\b"
)
_DISCHARGE = r"\b(?:a la sortie|de sortie|en sortie|a sa sortie|fin d'hospitalisation|fin de sejour)\b"
_BEFORE = (
    r"\b(?:avant(?! (?:la )?sortie)|anterieure?s?|prealables?|auparavant|precedente?s?|connue?s?|habituel\w*|usuel\w*|"
    r"(?:(?:a l'|en )?etat )?(?:de base|basal)|au long cours|premorbide\w*|antecedents?|atcd|hereditaires?|"
    r"pre-?\s?(?:op|operatoires?|morbides?|hospitalier\w*|existant\w*|avc|fracture|chute|greffe|therapeutiques?))\b"
    r"|(?<!retour )\b(?:au|a) domicile (?:a l'admission|avant(?: l'\w+)?)\b|\btraitement\b[^.]*\b(?:au|a) domicile\b"
)
_HIGHEST = r"\b(?:plus eleve\w*|plus haut\w*|maxim(?:um|ale?s?|aux)|max|pic|pire)\b"
_LOWEST = r"\b(?:plus bas\w*|plus faible|minim(?:um|ale?s?|aux)|min|nadir)\b"
_FOLLOW_UP = r"\b(?:au suivi|de suivi|suivi a distance|dernieres? (?:consultation|nouvelle|visite)s?|a distance)\b"
_LAST = r"\b(?:derniere?s?|finale?s?|ultime)\b"
_LAST_SAID = r"\bderniere?s?\b"
_FIRST = r"\bpremiere?s?\b|\b1ere?\b"
_STAY = (
    r"\b(?:pendant|durant|au cours) (?:du |le |de l'|l'|la )?(?:sejour|hospitalisation|intervention|procedure)\b|"
    r"\bdu sejour\b|\b(?:per|post)-?\s?(?:operatoires?|procedure|interventionnel\w*)\b|\bhospitali(?:er|ere)s?\b|"
    r"\b(?:en|au|dans le) post-?\s?partum\b|"
    r"\bintra-?hospitali\w+|\bnosocomial\w*|\bpost-?op\b|\bper-?op\b"
)
#: Order matters: "la plus basse du séjour" is the lowest, "antithrombotique de sortie" the one at discharge.
_IN_LABEL: tuple[tuple[str, Policy], ...] = (
    (_HIGHEST, Policy.HIGHEST),
    (_LOWEST, Policy.LOWEST),
    (_DISCHARGE, Policy.AT_DISCHARGE),
    (_BEFORE, Policy.BEFORE),
    (_ADMISSION, Policy.AT_ADMISSION),
    (_FOLLOW_UP, Policy.AT_FOLLOW_UP),
    (_LAST, Policy.LAST),
    (_FIRST, Policy.FIRST),
    (_STAY, Policy.DURING_STAY),
)
#: What a note says of time counts where it opens the note; further on it often says which values to leave out.
#: "La technique finale" in a note settles a change on the way; it does not ask for the end of the record.
_IN_NOTE = tuple(
    (_LAST_SAID if policy is Policy.LAST else pattern, policy)
    for pattern, policy in _IN_LABEL
    if policy not in (Policy.BEFORE, Policy.AT_FOLLOW_UP)
)
#: "Si plusieurs ETT, la première": which of several values to keep, wherever the note says it.
_OF_SEVERAL = re.compile(
    r"\b(?:si|en cas de|quand|lorsque|parmi)\s(?:il y a |on a )?(?:plusieurs|multiples?|dosages repetes|repetition)"
    r"[^.;:]{0,40}?[,:=]?\s*(?:(?:prendre|retenir|saisir|noter|garder|coter|renseigner|choisir)\s)?"
    r"(?P<which>(?:la|le|les|l')\s?(?:valeur |dosage |mesure |score )?"
    r"(?:premiere?|derniere?|plus \w+|pire|maxim\w+|minim\w+))\b"
)
_NOTE_LEADS = re.compile(r"^[^.;(]*")
_NOTE_DENIES = re.compile(r"\b(?:jamais|pas|ni|sauf|hors|excepte|exclure|exclu\w*|quel\w* que)\b")
_IN_SECTION: tuple[tuple[str, Policy], ...] = (
    (r"\b(?:antecedents?|facteurs? de risque|comorbid\w*|etat anterieur|terrain|mode de vie|atcd|avant|"
     r"traitements? (?:habituel|anterieur|personnel|d'entree|a l'entree|au domicile)\w*)\b", Policy.BEFORE),
    (r"\b(?:complications?|evolution|suites|pendant|post-?op\w*|per-?op\w*)\b", Policy.DURING_STAY),
    (r"\b(?:sortie|devenir)\b", Policy.AT_DISCHARGE),
    (r"\b(?:suivi|consultation|dernieres nouvelles)\b", Policy.AT_FOLLOW_UP),
    (r"\b(?:entree|admission|arrivee|urgences|initiale?s?|accueil|inclusion|baseline)\b", Policy.AT_ADMISSION),
)  # fmt: skip
_WORDS_OF_TIME = re.compile(
    r"\b(?:avant|apres|depuis|pendant|durant)\s+(?:l'|la |le |les |son |sa |cet |cette |ce |d')?\w+|"
    + "|".join(pattern for pattern, policy in _IN_LABEL)
    + r"|\b(?:la|le|les)\s*$|\bdans les\b"
)


def moment_of(variable: Variable) -> tuple[Policy, float | None]:
    """The moment that a variable asks for, and its days after the admission where it names some."""
    label = fold(variable.label.replace(variable.unit, " ") if variable.unit else variable.label)
    label = label.partition("a defaut")[0]
    found = _numbered(label) or _worded(label, _IN_LABEL)
    several = _OF_SEVERAL.search(fold(variable.note))
    if several and (found is None or found[0] is Policy.DURING_STAY):
        found = _worded(several["which"], _IN_LABEL) or found
    if found:
        return _as_kind_asks(variable, found)
    lead = _NOTE_LEADS.match(fold(variable.note))
    if lead and not _NOTE_DENIES.search(lead[0]) and (in_note := _worded(lead[0], _IN_NOTE)):
        return in_note
    if variable.kind in _DATES:  # a date is its own moment, wherever the form puts it
        return Policy.ANY_TIME, None
    for place in (variable.section, variable.form):
        words = fold(place).replace("_", " ")
        if found := _numbered(words) or _worded(words, _IN_SECTION):
            return _as_kind_asks(variable, found)
    return _as_kind_asks(variable, (Policy.ANY_TIME, None))


def _as_kind_asks(variable: Variable, found: tuple[Policy, float | None]) -> tuple[Policy, float | None]:
    """Without a word of time, a number asked of a stay is its first one."""
    number = variable.kind in (VariableKind.INTEGER, VariableKind.NUMBER)
    if number and found[0] in (Policy.ANY_TIME, Policy.DURING_STAY):
        return Policy.FIRST, None
    return found


def _worded(text: str, table: tuple[tuple[str, Policy], ...]) -> tuple[Policy, float | None] | None:
    return next(((policy, None) for pattern, policy in table if re.search(pattern, text)), None)


def _numbered(text: str) -> tuple[Policy, float | None] | None:
    """ "à 6 mois", "M6", "à J3", "à 24 h": a number of days after the admission."""
    if _PAST_SPAN.search(text):
        return Policy.BEFORE, None
    for match in _LATER.finditer(text):
        if match[0].startswith(match["count"]) and (
            _NOT_LATER.search(text[: match.start()]) or text[match.end() :].strip(" )?:.")
        ):
            continue
        number = _IN_WORDS.get(match["count"]) or int(match["count"])
        return _after(number * _DAYS_PER[match["unit"][0]])
    for match in _CODED.finditer(text):
        days = float(match["day"] or match["count"]) * _DAYS_PER[match["unit"] or "j"]
        if days:
            return _after(days)
    if (hours := _HOURS.search(text)) and (count := float(hours[1] or hours[2])):
        return _after(count / 24)
    return None


def _after(days: float) -> tuple[Policy, float | None]:
    return (Policy.AT_FOLLOW_UP if days >= _FOLLOW_UP_DAYS else Policy.AT_DAY), days


def without_moment(folded: str) -> str:
    """A folded label without its words of time: what is asked for, whenever."""
    for pattern in (_PAST_SPAN, _LATER, _CODED, _HOURS, _WORDS_OF_TIME):
        folded = pattern.sub(" ", folded)
    return " ".join(folded.split())
