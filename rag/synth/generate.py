"""Synthetic patients, one after the other: nothing of a patient is kept once it is given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rag.synth.config import SynthConfig
from rag.synth.dictionary import SynthVariable, variables
from rag.synth.extra_questions import extra_answers, extra_variables
from rag.synth.facts import Told
from rag.synth.table import Answer, answers
from rag.synth.write import SyntheticDocument, write_patient


@dataclass(frozen=True, slots=True)
class SyntheticPatient:
    """One patient: documents in order of time, the documented cells, and every telling of any fact."""

    patient_id: str
    documents: tuple[SyntheticDocument, ...]
    variables: tuple[SynthVariable, ...]
    answers: tuple[Answer, ...]
    told: tuple[Told, ...]

    def row(self) -> dict[str, str]:
        """The cells by variable name; what is not documented is left out."""
        return {answer.variable: answer.value for answer in self.answers}


def variables_of(config: SynthConfig) -> tuple[SynthVariable, ...]:
    """The variables of a cohort's dictionary."""
    return variables(config.vocabulary) + extra_variables(config.vocabulary, config.seed, config.extras)


def generate(config: SynthConfig) -> Iterator[SyntheticPatient]:
    """The patients of a cohort. Each depends on the seed and its number alone: more patients change no other."""
    asked = variables_of(config)
    for number in range(1, config.patients + 1):
        patient_id = f"S{number:0{max(3, len(str(config.patients)))}d}"
        life, documents, ledger, extras = write_patient(config, patient_id, f"{config.seed}/{number}")
        yield SyntheticPatient(
            patient_id=patient_id,
            documents=tuple(documents),
            variables=asked,
            answers=tuple(extra_answers(life, asked, ledger, extras, answers(life, asked, ledger))),
            told=tuple(ledger.told),
        )
