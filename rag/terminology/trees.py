"""A small classifier of rows of numbers: boosted trees, kept as plain numbers so that a file of them runs no code.

Fitted by scikit-learn (Friedman, Annals of Statistics 29:1189, 2001), read without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_TREES, _RATE, _DEPTH, _LEAF = 200, 0.05, 4, 20
_MODELS = 2  # drawn apart, averaged
_AT_ONCE = 2048  # rows read together: a document of megabytes has many
_ROWS, _COLUMNS = 0.5, 0.3  # shares drawn for each tree and each split


@dataclass(frozen=True, slots=True)
class Trees:
    """A sum of trees under a logistic link.

    Args:
        prior: log-odds before any tree.
        roots: (T,) first node of each tree.
        features: (N,) column that a node splits on.
        thresholds: (N,) rows whose value is at most this go left; infinite for a leaf.
        left: (N,) the node where they go; the others go to the next one. A leaf leads to itself.
        values: (N,) what a leaf adds to the log-odds.
        depth: of the deepest tree.
    """

    prior: float
    roots: NDArray[np.int32]
    features: NDArray[np.int32]
    thresholds: NDArray[np.float32]
    left: NDArray[np.int32]
    values: NDArray[np.float32]
    depth: int

    @classmethod
    def fit(cls, rows: Array, wanted: NDArray[np.bool_], seed: int) -> Trees:
        """Fit to (R, F) rows and (R,) answers; both answers must occur."""
        from sklearn.ensemble import GradientBoostingClassifier

        trees: list[_Tree] = []
        for number in range(_MODELS):
            model = GradientBoostingClassifier(
                n_estimators=_TREES,
                learning_rate=_RATE,
                max_depth=_DEPTH,
                min_samples_leaf=_LEAF,
                subsample=_ROWS,
                max_features=_COLUMNS,
                random_state=seed + number,
            ).fit(rows, wanted)
            trees += [_breadth_first(estimator.tree_) for estimator in model.estimators_[:, 0]]
        roots = np.cumsum([0, *(len(tree.values) for tree in trees)])[:-1]
        share = float(wanted.mean())
        return cls(
            float(np.log(share / (1 - share))),
            roots.astype(np.int32),
            np.concatenate([tree.features for tree in trees]).astype(np.int32),
            np.concatenate([tree.thresholds for tree in trees]).astype(np.float32),
            np.concatenate([tree.left + root for tree, root in zip(trees, roots, strict=True)]).astype(np.int32),
            (_RATE / _MODELS * np.concatenate([tree.values for tree in trees])).astype(np.float32),
            _DEPTH,
        )

    def probabilities(self, rows: Sequence[Sequence[float]]) -> Array:
        """(R,) for (R, F) rows."""
        parts = [self._some(rows[first : first + _AT_ONCE]) for first in range(0, len(rows), _AT_ONCE)]
        return np.concatenate(parts) if parts else np.empty(0)

    def _some(self, rows: Sequence[Sequence[float]]) -> Array:
        # The trees were grown on numbers of 32 bits: a value at a threshold must fall on the same side.
        values = np.asarray(rows, dtype=np.float32)  # (R, F)
        flat = values.ravel()
        starts = np.arange(len(values), dtype=np.int32)[:, None] * np.int32(values.shape[1])
        nodes = np.broadcast_to(self.roots, (len(values), len(self.roots)))  # (R, T)
        for _ in range(self.depth):
            goes_right = flat[starts + self.features[nodes]] > self.thresholds[nodes]
            nodes = self.left[nodes] + goes_right
        scores = self.prior + self.values[nodes].sum(axis=1)
        probabilities: Array = 1 / (1 + np.exp(-scores))
        return probabilities

    def to_json(self) -> dict[str, Any]:
        """Plain values, for `from_json`."""
        arrays = {name: getattr(self, name).tolist() for name in _ARRAYS}
        # JSON has no infinity: a leaf is the node that leads to itself.
        arrays["thresholds"] = [None if np.isinf(value) else value for value in arrays["thresholds"]]
        return {"prior": self.prior, "depth": self.depth} | arrays

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Trees:
        """The trees that `to_json` gave."""
        thresholds = [np.inf if value is None else value for value in values["thresholds"]]
        return cls(
            prior=float(values["prior"]),
            roots=np.asarray(values["roots"], dtype=np.int32),
            features=np.asarray(values["features"], dtype=np.int32),
            thresholds=np.asarray(thresholds, dtype=np.float32),
            left=np.asarray(values["left"], dtype=np.int32),
            values=np.asarray(values["values"], dtype=np.float32),
            depth=int(values["depth"]),
        )


_ARRAYS = ("roots", "features", "thresholds", "left", "values")


@dataclass(frozen=True, slots=True)
class _Tree:
    """One tree: the arrays of `Trees`, its nodes from the root down so that the children of one are neighbours."""

    features: Array
    thresholds: Array
    left: Array
    values: Array


def _breadth_first(tree: Any) -> _Tree:
    order = [0]
    left: list[int] = []
    for place, node in enumerate(order):  # grows while it is read
        if tree.children_left[node] < 0:
            left.append(place)
        else:
            left.append(len(order))
            order += [int(tree.children_left[node]), int(tree.children_right[node])]
    is_leaf = tree.children_left[order] < 0
    # Scikit-learn compares numbers of 32 bits with thresholds of 64: rounding down keeps every one on its side.
    thresholds = tree.threshold[order]
    rounded = thresholds.astype(np.float32)
    rounded = np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)
    return _Tree(
        np.where(is_leaf, 0, tree.feature[order]),
        np.where(is_leaf, np.inf, rounded),
        np.array(left),
        tree.value[order, 0, 0],
    )
