"""Text encoders: what an encoder is, and those that exist.

| encoder | needs | source |
|---|---|---|
| `HashedNgramEncoder` | nothing | Weinberger et al. 2009 (feature hashing) |
| `SentenceTransformerEncoder` | a folder with a model's weights | Reimers and Gurevych 2019 |
| `shipped_encoder()` | nothing: its weights come with the package | `retriever/model/encoder/README.md` |
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from retriever.lexical import tokens
from retriever.vector_cache import shared_cache, text_key
from schema.problem import InputError, Problem

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = NDArray[np.float32]

#: The folder of the encoder that comes with the package.
SHIPPED = Path(__file__).parent / "model" / "encoder"

_WINDOW = 512  # word pieces, at most: longer windows cost more than their context brings
_OVERLAP = 8  # an eighth of a window is read again by the next
_BATCH_PIECES = {"cpu": 4096, "cuda": 65536}  # word pieces encoded at once, padding included


class Encoder(Protocol):
    """Turns texts into vectors whose dot product says how near two texts are.

    ``name`` changes whenever the vectors would: an index built under another name is not comparable.
    """

    name: str
    dimension: int

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of norm 1 (0 for a text without content), shape (len(texts), dimension)."""


class HashedNgramEncoder:
    """Spelling, not meaning. No weights, no training, the same vectors on every machine.

    A text is the bag of the 3- to 5-letter pieces of its words (stop words removed); each piece is sent by a hash
    to one of 2048 places with a sign, which is a sparse random projection that needs no matrix. Two texts are near
    when their words look alike: it finds "thrombolysé" for "thrombolyse", misspellings and OCR slips, which BM25
    misses. It does not know that "tension" and "HTA" are related: that takes a trained model.
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
    """Any BERT-type encoder kept in a local folder: a sentence-transformers model, or a plain one, then mean-pooled.

    A text longer than the model reads (512 word pieces for a CamemBERT) is read in windows that overlap; its vector is
    the mean of theirs, weighted by what each adds. Vectors are kept by a hash of their text
    (`retriever.vector_cache`), for the length of the process. A graphics card is used where there is one. The network
    is never used, and code shipped in the folder is never run. Calls from several threads wait for one another.

    Args:
        folder: holds ``config.json``, the weights and the tokenizer, as the hub lays them out.
        dtype: "bfloat16" halves memory and is faster where the processor or card has it; vectors then have three
            significant digits, and the encoder another name.
        cache: also keep the vectors in this folder, for later runs.

    Raises:
        ValueError: ``folder`` is not a folder (a model's public name is refused: it would be downloaded).
        InputError: it holds no encoder that can be read.
    """

    def __init__(
        self, folder: Path, *, dtype: Literal["float32", "bfloat16"] = "float32", cache: Path | None = None
    ) -> None:
        if not folder.is_dir():
            raise ValueError(f"{folder} is not a folder; give the folder that holds the encoder's config.json")
        self._model = load_model(folder, dtype)
        self._tokenizer: Any = self._model.tokenizer
        self._window = _window(self._model)
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        precision = "" if dtype == "float32" else f"-{dtype}"
        self.name = f"{_shape(folder)}-{_fingerprint(folder)}{precision}"
        self._cache = shared_cache(self.name, cache)
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of norm 1 (0 for a blank text), shape (len(texts), dimension)."""
        keys = [text_key(text) for text in texts]
        found = self._cache.get(keys)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found and text.strip()}
        if missing:
            with self._lock:
                made = self._encode(list(missing.values()))
            new = dict(zip(missing, made, strict=True))
            self._cache.put(new)
            found |= new
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, key in enumerate(keys):
            if key in found:
                vectors[row] = found[key]
        return vectors

    def _encode(self, texts: list[str]) -> Vectors:
        import torch

        cut = self._tokenizer(
            texts,
            truncation=True,
            max_length=self._window,
            stride=self._window // _OVERLAP,
            return_overflowing_tokens=True,
            return_attention_mask=False,
            return_token_type_ids=False,
        )
        windows: list[list[int]] = cut["input_ids"]
        owners = np.asarray(cut["overflow_to_sample_mapping"])
        found = np.zeros((len(windows), self.dimension), dtype=np.float32)
        device = self._model.device
        with torch.inference_mode():
            for rows in _batches([len(window) for window in windows], device.type):
                lengths = torch.tensor([len(windows[row]) for row in rows])
                longest = int(lengths.max())
                padded = [windows[row] + [self._tokenizer.pad_token_id] * (longest - len(windows[row])) for row in rows]
                mask = torch.arange(longest)[None, :] < lengths[:, None]  # (B, longest)
                features = {"input_ids": torch.tensor(padded).to(device), "attention_mask": mask.long().to(device)}
                found[rows] = self._model(features)["sentence_embedding"].float().cpu().numpy()
        return _normalized(_averaged(_normalized(found), np.array([len(w) for w in windows]), owners, len(texts)))


@cache
def shipped_encoder() -> SentenceTransformerEncoder:
    """The small French clinical encoder that comes with the package; one for the whole process."""
    return SentenceTransformerEncoder(SHIPPED)


def load_model(folder: Path, dtype: str) -> SentenceTransformer:
    """Load the model of a local folder, its weights as ``dtype``; a plain one is mean-pooled.

    Raises:
        InputError: the folder holds no encoder that can be read.
    """
    # Read by huggingface_hub and transformers when they are first imported, hence before the import.
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1")
    from safetensors import SafetensorError
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling

    weights = {"dtype": dtype, "local_files_only": True}
    local = {"local_files_only": True}
    try:
        with quiet():
            if (folder / "modules.json").is_file():
                model = SentenceTransformer(str(folder), local_files_only=True, model_kwargs=weights)
            else:
                bert = Transformer(str(folder), model_kwargs=weights, processor_kwargs=local, config_kwargs=local)
                model = SentenceTransformer(modules=[bert, Pooling(bert.get_embedding_dimension(), "mean")])
    except (OSError, ValueError, RuntimeError, ImportError, KeyError, SafetensorError) as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]
        remedy = "Give the folder of a BERT, RoBERTa or CamemBERT encoder with its tokenizer.json."
        raise InputError(Problem(str(folder), f"cannot be loaded ({reason}).", remedy)) from None
    network: Any = getattr(model[0], "auto_model", None)
    if getattr(network, "pooler", None) is not None:
        network.pooler = None  # a layer for the first piece, absent from most weights, hence random; we average
    return model.eval()


@contextmanager
def quiet() -> Iterator[None]:
    """Without the progress bars and the advice of transformers, which would run into ours."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _window(model: SentenceTransformer) -> int:
    """Word pieces read at once, special ones included."""
    config: Any = getattr(model[0], "config", None)
    limits = [int(model.max_seq_length or _WINDOW), _WINDOW]
    positions = getattr(config, "max_position_embeddings", 0) or 0
    if positions > 0:
        # RoBERTa and its kin number positions from their padding token on.
        roberta = config.model_type in ("roberta", "camembert", "xlm-roberta")
        limits.append(positions - (int(config.pad_token_id or 0) + 1 if roberta else 0))
    return min(limits)


def _batches(lengths: Sequence[int], device: str) -> Iterator[list[int]]:
    """Rows of about the same length, longest first, so that little is padded and a lack of memory shows at once."""
    most = _BATCH_PIECES.get(device, _BATCH_PIECES["cuda"])
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    start = 0
    while start < len(order):
        count = max(1, most // lengths[order[start]])
        yield order[start : start + count]
        start += count


def _averaged(windows: Vectors, lengths: NDArray[np.int64], owners: NDArray[np.int64], size: int) -> Vectors:
    """The mean of each text's windows by their lengths: (W, d), (W,), (W,) -> (size, d)."""
    if len(owners) == size:
        return windows  # one each, in order
    sums = np.zeros((size, windows.shape[1]), dtype=np.float32)
    np.add.at(sums, owners, windows * lengths[:, None].astype(np.float32))
    return sums


def _normalized(vectors: Vectors) -> Vectors:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    normalized: Vectors = vectors / np.maximum(norms, np.finfo(np.float32).tiny)
    return normalized


def _shape(folder: Path) -> str:
    """What the encoder is, for the reader of its name ("camembert-12x768")."""
    files = [folder / "config.json", folder / "0_Transformer" / "config.json"]
    file = next((file for file in files if file.is_file()), None)
    config = json.loads(file.read_text("utf-8")) if file else {}
    return f"{config.get('model_type', 'encoder')}-{config.get('num_hidden_layers', 0)}x{config.get('hidden_size', 0)}"


def _fingerprint(folder: Path) -> str:
    """A short hash of the files that decide the vectors: other weights under the same folder name are another encoder.

    Cards, manifests and hidden files decide nothing; the folder's name neither.
    """
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder)
        if name.suffix == ".md" or name.name == "manifest.json" or any(part.startswith(".") for part in name.parts):
            continue
        with path.open("rb") as stream:
            whole.update(str(name).encode())
            whole.update(hashlib.file_digest(stream, "sha256").digest())
    return whole.hexdigest()[:12]
