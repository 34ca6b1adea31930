"""Text encoders: what an encoder is, and the two that exist.

| encoder | needs | source |
|---|---|---|
| `HashedNgramEncoder` | nothing | Weinberger et al. 2009 (feature hashing) |
| `SentenceTransformerEncoder` | a folder with a model's weights | Reimers and Gurevych 2019 |
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from retriever.lexical import tokens

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """Turns texts into vectors whose dot product says how near two texts are.

    ``name`` changes whenever the vectors would: an index built under another name is not comparable.
    """

    name: str
    dimension: int

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of norm 1 (0 for a text without content), shape (len(texts), dimension)."""


class HashedNgramEncoder:
    """The default: spelling, not meaning. No weights, no training, the same vectors on every machine.

    A text is the bag of the 3- to 5-letter pieces of its words (stop words removed); each piece is sent by a hash
    to one of 2048 places with a sign, which is a sparse random projection that needs no matrix. Two texts are near
    when their words look alike: it finds "thrombolysé" for "thrombolyse", misspellings and OCR slips, which BM25
    misses. It does not know that "tension" and "HTA" are related: that takes a trained model,
    `SentenceTransformerEncoder`.
    """

    dimension = 2048  # fewer places, more pieces that share one: docs/retrieval.md has the figures
    name = f"hashed-ngrams-3-5-dim{dimension}"

    def __init__(self) -> None:
        from sklearn.feature_extraction.text import HashingVectorizer

        self._vectorizer = HashingVectorizer(
            analyzer="char_wb",
            ngram_range=(3, 5),
            n_features=self.dimension,
            preprocessor=lambda text: " ".join(tokens(text)),
            dtype=np.float32,
        )

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of norm 1 (0 for a text without words), shape (len(texts), 2048)."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return np.asarray(self._vectorizer.transform(texts).toarray())


class SentenceTransformerEncoder:
    """Any encoder kept in a local folder: a sentence-transformers model, or a plain CamemBERT (then mean-pooled).

    Texts longer than the model reads (``max_seq_length`` word pieces) are cut by the model. The network is never
    used, and code shipped in the folder is never run.

    Raises:
        ValueError: ``folder`` is not a folder (a model's public name is refused: it would be downloaded).
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise ValueError(f"{folder} is not a folder; give the folder that holds the encoder's config.json")
        # Read by huggingface_hub and transformers when they are first imported, hence before the import.
        os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1")
        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(str(folder), local_files_only=True)
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self.name = f"{folder.name}-{_fingerprint(folder)}"

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of norm 1, shape (len(texts), dimension)."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        vectors = self._model.encode(
            list(texts), convert_to_numpy=True, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(vectors, dtype=np.float32)


def _fingerprint(folder: Path) -> str:
    """A short hash of every file of a model: other weights under the same folder name are another encoder."""
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as stream:
            whole.update(str(path.relative_to(folder)).encode())
            whole.update(hashlib.file_digest(stream, "sha256").digest())
    return whole.hexdigest()[:12]
