"""A question in French -> the variables of the dictionary that it may mean."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rapidfuzz import fuzz

from retriever.lexical import tokens
from schema.study import Study
from schema.variable import Variable

#: Words that ask without saying what about.
_ASKING = frozenset(
    tokens(
        """quel quelle quels quelles combien quand comment pourquoi lequel laquelle patient patiente malade monsieur
        madame a-t-il a-t-elle est-ce était-il avait fait eu fut dit valeur connu connue présente souffre atteint"""
    )
)
#: What people say -> what dictionaries write. One line per idea; each word may stand for any other of its line.
_SAME_IDEA = [
    frozenset(tokens(line))
    for line in (
        "entrée arrivée admission initial",
        "sortie sorti sortait",
        "décès décédé décédée mort morte",
        "tabac tabagisme fume fumait fumeur fumeuse",
        "alcool alcoolisme boit éthylisme",
        "tension pression artérielle",
        "âge ans né née naissance",
        "opéré opérée opération intervention chirurgie",
        "traitement médicament médicaments prend prenait",
    )
]
_SAME_WORD = 80  # rapidfuzz ratio of two stems that are one word: "hypertendu" and "hypertens"
_UNDERSTOOD = 0.5  # share of the question's weight that the variable's own words must carry
_NEAR = 0.8  # other variables are named when they score at least this share of the best score
_MOST = 4


def match_question(question: str, variables: Sequence[Variable], study: Study) -> list[Variable]:
    """The variables that the question may mean, best first; none when it is about something else.

    A word weighs the more the fewer variables it names, so that "NIHSS" alone does not outweigh "sortie". Of two
    variables with the same words of the question, the one with fewer words of its own is the better.
    """
    asked = [token for token in dict.fromkeys(tokens(question)) if token not in _ASKING]
    if not asked:
        return []
    words = [_words(variable, study) for variable in variables]
    likeness = [[_likeness(token, own) for token in asked] for own in words]
    holders = [sum(row[i] > 0 for row in likeness) for i in range(len(asked))]
    weights = [math.log(1 + len(variables) / max(held, 1)) for held in holders]
    scores = [sum(weight * like for weight, like in zip(weights, row, strict=True)) / sum(weights) for row in likeness]
    ranked = sorted(range(len(variables)), key=lambda i: (-round(scores[i], 6), len(words[i]), i))
    best = scores[ranked[0]]
    if best < _UNDERSTOOD:
        return []
    return [variables[i] for i in ranked[:_MOST] if scores[i] >= _NEAR * best]


def _words(variable: Variable, study: Study) -> frozenset[str]:
    hints = study.variables.get(variable.name)
    synonyms = " ".join(hints.synonyms) if hints else ""
    return frozenset(tokens(f"{variable.name.replace('_', ' ')} {variable.label} {synonyms}"))


def _likeness(token: str, words: frozenset[str]) -> float:
    """How well one of the words renders the token: 0 (not at all) to 1 (the same)."""
    if token in words or any(token in idea and not words.isdisjoint(idea) for idea in _SAME_IDEA):
        return 1.0
    best = max((fuzz.ratio(token, word) for word in words if min(len(token), len(word)) > 3), default=0.0)
    return best / 100 if best >= _SAME_WORD else 0.0
