"""Anthropic's models in other houses' clouds: the same API at other paths, signed as the cloud demands."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from attache.foundation.settings import Settings
from attache.providers import anthropic_request
from attache.providers.anthropic_messages import Decoder
from attache.providers.anthropic_request import VERSION
from attache.providers.remote import RemoteModel, Wire
from attache.providers.row import Access, ProviderRow, access

if TYPE_CHECKING:
    from attache.providers.direct import Client


def connect(row: ProviderRow, model: str, settings: Settings) -> RemoteModel:
    """Return the model, not spoken to yet."""

    def client(reached: Access) -> Client:
        from attache.providers.direct import Client, Route

        if row.credentials == "google":
            stream = Route("/models/{model}:streamRawPredict", _versioned)
            return Client(reached, (stream, Route("/models/{model}:rawPredict", _whole)))
        return Client(reached, (Route("/v1/messages"),), headers={"anthropic-version": VERSION})

    body = partial(anthropic_request.body, quirks=row.quirks)
    return RemoteModel(access(row, settings), model, Wire(client=client, body=body, decoder=Decoder))


def _versioned(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"anthropic_version": VERSION}


def _whole(body: dict[str, Any]) -> dict[str, Any]:
    return _versioned(body) | {"stream": False}
