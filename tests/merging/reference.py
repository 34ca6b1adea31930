"""Each method again, in float64, from its paper and in a few lines: what merged tensors are compared with."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

#: Weighted differences of the parents, their weights, whether to divide by them -> the merged difference.
Combine = Callable[[Tensor, Sequence[float], bool], Tensor]


def linear(parents: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Wortsman et al. 2022: the weighted mean."""
    return sum(w * p for w, p in zip(weights, parents, strict=True)) / sum(weights)


def slerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    """Shoemake 1985; nearly parallel vectors are mixed linearly."""
    cosine = torch.clamp((a * b).sum() / (a.norm() * b.norm()), -1, 1)
    if abs(cosine) > 0.9995:
        return (1 - t) * a + t * b
    angle = torch.acos(cosine)
    return (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)


def task_arithmetic(base: Tensor, deltas: Sequence[Tensor], weights: Sequence[float], scale: float) -> Tensor:
    """Ilharco et al. 2023."""
    return base + scale * sum(w * d for w, d in zip(weights, deltas, strict=True))


def largest(delta: Tensor, density: float) -> tuple[Tensor, Tensor]:
    """Yadav et al. 2023, step 1: the mask of the largest share; and where equal sizes leave it open."""
    return between(delta, density, 0.0)


def between(delta: Tensor, density: float, gamma: float) -> tuple[Tensor, Tensor]:
    """Davari and Belilovsky 2023: without the largest ``gamma``, then the largest ``density``."""
    size = delta.abs().flatten()
    order = size.sort().values
    count, top = int(density * len(order)), int(gamma * len(order))
    start = max(0, len(order) - count - top)
    low, high = order[start], order[start + count - 1]
    edges = {float(edge) for edge in (low, high) if (size == edge).sum() > 1}
    unsure = torch.zeros_like(size, dtype=torch.bool)
    for edge in edges:
        unsure |= size == edge
    kept = (size >= low) & (size <= high)
    return kept.reshape(delta.shape), unsure.reshape(delta.shape)


def elect(weighted: Tensor, weights: Sequence[float], normalize: bool) -> Tensor:
    """Yadav et al. 2023, steps 2 and 3: the sign of the sum wins, those that have it are averaged (or summed).

    Args:
        weighted: (parents, ...) weighted differences.
    """
    sign = torch.where(weighted.sum(0) >= 0, 1.0, -1.0)
    agree = (weighted.sign() == sign).double()
    total = (weighted * agree).sum(0)
    if not normalize:
        return total
    share = sum(w * a for w, a in zip(weights, agree, strict=True))
    return total / torch.where(share == 0, torch.ones_like(share), share)


def add_up(weighted: Tensor, weights: Sequence[float], normalize: bool) -> Tensor:
    """The plain sum of weighted differences."""
    return weighted.sum(0) / (sum(weights) if normalize else 1.0)


def model_stock(base: Tensor, parents: Sequence[Tensor]) -> Tensor:
    """Jang et al. 2024, equation 2, one angle for each tensor: the mean of those of all pairs."""
    deltas = [(p - base).flatten() for p in parents]
    cosines = [a @ b / (a.norm() * b.norm()) for a, b in itertools.combinations(deltas, 2)]
    cosine, count = sum(cosines) / len(cosines), len(parents)
    t = count * cosine / (1 + (count - 1) * cosine)
    return t * sum(parents) / count + (1 - t) * base


def recover_masks(
    base: Tensor,
    merged: Tensor,
    deltas: Sequence[Tensor],
    weights: Sequence[float],
    combine: Combine,
    normalize: bool,
) -> tuple[list[Tensor], float]:
    """The masks that chance drew, read from the result; and the largest error of the formula with these masks.

    Where one parent alone was kept, the change is its difference times one factor: the commonest ratio. With these
    factors each element shows which of the 2^n combinations made it. The formula then takes what the masks say: what
    is kept of a parent is scaled to the L1 norm of its whole difference. An election hides what was kept of those that
    lose it: there the factors are those that were read.
    """
    change = merged - base
    factors = [_commonest(change / (d if normalize else w * d)) for w, d in zip(weights, deltas, strict=True)]
    choices = list(itertools.product((0.0, 1.0), repeat=len(deltas)))
    chosen = (_made(choices, factors, deltas, weights, combine, normalize) - change).abs().argmin(0)
    masks = [torch.tensor([c[place] for c in choices], dtype=torch.double)[chosen] for place in range(len(deltas))]
    kept = [float(d.abs().sum() / (d * m).abs().sum()) for d, m in zip(deltas, masks, strict=True)]
    scales = kept if combine is add_up else factors
    scaled = torch.stack([w * s * d * m for w, s, d, m in zip(weights, scales, deltas, masks, strict=True)])
    return masks, float((combine(scaled, weights, normalize) - change).abs().max())


def _made(
    choices: Sequence[tuple[float, ...]],
    factors: Sequence[float],
    deltas: Sequence[Tensor],
    weights: Sequence[float],
    combine: Combine,
    normalize: bool,
) -> Tensor:
    scaled = [w * f * d for w, f, d in zip(weights, factors, deltas, strict=True)]
    kept = (torch.stack([m * d for m, d in zip(choice, scaled, strict=True)]) for choice in choices)
    return torch.stack([combine(one, weights, normalize) for one in kept])


def _commonest(ratios: Tensor) -> float:
    """The middle of the narrowest interval that holds a tenth of the ratios above 1."""
    found = ratios[ratios.isfinite() & (ratios > 1)].sort().values
    span = max(2, len(found) // 10)
    start = int((found[span:] - found[:-span]).argmin())
    return float(found[start : start + span].median())
