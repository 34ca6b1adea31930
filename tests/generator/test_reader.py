"""The generator as a whole: one value per variable, restricted to passages where they are given, none lost."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from generator.rules import reader as rules
from generator.rules.reader import RulesGenerator
from rag.corpus.build import build_document
from rag.corpus.read import read_documents
from rag.redcap.dictionary import read_dictionary
from retriever.passages import passages
from schema.document import PatientRecord, RawDocument, Span
from schema.study import Study, VariableHints
from schema.value import Status
from schema.variable import Variable, VariableKind
from tests.generator.closed_questions import fill, radio, stroke_generator

HTA = radio("hta", "Hypertension artérielle", "0, Non | 1, Oui")
AGE = Variable("age", "Âge à l'admission (années)", VariableKind.INTEGER, unit="années")
SAMPLE = Path(__file__).parents[2] / "configs" / "studies" / "stroke" / "sample"
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


def test_nothing_is_read_outside_the_passages() -> None:
    """Each passage of a whole record alone: what is quoted touches it, since its context may stand around."""
    generator = stroke_generator()
    variables = [variable.name for variable in read_dictionary(SAMPLE.parent / "dictionary.csv").variables]
    raws = read_documents(SAMPLE / "documents.jsonl", lambda _: None)
    record = PatientRecord.of("S01", [build_document(raw, print) for raw in raws if raw.patient_id == "S01"])
    quoted = 0
    for document in record.documents:
        for passage in passages(document):
            given = document.locate(passage.span.start, passage.span.end)
            for value in generator.fill(record, {name: [passage] for name in variables}):
                for quote in value.evidence:
                    assert quote.document_id == given.document_id, value.variable
                    assert quote.start < given.end, value.variable
                    assert quote.end > given.start, value.variable
                    quoted += 1
    assert quoted > 50


def test_a_list_that_is_not_read_to_its_end_denies_nothing() -> None:
    note = "0 si un document énumère les antécédents sans le citer"
    variable = dataclasses.replace(HTA, note=note)
    others = ", ".join(f"fracture du doigt numéro {i} en {1950 + i}" for i in range(40))
    raw = RawDocument("P1", "P1-0", f"ANTÉCÉDENTS\n{others}.\nHTA.", "2022-03-08", "urgences")
    document = build_document(raw, lambda _: None)
    record, parts = PatientRecord.of("P1", [document]), passages(document)
    assert len(parts) > 1
    generator = RulesGenerator([variable])
    (whole,) = generator.fill(record, {"hta": parts})
    (beginning,) = generator.fill(record, {"hta": parts[:1]})
    assert (whole.value, beginning.status) == ("1", Status.NOT_MENTIONED)


def test_what_stands_around_a_passage_says_how_it_is_meant() -> None:
    raw = RawDocument("P1", "P1-0", "Père : HTA ; lui-même n'a jamais eu d'HTA.", "2022-03-08", "urgences")
    document = build_document(raw, lambda _: None)
    start = document.text.rindex("HTA")
    (part,) = passages(document)
    named = dataclasses.replace(part, span=Span(document.document_id, start, start + 3), text="HTA")
    (value,) = RulesGenerator([HTA]).fill(PatientRecord.of("P1", [document]), {"hta": [named]})
    assert value.status is not Status.FOUND


def test_a_study_that_names_what_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no reader is named 'telepathy'"):
        RulesGenerator([HTA], Study(variables={"hta": VariableHints(reader="telepathy")}))
    with pytest.raises(ValueError, match="no concept 'ennui'"):
        RulesGenerator([HTA], Study(variables={"hta": VariableHints(concepts=("ennui",))}))


def test_the_same_documents_give_the_same_values() -> None:
    generator = stroke_generator()
    assert fill(generator, NOTE) == fill(generator, NOTE)
