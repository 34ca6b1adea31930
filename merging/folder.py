"""What a folder says of its model, read without loading it: configuration, shapes of tensors, vocabulary.

Sources: the safetensors format (8 bytes of length, then a JSON header); the files that Transformers and PEFT save.
"""

from __future__ import annotations

import functools
import hashlib
import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schema.problem import InputError, Problem

#: Buffers that old checkpoints hold and that every model computes for itself.
_COMPUTED = ("rotary_emb.inv_freq", ".attention.masked_bias", ".attn.masked_bias")
_HEADER_LIMIT = 100_000_000


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A tensor in a file: its shape, and its type as the file calls it ("BF16")."""

    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class AdapterFolder:
    """A LoRA adapter: its ``adapter_config.json`` and the shapes of its tensors."""

    path: Path
    config: Mapping[str, Any]
    tensors: Mapping[str, TensorInfo]


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model in a folder.

    Args:
        config, generation, tokenizer_config: what ``config.json``, ``generation_config.json`` and
            ``tokenizer_config.json`` hold; the last two {} when absent.
        tensors: by name, without the buffers that a model computes.
        vocabulary: number of every token, added ones included; {} without a tokenizer.
        chat_template: Jinja text, "" when there is none.
    """

    path: Path
    config: Mapping[str, Any]
    tensors: Mapping[str, TensorInfo]
    vocabulary: Mapping[str, int]
    generation: Mapping[str, Any] = field(default_factory=dict)
    tokenizer_config: Mapping[str, Any] = field(default_factory=dict)
    chat_template: str = ""

    @property
    def rows(self) -> int:
        """Tokens that have an embedding."""
        return int(self.config.get("vocab_size", 0))

    @property
    def embedded(self) -> dict[str, int]:
        """The tokens of the vocabulary that have an embedding."""
        rows = self.rows
        return {token: number for token, number in self.vocabulary.items() if number < rows}

    @property
    def is_tied(self) -> bool:
        """Whether the output layer is the embedding itself."""
        return bool(self.config.get("tie_word_embeddings", False))

    @property
    def ends(self) -> tuple[int, ...]:
        """Tokens that end an answer, those of ``generation_config.json`` first."""
        return numbers(self.generation.get("eos_token_id", self.config.get("eos_token_id")))


def numbers(value: int | list[int] | None) -> tuple[int, ...]:
    """A token number, or several, as a tuple."""
    return () if value is None else tuple(value) if isinstance(value, list) else (value,)


def read_folder(path: Path) -> ModelFolder:
    """Read what a model's folder says.

    Raises:
        InputError: no such folder, or no configuration or weights in it; a file that cannot be read.
    """
    if not path.is_dir():
        raise InputError(Problem(str(path), "no such folder.", "Check the recipe's folders, and --models."))
    if (path / "adapter_config.json").is_file() and not (path / "config.json").is_file():
        what = "is an adapter, not a model."
        raise InputError(Problem(str(path), what, "Give its base as model: and this folder as adapter:."))
    tokenizer_config = _json(path / "tokenizer_config.json", optional=True)
    return ModelFolder(
        path=path,
        config=_json(path / "config.json"),
        tensors=_tensors(path),
        vocabulary=_vocabulary(path),
        generation=_json(path / "generation_config.json", optional=True),
        tokenizer_config=tokenizer_config,
        chat_template=_chat_template(path, tokenizer_config),
    )


def read_adapter(path: Path) -> AdapterFolder:
    """Read what an adapter's folder says.

    Raises:
        InputError: no such folder, or no adapter in it.
    """
    if not path.is_dir():
        raise InputError(Problem(str(path), "no such folder.", "Check the recipe's adapter folders, and --models."))
    weights = path / "adapter_model.safetensors"
    if not weights.is_file():
        what = "holds no adapter_model.safetensors."
        raise InputError(Problem(str(path), what, "Give the folder that PEFT saved, in safetensors."))
    return AdapterFolder(path, _json(path / "adapter_config.json"), _safetensors_header(weights))


def weight_files(path: Path) -> list[Path]:
    """The files that hold the weights of a model or an adapter, by name."""
    names = ("*.safetensors", "*.bin")
    found = [[file for file in sorted(path.glob(name)) if file.name != "training_args.bin"] for name in names]
    return found[0] or found[1]


def hash_weights(path: Path) -> str:
    """SHA-256 over the weights of a model or an adapter: names and contents of their files."""
    whole = hashlib.sha256()
    for file in weight_files(path):
        whole.update(f"{file.name} {_hash_file(file, file.stat().st_mtime_ns, file.stat().st_size)}\n".encode())
    return whole.hexdigest()


@functools.lru_cache(maxsize=1024)
def _hash_file(file: Path, modified: int, size: int) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _json(path: Path, optional: bool = False) -> dict[str, Any]:
    if optional and not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        what = f"cannot be read ({error.strerror})."
        raise InputError(Problem(str(path), what, "A model's folder holds config.json, weights, tokenizer.")) from error
    except ValueError as error:
        raise InputError(Problem(str(path), "is not JSON.", "Copy the file again from where it came.")) from error
    if not isinstance(content, dict):
        raise InputError(Problem(str(path), "is not a JSON object.", "Copy the file again from where it came."))
    return content


def _tensors(path: Path) -> dict[str, TensorInfo]:
    for stem in ("model.safetensors", "pytorch_model.bin"):
        index = path / f"{stem}.index.json"
        if index.is_file():
            shards = sorted(set(_json(index).get("weight_map", {}).values()))
            if missing := [shard for shard in shards if not (path / shard).is_file()]:
                what = f"lacks {', '.join(missing[:3])}, which {index.name} names."
                raise InputError(Problem(str(path), what, "Copy the missing files."))
            return _kept(item for shard in shards for item in _in_file(path / shard).items())
        if (path / stem).is_file():
            return _kept(_in_file(path / stem).items())
    what = "holds no weights (model.safetensors or pytorch_model.bin)."
    raise InputError(Problem(str(path), what, "Give the folder of a whole model in the format of Transformers."))


def _kept(tensors: Iterable[tuple[str, TensorInfo]]) -> dict[str, TensorInfo]:
    return {name: info for name, info in tensors if not name.endswith(_COMPUTED)}


def _in_file(file: Path) -> dict[str, TensorInfo]:
    return _safetensors_header(file) if file.suffix == ".safetensors" else _pickle_header(file)


def _safetensors_header(file: Path) -> dict[str, TensorInfo]:
    try:
        header, start = _read_header(file)
        named = {name: entry for name, entry in header.items() if name != "__metadata__"}
        end = max((entry["data_offsets"][1] for entry in named.values()), default=0)
        tensors = {name: TensorInfo(tuple(entry["shape"]), entry["dtype"]) for name, entry in named.items()}
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise _broken(file) from error
    if file.stat().st_size != start + end:
        raise _broken(file)
    return tensors


def _read_header(file: Path) -> tuple[dict[str, Any], int]:
    with file.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        return json.loads(stream.read(min(length, _HEADER_LIMIT))), 8 + length


def _broken(file: Path) -> InputError:
    what = "is cut short, or is no safetensors file."
    return InputError(Problem(str(file), what, "Copy the file again from where it came."))


def _pickle_header(file: Path) -> dict[str, TensorInfo]:
    import torch

    names = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}
    try:
        content = torch.load(file, map_location="meta", weights_only=True, mmap=True)
    except Exception as error:
        what = "is cut short, or holds more than weights."
        raise InputError(Problem(str(file), what, "Give weights in safetensors.")) from error
    return {
        name: TensorInfo(tuple(tensor.shape), names.get(tensor.dtype, str(tensor.dtype)))
        for name, tensor in content.items()
    }


def _vocabulary(path: Path) -> dict[str, int]:
    whole = path / "tokenizer.json"
    if not whole.is_file():
        return _slow_vocabulary(path) if (path / "tokenizer.model").is_file() else {}
    content = _json(whole)
    vocabulary = content.get("model", {}).get("vocab", {})
    if isinstance(vocabulary, list):  # Unigram: [token, score], numbered by place
        vocabulary = {token: number for number, (token, _) in enumerate(vocabulary)}
    added = {token["content"]: token["id"] for token in content.get("added_tokens", [])}
    return {**vocabulary, **added}


def _slow_vocabulary(path: Path) -> dict[str, int]:
    from transformers import AutoTokenizer

    return dict(AutoTokenizer.from_pretrained(path, local_files_only=True).get_vocab())


def _chat_template(path: Path, tokenizer_config: Mapping[str, Any]) -> str:
    file = path / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8").strip()
    template = tokenizer_config.get("chat_template") or ""
    if isinstance(template, list):  # several, by name
        named = {entry.get("name"): entry.get("template", "") for entry in template}
        template = named.get("default", "")
    return str(template).strip()
