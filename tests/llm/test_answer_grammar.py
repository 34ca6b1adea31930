"""The server's grammar compiler takes every schema, and the grammar takes every right answer."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from generator.llm.answer import Answer, AnswerStatus, Quote, answer_schema, answer_text, choice_labels
from generator.llm.arbitration import arbitration_schema
from generator.llm.launch import find_vllm
from schema.variable import Choice, Variable, VariableKind

_COMPILE = """
import json, sys, xgrammar
from xgrammar.testing import _is_grammar_accept_string as accepts
for line in sys.stdin:
    schema, texts = json.loads(line)
    grammar = xgrammar.Grammar.from_json_schema(schema, any_whitespace=False)
    print(json.dumps([accepts(grammar, text) for text in texts]))
"""
_VALUES = {
    VariableKind.INTEGER: 12,
    VariableKind.NUMBER: -1.25,
    VariableKind.DATE: "2021-06-14",
    VariableKind.DATETIME: "2021-06-14 09:30:15",
    VariableKind.TIME: "09:30:15",
}


def _variable(kind: VariableKind) -> Variable:
    listed = kind in (VariableKind.CHOICE, VariableKind.CHECKBOX)
    choices = (Choice("1", 'Oui, « "sûr" »'), Choice("2", "Non / \\ ?"), Choice("3", "é'à")) if listed else ()
    return Variable(kind.value, "x", kind, choices=choices, seconds=True)


def _answer(variable: Variable, reason: bool) -> Answer:
    labels = tuple(choice_labels(variable))
    value = (
        labels
        if variable.kind is VariableKind.CHECKBOX
        else labels[0]
        if labels
        else _VALUES.get(variable.kind, "à « b »")
    )
    unit = "g/L" if variable.unit else None
    return Answer(
        variable.name, AnswerStatus.DOCUMENTED, value, unit, (Quote(1, 'dit "oui" \\ à\nla ligne'),) * 3, "lu"
    )


@pytest.mark.server
def test_the_grammar_of_each_schema_takes_its_answers(vllm_there: None) -> None:
    variables = [_variable(kind) for kind in VariableKind]
    variables.append(replace(_variable(VariableKind.NUMBER), name="measured", unit="g/L"))
    asked = []
    for reason in (True, False):
        for variable in variables:
            answers = [
                _answer(variable, reason),
                Answer(variable.name, AnswerStatus.SILENT, None, "" if variable.unit else None),
            ]
            texts = [answer_text({variable.name: answer}, reason) for answer in answers]
            asked.append((answer_schema([variable], reason), texts))
        group = {variable.name: _answer(variable, reason) for variable in variables}
        asked.append((answer_schema(variables, reason), [answer_text(group, reason)]))
    asked.append((arbitration_schema(), ['{"citations":[],"raison":"","choix":"aucune"}']))
    # The compiler writes a blank after ":" and ",", as json.dumps does.
    spaced = [(schema, [json.dumps(json.loads(text), ensure_ascii=False) for text in texts]) for schema, texts in asked]
    lines = "\n".join(json.dumps(item) for item in spaced)
    command, _ = find_vllm()
    python = command[0] if "-m" in command else sys.executable
    done = subprocess.run([python, "-c", _COMPILE], input=lines, capture_output=True, text=True, check=True)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert told == [[True] * len(texts) for _, texts in asked]
