"""The temporal encoder: passages of a document as they read after all that was written before it.

``` python
encoder = TemporalEncoder(TemporalConfig(dim=192)).eval()
encoded = encoder(TimelineTensors.of(timeline))      # encoded.passages (N, hidden), encoded.states (T, hidden)
state, vectors = encoder.step(encoded.last, new)     # one more document: its passages (n, hidden), at one step's cost
```

A module without input or output: what it reads is made by `retriever.timeline`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from retriever.cells import CELLS, Cell
from retriever.kinds import KINDS
from retriever.timeline import EncodedTimeline

KIND_SIZE = 16

#: log(1 + days) is 5 after five months; features near 1 suit a network.
_LOG_SCALE = 5.0


@dataclass(frozen=True)
class TemporalConfig:
    """What a temporal encoder is made of.

    Args:
        dim: numbers in a passage vector, as given by the text encoder.
        hidden: numbers in a contextual passage vector and in a state.
        cell: name of one of `retriever.cells.CELLS`.
        use_recurrence: False: a document knows nothing of those before it but its place and its time gaps.
        use_gaps: False: no time at all, the order alone.
        use_kinds: False: no kinds of documents.
        backward: a second cell reads from the last document on, and what comes after a document conditions it too. For
            cohorts read once they are complete: nothing is causal any more, and `TemporalEncoder.step` refuses.
        dropout: share of hidden numbers that training sets to 0.

    Raises:
        ValueError: no such cell, or ``backward`` without recurrence.
    """

    dim: int
    hidden: int = 96
    cell: str = "gru"
    use_recurrence: bool = True
    use_gaps: bool = True
    use_kinds: bool = True
    backward: bool = False
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.cell not in CELLS:
            raise ValueError(f"no cell {self.cell!r}; choose one of {', '.join(CELLS)}")
        if self.backward and not self.use_recurrence:
            raise ValueError("backward=True needs use_recurrence=True")


@dataclass(frozen=True)
class TimelineTensors:
    """What the temporal encoder reads of an `EncodedTimeline`, or of a part of it.

    Args:
        vectors: (N, dim).
        owner: (N,) the document of each passage, never falling.
        kinds: (T,) places in `KINDS`.
        days: (T,) days since the first dated document of the patient, never falling.
        dated: (T,) whether a date is known.
    """

    vectors: Tensor
    owner: Tensor
    kinds: Tensor
    days: Tensor
    dated: Tensor

    @classmethod
    def of(cls, timeline: EncodedTimeline, device: torch.device | str = "cpu") -> TimelineTensors:
        """Those of a whole timeline."""
        arrays = (timeline.vectors, timeline.owner, timeline.kinds, timeline.days, timeline.dated)
        return cls(*(torch.tensor(array, device=device) for array in arrays))

    def document(self, t: int) -> TimelineTensors:
        """Those of one document, as `TemporalEncoder.step` reads them."""
        its = self.owner == t
        return TimelineTensors(
            self.vectors[its],
            torch.zeros_like(self.owner[its]),
            self.kinds[t : t + 1],
            self.days[t : t + 1],
            self.dated[t : t + 1],
        )


@dataclass(frozen=True)
class TimelineState:
    """All that the documents read so far leave behind.

    Args:
        cell: the cell's state; empty without recurrence.
        shown: (hidden,) what it shows to the next document; (0,) without recurrence.
        day: () the day of the last document.
        position: number of documents read.
    """

    cell: Tensor
    shown: Tensor
    day: Tensor
    position: int


@dataclass(frozen=True)
class ContextualPassages:
    """Passages as they read in their timeline.

    Args:
        passages: (N, hidden), of norm 1: their dot products are cosines.
        states: (T, hidden) what the documents before each one left behind; (T, 0) without recurrence.
        last: the state after the last document, where `TemporalEncoder.step` goes on.
    """

    passages: Tensor
    states: Tensor
    last: TimelineState


class TemporalEncoder(nn.Module):
    """Conditions every passage of a document on the documents before it.

    1. Passage vectors are projected. A document is the mean and the maximum of its passages (0 without any), its kind,
       and its time: log gap since the document before, log days since the first, whether it is of the same day,
       whether it is undated, log position.
    2. A recurrent cell reads the documents in order.
    3. The state *before* a document, its kind and its time scale and shift (FiLM, Perez et al. 2018) each of its
       passages before a small residual network; and each passage takes from the state what it opens a gate to, so
       that "NIHSS inchangé" can be read with what was written of NIHSS. (Without this second way, passages learned to
       look back in twice the number of training steps.)

    Nothing after a document changes its passages, unless ``config.backward``.
    """

    def __init__(self, config: TemporalConfig) -> None:
        super().__init__()
        self.config = config
        hidden = config.hidden
        aside = (KIND_SIZE if config.use_kinds else 0) + (5 if config.use_gaps else 1)
        sides = config.use_recurrence + config.backward
        self.project = nn.Sequential(nn.Linear(config.dim, hidden), nn.LayerNorm(hidden))
        self.kind = nn.Embedding(len(KINDS), KIND_SIZE) if config.use_kinds else None
        if config.use_recurrence:
            self.document = nn.Sequential(nn.Linear(2 * hidden + aside, hidden), nn.SiLU())
            self.past: Cell = CELLS[config.cell](hidden, hidden)
            self.recall = nn.Linear(sides * hidden, hidden)
            self.opening = nn.Linear(hidden, hidden)
        if config.backward:
            self.future: Cell = CELLS[config.cell](hidden, hidden)
        self.context = nn.Sequential(
            nn.Linear(sides * hidden + aside, hidden),
            nn.SiLU(),
            nn.Dropout(config.dropout),
            nn.Linear(hidden, 2 * hidden),
        )
        self.inside = nn.LayerNorm(hidden, elementwise_affine=False)
        self.mix = nn.Sequential(
            nn.Linear(hidden, 2 * hidden), nn.SiLU(), nn.Dropout(config.dropout), nn.Linear(2 * hidden, hidden)
        )

    def initial(self) -> TimelineState:
        """The state before any document."""
        weight = next(self.parameters())
        recurrent = self.config.use_recurrence
        return TimelineState(
            cell=self.past.initial() if recurrent else weight.new_zeros(0),
            shown=weight.new_zeros(self.config.hidden if recurrent else 0),
            day=weight.new_zeros(()),
            position=0,
        )

    def forward(self, timeline: TimelineTensors) -> ContextualPassages:
        """All documents of a timeline, none included."""
        start = self.initial()
        size = len(timeline.kinds)
        projected = self.project(timeline.vectors)  # (N, hidden)
        if not size:
            return ContextualPassages(projected, start.shown.expand(0, -1), start)
        days = timeline.days.to(projected.dtype)
        gaps = torch.diff(days, prepend=days[:1])
        aside = self._aside(timeline, gaps, torch.arange(size, device=days.device))  # (T, aside)
        last = TimelineState(start.cell, start.shown, days[-1], size)
        states = start.shown.expand(size, -1)  # (T, 0) without recurrence
        around: list[Tensor] = []
        if self.config.use_recurrence:
            documents = self._documents(projected, timeline.owner, aside)  # (T, hidden)
            elapsed = self._elapsed(gaps)
            shown, cell = self.past(documents, elapsed, start.cell)
            states = torch.cat([start.shown[None], shown[:-1]])  # before each document
            last = TimelineState(cell, shown[-1], days[-1], size)
            around.append(states)
            if self.config.backward:
                after = torch.cat([elapsed.new_zeros(1), elapsed[1:].flip(0)])
                shown, _ = self.future(documents.flip(0), after, self.future.initial())
                around.append(torch.cat([shown[:-1].flip(0), start.shown[None]]))
        return ContextualPassages(self._conditioned(projected, timeline.owner, aside, around), states, last)

    def step(self, state: TimelineState, document: TimelineTensors) -> tuple[TimelineState, Tensor]:
        """One more document, later than all those that the state has read.

        Args:
            document: of one document, as `TimelineTensors.document` gives it; ``days`` counts from the same first day.

        Returns:
            The state after it, and its contextual passages (n, hidden): those of `forward`, to rounding.

        Raises:
            ValueError: not one document, or the encoder reads the future as well.
        """
        if self.config.backward:
            raise ValueError("with backward=True a new document changes all those before it; encode the whole timeline")
        if len(document.kinds) != 1:
            raise ValueError(f"a step reads one document, not {len(document.kinds)}")
        projected = self.project(document.vectors)
        days = document.days.to(projected.dtype)
        gaps = days - state.day if state.position else torch.zeros_like(days)
        aside = self._aside(document, gaps, torch.full_like(document.kinds, state.position))
        around = [state.shown[None]] if self.config.use_recurrence else []
        passages = self._conditioned(projected, document.owner, aside, around)
        cell, shown = state.cell, state.shown
        if self.config.use_recurrence:
            read = self._documents(projected, document.owner, aside)
            shown, cell = self.past.step(read[0], self._elapsed(gaps)[0], state.cell)
        return TimelineState(cell, shown, days[-1], state.position + 1), passages

    def _elapsed(self, gaps: Tensor) -> Tensor:
        """What a cell knows of the time between documents: nothing without gaps."""
        return torch.log1p(gaps) if self.config.use_gaps else torch.zeros_like(gaps)

    def _aside(self, timeline: TimelineTensors, gaps: Tensor, position: Tensor) -> Tensor:
        """What is known of documents beside their text: (T, aside)."""
        columns = [torch.log1p(position.to(gaps.dtype)) / _LOG_SCALE]
        if self.config.use_gaps:
            dated = timeline.dated
            columns += [
                torch.log1p(gaps) / _LOG_SCALE,
                torch.log1p(timeline.days.to(gaps.dtype)) / _LOG_SCALE,
                ((gaps == 0) & (position > 0) & dated).to(gaps.dtype),
                (~dated).to(gaps.dtype),
            ]
        aside = torch.stack(columns, dim=1)
        return aside if self.kind is None else torch.cat([aside, self.kind(timeline.kinds)], dim=1)

    def _documents(self, projected: Tensor, owner: Tensor, aside: Tensor) -> Tensor:
        """Vectors of documents (T, hidden) from those of their passages (N, hidden)."""
        empty = projected.new_zeros(len(aside), self.config.hidden)
        counts = projected.new_zeros(len(aside)).index_add(0, owner, projected.new_ones(len(owner)))
        mean = empty.index_add(0, owner, projected) / counts.clamp(min=1)[:, None]
        place = owner[:, None].expand_as(projected)
        maximum = empty.scatter_reduce(0, place, projected, "amax", include_self=False)
        result: Tensor = self.document(torch.cat([mean, maximum, aside], dim=1))
        return result

    def _conditioned(self, projected: Tensor, owner: Tensor, aside: Tensor, around: list[Tensor]) -> Tensor:
        """Passages (N, hidden) under what is known of their documents: beside their text, and from those around."""
        scale, shift = self.context(torch.cat([aside, *around], dim=1))[owner].chunk(2, dim=1)
        inside = self.inside(projected)
        read = projected + self.mix(inside * (1 + scale) + shift)
        if around:
            read = read + torch.sigmoid(self.opening(inside)) * self.recall(torch.cat(around, dim=1))[owner]
        return functional.normalize(read, dim=1)
