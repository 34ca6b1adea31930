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
_ROWS, _COLUMNS = 0.5, 0.3  # shares drawn for each tree and each split


@dataclass(frozen=True, slots=True)
class Trees:
    """A sum of trees under a logistic link.

    Args:
        prior: log-odds before any tree.
        roots: (T,) first node of each tree.
        features: (N,) column that a node splits on; -1 for a leaf.
        thresholds: (N,) rows whose value is at most this go left.
        left, right: (N,) the node where they go.
        values: (N,) what a leaf adds to the log-odds.
    """

    prior: float
    roots: NDArray[np.int64]
    features: NDArray[np.int64]
    thresholds: Array
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    values: Array

    @classmethod
    def fit(cls, rows: Array, wanted: NDArray[np.bool_], seed: int) -> Trees:
        """Fit to (R, F) rows and (R,) answers; both answers must occur."""
        from sklearn.ensemble import GradientBoostingClassifier

        model = GradientBoostingClassifier(
            n_estimators=_TREES,
            learning_rate=_RATE,
            max_depth=_DEPTH,
            min_samples_leaf=_LEAF,
            subsample=_ROWS,
            max_features=_COLUMNS,
            random_state=seed,
        ).fit(rows, wanted)
        trees = [estimator.tree_ for estimator in model.estimators_[:, 0]]
        roots = np.cumsum([0, *(tree.node_count for tree in trees)])[:-1]
        share = float(wanted.mean())
        return cls(
            float(np.log(share / (1 - share))),
            roots.astype(np.int64),
            np.concatenate([np.where(tree.children_left < 0, -1, tree.feature) for tree in trees]).astype(np.int64),
            np.concatenate([tree.threshold for tree in trees]),
            np.concatenate([tree.children_left + root for tree, root in zip(trees, roots, strict=True)]),
            np.concatenate([tree.children_right + root for tree, root in zip(trees, roots, strict=True)]),
            _RATE * np.concatenate([tree.value[:, 0, 0] for tree in trees]),
        )

    def probabilities(self, rows: Sequence[Sequence[float]]) -> Array:
        """(R,) for (R, F) rows."""
        # The trees were grown on numbers of 32 bits: a value at a threshold must fall on the same side.
        values = np.asarray(rows, dtype=np.float32)
        nodes = np.broadcast_to(self.roots, (len(values), len(self.roots))).copy()  # (R, T)
        places = np.arange(len(values))[:, None]
        while (inner := self.features[nodes] >= 0).any():
            goes_left = values[places, np.maximum(self.features[nodes], 0)] <= self.thresholds[nodes]
            nodes = np.where(inner, np.where(goes_left, self.left[nodes], self.right[nodes]), nodes)
        scores = self.prior + self.values[nodes].sum(axis=1)
        probabilities: Array = 1 / (1 + np.exp(-scores))
        return probabilities

    def to_json(self) -> dict[str, Any]:
        """Plain values, for `from_json`."""
        arrays = ("roots", "features", "thresholds", "left", "right", "values")
        return {"prior": self.prior} | {name: getattr(self, name).tolist() for name in arrays}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Trees:
        """The trees that `to_json` gave."""
        whole = ("roots", "features", "left", "right")
        return cls(
            prior=float(values["prior"]),
            thresholds=np.asarray(values["thresholds"], dtype=np.float64),
            values=np.asarray(values["values"], dtype=np.float64),
            **{name: np.asarray(values[name], dtype=np.int64) for name in whole},
        )
