"""Models loaded, merged and saved without what Transformers says of itself, wherever that is done."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Without the bars of Transformers, its advice and its warnings of what will change: no user can act on them."""
    from transformers.utils import logging

    level, were_shown = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        logging.set_verbosity(level)
        if were_shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
