"""The unit named in a label or a note. The vocabulary stands here, apart from the logic, for a clinician to review."""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Short symbols, read as written when alone: "(ms)" is a unit, "(MS)" is not. In a compound, case does not count.
SYMBOLS = _words("""
    kg mg µg ug mcg ng pg fg  dL cL mL µL uL nL fL dl cl ml µl ul fl  mol mmol µmol umol nmol pmol  Da kDa
    UI mUI kUI IU mIU mU kU UFC mEq meq mosm mOsm kat nkat µkat  km dm cm mm µm nm  cm² m² mm² cm³ mm³ m³
    ms sec min mn  mmHg cmH2O kPa hPa Pa bar bpm Hz kHz MHz rpm  °C °F  kcal kJ Gy mGy cGy mSv MBq GBq mCi
    mV µV kV mA dB kW % ‰ an ans mois log log10
""") | {"mm Hg", "cm H2O"}
#: Words, read in any case.
WORDS = _words("""
    seconde secondes minute minutes heure heures jour jours semaine semaines année années annee annees
    battements batt bat cycles copies copie unité unités unite unites gouttes comprimé comprimés cigarettes cigarette
    verres verre paquets-années paquets-annees paquets-année paquet-années paquet-année dioptries dioptrie points watts
    giga téra tera mmhg cmh2o log10
""")
#: Single letters, always as written: "g/j", "G/L" and "T/L" are units, "D/G" (right, left) is not.
LETTERS_ALONE = frozenset("ghjsmlL")
LETTERS_IN_COMPOUND = LETTERS_ALONE | frozenset("GTUJWdK")

_IN_COMPOUND = frozenset(word.casefold() for word in SYMBOLS | WORDS)
_LENGTHS = frozenset({"m", "dm", "cm", "mm", "µm"})
_DATE_PARTS = _words("j jour m mois an année annee h heure min mn minute s seconde")
_BAR = re.compile(r"\s*/\s*|\s*·\s*|\s+par\s+")
_EXPONENT = re.compile(r"(?<=[a-zA-Zµ])(?:\^?-?[1-3]|[⁻¹²³]+)$")
_POWER_OF_TEN = re.compile(r"[x×]?\s?10(?:\s?\^\s?|\*\*)?(?:[0-9]+|[⁰¹²³⁴⁵⁶⁷⁸⁹]+)\s?")
_FIGURE = re.compile(r"[0-9]+(?:[.,][0-9]+)?\s?")

_BRACKETS = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")
_LEAD = re.compile(r"(?:exprimée? )?en\s+|unités?\s*:\s*", re.IGNORECASE)
_SAID = re.compile(r"\b(?:en|unités?\s*:)\s+(\S+)(?:\s+(\S+))?", re.IGNORECASE)


def unit_of(text: str) -> str:
    """The unit as written: in brackets, after "en" or "unité :", or at the very end; "" when none is.

    "(scanner ou diffusion)" and "(J1)" are no units; "(années)", "(%)", "[10^9/L]", "(mmol/L, à jeun)" are.
    """
    for match in _BRACKETS.finditer(text):
        for part in re.split(r"\s*;\s*|,\s+", match[1] or match[2] or ""):
            candidate = _LEAD.sub("", part.strip(), count=1)
            if candidate.startswith("% "):  # "(% de la valeur théorique)"
                return "%"
            if is_unit(candidate):
                return candidate
    for match in _SAID.finditer(text):
        for candidate in (f"{match[1]} {match[2] or ''}", match[1]):
            if is_unit(candidate := candidate.strip(" .,;:()")):
                return candidate
    words = text.rstrip(" :?.").split()
    for candidate in (" ".join(words[-2:]), *words[-1:]):
        # Without any sign of it, a last word alone is part of the question: "Durée du suivi, mois".
        if ("/" in candidate or candidate in ("%", "mmHg", "mm Hg")) and is_unit(candidate):
            return candidate
    return ""


def is_unit(text: str) -> bool:
    """Whether the whole text is a unit: "mg", "kg/m²", "10^9/L", "mL/min/1,73 m²", "/mm3"."""
    first, *below = _BAR.split(text)
    if not below:
        return first in SYMBOLS | LETTERS_ALONE or first.casefold() in WORDS or _EXPONENT.sub("", first) in _LENGTHS
    if {first.casefold(), *map(str.casefold, below)} <= _DATE_PARTS:
        return False  # "(mois/année)" says how to write a date
    counted = _POWER_OF_TEN.sub("", first, count=1)
    return (not counted or _is_atom(counted)) and all(_is_atom(_FIGURE.sub("", part, count=1)) for part in below)


def _is_atom(text: str) -> bool:
    bare = _EXPONENT.sub("", text.replace("μ", "µ"))
    return any(form in LETTERS_IN_COMPOUND or form.casefold() in _IN_COMPOUND for form in (text, bare))
