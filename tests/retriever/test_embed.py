import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from retriever.embed import SHIPPED, HashedNgramEncoder, SentenceTransformerEncoder, shipped_encoder
from retriever.vector_cache import CACHE_FILE, VectorCache, shared_cache, text_key
from schema.problem import InputError
from tests.retriever.camembert import make_camembert

TEXTS = ["Thrombolyse par ténectéplase.", "Pas de diabète.", "NIHSS à 14."]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "small-camembert"
    make_camembert(folder, layers=1, width=64)
    return folder


def test_hashed_vectors_have_norm_one_and_the_dimension_said():
    encoder = HashedNgramEncoder()
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (3, encoder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_hashed_vectors_are_the_same_from_one_encoder_to_the_next():
    np.testing.assert_array_equal(HashedNgramEncoder().encode(TEXTS), HashedNgramEncoder().encode(TEXTS))
    assert HashedNgramEncoder().name == HashedNgramEncoder().name


def test_hashed_vectors_find_a_misspelt_word():
    query, right, wrong = HashedNgramEncoder().encode(["thrombectomie", "trombectomie mécanique", "thermomètre cassé"])
    assert query @ right > 0.5 > query @ wrong


def test_a_text_without_words_is_the_zero_vector():
    encoder = HashedNgramEncoder()
    assert not encoder.encode(["", "…"]).any()
    assert encoder.encode([]).shape == (0, encoder.dimension)


def test_a_camembert_laid_out_as_on_the_hub_encodes(camembert_folder):
    encoder = SentenceTransformerEncoder(camembert_folder)
    vectors = encoder.encode(TEXTS)
    assert encoder.dimension == 768
    assert vectors.shape == (3, 768)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert encoder.name.startswith("camembert-2x768-")


def test_vectors_are_those_of_sentence_transformers(camembert_folder):
    from sentence_transformers import SentenceTransformer

    texts = [*TEXTS, "Hypertension artérielle traitée. " * 12]
    theirs = SentenceTransformer(str(camembert_folder), local_files_only=True)
    expected = theirs.encode(texts, normalize_embeddings=True)
    np.testing.assert_allclose(SentenceTransformerEncoder(camembert_folder).encode(texts), expected, atol=1e-5)


def test_the_vector_of_a_text_does_not_depend_on_its_company(small):
    together = SentenceTransformerEncoder(small).encode([*TEXTS, "récidive " * 60])
    shared_cache.cache_clear()
    alone = SentenceTransformerEncoder(small)
    for text, vector in zip(TEXTS, together, strict=False):
        np.testing.assert_allclose(alone.encode([text])[0], vector, atol=1e-5)


def test_nothing_of_a_long_text_is_cut(small):
    encoder = SentenceTransformerEncoder(small)
    start = "Pas de diabète. " * 300  # several windows of 512 pieces
    one, other = encoder.encode([start + "Thrombolyse.", start + "Thrombectomie."])
    assert not np.allclose(one, other, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm([one, other], axis=1), 1, atol=1e-6)


def test_blank_texts_are_zero_and_take_their_place(small):
    vectors = SentenceTransformerEncoder(small).encode(["", TEXTS[0], " \n"])
    assert not vectors[[0, 2]].any()
    assert vectors[1].any()
    assert SentenceTransformerEncoder(small).encode([]).shape == (0, 64)


def test_half_precision_is_another_encoder_with_nearly_the_same_vectors(small):
    full, half = SentenceTransformerEncoder(small), SentenceTransformerEncoder(small, dtype="bfloat16")
    assert full.name != half.name
    assert (full.encode(TEXTS) * half.encode(TEXTS)).sum(axis=1).min() > 0.99


def test_other_weights_are_another_encoder_and_another_folder_is_not(small, tmp_path):
    name = SentenceTransformerEncoder(small).name
    copy = shutil.copytree(small, tmp_path / "elsewhere")
    (copy / "README.md").write_text("a card")
    assert SentenceTransformerEncoder(copy).name == name
    make_camembert(copy, layers=2, width=64)
    assert SentenceTransformerEncoder(copy).name != name


def test_a_public_model_name_is_refused():
    with pytest.raises(ValueError, match="is not a folder"):
        SentenceTransformerEncoder(Path("almanach/camembert-bio-base"))


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_folder_without_an_encoder_is_refused_with_the_remedy(small, tmp_path, missing):
    broken = shutil.copytree(small, tmp_path / "broken")
    (broken / missing).unlink()
    with pytest.raises(InputError, match=r"cannot be loaded.*tokenizer\.json"):
        SentenceTransformerEncoder(broken)


def test_vectors_kept_in_a_folder_are_read_again_and_no_text_is(small, tmp_path):
    made = SentenceTransformerEncoder(small, cache=tmp_path / "kept").encode(TEXTS)
    shared_cache.cache_clear()  # as another process would start
    encoder = SentenceTransformerEncoder(small, cache=tmp_path / "kept")
    encoder._model = None  # type: ignore[assignment]  # cannot encode any more
    np.testing.assert_array_equal(encoder.encode(TEXTS), made)
    assert all(b"diab" not in file.read_bytes() for file in (tmp_path / "kept").iterdir())


def test_a_cache_gives_back_what_it_was_given(tmp_path):
    cache = VectorCache("one", tmp_path)
    vectors = {text_key(text): np.full(3, rank, np.float32) for rank, text in enumerate(TEXTS)}
    cache.put(vectors)
    for other in (cache, VectorCache("one", tmp_path)):
        found = other.get([*vectors, text_key("new")])
        assert found.keys() == vectors.keys()
        assert all(np.array_equal(found[key], vectors[key]) for key in vectors)
    assert VectorCache("two", tmp_path).get(vectors) == {}


@pytest.mark.parametrize("content", [b"not a database at all" * 300, b""])
def test_a_damaged_cache_is_made_again(tmp_path, content):
    (tmp_path / CACHE_FILE).write_bytes(content)
    cache = VectorCache("one", tmp_path)
    assert cache.get([text_key("a")]) == {}
    cache.put({text_key("a"): np.ones(2, np.float32)})
    assert VectorCache("one", tmp_path).get([text_key("a")])


def test_a_cache_that_another_process_holds_is_done_without(tmp_path, monkeypatch):
    monkeypatch.setattr("retriever.vector_cache._PATIENCE", 0.01)
    cache = VectorCache("one", tmp_path)
    with sqlite3.connect(tmp_path / CACHE_FILE) as other:
        other.execute("BEGIN IMMEDIATE")
        cache.put({text_key("a"): np.ones(2, np.float32)})
        assert cache.get([text_key("a")])
        other.rollback()


def test_a_full_memory_forgets_the_oldest(monkeypatch):
    monkeypatch.setattr("retriever.vector_cache._IN_MEMORY", 4 * 4 * 10)  # ten vectors of four numbers
    cache = VectorCache("one")
    keys = [text_key(str(number)) for number in range(30)]
    for key in keys:
        cache.put({key: np.ones(4, np.float32)})
    assert list(cache.get(keys)) == keys[-10:]


def test_the_shipped_encoder_is_small_and_always_the_same():
    files = [file for file in SHIPPED.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 12e6
    assert {"README.md", "manifest.json", "config.json", "tokenizer.json"} <= {file.name for file in files}
    first = shipped_encoder().encode(TEXTS)
    shared_cache.cache_clear()
    np.testing.assert_array_equal(SentenceTransformerEncoder(SHIPPED).encode(TEXTS), first)


@pytest.mark.parametrize(
    ("question", "right", "wrong"),
    [
        ("Hypertension artérielle", "ATCD : HTA sous amlodipine, appendicectomie.", "Marche seul, repas normaux."),
        ("Score NIHSS à l'admission", "A l'arrivee le score est cote a 12 (NIHSS).", "LDL 1,2 g/L, kaliémie 4,1."),
        ("Tabagisme", "Fumeur sevré depuis 2010, 30 PA.", "IRM : infarctus sylvien gauche récent."),
        ("Traitement anticoagulant au long cours", "Traitement : ELIQUIS 5 mg x2/j", "Vit seul, deux enfants."),
    ],
)
def test_the_shipped_encoder_knows_what_goes_with_what(question, right, wrong):
    asked, near, far = shipped_encoder().encode([question, right, wrong])
    assert asked @ near > asked @ far + 0.1
