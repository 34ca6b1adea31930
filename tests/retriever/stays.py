"""Fictitious stays in which the same words are said many times: only what came before tells which ones answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retriever.embed import HashedNgramEncoder, Vectors
from retriever.timeline import encode_timeline
from retriever.train import Lesson
from schema.document import PatientRecord
from schema.variable import Question, Variable, VariableKind
from tests.retriever.conftest import make_document

ENTRY = Variable("nihss_entree", "Premier score NIHSS", VariableKind.INTEGER)
LEAVING = Variable("nihss_sortie", "Dernier score NIHSS", VariableKind.INTEGER)
ASKED = (ENTRY, LEAVING)


class SmallEncoder:
    """Spelling in 48 numbers: an encoder that needs no weights."""

    name = "small"
    dimension = 48

    def __init__(self) -> None:
        self._pieces = HashedNgramEncoder()
        drawn = np.random.default_rng(0).normal(size=(self._pieces.dimension, self.dimension))
        self._projection = (drawn / self.dimension**0.5).astype(np.float32)

    def encode(self, texts: Sequence[str]) -> Vectors:
        projected = self._pieces.encode(texts) @ self._projection
        norms = np.linalg.norm(projected, axis=1, keepdims=True)
        vectors: Vectors = (projected / np.maximum(norms, 1e-9)).astype(np.float32)
        return vectors


def stay(seed: int) -> PatientRecord:
    """Notes that are alike but for their score: some before a stay, at least two in it, some after it.

    The arrival and the departure are documents of their own, without a score.
    """
    random = np.random.default_rng(seed)
    before, inside, after = (int(random.integers(least, most)) for least, most in ((0, 4), (2, 5), (0, 4)))
    notes = [_note(random) for _ in range(before + inside + after)]
    texts = [
        *notes[:before],
        "Arrivée aux urgences, installation.\n",
        *notes[before : before + inside],
        "Départ du service.\n",
        *notes[before + inside :],
    ]
    patient = f"P{seed}"
    return PatientRecord.of(
        patient,
        [
            make_document(text, patient=patient, name=f"{patient}-{day:02}", date=f"2021-06-{1 + day:02}", kind="note")
            for day, text in enumerate(texts)
        ],
    )


def answers(record: PatientRecord) -> tuple[int, int]:
    """The places of the notes that answer: the first one after the arrival, the last one before the departure."""
    texts = [document.text for document in record.documents]
    arrival = next(i for i, text in enumerate(texts) if text.startswith("Arrivée"))
    departure = next(i for i, text in enumerate(texts) if text.startswith("Départ"))
    return arrival + 1, departure - 1


def lesson(record: PatientRecord, encoder: SmallEncoder) -> Lesson:
    """Both questions, and the note that answers each."""
    timeline = encode_timeline(record, lambda found: encoder.encode([p.text for p in found]))
    targets = np.zeros((2, len(timeline.passages)), dtype=np.float32)
    for row, place in enumerate(answers(record)):
        targets[row, timeline.owner == place] = 1
    questions = tuple(Question(record.patient_id, variable) for variable in ASKED)
    return Lesson("stays", timeline, questions, targets, (None, None))


def _note(random: np.random.Generator) -> str:
    return f"Patient vu ce jour. NIHSS à {random.integers(0, 25)}. Apyrétique.\n"
