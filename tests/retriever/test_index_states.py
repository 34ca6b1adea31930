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


STATES = dict(enumerate(np.random.default_rng(0).standard_normal((5, 8)).astype(np.float32), start=1))


def some(*numbers):
    return {number: STATES[number] for number in numbers}


def assert_same(found, expected):
    assert sorted(found) == sorted(expected)
    for number, state in expected.items():
        np.testing.assert_array_equal(found[number], state)


def test_nothing_was_put(index, timeline):
    assert index.states("gru", timeline) == index.states("gru", []) == {}
    index.put_states("gru", timeline, {})
    assert index.states("gru", timeline) == {}


def test_a_document_at_the_end_leaves_all_states_and_takes_one(index, timeline):
    index.put_states("gru", timeline[:4], some(1, 2, 3, 4))
    assert_same(index.states("gru", timeline), some(1, 2, 3, 4))
    index.put_states("gru", timeline, some(5))
    assert_same(index.states("gru", timeline), STATES)
    assert_same(index.states("gru", timeline[:2]), some(1, 2))


def test_the_last_state_alone_may_be_put(index, timeline):
    index.put_states("gru", timeline, some(5))
    assert_same(index.states("gru", timeline), some(5))


def test_a_document_inserted_leaves_the_states_before_it(index, timeline):
    index.put_states("gru", timeline[:2] + timeline[3:], some(1, 2, 3, 4))
    assert_same(index.states("gru", timeline), some(1, 2))


@pytest.mark.parametrize("change", [{"text": "Autre."}, {"type": "imagerie"}, {"written_on": None}, {"title": "CR"}])
def test_a_changed_document_leaves_the_states_before_it(index, timeline, change):
    index.put_states("gru", timeline, STATES)
    timeline[2] = replace(timeline[2], **change)
    assert_same(index.states("gru", timeline), some(1, 2))


def test_models_and_patients_are_kept_apart(index, timeline):
    others = [replace(document, patient_id="P2") for document in timeline]
    index.put_states("gru", timeline, STATES)
    index.put_states("lstm: 2 × 8", timeline, {5: np.ones(3, dtype=np.float32)})
    assert index.states("gru", others) == {}
    assert index.states("lstm: 2 × 8", timeline)[5].shape == (3,)
    assert_same(index.states("gru", timeline), STATES)


def test_the_state_after_a_deleted_document_is_forgotten(index, timeline):
    index.upsert(timeline)
    index.put_states("gru", timeline, STATES)
    index.delete("P1", "P1-04")
    assert_same(index.states("gru", timeline), some(1, 2, 3, 5))
    assert_same(index.states("gru", timeline[:3] + timeline[4:]), some(1, 2, 3))
