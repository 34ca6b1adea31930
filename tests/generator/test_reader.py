"""The generator as a whole: one value per variable, restricted to passages where they are given, none lost."""

from __future__ import annotations

import pytest

from generator.rules import reader as rules
from generator.rules.reader import RulesGenerator
from rag.corpus.build import build_document
from retriever.passages import passages
from schema.document import PatientRecord, RawDocument
from schema.study import Study, VariableHints
from schema.value import Status
from schema.variable import Variable, VariableKind
from tests.generator.closed_questions import fill, radio, stroke_generator

HTA = radio("hta", "Hypertension artérielle", "0, Non | 1, Oui")
AGE = Variable("age", "Âge à l'admission (années)", VariableKind.INTEGER, unit="années")
NOTE = ("urgences", "2022-03-08", "Patient de 67 ans.\n\nATCD : HTA.")


def test_a_reader_that_breaks_costs_its_cell_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("Patient de 67 ans")

    monkeypatch.setitem(rules.READERS, "condition", broken)
    values = fill(RulesGenerator([HTA, AGE]), NOTE)
    assert values["age"].value == 67
    assert values["hta"].status is Status.FAILED
    assert values["hta"].explanation.startswith("RuntimeError at")
    assert "67" not in values["hta"].explanation


def test_only_the_passages_given_are_read() -> None:
    raw = RawDocument("P1", "P1-0", "ATCD : HTA.\n\nEXAMEN\nPatient de 67 ans, PA 150/80.", "2022-03-08", "urgences")
    document = build_document(raw, lambda _: None)
    parts = passages(document)
    assert len(parts) == 2
    generator = RulesGenerator([HTA, AGE])
    found = {
        v.variable: v for v in generator.fill(PatientRecord.of("P1", [document]), {"hta": parts[1:], "age": parts})
    }
    assert found["hta"].status is Status.NOT_MENTIONED
    assert found["age"].value == 67


def test_a_study_that_names_what_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no reader is named 'telepathy'"):
        RulesGenerator([HTA], Study(variables={"hta": VariableHints(reader="telepathy")}))
    with pytest.raises(ValueError, match="no concept 'ennui'"):
        RulesGenerator([HTA], Study(variables={"hta": VariableHints(concepts=("ennui",))}))


def test_the_same_documents_give_the_same_values() -> None:
    generator = stroke_generator()
    assert fill(generator, NOTE) == fill(generator, NOTE)
