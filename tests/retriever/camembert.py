"""A CamemBERT made on the spot: its architecture, its tokenizer, its files, random weights."""

import json
from collections.abc import Iterable
from pathlib import Path

#: What the pieces of the test tokenizer are learnt from.
FRENCH = (
    "Thrombolyse par ténectéplase à 12h05, thrombectomie non indiquée.",
    "Pas de diabète. Hypertension artérielle traitée par bisoprolol 2,5 mg le matin.",
    "NIHSS à 14 à l'arrivée, aphasie et hémiplégie droite d'apparition brutale.",
    "Vu à trois mois en consultation : Rankin à 1, pas de récidive.",
)


def make_camembert(folder: Path, *, layers: int, width: int) -> None:
    """Write config.json, model.safetensors, sentencepiece.bpe.model and tokenizer.json, in the shapes of CamemBERT."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import CamembertConfig, CamembertForMaskedLM, CamembertTokenizer

    learnt = Tokenizer(models.Unigram())
    learnt.pre_tokenizer = pre_tokenizers.Metaspace()
    learnt.train_from_iterator(
        FRENCH, trainers.UnigramTrainer(vocab_size=200, unk_token="<unk>", special_tokens=["<unk>"])
    )
    pieces = [(piece, score) for piece, score in _unigrams(learnt) if piece != "<unk>"]
    vocabulary = [
        *((name, 0.0) for name in ("<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED", "<s>", "</s>")),
        *pieces,
        ("<mask>", 0.0),
    ]
    tokenizer = CamembertTokenizer(vocab=vocabulary, model_max_length=512)
    tokenizer.save_pretrained(folder)
    _write_sentencepiece(folder / "sentencepiece.bpe.model", pieces)
    torch.manual_seed(0)
    config = CamembertConfig(
        vocab_size=len(vocabulary),
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=width // 64,
        intermediate_size=4 * width,
        max_position_embeddings=514,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        pad_token_id=1,
        bos_token_id=5,
        eos_token_id=6,
    )
    CamembertForMaskedLM(config).save_pretrained(folder)


def _unigrams(tokenizer: object) -> list[tuple[str, float]]:
    vocabulary = json.loads(tokenizer.to_str())["model"]["vocab"]  # type: ignore[attr-defined]
    return [(piece, score) for piece, score in vocabulary]


def _write_sentencepiece(path: Path, pieces: Iterable[tuple[str, float]]) -> None:
    """The same pieces in SentencePiece's own file, numbered as it numbers them."""
    from transformers.utils import sentencepiece_model_pb2_new as sentencepiece

    model = sentencepiece.ModelProto()
    for piece, score, kind in [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("</s>", 0.0, 3), *((p, s, 1) for p, s in pieces)]:
        model.pieces.add(piece=piece, score=score, type=kind)
    model.trainer_spec.model_type = 1  # unigram
    path.write_bytes(model.SerializeToString())
