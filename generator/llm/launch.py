"""How vLLM is called: with which program, and with which options. Nothing of it is imported here."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generator.train.pairs import CHAT_TEMPLATE
from schema.problem import InputError, Problem

#: Names a Python of an environment that holds vLLM.
PYTHON_VARIABLE = "COHORT_RAG_VLLM"
#: The environment that ``make serve-cpu`` makes.
CPU_ENVIRONMENT = Path(__file__).parents[2] / ".venv-vllm"

#: A record's passages and its questions fit; more takes memory that other requests can use. Tokens.
_LONGEST_CONTEXT = 8192
#: Requests that are answered at the same time on a machine without graphics card.
CPU_REQUESTS = 32
#: Full contexts for which there is room in the cache of such a machine, and the least room, in GiB: the records and the
#: questions of several patients, or what one question left there is computed again for the next.
_CPU_CONTEXTS, _LEAST_CACHE = 4, 4
#: The ranks that vLLM has room for.
_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
#: Decoding that is constrained, and never by white space, of which a weak model would write until it is cut.
STRUCTURED_OUTPUTS = {"backend": "xgrammar", "disable_any_whitespace": True}
#: Nothing is looked for on a hub, nothing is told to anyone.
QUIET = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
}


@dataclass(frozen=True, slots=True)
class ServedModel:
    """What is to be served. Checked when it is made.

    Args:
        folder: of the model, as Transformers writes it.
        name: by which it is asked for; "": the folder's.
        adapters: folders of LoRA adapters, as PEFT writes them, by the names by which they are asked for.
        context: tokens of a prompt and its answer together; None: what the model was made for, up to 8192.
        dtype: of the weights, as vLLM names it; "auto": the model's (bfloat16 without graphics card).
        threads: processor threads on a machine without graphics card; None: vLLM chooses, and binds them to cores.

    Raises:
        InputError: a folder is no model, or no adapter.
    """

    folder: Path
    name: str = ""
    adapters: Mapping[str, Path] = field(default_factory=dict)
    context: int | None = None
    dtype: str = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        check_model(self.folder)
        for name, folder in self.adapters.items():
            _adapter_rank(folder)
            if name == self.served_name:
                what = f"has the name of the model, {name!r}."
                raise InputError(Problem(f"--adapter {name}", what, "Give it another one."))

    @property
    def served_name(self) -> str:
        """The name of the model."""
        return self.name or self.folder.resolve().name


def find_model(name: str) -> Path:
    """The folder of a model: the one named, or the one that this machine's cache of the hub has under this name."""
    folder = Path(name)
    if folder.is_dir() or name.count("/") != 1:
        return folder
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError):
        return folder


def check_model(folder: Path) -> None:
    """Raises InputError: the folder does not hold a model that can be served."""
    if not folder.is_dir():
        what, remedy = "There is no such folder.", "Give the folder that holds the model's config.json."
    elif (folder / "adapter_config.json").is_file():
        what = "holds a LoRA adapter, not a model."
        remedy = "Serve the model that it was made for, with --adapter NAME=FOLDER."
    elif missing := _missing(folder):
        what, remedy = f"holds no {missing}.", "Give a folder as Transformers writes it."
    else:
        return
    raise InputError(Problem(str(folder), what, remedy))


def _missing(folder: Path) -> str:
    parts = {
        "config.json": ("config.json",),
        "weights (model.safetensors)": ("*.safetensors", "pytorch_model*.bin"),
        "tokenizer (tokenizer.json)": ("tokenizer.json", "tokenizer.model", "vocab.json"),
    }
    return next((name for name, patterns in parts.items() if not any(any(folder.glob(p)) for p in patterns)), "")


def find_vllm() -> tuple[list[str], bool]:
    """The command that starts vLLM's server, and whether it computes on processors.

    Raises:
        InputError: there is no vLLM.
    """
    named = os.environ.get(PYTHON_VARIABLE)
    if named:
        if not Path(named).is_file():
            what, remedy = "names no program.", "Give the Python of an environment that holds vLLM, or unset it."
            raise InputError(Problem(PYTHON_VARIABLE, f"{what} ({named})", remedy))
        return _module(named), not has_gpu()
    beside = Path(sys.executable).with_name("vllm")
    if importlib.util.find_spec("vllm") is not None and beside.is_file():
        return [str(beside), "serve"], not has_gpu()
    python = CPU_ENVIRONMENT / "bin" / "python"
    if python.is_file() and (CPU_ENVIRONMENT / "installed").is_file():
        return _module(str(python)), True
    what = "There is no vLLM in this environment, nor in .venv-vllm."
    remedy = (
        "With a graphics card: pip install vllm; without: make serve-cpu. "
        f"Or let {PYTHON_VARIABLE} name the Python of an environment that holds it."
    )
    raise InputError(Problem("vLLM", what, remedy))


def _module(python: str) -> list[str]:
    # The command `vllm` of the build for processors does not start: it looks for a distribution of another name.
    return [python, "-m", "vllm.entrypoints.openai.api_server"]


def has_gpu() -> bool:
    """Whether this machine has a graphics card that vLLM can use."""
    return any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/kfd").exists() or Path("/dev/dxg").exists()


def serve_command(model: ServedModel, port: int) -> list[str]:
    """The command that serves the model on 127.0.0.1.

    Raises:
        InputError: there is no vLLM.
    """
    command, on_cpu = find_vllm()
    dtype = "bfloat16" if model.dtype == "auto" and on_cpu else model.dtype
    folder = str(model.folder.resolve())
    command += [folder] if command[-1] == "serve" else ["--model", folder]
    command += ["--served-model-name", model.served_name, "--host", "127.0.0.1", "--port", str(port)]
    command += ["--dtype", dtype, "--max-model-len", str(context_of(model)), "--enable-prefix-caching"]
    command += ["--structured-outputs-config", json.dumps(STRUCTURED_OUTPUTS)]
    # A model's own sampling defaults (repetition penalties) would keep it from quoting.
    command += ["--generation-config", "vllm", "--seed", "0"]
    command += ["--disable-uvicorn-access-log", "--uvicorn-log-level", "warning"]
    if on_cpu:
        command += ["--enforce-eager", "--max-num-seqs", str(CPU_REQUESTS)]
    if template := template_for(model.folder):
        command += ["--chat-template", str(template)]
    if model.adapters:
        rank = lora_rank(model.adapters.values())
        command += ["--enable-lora", "--max-lora-rank", str(rank), "--max-loras", str(len(model.adapters))]
        command += ["--lora-modules", *(f"{name}={folder.resolve()}" for name, folder in model.adapters.items())]
    return command


def server_environment(model: ServedModel) -> dict[str, str]:
    """The variables that vLLM's server wants, beside those of this process; those that the user set stay."""
    wanted = {"VLLM_CPU_KVCACHE_SPACE": str(_cache_size(model)), "OMP_WAIT_POLICY": "passive"}
    if model.threads is not None:
        wanted |= {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": str(model.threads)}
    return {**wanted, **os.environ, **QUIET}


def context_of(model: ServedModel) -> int:
    """Tokens of a prompt and its answer together."""
    return model.context or min(_LONGEST_CONTEXT, int(_config(model.folder).get("max_position_embeddings") or 2048))


def template_for(folder: Path) -> Path | None:
    """The template of conversations that the program gives to a model that has none."""
    if (folder / "chat_template.jinja").is_file() or (folder / "chat_template.json").is_file():
        return None
    path = folder / "tokenizer_config.json"
    return None if path.is_file() and _json(path).get("chat_template") else CHAT_TEMPLATE


def lora_rank(adapters: Any) -> int:
    """The rank for which vLLM must make room."""
    most = max(_adapter_rank(folder) for folder in adapters)
    return next((rank for rank in _RANKS if rank >= most), most)


def _adapter_rank(folder: Path) -> int:
    path = folder / "adapter_config.json"
    if not path.is_file():
        what, remedy = "holds no LoRA adapter (adapter_config.json).", "Give a folder as cohort-rag finetune writes it."
        raise InputError(Problem(str(folder), what, remedy))
    adapter = _json(path)
    return max([int(adapter.get("r") or 8), *map(int, (adapter.get("rank_pattern") or {}).values())])


def _cache_size(model: ServedModel) -> int:
    """GiB of keys and values for a few full contexts."""
    config = _config(model.folder)
    heads = int(config.get("num_attention_heads") or 1)
    width = int(config.get("head_dim") or int(config.get("hidden_size") or 64) // heads)
    kept = int(config.get("num_key_value_heads") or heads) * width * int(config.get("num_hidden_layers") or 1)
    return max(_LEAST_CACHE, -(-2 * 2 * kept * context_of(model) * _CPU_CONTEXTS // 2**30))


def _config(folder: Path) -> dict[str, Any]:
    return _json(folder / "config.json")


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise InputError(Problem(str(path), "is not JSON.", "Copy the folder again."))
    return content
