"""Each method, as mergekit computes it from a recipe, against an independent reference."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from merging.folder import hash_weights
from merging.run import merge
from tests.merging import reference
from tests.merging.tiny import Family, load, recipe, write_model

W = {"medical": 0.6, "french": 0.3}
CLOSE = 1e-5


@pytest.fixture(scope="module", params=["float32", "bfloat16"])
def some_family(request: pytest.FixtureRequest, family: Family, tmp_path_factory: pytest.TempPathFactory) -> Family:
    """The family, in the dtype that its models are stored in."""
    if request.param == "float32":
        return family
    models = tmp_path_factory.mktemp("half")
    for seed, name in enumerate(("base", "medical", "french", "third")):
        write_model(models / name, seed, tuned_from=family.base if seed else None, dtype="bfloat16")
    return Family(models)


def _merge(family: Family, tmp_path: Path, method: str, parents: object, **other: object) -> dict[str, Tensor]:
    """The merged tensors, after making sure that bfloat16 is the same, rounded once."""
    out = tmp_path / "out"
    merge(recipe(method, parents, **other), out, family.models)
    merged = load(out)
    merge(recipe(method, parents, **{**other, "dtype": "bfloat16"}), tmp_path / "half", family.models)
    half = load(tmp_path / "half")
    assert all(torch.equal(merged[name].float().bfloat16().double(), half[name]) for name in merged)
    return merged


def _assert_close(merged: Tensor, expected: Tensor, name: str) -> None:
    assert (merged - expected).norm() <= CLOSE * expected.norm(), name
    rounded = expected.bfloat16().double()
    assert (merged.bfloat16().double() - rounded).norm() <= 1e-3 * rounded.norm(), name


def _tensors(family: Family, names: tuple[str, ...]) -> tuple[dict[str, Tensor], list[dict[str, Tensor]]]:
    return load(family.base), [load(family.models / name) for name in names]


def test_linear(some_family: Family, tmp_path: Path) -> None:
    merged = _merge(some_family, tmp_path, "linear", {name: {"weight": w} for name, w in W.items()})
    _, parents = _tensors(some_family, tuple(W))
    for name, tensor in merged.items():
        _assert_close(tensor, reference.linear([p[name] for p in parents], list(W.values())), name)


def test_slerp(some_family: Family, tmp_path: Path) -> None:
    merged = _merge(some_family, tmp_path, "slerp", {"medical": {}, "french": {}}, parameters={"t": 0.3})
    _, (a, b) = _tensors(some_family, ("medical", "french"))
    for name, tensor in merged.items():
        _assert_close(tensor, reference.slerp(a[name], b[name], 0.3), name)


def test_slerp_of_vectors_far_apart(tmp_path: Path) -> None:
    for seed, name in enumerate(("one", "two")):
        write_model(tmp_path / "models" / name, 100 + seed)
    far = Family(tmp_path / "models")
    merged = _merge(far, tmp_path, "slerp", {"one": {}, "two": {}}, parameters={"t": 0.7})
    a, b = load(far.models / "one"), load(far.models / "two")
    for name, tensor in merged.items():
        _assert_close(tensor, reference.slerp(a[name], b[name], 0.7), name)


def test_task_arithmetic(some_family: Family, tmp_path: Path) -> None:
    parents = {name: {"weight": w} for name, w in {"medical": 0.7, "french": -0.2, "third": 0.4}.items()}
    merged = _merge(some_family, tmp_path, "task_arithmetic", parents, parameters={"lambda": 1.3})
    base, tuned = _tensors(some_family, tuple(parents))
    for name, tensor in merged.items():
        deltas = [p[name] - base[name] for p in tuned]
        _assert_close(tensor, reference.task_arithmetic(base[name], deltas, [0.7, -0.2, 0.4], 1.3), name)


def test_model_stock(some_family: Family, tmp_path: Path) -> None:
    merged = _merge(some_family, tmp_path, "model_stock", {"medical": {}, "french": {}, "third": {}})
    base, parents = _tensors(some_family, ("medical", "french", "third"))
    for name, tensor in merged.items():
        _assert_close(tensor, reference.model_stock(base[name], [p[name] for p in parents]), name)


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("method", ["ties", "breadcrumbs", "breadcrumbs_ties"])
def test_trimmed_by_size(some_family: Family, tmp_path: Path, method: str, normalize: bool) -> None:
    density, gamma = 0.4, 0.0 if method == "ties" else 0.05
    numbers = {"density": density} if method == "ties" else {"density": density, "gamma": gamma}
    parents = {name: {"weight": w, **numbers} for name, w in W.items()}
    merged = _merge(some_family, tmp_path, method, parents, parameters={"normalize": normalize, "lambda": 0.9})
    base, tuned = _tensors(some_family, tuple(W))
    combine = reference.add_up if method == "breadcrumbs" else reference.elect
    for name, tensor in merged.items():
        # mergekit compares sizes in float32, as the weights are: so does the reference.
        deltas = [(p[name].float() - base[name].float()).double() for p in tuned]
        masks, open_ = zip(*(reference.between(d, density, gamma) for d in deltas), strict=True)
        weighted = torch.stack([w * d * m for w, d, m in zip(W.values(), deltas, masks, strict=True)])
        expected = base[name] + 0.9 * combine(weighted, list(W.values()), normalize)
        sure = ~torch.stack(open_).any(0)
        # A vector of few numbers near 1 has few sizes in bfloat16, and many that are equal.
        assert sure.double().mean() > (0.9 if tensor.dim() > 1 else 0.2), name
        _assert_close(tensor[sure], expected[sure], name)


@pytest.mark.parametrize("method", ["dare_linear", "dare_ties", "della", "della_linear"])
def test_dropped_at_random(some_family: Family, tmp_path: Path, method: str) -> None:
    """The masks are read from the result; with them the rest follows from the formula, and their share is right."""
    density = 0.6
    numbers = {"density": density} | ({"epsilon": 0.2} if "della" in method else {})
    parents = {name: {"weight": w, **numbers} for name, w in W.items()}
    merged = _merge(some_family, tmp_path, method, parents)
    base, tuned = _tensors(some_family, tuple(W))
    combine = reference.add_up if method.endswith("linear") else reference.elect
    kept, count = [0.0, 0.0], 0
    for name, tensor in merged.items():
        if tensor.dim() < 2:
            continue  # too few numbers to read masks from
        deltas = [p[name] - base[name] for p in tuned]
        given = (base[name], tensor, deltas, list(W.values()), combine)
        masks, error = reference.recover_masks(*given, normalize=method == "della")
        assert error <= 1e-5 * float(tensor.abs().max()), name
        visible = torch.stack(deltas).abs().min(0).values > 0
        count += int(visible.sum())
        if combine is reference.add_up:
            kept = [k + float(m[visible].sum()) for k, m in zip(kept, masks, strict=True)]
    if combine is reference.add_up:
        for share in kept:
            assert abs(share / count - density) < 4 * (density * (1 - density) / count) ** 0.5


def test_della_drops_the_smaller_more_often(family: Family, tmp_path: Path) -> None:
    parents = {"medical": {"weight": 1.0, "density": 0.5, "epsilon": 0.3}}
    merge(recipe("della", parents), tmp_path / "out", family.models)
    merged, base, parent = load(tmp_path / "out"), load(family.base), load(family.medical)
    name = "model.embed_tokens.weight"
    kept = merged[name] != base[name]
    size = (parent[name] - base[name]).abs()
    above = size > size.median(dim=1, keepdim=True).values
    # Kept with 0.2 + 0.6 x rank: 0.35 of the smaller half of each row, 0.65 of the larger one.
    assert float(kept[~above].double().mean()) == pytest.approx(0.35, abs=0.03)
    assert float(kept[above].double().mean()) == pytest.approx(0.65, abs=0.03)


RANDOM = {
    "dare_ties": {"medical": {"weight": 0.5, "density": 0.5}, "french": {"weight": 0.5, "density": 0.5}},
    "della": {"medical": {"weight": 0.5, "density": 0.5}, "french": {"weight": 0.5, "density": 0.5}},
    "lora_dare_linear": {"lora_a": {"weight": 0.5}, "lora_b": {"weight": 0.5}},
    "lora_dare_ties": {"lora_a": {"weight": 0.5}, "lora_b": {"weight": 0.5}},
}


@pytest.mark.parametrize("method", list(RANDOM))
def test_the_seed_decides_and_leaves_the_dice_alone(family: Family, tmp_path: Path, method: str) -> None:
    other = {"parameters": {"density": 0.5}} if method.startswith("lora") else {}
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    merge(recipe(method, RANDOM[method], **other), tmp_path / "a", family.models)
    assert torch.equal(torch.rand(3), expected)
    merge(recipe(method, RANDOM[method], **other), tmp_path / "b", family.models)
    merge(recipe(method, RANDOM[method], **other, **{"seed": 6}), tmp_path / "c", family.models)
    a, b, c = (hash_weights(tmp_path / name) for name in "abc")
    assert a == b
    assert a != c


def test_the_same_bytes_in_every_process(family: Family, tmp_path: Path) -> None:
    """mergekit keeps models in sets, whose order changes from process to process."""
    code = (
        "import sys; from pathlib import Path; from merging.run import merge;"
        "from tests.merging.tiny import recipe; from tests.merging.test_methods import RANDOM;"
        "merge(recipe('dare_ties', RANDOM['dare_ties']), Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    found = set()
    for seed in ("1", "2"):
        out = tmp_path / seed
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", code, str(out), str(family.models)]
        root = Path(__file__).parents[2]
        done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found.add((hash_weights(out), (out / "config.json").read_bytes(), (out / "tokenizer.json").read_bytes()))
    assert len(found) == 1


@pytest.mark.parametrize("method", ["ties", "breadcrumbs", "breadcrumbs_ties"])
def test_parents_trimmed_ahead_give_the_same_bits(some_family: Family, tmp_path: Path, method: str) -> None:
    parents = {name: {"weight": w, "density": 0.3} for name, w in W.items()}
    merge(recipe(method, parents), tmp_path / "direct", some_family.models)
    for name in ("first", "second"):  # made, then found
        merge(recipe(method, parents), tmp_path / name, some_family.models, cache=tmp_path / "cache")
        assert hash_weights(tmp_path / name) == hash_weights(tmp_path / "direct")
    assert len([path for path in (tmp_path / "cache").iterdir() if path.name.startswith("trimmed")]) == 2


def test_parents_with_adapters(family: Family, tmp_path: Path) -> None:
    parents = {"lora_a": {"weight": 0.5, "density": 0.5}, "french": {"weight": 0.5, "density": 0.5}}
    merge(recipe("ties", parents), tmp_path / "out", family.models)
    merge(recipe("lora", {"lora_a": {}}), tmp_path / "adapted", family.models)
    merged, base = load(tmp_path / "out"), load(family.base)
    tuned = [load(tmp_path / "adapted"), load(family.french)]
    for name, tensor in merged.items():
        deltas = [(p[name].float() - base[name].float()).double() for p in tuned]
        masks, open_ = zip(*(reference.largest(d, 0.5) for d in deltas), strict=True)
        weighted = torch.stack([0.5 * d * m for d, m in zip(deltas, masks, strict=True)])
        sure = ~torch.stack(open_).any(0)
        # Without the adapter's zeros, which are all of equal size.
        _assert_close(tensor[sure], (base[name] + reference.elect(weighted, [0.5, 0.5], True))[sure], name)


def test_paths_with_signs_that_mergekit_reads(family: Family, tmp_path: Path) -> None:
    odd = tmp_path / "a+b@c d"
    odd.symlink_to(family.models)
    merge(recipe("linear", {name: {"weight": 1.0} for name in W}), tmp_path / "x+y@z" / "out", odd)
    assert (tmp_path / "x+y@z" / "out" / "config.json").is_file()
