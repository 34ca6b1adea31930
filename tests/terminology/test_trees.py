"""Boosted trees read as plain numbers."""

import json

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier

from rag.terminology import trees
from rag.terminology.trees import Trees


def test_they_give_what_the_library_gives() -> None:
    dice = np.random.default_rng(5)
    rows = dice.normal(size=(600, 6)).round(1)  # values fall on thresholds
    wanted = rows[:, 0] + rows[:, 1] * rows[:, 2] > 0.3
    read = Trees.from_json(json.loads(json.dumps(Trees.fit(rows, wanted, seed=3).to_json())))
    models = [
        GradientBoostingClassifier(
            n_estimators=trees._TREES,
            learning_rate=trees._RATE,
            max_depth=trees._DEPTH,
            min_samples_leaf=trees._LEAF,
            subsample=trees._ROWS,
            max_features=trees._COLUMNS,
            random_state=3 + number,
        ).fit(rows, wanted)
        for number in range(trees._MODELS)
    ]
    scores = np.mean([model.decision_function(rows) for model in models], axis=0)
    np.testing.assert_allclose(read.probabilities(rows.tolist()), 1 / (1 + np.exp(-scores)), atol=1e-5)
