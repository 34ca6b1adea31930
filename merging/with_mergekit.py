"""The merge itself, by mergekit.

What mergekit 0.1.5 does by itself, and what is done here instead:

- it takes misspelt keys without a word: a recipe is strict, and every parameter is given to it, defaults included;
- it draws from the process's random numbers, unseeded unless asked: they are seeded (`merging.dice` gives them back);
- without a base it takes configuration and tokenizer from whichever model comes first in a set: one is named;
- it keeps the files of a folder open for later merges, though the folder may have changed: they are closed;
- it reads "+" and "@" in a path as an adapter and a revision: paths are given apart from those;
- it computes in the dtype of the models: float32 here, rounded once, at the end.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from merging.recipe import BASE, Recipe
from schema.quiet import quiet_transformers

#: Bytes of a file of weights, at most; they are held in memory until it is written.
_SHARD = 5_000_000_000


def run_mergekit(
    recipe: Recipe,
    folders: Mapping[str, Path],
    out: Path,
    *,
    tokenizer: Path | None = None,
    trimmed: bool = False,
    progress: bool = False,
) -> list[str]:
    """Merge the models in ``folders`` (by name in the recipe) into weights in ``out``.

    Args:
        tokenizer: folder of the tokenizer to which embeddings are aligned; None when all models have the same tokens.
        trimmed: the parents' differences have been trimmed to their densities already.

    Returns:
        What mergekit warned of.

    Raises:
        OSError: the disk is full, or a file cannot be read or written.
    """
    from mergekit.config import MergeConfiguration
    from mergekit.io.tasks import LoaderCache
    from mergekit.merge import run_merge
    from mergekit.options import MergeOptions

    configuration = MergeConfiguration.model_validate(configuration_of(recipe, folders, tokenizer, trimmed))
    options = MergeOptions(
        random_seed=recipe.seed,
        lazy_unpickle=True,
        copy_tokenizer=False,
        write_model_card=False,
        out_shard_size=_SHARD,
        quiet=not progress,
    )
    cache = LoaderCache()
    cache.loaders.clear()
    with _heard() as warnings, quiet_transformers(), full_disk_is_an_os_error(out):
        try:
            run_merge(configuration, str(out), options)
        finally:
            cache.loaders.clear()
    return warnings


def configuration_of(
    recipe: Recipe, folders: Mapping[str, Path], tokenizer: Path | None = None, trimmed: bool = False
) -> dict[str, Any]:
    """The recipe as mergekit writes it."""
    reference = BASE if recipe.how.needs_base else recipe.parents[0].name
    models = []
    for parent in recipe.parents:
        values = recipe.parent_values(parent)
        if trimmed and "density" in values:
            values["density"] = 1.0
        models.append({"model": _model(folders[parent.name]), "parameters": values})
    content: dict[str, Any] = {
        "merge_method": recipe.how.called,
        "base_model": _model(folders[reference]),
        "models": models,
        "parameters": recipe.shared_values(),
        "dtype": "float32",
        "out_dtype": recipe.dtype,
    }
    if tokenizer:
        content["tokenizer"] = {"source": _model(tokenizer)}
    return content


def _model(folder: Path) -> dict[str, Any]:
    return {"model": {"path": str(folder.resolve())}}


class _Ear(logging.Handler):
    def __init__(self, heard: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        # mergekit warns through its own loggers and through the root one.
        if record.name == "root" or record.name.startswith("mergekit"):
            self._heard.append(record.getMessage())


@contextmanager
def _heard() -> Iterator[list[str]]:
    heard: list[str] = []
    ear = _Ear(heard)
    root = logging.getLogger()
    root.addHandler(ear)
    try:
        yield heard
    finally:
        root.removeHandler(ear)


@contextmanager
def full_disk_is_an_os_error(out: Path) -> Iterator[None]:
    """Turn what safetensors says of a full disk into the OSError that it is."""
    from safetensors import SafetensorError

    try:
        yield
    except (SafetensorError, RuntimeError) as error:
        said = str(error)
        for code, words in ((errno.ENOSPC, "No space left"), (errno.EFBIG, "File too large")):
            if words.lower() in said.lower():
                what = "the model could not be written whole: no room left on the disk"
                raise OSError(code, what, str(out)) from error
        raise
