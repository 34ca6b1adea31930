"""From variables and passages to the messages that ask for them, by template files.

A patient's passages come first and the variables last, so that the questions of one patient share their beginning and
the server computes it once (prefix caching).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from generator.llm.answer_form import answer_text, choice_labels
from generator.llm.engine import Message
from generator.llm.examples import NUMBER, Example
from generator.llm.shield import shield, shield_line
from generator.llm.style import TEMPLATES, Style, open_style
from schema.passage import Passage
from schema.variable import Variable, VariableKind

__all__ = ["TEMPLATES", "PromptStyle", "kind_in_words", "messages_for", "repair"]

_KINDS = {
    VariableKind.INTEGER: "nombre entier",
    VariableKind.NUMBER: "nombre",
    VariableKind.DATE: "date (AAAA-MM-JJ)",
    VariableKind.DATETIME: "date et heure (AAAA-MM-JJ HH:MM)",
    VariableKind.TIME: "heure (HH:MM)",
    VariableKind.CHOICE: "un seul choix",
    VariableKind.YESNO: "oui ou non",
    VariableKind.TRUEFALSE: "vrai ou faux",
    VariableKind.CHECKBOX: "un ou plusieurs choix",
    VariableKind.EMAIL: "adresse électronique",
    VariableKind.PHONE: "numéro de téléphone",
    VariableKind.ZIPCODE: "code postal",
}


@dataclass(frozen=True, slots=True)
class PromptStyle:
    """A folder with ``system.j2``, ``record.j2`` and ``question.j2``: one of `TEMPLATES`, or the user's own.

    It may hold ``repair.j2`` and ``arbitrate.j2``, else those of the full style are used, and ``style.yml``
    (`generator.llm.style.StyleSettings`).

    Raises:
        InputError: a template is missing or faulty; names the file and the line.
    """

    folder: Path

    def __post_init__(self) -> None:
        open_style(self.folder)

    @property
    def reason(self) -> bool:
        """Whether answers are in the full form, as `generator.llm.answer.answer_schema` means it."""
        return self.opened.settings.reason

    @property
    def examples(self) -> int:
        """Solved questions that the style shows before each question."""
        return self.opened.settings.examples

    @property
    def opened(self) -> Style:
        """The templates, read."""
        return open_style(self.folder)

    def system(self) -> str:
        """The task, the same for every question."""
        return self.opened.render("system.j2")

    def record(self, passages: Sequence[Passage]) -> str:
        """What a patient's questions share: the passages, numbered from 1 in the order given.

        Their text is shown as it is written, but for what could be taken for a mark (`generator.llm.shield`).
        """
        shown = [
            {
                "number": number,
                "date": str(passage.written_on or "sans date"),
                "document": shield_line(passage.span.document_id),
                "type": shield_line(passage.document_type),
                "section": shield_line(passage.section),
                "text": self.shown(passage.text.strip()),
                "concepts": shield_line(passage.concept_line()),
            }
            for number, passage in enumerate(passages, start=1)
        ]
        return self.opened.render("record.j2", passages=shown)

    def question(
        self,
        variables: Sequence[Variable],
        first: Mapping[str, Sequence[int]] | None = None,
        examples: Sequence[Example] = (),
    ) -> str:
        """The variables asked for; ``first`` gives, by variable name, the numbers of the passages to read first."""
        asked = [
            {**variable_in_words(variable), "passages": ", ".join(map(str, (first or {}).get(variable.name, ())))}
            for variable in variables
        ]
        solved = [self._solved(example, in_group=len(variables) > 1) for example in examples]
        return self.opened.render("question.j2", variables=asked, examples=solved)

    def shown(self, text: str) -> str:
        """Text of a document as the prompt shows it, one character for one."""
        return shield(text, self.opened.openers)

    def _solved(self, example: Example, in_group: bool) -> dict[str, str]:
        answer = answer_text({example.variable.name: example.answer}, self.reason)
        return {
            **variable_in_words(example.variable),
            "number": str(NUMBER),
            "passage": self.shown(example.passage),
            "answer": f"{{{json.dumps(example.variable.name)}:{answer}}}" if in_group else answer,
        }


def messages_for(
    style: PromptStyle,
    passages: Sequence[Passage],
    variables: Sequence[Variable],
    first: Mapping[str, Sequence[int]] | None = None,
    examples: Sequence[Example] = (),
) -> tuple[Message, ...]:
    """The messages that ask for ``variables``; those of one patient share all that comes before the question."""
    user = style.record(passages) + style.question(variables, first, examples)
    return (Message("system", style.system().strip()), Message("user", user.strip()))


def repair(style: PromptStyle, previous: str, reasons: Sequence[str]) -> tuple[Message, Message]:
    """What follows the question when its answer cannot be used: that answer, then what is wrong with it.

    Args:
        previous: the answer as the model gave it.
        reasons: as `generator.llm.answer.Malformed` says them.
    """
    told = style.opened.render("repair.j2", reasons=list(dict.fromkeys(reasons)))
    return Message("assistant", previous), Message("user", told.strip())


def variable_in_words(variable: Variable) -> dict[str, str]:
    """What a template shows of a variable: name, label, kind, choices as they must be copied, annotation rule."""
    return {
        "name": variable.name,
        "label": variable.label,
        "kind": kind_in_words(variable),
        "choices": " | ".join(json.dumps(label, ensure_ascii=False) for label in choice_labels(variable)),
        "note": variable.note,
    }


def kind_in_words(variable: Variable) -> str:
    """The kind of a variable's value as a prompt says it: "nombre entier, de 0 à 42, en mmol/L"."""
    words = [_KINDS.get(variable.kind, "texte court")]
    if variable.minimum is not None and variable.maximum is not None:
        words.append(f"de {variable.minimum} à {variable.maximum}")
    if variable.unit:
        words.append(f"en {variable.unit}")
    return ", ".join(words)
