from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retriever.embed import HashedNgramEncoder
from retriever.index import DenseIndex
from retriever.passages import passages
from tests.retriever.conftest import make_document

ENCODER = HashedNgramEncoder()


class OtherEncoder:
    name = "other"
    dimension = 3

    def encode(self, texts):
        return np.eye(3, dtype=np.float32)[[len(text) % 3 for text in texts]]


@pytest.fixture
def index():
    made = DenseIndex.in_memory(ENCODER)
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared_index():
    with closing(DenseIndex.in_memory(OtherEncoder())) as made:
        yield made


def test_vectors_come_in_the_order_asked(index, document):
    doc = document("# A\nAphasie brutale.\n# B\nPas de diabète.\n")
    assert index.upsert([doc]) == 2
    first, second = passages(doc)
    expected = ENCODER.encode([p.text for p in (second, first)])
    np.testing.assert_allclose(index.vectors("P1", [second, first]), expected, atol=1e-6)
    assert index.vectors("P1", []).shape == (0, ENCODER.dimension)


def test_an_unchanged_document_is_not_encoded_again(index, document):
    doc = document("Aphasie brutale.")
    assert index.upsert([doc]) == 1
    assert index.upsert([doc]) == 0
    assert index.upsert([replace(doc, type="imagerie")]) == 1


def test_a_changed_document_replaces_the_old_one(index, document):
    old = document("# A\nAphasie brutale.\n# B\nPas de diabète.\n")
    new = document("Fibrillation atriale.")
    index.upsert([old])
    index.upsert([new])
    np.testing.assert_allclose(index.vectors("P1", passages(new)), ENCODER.encode([new.text]), atol=1e-6)
    with pytest.raises(LookupError, match=r"P1-01.*call upsert"):
        index.vectors("P1", passages(old))


def test_vectors_of_a_text_that_has_changed_in_place_are_refused(index, document):
    index.upsert([document("NIHSS à 14.")])
    with pytest.raises(LookupError):
        index.vectors("P1", passages(document("NIHSS à 12.")))


def test_a_broken_character_does_not_stop_the_index(index, document):
    doc = document("Aphasie \ud800 brutale.")
    assert index.upsert([doc]) == 1
    assert index.vectors("P1", passages(doc)).shape == (1, ENCODER.dimension)


def test_delete_forgets_one_document_of_one_patient(index, document):
    mine, other = document("Aphasie."), document("Aphasie.", name="P1-02")
    neighbour = document("Aphasie.", patient="P2", name="P1-01")
    index.upsert([mine, other, neighbour])
    index.delete("P1", "P1-01")
    index.delete("P1", "never indexed")
    with pytest.raises(LookupError):
        index.vectors("P1", passages(mine))
    assert len(index.vectors("P1", passages(other))) == 1
    assert len(index.vectors("P2", passages(neighbour))) == 1


def test_a_patient_cannot_reach_the_vectors_of_another(index, document):
    doc = document("Aphasie.", patient="P2")
    index.upsert([doc])
    with pytest.raises(LookupError):
        index.vectors("P1", passages(doc))


def test_two_indexes_in_memory_share_nothing(index, document):
    doc = document("Aphasie.")
    index.upsert([doc])
    other = DenseIndex.in_memory(OtherEncoder())
    assert other.upsert([doc]) == 1
    assert other.vectors("P1", passages(doc)).shape == (1, 3)
    assert index.vectors("P1", passages(doc)).shape == (1, ENCODER.dimension)
    other.close()


def test_prune_forgets_what_is_not_named(index, document):
    stays, leaves = document("# A\nAphasie.\n# B\nNIHSS à 14."), document("# A\nFEVG.\n# B\nRankin.", name="P1-02")
    namesake = document("Aphasie.", patient="P2", name="P1-01")
    index.upsert([stays, leaves, namesake])
    index.put_states("gru", [stays, leaves], {1: np.ones(4), 2: np.zeros(4)})
    assert index.prune([("P1", "P1-01"), ("P3", "never indexed")]) == 3
    assert index.count() == 2
    assert len(index.vectors("P1", passages(stays))) == 2
    for gone in (leaves, namesake):
        with pytest.raises(LookupError):
            index.vectors(gone.patient_id, passages(gone))
    assert list(index.states("gru", [stays, leaves])) == [1]


def test_some_passages_of_a_document_may_be_asked(index, document):
    doc = document("".join(f"# Titre {i}\nPhrase numéro {i}.\n" for i in range(9)))
    index.upsert([doc])
    asked = [passages(doc)[i] for i in (7, 2, 7)]
    np.testing.assert_array_equal(index.vectors("P1", asked), ENCODER.encode([p.text for p in asked]))


def test_a_document_given_twice_is_held_once_and_namesakes_are_refused(index, document):
    doc = document("Aphasie.")
    assert index.upsert([doc, doc]) == 1
    with pytest.raises(ValueError, match=r"P1.*P1-01.*name"):
        index.upsert([doc, document("Pas d'aphasie.")])
    assert len(index.vectors("P1", passages(doc))) == 1


def test_same_day_and_undated_documents_are_kept_apart(index, document):
    texts = {"P1-01": "2021-06-14", "P1-02": "2021-06-14", "P1-03": None, "P1-04": None}
    documents = [document("Même texte.", name=name, date=date) for name, date in texts.items()]
    assert index.upsert(documents) == 4
    assert index.upsert(documents) == 0
    assert index.upsert([document("Même texte.", name="P1-03", date="2021-06-15")]) == 1
    assert index.count() == 4


def test_an_empty_document_holds_nothing_and_empties_what_was_held(index, document):
    assert index.upsert([document(" \n"), document("", name="P1-02")]) == 0
    index.upsert([document("Aphasie.")])
    assert index.upsert([document("")]) == 0
    assert index.count() == 0


def test_a_document_of_one_megabyte(document):
    calls = []

    class Fast(OtherEncoder):
        def encode(self, texts):
            calls.append(len(texts))
            return super().encode(texts)

    with closing(DenseIndex.in_memory(Fast())) as index:
        doc = document("".join(f"Phrase numéro {i} d'un très long compte rendu. " for i in range(21_000)))
        assert len(doc.text) > 1_000_000
        encoded = index.upsert([doc])
        assert encoded == len(passages(doc)) > 1000
        assert index.upsert([doc]) == 0
        assert index.vectors("P1", passages(doc)).shape == (encoded, 3)
        index.delete("P1", "P1-01")
        assert index.count() == 0


@given(
    st.lists(st.tuples(st.text(max_size=6), st.text(max_size=6)), min_size=1, max_size=8, unique=True),
    st.text(max_size=8),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_identifiers_may_hold_any_character(shared_index, names, kind):
    documents = [
        make_document(f"Texte {i}.", patient=patient, name=name, kind=kind) for i, (patient, name) in enumerate(names)
    ]
    shared_index.upsert(documents)
    for doc in documents:
        vectors = shared_index.vectors(doc.patient_id, passages(doc))
        np.testing.assert_array_equal(vectors, shared_index.encoder.encode([doc.text]))
    assert shared_index.upsert(documents) == 0
    assert shared_index.prune([]) == len(documents)


def test_identifiers_may_be_broken(index, document):
    doc = document("Aphasie.", patient="\ud800\x00", name="\udfff/../é\n", kind="\ud83d")
    assert index.upsert([doc]) == 1
    assert index.vectors(doc.patient_id, passages(doc)).shape == (1, ENCODER.dimension)
