"""Solved questions teach the task and leak no answer."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.llm.answer import Answer, AnswerStatus, Quote, answer_text, dates_in, parse_answers, value_of
from generator.llm.examples import NUMBER, Example, choose_examples, load_examples, shipped_examples
from generator.llm.reader import LlmGenerator
from generator.llm.settings import LlmSettings
from rag.corpus.build import build_document
from schema.document import RawDocument, Span
from schema.passage import Passage
from schema.problem import Problem
from schema.study import Study
from schema.variable import Choice, Variable, VariableKind
from tests.llm.scripted import DIABETES, WEIGHT, ScriptedEngine, record

EXAMPLES = shipped_examples()


def _passage(text: str, patient: str = "P1") -> Passage:
    return Passage(patient, Span("d1", 0, len(text)), text, "crh", None)


def _example(name: str, value: str | None = "Oui", patient: str = "", text: str = "") -> Example:
    status = AnswerStatus.DOCUMENTED if value else AnswerStatus.SILENT
    variable = replace(DIABETES, name=name, label=f"Diabète {name}")
    return Example(variable, text or f"Passage {name}.", Answer(name, status, value), patient)


def test_there_are_examples_of_every_status_and_of_most_kinds() -> None:
    assert len(EXAMPLES) >= 40
    assert {example.answer.status for example in EXAMPLES} == set(AnswerStatus)
    assert len({example.variable.kind for example in EXAMPLES}) >= 9


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.variable.name for example in EXAMPLES])
def test_an_example_is_a_perfect_answer(example: Example) -> None:
    variable, answer = example.variable, example.answer
    assert parse_answers([variable], answer_text({variable.name: answer}))[variable.name] == answer
    assert all(quote.text in example.passage and quote.passage == NUMBER for quote in answer.quotes)
    document = build_document(RawDocument("E", "e", example.passage, "2087-11-21"), lambda _: None)
    if answer.status not in (AnswerStatus.SILENT, AnswerStatus.CONFLICTING):
        value_of(variable, answer, dates_in(document, 0, len(document.text)))


@pytest.mark.parametrize(
    ("label", "kind", "likely"),
    [
        ("Hémoglobine d'entrée (g/dL)", VariableKind.NUMBER, "Hémoglobine à l'admission (g/dL)"),
        ("Date de la biopsie hépatique", VariableKind.DATE, "Date de la biopsie rénale"),
        ("Score de Glasgow initial", VariableKind.INTEGER, "Score de Glasgow à l'arrivée"),
        ("Asthme connu", VariableKind.YESNO, "Asthme"),
    ],
)
def test_the_most_like_comes_last_just_before_the_question(label: str, kind: VariableKind, likely: str) -> None:
    chosen = choose_examples(Variable("x", label, kind), [], 3)
    assert len(chosen) == 3
    assert chosen[-1].variable.label == likely


@given(st.text(max_size=40), st.sampled_from(VariableKind), st.integers(2, 5))
def test_the_chosen_do_not_all_have_one_answer(label: str, kind: VariableKind, k: int) -> None:
    chosen = choose_examples(Variable("x", label, kind), [], k)
    assert len({example.says for example in chosen}) > 1
    assert len({example.variable.name for example in chosen}) == k


def test_one_answer_is_better_than_none() -> None:
    assert len(choose_examples(DIABETES, [], 2, [_example("a"), _example("b")])) == 2
    assert choose_examples(DIABETES, [], 0) == []


def test_no_example_of_the_same_patient() -> None:
    pool = [_example("a", patient="P1"), _example("b", patient="P2"), _example("c")]
    chosen = choose_examples(DIABETES, [_passage("Vu.")], 3, pool)
    assert {example.variable.name for example in chosen} == {"b", "c"}


def test_no_example_whose_words_stand_in_the_passages() -> None:
    copied = "diabète de type 2 découvert il y a dix ans traité par metformine"
    pool = [_example("a", text=f"Suivi. {copied.upper()} seule."), _example("b", text="Diabète de type 2.")]
    chosen = choose_examples(DIABETES, [_passage(f"Antécédents : {copied}, équilibré.")], 2, pool)
    assert [example.variable.name for example in chosen] == ["b"]


@pytest.mark.parametrize("variable", [DIABETES, WEIGHT], ids=["choice", "number"])
def test_an_answer_copied_from_an_example_fills_nothing(variable: Variable) -> None:
    for example in choose_examples(variable, [], 5):
        told = replace(example.answer, variable=variable.name, unit="" if variable.unit else None)
        told = replace(told, value="Oui" if variable is DIABETES else 71.5, status=AnswerStatus.DOCUMENTED)
        for number in (NUMBER, 1):
            quotes = tuple(Quote(number, quote.text) for quote in told.quotes) or (Quote(number, example.passage),)
            text = answer_text({variable.name: replace(told, quotes=quotes)})
            engine = ScriptedEngine(lambda _, text=text: text)
            value = LlmGenerator([variable], Study(), LlmSettings(), lambda engine=engine: engine).fill(record())[0]
            assert not value.status.fills
            assert not value.evidence


LINE = {
    "variable": {"name": "v", "label": "V", "kind": "yesno", "choices": [{"code": "1", "label": "Oui"}]},
    "passage": "HTA connue.",
    "answer": {"citations": ["HTA connue"], "raison": "", "statut": "documenté", "valeur": "Oui"},
    "patient_id": "P7",
}


def test_a_user_s_examples_are_read_and_bad_lines_are_named(tmp_path: Path) -> None:
    file = tmp_path / "exemples.jsonl"
    bad = LINE | {"answer": LINE["answer"] | {"statut": "sûr"}}  # type: ignore[operator]
    file.write_text("\n".join([json.dumps(LINE), "", "{", json.dumps(bad), json.dumps({})]), encoding="utf-8")
    problems: list[Problem] = []
    examples = load_examples(file, problems.append)
    assert [(example.patient_id, example.answer.value) for example in examples] == [("P7", "Oui")]
    assert examples[0].variable.choices == (Choice("1", "Oui"),)
    assert [problem.where.rpartition(" ")[2] for problem in problems] == ["3", "4", "5"]
    assert not any("HTA" in str(problem) for problem in problems)
