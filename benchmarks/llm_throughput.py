"""What a fill by a language model costs beyond the model itself, and what sharing a patient's record saves.

    python -m benchmarks.llm_throughput DOCS --dictionary DICT [--study YML] [--patients N]

A Llama of random weights, large enough that it and not the program decides the time, is made and served by vLLM. The
same prompts are then answered three times, each time from an empty cache: while they are recorded, by ``fill``
as a user runs it, and by vLLM alone, all at once. Nothing that random weights say is used.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import httpx

from generator.llm.client import ServerEngine
from generator.llm.engine import Completion, Engine, NoAnswer, Request
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
    """An engine that keeps what it is asked."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.name, self.context = engine.name, engine.context
        self.asked: list[Request] = []

    def complete(self, requests: Sequence[Request]) -> list[Completion | NoAnswer]:
        """See `Engine.complete`."""
        self.asked += requests
        return self._engine.complete(requests)

    def close(self) -> None:
        """See `Engine.close`."""
        self._engine.close()


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
    recorder = _Recorder(ServerEngine(server.url, timeout=3600))

    def mentions() -> Mentions:
        return ConceptReader(open_terminology()).mentions

    def make(variables: Sequence[Variable], study: Study) -> Generator:
        return LlmGenerator(variables, study, settings, lambda: recorder, mentions)

    report = fill(request, make)
    recorder.close()
    print(f"{len(recorder.asked)} prompts recorded", flush=True)

    _empty_cache(server)
    before, begun = _counters(server), time.perf_counter()
    generation = Generation(GeneratorName.LLM, server=server.url, settings=settings)
    fill(
        FillRequest(
            request.documents,
            request.dictionary,
            request.out.with_name("timed"),
            request.study,
            workers=generation.processes,
            generation=generation,
        )
    )
    whole = time.perf_counter() - begun
    asked, computed = (after - earlier for after, earlier in zip(_counters(server), before, strict=True))

    _empty_cache(server)
    with closing(ServerEngine(server.url, concurrency=_IN_FLIGHT, timeout=3600)) as engine:
        begun = time.perf_counter()
        answers = engine.complete(recorder.asked)
        raw = time.perf_counter() - begun
    written = sum(answer.completion_tokens for answer in answers if isinstance(answer, Completion))
    patients = max(1, report.manifest.patients)
    print(f"fill, from its start to its last file: {whole:.1f} s; vLLM alone: {raw:.1f} s; {whole / raw - 1:+.1%}")
    print(f"answers: {written} tokens, {written / raw:.0f} per second")
    print(
        f"prompt tokens per patient: {asked / patients:.0f} sent, {computed / patients:.0f} computed, "
        f"{computed / asked:.3f} of one prompt per question without sharing"
    )


def _counters(server: ServerProcess) -> tuple[float, float]:
    """Prompt tokens that vLLM was sent, and those of them that it computed."""
    text = httpx.get(server.url.replace("/v1", "/metrics"), trust_env=False).text
    found = dict(re.findall(r'^vllm:prompt_tokens_by_source_total{.*source="(\w+)".*} (\S+)$', text, re.MULTILINE))
    return sum(map(float, found.values())), float(found["local_compute"])


def _empty_cache(server: ServerProcess) -> None:
    httpx.post(server.url.replace("/v1", "/reset_prefix_cache"), trust_env=False, timeout=60).raise_for_status()


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
