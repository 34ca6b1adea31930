import json
from dataclasses import replace

import numpy as np
import pytest

from retriever.embed import HashedNgramEncoder
from retriever.index import MANIFEST, DenseIndex
from retriever.passages import passages

ENCODER = HashedNgramEncoder()


class OtherEncoder:
    name = "other"
    dimension = 3

    def encode(self, texts):
        return np.eye(3, dtype=np.float32)[[len(text) % 3 for text in texts]]


def unexpected(problem):
    raise AssertionError(str(problem))


@pytest.fixture
def index():
    made = DenseIndex.in_memory(ENCODER)
    yield made
    made.close()


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


def test_a_folder_keeps_the_vectors(tmp_path, document):
    doc = document("Aphasie brutale.")
    first = DenseIndex.in_folder(ENCODER, tmp_path / "index", unexpected)
    first.upsert([doc])
    first.close()
    again = DenseIndex.in_folder(ENCODER, tmp_path / "index", unexpected)
    assert again.upsert([doc]) == 0
    np.testing.assert_allclose(again.vectors("P1", passages(doc)), ENCODER.encode([doc.text]), atol=1e-6)
    again.close()


@pytest.mark.parametrize("damage", ["other encoder", "manifest removed", "manifest cut"])
def test_a_foreign_folder_is_rebuilt_and_said(tmp_path, document, damage):
    doc = document("Aphasie brutale.")
    first = DenseIndex.in_folder(ENCODER, tmp_path, unexpected)
    first.upsert([doc])
    first.close()
    encoder = ENCODER
    match damage:
        case "other encoder":
            encoder = OtherEncoder()
        case "manifest removed":
            (tmp_path / MANIFEST).unlink()
        case "manifest cut":
            (tmp_path / MANIFEST).write_text('{"encoder": ')
    said = []
    again = DenseIndex.in_folder(encoder, tmp_path, said.append)
    assert [problem.lost for problem in said] == [False]
    assert "rebuilt" in str(said[0])
    assert again.upsert([doc]) == 1
    again.close()
    assert json.loads((tmp_path / MANIFEST).read_text())["encoder"] == encoder.name
    DenseIndex.in_folder(encoder, tmp_path, unexpected).close()


def test_no_text_of_a_document_is_written(tmp_path, document):
    index = DenseIndex.in_folder(ENCODER, tmp_path, unexpected)
    index.upsert([document("Aphasie brutale.")])
    index.close()
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"P1-01" in written
    assert b"Aphasie" not in written
