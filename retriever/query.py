"""What is searched for a variable: what its dictionary entry says of it, in the words a document may use too."""

from __future__ import annotations

from schema.study import VariableHints
from schema.variable import Question


def query_text(question: Question, hints: VariableHints | None = None) -> str:
    """The query for a question: its own words, then those of its variable.

    The label comes twice, so that it counts twice; then unit, section, choices' labels, annotation rule and the
    study's synonyms. All of the rule is kept: leaving out the words of coding ("vide si…") finds no more evidence
    (docs/retrieval.md).
    """
    parts = [question.text]
    if question.variable is not None:
        variable = question.variable
        choices = (choice.label for choice in variable.choices)
        parts += [variable.label, variable.label, variable.unit, variable.section, *choices, variable.note]
    if hints is not None:
        parts += hints.synonyms
    return "\n".join(part for part in parts if part)
