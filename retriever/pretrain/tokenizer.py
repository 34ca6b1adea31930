"""A small French tokenizer of CamemBERT's form: word pieces of a unigram model (Kudo 2018), learnt from texts."""

from __future__ import annotations

import json
from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")  # their numbers are CamembertConfig's
#: Digits two by two and signs alone: no piece is spent on a date or a dose, and "NIHSS:14" is "NIHSS : 14".
_APART = Regex(r"\p{N}{1,2}|[^\s\p{L}\p{N}]")
_LONGEST_PIECE = 16


def train_tokenizer(texts: Iterable[str], words: int, window: int) -> PreTrainedTokenizerFast:
    """Learn the pieces of texts. Case and accents are folded: hospital documents drop them anyhow.

    Args:
        texts: what the pieces are learnt from.
        words: size of the vocabulary, at most.
        window: pieces that the model will read at once, special ones included.
    """
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Split(_APART, "isolated"),
            pre_tokenizers.Metaspace(prepend_scheme="always"),
        ]
    )
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    trainer = trainers.UnigramTrainer(
        vocab_size=words,
        special_tokens=list(_SPECIAL),
        unk_token="<unk>",  # noqa: S106 (a piece, no password)
        max_piece_length=_LONGEST_PIECE,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.model = _ordered(tokenizer)
    begin, end = "<s>", "</s>"
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}",
        pair=f"{begin} $A {end} {end} $B {end}",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in (begin, end)],
    )
    names = dict(zip(("bos_token", "pad_token", "eos_token", "unk_token", "mask_token"), _SPECIAL, strict=True))
    names |= {"cls_token": begin, "sep_token": end}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=window, **names)  # type: ignore[no-untyped-call]


def _ordered(tokenizer: Tokenizer) -> models.Unigram:
    """The same pieces, numbered in an order that does not change from one training to the next.

    The trainer adds up in the order of a hash table: its last decimals, hence its order, are left to chance.
    """
    pieces: list[tuple[str, float]] = json.loads(tokenizer.to_str())["model"]["vocab"]
    rounded = sorted(((piece, round(score, 6)) for piece, score in pieces), key=lambda one: (-one[1], one[0]))
    special = [(piece, 0.0) for piece in _SPECIAL]
    return models.Unigram(
        [*special, *(one for one in rounded if one[0] not in _SPECIAL)], unk_id=_SPECIAL.index("<unk>")
    )
