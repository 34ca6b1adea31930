"""Main path of `retriever train`: documents and their table -> lessons -> the temporal model, in a folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from generator.rules.reader import RulesGenerator
from rag.checkpoint import drop_checkpoint, made_of, read_checkpoint, write_checkpoint, write_manifest
from rag.concepts import ConceptReader
from rag.corpus.build import build_document
from rag.corpus.read import read_documents
from rag.redcap.dictionary import read_dictionary
from rag.settings import load_study
from rag.supervision import Supervisor, read_rows
from rag.terminology.bundled import open_terminology
from rag.variable_words import words_of
from retriever.embed import Encoder
from retriever.model import TemporalModel
from retriever.score import ScorerConfig
from retriever.timeline import encode_timeline
from retriever.train import Lesson, Progress, Trainer, TrainingPlan
from schema.document import PatientRecord, RawDocument
from schema.problem import InputError, Problem
from schema.study import Study
from schema.variable import Question, Variable

Report = Callable[[Problem], None]
#: Fewer patients than this are all learned from.
_ENOUGH = 10


@dataclass(frozen=True, slots=True)
class CohortFiles:
    """A cohort to learn from: documents, dictionary and manual table; a study file where there is one."""

    documents: Path
    dictionary: Path
    table: Path
    study: Path | None = None


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """What to train, and on what.

    Args:
        cohorts: each with its own dictionary.
        out: folder of the model.
        start: a model to go on from, trained on the same encoder; None: a new one.
        held_out: share of the patients that say when to stop.
    """

    cohorts: tuple[CohortFiles, ...]
    out: Path
    encoder: Encoder
    config: ScorerConfig
    plan: TrainingPlan
    start: TemporalModel | None = None
    held_out: float = 0.15
    resume: bool = False
    progress: bool = False


def train_retriever(
    request: TrainRequest, on_problem: Report, on_epoch: Callable[[Progress], None] = lambda _: None
) -> TemporalModel:
    """Train a temporal model on tables and write it in ``request.out`` with its manifest.

    Raises:
        InputError: nothing can be learned, ``out`` holds something else, or the start is of another encoder.
    """
    if request.start and request.start.encoder_name != request.encoder.name:
        what = f"was trained on encoder {request.start.encoder_name!r}; this training uses {request.encoder.name!r}."
        raise InputError(Problem("--start", what, "Give that encoder, or start from nothing."))
    lessons = [lesson for i in range(len(request.cohorts)) for lesson in lessons_of(request, i, on_problem)]
    if not lessons:
        what = "no patient has both documents and a row of the table with values."
        raise InputError(Problem("--table", what, "Check that identifiers are the same in both."))
    return train_on(lessons, request, on_epoch)


def train_on(lessons: Sequence[Lesson], request: TrainRequest, on_epoch: Callable[[Progress], None]) -> TemporalModel:
    """Train on lessons; see `train_retriever`."""
    learned, held_out = _split(lessons, request.held_out, request.plan.seed)
    plan = {
        "training": asdict(request.plan),
        "scorer": request.config.to_dict(),
        "encoder": request.encoder.name,
        "start": request.start.name if request.start else "",
    }
    made = made_of(plan, [_digest(one) for one in learned], [_digest(one) for one in held_out])
    request.out.mkdir(parents=True, exist_ok=True)
    checkpoint = read_checkpoint(request.out, made, request.resume)
    trainer = Trainer(learned, held_out, request.config, request.plan, request.encoder.encode, request.start)
    if checkpoint:
        trainer.restore(checkpoint)
    history: list[dict[str, Any]] = list(checkpoint["history"]) if checkpoint else []

    def keep(progress: Progress) -> None:
        history.append(asdict(progress))
        write_checkpoint(request.out, {**trainer.state(), "made_of": made, "history": history})
        on_epoch(progress)

    trainer.run(request.encoder.name, keep).save(request.out)
    model = TemporalModel.load(request.out)  # as everyone will read it: weights are rounded when they are written
    write_manifest(request.out, {**made, "model": model.name, "epochs": history})
    drop_checkpoint(request.out)
    return model


def lessons_of(request: TrainRequest, place: int, on_problem: Report) -> Iterator[Lesson]:
    """What the patients of one cohort teach, one after the other."""
    files = request.cohorts[place]
    dictionary = read_dictionary(files.dictionary)
    for problem in dictionary.problems:
        on_problem(problem)
    study = load_study(files.study, dictionary.variables, on_problem)
    rows, problems = read_rows(files.table, dictionary)
    for problem in problems:
        on_problem(problem)
    by_patient: defaultdict[str, list[RawDocument]] = defaultdict(list)
    for raw in read_documents(files.documents, on_problem):
        by_patient[raw.patient_id].append(raw)
    teacher = Teacher(dictionary.variables, study, request.encoder)
    for patient, raws in tqdm(sorted(by_patient.items()), unit="patient", disable=not request.progress):
        if rows.get(patient):
            record = PatientRecord.of(patient, [build_document(raw, on_problem) for raw in raws])
            yield teacher.lesson(record, rows[patient], f"cohort {place}")


class Teacher:
    """Makes lessons of patients with a row. Built once with a dictionary."""

    def __init__(self, variables: Sequence[Variable], study: Study, encoder: Encoder) -> None:
        self._variables = variables
        self._hints = words_of(variables, study)
        self._encoder = encoder
        self._reader = ConceptReader(open_terminology())
        self._supervisor = Supervisor(variables, RulesGenerator(variables, study), study)
        self._concepts = self._reader.named_by(variables, study)

    def lesson(self, record: PatientRecord, row: Mapping[str, str], cohort: str) -> Lesson:
        """What one patient teaches by a row of coded values."""
        mentions = {document.document_id: self._reader.mentions(document) for document in record.documents}
        timeline = encode_timeline(record, lambda found: self._encoder.encode([p.text for p in found]), mentions)
        weights = self._supervisor.targets(record, timeline.passages, row, self._concepts)
        asked = [variable for variable in self._variables if variable.name in weights]
        return Lesson(
            cohort=cohort,
            timeline=timeline,
            questions=tuple(Question(record.patient_id, v, concepts=self._concepts[v.name]) for v in asked),
            targets=np.array([weights[v.name] for v in asked], dtype=np.float32).reshape(
                len(asked), len(timeline.passages)
            ),
            hints=tuple(self._hints[v.name] for v in asked),
        )


def _split(lessons: Sequence[Lesson], share: float, seed: int) -> tuple[list[Lesson], list[Lesson]]:
    """Patients to learn from and patients held out: none of fewer than ten, whose verdict would be chance."""
    held = round(share * len(lessons)) if len(lessons) >= _ENOUGH else 0
    order = np.random.default_rng(seed).permutation(len(lessons)).tolist()
    return [lessons[i] for i in sorted(order[held:])], [lessons[i] for i in sorted(order[:held])]


def _digest(lesson: Lesson) -> tuple[object, ...]:
    spans = tuple(passage.span for passage in lesson.timeline.passages)
    return lesson.cohort, lesson.timeline.patient_id, spans, lesson.targets.tobytes().hex()
