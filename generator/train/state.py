"""A training that a kill cannot lose: what it is made of, a checkpoint put in place whole, a manifest at its end."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from schema.problem import InputError, Problem

#: Beside the adapter: what it was made of, and its figures.
MANIFEST = "manifest.json"
_CHECKPOINT = "checkpoint.pt"


def digest_of(things: object) -> str:
    """A name for plain values, the same in every process."""
    return sha256(repr(things).encode("utf-8", "surrogatepass")).hexdigest()


def read_manifest(out: Path, made: Mapping[str, Any]) -> dict[str, Any] | None:
    """The manifest of a training that is over and was made of ``made``; None where there is none."""
    file = out / MANIFEST
    if not file.exists():
        return None
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content if content.get("made_of") == dict(made) else None


def check_free(out: Path, resume: bool) -> None:
    """Raise InputError when ``out`` holds an adapter or a training, and ``resume`` is not asked for."""
    if not resume and ((out / _CHECKPOINT).exists() or (out / MANIFEST).exists()):
        what = "holds an adapter or a training already."
        raise InputError(Problem(str(out), what, "Choose another --out, or go on with --resume."))


def read_checkpoint(out: Path, made: Mapping[str, Any], resume: bool) -> dict[str, Any] | None:
    """The state to go on from; None for a training from its start.

    Raises:
        InputError: ``out`` holds an adapter or a training and ``resume`` is not asked for, or holds those of other
            pairs, another plan, another model or other versions than ``made``.
    """
    import torch

    check_free(out, resume)
    file = out / _CHECKPOINT
    changed = "is made of other pairs, another plan, another model or other versions."
    if not resume or not file.exists():
        if (out / MANIFEST).exists():
            raise InputError(Problem(str(out), changed, "Give the same arguments, or choose another --out."))
        return None
    state: dict[str, Any] = torch.load(file, weights_only=True, map_location="cpu")
    if state["made_of"] != dict(made):
        raise InputError(Problem(str(file), changed, "Give the same arguments, or choose another --out."))
    return state


def write_checkpoint(out: Path, made: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Keep a state, tensors and plain values; it is in place whole or not at all."""
    import torch

    _replace(out / _CHECKPOINT, lambda path: torch.save({**state, "made_of": dict(made)}, path))


def finish(out: Path, made: Mapping[str, Any], figures: Mapping[str, Any]) -> None:
    """The training is over: write the manifest, drop the checkpoint."""
    text = json.dumps({"made_of": dict(made), **figures}, ensure_ascii=False, indent=1) + "\n"
    _replace(out / MANIFEST, lambda path: path.write_text(text, encoding="utf-8"))
    (out / _CHECKPOINT).unlink(missing_ok=True)


def _replace(file: Path, write: Callable[[Path], object]) -> None:
    beside = file.with_name(file.name + ".new")
    write(beside)
    beside.replace(file)
