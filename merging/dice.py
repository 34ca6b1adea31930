"""The random numbers of the process, which mergekit, PEFT and Transformers all draw from."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def same_dice() -> Iterator[None]:
    """Give the process's random numbers back as they were, whatever the block draws or seeds."""
    import numpy as np
    import torch

    kept = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])
        torch.set_rng_state(kept[2])
