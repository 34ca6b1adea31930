"""The loop that both trainings share: steps, a held-out figure from time to time, the best weights kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from tqdm import tqdm

_WARM_UP = 0.06  # share of the steps during which the learning rate rises
_DECAY = 0.01
_LARGEST_GRADIENT = 1.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast. All of it decides the result.

    Args:
        name: of the training, for the user.
        steps: at most.
        rate: the highest learning rate; up in a line, then down in a line.
        every: steps between two looks at the held-out part.
        patience: looks without a better figure before the end.
    """

    name: str
    steps: int
    rate: float
    every: int
    patience: int = 4


@dataclass(frozen=True, slots=True)
class Report:
    """One look: mean training loss since the look before, and the held-out figures (``score``: higher is better)."""

    training: str
    step: int
    loss: float
    score: float


#: Called with a state, tensors and plain values, from which `run` can go on.
Keep = Callable[[Mapping[str, Any]], None]


def run(
    model: torch.nn.Module,
    schedule: Schedule,
    loss_of: Callable[[int], torch.Tensor],
    score: Callable[[], float],
    *,
    state: Mapping[str, Any] | None,
    keep: Keep,
    on_report: Callable[[Report], None],
    progress: bool,
) -> list[Report]:
    """Train, and leave in ``model`` the weights of the best look.

    Args:
        loss_of: the loss of a step, with its graph; what it draws must depend on the number of the step alone.
        score: the held-out figure of the model as it is, higher is better.
        state: what ``keep`` was last given; None starts.
        keep: given the state after each look.
    """
    flat = [weight for weight in model.parameters() if weight.ndim < 2]
    deep = [weight for weight in model.parameters() if weight.ndim >= 2]
    groups = [{"params": deep, "weight_decay": _DECAY}, {"params": flat, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=schedule.rate, betas=(0.9, 0.98), fused=True)
    reports: list[Report] = []
    best: dict[str, torch.Tensor] = {}
    if state is not None:
        reports = [Report(**report) for report in state["reports"]]
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        best = dict(state["best"])
    first = reports[-1].step if reports else 0
    total = 0.0
    bar = tqdm(total=schedule.steps, initial=first, desc=schedule.name, unit="step", disable=not progress)
    for step in range(first, schedule.steps):
        if _is_over(reports, schedule.patience):
            break
        model.train()
        torch.manual_seed(step)  # dropout: a training that is gone on with draws the same
        loss = loss_of(step)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), _LARGEST_GRADIENT)
        for group in optimizer.param_groups:
            group["lr"] = schedule.rate * _rise_and_fall(step / schedule.steps)
        optimizer.step()
        optimizer.zero_grad()
        total += loss.item()
        bar.update()
        last = step + 1 == schedule.steps
        if (step + 1) % schedule.every and not last:
            continue
        since = step + 1 - (reports[-1].step if reports else 0)
        model.eval()
        with torch.inference_mode():
            reports.append(Report(schedule.name, step + 1, total / since, score()))
        total = 0.0
        if _best(reports) == len(reports) - 1:
            best = {name: weight.detach().clone() for name, weight in model.state_dict().items()}
        keep(
            {
                "reports": [asdict(report) for report in reports],
                "model": model.state_dict(),
                "optimizer": optimizer.state_dict(),
                "best": best,
            }
        )
        on_report(reports[-1])
    bar.close()
    if best:
        model.load_state_dict(best)
    model.eval()
    return reports


def _rise_and_fall(done: float) -> float:
    """Share of the highest learning rate."""
    return (done + 1e-3) / _WARM_UP if done < _WARM_UP - 1e-3 else max(0.0, (1.0 - done) / (1.0 - _WARM_UP))


def _is_over(reports: list[Report], patience: int) -> bool:
    return len(reports) - 1 - _best(reports) >= patience


def _best(reports: list[Report]) -> int:
    """The place of the first report with the highest score; 0 without report."""
    return max(range(len(reports)), key=lambda place: (reports[place].score, -place), default=0)
