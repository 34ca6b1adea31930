"""Several pairs in one row are computed as if each were alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.train.pairs import Encoded, encode, load_tokenizer
from generator.train.rows import families, lay_out, rows_of, steps_of_epoch, trees_of
from tests.tuning.conftest import load, loss_alone, some_pairs

_IDS = st.integers(5, 60)


@st.composite
def encoded(draw: st.DrawFn) -> list[Encoded]:
    """Pairs of which some begin alike, some are wholly alike, some share nothing."""
    beginnings = draw(st.lists(st.lists(_IDS, min_size=1, max_size=12), min_size=1, max_size=3))
    found = []
    for _ in range(draw(st.integers(1, 7))):
        prompt = [*draw(st.sampled_from(beginnings)), *draw(st.lists(_IDS, max_size=5))]
        answer = draw(st.lists(_IDS, min_size=1, max_size=5))
        found.append(Encoded((*prompt, *answer), len(prompt), draw(st.sampled_from([0.25, 1.0, 2.0]))))
    return found


@pytest.fixture(scope="module")
def model(llama: Path) -> Any:
    return load(llama)


def packed_loss(model: Any, pairs: list[Encoded], row: int) -> float:
    total = 0.0
    for trees in rows_of(trees_of(pairs, families(pairs), row), row):
        laid = lay_out(pairs, trees)
        with torch.inference_mode():
            logits = model(
                input_ids=laid.ids,
                position_ids=laid.positions,
                attention_mask=laid.mask,
                logits_to_keep=laid.places,
                use_cache=False,
            ).logits[0]
        losses = torch.nn.functional.cross_entropy(logits, laid.targets, reduction="none")
        total += float(torch.dot(losses, laid.weights))
    return total


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=encoded(), row=st.integers(1, 80))
def test_what_is_packed_is_what_is_computed_alone(model: Any, pairs: list[Encoded], row: int) -> None:
    alone = sum(loss_alone(model, pair.ids, pair.prompt) * pair.weight for pair in pairs)
    assert packed_loss(model, pairs, row) == pytest.approx(alone, rel=1e-4, abs=1e-3)


def test_questions_about_one_record_compute_it_once(llama: Path, model: Any) -> None:
    pairs = encode(load_tokenizer(llama), some_pairs())
    trees = trees_of(pairs, families(pairs), 512)
    assert len(trees) == 4
    assert sum(tree.size for tree in trees) < 0.7 * sum(map(len, pairs))
    alone = sum(loss_alone(model, pair.ids, pair.prompt) for pair in pairs)
    assert packed_loss(model, pairs, 512) == pytest.approx(alone, rel=1e-5)


@settings(max_examples=100, deadline=None)
@given(pairs=encoded(), row=st.integers(1, 80), batch=st.integers(1, 9), seed=st.integers(0, 5))
def test_an_epoch_holds_every_pair_once_in_rows_that_fit(pairs: list[Encoded], row: int, batch: int, seed: int) -> None:
    steps = steps_of_epoch(pairs, families(pairs), batch, row, np.random.default_rng(seed))
    trees = [tree for rows in steps for trees in rows for tree in trees]
    assert sorted(place for tree in trees for place in tree.pairs) == list(range(len(pairs)))
    for tree in trees:
        assert all(pairs[place].ids[: tree.trunk] == pairs[tree.pairs[0]].ids[: tree.trunk] for place in tree.pairs)
        assert all(tree.trunk <= pairs[place].prompt for place in tree.pairs)
        assert tree.size == lay_out(pairs, [tree]).ids.shape[1]
        assert tree.size <= max(row, 2 * len(pairs[tree.pairs[0]]))
    for rows in steps:
        for laid in rows:
            assert len(laid) == 1 or sum(tree.size for tree in laid) <= row


def test_another_epoch_is_drawn_otherwise(llama: Path) -> None:
    pairs = encode(load_tokenizer(llama), some_pairs())
    related = families(pairs)
    drawn = [steps_of_epoch(pairs, related, 8, 512, np.random.default_rng([0, epoch])) for epoch in (0, 1, 0)]
    assert drawn[0] == drawn[2] != drawn[1]
    assert len(drawn[0]) == 3
