"""A Llama made on the spot: its architecture, a tokenizer of its own with a chat template, random weights."""

from pathlib import Path
from typing import Any

#: How alike all hidden states are, and how much likelier that makes the marks that close a text and an answer.
COMMON = 1.0
CLOSING = {'"': 30.0, "}": 18.0}

#: What the pieces of the tokenizer are learnt from.
FRENCH = (
    "Thrombolyse par ténectéplase à 12h05, thrombectomie non indiquée.",
    "Pas de diabète. Hypertension artérielle traitée par bisoprolol 2,5 mg le matin.",
    "NIHSS à 14 à l'arrivée, aphasie et hémiplégie droite d'apparition brutale.",
    "Vu à trois mois en consultation : Rankin à 1, pas de récidive.",
    '{"citations":[{"passage":1,"texte":"NIHSS à 14"}],"raison":"","statut":"documenté","valeur":14}',
    '{"citations":[],"raison":"","statut":"non documenté","valeur":null}',
)
CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] }}</s>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)


def make_llama(
    folder: Path, *, layers: int = 2, width: int = 64, context: int = 4096, seed: int = 0, template: str = CHAT_TEMPLATE
) -> Path:
    """Write config.json, model.safetensors and the tokenizer's files, as Transformers does; return the folder."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    learnt = Tokenizer(models.BPE())
    learnt.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    learnt.decoder = decoders.ByteLevel()
    marks = ["<s>", "</s>", "<|system|>", "<|user|>", "<|assistant|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=512, special_tokens=marks, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    learnt.train_from_iterator(FRENCH, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=learnt, bos_token="<s>", eos_token="</s>", pad_token="</s>", model_max_length=context
    )
    if template:
        tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=max(2, width // 64),
        num_key_value_heads=max(2, width // 64),
        max_position_embeddings=context,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
        tie_word_embeddings=False,
        initializer_range=0.1,
    )
    model = LlamaForCausalLM(config)
    _make_decided(model, {tokenizer.get_vocab()[mark]: how for mark, how in CLOSING.items()})
    model.to(torch.bfloat16).save_pretrained(folder)
    return folder


def _make_decided(model: Any, closing: dict[int, float]) -> None:
    """Random weights find all tokens as likely: make some likelier, most of all those that close."""
    import torch

    with torch.no_grad():
        embedding, head = model.get_input_embeddings().weight, model.get_output_embeddings().weight
        common = torch.nn.functional.normalize(torch.randn(embedding.shape[1]), dim=0)
        embedding += COMMON * common
        head *= 4
        for token, likelier in closing.items():
            head[token] += likelier * common


def make_adapter(model: Path, folder: Path, *, seed: int = 1) -> Path:
    """Write a LoRA adapter of the model with random weights, as PEFT writes it; return the folder."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    base = AutoModelForCausalLM.from_pretrained(model)
    config = LoraConfig(r=8, target_modules=["q_proj", "v_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
    get_peft_model(base, config).save_pretrained(folder)
    return folder
