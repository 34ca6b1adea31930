"""The tagger, with a tiny real CamemBERT trained on the spot."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rag.deid.examples import Example
from rag.deid.ner import NerTagger
from rag.deid.ner_encoder import load_encoder, margin, set_threshold, windows
from rag.deid.ner_new import new_encoder
from rag.deid.ner_tags import TAGS
from rag.deid.synthetic.generate import generate
from rag.deid.training import TrainingPlan, entity_scores, train
from schema.phi import PhiEntity, PhiLabel
from schema.problem import InputError

HARD = "Vu le Dr Ångström-Éluard 🙂 à Bœrsch.\r\nMme Nguyễn Thị Mai, née le 03/11/1939, l’a appelé au 06 11 00 47 29."


def example(document_id, text, *spans):
    return Example(
        document_id, text, tuple(PhiEntity(text.index(s), text.index(s) + len(s), label) for s, label in spans)
    )


NAMED = example(
    "hard",
    HARD,
    ("Ångström-Éluard", PhiLabel.NOM),
    ("Bœrsch", PhiLabel.VILLE),
    ("Nguyễn", PhiLabel.NOM),
    ("Thị Mai", PhiLabel.PRENOM),
    ("03/11/1939", PhiLabel.DATE_NAISSANCE),
    ("06 11 00 47 29", PhiLabel.TEL),
)
NOBODY = "Patient calme, NIHSS 4, Babinski droit. "
LONG = example("long", NOBODY * 30 + "Appel de Mme Ångström-Éluard. " + NOBODY * 30, ("Ångström-Éluard", PhiLabel.NOM))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """An untrained model of 60,000 weights or so."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("tiny")
    texts = [HARD, LONG.text, *(made.text for made in generate(60, seed=1))]
    new_encoder(texts, words=700, width=48, layers=2, heads=4).save(folder)
    return folder


@pytest.fixture(scope="session")
def trained(tiny, tmp_path_factory):
    """The tiny model, which has learnt two texts by heart."""
    out = tmp_path_factory.mktemp("trained") / "model"
    examples = [NAMED, LONG] * 6
    train(TrainingPlan(encoder=tiny, epochs=14, batch_size=4, learning_rate=5e-3, seed=3), examples, [NAMED, LONG], out)
    return out


def test_two_texts_are_learnt_by_heart(trained):
    assert entity_scores(NerTagger.load(trained), [NAMED, LONG]) == (1.0, 1.0, 1.0)


def test_positions_are_those_of_the_text_as_given(trained):
    """Accents of several code points, an emoji, CRLF, a curly apostrophe, and a text of several windows."""
    tagger = NerTagger.load(trained)
    for wanted, found in zip([NAMED, LONG], tagger.tag([NAMED.text, LONG.text]), strict=True):
        assert tuple(found) == wanted.entities


def wordpiece():
    """BERT's kind: no space belongs to a token, words are put in small letters, positions begin at 0."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
    from transformers import BertConfig, BertForTokenClassification, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokenizer.train_from_iterator([HARD, LONG.text], trainers.WordPieceTrainer(vocab_size=300, special_tokens=special))
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
    config = BertConfig(
        vocab_size=len(fast), hidden_size=48, num_hidden_layers=1, num_attention_heads=4, intermediate_size=96
    )
    return BertForTokenClassification(config), fast


def metaspace():
    """CamemBERT's own kind: pieces of words with a mark for the space before them."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import CamembertConfig, CamembertForTokenClassification, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")]
    )
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(vocab_size=200, special_tokens=special, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator([HARD, LONG.text], trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", cls_token="<s>", sep_token="</s>"
    )
    config = CamembertConfig(
        vocab_size=len(fast), hidden_size=48, num_hidden_layers=1, num_attention_heads=4, intermediate_size=96
    )
    return CamembertForTokenClassification(config), fast


@pytest.mark.parametrize("kind", [wordpiece, metaspace])
def test_encoders_of_every_kind_are_trained_and_keep_positions(kind, tmp_path):
    torch.manual_seed(0)
    for part in kind():
        part.save_pretrained(tmp_path / "encoder")
    plan = TrainingPlan(encoder=tmp_path / "encoder", epochs=30, batch_size=4, learning_rate=4e-3, seed=1)
    train(plan, [NAMED] * 8, [NAMED], tmp_path / "out")
    assert tuple(NerTagger.load(tmp_path / "out").tag([HARD])[0]) == NAMED.entities


def test_texts_do_not_depend_on_their_neighbours(trained):
    tagger = NerTagger.load(trained)
    texts = [made.text for made in generate(12, seed=8)] + [HARD, "", " \n\t", "\N{PILE OF POO}", LONG.text]
    together = tagger.tag(texts)
    assert together == [tagger.tag([text])[0] for text in texts]
    assert together[13:15] == [[], []]


def test_thresholds_leave_out_what_is_less_sure_and_are_saved(trained, tmp_path):
    encoder = load_encoder(trained)
    [scored] = NerTagger(encoder).score([HARD])
    weakest = min(scored, key=lambda one: one.score)
    set_threshold(encoder, weakest.score + 1e-6)
    encoder.save(tmp_path)
    assert NerTagger.load(tmp_path).tag([HARD])[0] == [one.entity for one in scored if one is not weakest]


def test_a_saved_model_finds_the_same(trained, tmp_path):
    """Weights are written in half precision: once they are, nothing changes any more."""
    encoder = load_encoder(trained)
    encoder.save(tmp_path)
    texts = [made.text for made in generate(15, seed=9)]
    assert NerTagger.load(tmp_path).tag(texts) == NerTagger(encoder).tag(texts)


def test_an_encoder_that_is_no_tagger_yet_gets_the_tags(tiny, tmp_path):
    from transformers import AutoTokenizer, CamembertForMaskedLM

    CamembertForMaskedLM(load_encoder(tiny).model.config).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(tiny).save_pretrained(tmp_path)
    assert load_encoder(tmp_path, TAGS).tags == list(TAGS)


def test_a_folder_that_holds_no_model_is_said(tmp_path, tiny):
    with pytest.raises(InputError, match=r"config\.json"):
        NerTagger.load(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match="cannot be loaded"):
        NerTagger.load(tmp_path)


def test_tags_of_another_scheme_are_said(tiny, tmp_path):
    encoder = load_encoder(tiny)
    encoder.model.config.id2label = dict(enumerate(["O", *(f"B-THING{n}" for n in range(len(TAGS) - 1))]))
    encoder.save(tmp_path)
    with pytest.raises(InputError, match="B-THING0"):
        NerTagger.load(tmp_path)


@given(st.integers(0, 2000), st.integers(16, 300))
def test_windows_cover_every_token_and_their_borders_lie_deep_in_another(length, size):
    spoken = []
    for start, end in windows(length, size):
        assert 0 < end - start <= size
        low = start + (margin(size) if start else 0)
        spoken += range(low, end - (margin(size) if end < length else 0))
    assert sorted(set(spoken)) == list(range(length))
