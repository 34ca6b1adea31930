"""What a fill by a language model costs beyond the model itself, and what sharing a patient's record saves.

    python -m benchmarks.llm_throughput DOCS --dictionary DICT [--study YML] [--patients N]

A Llama of random weights, large enough that it and not the program decides the time, is made and served by vLLM. Its
answers never end, so what ``fill`` asks is known beforehand. The same prompts are answered twice, each time from an
empty cache: by ``fill`` as a user runs it, and by vLLM alone, all at once. That both were sent the same is checked by
vLLM's own counters. Nothing that random weights say is used.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from generator.llm.client import ServerEngine
from generator.llm.engine import Completion, Finish, NoAnswer, Request
from generator.llm.launch import ServedModel
from generator.llm.reader import LlmGenerator
from generator.llm.serve import ServerProcess
from generator.llm.settings import LlmSettings
from generator.llm.whole import Mentions
from generator.protocol import Generator
from rag.concepts import ConceptReader
from rag.generators import Generation, GeneratorName
from rag.pipeline import FillRequest, fill
from rag.terminology.bundled import open_terminology
from schema.study import Study
from schema.variable import Variable

_CONTEXT = 8192
_VOCABULARY = 8000
_IN_FLIGHT = 128


class _Recorder:
    """An engine that keeps what it is asked, and whose answers are all cut."""

    name, context = "recorder", _CONTEXT

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def complete(self, requests: Sequence[Request]) -> list[Completion | NoAnswer]:
        """See `Engine.complete`."""
        self.asked += requests
        return [Completion("", Finish.LENGTH, (), 0, request.max_tokens) for request in requests]

    def close(self) -> None:
        """See `Engine.close`."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", type=Path, metavar="DOCS", help="a .jsonl file of documents")
    parser.add_argument("--dictionary", type=Path, required=True, metavar="DICT")
    parser.add_argument("--study", type=Path, metavar="YML")
    parser.add_argument("--patients", type=int, default=4, metavar="N", help="the first ones (4)")
    parser.add_argument("--max-tokens", type=int, default=32, metavar="N", help="of an answer (32)")
    parser.add_argument("--width", type=int, default=512, metavar="N", help="of the model (512: 31 million parameters)")
    arguments = parser.parse_args()
    os.environ["VLLM_SERVER_DEV_MODE"] = "1"  # to empty the prefix cache
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        documents = _first_patients(arguments.documents, arguments.patients, folder / "documents.jsonl")
        parameters = _make_model(folder / "model", documents, arguments.width)
        print(f"{arguments.patients} patients; a Llama of {parameters / 1e6:.0f} million parameters", flush=True)
        settings = LlmSettings(max_tokens=arguments.max_tokens)
        with ServerProcess(ServedModel(folder / "model", context=_CONTEXT, threads=1)) as server:
            _measure(server, settings, FillRequest(documents, arguments.dictionary, folder / "run", arguments.study))


def _measure(server: ServerProcess, settings: LlmSettings, request: FillRequest) -> None:
    recorder = _Recorder()

    def mentions() -> Mentions:
        return ConceptReader(open_terminology()).mentions

    def make(variables: Sequence[Variable], study: Study) -> Generator:
        return LlmGenerator(variables, study, settings, lambda: recorder, mentions)

    report = fill(request, make)
    print(f"{len(recorder.asked)} prompts recorded", flush=True)

    _warm_up(server, recorder.asked[0])
    generation = Generation(GeneratorName.LLM, server=server.url, settings=settings)
    timed = replace(request, out=request.out.with_name("timed"), workers=generation.processes, generation=generation)
    by_fill = _timed(server, lambda: fill(timed))
    with closing(ServerEngine(server.url, concurrency=_IN_FLIGHT, timeout=3600)) as engine:
        alone = _timed(server, lambda: engine.complete(recorder.asked))
    patients = max(1, report.manifest.patients)
    for name, run in (("fill, from its start to its last file", by_fill), ("vLLM alone", alone)):
        print(
            f"{name}: {run.seconds:.1f} s; {run.answers} answers of {run.written} tokens, {run.sent} prompt tokens, "
            f"of which {run.computed} were computed"
        )
    print(f"fill / vLLM alone: {by_fill.seconds / alone.seconds - 1:+.1%}")
    print(
        f"prompt tokens computed per patient: {by_fill.computed / patients:.0f}, "
        f"{by_fill.computed / by_fill.sent:.3f} of one prompt per question without sharing"
    )


@dataclass(frozen=True, slots=True)
class _Run:
    """What vLLM did, by its own counters: answers, prompt tokens sent and computed, tokens written."""

    seconds: float
    answers: int
    sent: int
    computed: int
    written: int


def _timed(server: ServerProcess, run: Callable[[], object]) -> _Run:
    """Time a run that begins with an empty cache."""
    httpx.post(server.url.replace("/v1", "/reset_prefix_cache"), trust_env=False, timeout=60).raise_for_status()
    before, begun = _counters(server), time.perf_counter()
    run()
    seconds = time.perf_counter() - begun
    return _Run(seconds, *(after - earlier for after, earlier in zip(_counters(server), before, strict=True)))


def _warm_up(server: ServerProcess, request: Request) -> None:
    """Have vLLM load all that its first answer loads."""
    with closing(ServerEngine(server.url, timeout=3600)) as engine:
        engine.complete([request])


def _counters(server: ServerProcess) -> tuple[int, int, int, int]:
    """Requests that vLLM answered, prompt tokens that it was sent, those of them that it computed, tokens written."""
    text = httpx.get(server.url.replace("/v1", "/metrics"), trust_env=False).text

    def total(counter: str, label: str = "") -> int:
        found = re.findall(rf"^vllm:{counter}{{.*{label}.*}} (\S+)$", text, re.MULTILINE)
        return int(sum(map(float, found)))

    answers = total("request_success_total")
    sent, computed = total("prompt_tokens_by_source_total"), total("prompt_tokens_by_source_total", "local_compute")
    return answers, sent, computed, total("generation_tokens_total")


def _first_patients(source: Path, count: int, path: Path) -> Path:
    kept: dict[str, list[str]] = {}
    for line in source.read_text(encoding="utf-8").splitlines():
        kept.setdefault(json.loads(line)["patient_id"], []).append(line)
    path.write_text("".join(f"{line}\n" for lines in list(kept.values())[:count] for line in lines), encoding="utf-8")
    return path


def _make_model(folder: Path, documents: Path, width: int) -> int:
    """A Llama of random weights, whose tokenizer knows the documents; return its number of parameters."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    learnt = Tokenizer(models.BPE())
    learnt.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    learnt.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=_VOCABULARY, special_tokens=["<s>", "</s>"], initial_alphabet=alphabet)
    learnt.train([str(documents)], trainer)
    marks = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "</s>"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=learnt, **marks)  # type: ignore[no-untyped-call]
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=3 * width,
        num_hidden_layers=8,
        num_attention_heads=width // 64,
        num_key_value_heads=width // 64,
        max_position_embeddings=_CONTEXT,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    model = LlamaForCausalLM(config).bfloat16()
    model.save_pretrained(folder)
    return int(model.num_parameters())


if __name__ == "__main__":
    main()
