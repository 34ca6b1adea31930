"""What is searched for a variable: what its dictionary entry says of it, in the words a document may use too."""

from __future__ import annotations

from schema.study import VariableHints
from schema.variable import Question

#: The parts of a question that are compared apart with a passage, in the order of `facets`.
FACETS = ("label", "choices", "note", "synonyms")


def facets(question: Question, hints: VariableHints | None = None) -> tuple[str, ...]:
    """The question by parts, one text for each of `FACETS`; "" for a part it does not have.

    The label comes with its unit and section, the synonyms with the words of a free question.
    """
    variable = question.variable
    synonyms = [question.text, *(hints.synonyms if hints else ())]
    if variable is None:
        return question.text, "", "", question.text
    label = [variable.label, variable.unit, variable.section]
    choices = [choice.label for choice in variable.choices]
    return tuple("\n".join(part for part in parts if part) for parts in (label, choices, [variable.note], synonyms))


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
