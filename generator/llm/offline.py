"""vLLM in this process, without a server: for a batch on a machine of its own. Runs where vllm can be imported."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from generator.llm.decoding import temperature, tokens_of
from generator.llm.engine import Completion, Fault, Finish, NoAnswer, Request
from generator.llm.identity import folder_identity
from generator.llm.launch import (
    CPU_REQUESTS,
    STRUCTURED_OUTPUTS,
    ServedModel,
    context_of,
    has_gpu,
    lora_rank,
    server_environment,
    template_for,
)
from schema.problem import InputError, Problem

_ADAPTER = "adapter"


class OfflineEngine:
    """An `Engine` of the weights of a folder.

    Args:
        model: folder of the model.
        adapter: folder of a LoRA adapter to put on it.
        context: tokens of a prompt and its answer together; None: what the model was made for, up to 8192.

    Raises:
        InputError: a folder holds no model or no adapter, or vllm is not installed here.
    """

    def __init__(self, model: Path, adapter: Path | None = None, context: int | None = None) -> None:
        served = ServedModel(model, adapters={_ADAPTER: adapter} if adapter else {}, context=context)
        if importlib.util.find_spec("vllm") is None:
            what, remedy = "vllm is not installed in this environment.", "Install it, or ask a server (--server)."
            raise InputError(Problem("--offline", what, remedy))
        os.environ.update(server_environment(served))  # read when vllm is imported
        from vllm import LLM  # type: ignore[import-not-found]
        from vllm.lora.request import LoRARequest  # type: ignore[import-not-found]

        self.context = context_of(served)
        self.name = " on ".join([served.served_name, *map(folder_identity, filter(None, (adapter, model)))])
        given: dict[str, Any] = {} if has_gpu() else {"enforce_eager": True, "max_num_seqs": CPU_REQUESTS}
        if adapter is not None:
            given |= {"enable_lora": True, "max_lora_rank": lora_rank([adapter])}
        self._llm = LLM(
            model=str(model),
            dtype="auto" if has_gpu() else "bfloat16",
            max_model_len=self.context,
            enable_prefix_caching=True,
            structured_outputs_config=STRUCTURED_OUTPUTS,
            generation_config="vllm",
            seed=0,
            **given,
        )
        self._adapter = LoRARequest(_ADAPTER, 1, str(adapter)) if adapter else None
        self._tokenizer = self._llm.get_tokenizer()
        if template := template_for(model):
            self._tokenizer.chat_template = template.read_text(encoding="utf-8")

    def complete(self, requests: Sequence[Request]) -> list[Completion | NoAnswer]:
        """See `Engine.complete`."""
        prompts = [self._prompt(request) for request in requests]
        fitting = [
            i for i, request in enumerate(requests) if max(len(prompts[i]) + 1, request.max_tokens) <= self.context
        ]
        outputs = self._llm.generate(
            [{"prompt_token_ids": prompts[i]} for i in fitting],
            [_sampling(requests[i]) for i in fitting],
            lora_request=self._adapter,
            use_tqdm=False,
        )
        answers: list[Completion | NoAnswer] = [NoAnswer(Fault.TOO_LONG)] * len(requests)
        for i, output in zip(fitting, outputs, strict=True):
            answers[i] = _read(output)
        return answers

    def close(self) -> None:
        """See `Engine.close`."""
        self._llm.llm_engine.engine_core.shutdown()

    def _prompt(self, request: Request) -> list[int]:
        turns = [asdict(message) for message in request.messages]
        text = self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        return list(self._tokenizer.encode(text, add_special_tokens=False))


def _sampling(request: Request) -> Any:
    from vllm import SamplingParams
    from vllm.sampling_params import StructuredOutputsParams  # type: ignore[import-not-found]

    return SamplingParams(
        max_tokens=request.max_tokens,
        temperature=temperature(request),
        seed=request.sample,
        logprobs=0,  # those of the chosen tokens
        structured_outputs=StructuredOutputsParams(json=request.schema),
    )


def _read(output: Any) -> Completion:
    answer = output.outputs[0]
    chosen = [at[token] for token, at in zip(answer.token_ids, answer.logprobs or (), strict=False)]
    pieces = [((one.decoded_token or "").encode(), float(one.logprob)) for one in chosen]
    return Completion(
        answer.text,
        Finish.LENGTH if answer.finish_reason == "length" else Finish.STOP,
        tokens_of(pieces, answer.text),
        len(output.prompt_token_ids),
        len(answer.token_ids),
    )
