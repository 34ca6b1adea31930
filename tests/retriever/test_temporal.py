"""The temporal retriever: learned from targets alone, it tells apart what only the order of documents tells apart."""

import datetime as dt
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch

from retriever.embed import HashedNgramEncoder
from retriever.index import DenseIndex
from retriever.model import TemporalModel
from retriever.temporal import TemporalRetriever
from retriever.train import Progress, Trainer, TrainingPlan, default_config, loss_of
from schema.document import PatientRecord
from schema.problem import InputError
from schema.variable import Question
from tests.retriever.conftest import make_document
from tests.retriever.stays import ENTRY, LEAVING, SmallEncoder, answers, lesson, stay

ENCODER = SmallEncoder()
PATIENTS = range(40)
PLAN = TrainingPlan(epochs=12, patience=12, rounds=0, rate=1e-2)


def trainer(patients: range, plan: TrainingPlan = PLAN, **switches: object) -> Trainer:
    lessons = [lesson(stay(seed), ENCODER) for seed in patients]
    config = default_config(ENCODER.dimension, hidden=24, **switches)
    return Trainer(lessons[3:], lessons[:3], config, plan, ENCODER.encode)


@pytest.fixture(scope="module")
def model() -> TemporalModel:
    return trainer(PATIENTS).run(ENCODER.name)


@pytest.fixture
def index() -> Iterator[DenseIndex]:
    with closing(DenseIndex.in_memory(ENCODER)) as held:
        yield held


def found_by(
    model: TemporalModel, index: DenseIndex, seeds: range, as_of: dt.date | None = None
) -> list[tuple[int, int]]:
    """For each patient, the place in its timeline of the first document found for each question."""
    found = []
    for seed in seeds:
        record = stay(seed)
        index.upsert(record.documents)
        retriever = TemporalRetriever(record, index, model)
        order = [document.document_id for document in record.documents]
        asked = [Question(record.patient_id, variable, as_of=as_of) for variable in (ENTRY, LEAVING)]
        first, last = (order.index(retriever.retrieve(question, 1)[0].span.document_id) for question in asked)
        found.append((first, last))
    return found


def share_right(model: TemporalModel, index: DenseIndex) -> float:
    """The share of right answers, in patients never seen."""
    seeds = range(100, 125)
    pairs = zip(found_by(model, index, seeds), [answers(stay(seed)) for seed in seeds], strict=True)
    return float(np.mean([np.equal(one, right) for one, right in pairs]))


def test_what_came_before_tells_which_note_answers(model: TemporalModel, index: DenseIndex) -> None:
    assert share_right(model, index) >= 0.9


def test_without_recurrence_it_is_a_guess(index: DenseIndex) -> None:
    assert share_right(trainer(PATIENTS, use_recurrence=False).run(ENCODER.name), index) <= 0.7


def test_the_future_is_hidden(model: TemporalModel, index: DenseIndex) -> None:
    third = dt.date(2021, 6, 3)
    assert all(max(one) <= 2 for one in found_by(model, index, range(100, 110), as_of=third))


def test_a_saved_model_ranks_alike(model: TemporalModel, index: DenseIndex, tmp_path: Path) -> None:
    model.save(tmp_path)
    again = TemporalModel.load(tmp_path)
    again.save(tmp_path / "again")
    assert TemporalModel.load(tmp_path / "again").name == again.name
    assert found_by(again, index, range(100, 110)) == found_by(model, index, range(100, 110))


def test_scores_do_not_depend_on_who_else_is_in_the_index(model: TemporalModel, index: DenseIndex) -> None:
    record = stay(100)
    index.upsert(record.documents)
    asked = Question(record.patient_id, ENTRY)
    alone = TemporalRetriever(record, index, model).scores(asked)
    index.upsert(stay(101).documents)
    assert np.array_equal(TemporalRetriever(record, index, model).scores(asked), alone)


def test_a_killed_training_goes_on_to_the_same_end() -> None:
    plan = TrainingPlan(epochs=3, patience=3, rounds=1, rate=1e-2)
    states: list[dict[str, object]] = []
    whole = trainer(range(8), plan)

    def keep(_: Progress) -> None:
        states.append({key: torch.load(_bytes(value), weights_only=True) for key, value in whole.state().items()})

    expected = whole.run(ENCODER.name, keep)
    assert len(states) == 6
    for state in (states[1], states[4]):
        resumed = trainer(range(8), plan)
        resumed.restore(state)
        assert resumed.run(ENCODER.name).name == expected.name


def _bytes(value: object) -> object:
    import io

    stream = io.BytesIO()
    torch.save(value, stream)
    stream.seek(0)
    return stream


def test_the_loss_is_the_one_computed_by_hand() -> None:
    scores = torch.log(torch.tensor([[0.5, 0.3, 0.2]]))
    one, two = torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[1.0, 1.0, 0.0]])
    assert loss_of(scores, one, 1.0).item() == pytest.approx(-np.log(0.5))
    assert loss_of(scores, two, 1.0).item() == pytest.approx(-np.log(0.8))  # any of the bag
    assert loss_of(scores, two, 0.0).item() == pytest.approx(-(np.log(0.5) + np.log(0.3)) / 2)  # all of them


def test_a_model_of_another_encoder_is_refused(model: TemporalModel) -> None:
    with closing(DenseIndex.in_memory(HashedNgramEncoder())) as other, pytest.raises(InputError, match="small"):
        TemporalRetriever(stay(100), other, model)


@pytest.mark.parametrize("damage", ["nothing", "config", "weights", "measures"])
def test_a_folder_that_is_no_model_is_refused(model: TemporalModel, tmp_path: Path, damage: str) -> None:
    if damage != "nothing":
        model.save(tmp_path)
    if damage == "config":
        (tmp_path / "config.json").write_text("{", "utf-8")
    if damage == "weights":
        (tmp_path / "model.safetensors").write_bytes(b"no weights")
    if damage == "measures":
        config = (tmp_path / "config.json").read_text("utf-8")
        (tmp_path / "config.json").write_text(config.replace('"spelling"', '"smell"'), "utf-8")
    with pytest.raises(InputError, match="retriever train"):
        TemporalModel.load(tmp_path)


@pytest.mark.parametrize(
    "documents",
    [
        [make_document("NIHSS à 4.\n")],
        [make_document("NIHSS à 4.\n", name=f"D{i}") for i in range(3)],
        [make_document("NIHSS à 4.\n", name=f"D{i}", date=None) for i in range(3)],
        [make_document("", name="D0"), make_document("NIHSS à 4.\n", name="D1")],
    ],
    ids=["one document", "same day", "no dates", "an empty one"],
)
def test_odd_records_are_searched(model: TemporalModel, index: DenseIndex, documents: list) -> None:
    record = PatientRecord.of("P1", documents)
    index.upsert(record.documents)
    found = TemporalRetriever(record, index, model).retrieve(Question("P1", ENTRY), 10)
    assert [passage.rank for passage in found] == list(range(1, len(found) + 1))
    assert {passage.text for passage in found} == {"NIHSS à 4."}
    assert all(np.isfinite(passage.score) for passage in found)


def test_nothing_to_read_gives_nothing(model: TemporalModel, index: DenseIndex) -> None:
    record = PatientRecord.of("P1", [make_document("")])
    assert TemporalRetriever(record, index, model).retrieve(Question("P1", ENTRY)) == []
    hidden = PatientRecord.of("P1", [make_document("NIHSS à 4.\n")])
    asked = Question("P1", ENTRY, as_of=dt.date(2020, 1, 1))
    assert TemporalRetriever(hidden, index, model).retrieve(asked) == []


def test_a_question_about_another_patient_is_refused(model: TemporalModel, index: DenseIndex) -> None:
    with pytest.raises(ValueError, match="P9"):
        TemporalRetriever(stay(100), index, model).retrieve(Question("P9", ENTRY))
