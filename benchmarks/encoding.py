"""How many passages a second an encoder encodes, beside sentence-transformers' own ``encode`` of the same weights.

    python -m benchmarks.encoding DOCS [--encoder FOLDER] [--dtype bfloat16] [--passages 600] [--rounds 5]

DOCS is any source of documents that `fill` reads. Both take turns; the fastest round of each counts. Vectors that are
kept from one round to the next are forgotten before each.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from rag.corpus.build import build_document
from rag.corpus.read import read_documents
from retriever.embed import SHIPPED, SentenceTransformerEncoder, load_model
from retriever.passages import passages
from retriever.vector_cache import shared_cache
from schema.problem import Problem


def main() -> None:
    """Read the command line and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", type=Path, metavar="DOCS")
    parser.add_argument("--encoder", type=Path, default=SHIPPED, help="folder (default: the shipped one)")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--passages", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    texts = read_passages(arguments.documents, arguments.passages)
    theirs = load_model(arguments.encoder, arguments.dtype)
    words = sum(len(text.split()) for text in texts) / len(texts)
    print(f"{len(texts)} passages of {words:.0f} words, {torch.get_num_threads()} threads, {theirs.device}")

    best = {"sentence-transformers": np.inf, "ours": np.inf}
    for _ in range(arguments.rounds):
        shared_cache.cache_clear()
        ours = SentenceTransformerEncoder(arguments.encoder, dtype=arguments.dtype)
        rounds = {"sentence-transformers": seconds(theirs.encode, texts), "ours": seconds(ours.encode, texts)}
        best = {name: min(best[name], rounds[name]) for name in best}
    for name, least in best.items():
        print(f"{name:22} {len(texts) / least:7.0f} passages/s")
    print(f"ours / theirs          {best['sentence-transformers'] / best['ours']:7.2f}")


def seconds(encode: Callable[[list[str]], object], texts: list[str]) -> float:
    """How long an encoder takes."""
    started = time.perf_counter()
    encode(texts)
    return time.perf_counter() - started


def read_passages(source: Path, most: int) -> list[str]:
    """The texts of the first passages of a source; no text twice."""
    problems: list[Problem] = []
    texts: dict[str, None] = {}
    for raw in read_documents(source, problems.append):
        texts |= dict.fromkeys(passage.text for passage in passages(build_document(raw, problems.append)))
        if len(texts) >= most:
            break
    return list(texts)[:most]


if __name__ == "__main__":
    main()
