"""The weights of a model in a folder, read one tensor at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from merging.folder import weight_files

if TYPE_CHECKING:
    from torch import Tensor


class Weights:
    """Tensors by name. Made by `open_weights`."""

    def __init__(self, readers: dict[str, object]) -> None:
        self._readers = readers

    def __contains__(self, name: str) -> bool:
        return name in self._readers

    @property
    def names(self) -> list[str]:
        """Names of all tensors, in order."""
        return sorted(self._readers)

    def get(self, name: str) -> Tensor:
        """One tensor, as it is stored."""
        reader = self._readers[name]
        tensor: Tensor = reader[name] if isinstance(reader, dict) else reader.get_tensor(name)  # type: ignore[attr-defined]
        return tensor


@contextmanager
def open_weights(path: Path) -> Iterator[Weights]:
    """Open the weights of a model's folder; files are mapped into memory, not read."""
    import torch
    from safetensors import safe_open

    with ExitStack() as stack:
        readers: dict[str, object] = {}
        for file in weight_files(path):
            if file.suffix == ".safetensors":
                reader = stack.enter_context(safe_open(file, framework="pt"))
                readers |= dict.fromkeys(reader.keys(), reader)
            else:
                content = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
                readers |= dict.fromkeys(content, content)
        yield Weights(readers)


def shard_names(path: Path) -> list[str]:
    """Names of the weight files that a finished model's folder must have."""
    index = path / "model.safetensors.index.json"
    if index.is_file():
        return sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    return ["model.safetensors"]
