"""LoRA adapters, merged and combined by PEFT, against the formulas."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from merging.run import merge
from schema.problem import InputError
from tests.merging.tiny import Family, load, recipe, write_adapter


def _factors(adapter: Path) -> dict[str, tuple[Tensor, Tensor, float]]:
    """A, B and the scale of each weight that an adapter changes."""
    tensors, settings = load(adapter), json.loads((adapter / "adapter_config.json").read_text())
    scale = settings["lora_alpha"] / settings["r"]
    names = [name.removesuffix(".lora_A.weight") for name in tensors if name.endswith("lora_A.weight")]
    return {
        name.removeprefix("base_model.model.") + ".weight": (
            tensors[f"{name}.lora_A.weight"],
            tensors[f"{name}.lora_B.weight"],
            scale,
        )
        for name in names
    }


def _assert_added(out: Path, base: Path, added: dict[str, Tensor]) -> None:
    merged, start = load(out), load(base)
    for name, tensor in merged.items():
        expected = start[name] + added.get(name, 0.0)
        assert (tensor - expected).norm() <= 1e-5 * expected.norm(), name
    assert added.keys() <= merged.keys()


def test_one_adapter(family: Family, tmp_path: Path) -> None:
    merge(recipe("lora", {"lora_a": {}}), tmp_path / "out", family.models)
    _assert_added(tmp_path / "out", family.base, {n: s * b @ a for n, (a, b, s) in _factors(family.lora_a).items()})


def test_cat_is_the_sum_of_the_differences(family: Family, tmp_path: Path) -> None:
    write_adapter(tmp_path / "lora_wide", family.base, 13, rank=8)
    (tmp_path / "base").symlink_to(family.base)
    (tmp_path / "lora_a").symlink_to(family.lora_a)
    parents = {"lora_a": {"weight": 0.7}, "lora_wide": {"weight": -0.4}}
    merge(recipe("lora_cat", parents), tmp_path / "out", tmp_path)
    first, second = _factors(tmp_path / "lora_a"), _factors(tmp_path / "lora_wide")
    added = {n: 0.7 * s * b @ a - 0.4 * second[n][2] * second[n][1] @ second[n][0] for n, (a, b, s) in first.items()}
    _assert_added(tmp_path / "out", family.base, added)


def test_linear_sums_the_factors(family: Family, tmp_path: Path) -> None:
    merge(
        recipe("lora_linear", {"lora_a": {"weight": 0.7}, "lora_b": {"weight": 0.4}}), tmp_path / "out", family.models
    )
    first, second = _factors(family.lora_a), _factors(family.lora_b)
    added = {}
    for name, (a, b, s) in first.items():
        c, d, r = second[name]
        u, v = (0.7 * s) ** 0.5, (0.4 * r) ** 0.5
        added[name] = (u * b + v * d) @ (u * a + v * c)
    _assert_added(tmp_path / "out", family.base, added)


def test_ties_on_the_factors(family: Family, tmp_path: Path) -> None:
    given = recipe("lora_ties", {"lora_a": {"weight": 0.7}, "lora_b": {"weight": 0.4}}, parameters={"density": 0.5})
    merge(given, tmp_path / "out", family.models)
    first, second = _factors(family.lora_a), _factors(family.lora_b)

    def ties(tensors: list[Tensor], weights: list[float]) -> Tensor:
        trimmed = [t * (t.abs() >= t.abs().flatten().sort(descending=True).values[t.numel() // 2 - 1]) for t in tensors]
        stacked = torch.stack(trimmed)
        agree = (stacked.sign() == torch.where(stacked.sum(0) >= 0, 1.0, -1.0)).double()
        weighted = torch.stack([w * t for w, t in zip(weights, trimmed, strict=True)])
        return (weighted * agree).sum(0) / agree.sum(0).clamp(min=1)

    added = {}
    for name, (a, b, s) in first.items():
        c, d, r = second[name]
        weights = [(0.7 * s) ** 0.5, (0.4 * r) ** 0.5]
        added[name] = ties([b, d], weights) @ ties([a, c], weights)
    _assert_added(tmp_path / "out", family.base, added)


@pytest.mark.parametrize("method", ["lora_dare_linear", "lora_dare_ties"])
def test_dropped_factors_stay_of_low_rank(family: Family, tmp_path: Path, method: str) -> None:
    parents = {"lora_a": {"weight": 0.5}, "lora_b": {"weight": 0.5}}
    merge(recipe(method, parents, parameters={"density": 0.5}), tmp_path / "out", family.models)
    merged, base = load(tmp_path / "out"), load(family.base)
    for name in _factors(family.lora_a):
        assert int(torch.linalg.matrix_rank(merged[name] - base[name], atol=1e-4)) in range(1, 5), name


def test_adapters_of_other_ranks_are_combined_by_cat_alone(family: Family, tmp_path: Path) -> None:
    write_adapter(tmp_path / "lora_wide", family.base, 13, rank=8)
    for name in ("base", "lora_a"):
        (tmp_path / name).symlink_to(family.models / name)
    parents = {"lora_a": {"weight": 0.5}, "lora_wide": {"weight": 0.5}}
    with pytest.raises(InputError, match="ranks 4, 8: lora_linear needs the same; lora_cat does not"):
        merge(recipe("lora_linear", parents), tmp_path / "out", tmp_path)


def test_an_adapter_of_another_base_is_refused(family: Family, tmp_path: Path) -> None:
    from tests.merging.tiny import write_model

    wide = write_model(tmp_path / "wide", 1, hidden_size=64, num_attention_heads=8)
    write_adapter(tmp_path / "lora_a", wide, 3)
    (tmp_path / "base").symlink_to(family.base)
    with pytest.raises(InputError, match=r"lora_a was made for another base: .* is 64 wide, not 32"):
        merge(recipe("lora", {"lora_a": {}}), tmp_path / "out", tmp_path)


def test_scaled_adapters_that_peft_would_combine_wrongly_are_refused(family: Family, tmp_path: Path) -> None:
    write_adapter(tmp_path / "lora_odd", family.base, 3, use_rslora=True)
    for name in ("base", "lora_a"):
        (tmp_path / name).symlink_to(family.models / name)
    parents = {"lora_odd": {"weight": 0.5}, "lora_a": {"weight": 0.5}}
    with pytest.raises(InputError, match="lora_odd uses use_rslora"):
        merge(recipe("lora_cat", parents), tmp_path / "out", tmp_path)
    merge(recipe("lora", {"lora_odd": {}}), tmp_path / "out", tmp_path)  # alone, it is merged rightly
