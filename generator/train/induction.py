"""Heads that copy, laid by hand in a small Llama before it is trained.

To quote is to copy. The circuit that copies, a head that looks one token back and a head that looks for what came after
the same token before ("induction heads": Elhage et al., "A Mathematical Framework for Transformer Circuits", 2021;
Olsson et al., "In-context Learning and Induction Heads", 2022), appears by itself only after more tokens than a
processor can read in an hour. Its weights are known in closed form, so a rehearsal begins with them, in the spirit of
mimetic initialisation (Trockman and Kolter, "Mimetic Initialization of Self-Attention Layers", ICML 2023). Training
does the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from torch import Tensor

#: Base of the rotary positions: large, so that half of a head's dimensions tell contents apart whatever the distance.
ROPE_THETA = 1e6
#: Pairs of dimensions whose rotation tells one token from the next.
_FAST = 6
#: Radians per token under which a pair of dimensions does not feel positions.
_SLOW = 2e-3
_LOOK_BACK = 2.5
_MATCH = 1.8
_COPY = 4.0
#: What all tokens share, in a dimension of its own: what a head looks for when it looks for a place.
_CONSTANT = 2.0


def lay_induction_heads(model: Any, seed: int) -> None:
    """Set the embeddings and the first two attentions of a Llama so that it copies what it has read before.

    The lower half of the d dimensions holds what a token is, the upper half what the token before it was: layer 0 fills
    it, layer 1 searches it for the present token and writes what it finds beside it into the lower half.

    Args:
        model: a `transformers.LlamaForCausalLM` of at least two layers, tied embeddings, as many key heads as heads
            and at least two heads in half of its dimensions.
    """
    config = model.config
    d, heads = config.hidden_size, config.num_attention_heads
    width = d // heads
    half, content = width // 2, d // 2
    random = torch.Generator().manual_seed(seed)
    turns = ROPE_THETA ** (-torch.arange(half) / half)  # radians per token, by pair of dimensions
    kept, sought = _rotation(content, random), _rotation(content, random)
    sought[:, 0] = 0.0
    with torch.no_grad():
        embeddings: Tensor = model.model.embed_tokens.weight
        embeddings.zero_()
        embeddings[:, 0] = _CONSTANT
        embeddings[:, 1:content] = torch.randn(len(embeddings), content - 1, generator=random)
        before, same = (model.model.layers[i].self_attn for i in (0, 1))
        for head in range(content // width):
            own = slice(head * width, (head + 1) * width)
            _clear(before, own)
            for i in range(min(_FAST, half)):
                before.q_proj.weight[own.start + i, 0] = _LOOK_BACK
                before.k_proj.weight[own.start + i, 0] = _LOOK_BACK * torch.cos(turns[i])
                before.k_proj.weight[own.start + half + i, 0] = _LOOK_BACK * torch.sin(turns[i])
            before.v_proj.weight[own, :content] = kept[own]
            before.o_proj.weight[content + own.start : content + own.stop, own] = torch.eye(width)
        still = [i for i in range(half) if turns[i] < _SLOW]
        slots = still + [half + i for i in still]
        for head in range(heads):
            own = slice(head * width, (head + 1) * width)
            _clear(same, own)
            for number, slot in enumerate(slots):
                row = sought[(head * len(slots) + number) % content]
                same.q_proj.weight[own.start + slot, :content] = _MATCH * row
                same.k_proj.weight[own.start + slot, content:] = _MATCH * (row @ kept.T)
            part = head % (content // width) * width
            copied = kept[part : part + width].clone()
            copied[:, 0] = 0.0
            same.v_proj.weight[own, :content] = copied
            same.o_proj.weight[:content, own] = _COPY * copied.T
        model.model.norm.weight.fill_(0.4)  # embeddings of norm √d would make the first predictions far too sure


def _rotation(size: int, random: torch.Generator) -> Tensor:
    """A random orthonormal matrix."""
    q, _ = torch.linalg.qr(torch.randn(size, size, generator=random))
    return torch.Tensor(q)


def _clear(attention: Any, own: slice) -> None:
    for projection in (attention.q_proj, attention.k_proj, attention.v_proj):
        projection.weight[own] = 0.0
    attention.o_proj.weight[:, own] = 0.0
