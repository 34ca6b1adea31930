"""Tiny Llamas, made on the spot: a base, three models tuned from it, two adapters."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from merging.methods import METHODS
from merging.recipe import Recipe

SPECIALS = ("<unk>", "<s>", "</s>")
TEMPLATE = "{% for m in messages %}<s>{{ m['role'] }}: {{ m['content'] }}</s>{% endfor %}"
TEXTS = (
    "le patient est hypertendu et diabétique",
    "scanner cérébral sans saignement",
    "traitement par aspirine à la sortie",
)


@dataclass(frozen=True)
class Family:
    """Folders, in one folder of models: base, medical, french, third, and the adapters lora_a and lora_b."""

    models: Path

    def __getattr__(self, name: str) -> Path:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.models / name


def write_tokenizer(folder: Path, added: Iterable[str] = (), template: str = TEMPLATE, texts: Any = TEXTS) -> int:
    """Train a tokenizer of bytes and a few merges; return its number of tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=list(SPECIALS), initial_alphabet=alphabet, show_progress=False
    )
    trained.train_from_iterator(texts, trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=trained, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    tokenizer.add_tokens(list(added))
    if template:
        tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    return len(tokenizer)


def write_model(folder: Path, seed: int, tuned_from: Path | None = None, dtype: str = "float32", **other: Any) -> Path:
    """Write a Llama of some 30,000 parameters, near that of ``tuned_from`` where it is given."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokens = write_tokenizer(folder, **{key: other.pop(key) for key in ("added", "template", "texts") if key in other})
    sizes = {
        "vocab_size": tokens,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 128,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(LlamaConfig(**{**sizes, **other}))
        if tuned_from:
            start = LlamaForCausalLM.from_pretrained(tuned_from, dtype=torch.float32).state_dict()
            with torch.no_grad():
                for name, weight in model.named_parameters():
                    near = start[name]
                    weight[: len(near)] = near + 0.02 * torch.randn(near.shape)
        model.to(getattr(torch, dtype)).save_pretrained(folder)
    return folder


def write_adapter(folder: Path, base: Path, seed: int, rank: int = 4, **other: Any) -> Path:
    """Write a LoRA adapter of ``base`` whose factors are both drawn at random."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        settings = {"r": rank, "lora_alpha": 2 * rank, "target_modules": ["q_proj", "v_proj", "down_proj"], **other}
        tuned = get_peft_model(
            AutoModelForCausalLM.from_pretrained(base), LoraConfig(task_type="CAUSAL_LM", **settings)
        )
        with torch.no_grad():
            for name, weight in tuned.named_parameters():
                if "lora_" in name:
                    weight.copy_(0.05 * torch.randn(weight.shape))
        tuned.save_pretrained(folder)
    return folder


def edit_json(path: Path, **changes: Any) -> None:
    """Change some keys of a JSON file; None removes one."""
    content = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    content |= changes
    kept = {key: value for key, value in content.items() if value is not None}
    path.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")


def load(folder: Path) -> dict[str, Any]:
    """The tensors of a model's folder, in float64."""
    from safetensors.torch import load_file

    return {
        name: tensor.double()
        for file in sorted(folder.glob("*.safetensors"))
        for name, tensor in load_file(file).items()
    }


def make_family(models: Path) -> Family:
    """Write the whole family in a folder."""
    base = write_model(models / "base", 0)
    for seed, name in enumerate(("medical", "french", "third"), start=1):
        write_model(models / name, seed, tuned_from=base)
    write_adapter(models / "lora_a", base, 11)
    write_adapter(models / "lora_b", base, 12)
    return Family(models)


def recipe(method: str, parents: Any, **other: Any) -> Recipe:
    """A recipe of the family: ``parents`` gives the numbers of each by name; "lora_…" are adapters of the base."""
    how = METHODS[method]
    given = [
        {
            "name": name,
            **({"model": "base", "adapter": name} if name.startswith("lora_") else {"model": name}),
            **numbers,
        }
        for name, numbers in parents.items()
    ]
    base = {"model": "base"} if how.needs_base or how.adapters else None
    content = {"name": "merged", "method": method, "seed": 5, "base": base, "dtype": "float32", **other}
    return Recipe.model_validate({**content, "parents": tuple(given)})
