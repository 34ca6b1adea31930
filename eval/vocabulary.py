"""Words and factors by which a disagreement is given a kind. Reviewable without reading code.

Words are lower case, without accents. French first; English because dictionaries mix both.
"""

from __future__ import annotations


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


#: A choice whose label starts with one of these says no.
NO_WORDS = _set(
    """non no aucun aucune absent absente absence jamais never pas sans without none faux false negatif negative"""
)

#: Relatives: a condition quoted beside one of these may be theirs and not the patient's.
KIN_WORDS = _set(
    """pere mere parent parents frere freres soeur soeurs fils fille oncle tante cousin cousine
    familial familiale familiaux familiales famille apparente apparentes father mother brother sister family"""
)

#: Words of a variable's name or label that say when it was measured; without them, what is left is the concept.
TIME_WORDS = _set(
    """admission entree arrivee initial initiale initiaux premier premiere dernier derniere debut fin final finale
    sortie avant apres pre post preop postop pendant lors suivi controle j jour jours jo d h heure heures mois m an ans
    annee semaine semaines s baseline discharge follow up followup day month year hour last first before after index
    hospitalisation sejour service visite consultation bilan"""
)

#: Words without meaning of their own in a label.
EMPTY_WORDS = _set("""a au aux de des du d en et l la le les un une the of at in on to an and""")

#: Number of the second unit in one of the first, and what they are. Used both ways.
CONVERSIONS: tuple[tuple[float, str], ...] = (
    (10, "a factor of 10 (g/dL and g/L, mm and cm, cmHg and mmHg)"),
    (100, "a factor of 100 (share and percent, cm and m)"),
    (1000, "a factor of 1,000 (g and mg, mg and µg)"),
    (1_000_000, "a factor of 1,000,000 (cells per L and per µL, g and µg)"),
    (5.55, "glucose in g/L and mmol/L"),
    (18.02, "glucose in mmol/L and mg/dL"),
    (2.586, "cholesterol in g/L and mmol/L"),
    (38.67, "cholesterol in mmol/L and mg/dL"),
    (88.57, "triglycerides in mmol/L and mg/dL"),
    (8.84, "creatinine in mg/L and µmol/L"),
    (88.4, "creatinine in mg/dL and µmol/L"),
    (16.65, "urea in g/L and mmol/L"),
    (5.95, "uric acid in mg/L and µmol/L"),
    (1.71, "bilirubin in mg/L and µmol/L"),
    (17.1, "bilirubin in mg/dL and µmol/L"),
    (7.5, "pressure in kPa and mmHg"),
    (60, "a factor of 60 (hours, minutes, seconds)"),
    (24, "a factor of 24 (days and hours)"),
    (7, "a factor of 7 (weeks and days)"),
    (12, "a factor of 12 (years and months)"),
)
