"""Recurrent cells: what a state becomes when one more document is read.

| name | cell | source |
|---|---|---|
| `gru` | gated recurrent unit, the reference | Cho et al. 2014 |
| `lstm` | long short-term memory | Hochreiter and Schmidhuber 1997 |
| `gru_d` | GRU whose state fades with the time elapsed | Che et al. 2018 |
| `gated_linear` | gated linear recurrence (minGRU) | Feng et al. 2024 |
| `selective_ssm` | diagonal selective state space (S6), discretised with the time elapsed | Gu and Dao 2023 |

The last two have no state inside their gates: a whole sequence is a prefix scan of log2(T) steps, where the others take
T. Every cell has two forms, of a sequence and of one step, that give the same numbers to rounding.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional

#: Numbers of state behind each channel of `SelectiveSsmCell`.
SSM_STATES = 8


class Cell(nn.Module, ABC):
    """Reads vectors one after the other.

    ``gaps`` are times elapsed since the vector before, 0 or more, on any scale (here log(1 + days)); a cell may ignore
    them. A state is one tensor, whose shape is the cell's own.
    """

    @abstractmethod
    def initial(self) -> Tensor:
        """The state before anything was read."""

    @abstractmethod
    def forward(self, inputs: Tensor, gaps: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """A whole sequence, T of 1 or more.

        Args:
            inputs: (T, inputs).
            gaps: (T,).
            state: that before the first.

        Returns:
            Outputs after each vector (T, hidden), and the last state.
        """

    @abstractmethod
    def step(self, vector: Tensor, gap: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One vector (inputs,) and its gap (): the output (hidden,) and the next state."""


class GruCell(Cell):
    """Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder". State (hidden,)."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.gru = nn.GRU(inputs, hidden)

    def initial(self) -> Tensor:  # noqa: D102 (inherited)
        return next(self.parameters()).new_zeros(self.gru.hidden_size)

    def forward(self, inputs: Tensor, gaps: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:  # noqa: D102
        outputs, last = self.gru(inputs, state[None])
        return outputs, last[0]

    def step(self, vector: Tensor, gap: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:  # noqa: D102
        new = torch.gru_cell(vector[None], state[None], *self.gru.parameters())[0]
        return new, new


class LstmCell(Cell):
    """Hochreiter and Schmidhuber 1997. State (2, hidden): what is shown, then what is kept."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(inputs, hidden)

    def initial(self) -> Tensor:  # noqa: D102
        return next(self.parameters()).new_zeros(2, self.lstm.hidden_size)

    def forward(self, inputs: Tensor, gaps: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:  # noqa: D102
        outputs, (shown, kept) = self.lstm(inputs, (state[:1], state[1:]))
        return outputs, torch.cat([shown, kept])

    def step(self, vector: Tensor, gap: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:  # noqa: D102
        shown, kept = torch.lstm_cell(vector[None], (state[:1], state[1:]), *self.lstm.parameters())
        return shown[0], torch.cat([shown, kept])


class GruDCell(Cell):
    """Che et al. 2018, "Recurrent neural networks for multivariate time series with missing values", formula 10.

    Before each step the state is multiplied by exp(-max(0, w gap + b)), each channel with its own w and b. State
    (hidden,).
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.cell = nn.GRUCell(inputs, hidden)
        self.fading = nn.Parameter(torch.rand(hidden) * 0.2)
        self.offset = nn.Parameter(torch.zeros(hidden))

    def initial(self) -> Tensor:  # noqa: D102
        return self.fading.new_zeros(self.cell.hidden_size)

    def forward(self, inputs: Tensor, gaps: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:  # noqa: D102
        outputs = []
        for vector, gap in zip(inputs, gaps, strict=True):
            state = self.step(vector, gap, state)[1]
            outputs.append(state)
        return torch.stack(outputs), state

    def step(self, vector: Tensor, gap: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:  # noqa: D102
        faded = state * torch.exp(-functional.relu(self.fading * gap + self.offset))
        new: Tensor = self.cell(vector[None], faded[None])[0]
        return new, new


class GatedLinearCell(Cell):
    """Feng et al. 2024, "Were RNNs all we needed?", minGRU: h' = (1 - z) h + z c, where z and c see the input alone.

    State (hidden,).
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.gate = nn.Linear(inputs, hidden)
        self.candidate = nn.Linear(inputs, hidden)
        self.hidden = hidden

    def initial(self) -> Tensor:  # noqa: D102
        return self.gate.weight.new_zeros(self.hidden)

    def forward(self, inputs: Tensor, gaps: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:  # noqa: D102
        opened = torch.sigmoid(self.gate(inputs))
        outputs = linear_scan(1 - opened, opened * self.candidate(inputs), state)
        return outputs, outputs[-1]

    def step(self, vector: Tensor, gap: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:  # noqa: D102
        opened = torch.sigmoid(self.gate(vector))
        new = (1 - opened) * state + opened * self.candidate(vector)
        return new, new


class SelectiveSsmCell(Cell):
    """Gu and Dao 2023, "Mamba: linear-time sequence modeling with selective state spaces", S6, without convolution.

    h' = exp(A Δ (1 + gap)) h + Δ B x, shown as C h' + D x, gated; Δ, B and C are made from the input, the last two of
    one size (Jamba, Lieber et al. 2024): products of small numbers, they would hide the past. The time elapsed
    lengthens the decay, as in S5 (Smith et al. 2023), and not what is added: a document is an event, not a signal that
    lasts until the next. State (hidden, SSM_STATES).
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.inner = nn.Linear(inputs, 2 * hidden)
        self.selection = nn.Linear(hidden, hidden + 2 * SSM_STATES)
        self.log_rates = nn.Parameter(torch.log(torch.arange(1.0, SSM_STATES + 1)).repeat(hidden, 1))
        self.skip = nn.Parameter(torch.ones(hidden))
        self.outer = nn.Linear(hidden, hidden)
        with torch.no_grad():  # Δ starts between 0.01 and 0.5: half a life of one to seventy documents
            steps = torch.exp(torch.empty(hidden).uniform_(math.log(0.01), math.log(0.5)))
            self.selection.bias[:hidden] = torch.log(torch.expm1(steps))

    def initial(self) -> Tensor:  # noqa: D102
        return self.skip.new_zeros(self.hidden, SSM_STATES)

    def forward(self, inputs: Tensor, gaps: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:  # noqa: D102
        read, gate = self._read(inputs)
        decay, added, shown = self._discretised(read, gaps)
        states = linear_scan(decay, added, state)
        return self._shown(states, shown, read, gate), states[-1]

    def step(self, vector: Tensor, gap: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:  # noqa: D102
        read, gate = self._read(vector)
        decay, added, shown = self._discretised(read, gap)
        new = decay * state + added
        return self._shown(new, shown, read, gate), new

    def _read(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        read, gate = self.inner(inputs).chunk(2, dim=-1)
        return functional.silu(read), functional.silu(gate)

    def _discretised(self, read: Tensor, gaps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Decay and addition (…, hidden, SSM_STATES), and how states are shown (…, SSM_STATES)."""
        pace, enters, shown = self.selection(read).split([self.hidden, SSM_STATES, SSM_STATES], dim=-1)
        pace = functional.softplus(pace)
        enters, shown = (functional.rms_norm(x, (SSM_STATES,), eps=1e-6) for x in (enters, shown))
        decay = torch.exp(-torch.exp(self.log_rates) * (pace * (1 + gaps[..., None]))[..., None])
        return decay, (pace * read)[..., None] * enters[..., None, :], shown

    def _shown(self, states: Tensor, shown: Tensor, read: Tensor, gate: Tensor) -> Tensor:
        result: Tensor = self.outer(((states * shown[..., None, :]).sum(-1) + self.skip * read) * gate)
        return result


#: The cells, by name.
CELLS: dict[str, type[GruCell | LstmCell | GruDCell | GatedLinearCell | SelectiveSsmCell]] = {
    "gru": GruCell,
    "lstm": LstmCell,
    "gru_d": GruDCell,
    "gated_linear": GatedLinearCell,
    "selective_ssm": SelectiveSsmCell,
}


def linear_scan(decay: Tensor, added: Tensor, start: Tensor) -> Tensor:
    """All h[t] = decay[t] h[t-1] + added[t], from h[-1] = ``start``, in log2(T) steps (Hillis and Steele 1986).

    Args:
        decay, added: (T, …), decay in [0, 1].
        start: (…).

    Returns:
        (T, …).
    """
    added = torch.cat([(decay[:1] * start + added[:1]), added[1:]])
    reach = 1
    while reach < len(decay):
        added = torch.cat([added[:reach], added[reach:] + decay[reach:] * added[:-reach]])
        decay = torch.cat([decay[:reach], decay[reach:] * decay[:-reach]])
        reach *= 2
    return added
