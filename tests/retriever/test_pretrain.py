import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retriever.embed import SentenceTransformerEncoder
from retriever.pretrain.noise import spoilt
from retriever.pretrain.pairs import Batches, Pair, fixed_batches, read_pairs
from retriever.pretrain.run import EncoderPlan, train_encoder
from retriever.pretrain.tokenizer import train_tokenizer
from schema.problem import InputError
from tests.retriever.camembert import FRENCH, make_camembert

NAMES = [
    ("HTA", "hypertension artérielle"),
    ("AVC", "accident vasculaire cérébral"),
    ("FA", "fibrillation atriale"),
    ("IRM", "imagerie par résonance magnétique"),
    ("NIHSS", "score de gravité de l'infarctus"),
    ("tabac", "fumeur actif"),
]
PAIRS = [Pair(short, long, "names", short, frozenset([short])) for short, long in NAMES]
TEXTS = [*FRENCH, *(f"{short} : {long}, sans récidive." for short, long in NAMES)] * 6
QUICK = EncoderPlan(mask_steps=4, pair_steps=4, every=2, mask_batch=4, mask_length=24, pair_batch=8, seed=3)


def test_the_tokenizer_folds_case_and_accents_and_knows_its_words():
    tokenizer = train_tokenizer(TEXTS, 300, 64)
    assert tokenizer.tokenize("HYPERTENSION ARTERIELLE") == tokenizer.tokenize("hypertension artérielle")
    assert tokenizer.tokenize("NIHSS:14") == tokenizer.tokenize("NIHSS : 14")
    assert tokenizer.tokenize("12h05") == tokenizer.tokenize("12 h 05")
    assert tokenizer.unk_token_id not in tokenizer("thrombolyse par ténectéplase")["input_ids"]
    ids = tokenizer("Rankin", padding="max_length", max_length=40)["input_ids"]
    assert ids[0] == tokenizer.cls_token_id
    assert ids[-1] == tokenizer.pad_token_id


@given(st.text(max_size=200), st.integers())
def test_spoiling_depends_on_the_dice_alone_and_survives_any_text(text, seed):
    assert spoilt(text, random.Random(seed)) == spoilt(text, random.Random(seed))


def test_spoilt_texts_differ_and_stay_near():
    text = "Antécédents : hypertension artérielle. Traitement par bisoprolol depuis trois semaines."
    made = [spoilt(text, random.Random(seed)) for seed in range(200)]
    assert any("ATCD".lower() in one.lower() for one in made)
    assert any("arterielle" in one for one in made)
    assert text in made
    assert len(set(made)) > 60
    assert all(0.6 * len(text) < len(one) < 1.3 * len(text) for one in made)


def test_a_step_always_draws_the_same_batch_of_one_source():
    pairs = PAIRS + [Pair(f"sentence {i}", str(i) * 600, "copies", str(i)) for i in range(10, 50)]
    batches = [Batches(pairs, 16, 5000, 1, {}).draw(step)[0] for step in range(30)]
    assert batches == [Batches(pairs, 16, 5000, 1, {}).draw(step)[0] for step in range(30)]
    assert all(len({pair.source for pair in batch}) == 1 for batch in batches)
    assert {len(batch) for batch in batches} == {len(PAIRS), 4}  # all names; as many passages as characters allow
    assert {batch[0].source for batch in batches} == {"names", "copies"}


def test_a_source_of_weight_zero_is_never_drawn():
    pairs = PAIRS + [Pair(f"s {i}", "x", "copies:a", str(i)) for i in range(40)]
    batches = Batches(pairs, 4, 5000, 1, {"copies": 0.0})
    assert {batches.draw(step)[0][0].source for step in range(30)} == {"names"}


def test_fixed_batches_hold_every_pair_once():
    drawn = [pair for batch in fixed_batches(PAIRS, 4, 1000) for pair in batch]
    assert sorted(pair.anchor for pair in drawn) == sorted(pair.anchor for pair in PAIRS)


def test_pairs_are_read_and_a_bad_line_is_named_without_its_text(tmp_path):
    file = tmp_path / "ours.jsonl"
    file.write_text(json.dumps({"anchor": "HTA", "positive": "hypertension artérielle", "answers": ["hta"]}) + "\n\n")
    assert read_pairs(file) == [Pair("HTA", "hypertension artérielle", "ours.jsonl", "", frozenset({"hta"}))]
    file.write_text('{"anchor": "Mme Secret"}\n')
    with pytest.raises(InputError, match=r"line 1: not a pair \(positive\)") as refused:
        read_pairs(file)
    assert "Secret" not in str(refused.value)
    with pytest.raises(InputError, match="cannot be read"):
        read_pairs(tmp_path / "none.jsonl")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("models") / "trained"
    train_encoder(QUICK, TEXTS, PAIRS, PAIRS, out)
    return out


def test_a_new_encoder_is_a_small_camembert_in_half_precision(trained):
    encoder = SentenceTransformerEncoder(trained)
    config = json.loads((trained / "config.json").read_text())
    assert (config["model_type"], config["dtype"]) == ("camembert", "float16")
    assert encoder.encode(["HTA"]).shape == (1, config["hidden_size"])
    assert sum(file.stat().st_size for file in trained.rglob("*")) < 12e6
    assert not (trained / "masked").exists()


def test_the_same_seed_gives_the_same_encoder_and_a_killed_training_goes_on_to_it(trained, tmp_path):
    for stop in range(4):  # two looks in each training
        states = []

        def keep(state, states=states, stop=stop):
            states.append(state)
            if len(states) > stop:
                raise KeyboardInterrupt

        out = tmp_path / str(stop)
        with pytest.raises(KeyboardInterrupt):
            train_encoder(QUICK, TEXTS, PAIRS, PAIRS, out, keep=keep)
        train_encoder(QUICK, TEXTS, PAIRS, PAIRS, out, state=states[-1])
        texts = [name for pair in NAMES for name in pair]
        ours, theirs = (SentenceTransformerEncoder(folder).encode(texts) for folder in (out, trained))
        np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_pairs_bring_names_of_one_thing_together(tmp_path):
    plan = EncoderPlan(mask_steps=1, pair_steps=60, every=20, mask_batch=4, mask_length=24, seed=1)
    reports = train_encoder(plan, TEXTS, PAIRS, PAIRS, tmp_path / "m")
    assert max(report.score for report in reports if report.training == "pairs") == 1.0
    encoder = SentenceTransformerEncoder(tmp_path / "m")
    likeness = encoder.encode([short for short, _ in NAMES]) @ encoder.encode([long for _, long in NAMES]).T
    assert (likeness.argmax(axis=1) == np.arange(len(NAMES))).all()


def test_an_encoder_that_exists_is_trained_further_with_its_own_tokenizer(tmp_path):
    start = tmp_path / "camembert"
    make_camembert(start, layers=1, width=64)
    for mask_steps in (0, 2):
        plan = EncoderPlan(
            encoder=start, mask_steps=mask_steps, pair_steps=4, every=4, mask_batch=2, mask_length=24, pair_rate=1e-3
        )
        out = tmp_path / f"further-{mask_steps}"
        train_encoder(plan, TEXTS, PAIRS, PAIRS, out)
        before, after = SentenceTransformerEncoder(start), SentenceTransformerEncoder(out)
        assert after.dimension == 64
        assert not np.allclose(before.encode(["HTA"]), after.encode(["HTA"]), atol=1e-3)
        assert json.loads((out / "config.json").read_text())["vocab_size"] == before._tokenizer.vocab_size
