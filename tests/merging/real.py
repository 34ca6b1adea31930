"""Folders with the configurations of real models: their real figures and shapes, and files without any weight.

The figures are those of the config.json that each model was published with. Tokens are made up, save those with a role
and those that Meditron adds; a weight file has its whole header, and no content (a sparse file).
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

_LLAMA_2 = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "bos_token_id": 1,
    "eos_token_id": 2,
    "hidden_act": "silu",
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "max_position_embeddings": 4096,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 32,
    "rms_norm_eps": 1e-05,
    "rope_scaling": None,
    "tie_word_embeddings": False,
    "torch_dtype": "float16",
    "vocab_size": 32000,
}
_LLAMA_3 = _LLAMA_2 | {
    "bos_token_id": 128000,
    "eos_token_id": 128001,
    "intermediate_size": 14336,
    "max_position_embeddings": 8192,
    "num_key_value_heads": 8,
    "rope_theta": 500000.0,
    "torch_dtype": "bfloat16",
    "vocab_size": 128256,
}
MEDITRON_TOKENS = (
    *("<CLS>", "<SEP>", "<EOD>", "<MASK>", "<PAD>"),
    *("[bib_ref]", "[/bib_ref]", "[fig_ref]", "[/fig_ref]", "[bib]", "[/bib]"),
    *("[fig]", "[/fig]", "[table]", "[/table]", "[formula]", "[/formula]"),
)
_LLAMA_2_TOKENS = ("<unk>", "<s>", "</s>", *(f"▁{n}" for n in range(3, 32000)))
_LLAMA_3_SPECIALS = {0: "<|begin_of_text|>", 1: "<|end_of_text|>", 9: "<|eot_id|>"}
_LLAMA_3_TOKENS = (
    *(f"Ġ{n}" for n in range(128000)),
    *(_LLAMA_3_SPECIALS.get(n, f"<|reserved_{n}|>") for n in range(256)),
)
_ROLES_2 = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
_ROLES_3 = {"bos_token": "<|begin_of_text|>", "eos_token": "<|end_of_text|>"}

#: Each model, by the folder that the shipped recipes look for: configuration, tokens, roles, types of weights.
REAL: dict[str, tuple[dict[str, Any], tuple[str, ...], dict[str, str], str]] = {
    "Llama-2-7b-hf": (_LLAMA_2, _LLAMA_2_TOKENS, _ROLES_2, "F16"),
    "vigogne-2-7b-chat": (_LLAMA_2, _LLAMA_2_TOKENS, _ROLES_2, "F16"),
    "meditron-7b": (
        _LLAMA_2
        | {"max_position_embeddings": 2048, "rope_theta": 10000.0, "torch_dtype": "bfloat16", "vocab_size": 32017},
        (*_LLAMA_2_TOKENS, *MEDITRON_TOKENS),
        _ROLES_2,
        "BF16",
    ),
    "Meta-Llama-3-8B-Instruct": (_LLAMA_3 | {"eos_token_id": 128009}, _LLAMA_3_TOKENS, _ROLES_3, "BF16"),
    "Llama3-Med42-8B": (_LLAMA_3, _LLAMA_3_TOKENS, _ROLES_3, "BF16"),
    "French-Alpaca-Llama3-8B-Instruct-v1.0": (_LLAMA_3, _LLAMA_3_TOKENS, _ROLES_3, "F16"),
    "Llama-3.1-8B": (
        _LLAMA_3
        | {
            "max_position_embeddings": 131072,
            "rope_scaling": {
                "factor": 8.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 8192,
                "rope_type": "llama3",
            },
        },
        _LLAMA_3_TOKENS,
        _ROLES_3,
        "BF16",
    ),
}


def write_real(models: Path, name: str, **changes: Any) -> Path:
    """Write the folder of a real model, without its weights; ``changes`` are made to its configuration."""
    config, tokens, roles, dtype = REAL[name]
    config = config | changes
    folder = models / name
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(roles), encoding="utf-8")
    tokenizer = {"model": {"type": "BPE", "vocab": {token: place for place, token in enumerate(tokens)}, "merges": []}}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    (folder / "chat_template.jinja").write_text("{{ messages }}", encoding="utf-8")
    _write_header(folder / "model.safetensors", _shapes(config), dtype)
    return folder


def _shapes(config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    wide, inner, rows = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    keys = wide // config["num_attention_heads"] * config["num_key_value_heads"]
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (rows, wide)}
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}"
        shapes |= {
            f"{at}.input_layernorm.weight": (wide,),
            f"{at}.post_attention_layernorm.weight": (wide,),
            f"{at}.self_attn.q_proj.weight": (wide, wide),
            f"{at}.self_attn.k_proj.weight": (keys, wide),
            f"{at}.self_attn.v_proj.weight": (keys, wide),
            f"{at}.self_attn.o_proj.weight": (wide, wide),
            f"{at}.mlp.gate_proj.weight": (inner, wide),
            f"{at}.mlp.up_proj.weight": (inner, wide),
            f"{at}.mlp.down_proj.weight": (wide, inner),
        }
    return shapes | {"model.norm.weight": (wide,), "lm_head.weight": (rows, wide)}


def _write_header(path: Path, shapes: dict[str, tuple[int, ...]], dtype: str) -> None:
    header, end = {}, 0
    for name, shape in shapes.items():
        size = 2
        for side in shape:
            size *= side
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    with path.open("wb") as stream:
        stream.write(struct.pack("<Q", len(text)) + text)
        stream.truncate(8 + len(text) + end)
