"""The server's life after `initialize`: the loop it runs in, what it does at first, and how it ends."""

from __future__ import annotations

import asyncio
import os
import threading
from importlib import import_module
from typing import Any, Final

from attache.faces.lsp import progress, sync
from attache.faces.lsp.code import lenses
from attache.faces.lsp.features import feature
from attache.faces.lsp.server import Server
from attache.faces.lsp.wire.shapes import Nothing, encode
from attache.faces.lsp.wire.transport import Transport
from attache.foundation.jsonrpc import decode
from attache.workspace.documents import BufferChange

FIRST: Final = (lenses, progress, sync)
"""The modules whose features are asked for at once; `features.LATE` names the others."""
_SETTLE_SECONDS: Final = 0.5
"""What an editor asks for right after the start goes before what we do for ourselves."""
_LAST_WORDS_SECONDS: Final = 1.0
"""How long the client may take to read what we still have to say once it has left."""


def run(transport: Transport, params: dict[str, Any]) -> int:
    """Serve the client that sent `params` with its `initialize`; return the exit code."""
    transport.frames.decode = decode
    transport.encode = encode
    with asyncio.Runner() as runner:
        orderly = runner.run(_serve(transport, params))
        transport.finish(_LAST_WORDS_SECONDS)
        code = 0 if orderly else 1
        # A library's thread that will not end must not keep the process: what is durable is on disk already.
        last_resort = threading.Timer(_LAST_WORDS_SECONDS, os._exit, (code,))
        last_resort.daemon = True
        last_resort.start()
    return code


async def _serve(transport: Transport, params: dict[str, Any]) -> bool:
    server = Server(transport, params)
    server.peer.start()
    try:
        return await server.peer.stopped
    finally:
        await server.close()
        if chats := vars(server).get("chats"):  # only where they were ever needed
            chats.close()


@feature("initialized", Nothing)
def initialized(server: Server, params: Nothing) -> None:
    """Do what can wait until the client has its answer: end what a crash left half done, look for a model."""
    del params
    if server.settling:
        return  # said twice
    server.settling = True
    server.background(_settle_in(server), "settling in")


async def _settle_in(server: Server) -> None:
    await asyncio.sleep(_SETTLE_SECONDS)
    await asyncio.to_thread(import_module, "attache.faces.lsp.code.document_actions")
    await asyncio.to_thread(lambda: server.settings)
    await _mend(server)
    from attache.faces.lsp.outside import watch

    server.peer.begin(watch(server), "watching files")
    from attache.faces.lsp.contents import register

    server.background(register(server), "documents of ours")
    await server.models.look()


async def _mend(server: Server) -> None:
    """End what a crash of an earlier process left half done, on disk now and in documents as they are opened.

    A request that came before may have opened the agent, which recovers the disk first of all: so what there is to mend
    does not depend on what is recovered here.
    """

    def opened(change: BufferChange) -> None:
        if change.kind == "open":
            server.background(server.workspace.mend(change.uri), "mending")

    server.buffers.subscribe(opened)
    await server.workspace.recover()
    for document in tuple(server.buffers):
        await server.workspace.mend(document.uri)
