"""The scorer: questions x passages in their timeline -> scores. Modules without input or output.

A question is compared with every passage in four ways that one small network then weighs:

1. late interaction: each part of the question (label, choices, note, synonyms) meets the contextual vector of the
   passage at the end only (ColBERT, Khattab and Zaharia 2020, with the parts of the question as its words), and the
   encoder's own vector beside it, as in a siamese encoder;
2. the measures of `retriever.features` (BM25, spelling, concepts, shape of the value);
3. where such a variable is usually written (`retriever.prior`);
4. the order of things: a recurrent network reads, for this question, how well each document answers it, from the
   first to the last and back, so that the first, the last or the one after an admission can be told apart. It sees
   what may be read and no more: with ``as_of``, what comes later is not in the timeline at all.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from retriever.features import MEASURES
from retriever.prior import PRIORS
from retriever.query import FACETS
from retriever.recurrent import TemporalConfig, TemporalEncoder, TimelineTensors
from schema.variable import VariableKind

#: Kinds of variables, in the order of `Asked.value_kinds`; a question in free words has the last place.
VALUE_KINDS = (*VariableKind, "words")
_VALUE_SIZE = 8


@dataclass(frozen=True)
class ScorerConfig:
    """What a scorer is made of.

    Args:
        temporal: the encoder of the timeline; its switches hold for the order of things too.
        order: numbers in each direction's state of the network that reads the order of things.
        fusion: numbers in the hidden layer of the last network.
    """

    temporal: TemporalConfig
    order: int = 24
    fusion: int = 48

    def to_dict(self) -> dict[str, Any]:
        """As `from_dict` reads it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> ScorerConfig:
        """The configuration that `to_dict` wrote."""
        return cls(**{**content, "temporal": TemporalConfig(**content["temporal"])})


@dataclass(frozen=True)
class Asked:
    """Questions about one patient, with what is measured between them and that patient's passages.

    Args:
        facets: (Q, len(FACETS), dim) vectors of the parts of each question; zeros for a part that it lacks.
        value_kinds: (Q,) places in `VALUE_KINDS`.
        measures: (Q, N, len(MEASURES) + len(PRIORS)).
    """

    facets: Tensor
    value_kinds: Tensor
    measures: Tensor

    def some(self, places: Tensor) -> Asked:
        """The questions at some places."""
        return Asked(self.facets[places], self.value_kinds[places], self.measures[places])

    def among(self, passages: Tensor) -> Asked:
        """The same questions, asked of some of the passages."""
        return Asked(self.facets, self.value_kinds, self.measures[:, passages])


class PassageScorer(nn.Module):
    """Scores the passages of one patient for some questions."""

    def __init__(self, config: ScorerConfig) -> None:
        super().__init__()
        self.config = config
        hidden = config.temporal.hidden
        self.temporal = TemporalEncoder(config.temporal)
        self.question = nn.Linear(config.temporal.dim, hidden)
        self.value = nn.Embedding(len(VALUE_KINDS), _VALUE_SIZE)
        self.asks = nn.Linear(hidden + _VALUE_SIZE, hidden)
        self.meets = nn.Linear(hidden, config.fusion // 2)
        plain = len(MEASURES) + len(PRIORS) + 2 * (len(FACETS) + 1)
        self.order = OrderReader(plain, config) if config.temporal.use_recurrence else None
        width = plain + config.fusion // 2 + _VALUE_SIZE + (2 * config.order if self.order else 0)
        self.linear = nn.Linear(plain, 1, bias=False)
        self.fusion = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, config.fusion),
            nn.SiLU(),
            nn.Dropout(config.temporal.dropout),
            nn.Linear(config.fusion, 1),
        )

    def forward(self, timeline: TimelineTensors, context: Tensor, asked: Asked) -> Tensor:
        """Scores (Q, N), higher is better; only their order and differences mean something.

        Args:
            context: (N, hidden) contextual passages, as ``temporal`` gives them for the timeline.
        """
        facets = nn.functional.normalize(self.question(asked.facets), dim=-1)  # (Q, 4, hidden)
        known = asked.facets.abs().sum(-1) > 0  # (Q, 4)
        late = facets @ context.T  # (Q, 4, N)
        siamese = asked.facets @ timeline.vectors.T  # (Q, 4, N)
        plain = torch.cat([asked.measures, _per_facet(late, known), _per_facet(siamese, known)], dim=-1)
        value = self.value(asked.value_kinds)  # (Q, 8)
        mean = (facets * known[..., None]).sum(1) / known.sum(1, keepdim=True).clamp(min=1)
        asks = self.asks(torch.cat([mean, value], dim=-1))  # (Q, hidden)
        meets = self.meets(asks[:, None] * context[None])  # (Q, N, fusion / 2)
        size = len(timeline.vectors)
        parts = [plain, meets, value[:, None].expand(-1, size, -1)]
        if self.order is not None:
            parts.append(self.order(timeline, plain))
        whole = torch.cat(parts, dim=-1)
        scores: Tensor = self.linear(plain) + self.fusion(whole)
        return scores[..., 0]


class OrderReader(nn.Module):
    """Reads, for each question, the documents in order as answers to it: both ways, the document itself included."""

    def __init__(self, plain: int, config: ScorerConfig) -> None:
        super().__init__()
        self._gaps = config.temporal.use_gaps
        self.enter = nn.Linear(plain + 2 * int(self._gaps), config.order)
        self.read = nn.GRU(config.order, config.order, batch_first=True, bidirectional=True)

    def forward(self, timeline: TimelineTensors, plain: Tensor) -> Tensor:
        """Shape (Q, N, 2 * order): what has been told before, and what will be, up to each passage's document.

        Args:
            plain: (Q, N, plain) what is measured of each passage.
        """
        questions, size, width = plain.shape
        documents = len(timeline.kinds)
        place = timeline.owner[None, :, None].expand(questions, size, width)
        best = plain.new_zeros(questions, documents, width).scatter_reduce(1, place, plain, "amax", include_self=False)
        if self._gaps:
            days = timeline.days.to(plain.dtype)
            gaps = torch.diff(days, prepend=days[:1])
            after = torch.cat([gaps[1:], gaps.new_zeros(min(1, documents))])
            times = torch.log1p(torch.stack([gaps, after], dim=-1))  # (T, 2)
            best = torch.cat([best, times[None].expand(questions, -1, -1)], dim=-1)
        if not documents:
            return plain.new_zeros(questions, size, 2 * self.read.hidden_size)
        read: Tensor = self.read(nn.functional.silu(self.enter(best)))[0]  # (Q, T, 2 * order)
        return read[:, timeline.owner]


def _per_facet(similar: Tensor, known: Tensor) -> Tensor:
    """(Q, 4, N) -> (Q, N, 5): the similarity to each part of the question, 0 for one it lacks, and the greatest."""
    kept = similar * known[..., None]
    return torch.cat([kept, kept.amax(dim=1, keepdim=True)], dim=1).transpose(1, 2)
