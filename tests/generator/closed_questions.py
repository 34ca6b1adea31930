"""Small records and dictionaries for the readers of closed questions."""

from __future__ import annotations

from pathlib import Path

import yaml

from generator.rules.reader import RulesGenerator
from rag.corpus.build import build_document
from rag.redcap.dictionary import read_dictionary
from schema.document import PatientRecord, RawDocument
from schema.study import Study
from schema.value import ExtractedValue
from schema.variable import Choice, Variable, VariableKind

STROKE = Path(__file__).parents[2] / "configs" / "studies" / "stroke"
Note = tuple[str, str, str]  # type, date, text


DAY, OUT, LATER = "2022-03-08", "2022-03-15", "2022-06-20"


def urgent(text: str) -> Note:
    return ("urgences", DAY, text)


def imaging(text: str) -> Note:
    return ("imagerie", DAY, text)


def angio(text: str) -> Note:
    return ("thrombectomie", DAY, text)


def surgery(text: str) -> Note:
    return ("bloc", DAY, text)


def summary(text: str) -> Note:
    return ("crh", OUT, f"Hospitalisation du 08/03/2022 au 15/03/2022.\n{text}")


def later(text: str) -> Note:
    return ("consultation", LATER, text)


def stroke_generator() -> RulesGenerator:
    study = Study.model_validate(yaml.safe_load((STROKE / "study.yml").read_text(encoding="utf-8")))
    return RulesGenerator(read_dictionary(STROKE / "dictionary.csv").variables, study)


def radio(name: str, label: str, choices: str, kind: VariableKind = VariableKind.CHOICE, note: str = "") -> Variable:
    """A variable from choices written as in a dictionary: "1, Oui | 0, Non"."""
    pairs = [tuple(part.strip() for part in choice.split(",", 1)) for choice in choices.split("|")]
    return Variable(name, label, kind, note=note, choices=tuple(Choice(code, text) for code, text in pairs))


def fill(generator: RulesGenerator, *notes: Note) -> dict[str, ExtractedValue]:
    """Every value of one patient."""
    documents = [
        build_document(RawDocument("P1", f"P1-{rank}", text, date=date, type=kind), lambda _: None)
        for rank, (kind, date, text) in enumerate(notes)
    ]
    return {value.variable: value for value in generator.fill(PatientRecord.of("P1", documents))}


def ask(variable: Variable, *notes: Note) -> ExtractedValue:
    """One value, without a study file."""
    return fill(RulesGenerator([variable]), *notes)[variable.name]


def control(text: str) -> Note:
    return ("imagerie", "2022-03-09", f"Scanner cérébral de contrôle à H24.\n{text}")


def lab(text: str) -> Note:
    return ("biologie", "2022-03-10", text)


def letter(text: str) -> Note:
    return ("courrier", "2021-01-15", text)


def samu(text: str) -> Note:
    return ("samu", DAY, text)


def stay(text: str) -> Note:
    return ("soins", "2022-03-11", text)


def visit(text: str) -> Note:
    return ("consultation", LATER, text)
