"""Rows of tokens in which several pairs are computed at once, each as if it were alone.

The questions about one patient begin alike. A row holds such a beginning once, as the trunk of a tree, and what
differs as its branches; several trees lie side by side. A token sees the trunk of its tree and its own branch, and
counts its position along them: what is computed for a pair is what would be computed for it alone, for a part of the
work. It is packing (Krell et al., "Efficient Sequence Packing without Cross-contamination", 2021) with shared
prefixes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from generator.train.pairs import Encoded

if TYPE_CHECKING:
    from torch import Tensor

#: Pairs share a trunk when it is at least this part of the shorter of their prompts.
_SHARED = 0.5


@dataclass(frozen=True, slots=True)
class Row:
    """Tensors of one row: T tokens, of which A positions predict a token of an answer.

    Args:
        ids, positions: (1, T), int64.
        mask: (1, 1, T, T), bool, whether a token (third axis) sees another (fourth); None where each sees all before.
        places: (A,), int64: where the model must predict ``targets`` (A,), int64, each counting ``weights`` (A,).
    """

    ids: Tensor
    positions: Tensor
    mask: Tensor | None
    places: Tensor
    targets: Tensor
    weights: Tensor


@dataclass(frozen=True, slots=True)
class Tree:
    """Pairs, by their places in a list, that share their first ``trunk`` tokens; ``size`` tokens in all."""

    pairs: tuple[int, ...]
    trunk: int
    size: int


def families(encoded: Sequence[Encoded]) -> list[list[int]]:
    """Places of the pairs whose prompts begin alike, family by family."""
    found: list[list[int]] = []
    shared = 0
    for place in sorted(range(len(encoded)), key=lambda i: encoded[i].ids[: encoded[i].prompt]):
        if found:
            first = encoded[found[-1][0]]
            length = min(shared, _common(first, encoded[place]))
            if length >= _SHARED * min(first.prompt, encoded[place].prompt):
                found[-1].append(place)
                shared = length
                continue
        found.append([place])
        shared = encoded[place].prompt
    return found


def steps_of_epoch(
    encoded: Sequence[Encoded], related: Sequence[Sequence[int]], batch: int, row: int, random: np.random.Generator
) -> list[list[list[Tree]]]:
    """The steps of one pass over all pairs, in an order drawn anew: for each its rows, for each row its trees.

    Args:
        related: `families` of ``encoded``.
        batch: pairs of a step, about.
        row: tokens of a row, at most, unless one pair is longer: it may then bring others, up to twice its length.
    """
    trees: list[Tree] = []
    most = max(1, batch // 4)  # a step learns of several patients
    for family in related:
        order = random.permutation(len(family)).tolist()
        trees += _trees(encoded, [family[i] for i in order], most, row)
    steps: list[list[Tree]] = []
    taken = batch
    for i in random.permutation(len(trees)).tolist():
        if taken >= batch:
            steps.append([])
            taken = 0
        steps[-1].append(trees[i])
        taken += len(trees[i].pairs)
    return [rows_of(step, row) for step in steps]


def rows_of(trees: Sequence[Tree], row: int) -> list[list[Tree]]:
    """Trees laid in rows of at most ``row`` tokens, the longest first, each where it fits."""
    rows: list[list[Tree]] = []
    left: list[int] = []
    for tree in sorted(trees, key=lambda tree: -tree.size):
        fits = next((i for i, room in enumerate(left) if room >= tree.size), None)
        if fits is None:
            rows.append([tree])
            left.append(row - tree.size)
        else:
            rows[fits].append(tree)
            left[fits] -= tree.size
    return rows


def trees_of(encoded: Sequence[Encoded], related: Sequence[Sequence[int]], row: int) -> list[Tree]:
    """All pairs as trees, in the order given."""
    return [tree for family in related for tree in _trees(encoded, family, len(encoded), row)]


def _trees(encoded: Sequence[Encoded], family: Sequence[int], most: int, row: int) -> list[Tree]:
    """A family cut into trees of at most ``most`` pairs and ``row`` tokens, or twice the length of a long pair."""
    trees: list[Tree] = []
    held: list[int] = []
    trunk = 0
    total = 0
    for place in family:
        if held and len(held) < most:
            shared = min(trunk, _common(encoded[held[0]], encoded[place]))
            size = total + len(encoded[place]) - shared * len(held)
            if size <= max(row, 2 * len(encoded[held[0]])):
                held.append(place)
                total += len(encoded[place])
                trunk = shared
                continue
        if held:
            trees.append(Tree(tuple(held), trunk, total - trunk * (len(held) - 1)))
        held, trunk, total = [place], encoded[place].prompt, len(encoded[place])
    if held:
        trees.append(Tree(tuple(held), trunk, total - trunk * (len(held) - 1)))
    return trees


def _common(one: Encoded, other: Encoded) -> int:
    """Tokens that two prompts begin with alike."""
    most = min(one.prompt, other.prompt)
    low, high = 0, most
    while low < high:  # equal up to ``low``; tuples compare fast
        middle = (low + high + 1) // 2
        if one.ids[low:middle] == other.ids[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def lay_out(encoded: Sequence[Encoded], trees: Sequence[Tree]) -> Row:
    """The tensors of a row."""
    import torch

    ids: list[int] = []
    positions: list[int] = []
    tree_of: list[int] = []
    branch_of: list[int] = []
    places: list[int] = []
    targets: list[int] = []
    weights: list[float] = []
    for number, tree in enumerate(trees):
        start = len(ids)
        ids += encoded[tree.pairs[0]].ids[: tree.trunk]
        positions += range(tree.trunk)
        branch_of += [0] * tree.trunk
        for branch, place in enumerate(tree.pairs, start=1):
            pair = encoded[place]
            answer = len(pair.ids) - pair.prompt
            shift = len(ids) - tree.trunk  # from a position of the pair to its place in the row
            ids += pair.ids[tree.trunk :]
            positions += range(tree.trunk, len(pair.ids))
            branch_of += [branch] * (len(pair.ids) - tree.trunk)
            before = shift + pair.prompt - 1 if pair.prompt > tree.trunk else start + pair.prompt - 1
            places += [before, *range(shift + pair.prompt, shift + len(pair.ids) - 1)]
            targets += pair.ids[pair.prompt :]
            weights += [pair.weight] * answer
        tree_of += [number] * (len(ids) - start)
    is_one = len(trees) == 1 and len(trees[0].pairs) == 1
    return Row(
        ids=torch.tensor([ids]),
        positions=torch.tensor([positions]),
        mask=None if is_one else _mask(torch.tensor(tree_of), torch.tensor(branch_of)),
        places=torch.tensor(places),
        targets=torch.tensor(targets),
        weights=torch.tensor(weights, dtype=torch.float32),
    )


def _mask(tree: Tensor, branch: Tensor) -> Tensor:
    """Who sees whom, (1, 1, T, T), of the tree (T,) and the branch (T,) of each token; branch 0 is a trunk."""
    same_tree = tree[:, None] == tree[None, :]
    same_path = (branch[None, :] == 0) | (branch[:, None] == branch[None, :])
    return (same_tree & same_path).tril()[None, None]
