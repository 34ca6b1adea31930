"""A tiny Llama to tune, and pairs to tune it on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from generator.llm.engine import Message
from generator.train.pairs import Pair
from tests.llm.conftest import vllm_there as vllm_there
from tests.llm.tiny_llama import make_llama

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a Llama of two layers, random weights."""
    return make_llama(tmp_path_factory.mktemp("tuned") / "llama", context=512)


def pair(asked: str, answer: str, weight: float = 1.0, record: str = "NIHSS à 14 à l'arrivée. Pas de diabète.") -> Pair:
    """A question about a record."""
    return Pair((Message("system", "Remplis."), Message("user", f"{record}\n? {asked}")), answer, weight)


def value(number: int) -> str:
    """An answer."""
    return f'{{"statut":"documenté","valeur":{number}}}'


def some_pairs(patients: int = 4, questions: int = 6) -> list[Pair]:
    """Several questions about each of several records."""
    return [
        pair(f"variable {q}", value(7 * p + q), record=f"Dossier {p}. NIHSS à {p + 10}. Poids {60 + p} kg, repris.")
        for p in range(patients)
        for q in range(questions)
    ]


def load(base: Path, adapter: Path | None = None) -> Any:
    """The model in float32, with an adapter as PEFT reads it."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    return (model if adapter is None else PeftModel.from_pretrained(model, adapter)).eval()


def loss_alone(model: Any, ids: tuple[int, ...], prompt: int) -> float:
    """The loss of an answer in a row of its own, by the model's own reckoning: summed over its tokens."""
    row = torch.tensor([ids])
    labels = row.clone()
    labels[0, :prompt] = -100
    with torch.inference_mode():
        return float(model(input_ids=row, labels=labels).loss) * (len(ids) - prompt)
