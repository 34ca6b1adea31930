"""What is searched for a variable: the words of its dictionary entry that a document may hold too."""

from __future__ import annotations

import re

from retriever.lexical import tokens
from schema.study import VariableHints
from schema.variable import Question, Variable

#: Words of the dictionary's own speech ("vide si non documenté", "AAAA-MM-JJ HH:MM", "une décimale") and answers
#: that fit any question ("Oui", "Autre"): no document says them where the answer is.
_DICTIONARY_SPEECH = frozenset(
    token
    for token in tokens(
        """oui autre autres précision précisé inconnu inconnue indéterminé documenté documentée documents document
        vide valeur écrit écrite explicite explicitement seulement sinon défaut compte comptent compter conclure
        conclusion permet citer jamais énumère énumération règle règles déduit déduire entier inférieur supérieur
        arrondi arrondie décimale variable champ coder codé code saisir renseigner noter aaaa mm jj hh ss date heure
        type nombre total index non inclus pris retenir tenir plus dit"""
    )
)
_CODE = re.compile(r"\d+")


def query_text(question: Question, hints: VariableHints | None = None) -> str:
    """The query for a question: its own words, or those of its variable.

    The label comes twice, so that it counts twice, then unit, section, choices' labels, annotation rule and the
    study's synonyms, the last three without the dictionary's own speech.
    """
    variable = question.variable
    if variable is None:
        return question.text
    synonyms = " ".join(hints.synonyms) if hints else ""
    return "\n".join((question.text, *_said(variable), synonyms)).strip()


def _said(variable: Variable) -> list[str]:
    choices = " ".join(choice.label for choice in variable.choices)
    return [variable.label, variable.label, variable.unit, variable.section, _content(choices), _content(variable.note)]


def _content(text: str) -> str:
    words = text.split()
    return " ".join(w for w in words if not all(t in _DICTIONARY_SPEECH or _CODE.fullmatch(t) for t in tokens(w)))
