"""Main path of tuning: pairs -> tokens -> rows -> steps -> an adapter in a folder, as PEFT lays it out.

LoRA (Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022): the model stays as it is, and small
matrices beside its linear layers are learned.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from generator.llm.identity import folder_identity
from generator.train.pairs import Encoded, Pair, encode, load_tokenizer
from generator.train.rows import Tree, families, lay_out, rows_of, steps_of_epoch, trees_of
from generator.train.state import digest_of, finish, read_checkpoint, read_manifest, write_checkpoint
from schema.problem import InputError, Problem
from schema.quiet import quiet_transformers

if TYPE_CHECKING:
    import torch
    from peft import LoraConfig

_LIBRARIES = ("cohort-rag", "torch", "transformers", "peft", "tokenizers")
_LARGEST_GRADIENT = 1.0
#: Parameters from which a model is computed twice (gradient checkpointing) rather than kept in memory.
_LARGE = 500_000_000
#: Tokens computed at once: attention over a long row costs a processor more than rows are worth.
_ROWS = {"cpu": 512, "cuda": 4096}


@dataclass(frozen=True, slots=True)
class LoraPlan:
    """How to train. All of it decides the result.

    Args:
        rank: of the matrices; their product counts ``alpha`` / ``rank``.
        layers: every linear layer but the output ("all-linear"), or those that PEFT takes for this kind of model, the
            queries and values of Hu et al. ("attention"). Embeddings and output layer stay as they are.
        epochs: passes over all pairs, at most.
        patience: passes without progress on the pairs held out before the end.
        batch: pairs of a step, about.
        row: tokens computed at once, about; None: as many as suit the machine. It decides the speed, and the memory.
        context: tokens of a pair, at most; None: what the model takes. Longer ones are left out, and counted.
        rate: highest learning rate of AdamW, reached after ``warm_up`` of the steps, then falling as a cosine.
        keep_every: steps between two checkpoints.
        dtype: of the model's own weights; "auto": bfloat16 on a GPU that has it, else float32. Adapters are float32.
        seed: decides all that is left to chance.
    """

    rank: int = 16
    alpha: int = 32
    layers: Literal["all-linear", "attention"] = "all-linear"
    epochs: int = 3
    patience: int = 2
    batch: int = 16
    row: int | None = None
    context: int | None = None
    rate: float = 2e-4
    warm_up: float = 0.05
    keep_every: int = 100
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """A step that was made; ``held_out`` is the loss on the pairs held out, where the step ends an epoch."""

    step: int
    steps: int
    epoch: int
    loss: float
    ends_epoch: bool = False
    held_out: float | None = None


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass: mean loss per token of an answer while learning, and on the pairs held out (None without any)."""

    loss: float
    held_out: float | None


@dataclass(frozen=True, slots=True)
class LoraReport:
    """What a training gave.

    Args:
        best: number of the epoch, from 1, whose adapter was kept.
        pairs, held_out: pairs learned from, and pairs that say when to stop.
        too_long: pairs left out, since they do not fit in the model's context.
        parameters: numbers learned.
        tokens: of all pairs learned from; ``computed``: of the rows of one epoch, which share what begins alike.
    """

    out: Path
    epochs: tuple[Epoch, ...]
    best: int
    pairs: int
    held_out: int
    too_long: int
    parameters: int
    tokens: int
    computed: int
    seconds: float


def train_lora(
    base: Path,
    pairs: Sequence[Pair],
    out: Path,
    plan: LoraPlan,
    held_out: Sequence[Pair] = (),
    resume: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
) -> LoraReport:
    """Teach a model, and write the adapter in ``out`` with its manifest.

    Args:
        base: folder of a decoder as transformers lays it out, with full attention (Llama, Mistral…).
        held_out: pairs of other patients, which say when to stop; the adapter of their best epoch is kept.
        resume: go on with the training that ``out`` holds, if it does; one that is over is left as it is.

    Raises:
        InputError: there is nothing to learn, the base cannot be used, or ``out`` holds something else.
    """
    most = context_of(base)
    limit = min(plan.context or most, most)
    tokenizer = load_tokenizer(base)
    taught, judged = encode(tokenizer, pairs), encode(tokenizer, held_out)
    learned = [pair for pair in taught if len(pair) <= limit]
    judged = [pair for pair in judged if len(pair) <= limit]
    if not learned:
        what = f"there is no pair to learn from ({len(taught)} given, of more than {limit} tokens each)."
        raise InputError(Problem(str(base), what, "Give pairs, or fewer passages in each."))
    made = {
        "plan": asdict(plan),
        "base": folder_identity(base),
        "pairs": digest_of([(p.ids, p.prompt, p.weight) for p in learned]),
        "held_out": digest_of([(p.ids, p.prompt, p.weight) for p in judged]),
        "versions": {name: metadata.version(name) for name in _LIBRARIES},
    }
    if resume and (done := read_manifest(out, made)):
        return _report_of(out, done["report"])
    state = read_checkpoint(out, made, resume)
    out.mkdir(parents=True, exist_ok=True)
    training = _Training(base, learned, judged, plan)
    if state:
        training.restore(state)
    report = training.run(lambda kept: write_checkpoint(out, made, kept), on_progress or (lambda _: None))
    report = replace(report, out=out, too_long=len(taught) - len(learned))
    training.save(out)
    tokenizer.save_pretrained(out)
    finish(out, made, {"base_model": base.name, "report": {**asdict(report), "out": ""}})
    return report


def _report_of(out: Path, kept: dict[str, Any]) -> LoraReport:
    return LoraReport(**{**kept, "out": out, "epochs": tuple(Epoch(**epoch) for epoch in kept["epochs"])})


def context_of(base: Path) -> int:
    """Tokens that a model takes.

    Raises:
        InputError: the folder is not that of a model.
    """
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(base, local_files_only=True)
    except (OSError, ValueError) as error:
        what = "is not the folder of a model: it has no config.json that can be read."
        remedy = "Give the folder that holds the model's config.json and weights."
        raise InputError(Problem(str(base), what, remedy)) from error
    return int(getattr(config, "max_position_embeddings", 0) or 1 << 20)


class _Training:
    """The loop. All that is drawn in an epoch follows from its number, so that it ends alike however often it stops."""

    def __init__(self, base: Path, learned: Sequence[Encoded], judged: Sequence[Encoded], plan: LoraPlan) -> None:
        import torch

        self._plan, self._learned, self._judged = plan, learned, judged
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._row = plan.row or _ROWS[self._device.type]
        self._model = _with_adapter(base, plan, self._device)
        self._parameters = [p for p in self._model.parameters() if p.requires_grad]
        self._optimizer = torch.optim.AdamW(self._parameters, plan.rate, weight_decay=0.0, fused=True)
        self._families = families(learned)
        self._layout = [self._steps_of(epoch) for epoch in range(plan.epochs)]
        self._judged_rows = rows_of(trees_of(judged, families(judged), self._row), self._row)
        self._steps = sum(map(len, self._layout))
        self._step = 0
        self._epochs: list[Epoch] = []
        self._losses: list[tuple[float, float]] = []
        self._best: dict[str, torch.Tensor] = {}

    def run(self, keep: Callable[[dict[str, Any]], None], on_progress: Callable[[Progress], None]) -> LoraReport:
        """Train to the end; ``keep`` is given, from time to time, a state for `restore`."""
        started = time.monotonic()
        first = self._step
        step = 0
        for epoch, steps in enumerate(self._layout):
            if self._is_over():
                break
            for number, rows in enumerate(steps, start=1):
                step += 1
                if step <= first:
                    continue
                loss = self._learn(rows)
                is_last = number == len(steps)
                held_out = self._end_epoch() if is_last else None
                on_progress(Progress(step, self._steps, epoch + 1, loss, is_last, held_out))
                if is_last or step % self._plan.keep_every == 0:
                    keep(self._state())
        if self._best:
            self._load(self._best)
        trees = [tree for rows in self._layout[0] for row in rows for tree in row]
        return LoraReport(
            out=Path(),
            epochs=tuple(self._epochs),
            best=_best(self._epochs) + 1,
            pairs=len(self._learned),
            held_out=len(self._judged),
            too_long=0,
            parameters=sum(p.numel() for p in self._parameters),
            tokens=sum(map(len, self._learned)),
            computed=sum(tree.size for tree in trees),
            seconds=round(time.monotonic() - started, 2),
        )

    def save(self, out: Path) -> None:
        """Write the adapter as PEFT lays it out."""
        from peft import get_peft_model_state_dict
        from safetensors.torch import save_file

        weights = get_peft_model_state_dict(self._model, save_embedding_layers=False)
        save_file(
            {name: w.detach().cpu().contiguous() for name, w in weights.items()}, out / "adapter_model.safetensors"
        )
        config = self._model.peft_config["default"]
        config.inference_mode = True
        config.target_modules = sorted(config.target_modules)  # a set: its order would change from run to run
        config.save_pretrained(str(out))

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state of a training made with the same arguments."""
        self._load(state["weights"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._step = state["step"]
        self._epochs = [Epoch(*epoch) for epoch in state["epochs"]]
        self._losses = [(loss, weight) for loss, weight in state["losses"]]
        self._best = dict(state["best"])

    def _state(self) -> dict[str, Any]:
        return {
            "weights": self._weights(),
            "optimizer": self._optimizer.state_dict(),
            "step": self._step,
            "epochs": [(epoch.loss, epoch.held_out) for epoch in self._epochs],
            "losses": list(self._losses),
            "best": self._best,
        }

    def _steps_of(self, epoch: int) -> list[list[list[Tree]]]:
        random = np.random.default_rng([self._plan.seed, epoch])
        return steps_of_epoch(self._learned, self._families, self._plan.batch, self._row, random)

    def _learn(self, rows: Sequence[Sequence[Tree]]) -> float:
        """One step; the mean loss per token of an answer, by weight."""
        import torch

        self._model.train()
        torch.manual_seed(self._plan.seed + self._step)  # for models with dropout of their own
        total = sum(_weight(self._learned[place]) for row in rows for tree in row for place in tree.pairs)
        loss = 0.0
        for row in rows:
            part = self._loss(self._learned, row) / total
            part.backward()  # type: ignore[no-untyped-call]
            loss += float(part.detach())
        torch.nn.utils.clip_grad_norm_(self._parameters, _LARGEST_GRADIENT)
        for group in self._optimizer.param_groups:
            group["lr"] = self._plan.rate * _rise_and_fall(self._step / self._steps, self._plan.warm_up)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self._step += 1
        self._losses.append((loss * total, total))
        return loss

    def _end_epoch(self) -> float | None:
        import torch

        self._model.eval()
        held_out = None
        if self._judged:
            with torch.inference_mode():
                losses = sum(float(self._loss(self._judged, row)) for row in self._judged_rows)
            held_out = losses / sum(map(_weight, self._judged))
        loss = sum(loss for loss, _ in self._losses) / sum(weight for _, weight in self._losses)
        self._epochs.append(Epoch(loss, held_out))
        self._losses = []
        if _best(self._epochs) == len(self._epochs) - 1:
            self._best = {name: weight.clone() for name, weight in self._weights().items()}
        return held_out

    def _loss(self, encoded: Sequence[Encoded], trees: Sequence[Tree]) -> torch.Tensor:
        """The sum of the losses of a row's answers, each token by its weight."""
        import torch

        row = lay_out(encoded, trees)
        device = self._device
        with torch.autocast(device.type, torch.bfloat16, enabled=self._model.dtype == torch.bfloat16):
            logits = self._model(
                input_ids=row.ids.to(device),
                position_ids=row.positions.to(device),
                attention_mask=None if row.mask is None else row.mask.to(device),
                logits_to_keep=row.places.to(device),
                use_cache=False,
            ).logits[0]
        losses = torch.nn.functional.cross_entropy(logits.float(), row.targets.to(device), reduction="none")
        return torch.dot(losses, row.weights.to(device))

    def _weights(self) -> dict[str, torch.Tensor]:
        return {name: p.detach() for name, p in self._model.named_parameters() if p.requires_grad}

    def _load(self, weights: dict[str, torch.Tensor]) -> None:
        held = self._weights()
        for name, weight in weights.items():
            held[name].copy_(weight)

    def _is_over(self) -> bool:
        return bool(self._judged) and len(self._epochs) - 1 - _best(self._epochs) >= self._plan.patience


def _best(epochs: Sequence[Epoch]) -> int:
    """The place of the first epoch with the least loss on what was held out; the last one where nothing was."""
    held = [epoch.held_out for epoch in epochs]
    if not held or held[0] is None:
        return len(epochs) - 1
    return min(range(len(held)), key=lambda i: held[i] or 0.0)


def _weight(pair: Encoded) -> float:
    return pair.weight * (len(pair.ids) - pair.prompt)


def _rise_and_fall(done: float, warm_up: float) -> float:
    """Share of the highest learning rate after a share of the steps."""
    if done < warm_up:
        return (done + 1e-3) / (warm_up + 1e-3)
    return 0.5 * (1 + math.cos(math.pi * (done - warm_up) / (1 - warm_up)))


def _with_adapter(base: Path, plan: LoraPlan, device: torch.device) -> Any:
    """The model with a fresh adapter, ready to learn."""
    import torch
    from peft import get_peft_model
    from transformers import AutoModelForCausalLM

    has_bf16 = device.type == "cuda" and torch.cuda.is_bf16_supported()
    dtype = {"auto": torch.bfloat16 if has_bf16 else torch.float32}.get(plan.dtype) or getattr(torch, plan.dtype)
    torch.manual_seed(plan.seed)
    with quiet_transformers():
        try:
            model: Any = AutoModelForCausalLM.from_pretrained(
                base, local_files_only=True, dtype=dtype, attn_implementation="sdpa"
            )
        except (OSError, ValueError) as error:
            what = f"cannot be loaded as a language model ({type(error).__name__})."
            raise InputError(Problem(str(base), what, "Give the folder of a decoder, such as a Llama.")) from error
        tuned = get_peft_model(model.to(device), _lora(plan))
        if sum(p.numel() for p in model.parameters()) > _LARGE:
            model.gradient_checkpointing_enable({"use_reentrant": False})
            model.enable_input_require_grads()
    return tuned


def _lora(plan: LoraPlan) -> LoraConfig:
    from peft import LoraConfig, TaskType

    return LoraConfig(
        task_type=TaskType.CAUSAL_LM,
        r=plan.rank,
        lora_alpha=plan.alpha,
        target_modules="all-linear" if plan.layers == "all-linear" else None,
    )
