"""What a model is taught: a conversation and the answer to it, as tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.llm.engine import Message
from schema.problem import InputError, Problem

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

#: The form of a conversation for models that have none of their own.
CHAT_TEMPLATE = Path(__file__).with_name("chat_template.jinja")


@dataclass(frozen=True, slots=True)
class Pair:
    """A conversation that ends with a question, and the answer to write.

    Args:
        weight: greater than 0; what this answer counts beside the others.
    """

    messages: tuple[Message, ...]
    answer: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Encoded:
    """A pair as tokens; ``ids[prompt:]`` is the answer with the token that ends it."""

    ids: tuple[int, ...]
    prompt: int
    weight: float

    def __len__(self) -> int:
        return len(self.ids)


def load_tokenizer(base: Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a model, with the default `CHAT_TEMPLATE` where it has none.

    Raises:
        InputError: the folder holds no tokenizer, or one without a token that ends an answer.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(base, local_files_only=True)
    except (OSError, ValueError) as error:
        what, remedy = "holds no tokenizer that can be read.", "Copy the tokenizer's files beside the weights."
        raise InputError(Problem(str(base), what, remedy)) from error
    if tokenizer.eos_token is None:
        what = "has a tokenizer without an end-of-sequence token: no answer would end."
        raise InputError(Problem(str(base), what, "Declare eos_token in tokenizer_config.json."))
    if not tokenizer.chat_template:
        tokenizer.chat_template = CHAT_TEMPLATE.read_text(encoding="utf-8")
    return tokenizer  # type: ignore[no-any-return]


def encode(tokenizer: PreTrainedTokenizerBase, pairs: Sequence[Pair]) -> list[Encoded]:
    """Pairs as tokens, in the form that a server of the same model gives to its conversations.

    Raises:
        InputError: the model's chat template does not take these conversations.
    """
    prompts = [_rendered(tokenizer, pair.messages) for pair in pairs]
    texts = [_with_answer(tokenizer, pair, prompt) for pair, prompt in zip(pairs, prompts, strict=True)]
    given = _ids(tokenizer, prompts)
    whole = _ids(tokenizer, texts)
    encoded = []
    for pair, prompt, text, start, ids in zip(pairs, prompts, texts, given, whole, strict=True):
        if ids[: len(start)] != start:  # a token over the border, which no server would send: cut it there
            ids = start + _ids(tokenizer, [text[len(prompt) :]])[0]
        encoded.append(Encoded(tuple(ids), len(start), pair.weight))
    return encoded


def _rendered(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> str:
    turns = [{"role": message.role, "content": message.content} for message in messages]
    try:
        return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))
    except Exception as error:  # whatever a template of someone else raises
        what = f"has a chat template that does not take these conversations ({type(error).__name__})."
        remedy = "Give it one that takes a system message and a question (chat_template.jinja)."
        raise InputError(Problem(str(tokenizer.name_or_path), what, remedy)) from error


def _with_answer(tokenizer: PreTrainedTokenizerBase, pair: Pair, prompt: str) -> str:
    """The prompt, the answer and what ends it, as the chat template writes them where it writes them so."""
    turns = [{"role": message.role, "content": message.content} for message in pair.messages]
    whole = str(
        tokenizer.apply_chat_template([*turns, {"role": "assistant", "content": pair.answer}], tokenize=False)
    ).rstrip()
    end = str(tokenizer.eos_token)
    if not whole.startswith(prompt + pair.answer):  # such as a template that puts thoughts before the answer
        return prompt + pair.answer + end
    return whole if len(whole) > len(prompt + pair.answer) else whole + end


def _ids(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[list[int]]:
    if not texts:
        return []
    ids: list[list[int]] = tokenizer(list(texts), add_special_tokens=False)["input_ids"]
    return ids
