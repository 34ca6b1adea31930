from pathlib import Path

import numpy as np
import pytest

from retriever.embed import HashedNgramEncoder, SentenceTransformerEncoder

TEXTS = ["Thrombolyse par ténectéplase.", "Pas de diabète.", "NIHSS à 14."]


@pytest.fixture(scope="module")
def camembert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CamemBERT of 32 dimensions with random weights and a tokenizer trained on three sentences."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import CamembertConfig, CamembertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("models") / "tiny-camembert"
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator(
        TEXTS, trainers.UnigramTrainer(vocab_size=80, special_tokens=special, unk_token="<unk>")
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
        mask_token="<mask>",
        model_max_length=64,
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = CamembertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=80,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
    )
    CamembertModel(config).save_pretrained(folder)
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


def test_a_local_camembert_encodes(camembert):
    encoder = SentenceTransformerEncoder(camembert)
    vectors = encoder.encode(TEXTS)
    assert encoder.dimension == 32
    assert vectors.shape == (3, 32)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(encoder.encode(TEXTS[1:2])[0], vectors[1], atol=1e-5)
    assert encoder.encode([]).shape == (0, 32)


def test_other_weights_are_another_encoder(camembert, tmp_path):
    import shutil

    copy = shutil.copytree(camembert, tmp_path / camembert.name)
    name = SentenceTransformerEncoder(copy).name
    assert name == SentenceTransformerEncoder(camembert).name
    (copy / "README.md").write_text("retrained")
    assert SentenceTransformerEncoder(copy).name != name


def test_a_public_model_name_is_refused():
    with pytest.raises(ValueError, match="is not a folder"):
        SentenceTransformerEncoder(Path("almanach/camembert-bio-base"))
