"""From variables and passages to the messages that ask for them, by template files.

A patient's passages come first and the variables last, so that the questions of one patient share their beginning and
the server computes it once (prefix caching).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from generator.llm.engine import Message
from schema.passage import Passage
from schema.variable import Variable, VariableKind

#: The styles of prompt that come with the program: folders of templates.
TEMPLATES = Path(__file__).with_name("templates")

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
}


@dataclass(frozen=True, slots=True)
class PromptStyle:
    """A folder with ``system.j2``, ``record.j2`` and ``question.j2``."""

    folder: Path

    def system(self) -> str:
        """The task, the same for every question."""
        return self._render("system.j2")

    def record(self, passages: Sequence[Passage]) -> str:
        """What a patient's questions share: the passages, numbered from 1 in the order given."""
        shown = [
            {
                "number": number,
                "date": str(passage.written_on or "sans date"),
                "document": passage.span.document_id,
                "type": passage.document_type,
                "section": passage.section,
                "text": passage.text.strip(),
                "concepts": "",
            }
            for number, passage in enumerate(passages, start=1)
        ]
        return self._render("record.j2", passages=shown)

    def question(self, variables: Sequence[Variable], first: Mapping[str, Sequence[int]] | None = None) -> str:
        """The variables asked for; ``first`` gives, by variable name, the numbers of the passages to read first."""
        asked = [
            {
                "name": variable.name,
                "label": variable.label,
                "kind": kind_in_words(variable),
                "choices": " ; ".join(choice.label for choice in variable.choices),
                "note": variable.note,
                "passages": ", ".join(map(str, (first or {}).get(variable.name, ()))),
            }
            for variable in variables
        ]
        return self._render("question.j2", variables=asked, examples=[])

    def _render(self, name: str, **given: object) -> str:
        return _environment(self.folder).get_template(name).render(given)


def messages_for(
    style: PromptStyle,
    passages: Sequence[Passage],
    variables: Sequence[Variable],
    first: Mapping[str, Sequence[int]] | None = None,
) -> tuple[Message, ...]:
    """The messages that ask for ``variables``; those of one patient share all that comes before the question."""
    user = style.record(passages) + style.question(variables, first)
    return (Message("system", style.system().strip()), Message("user", user.strip()))


def kind_in_words(variable: Variable) -> str:
    """The kind of a variable's value as a prompt says it: "nombre entier, de 0 à 42, en mmol/L"."""
    words = [_KINDS.get(variable.kind, "texte court")]
    if variable.minimum is not None and variable.maximum is not None:
        words.append(f"de {variable.minimum} à {variable.maximum}")
    if variable.unit:
        words.append(f"en {variable.unit}")
    return ", ".join(words)


@functools.cache
def _environment(folder: Path) -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 (plain text, no page)
        keep_trailing_newline=True,
    )
