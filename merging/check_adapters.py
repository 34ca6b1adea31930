"""Before a merge: whether each LoRA adapter belongs to the model it is given with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from merging.folder import AdapterFolder
from merging.plan import Ingredient, Plan
from merging.result import Check, Level

_PREFIX = "base_model.model."


def check_adapters(plan: Plan) -> Iterator[Check]:
    """Kind, shapes and declared base of every adapter; the ranks, where adapters are combined."""
    for one in plan.all:
        if one.adapter:
            yield from _one(one, one.adapter)
    adapters = [one.adapter for one in plan.parents if one.adapter]
    if plan.recipe.how.adapters and plan.recipe.method not in ("lora", "lora_cat"):
        ranks = {_rank(adapter) for adapter in adapters}
        if len(ranks) > 1:
            what = f"ranks {', '.join(map(str, sorted(ranks)))}: {plan.recipe.method} needs the same; lora_cat does not"
            yield Check("adapters", Level.FAIL, what)
    if plan.recipe.how.adapters and len(adapters) > 1:
        yield from _scales(plan)
    if plan.recipe.how.adapters and len({type(a.config.get("target_modules")) for a in adapters}) > 1:
        what = "target_modules is a list in one and a pattern in another: PEFT does not combine them"
        yield Check("adapters", Level.FAIL, what)


def _one(one: Ingredient, adapter: AdapterFolder) -> Iterator[Check]:
    name = "adapters"
    kind = str(adapter.config.get("peft_type", "")).upper()
    if kind != "LORA":
        yield Check(name, Level.FAIL, f"{one.name} is {kind or 'of no known kind'}; LoRA is expected")
        return
    if kept := adapter.config.get("modules_to_save"):
        yield Check(name, Level.WARN, f"{one.name} brings whole modules of its own: {', '.join(kept)}")
    for tensor, info in sorted(adapter.tensors.items()):
        target, _, factor = tensor.removeprefix(_PREFIX).partition(".lora_")
        base = one.folder.tensors.get(f"{target}.weight")
        if not factor or "embedding" in factor:
            continue
        if base is None:
            yield Check(name, Level.FAIL, f"{one.name} changes {target}, which {one.folder.path.name} has not")
            return
        axis = 1 if factor.startswith("A") else 0
        if info.shape[axis] != base.shape[axis]:
            what = f"{one.name} was made for another base: {target} is {info.shape[axis]} wide, not {base.shape[axis]}"
            yield Check(name, Level.FAIL, what)
            return
    declared = str(adapter.config.get("base_model_name_or_path") or "")
    known = {one.folder.path.name.lower(), PurePosixPath(one.origin.source).name.lower()}
    if declared and PurePosixPath(declared.rstrip("/")).name.lower() not in known:
        what = f"{one.name} says that its base is {PurePosixPath(declared).name}, and is put on {one.folder.path.name}"
        yield Check(name, Level.WARN, what)
    else:
        yield Check(name, Level.OK, f"{one.name}: rank {_rank(adapter)}, on {one.folder.path.name}")


def _scales(plan: Plan) -> Iterator[Check]:
    """PEFT gives the combined adapter the first one's kind of scaling, but not the rank and alpha it was meant for."""
    for one in plan.parents:
        for kind in ("use_rslora", "use_dora", "alpha_pattern"):
            if one.adapter and one.adapter.config.get(kind):
                what = f"{one.name} uses {kind}, which PEFT does not keep when it combines adapters"
                yield Check("adapters", Level.FAIL, f"{what}; merge each into its base, then merge those")


def _rank(adapter: AdapterFolder) -> int:
    patterns = (adapter.config.get("rank_pattern") or {}).values()
    return max(int(rank) for rank in (adapter.config.get("r", 0), *patterns))
