"""The temporal encoder: causal, incremental, and made of what its configuration says."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from retriever.cells import CELLS, linear_scan
from retriever.kinds import KINDS
from retriever.recurrent import TemporalConfig, TemporalEncoder, TimelineTensors
from retriever.timeline import EncodedTimeline

DIM = 24


def encoder(**settings: object) -> TemporalEncoder:
    torch.manual_seed(0)
    return TemporalEncoder(TemporalConfig(DIM, hidden=16, **settings)).eval()  # type: ignore[arg-type]


def timeline(counts: list[int], days: list[float] | None = None, seed: int = 0) -> TimelineTensors:
    """Documents of so many passages each."""
    random = np.random.default_rng(seed)
    size = len(counts)
    vectors = random.normal(size=(sum(counts), DIM))
    return TimelineTensors(
        torch.tensor(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=torch.float32),
        torch.tensor(np.repeat(np.arange(size), counts)),
        torch.tensor(random.integers(0, len(KINDS), size)),
        torch.tensor(days if days is not None else np.cumsum(random.integers(0, 40, size)), dtype=torch.float32),
        torch.ones(size, dtype=torch.bool),
    )


def first(whole: TimelineTensors, size: int) -> TimelineTensors:
    its = whole.owner < size
    return TimelineTensors(
        whole.vectors[its], whole.owner[its], whole.kinds[:size], whole.days[:size], whole.dated[:size]
    )


def in_steps(model: TemporalEncoder, whole: TimelineTensors) -> tuple[Tensor, Tensor]:
    """Passages and last state, one document after the other."""
    state, found = model.initial(), []
    for t in range(len(whole.kinds)):
        state, passages = model.step(state, whole.document(t))
        found.append(passages)
    return torch.cat(found), state.cell


LONG = timeline([3, 1, 0, 4, 2, 0, 1, 5, 2, 2, 3, 1] * 8)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("precision", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-9)])
def test_a_document_at_a_time_is_as_the_whole(cell: str, precision: torch.dtype, tolerance: float) -> None:
    model = encoder(cell=cell).to(precision)
    whole = replace(LONG, vectors=LONG.vectors.to(precision))
    with torch.no_grad():
        encoded = model(whole)
        passages, state = in_steps(model, whole)
    torch.testing.assert_close(passages, encoded.passages, atol=tolerance, rtol=0)
    torch.testing.assert_close(state, encoded.last.cell, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("cell", CELLS)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=9), st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_what_comes_later_changes_nothing(cell: str, counts: list[int], seed: int) -> None:
    model = encoder(cell=cell)
    whole = timeline(counts, seed=seed)
    with torch.no_grad():
        encoded = model(whole)
        for size in range(1, len(counts)):
            before = model(first(whole, size))
            torch.testing.assert_close(encoded.passages[: len(before.passages)], before.passages, atol=1e-6, rtol=0)
            torch.testing.assert_close(encoded.states[:size], before.states, atol=1e-6, rtol=0)


@pytest.mark.parametrize("cell", CELLS)
def test_what_came_before_conditions_a_passage(cell: str) -> None:
    model = encoder(cell=cell).double()
    whole = timeline([1, 1, 1, 1])
    whole = replace(whole, vectors=whole.vectors.double())
    other = replace(whole, vectors=torch.cat([-whole.vectors[:1], whole.vectors[1:]]))
    with torch.no_grad():
        moved = (model(whole).passages - model(other).passages).abs().max(dim=1).values
    assert (moved[1:] > 1e-6).all()


@pytest.mark.parametrize("cell", CELLS)
def test_every_weight_learns(cell: str) -> None:
    model = encoder(cell=cell)
    whole = timeline([2, 1, 3, 1], days=[0, 1, 40, 41])
    target = torch.randn(7, 16, generator=torch.Generator().manual_seed(1))
    (model(whole).passages * target).sum().backward()
    assert not [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()]


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_go_back_through_steps(cell: str) -> None:
    model = encoder(cell=cell).double()
    whole = timeline([1, 1, 1])
    whole = replace(whole, vectors=whole.vectors.double().requires_grad_())
    last = in_steps(model, whole)[0][-1].sum()
    (by_steps,) = torch.autograd.grad(last, whole.vectors)
    (by_sequence,) = torch.autograd.grad(model(whole).passages[-1].sum(), whole.vectors)
    assert by_sequence[0].abs().max() > 0
    torch.testing.assert_close(by_steps, by_sequence, atol=1e-9, rtol=1e-6)


def test_without_recurrence_only_the_document_itself_matters() -> None:
    model = encoder(use_recurrence=False)
    whole = timeline([2, 2, 2])
    other = replace(whole, vectors=torch.cat([whole.vectors[2:4], whole.vectors[:2], whole.vectors[4:]]))
    with torch.no_grad():
        encoded = model(whole)
        assert encoded.states.shape == (3, 0)
        torch.testing.assert_close(encoded.passages[4:], model(other).passages[4:])
        torch.testing.assert_close(in_steps(model, whole)[0], encoded.passages, atol=1e-6, rtol=0)


@pytest.mark.parametrize("cell", CELLS)
def test_without_gaps_no_date_matters(cell: str) -> None:
    whole = timeline([1, 2, 1, 1], days=[0, 1, 1, 400])
    undated = replace(whole, days=torch.zeros(4), dated=torch.zeros(4, dtype=torch.bool))
    blind, seeing = encoder(cell=cell, use_gaps=False), encoder(cell=cell)
    with torch.no_grad():
        assert torch.equal(blind(whole).passages, blind(undated).passages)
        assert not torch.allclose(seeing(whole).passages, seeing(undated).passages, atol=1e-5)


def test_without_kinds_no_kind_matters() -> None:
    whole = timeline([1, 2, 1, 1])
    other = replace(whole, kinds=(whole.kinds + 1) % len(KINDS))
    with torch.no_grad():
        blind, seeing = encoder(use_kinds=False), encoder()
        assert torch.equal(blind(whole).passages, blind(other).passages)
        assert not torch.allclose(seeing(whole).passages, seeing(other).passages, atol=1e-5)


@pytest.mark.parametrize("cell", ["gru_d", "selective_ssm"])
def test_a_cell_that_knows_of_time_forgets_with_it(cell: str) -> None:
    torch.manual_seed(0)
    made = CELLS[cell](4, 8)
    state = torch.ones_like(made.initial())
    with torch.no_grad():
        soon, late = (made.step(torch.zeros(4), torch.tensor(gap), state)[1] for gap in (0.0, 6.0))
    assert late.abs().sum() < soon.abs().sum()


def test_documents_of_one_day_see_each_other_in_order() -> None:
    model = encoder()
    whole = timeline([1, 1, 1], days=[0, 0, 0])
    other = replace(whole, vectors=torch.cat([-whole.vectors[:1], whole.vectors[1:]]))
    with torch.no_grad():
        assert not torch.allclose(model(whole).passages[1:], model(other).passages[1:], atol=1e-5)


def test_the_backward_pass_brings_the_future_in() -> None:
    model = encoder(backward=True)
    whole = timeline([1, 1, 1, 1])
    other = replace(whole, vectors=torch.cat([whole.vectors[:3], -whole.vectors[3:]]))
    with torch.no_grad():
        assert (model(whole).passages - model(other).passages)[:3].abs().max(dim=1).values.min() > 1e-5
        assert torch.equal(model(whole).states, model(other).states)
    with pytest.raises(ValueError, match="backward=True"):
        model.step(model.initial(), whole.document(0))


@pytest.mark.parametrize("settings", [{}, {"backward": True}, {"use_recurrence": False}])
@pytest.mark.parametrize("counts", [[], [0], [3], [0, 0]])
def test_small_timelines(counts: list[int], settings: dict[str, bool]) -> None:
    with torch.no_grad():
        encoded = encoder(**settings)(timeline(counts))
    assert encoded.passages.shape == (sum(counts), 16)
    assert len(encoded.states) == len(counts)
    assert encoded.passages.isfinite().all()
    torch.testing.assert_close(encoded.passages.norm(dim=1), torch.ones(sum(counts)))


def test_a_passage_without_words_is_no_trouble() -> None:
    whole = timeline([1, 1])
    whole = replace(whole, vectors=torch.zeros_like(whole.vectors).requires_grad_())
    encoded = encoder()(whole)
    encoded.passages.sum().backward()
    assert encoded.passages.isfinite().all()
    assert whole.vectors.grad is not None
    assert whole.vectors.grad.isfinite().all()


def test_tensors_of_a_timeline() -> None:
    made = EncodedTimeline(
        patient_id="P1",
        document_ids=("a", "b"),
        first_day=None,
        days=np.zeros(2, dtype=np.float32),
        dated=np.zeros(2, dtype=np.bool_),
        kinds=np.array([0, 3]),
        passages=(),
        owner=np.array([0, 1, 1]),
        vectors=np.eye(3, DIM, dtype=np.float32),
    )
    read = TimelineTensors.of(made)
    assert read.document(1).vectors.tolist() == made.vectors[1:].tolist()
    with torch.no_grad():
        assert encoder()(read).passages.shape == (3, 16)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"cell": "transformer"}, "choose one of gru"), ({"backward": True, "use_recurrence": False}, "needs use_rec")],
)
def test_a_configuration_that_means_nothing_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        encoder(**settings)


def test_a_step_reads_one_document() -> None:
    model = encoder()
    with pytest.raises(ValueError, match="one document, not 2"):
        model.step(model.initial(), timeline([1, 1]))


@given(st.integers(1, 40), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_the_scan_is_the_recurrence(size: int, seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    decay = torch.rand(size, 3, generator=random, dtype=torch.float64)
    added = torch.randn(size, 3, generator=random, dtype=torch.float64)
    start = state = torch.randn(3, generator=random, dtype=torch.float64)
    expected = []
    for a, b in zip(decay, added, strict=True):
        state = a * state + b
        expected.append(state)
    torch.testing.assert_close(linear_scan(decay, added, start), torch.stack(expected), atol=1e-12, rtol=0)
