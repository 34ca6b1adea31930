"""States of a timeline: those before a change hold, those after it do not."""

from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from retriever.embed import HashedNgramEncoder
from retriever.index import DenseIndex


@pytest.fixture
def index():
    with closing(DenseIndex.in_memory(HashedNgramEncoder())) as made:
        yield made


@pytest.fixture
def timeline(document):
    return [document(f"Jour {i}.", name=f"P1-{i:02d}", date=f"2021-06-{i:02d}") for i in range(1, 6)]


STATES = np.random.default_rng(0).standard_normal((5, 8)).astype(np.float32)


def test_nothing_was_put(index, timeline):
    assert index.states("gru", timeline).shape == (0, 0)
    assert index.states("gru", []).shape == (0, 0)
    index.put_states("gru", timeline, np.zeros((0, 8), dtype=np.float32))
    assert index.states("gru", timeline).shape == (0, 0)


def test_a_document_at_the_end_leaves_all_states_and_takes_one(index, timeline):
    index.put_states("gru", timeline[:4], STATES[:4])
    np.testing.assert_array_equal(index.states("gru", timeline), STATES[:4])
    index.put_states("gru", timeline, STATES[4:])
    np.testing.assert_array_equal(index.states("gru", timeline), STATES)
    np.testing.assert_array_equal(index.states("gru", timeline[:2]), STATES[:2])


def test_a_document_inserted_leaves_the_states_before_it(index, timeline):
    index.put_states("gru", timeline[:2] + timeline[3:], STATES[:4])
    np.testing.assert_array_equal(index.states("gru", timeline), STATES[:2])


@pytest.mark.parametrize("change", [{"text": "Autre."}, {"type": "imagerie"}, {"written_on": None}, {"title": "CR"}])
def test_a_changed_document_leaves_the_states_before_it(index, timeline, change):
    index.put_states("gru", timeline, STATES)
    timeline[2] = replace(timeline[2], **change)
    np.testing.assert_array_equal(index.states("gru", timeline), STATES[:2])


def test_models_and_patients_are_kept_apart(index, timeline):
    others = [replace(document, patient_id="P2") for document in timeline]
    index.put_states("gru", timeline, STATES)
    index.put_states("lstm: 2 × 8", timeline, np.ones((5, 3), dtype=np.float32))
    assert index.states("gru", others).shape == (0, 0)
    assert index.states("lstm: 2 × 8", timeline).shape == (5, 3)
    np.testing.assert_array_equal(index.states("gru", timeline), STATES)


def test_a_deleted_document_leaves_the_states_before_it(index, timeline):
    index.upsert(timeline)
    index.put_states("gru", timeline, STATES)
    index.delete("P1", "P1-04")
    np.testing.assert_array_equal(index.states("gru", timeline), STATES[:3])
