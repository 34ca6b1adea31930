"""What a server says that it serves, and which model that is."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, ValidationError

from generator.llm.errors import MalformedReplyError
from generator.llm.identity import folder_identity

#: Tokens taken for the context of a model whose server does not say.
_UNSAID_CONTEXT = 4096


@dataclass(frozen=True, slots=True)
class Served:
    """A model that a server offers.

    Args:
        model: the name to ask for.
        identity: that name with what tells its weights from others', as far as the server lets it be known.
        context: tokens of prompt and answer together.
        parent: name of the model that this one is an adapter of; "" for a model.
    """

    model: str
    identity: str
    context: int
    parent: str = ""


class _Card(BaseModel):
    id: str
    root: str | None = None
    parent: str | None = None
    max_model_len: int | None = None


class _Listing(BaseModel):
    data: list[_Card] = Field(default_factory=list)


def read_served(listing: Any, url: str) -> list[Served]:
    """The models of a reply to ``GET /v1/models``.

    vLLM says from which folder it loaded a model. Where that is a folder of this machine its files name the model, so
    that it keeps its name when the server is started again, and changes it with its weights.

    Raises:
        MalformedReplyError: this is no such reply.
    """
    try:
        cards = {card.id: card for card in _Listing.model_validate(listing).data}
    except ValidationError:
        raise MalformedReplyError from None
    is_here = _is_loopback(url)
    served = []
    for card in cards.values():
        parent = cards.get(card.parent or "")
        roots = [one.root for one in (card, parent) if one is not None and one.root]
        context = card.max_model_len or (parent.max_model_len if parent else None) or _UNSAID_CONTEXT
        identity = " on ".join([card.id, *_identities(roots if is_here else [])])
        served.append(Served(card.id, identity, context, card.parent or ""))
    return served


def _identities(roots: list[str]) -> list[str]:
    try:
        return [folder_identity(Path(root)) for root in roots if Path(root).is_dir()]
    except OSError:
        return []


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
