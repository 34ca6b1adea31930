"""The re-ranker, with a tiny real BERT trained on the spot, and the linking of names by themselves."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from rag.brat import read_brat
from rag.checkpoint import MANIFEST
from rag.cli import main
from rag.terminology.build import build_terminology
from rag.terminology.index import StoredIndex
from rag.terminology.linker import Normalizer
from rag.terminology.linking import ConceptLinker
from rag.terminology.loaders.table import TableSource
from rag.terminology.rerank import Pair, Reranker, described, in_context
from rag.terminology.rerank_training import (
    RerankPlan,
    accuracy,
    choices,
    hold_out,
    train_reranker,
)
from rag.terminology.similar import SimilarNames
from schema.problem import InputError
from tests.terminology.conftest import no_problem

TABLE = """\
code;term;synonyms;semantic_type;preferred
C1;infarctus du myocarde;IM|nécrose myocardique;disorder;1
C2;insuffisance mitrale;IM|fuite mitrale;disorder;1
C3;fibrillation auriculaire;FA;disorder;1
C4;ferritine;;observable;1
C5;fibrillation ventriculaire;FV;disorder;1
C6;facteur V;FV;observable;1
"""

#: "IM" is what the word before it makes of it.
HEART = [
    f"{sign} depuis {hours} h : IM constitué."
    for sign in ("Douleur", "Troponine", "Sus-décalage")
    for hours in (1, 2, 3)
]
VALVE = [f"{sign} de grade {grade} : IM connue." for sign in ("Souffle", "Prolapsus", "Valve") for grade in (1, 2, 3)]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoredIndex]:
    folder = tmp_path_factory.mktemp("heart")
    (folder / "heart.csv").write_text(TABLE, encoding="utf-8")
    build_terminology([TableSource(folder / "heart.csv")], folder / "heart.terms", no_problem)
    opened = StoredIndex.open(folder / "heart.terms")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def annotated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("annotated")
    for code, sentences in (("C1", HEART), ("C2", VALVE)):
        for number, sentence in enumerate(sentences):
            start = sentence.index("IM")
            (folder / f"{code}_{number}.txt").write_text(sentence, encoding="utf-8")
            lines = [f"T1\tDISO {start} {start + 2}\tIM", f"#1\tAnnotatorNotes T1\t{code}"]
            (folder / f"{code}_{number}.ann").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of one small layer, with its own vocabulary."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    texts = [*HEART, *VALVE, TABLE]
    tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=400, special_tokens=special))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(fast),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    folder = tmp_path_factory.mktemp("encoder")
    BertModel(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


def plan(encoder: Path, epochs: int) -> RerankPlan:
    return RerankPlan(encoder=encoder, epochs=epochs, batch_size=6, learning_rate=5e-3, seed=4)


@pytest.fixture(scope="module")
def trained(encoder: Path, annotated: Path, index: StoredIndex, tmp_path_factory: pytest.TempPathFactory) -> Path:
    examples = choices(read_brat(annotated, no_problem), index)
    out = tmp_path_factory.mktemp("model") / "rank"
    train_reranker(plan(encoder, 12), examples, examples, out)
    return out


def test_a_mention_comes_with_its_rivals(annotated: Path, index: StoredIndex) -> None:
    examples = choices(read_brat(annotated, no_problem), index)
    assert len(examples) == len(HEART) + len(VALVE)
    assert all(sum(one.right) == 1 and len(one.pairs) >= 2 for one in examples)
    assert "[ IM ]" in examples[0].pairs[0].mention


def test_contexts_decide_once_learnt(trained: Path, index: StoredIndex, annotated: Path) -> None:
    reranker = Reranker.load(trained)
    assert accuracy(reranker, choices(read_brat(annotated, no_problem), index)) == 1.0
    normalizer = Normalizer(index, reranker)
    for sentence, code in ((HEART[4], "C1"), (VALVE[4], "C2")):
        (mention,) = [one for one in normalizer.mentions(sentence) if sentence[one.start : one.end] == "IM"]
        assert mention.concept.concept_id == code


def test_shares_sum_to_one_and_do_not_depend_on_the_neighbours(trained: Path) -> None:
    reranker = Reranker.load(trained)
    pairs = [Pair(in_context(HEART[0], 0, 4), name) for name in ("infarctus", "ferritine " * 80, "")]
    shares = reranker.shares(pairs)
    assert shares.sum() == pytest.approx(1)
    assert shares[0] / shares[2] == pytest.approx(
        reranker.shares([pairs[0], pairs[2]])[0] / reranker.shares([pairs[0], pairs[2]])[1], rel=1e-3
    )


def test_a_killed_training_goes_on_as_if_nothing_had_happened(
    encoder: Path, annotated: Path, index: StoredIndex, tmp_path: Path
) -> None:
    examples = choices(read_brat(annotated, no_problem), index)
    whole = train_reranker(plan(encoder, 3), examples, examples, tmp_path / "whole")

    def stop(report: object) -> None:
        if report.epoch == 2:  # type: ignore[attr-defined]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_reranker(plan(encoder, 3), examples, examples, tmp_path / "cut", on_epoch=stop)
    with pytest.raises(InputError, match="already"):
        train_reranker(plan(encoder, 3), examples, examples, tmp_path / "cut")
    with pytest.raises(InputError, match="another plan"):
        train_reranker(plan(encoder, 4), examples, examples, tmp_path / "cut", resume=True)
    assert train_reranker(plan(encoder, 3), examples, examples, tmp_path / "cut", resume=True) == whole
    one, other = (Reranker.load(tmp_path / name).shares(examples[0].pairs) for name in ("whole", "cut"))
    np.testing.assert_array_equal(one, other)
    manifest = json.loads((tmp_path / "cut" / MANIFEST).read_text(encoding="utf-8"))
    assert len(manifest["epochs"]) == 3
    assert not list((tmp_path / "cut").glob("checkpoint*"))


def test_nothing_to_learn_is_said(encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no mention"):
        train_reranker(plan(encoder, 1), [], [], tmp_path / "out")


def test_a_folder_without_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"config\.json"):
        Reranker.load(tmp_path)
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read"):
        Reranker.load(tmp_path)


def test_documents_are_held_out_by_seed(annotated: Path) -> None:
    documents = list(read_brat(annotated, no_problem))
    rest, held = hold_out(documents, 3)
    assert len(held) == 1
    assert sorted(d.document_id for d in [*rest, *held]) == [d.document_id for d in documents]
    assert hold_out(documents, 3) == (rest, held)
    assert hold_out([], 3) == ([], [])


def test_names_that_are_like_a_text(index: StoredIndex) -> None:
    links = ConceptLinker(index).link("fibrilation auriculère")
    assert links[0].concept.concept_id == "C3"
    assert links[1].concept.concept_id == "C5"
    assert 0 < links[1].likeness < links[0].likeness < 1


def test_types_and_context_order_what_is_equally_like(index: StoredIndex) -> None:
    linker = ConceptLinker(index)
    text = "Souffle sur la valve mitrale : IM importante."
    start = text.index("IM")
    assert linker.link(text, start=start, end=start + 2)[0].concept.concept_id == "C2"
    text = "Douleur du myocarde : IM constitué."
    start = text.index("IM")
    assert linker.link(text, start=start, end=start + 2)[0].concept.concept_id == "C1"
    assert linker.link("FV", types=["observable"])[0].concept.concept_id == "C6"
    assert linker.link("FV", types=["disorder"])[0].concept.concept_id == "C5"


def test_meaning_finds_what_letters_do_not(index: StoredIndex) -> None:
    class Meanings:
        """Knows what is in the heart."""

        def encode(self, texts: list[str]) -> np.ndarray:
            return np.array([[1, 0] if "myoc" in text or "coup" in text else [0, 1] for text in texts], np.float32)

    assert "C1" not in [one.term.concept_id for one in SimilarNames(index).nearest(["coup"])[0][:1]]
    assert SimilarNames(index, Meanings()).nearest(["coup"])[0][0].term.concept_id == "C1"


def test_a_text_without_anything_like_it_has_no_link(index: StoredIndex) -> None:
    assert ConceptLinker(index).link("") == []
    assert ConceptLinker(index).link("§§§") == []


def test_names_of_a_concept_as_the_model_reads_them(index: StoredIndex) -> None:
    assert described(index.concept("C2"), "fuite mitrale") == "insuffisance mitrale ; fuite mitrale ; disorder"


def test_the_commands_train_and_use_a_model(
    encoder: Path, annotated: Path, index: StoredIndex, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    terminology, model = str(index.store.path), str(tmp_path / "rank")
    train = ["terminology", "train", "--brat", str(annotated), "--terminology", terminology, "--encoder", str(encoder)]
    assert main([*train, "--out", model, "--epochs", "1"]) == 0
    assert "epoch 1" in capsys.readouterr().err
    assert main([*train, "--out", model, "--epochs", "1"]) == 2
    assert "already" in capsys.readouterr().err
    evaluate = ["normalize", "--evaluate", "brat", str(annotated), "--terminology", terminology]
    assert main([*evaluate, "--reranker", model]) == 0
    assert "span + code" in capsys.readouterr().out
    assert main(["terminology", "find", "fibrilation", "--terminology", terminology, "--reranker", model]) == 0
    assert "C3" in capsys.readouterr().out
    assert main(["terminology", "find", "FA", "--terminology", terminology, "--reranker", str(tmp_path)]) == 2
    assert "config.json" in capsys.readouterr().err
