"""What trainings share: a checkpoint that a killed run goes on from, and a manifest of what the model was made of."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from schema.problem import InputError, Problem

#: Beside the model: what it was made of, and its figures.
MANIFEST = "manifest.json"
_CHECKPOINT = "checkpoint.pt"
_LIBRARIES = ("cohort-rag", "torch", "transformers", "tokenizers")


def made_of(plan: Mapping[str, Any], examples: Sequence[object], development: Sequence[object]) -> dict[str, Any]:
    """What decides a training's result: the plan, the examples (by the hash of their ``repr``), the versions."""
    return {
        "plan": dict(plan),
        "examples": len(examples),
        "examples_sha256": _hash(examples),
        "development": len(development),
        "development_sha256": _hash(development),
        "versions": {name: metadata.version(name) for name in _LIBRARIES},
    }


def read_checkpoint(out: Path, made: Mapping[str, Any], resume: bool) -> dict[str, Any] | None:
    """The state to go on from; None for a training from its start.

    Raises:
        InputError: ``out`` holds a model or a training and ``resume`` is not asked for; or it is, and there is none, or
            one of other examples, another plan or other versions than ``made``.
    """
    file = out / _CHECKPOINT
    if not resume:
        if file.exists() or (out / MANIFEST).exists():
            what = "holds a model or a training already."
            raise InputError(Problem(str(out), what, "Choose another --out, or go on with --resume."))
        return None
    if not file.exists():
        raise InputError(Problem(str(out), "holds no training to resume.", "Leave out --resume."))
    checkpoint: dict[str, Any] = torch.load(file, weights_only=True, map_location="cpu")
    if checkpoint["made_of"] != made:
        what = "is the training of other examples, another plan or other versions."
        raise InputError(Problem(str(file), what, "Give the same arguments, or choose another --out."))
    return checkpoint


def write_checkpoint(out: Path, state: Mapping[str, Any]) -> None:
    """Keep a state, tensors and plain values; its "made_of" is compared when it is read again."""
    _replace(out / _CHECKPOINT, lambda path: torch.save(dict(state), path))


def drop_checkpoint(out: Path) -> None:
    """The training is over."""
    (out / _CHECKPOINT).unlink(missing_ok=True)


def write_manifest(out: Path, content: Mapping[str, Any]) -> None:
    """Write ``MANIFEST`` in ``out``."""
    text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    _replace(out / MANIFEST, lambda path: path.write_text(text, encoding="utf-8"))


def _replace(file: Path, write: Callable[[Path], object]) -> None:
    """Write beside, then put in place: a kill leaves the old file or the new one, never half a file."""
    beside = file.with_name(file.name + ".new")
    write(beside)
    beside.replace(file)


def _hash(examples: Sequence[object]) -> str:
    total = sha256()
    for example in examples:
        total.update(repr(example).encode("utf-8", "surrogatepass"))
    return total.hexdigest()
