"""Before a merge: whether the models can be mixed at all. Files and headers are read, no weight."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from merging.check_adapters import check_adapters
from merging.check_vocabulary import check_chat, check_specials, check_vocabulary
from merging.plan import Ingredient, Plan
from merging.result import Check, Level

#: Dimensions of a Transformer, by their key in config.json.
_SIZES = (
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
)
_DEFAULT_THETA = 10000.0
_SHOWN = 3


def check_before(plan: Plan) -> tuple[Check, ...]:
    """Every check, in order; a merge goes on when none has failed."""
    checks: tuple[Callable[[Plan], Iterator[Check]], ...] = (
        _architecture,
        _sizes,
        _tensors,
        _rope,
        _tied,
        check_vocabulary,
        check_specials,
        check_chat,
        _generation,
        _context,
        _norm,
        _dtype,
        check_adapters,
        _same_weights,
        _licences,
    )
    return tuple(result for check in checks for result in check(plan))


def _architecture(plan: Plan) -> Iterator[Check]:
    name = "architecture"
    for one in plan.all:
        if "quantization_config" in one.folder.config:
            yield Check(name, Level.FAIL, f"{one.name} is quantized; give the weights that it was made from")
    told = {one.name: _told(one.folder.config, ("model_type", "architectures")) for one in plan.all}
    yield _same(name, told, told[plan.reference.name])


def _sizes(plan: Plan) -> Iterator[Check]:
    told = {one.name: _sizes_of(one.folder.config) for one in plan.all}
    yield _same("sizes", told, f"{len(_SIZES)} dimensions are the same")


def _sizes_of(config: Mapping[str, Any]) -> str:
    heads = config.get("num_attention_heads")
    hidden = config.get("hidden_size")
    implied = {
        "num_key_value_heads": heads,
        "head_dim": hidden // heads if isinstance(heads, int) and isinstance(hidden, int) and heads else None,
    }
    read = {key: config.get(key) if config.get(key) is not None else implied.get(key) for key in _SIZES}
    return ", ".join(f"{key} {value}" for key, value in read.items())


def _tensors(plan: Plan) -> Iterator[Check]:
    reference = plan.reference
    expected = reference.folder.tensors
    sound = True
    for one in plan.all:
        tied = {"lm_head.weight"} if one.folder.is_tied and reference.folder.is_tied else set()
        if odd := sorted((one.folder.tensors.keys() ^ expected.keys()) - tied):
            sound = False
            what = f"{_some(odd)} are in one of {one.name} and {reference.name} alone, and would stay unmerged"
            yield Check("tensors", Level.FAIL, what)
        for tensor in sorted(one.folder.tensors.keys() & expected.keys()):
            mine, theirs = one.folder.tensors[tensor].shape, expected[tensor].shape
            if mine == theirs or (_is_vocabulary(plan, one, tensor) and mine[1:] == theirs[1:]):
                continue
            sound = False
            what = f"{tensor} is {_shape(mine)} in {one.name}, {_shape(theirs)} in {reference.name}"
            yield Check("tensors", Level.FAIL, what)
            break
    if sound:
        yield Check("tensors", Level.OK, f"{len(expected)} tensors, of the same shapes")


def _is_vocabulary(plan: Plan, one: Ingredient, tensor: str) -> bool:
    """Whether the first axis is that of the tokens: the vocabulary check speaks of it."""
    rows = (one.folder.rows, plan.reference.folder.rows)
    shapes = (one.folder.tensors[tensor].shape, plan.reference.folder.tensors[tensor].shape)
    return tuple(shape[0] for shape in shapes if shape) == rows


def _rope(plan: Plan) -> Iterator[Check]:
    told = {one.name: _rope_of(one.folder.config) for one in plan.all}
    yield _same("rope", told, told[plan.reference.name], " (positions would mean different things)")


def _rope_of(config: Mapping[str, Any]) -> str:
    scaling = config.get("rope_scaling") or config.get("rope_parameters") or {}
    theta = config.get("rope_theta") or scaling.get("rope_theta") or _DEFAULT_THETA
    kind = scaling.get("rope_type") or scaling.get("type") or "default"
    factors = {
        key: value
        for key, value in sorted(scaling.items())
        if key not in ("rope_type", "type", "rope_theta") and value is not None
    }
    scaled = "" if kind == "default" else f", scaling {kind} {factors}"
    return f"theta {float(theta):g}{scaled}"


def _tied(plan: Plan) -> Iterator[Check]:
    told = {one.name: "tied" if one.folder.is_tied else "not tied" for one in plan.all}
    yield _same("tied embeddings", told, told[plan.reference.name])


def _generation(plan: Plan) -> Iterator[Check]:
    name, speaker = "generation", plan.speaker
    told = {one.name: ", ".join(map(str, one.folder.ends)) or "none" for one in plan.all}
    if not speaker.folder.ends:
        yield Check(name, Level.WARN, f"{speaker.name} says no token that ends an answer")
    elif len(set(told.values())) > 1:
        what = f"answers end with {_each(told)}; those of {speaker.name} are taken"
        yield Check(name, Level.WARN, what)
    else:
        yield Check(name, Level.OK, f"answers end with {told[speaker.name]}")


def _context(plan: Plan) -> Iterator[Check]:
    told = {one.name: one.folder.config.get("max_position_embeddings") for one in plan.all}
    known = [length for length in told.values() if isinstance(length, int)]
    if len(set(told.values())) > 1 and known:
        what = f"tokens of context: {_each(told)}; the merge promises {min(known)}"
        yield Check("context", Level.WARN, what)
    else:
        yield Check("context", Level.OK, f"{known[0] if known else 'unknown'} tokens")


def _norm(plan: Plan) -> Iterator[Check]:
    told = {one.name: f"{float(one.folder.config.get('rms_norm_eps', 1e-6)):g}" for one in plan.all}
    if len(set(told.values())) > 1:
        what = f"rms_norm_eps: {_each(told)}; that of {plan.reference.name} is taken"
        yield Check("normalisation", Level.WARN, what)
    activations = {one.name: str(one.folder.config.get("hidden_act")) for one in plan.all}
    yield _same("activation", activations, activations[plan.reference.name])


def _dtype(plan: Plan) -> Iterator[Check]:
    told = {one.name: "/".join(sorted({info.dtype for info in one.folder.tensors.values()})) for one in plan.all}
    odd = {name: kinds for name, kinds in told.items() if not set(kinds.split("/")) <= {"F32", "F16", "BF16", "F64"}}
    if odd:
        yield Check("dtype", Level.FAIL, f"weights are not floating-point numbers: {_each(odd)}")
    elif len(set(told.values())) > 1:
        what = f"{_each(told)}; computed in float32, written in {plan.recipe.dtype}"
        yield Check("dtype", Level.WARN, what)
    else:
        yield Check("dtype", Level.OK, f"{told[plan.reference.name]}, written in {plan.recipe.dtype}")


def _same_weights(plan: Plan) -> Iterator[Check]:
    places: dict[tuple[str, str], str] = {}
    for one in plan.all:
        place = (str(one.folder.path.resolve()), str(one.adapter.path.resolve()) if one.adapter else "")
        if place in places:
            what = f"{places[place]} and {one.name} are the same folder"
            yield Check("different models", Level.FAIL, what)
        places[place] = one.name


def _licences(plan: Plan) -> Iterator[Check]:
    if silent := [one.name for one in plan.all if not one.origin.licence]:
        yield Check("licences", Level.WARN, f"the recipe names none for {', '.join(silent)}")
    else:
        yield Check("licences", Level.OK, "; ".join(f"{one.name}: {one.origin.licence}" for one in plan.all))


def _same(name: str, told: Mapping[str, str], fine: str, why: str = "") -> Check:
    if len(set(told.values())) == 1:
        return Check(name, Level.OK, fine)
    return Check(name, Level.FAIL, f"{_each(told)}{why}")


def _each(told: Mapping[str, object]) -> str:
    return "; ".join(f"{name}: {value}" for name, value in told.items())


def _told(config: Mapping[str, Any], keys: Sequence[str]) -> str:
    return ", ".join(f"{key} {config.get(key)}" for key in keys)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _shape(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
