"""LoRA adapters merged into their base, or combined, by PEFT. Computed in float32: 4 bytes of memory per parameter."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from merging.plan import Plan
from merging.with_mergekit import full_disk_is_an_os_error
from schema.quiet import quiet_transformers

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_COMBINED = "combined"


def apply_adapter(model: Path, adapter: Path, out: Path) -> None:
    """Write in ``out`` the weights of a model with a LoRA adapter merged into it, in float32."""
    from peft import PeftModel

    with quiet_transformers():
        tuned = PeftModel.from_pretrained(_load(model), adapter)
    _save(tuned.merge_and_unload(safe_merge=True), out, "float32")


def run_peft(plan: Plan, out: Path) -> None:
    """Write in ``out`` the weights that a recipe of adapters makes.

    The random numbers of the process are seeded, for those of ``lora_dare_…``; `merging.dice` gives them back.
    """
    import torch
    from peft import PeftModel

    first, *others = plan.parents
    recipe = plan.recipe
    with quiet_transformers():
        tuned = PeftModel.from_pretrained(_load(first.folder.path), _adapter(first), adapter_name=first.name)
    chosen = first.name
    if others:
        for one in others:
            tuned.load_adapter(_adapter(one), adapter_name=one.name)
        weights = [recipe.parent_values(parent)["weight"] for parent in recipe.parents]
        torch.manual_seed(recipe.seed)
        tuned.add_weighted_adapter(
            [one.name for one in plan.parents],
            weights,
            _COMBINED,
            combination_type=recipe.how.called,
            density=recipe.shared_values().get("density"),
        )
        tuned.set_adapter(_COMBINED)
        chosen = _COMBINED
    _save(tuned.merge_and_unload(safe_merge=True, adapter_names=[chosen]), out, recipe.dtype)


def _adapter(one: Any) -> Path:
    return Path(one.adapter.path)


def _load(folder: Path) -> PreTrainedModel:
    import torch
    from transformers import AutoModelForCausalLM

    with quiet_transformers():
        return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)


def _save(model: Any, out: Path, dtype: str) -> None:
    import torch

    with quiet_transformers(), full_disk_is_an_os_error(out):
        model.to(getattr(torch, dtype)).save_pretrained(out)
