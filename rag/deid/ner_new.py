"""A small new CamemBERT with its own tokenizer, where no pre-trained encoder is at hand."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import CamembertConfig, CamembertForTokenClassification, PreTrainedTokenizerFast

from rag.deid.ner_encoder import Encoder
from rag.deid.ner_tags import TAGS

_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")  # their numbers are CamembertConfig's
_POSITIONS = 192 + 2
#: A word with the space before it, digits two by two, marks and line ends alone: layout and case are cues.
_CUT = Regex(r" ?\p{L}+| ?\p{N}{1,2}|\s| ?[^\s\p{L}\p{N}]")


def new_encoder(
    texts: Iterable[str], *, words: int = 6144, width: int = 128, layers: int = 3, heads: int = 4
) -> Encoder:
    """An untrained model of a few million weights or fewer, with a byte-level tokenizer learnt from ``texts``.

    Bytes are the last resort, so that any character of any name has a token.

    Args:
        texts: what the tokenizer is learnt from.
        words: size of the vocabulary, at most.
        width: size of the hidden vectors.
        layers: number of layers.
        heads: number of attention heads.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(_CUT, "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False, trim_offsets=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=words,
        special_tokens=list(_SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    names = dict(zip(("bos_token", "pad_token", "eos_token", "unk_token", "mask_token"), _SPECIAL, strict=True))
    names |= {"cls_token": names["bos_token"], "sep_token": names["eos_token"]}
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=_POSITIONS, **names)  # type: ignore[no-untyped-call]
    config = CamembertConfig(
        vocab_size=len(fast),
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=2 * width,
        max_position_embeddings=_POSITIONS + 2,
        type_vocab_size=1,
        hidden_dropout_prob=0.05,
        attention_probs_dropout_prob=0.0,
        id2label=dict(enumerate(TAGS)),
        label2id={tag: number for number, tag in enumerate(TAGS)},
    )
    return Encoder(CamembertForTokenClassification(config), fast)
