"""Entity retrieval: passages that name the concepts of the question, whatever their words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from retriever.lexical import Bm25
from schema.passage import Passage


class ConceptIndex:
    """BM25 over the concepts of passages, as `retriever.lexical` over their words.

    "HTA" and "hypertension artérielle" are one concept. What is denied is named too: "pas de diabète" answers whether
    the patient has diabetes.
    """

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._bm25 = Bm25([[mention.concept.concept_id for mention in passage.concepts] for passage in passages])

    def scores(self, concepts: Iterable[str]) -> NDArray[np.float32]:
        """BM25 of every passage for some concepts' identifiers, in the passages' order: shape (n,)."""
        return self._bm25.scores(concepts)
