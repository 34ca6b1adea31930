"""The folders that are handed to mergekit: each parent as a whole model, its difference trimmed where that is cached.

Trimming keeps the largest differences of every tensor, and sorts all of them for that: on large models most of the time
of TIES and breadcrumbs. A search tries the same densities again and again, so a parent trimmed once is kept: a model
whose every weight is the parent's where the difference is kept, and the base's where it is not. Merged with density 1
it gives the same bits as the parent merged with its density.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from merging.folder import hash_weights
from merging.plan import Ingredient, Plan
from merging.recipe import Parent, Recipe
from merging.weights import open_weights
from merging.with_mergekit import full_disk_is_an_os_error
from merging.with_peft import apply_adapter

#: What says how to read a text and what to answer with; copied beside weights.
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "vocab.json",
    "merges.txt",
)
_TRIMMED_BY = {"ties": "magnitude", "breadcrumbs": "magnitude_outliers", "breadcrumbs_ties": "magnitude_outliers"}
_SHARD = 5_000_000_000


def can_be_trimmed(plan: Plan) -> bool:
    """Whether the parents' differences may be trimmed ahead: not by chance, and tensor against tensor."""
    return plan.recipe.method in _TRIMMED_BY and not plan.needs_union


def whole_models(plan: Plan, folder: Path, say: Callable[[str], None]) -> dict[str, Path]:
    """Each model of a plan as a whole model, by name; those with adapters are made in ``folder``, or found there."""
    return {one.name: _whole(one, folder, say) for one in plan.all}


def trimmed_models(plan: Plan, wholes: Mapping[str, Path], folder: Path, say: Callable[[str], None]) -> dict[str, Path]:
    """The same, each parent's difference from the base trimmed to its density; made in ``folder``, or found there."""
    found = dict(wholes)
    for parent in plan.recipe.parents:
        found[parent.name] = _trimmed(plan.recipe, parent, wholes, folder, say)
    return found


def _whole(one: Ingredient, folder: Path, say: Callable[[str], None]) -> Path:
    model = one.folder.path
    if one.adapter is None:
        return model
    adapter = one.adapter.path
    target = folder / f"adapted-{_name(hash_weights(model), hash_weights(adapter), str(dict(one.adapter.config)))}"

    def make(aside: Path) -> None:
        say(f"{one.name}: adapter merged into its base")
        apply_adapter(model, adapter, aside)
        _copy(model, aside, ("generation_config.json", *TOKENIZER_FILES))

    return _kept(target, make)


def _trimmed(
    recipe: Recipe, parent: Parent, wholes: Mapping[str, Path], folder: Path, say: Callable[[str], None]
) -> Path:
    values = recipe.parent_values(parent)
    density, gamma = values["density"], values.get("gamma", 0.0)
    own, base = wholes[parent.name], wholes["base"]
    target = folder / f"trimmed-{_name(hash_weights(base), hash_weights(own), recipe.method, str(density), str(gamma))}"

    def make(aside: Path) -> None:
        say(f"{parent.name}: difference trimmed to {density:g}")
        _write_trimmed(base, own, aside, _TRIMMED_BY[recipe.method], density, gamma)
        _copy(own, aside, ("config.json", "generation_config.json", *TOKENIZER_FILES))

    return _kept(target, make)


def _write_trimmed(base: Path, own: Path, out: Path, kind: str, density: float, gamma: float) -> None:
    import torch
    from mergekit.io.tensor_writer import TensorWriter
    from mergekit.sparsify import SparsificationMethod, sparsify

    writer = TensorWriter(str(out), max_shard_size=_SHARD)
    with open_weights(base) as bases, open_weights(own) as owns, full_disk_is_an_os_error(out):
        for name in owns.names:
            mine = owns.get(name)
            if name not in bases or not mine.is_floating_point():
                writer.save_tensor(name, mine)
                continue
            theirs = bases.get(name)
            difference = mine.float() - theirs.float()
            kept = sparsify(difference, density, SparsificationMethod(kind), gamma=gamma)
            writer.save_tensor(name, torch.where(kept != 0, mine, theirs))
        writer.finalize()


def _kept(target: Path, make: Callable[[Path], None]) -> Path:
    """A folder that is made once; a process killed meanwhile leaves nothing that could pass for it."""
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        aside.mkdir()
        make(aside)
        aside.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target


def _copy(source: Path, target: Path, names: tuple[str, ...]) -> None:
    for name in names:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


def _name(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]
