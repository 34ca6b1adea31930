"""Measure the temporal encoder: a whole timeline, and one document more, by cell.

    python benchmarks/recurrent.py [--documents 200] [--passages 1000] [--dim 192] [--hidden 96] [--threads 1]

Random vectors of norm 1, on the CPU, without gradient. "fold" is how many times cheaper one document more is than the
whole timeline: the recurrent part alone, without the text encoder, which reads that document's passages only.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch

from retriever.cells import CELLS
from retriever.kinds import KINDS
from retriever.recurrent import TemporalConfig, TemporalEncoder, TimelineTensors


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=200)
    parser.add_argument("--passages", type=int, default=1000)
    parser.add_argument("--dim", type=int, default=192)
    parser.add_argument("--hidden", type=int, default=96)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    torch.manual_seed(0)
    timeline = random_timeline(asked.documents, asked.passages, asked.dim)
    print(f"{'cell':<14}{'weights':>9}{'timeline':>12}{'one more':>12}{'fold':>7}")
    for cell in CELLS:
        encoder = TemporalEncoder(TemporalConfig(asked.dim, asked.hidden, cell)).eval()
        with torch.no_grad():
            state = encoder(timeline).last
            new = timeline.document(asked.documents - 1)
            whole = milliseconds(partial(encoder, timeline), 20)
            more = milliseconds(partial(encoder.step, state, new), 200)
        weights = sum(weight.numel() for weight in encoder.parameters())
        print(f"{cell:<14}{weights:>9}{whole:>9.2f} ms{more:>9.2f} ms{whole / more:>7.0f}")


def random_timeline(documents: int, passages: int, dim: int) -> TimelineTensors:
    """Passages spread at random over documents of one to sixty days apart."""
    return TimelineTensors(
        vectors=torch.nn.functional.normalize(torch.randn(passages, dim), dim=1),
        owner=torch.randint(documents, (passages,)).sort().values,
        kinds=torch.randint(len(KINDS), (documents,)),
        days=torch.randint(1, 60, (documents,)).cumsum(0).float(),
        dated=torch.ones(documents, dtype=torch.bool),
    )


def milliseconds(call: Callable[[], object], times: int) -> float:
    """The median time of a call."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - start))
    return statistics.median(taken)


if __name__ == "__main__":
    main()
