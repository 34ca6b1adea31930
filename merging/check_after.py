"""After a merge: whether what was written is a model, whole, mixed, and able to speak."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from merging.folder import ModelFolder, read_folder
from merging.perplexity import perplexity
from merging.plan import Plan
from merging.result import Check, Level
from merging.weights import Weights, open_weights
from schema.problem import InputError
from schema.quiet import quiet_transformers

if TYPE_CHECKING:
    from torch import Tensor

#: Times the worst of the parents' perplexities on the same text: above the first, said; above the second, refused.
SOUND, BROKEN = 1.1, 3.0
_SHOWN = 3
_PROMPT = "Le patient"


@dataclass(frozen=True, slots=True)
class Spoken:
    """Perplexity of each model on the texts of one name."""

    text: str
    of: Mapping[str, float]


def check_after(
    plan: Plan, folders: Mapping[str, Path], out: Path, texts: Mapping[str, Sequence[str]]
) -> tuple[tuple[Check, ...], tuple[Spoken, ...]]:
    """Every check of the model in ``out``, in order; and the perplexities, where there are ``texts``.

    Args:
        folders: the whole models that were merged, by name in the recipe.
        texts: a few texts that each parent should be at ease with, by a name of your choice.
    """
    try:
        merged = read_folder(out)
    except InputError as error:
        return (Check("files", Level.FAIL, str(error)),), ()
    checks = [Check("files", Level.OK, f"{len(merged.tensors)} tensors, {_size(out) / 1e6:.1f} MB")]
    checks += _names(plan, merged)
    if any(check.level is Level.FAIL for check in checks):
        return tuple(checks), ()
    checks += _values(plan, folders, out, merged)
    spoken: list[Spoken] = []
    if all(check.level is not Level.FAIL for check in checks):
        checks += _speaks(folders, out, merged, texts, spoken)
    return tuple(checks), tuple(spoken)


def _size(out: Path) -> int:
    return sum(file.stat().st_size for file in out.iterdir() if file.is_file())


def _names(plan: Plan, merged: ModelFolder) -> Iterator[Check]:
    name, expected = "tensors", plan.reference.folder.tensors
    odd = merged.tensors.keys() ^ expected.keys()
    if merged.is_tied:
        odd -= {"lm_head.weight"}
    sizes = {
        tensor
        for tensor in merged.tensors.keys() & expected.keys()
        if merged.tensors[tensor].shape != _expected_shape(plan, merged, tensor)
    }
    if odd or sizes:
        yield Check(name, Level.FAIL, f"missing, added or of another shape: {_some(odd | sizes)}")
    else:
        yield Check(name, Level.OK, "all that were expected")


def _expected_shape(plan: Plan, merged: ModelFolder, tensor: str) -> tuple[int, ...]:
    shape = plan.reference.folder.tensors[tensor].shape
    grows = plan.needs_union and shape and shape[0] == plan.reference.folder.rows
    return (merged.rows, *shape[1:]) if grows else shape


def _values(plan: Plan, folders: Mapping[str, Path], out: Path, merged: ModelFolder) -> Iterator[Check]:
    import torch

    broken: list[str] = []
    unmixed: dict[str, str] = {}
    untied = False
    with ExitStack() as stack:
        result = stack.enter_context(open_weights(out))
        models = {name: stack.enter_context(open_weights(folder)) for name, folder in folders.items()}
        for tensor in result.names:
            value = result.get(tensor)
            if not torch.isfinite(value).all():
                broken.append(tensor)
            elif twin := _equal_to(plan, models, tensor, value):
                unmixed[tensor] = twin
        if merged.is_tied and "lm_head.weight" in result:
            untied = not torch.equal(result.get("lm_head.weight"), result.get("model.embed_tokens.weight"))
    if broken:
        yield Check("finite", Level.FAIL, f"NaN or infinite numbers in {_some(broken)}")
    else:
        yield Check("finite", Level.OK, "no NaN, no infinite number")
    large = [tensor for tensor in unmixed if len(merged.tensors[tensor].shape) > 1]
    if unmixed:
        level = Level.FAIL if large else Level.WARN  # a vector of a few numbers may be all dropped
        shown = _some([f"{tensor} (that of {unmixed[tensor]})" for tensor in large or unmixed])
        yield Check("mixed", level, f"equal to the tensor of one model alone: {shown}")
    elif not broken:
        yield Check("mixed", Level.OK, "every tensor that should be mixed is")
    if merged.is_tied:
        level, what = (Level.FAIL, "differs from") if untied else (Level.OK, "is")
        yield Check("tied embeddings", level, f"the output layer {what} the embedding")


def _equal_to(plan: Plan, models: Mapping[str, Weights], tensor: str, value: Tensor) -> str:
    """The one model that a tensor comes from though several should have a part in it; "" when it is as it should be."""
    import torch

    of = {
        name: weights.get(tensor).to(value.dtype)
        for name, weights in models.items()
        if tensor in weights and tuple(weights.get(tensor).shape) == tuple(value.shape)
    }
    if plan.recipe.how.adapters:
        touched = any(tensor.removesuffix(".weight") in name for one in plan.parents for name in _targets(one.adapter))
        if "base" in of and touched == torch.equal(value, of["base"]):
            return "base" if touched else "no model"
        return ""
    parts = [name for name in _contributors(plan) if name in of]
    reference = of.get("base")
    if reference is not None:
        parts = [name for name in parts if not torch.equal(of[name], reference)]
    elif len(parts) > 1 and all(torch.equal(of[parts[0]], of[name]) for name in parts[1:]):
        return ""
    if len(parts) < 2:
        return ""
    suspects = [*parts, *(["base"] if reference is not None else [])]
    return next((name for name in suspects if torch.equal(value, of[name])), "")


def _targets(adapter: Any) -> list[str]:
    return [name for name in adapter.tensors if ".lora_B" in name] if adapter else []


def _contributors(plan: Plan) -> list[str]:
    """Names of the parents that have a part in the result."""
    recipe = plan.recipe
    if recipe.method == "slerp" and recipe.shared_values()["t"] in (0.0, 1.0):
        return []
    if recipe.shared_values().get("lambda") == 0.0:
        return []
    return [parent.name for parent in recipe.parents if recipe.parent_values(parent).get("weight") != 0.0]


def _speaks(
    folders: Mapping[str, Path],
    out: Path,
    merged: ModelFolder,
    texts: Mapping[str, Sequence[str]],
    spoken: list[Spoken],
) -> Iterator[Check]:
    try:
        model, tokenizer = _open(out)
    except Exception as error:  # whatever Transformers raises, the model is of no use
        yield Check("loads", Level.FAIL, f"Transformers cannot open it: {type(error).__name__}")
        return
    yield Check("loads", Level.OK, f"{type(model).__name__}, {model.num_parameters() / 1e6:.1f} M parameters")
    yield _generates(model, tokenizer, merged)
    if not texts:
        return
    of_merge = {name: perplexity(model, tokenizer, given) for name, given in texts.items()}
    del model
    of_others: dict[str, dict[str, float]] = {name: {} for name in texts}
    for one, folder in folders.items():
        other, its_tokenizer = _open(folder)
        for name, given in texts.items():
            of_others[name][one] = perplexity(other, its_tokenizer, given)
        del other
    for name, figure in of_merge.items():
        spoken.append(Spoken(name, {"merge": figure, **of_others[name]}))
        yield _sane(name, figure, of_others[name])


def _open(folder: Path) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with quiet_transformers():
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype="auto", local_files_only=True)
    return model.eval(), tokenizer


def _generates(model: Any, tokenizer: Any, merged: ModelFolder) -> Check:
    import torch

    try:
        asked = tokenizer(_PROMPT, return_tensors="pt", return_token_type_ids=False)
        with torch.no_grad():
            answer = model.generate(**asked, max_new_tokens=8, min_new_tokens=1, do_sample=False)[0]
            finite = bool(torch.isfinite(model(**asked).logits).all())
    except Exception as error:  # as above
        return Check("generates", Level.FAIL, f"{type(error).__name__} while answering")
    if not finite:
        return Check("generates", Level.FAIL, "its answers have probabilities that are no numbers")
    new = answer.tolist()[asked["input_ids"].shape[1] :]
    if beyond := [number for number in new if number >= max(len(merged.vocabulary), 1)]:
        return Check("generates", Level.WARN, f"answers with tokens that the tokenizer has not: {beyond[:_SHOWN]}")
    return Check("generates", Level.OK, f"{len(new)} tokens")


def _sane(name: str, figure: float, others: Mapping[str, float]) -> Check:
    worst = max(others.values())
    what = f"{figure:.4g}; {', '.join(f'{one} {value:.4g}' for one, value in others.items())}"
    if not math.isfinite(figure) or figure > BROKEN * worst:
        return Check(f"perplexity of {name}", Level.FAIL, f"{what}: far worse than the worst of its parents")
    if figure > SOUND * worst:
        return Check(f"perplexity of {name}", Level.WARN, f"{what}: worse than the worst of its parents")
    return Check(f"perplexity of {name}", Level.OK, what)


def _some(names: Sequence[str] | set[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - _SHOWN} more" if len(ordered) > _SHOWN else ""
    return ", ".join(ordered[:_SHOWN]) + more
